"""`python -m tests.faults`: the long form, with figures."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tests.faults.injections import injections, scenes
from tests.faults.kills import killed_exports, killed_ingests
from tests.faults.powercuts import cut_exports, cut_ingests
from tests.faults.product import altered
from tests.faults.strace import why_not
from tests.faults.together import SMALL_MONTHS, SPILLING_MONTHS, many_readers, two_writers
from tests.faults.trials import Tally, Trial, processes, run_all

Trials = Callable[[Path], Iterable[Trial]]
Part = tuple[Trials, str | None]

CAUSES_SHOWN = 10
LEVELS = ("off", "normal", "full")
LOSS, PART, TORN = "a loss", "files and events differ", "is torn"
"""What has to be noticed of a sabotage."""


def parser() -> argparse.ArgumentParser:
    """The options, with their defaults."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    for name, default, help in (
        ("--kills", 2000, "kill -9; three in ten of exports"),
        ("--cuts", 2000, "power cuts; one in ten of exports"),
        ("--every", 1, "inject faults at every Nth change of a file"),
        ("--pairs", 60, "of writers at once"),
        ("--readings", 5, "ingests while 16 readers read"),
        ("--jobs", os.cpu_count() or 1, "trials at a time"),
    ):
        parser.add_argument(
            name, type=int, metavar="N", default=default, help=f"{help} [{default}]"
        )
    parser.add_argument("--seed", default="1", help="of what is drawn at random")
    parser.add_argument(
        "--only", default="", metavar="PART", help="only parts whose name begins so"
    )
    parser.add_argument("--folder", type=Path, help="where to work; a temporary one by default")
    parser.add_argument(
        "--sabotage", action="store_true", help="break the ledger on purpose: all has to go red"
    )
    return parser


def parts(options: argparse.Namespace) -> dict[str, Part]:
    """The parts by name, each making its trials in a folder; nothing is to be noticed."""
    exports, seed = options.kills * 3 // 10, options.seed

    def injected(number: int) -> Trials:
        return lambda folder: injections(list(scenes(folder))[number], options.every)

    trials: dict[str, Trials] = {
        "kills of ingests": lambda f: killed_ingests(f, options.kills - exports, seed),
        "kills of exports": lambda f: killed_exports(f, exports, seed),
        "injections into an ingest": injected(0),
        "injections into a first ingest": injected(1),
        "injections into an export": injected(2),
        "cuts of ingests": lambda f: cut_ingests(f, options.cuts - options.cuts // 10, seed),
        "cuts of exports": lambda f: cut_exports(f, options.cuts // 10, seed),
        "pairs of writers": lambda f: two_writers(f, options.pairs),
        "readings of small months": lambda f: many_readers(f, SMALL_MONTHS, options.readings),
        "readings of spilling months": lambda f: many_readers(f, SPILLING_MONTHS, options.readings),
    }
    return {name: (made, None) for name, made in trials.items()}


def sabotages(options: argparse.Namespace) -> dict[str, Part]:
    """A tenth of the same against a ledger that is broken on purpose, and what is to be noticed."""
    kills, cuts, seed = options.kills // 10, options.cuts // 10, options.seed

    def careless(level: str) -> Trials:
        return lambda folder: cut_ingests(folder, cuts, seed, altered(f"synchronous={level}"))

    def halfway(folder: Path) -> Iterable[Trial]:
        return killed_ingests(folder, kills, seed, altered("no-transaction"), "small")

    def in_place(folder: Path) -> Iterable[Trial]:
        return killed_exports(folder, kills, seed, altered("in-place"))

    return {
        **{f"cuts, synchronous={level}": (careless(level), LOSS) for level in LEVELS},
        "kills, no-transaction": (halfway, PART),
        "kills, in-place": (in_place, TORN),
    }


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; 0 where nothing is red, or where with --sabotage everything is."""
    options = parser().parse_args(arguments)
    if reason := why_not():
        print(f"tests.faults: {reason}", file=sys.stderr)
        return 2
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="faults-"))).absolute()
    chosen = sabotages(options) if options.sabotage else parts(options)
    wrong = []
    for number, (name, (trials, noticed)) in enumerate(chosen.items()):
        if name.startswith(options.only):
            tally = run_part(name, trials, folder / f"{number}", options.jobs)
            if not as_expected(tally, noticed):
                wrong.append(name)
            elif (folder / f"{number}").exists():
                shutil.rmtree(folder / f"{number}")
    print(f"not as it should be: {', '.join(wrong)}" if wrong else "all as it should be")
    return 1 if wrong else 0


def as_expected(tally: Tally, noticed: str | None) -> bool:
    """Whether nothing broke the claim, or that which should be noticed did."""
    if noticed is None:
        return not tally.broken
    return any(noticed in cause for cause in tally.broken)


def run_part(name: str, trials: Trials, folder: Path, jobs: int) -> Tally:
    """Run the trials of a part, and print its figures."""
    start = time.monotonic()
    tally = run_all(trials(folder), processes(jobs))
    seconds = time.monotonic() - start
    figures = {"broken": len(tally.broken), **tally.counts}
    print(f"{name} ({seconds:.0f} s)")
    print("".join(f"    {count:6,}  {what}\n" for what, count in figures.items()), end="")
    for cause in tally.broken[:CAUSES_SHOWN]:
        print(f"    ! {cause}")
    sys.stdout.flush()
    return tally


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
