"""The long form of the tests of bad input: `python -m tests.corpus`."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.corpus.checking import as_process, in_process, workshop
from tests.corpus.collection import corpus, sample
from tests.corpus.fuzzing import Tally, fuzz, fuzz_cuts, fuzz_names
from tests.corpus.mutations import Mutant
from tests.corpus.sabotage import NOTHING, SABOTAGES, found_by
from tests.corpus.sound import every_sound
from tests.corpus.surviving import changed_texts
from tests.corpus.texts import ODD_TEXTS
from tests.corpus.values import ODD_VALUES, misread_values

AT_ONCE = 1000
"""Mutants that a process delivers before it begins anew."""


def main() -> int:
    """Run all of it; 1 where a fault is found."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("--fuzz", type=int, default=100_000, metavar="N", help="files to fuzz with")
    parser.add_argument("--names", type=int, default=10_000, metavar="N", help="names likewise")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of both")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument(
        "--sabotage", action="store_true", help="break the ledger on purpose instead"
    )
    options = parser.parse_args()
    if options.sabotage:
        return _sabotage(options.seed, options.processes)
    faults = [
        *_timed("Malformed deliveries", _refuse_corpus()),
        *_timed("Odd texts", _in_a_folder(changed_texts, len(ODD_TEXTS))),
        *_timed("Odd values", _in_a_folder(misread_values, len(ODD_VALUES))),
        *_timed("Fuzzing", _fuzz(options.seed, options.fuzz, options.names, options.processes)),
    ]
    print(f"\n{len(faults)} faults", *faults, sep="\n")
    return min(len(faults), 1)


def _timed(name: str, faults: Iterator[str]) -> Iterator[str]:
    print(f"\n== {name}", flush=True)
    start = time.monotonic()
    yield from faults
    print(f"({time.monotonic() - start:.0f} seconds)", flush=True)


def _refuse_corpus() -> Iterator[str]:
    rules: dict[str, set[str]] = defaultdict(set)
    deliveries: Counter[str] = Counter()
    complained: Counter[str] = Counter()
    with workshop() as ledgers:
        for delivery in corpus():
            rules[delivery.group].add(delivery.rule)
            deliveries[delivery.group] += 1
            for complaint in ledgers.complaints(delivery, in_process):
                complained[delivery.group] += 1
                yield f"{delivery.name}: {complaint}"
        processes = sample(1)
        for delivery in processes:
            for complaint in ledgers.complaints(delivery, as_process):
                yield f"{delivery.name}, as a process: {complaint}"
    print(f"{'group':20} {'rules':>6} {'deliveries':>11} {'not as they must be':>20}")
    for group, count in deliveries.items():
        print(f"{group:20} {len(rules[group]):6} {count:11} {complained[group]:20}")
    total = sum(map(len, rules.values()))
    print(f"{'total':20} {total:6} {deliveries.total():11} {complained.total():20}")
    print(f"{len(processes)} of them, one of each rule, by the command as a process too")


def _in_a_folder(check: Callable[[Path], Iterator[str]], count: int) -> Iterator[str]:
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        for fault in check(Path(folder)):
            found += 1
            yield fault
    print(f"{count} delivered, {found} differences")


def _fuzz(seed: int, files: int, names: int, processes: int) -> Iterator[str]:
    print(f"seed {seed}", flush=True)
    whole = [Mutant(one.table, one.kind, one.content()) for one in every_sound()]
    with ProcessPoolExecutor(processes) as pool:
        cuts = _summed(pool.map(fuzz_cuts, [[mutant] for mutant in whole]))
        print(f"cut at every byte: {cuts}", flush=True)
        parts = pool.map(partial(fuzz_names, seed), _ranges(names))
        misnamed = [fault for part in parts for fault in part]
        print(f"names: {names} delivered, {len(misnamed)} discrepancies", flush=True)
        tally = _summed(pool.map(partial(fuzz, seed), _ranges(files)))
        print(f"mutated: {tally}", flush=True)
    yield from [*cuts.discrepancies, *misnamed, *tally.discrepancies]


def _ranges(count: int) -> list[range]:
    return [range(start, min(start + AT_ONCE, count)) for start in range(0, count, AT_ONCE)]


def _summed(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for number, tally in enumerate(tallies, start=1):
        total.add(tally)
        if number % 10 == 0:
            done = total.accepted.total() + total.refused.total()
            print(f"{done}, {len(total.discrepancies)} discrepancies", file=sys.stderr, flush=True)
    return total


def _sabotage(seed: int, processes: int) -> int:
    """Break the ledger in each way; how many ways nothing finds."""
    print(f"seed {seed}\n")
    print("| what is broken | corpus | texts and values | fuzzer, after |\n|---|--:|--:|--:|")
    unfound = 0
    with ProcessPoolExecutor(processes, max_tasks_per_child=1) as pool:
        results = pool.map(partial(found_by, seed), SABOTAGES)
        for name, found in zip(SABOTAGES, results, strict=True):
            cells = (name, found.corpus or NOTHING, found.exact or NOTHING, found.fuzzer)
            print(f"| {' | '.join(map(str, cells))} |", flush=True)
            unfound += not found
    print(f"\n{len(SABOTAGES)} ways to break it, {unfound} found by nothing")
    return min(unfound, 1)


if __name__ == "__main__":
    sys.exit(main())
