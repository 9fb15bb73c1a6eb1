"""Queries of Spark SQL over the rows of delivered files, before these are in a lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pyspark.sql.functions import expr

from ledger.delivery.discovery import Delivery
from ledger.engines.spark.tasks import Tasks
from ledger.engines.spark.worker import KEYS
from ledger.errors import PROBLEMS_KEPT, Problems
from ledger.model.dataset import Table
from ledger.recording.corrections import RowDifference
from ledger.recording.recorder import repeated_key


def repeated_keys(tasks: Tasks, extracts: Mapping[Delivery, Path]) -> dict[Delivery, Problems]:
    """Find keys that occur twice in initial extracts.

    Args:
        tasks: to run.
        extracts: by the file, the draft with its keys.

    Returns:
        the first hundred of each file that has some, and their number.
    """
    if not extracts:
        return {}
    deliveries = list(extracts)
    keys = tasks.columns(
        list(extracts.values()), KEYS.names, "file long, line long, written string"
    )
    # As each row starts on a line of its own, the first one is that of the first row.
    first = keys.selectExpr("*", "min(line) OVER (PARTITION BY file, written) AS first_line").where(
        "line > first_line"
    )
    numbered = first.selectExpr(
        "*",
        "row_number() OVER (PARTITION BY file ORDER BY line) AS number",
        "count(*) OVER (PARTITION BY file) AS total",
    )
    first_of_each = numbered.where(f"number <= {PROBLEMS_KEPT}").orderBy("file", "line").collect()
    found: dict[Delivery, Problems] = {}
    for row in first_of_each:
        delivery = deliveries[row["file"]]
        problems = found.setdefault(delivery, Problems(total=row["total"]))
        problem = repeated_key(delivery, row["line"], row["written"], row["first_line"])
        problems.kept.append(problem)
    return found


def count_differences(
    tasks: Tasks, table: Table, before: Sequence[Path], after: Sequence[Path]
) -> RowDifference:
    """Count the rows in which two files of a table differ, with the result of `row_difference`.

    Args:
        tasks: to run.
        table: whose rows they contain.
        before: the paths of the events of the first; none where it has no rows.
        after: the paths of the events of the second; none where it has no rows.
    """
    paths = [*before, *after]
    if not paths:
        return RowDifference(0, 0, 0)
    names = ("event_id", table.key, "action", *table.column_names[1:])
    cells = [f"cell_{number}" for number in range(len(names) - 1)]
    types = ", ".join(["file long", "event_id long", *(f"{cell} string" for cell in cells)])
    key, rows = cells[0], f"struct({', '.join(cells)}) AS row"
    # If a key occurs several times, its first rows are compared with each other, and so on.
    placed = tasks.columns(paths, names, types).selectExpr(
        f"file < {len(before)} AS is_before",
        key,
        f"row_number() OVER (PARTITION BY file, {key} ORDER BY event_id) AS place",
        rows,
    )
    pairs = placed.groupBy(key, "place").agg(
        expr("count(*) = 2 AS are_two"),
        expr("bool_or(is_before) AS was_there"),
        expr("min(row) <=> max(row) AS are_same"),
    )
    (counts,) = pairs.selectExpr(
        "count_if(NOT are_two AND NOT was_there) AS added",
        "count_if(are_two AND NOT are_same) AS changed",
        "count_if(NOT are_two AND was_there) AS removed",
    ).collect()
    return RowDifference(counts["added"], counts["changed"], counts["removed"])
