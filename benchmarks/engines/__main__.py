"""`python -m benchmarks.engines`: SQLite, DuckDB and Spark in one run, in turn; prints Markdown.

What is measured stands in `plan.py`. Reports and CSV have to be the same bytes whoever wrote them:
where they differ, or a command fails, the run ends with an error. Deliveries are made once and kept
in the folder `--data`; all else goes to `--work`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.arguments import Among, numbers
from benchmarks.deliveries import Deliveries
from benchmarks.engines.plan import ENGINES, PARTS, Comparison, Plan
from benchmarks.engines.sameness import OutputsDiffer, same_bytes
from benchmarks.engines.sizes import by_month, by_relation
from benchmarks.engines.table import engines_table
from benchmarks.machine import heading, java_version, peer_versions
from benchmarks.measure import CommandFailed, Measured, Runner, environment
from benchmarks.memory import EVERY
from benchmarks.place import Place
from benchmarks.table import markdown

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("duckdb", "pyspark", "pandas", "pyarrow")
START, SIZE = "start", "size"


@dataclass
class Findings:
    """What was found so far.

    Attributes:
        measured: what was measured.
        digests: lines of events, what was written, its SHA-256, and who wrote it.
        sizes: Markdown about the lakes.
    """

    measured: list[Measured] = field(default_factory=list)
    digests: list[list[str]] = field(default_factory=list)
    sizes: list[str] = field(default_factory=list)

    def add(self, comparison: Comparison, runner: Runner, events: int, repeat: int) -> None:
        """Measure something, and hold what was written to each other.

        Raises:
            CommandFailed: a command did.
            OutputsDiffer: what was written does.
        """
        measured = runner.measure(comparison.measure, events, repeat)
        self.measured.append(measured)
        for output, by_name in comparison.outputs.items():
            found = same_bytes(by_name)
            what = f"{comparison.measure.name}: {output}"
            self.digests.append([f"{events:,}", what, ", ".join(by_name), f"`{found[:16]}`"])

    def print(self) -> None:
        """Print all tables."""
        by_name: dict[str, list[Measured]] = {}
        for result in self.measured:
            by_name.setdefault(result.measure.name, []).append(result)
        for name, same in by_name.items():
            print(f"\n### {name[0].upper()}{name[1:]}\n\n{engines_table(same)}")
        for text in self.sizes:
            print(f"\n{text}")
        if self.digests:
            titles = ["events", "the same bytes", "by", "SHA-256 begins"]
            print(f"\n### What they wrote\n\n{markdown(titles, self.digests)}")


def main() -> None:
    """Measure what is asked for, and print the tables."""
    given = arguments()
    versions = peer_versions(sys.executable, PACKAGES)
    if java := java_version():
        versions["Java"] = java
    needs = {"duckdb": {"duckdb"}, "spark": {"pyspark", "pandas", "Java"}}
    engines = tuple(name for name in given.engines if needs[name] <= versions.keys())
    print(heading(sys.executable, ROOT, versions, None))
    print_how(given, sorted(ENGINES.keys() - {*engines}))
    findings = Findings()
    with workplace(given.work) as runner:
        try:
            measure_all(given, engines, runner, findings)
        except (CommandFailed, OutputsDiffer) as error:
            sys.exit(f"{error}")
        finally:
            findings.print()


def print_how(given: argparse.Namespace, missing: list[str]) -> None:
    """Print how it is measured, and what is not."""
    print(f"- each measured in turn, runs: {given.repeat}; median seconds, most memory of all the "
          f"processes of a command together, looked at every {EVERY:g} s")  # fmt: skip
    print(f"- load before it began: {os.getloadavg()[0]:.1f}")
    if submit := os.environ.get("PYSPARK_SUBMIT_ARGS"):
        print(f"- Spark is started with: {submit}")
    if missing:
        print(f"- not measured, for not installed or left out: {', '.join(missing)}")


@contextmanager
def workplace(folder: Path) -> Iterator[Runner]:
    """What runs commands in a folder, which is removed at the end with all that they leave."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="engines-") as name:
        around = {**environment(ROOT), "SPARK_LOCAL_DIRS": name}
        yield Runner(Path(name), around, with_all_it_starts=True)


def measure_all(
    given: argparse.Namespace, engines: tuple[str, ...], runner: Runner, findings: Findings
) -> None:
    """Measure all parts for all numbers of events; what was made for them is removed again."""
    if START in given.only:
        with at(given, given.sizes[0], runner) as place:
            comparison = Plan(place, engines).start(ROOT / "data")
            events = sum(len(path.read_bytes().splitlines()) - 1
                         for path in (ROOT / "data").rglob("*.csv"))  # fmt: skip
            findings.add(comparison, place.runner, events, given.repeat)
    for rows in given.sizes:
        with at(given, rows, runner) as place:
            for part in (one for one in given.only if one in PARTS):
                for comparison in PARTS[part](Plan(place, engines)):
                    findings.add(comparison, place.runner, rows, given.repeat)
                    place.tidy()
            if SIZE in given.only:
                title = f"### Size of the lake: {rows:,} events of interactions"
                findings.sizes.append(f"{title}\n\n{by_relation(place.lake, place.recorded)}")
                if rows == max(given.sizes):
                    findings.sizes.append(by_month(place.lake, place.recorded))


@contextmanager
def at(given: argparse.Namespace, rows: int, runner: Runner) -> Iterator[Place]:
    """The files for a number of events."""
    with tempfile.TemporaryDirectory(dir=runner.work, prefix=f"{rows}-") as name:
        own = replace(runner, work=Path(name))
        yield Place(Deliveries(rows), given.data, own.work, own, sys.executable, given.ledgers)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    temporary = Path(tempfile.gettempdir())
    parts = (START, *PARTS, SIZE)
    sizes = [100_000, 1_000_000, 10_000_000]
    parser.add_argument("--sizes", type=numbers, default=sizes, metavar="N,…",
                        help="events (default: 100000,1000000,10000000)")  # fmt: skip
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--only", type=Among(parts), metavar="PART,…",
                        help=f"of {', '.join(parts)} (default: all that there are)")  # fmt: skip
    parser.add_argument("--engines", type=Among(ENGINES), default=[*ENGINES], metavar="ENGINE,…",
                        help="beside SQLite, of duckdb, spark (default: both)")  # fmt: skip
    parser.add_argument("--data", type=Path, default=temporary / "ledger-deliveries",
                        metavar="DIR", help="where deliveries are kept")  # fmt: skip
    parser.add_argument("--ledgers", type=Path, metavar="DIR",
                        help="where ledgers of them may be, l<events>.db; they are read "
                        "alone")  # fmt: skip
    parser.add_argument("--work", type=Path, default=temporary, metavar="DIR",
                        help="where all else is made, and removed again")  # fmt: skip
    given = parser.parse_args()
    given.data, given.work = given.data.absolute(), given.work.absolute()
    given.ledgers = given.ledgers and given.ledgers.absolute()
    for folder in (given.data, given.work):
        folder.mkdir(parents=True, exist_ok=True)
    if given.only is None:
        there = "spark" in given.engines and spark_ingests()
        given.only = [part for part in parts if part != "ingest" or there]
    return given


def spark_ingests() -> bool:
    """Whether this version of the ledger records deliveries with Spark."""
    command = (sys.executable, "-m", "ledger", "ingest", "--help")
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return "--engine" in told.stdout


if __name__ == "__main__":
    main()
