"""Runs trials and counts what became of them."""

from __future__ import annotations

import multiprocessing
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Protocol

from tests.faults.claim import Broken


@dataclass
class Tally:
    """What became of trials.

    Attributes:
        counts: how often what happened.
        broken: of each trial that broke the claim: which one, why, and the folder that shows it.
    """

    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def count(self, what: str, times: int = 1) -> None:
        """Count something; where it did not happen, as nought."""
        self.counts[what] += times

    @contextmanager
    def trial(self, folder: Path) -> Iterator[Path]:
        """A new folder for one trial, which stays where the claim was broken."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.count("trials")
        try:
            yield folder
        except Broken as broken:
            self.broken.append(f"{folder}: {broken}")
        else:
            shutil.rmtree(folder)


class Trial(Protocol):
    """Something to be tried; sent to another process."""

    def run(self) -> Tally:
        """Try it, and say what became of it."""


def processes(jobs: int) -> Executor:
    """What runs so many trials at a time, and many of them."""
    # Not by a fork, which copies a process with threads.
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"))


def run_all(trials: Iterable[Trial], executor: Executor) -> Tally:
    """Run trials, and sum up."""
    with executor as pool:
        return total(pool.map(_run, trials))


def _run(trial: Trial) -> Tally:
    return trial.run()


def total(tallies: Iterable[Tally]) -> Tally:
    """Sum up."""
    all_of_them = list(tallies)
    counts: Counter[str] = Counter()
    for tally in all_of_them:
        counts.update(tally.counts)
    return Tally(counts, list(chain.from_iterable(tally.broken for tally in all_of_them)))
