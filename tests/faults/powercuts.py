"""Power cuts: what was written is recorded, and put together as a disk may hold it after a cut."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger import Ledger
from tests.faults.claim import Broken, batches_of, check_export, is_hot
from tests.faults.disk import Disk
from tests.faults.generated import LARGE, SMALL, deliver
from tests.faults.kills import COMPLETED, OUT, done_again, two_exports, write_files
from tests.faults.product import PRODUCT, Ended, Launcher, recording, run
from tests.faults.reference import DATABASE, Files, Reference, month_by_month
from tests.faults.strace import ALL_BYTES, is_within, read_calls, tracing
from tests.faults.trials import Tally

MONTHS = (SMALL, SMALL, LARGE, SMALL)
"""The first makes the ledger, the third is more than SQLite's cache holds."""
AFTER_THE_END = 0.2
"""How often the power is cut when a command has said that it is done."""
LOG = "strace.log"
CUTS_AT_ONCE = 50

CUT_OFF = Ended(-9, "", "")


@dataclass(frozen=True)
class Recording:
    """What a command did to its files.

    Attributes:
        start: a folder as it was before.
        folder: where that was when the command ran.
        log: what strace wrote.
        acknowledged_at: at how many calls it had said that it is done.
    """

    start: Path
    folder: Path
    log: Path
    acknowledged_at: int

    def moments(self, draw: random.Random, count: int) -> Counter[int]:
        """At how many calls to cut the power, and how often there."""
        calls = sum(1 for _ in read_calls(self.log))
        relevant = [
            number
            for number, call in enumerate(read_calls(self.log), start=1)
            if call.changes and is_within(call, self.folder)
        ]
        return Counter(
            calls if draw.random() < AFTER_THE_END else draw.choice(relevant) for _ in range(count)
        )


def record(command: tuple[str, ...], folder: Path, kept: Path, said: bytes) -> Recording:
    """Run a command under strace.

    Args:
        command: with its arguments.
        folder: that it changes.
        kept: where to keep how the folder was, and the log.
        said: how the line begins by which it says that it is done.
    """
    shutil.copytree(folder, kept / "start")
    log = kept / LOG
    done = run((*tracing(log, ALL_BYTES), *command), folder)
    assert done.code == 0, done.err
    acknowledged = [
        number
        for number, call in enumerate(read_calls(log), start=1)
        if call.name == "write" and call.descriptor == 1 and call.data.startswith(said)
    ]
    return Recording(kept / "start", folder, log, acknowledged[-1])


@dataclass(frozen=True)
class CutIngest:
    """Power cuts during one ingest.

    Attributes:
        name: of the trials, and of their folder.
        folder: of all trials.
        recording: of the ingest.
        before: how many batches were recorded before it; it records one.
        known: what the ledger should hold.
        data: the deliveries.
        seed: what to draw from.
        count: how many cuts.
    """

    name: str
    folder: Path
    recording: Recording
    before: int
    known: Reference
    data: Path
    seed: str
    count: int

    def run(self) -> Tally:
        """Cut the power, look, and do it again."""
        tally, draw = Tally(), random.Random(self.seed)
        for number, (said, files) in enumerate(cuts(self.recording, draw, self.count)):
            with tally.trial(self.folder / f"{self.name}-{number}") as folder:
                lay_out(files, self.recording.folder, folder)
                path = folder / DATABASE
                tally.count("acknowledged", said)
                tally.count("hot journals", is_hot(path))
                self._look(path, said, tally)
        return tally

    def _look(self, path: Path, said: bool, tally: Tally) -> None:
        batches = batches_of(path, self.known)
        least = self.before + said
        if batches < least:
            tally.count("losses")
            raise Broken(f"a loss: {least} batches were acknowledged, {batches} are there")
        tally.count("ended before", batches == self.before)
        tally.count("ended behind", batches == self.before + 1)
        month = self.known.steps[self.before][-1]
        done_again(lambda: Ledger(path).ingest(self.data, months=[month]))
        if batches_of(path, self.known) != self.before + 1:
            raise Broken("done again, it is not complete")


@dataclass(frozen=True)
class CutExport:
    """Power cuts during one export over an earlier one.

    Attributes:
        name: of the trials, and of their folder.
        folder: of all trials.
        recording: of the export.
        old: the files of before.
        new: those that it writes.
        seed: what to draw from.
        count: how many cuts.
    """

    name: str
    folder: Path
    recording: Recording
    old: Files
    new: Files
    seed: str
    count: int

    def run(self) -> Tally:
        """Cut the power, and look."""
        tally, draw = Tally(), random.Random(self.seed)
        for number, (said, files) in enumerate(cuts(self.recording, draw, self.count)):
            with tally.trial(self.folder / f"{self.name}-{number}") as folder:
                lay_out(files, self.recording.folder, folder)
                tally.count("acknowledged", said)
                done = COMPLETED if said else CUT_OFF
                fresh = check_export(done, folder / OUT, self.old, self.new, in_order=False)
                tally.count("ended before", fresh == 0)
                tally.count("ended between", 0 < fresh < len(self.new))
                tally.count("ended behind", fresh == len(self.new))
        return tally


def cuts(
    recording: Recording, draw: random.Random, count: int
) -> Iterator[tuple[bool, dict[str, bytes]]]:
    """So many disks, and whether the command had said by then that it was done."""
    moments = recording.moments(draw, count)
    disk = Disk(recording.start, recording.folder)
    for number, call in enumerate(read_calls(recording.log), start=1):
        disk.take(call)
        for _ in range(moments[number]):
            yield number >= recording.acknowledged_at, disk.after_a_cut(draw)


def lay_out(files: dict[str, bytes], was: Path, folder: Path) -> None:
    """Write the files of a disk into another folder."""
    for path, content in files.items():
        place = folder / os.path.relpath(path, was)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def cut_ingests(
    folder: Path,
    count: int,
    seed: str,
    chosen: Launcher | None = None,
    sizes: tuple[int, ...] = MONTHS,
) -> Iterator[CutIngest]:
    """So many power cuts, evenly in the ingest of each month."""
    data = folder / "data"
    months = deliver(data, sizes)
    known = month_by_month(folder / "known", data, months)
    life = folder / "life"
    life.mkdir()
    for before, month in enumerate(months):
        path = life / DATABASE
        arguments = ("ingest", "--db", str(path), "--data-dir", str(data), "--months", month)
        kept = folder / f"recording-{month}"
        kept.mkdir()
        launcher = chosen or recording(sizes[before])
        recorded = record((*launcher, *arguments), life, kept, b"receipt ")
        for number in range(before * CUTS_AT_ONCE, count, len(months) * CUTS_AT_ONCE):
            size = min(CUTS_AT_ONCE, count - number)
            name, drawn = f"{month}-{number}", f"{seed} cut {number}"
            yield CutIngest(name, folder / "cuts", recorded, before, known, data, drawn, size)


def cut_exports(
    folder: Path, count: int, seed: str, launcher: Launcher = PRODUCT
) -> Iterator[CutExport]:
    """So many power cuts in an export over an earlier one."""
    data = folder / "data"
    known = month_by_month(folder / "known", data, deliver(data, (SMALL, SMALL)))
    old, new = two_exports(known.ledgers[-1], folder, "csv")
    life = folder / "life"
    write_files(life, {})
    write_files(life / OUT, old)
    arguments = ("export", "--db", str(known.ledgers[-1]), "--out-dir", str(life / OUT))
    kept = folder / "recording"
    kept.mkdir()
    recorded = record((*launcher, *arguments), life, kept, b"file ")
    for number in range(0, count, CUTS_AT_ONCE):
        size = min(CUTS_AT_ONCE, count - number)
        drawn = f"{seed} cut export {number}"
        yield CutExport(f"{number}", folder / "cuts", recorded, old, new, drawn, size)
