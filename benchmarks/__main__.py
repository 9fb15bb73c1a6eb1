"""`python -m benchmarks`: the ledger and its peers in one run, in turn; prints Markdown.

What is measured stands in `plan.py`, how in `measure.py`. Deliveries are made once and kept in the
folder `--data`; all else goes to `--work`. Where a peer is not installed, or is left out by
`--peers`, a line says so. Any command that fails ends the run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.arguments import Among, numbers
from benchmarks.deliveries import Deliveries
from benchmarks.machine import heading, peer_versions, shell_version
from benchmarks.measure import CommandFailed, Measured, Runner, environment
from benchmarks.place import Place
from benchmarks.plan import PARTS, Plan
from benchmarks.table import ledger_table, peers_table

ROOT = Path(__file__).resolve().parent.parent
PEERS = {
    "pandas": "pandas",
    "duckdb": "duckdb",
    "polars": "polars",
    "adbc": "adbc-driver-sqlite",
    "shell": "sqlite3 shell",
}


def main() -> None:
    """Measure what is asked for, and print the tables."""
    given = arguments()
    versions, shell = peer_versions(given.peers_python), shell_version()
    installed = {*versions, *(["sqlite3 shell"] if shell else [])}
    peers = frozenset(name for name in given.peers if PEERS[name] in installed)
    given.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.work, prefix="benchmarks-") as name:
        runner = Runner(Path(name), environment(ROOT))
        floor = runner.floor()
        results: list[Measured] = []
        print(heading(sys.executable, ROOT, versions, shell))
        print(f"- each measured {given.repeat} times, in turn: median seconds, most memory (of "
              f"which less than {floor:.0f} MiB cannot be told apart)")  # fmt: skip
        if missing := sorted(PEERS.keys() - peers):
            print(f"- not measured, for not installed or left out: {', '.join(missing)}")
        try:
            for rows in given.sizes:
                results.extend(measure_size(given, rows, runner, peers))
        except CommandFailed as error:
            sys.exit(f"{error}")
        finally:
            print_tables(results)


def measure_size(
    given: argparse.Namespace, rows: int, runner: Runner, peers: frozenset[str]
) -> Iterator[Measured]:
    """Measure all parts for a number of events; what was made for them is removed again."""
    with tempfile.TemporaryDirectory(dir=runner.work, prefix=f"{rows}-") as name:
        work = Path(name)
        own = replace(runner, work=work)
        wanted = Deliveries(rows, given.months, given.seed, given.keys)
        place = Place(wanted, given.data, work, own, sys.executable)
        plan = Plan(place, given.peers_python, peers)
        for part in given.only:
            for measure in PARTS[part](plan):
                yield own.measure(measure, rows, given.repeat)
                place.tidy()


def print_tables(results: Sequence[Measured]) -> None:
    """Print both tables of what was measured so far."""
    if results:
        beside = sorted((one for one in results if one.measure.peers), key=lambda one: one.events)
        print("\nBeside its peers; ratios are the ledger's share, bold where the goal is missed:\n")
        print(peers_table(beside))
        print("\nThe ledger alone:\n")
        print(ledger_table(results))


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    temporary = Path(tempfile.gettempdir())
    parser.add_argument("--sizes", type=numbers, default=[100_000, 1_000_000], metavar="N,…",
                        help="events of interactions (default: 100000,1000000)")  # fmt: skip
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--only", type=Among(PARTS), default=[*PARTS], metavar="PART,…",
                        help=f"of {', '.join(PARTS)} (default: all)")  # fmt: skip
    parser.add_argument("--peers", type=Among(PEERS), default=[*PEERS], metavar="PEER,…",
                        help=f"of {', '.join(PEERS)} (default: all)")  # fmt: skip
    parser.add_argument("--months", type=int, default=24, help="deltas (default: 24)")
    parser.add_argument("--seed", type=int, default=1, help="of the deliveries (default: 1)")
    parser.add_argument("--keys", choices=("seq", "random"), default="seq",
                        help="whether keys come in order (default: seq)")  # fmt: skip
    parser.add_argument("--data", type=Path, default=temporary / "ledger-deliveries",
                        metavar="DIR", help="where deliveries are kept")  # fmt: skip
    parser.add_argument("--work", type=Path, default=temporary, metavar="DIR",
                        help="where all else is made, and removed again")  # fmt: skip
    parser.add_argument("--peers-python", default=sys.executable, metavar="PATH",
                        help="the interpreter that has the peers (default: this one)")  # fmt: skip
    given = parser.parse_args()
    given.data, given.work = given.data.absolute(), given.work.absolute()
    given.work.mkdir(parents=True, exist_ok=True)
    return given


if __name__ == "__main__":
    main()
