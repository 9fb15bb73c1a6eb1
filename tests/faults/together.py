"""Several at once: two writers, and sixteen readers while a writer records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.faults.claim import MANIFEST, Broken, batches_of, check_ending, files_in
from tests.faults.generated import LARGE, SMALL, deliver
from tests.faults.product import PRODUCT, Ended, Launcher, ended, recording, run, started
from tests.faults.reference import (
    DATABASE,
    Arguments,
    Files,
    Reference,
    exported,
    month_by_month,
    reference,
)
from tests.faults.trials import Tally

BUSY = 4
READERS = 16
REPORT = "support_report.csv"
SMALL_MONTHS = (SMALL,) * 10
SPILLING_MONTHS = (SMALL, LARGE, SMALL, LARGE, SMALL)


@dataclass(frozen=True)
class TwoWriters:
    """Two commands that record in one ledger at the same time.

    Attributes:
        name: of the trial.
        folder: of all trials.
        writers: their arguments.
        before: how many batches the ledger holds already.
        orders: what it should hold, whichever of them comes first.
    """

    name: str
    folder: Path
    writers: tuple[Arguments, Arguments]
    before: int
    orders: tuple[Reference, ...]

    def run(self) -> Tally:
        """Start both, look, and start one after the other again."""
        tally = Tally()
        with tally.trial(self.folder / self.name) as folder:
            path = self.orders[0].place(folder, self.before)
            commands = [(*PRODUCT, "ingest", "--db", DATABASE, *each) for each in self.writers]
            with ExitStack() as running:
                processes = [running.enter_context(started(each, folder)) for each in commands]
                both = [ended(process) for process in processes]
            for done in both:
                tally.count(f"exit code {done.code}")
                check_ending(done)
            tally.count("both recorded", all(done.acknowledged for done in both))
            if BUSY not in [done.code for done in both]:
                self._complete(path)
            for command in commands:
                if run(command, folder).code != 0:
                    raise Broken("given again, the command fails")
            self._complete(path)
        return tally

    def _complete(self, path: Path) -> None:
        why = []
        for known in self.orders:
            try:
                if batches_of(path, known) == known.end:
                    return
                why.append("it is not complete")
            except Broken as broken:
                why.append(str(broken))
        raise Broken("; ".join(why))


Pair = tuple[str, tuple[Arguments, Arguments], int, tuple[Reference, ...]]


def two_writers(
    folder: Path, count: int, sizes: Sequence[int] = (SMALL, SMALL, LARGE, SMALL)
) -> Iterator[TwoWriters]:
    """So many pairs: of the same months; of the first ones; of two files of one month."""
    months = deliver(folder / "data", sizes)
    pairs = [make(folder, months) for make in (_same, _first, _different)[:count]]
    for number in range(count):
        name, writers, before, orders = pairs[number % len(pairs)]
        yield TwoWriters(f"{name}-{number}", folder / "pairs", writers, before, orders)


def _same(folder: Path, months: Sequence[str], before: int = 1) -> Pair:
    data = folder / "data"
    known = month_by_month(folder / f"known-{before}", data, months)
    same = ("--data-dir", str(data))
    return f"from-{before}", (same, same), before, (known,)


def _first(folder: Path, months: Sequence[str]) -> Pair:
    return _same(folder, months, before=0)


def _different(folder: Path, months: Sequence[str]) -> Pair:
    data, (first, second) = folder / "data", months[:2]
    agents, calls = (
        (str(data / f"delta/{table}_delta_{second}.csv"),) for table in ("agents", "interactions")
    )
    extract = ("--data-dir", str(data), "--months", first)
    orders = tuple(
        reference(folder / f"known-{name}", [extract, *order])
        for name, order in {"ab": (agents, calls), "ba": (calls, agents)}.items()
    )
    return "different", (agents, calls), 1, orders


@dataclass(frozen=True)
class ManyReaders:
    """Several readers, each reading again and again while a writer records several months.

    Attributes:
        name: of the trial.
        folder: of all trials.
        data: the deliveries.
        launcher: what starts the writer.
        known: what the ledger should hold.
        exports: what is exported after each number of batches.
        reports: the report after each.
        readers: how many.
    """

    name: str
    folder: Path
    data: Path
    launcher: Launcher
    known: Reference
    exports: tuple[Files, ...]
    reports: tuple[Files, ...]
    readers: int

    def run(self) -> Tally:
        """Record while others read, and look."""
        tally = Tally()
        with tally.trial(self.folder / self.name) as folder:
            path = self.known.place(folder, 1)
            command = (*self.launcher, "ingest", "--db", DATABASE, "--data-dir", str(self.data))
            with ThreadPoolExecutor(self.readers + 1) as pool:
                writer = pool.submit(run, command, folder)
                readers = [
                    pool.submit(self._read, folder, number, writer)
                    for number in range(self.readers)
                ]
                seen = [batches for reader in readers for batches in reader.result()]
            check_ending(writer.result())
            if writer.result().code != 0 or batches_of(path, self.known) != self.known.end:
                raise Broken(f"the writer failed: {writer.result().err}")
            tally.count("reads", len(seen))
            tally.count("reads in between", sum(1 < each < self.known.end for each in seen))
        return tally

    def _read(self, folder: Path, number: int, writer: Future[Ended]) -> list[int]:
        read = (self._status, self._export, self._report)[number % 3]
        seen = [read(folder, number)]
        while not writer.done():
            seen.append(read(folder, number))
        return seen

    def _status(self, folder: Path, _: int) -> int:
        done = _sound(("status", "--json"), folder)
        head = json.loads(done.out)["head"]
        if head not in self.known.heads:
            raise Broken(f"a reader saw an unknown head, {head}")
        return self.known.heads.index(head)

    def _export(self, folder: Path, number: int) -> int:
        out = folder / f"export-{number}"
        _sound(("export", "--out-dir", str(out)), folder)
        files = files_in(out)
        head = json.loads(files[MANIFEST])["head"]
        if files not in self.exports or self.known.heads.index(head) != self.exports.index(files):
            raise Broken(f"a reader exported what no batch gives, of head {head}")
        return self.exports.index(files)

    def _report(self, folder: Path, number: int) -> int:
        out = folder / f"report-{number}"
        _sound(("report", "--out-dir", str(out)), folder)
        files = files_in(out)
        if files not in self.reports:
            raise Broken(f"a reader reported what no batch gives: {files[REPORT][:200]!r}")
        return self.reports.index(files)


def _sound(arguments: Sequence[str], folder: Path) -> Ended:
    done = run((*PRODUCT, *arguments, "--db", DATABASE), folder)
    check_ending(done)
    if done.code != 0:
        raise Broken(f"a reader failed: exit code {done.code}: {done.err}")
    return done


def many_readers(
    folder: Path, sizes: Sequence[int], count: int, readers: int = READERS
) -> Iterator[ManyReaders]:
    """So many ingests of months of these sizes, all but the first while others read."""
    data = folder / "data"
    known = month_by_month(folder / "known", data, deliver(data, sizes))
    exports, reports = (_outputs(known, folder, command) for command in ("export", "report"))
    for number in range(count):
        where = (f"{number}", folder / "readers", data, recording(max(sizes)))
        yield ManyReaders(*where, known, exports, reports, readers)


def _outputs(known: Reference, folder: Path, command: str) -> tuple[Files, ...]:
    """The files that a command writes after each number of batches; none after none."""
    return tuple(
        exported(ledger, folder / f"{command}-{number}", command) if number else {}
        for number, ledger in enumerate(known.ledgers)
    )
