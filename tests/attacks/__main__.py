"""`python -m tests.attacks`: the long form, as Markdown tables."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.attacks.attack import Attack, Setting, Unseen, checks_of, settings_of, try_attack
from tests.attacks.bits import flip_bits, flips
from tests.attacks.catalogue import ATTACKS, CATALOGUE
from tests.attacks.omissions import goes_through, settings_for
from tests.attacks.scene import Scene, prepare

SHOWN = 3


def parser() -> argparse.ArgumentParser:
    """The options, with their defaults."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("--without", action="store_true", help="leave out one check at a time")
    parser.add_argument("--bits", type=int, default=0, metavar="N", help="flip N bits [0]")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn at random")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes at a time"
    )
    return parser


def row(*cells: object) -> None:
    """Print a row of a table."""
    print(f"| {' | '.join(map(str, cells))} |")


def attacked(number: int, scene: Scene, folder: Path) -> list[tuple[str, str]]:
    """Try one attack, in every setting; a process of its own."""
    trials = try_attack(ATTACKS[number], scene, folder / str(number))
    return [(str(setting), problem) for setting, problem in trials]


def attacks(scene: Scene, folder: Path, jobs: int) -> int:
    """Try all attacks; gives the number of those where something else came out than has to."""
    with ProcessPoolExecutor(jobs) as pool:
        numbers = range(len(ATTACKS))
        tried = pool.map(attacked, numbers, [scene] * len(numbers), [folder] * len(numbers))
        problems = dict(zip((attack.name for attack in ATTACKS), tried, strict=True))
    for title, of_title in CATALOGUE.items():
        print(f"\n### {title[0].upper()}{title[1:]}\n")
        row("attack", "no anchor", "receipt", "sources")
        row("---", "---", "---", "---")
        for attack in of_title:
            row(attack.name, attack.alone, attack.receipt, attack.sources)
    list_unseen(ATTACKS)
    wrong = [(name, *problem) for name, found in problems.items() for problem in found]
    print(f"\n{len(ATTACKS)} attacks; not as they should be: {len({name for name, *_ in wrong})}")
    for name, setting, problem in wrong:
        print(f"- {name}, {setting}: {problem}")
    return len(wrong)


def list_unseen(attacks: Iterable[Attack]) -> None:
    """Tell what goes through, in which setting, and why."""
    print("\n### What goes through\n")
    row("with", "because", "attacks")
    row("---", "---", "---")
    unseen: dict[tuple[str, str], list[str]] = {}
    for attack in attacks:
        by_reason: dict[str, list[str]] = {}
        for setting in [one for one in settings_of(attack) if not one.quick]:
            outcome = attack.expected(setting)
            if isinstance(outcome, Unseen):
                says = f"; the verdict says: {outcome.told}" if outcome.told else ""
                by_reason.setdefault(f"{outcome.why}{says}", []).append(str(setting))
        for why, settings in by_reason.items():
            unseen.setdefault(("; ".join(settings), why), []).append(attack.name)
    for (with_what, why), names in unseen.items():
        row(with_what, why, "; ".join(names))


def let_through(number: int, check: str, scene: Scene, folder: Path) -> bool:
    """Whether an attack goes through without a check; a process of its own."""
    return goes_through(ATTACKS[number], check, scene, folder / f"{check}-{number}")


def omissions(scene: Scene, folder: Path, jobs: int) -> int:
    """Leave out each check; gives the number of those that let nothing through."""
    row("left out", "finds", "what then goes through")
    row("---", "---", "---")
    idle = 0
    names = checks_of(scene, Setting(receipt=True, sources=True)).names
    with ProcessPoolExecutor(jobs) as pool:
        for check in names:
            numbers = [n for n, attack in enumerate(ATTACKS) if settings_for(attack, check)]
            many = len(numbers)
            passed = pool.map(let_through, numbers, [check] * many, [scene] * many, [folder] * many)
            through = [ATTACKS[n].name for n, one in zip(numbers, passed, strict=True) if one]
            row(f"`{check}`", many, few(through))
            sys.stdout.flush()
            idle += not through
    print(f"\n{len(names)} checks; idle: {idle}")
    return idle


def few(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "; ".join(names[:SHOWN]) + more


def bits(scene: Scene, folder: Path, count: int, seed: int, jobs: int) -> int:
    """Flip bits; gives the number of those where the outcome is wrong."""
    chosen = flips(scene, count, seed)
    wrong: list[str] = []
    total: dict[str, int] = {}
    with ProcessPoolExecutor(jobs) as pool:
        parts = [chosen[part::jobs] for part in range(jobs)]
        folders = [folder / f"bits-{part}" for part in range(jobs)]
        for one in folders:
            one.mkdir()
        for counts, problems in pool.map(flip_bits, [scene] * jobs, parts, folders):
            wrong += problems
            for name, number in counts.items():
                total[name] = total.get(name, 0) + number
    print(f"\n{len(chosen)} bits flipped, one at a time; {len(wrong)} with a wrong outcome\n")
    for name, number in sorted(total.items()):
        print(f"- {name}: {number}")
    for problem in wrong:
        print(f"- WRONG: {problem}")
    return len(wrong)


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for; 0 where all is as it should be."""
    options = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="attacks-") as name:
        folder = Path(name)
        (folder / "scene").mkdir()
        scene = prepare(folder / "scene")
        if options.without:
            return bool(omissions(scene, folder, options.jobs))
        wrong = attacks(scene, folder, options.jobs)
        if options.bits:
            wrong += bits(scene, folder, options.bits, options.seed, options.jobs)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
