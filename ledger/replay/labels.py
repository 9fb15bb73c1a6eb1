"""Names for what a row refers to: as they stand now, or as they stood in the month of the row."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from ledger.errors import WrongUsage
from ledger.model.dataset import Column, DataSet, Table, Type
from ledger.replay.editions import counts, last_events
from ledger.store.event_store import Store
from ledger.store.sql import part

# After any month and before the end of what holds for good; see `names.sql`.
_NO_MONTH = "none"


class Names(StrEnum):
    """Which names to give: of the as-of state, or of the end of the row's own month."""

    AS_IS = "as-is"
    AS_WAS = "as-was"


def parse_names(text: str) -> Names:
    """Read `as-is` or `as-was`.

    Raises:
        WrongUsage: the text is neither.
    """
    try:
        return Names(text)
    except ValueError:
        raise WrongUsage(f"names are {' or '.join(Names)}, not {text!r}") from None


def names_table(table: Table) -> str:
    """The name of the relation that `say_names` fills for a table."""
    return f"{table.name}_names"


def say_names(store: Store, tables: Iterable[Table], names: Names) -> None:
    """Fill for each table the relation `<table>_names`, of an edition that was said.

    Its columns are `event_id` (of the row that gives the name), the key, the texts, and
    `from_month` and `until_month`, between which it holds; see `names.sql`.
    """
    for table in tables:
        columns, name = _names_columns(table), names_table(table)
        store.execute(f"DROP TABLE IF EXISTS temp.{name}")
        store.execute(f"CREATE TEMP TABLE {name} ({', '.join(columns)})")
        select = names_select(table, names)
        store.execute(f"INSERT INTO {name} ({', '.join(columns)}) {select}")
        store.execute(f"CREATE INDEX temp.{name}_by_key ON {name} ({table.key})")


def names_select(table: Table, names: Names) -> str:
    """The query that gives the rows of `<table>_names`, of an edition that was said."""
    return part(
        "replay/labels.sql",
        names.value,
        key=table.key,
        texts=", ".join(_names_texts(table)),
        events=table.events,
        counts=counts("event"),
        last_events=last_events(table),
    )


def _names_columns(table: Table) -> tuple[str, ...]:
    return ("event_id", table.key, *_names_texts(table), "from_month", "until_month")


def _names_texts(table: Table) -> list[str]:
    return [column.name for column in table.columns[1:] if column.type is Type.TEXT]


def names_join(table: Table, alias: str, key: str, month: str) -> str:
    """The SQL that joins the names of a table.

    Args:
        table: one of those said.
        alias: of its row.
        key: the column, with its table, that holds its key.
        month: the column, with its table, that holds the month of the row to be named.
    """
    return (
        f"LEFT JOIN {names_table(table)} AS {alias} ON {alias}.{table.key} = {key} "
        f"AND {alias}.from_month <= {month} AND {month} < {alias}.until_month"
    )


def labelled_columns(table: Table, names: Names | None) -> tuple[Column, ...]:
    """The columns of a projected table with its labels, where `names` says which names to give."""
    labels = table.labels if names else ()
    return (*table.columns, *(Column(label.name, label.description) for label in labels))


def say_labels(store: Store, dataset: DataSet, table: Table, names: Names) -> None:
    """Fill what `labelled_select` takes the labels of a table from, of an edition that was said."""
    say_names(store, labelling(dataset, table).values(), names)


def labelled_select(
    dataset: DataSet, table: Table, names: Names | None, rows: str, hint: str = "MATERIALIZED"
) -> str:
    """The query that gives the columns of `labelled_columns`, in the order of the key.

    Args:
        dataset: of the table.
        table: whose rows they are.
        names: which names to give, as they were said; None for no labels.
        rows: a query that gives the projected rows.
        hint: to the planner that these come first; not every engine knows one.
    """
    shown = [f"{table.name}.{name}" for name in table.column_names]
    joins = []
    if names:
        month = f"coalesce({table.name}.{table.month}, '{_NO_MONTH}')"
        for name, other in labelling(dataset, table).items():
            joins.append(names_join(other, f"{name}_names", f"{table.name}.{name}", month))
        shown += [
            f"{label.reference}_names.{label.column} AS {label.name}" for label in table.labels
        ]
        # Lest the planner join the names before it has chosen the events.
        page, source = f"WITH page AS {hint} ({rows})", "page"
    else:
        # Not so here: stored rows, in order where they are, would be copied and sorted.
        page, source = "", f"({rows})"
    return f"""
        {page}
        SELECT {", ".join(shown)}
        FROM {source} AS {table.name} {" ".join(joins)}
        ORDER BY {table.name}.{table.key}
    """


def labelling(dataset: DataSet, table: Table) -> dict[str, Table]:
    """By the column that refers to it, each table that gives a label."""
    references = dict.fromkeys(label.reference for label in table.labels)
    return {name: dataset.referenced(table, name) for name in references}
