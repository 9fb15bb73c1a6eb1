"""Holds a lake to its ledger: whether SQLite, DuckDB and Spark give the same bytes.

    python -m benchmarks.parity ledger.db lake
    python -m benchmarks.parity ledger.db lake --months 202301 202312 --engines duckdb

The ledger is published to the lake first, where that has not all of it. Of each month every table
is exported as CSV by each engine, and the report is written; what is shown is how the SHA-256 of
these begins, and how long each engine took for a month. Of Spark's parts, it is that of all parts
one after the other; for the time of its start see the line of the first month. Ends with 1 where
not all agree.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from ledger import Ledger
from ledger.datasets.support.report import Report
from ledger.engines.lakehouse import ENGINES, Lake
from ledger.outputs.export import MANIFEST

LEDGER = "sqlite"
SHOWN = 12
BLOCK = 1 << 20


@dataclass(frozen=True)
class Digests:
    """What an engine gave of a month.

    Attributes:
        month: as of which.
        engine: which gave it.
        seconds: that it took.
        sha256: by the name of a table, or `support_report`.
    """

    month: str
    engine: str
    seconds: float
    sha256: dict[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare what is asked for, print a table, and say whether all agree."""
    parser = argparse.ArgumentParser(prog="benchmarks.parity", description=__doc__)
    parser.add_argument("ledger", type=Path, help="the ledger's file")
    parser.add_argument("lake", type=Path, help="the lake's folder; made where there is none")
    parser.add_argument("--months", nargs="+", help="by default the first, the 12th and the last")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    given = parser.parse_args(arguments)
    ledger = Ledger(given.ledger)
    ledger.publish(given.lake)
    months = given.months or some_months(ledger)
    found = []
    with started(given.engines):
        for month in months:
            for engine in (LEDGER, *given.engines):
                source = ledger if engine == LEDGER else Lake(given.lake, engine)
                found.append(digests(ledger, source, month, engine))
    print("\n".join(table(found)))
    agree = all(alike(found, month) for month in months)
    print("\nAll agree." if agree else "\nNot all agree.")
    return 0 if agree else 1


def some_months(ledger: Ledger) -> list[str]:
    """The first month of a ledger, the 12th and the last, as far as there are so many."""
    months = [str(month) for month in ledger.status().events_by_month]
    return list(dict.fromkeys([months[0], months[min(11, len(months) - 1)], months[-1]]))


def started(engines: Sequence[str]) -> AbstractContextManager[object]:
    """Spark, where it is asked for: once for all months."""
    if "spark" not in engines:
        return nullcontext()
    from ledger.engines.spark.session import spark_session

    return spark_session()


def digests(ledger: Ledger, source: Ledger | Lake, month: str, engine: str) -> Digests:
    """What an engine gives of a month, written to a folder that is removed again."""
    start = perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report: Report
        if isinstance(source, Ledger):
            snapshot = source.at(month)
            snapshot.export(folder / "tables")
            report = snapshot.report()
        else:
            source.export(folder / "tables", as_of=month)
            report = source.report(month)
        ledger.at(report.edition.name).write_report(report, folder / "report")
        seconds = perf_counter() - start
        places = [*(folder / "tables").iterdir(), *(folder / "report").iterdir()]
        sha256 = {
            path.name.removesuffix(".csv").removesuffix("_final"): digest(path)
            for path in sorted(places)
            if path.name != MANIFEST
        }
    return Digests(month, engine, seconds, sha256)


def digest(path: Path) -> str:
    """The SHA-256 of a file, or of the parts in a folder one after the other."""
    found = hashlib.sha256()
    for part in [path] if path.is_file() else sorted(path.iterdir()):
        with part.open("rb") as file:
            while block := file.read(BLOCK):
                found.update(block)
    return found.hexdigest()


def alike(found: Sequence[Digests], month: str) -> bool:
    """Whether all engines gave the same of a month."""
    of_month = [digests.sha256 for digests in found if digests.month == month]
    return all(sha256 == of_month[0] for sha256 in of_month)


def table(found: Sequence[Digests]) -> Iterator[str]:
    """A line of Markdown for each month and engine."""
    names = list(dict.fromkeys(name for digests in found for name in digests.sha256))
    yield f"| month | engine | seconds | {' | '.join(names)} |"
    yield f"|---|---|--:|{'---|' * len(names)}"
    for digests in found:
        shown = [digests.sha256.get(name, "none")[:SHOWN] for name in names]
        cells = [digests.month, digests.engine, f"{digests.seconds:.1f}", *shown]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
