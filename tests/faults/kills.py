"""`kill -9` at a random moment of an ingest or an export."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger import Ledger, LedgerError
from tests.faults.claim import (
    Broken,
    batches_of,
    check_ending,
    check_export,
    check_recorded,
    drafts_in,
    is_hot,
    none_alike,
)
from tests.faults.generated import LARGE, SMALL, deliver
from tests.faults.product import (
    PRODUCT,
    Ended,
    Launcher,
    Pace,
    ended,
    pace,
    recording,
    started,
    wait_for_change,
)
from tests.faults.reference import (
    DATABASE,
    Arguments,
    Files,
    Reference,
    exported,
    month_by_month,
)
from tests.faults.trials import Tally

INGESTS = {
    "small": (1, (SMALL,) * 4),
    "large": (1, (SMALL, LARGE, SMALL)),
    "first": (0, (SMALL, SMALL)),
}
"""By name, how many batches the ledger holds already, and the interactions of each month."""
EXPORTED = (SMALL, 5_000)
FORMATS = ("csv", "json", "parquet")
OUT = "output"
COMPLETED = Ended(0, "", "")


def killed(
    command: Arguments, folder: Path, watched: Path, moment: tuple[bool, float], pace: Pace
) -> Ended:
    """Start a command and kill it.

    Args:
        command: with its arguments.
        folder: to run it in.
        watched: the folder that it changes.
        moment: whether to count from its first change of the folder on or from its start; and
            when, as a share of the time that it takes from there.
        pace: how long it takes.
    """
    changing, share = moment
    with started(command, folder) as process:
        if changing:
            wait_for_change(process, watched)
        _kill_after(process, share * (pace.changing if changing else pace.whole))
        return ended(process)


def _kill_after(process: subprocess.Popen[str], seconds: float) -> None:
    time.sleep(seconds)
    process.kill()


def draw_moment(draw: random.Random) -> tuple[bool, float]:
    """A moment of the whole run, or of the part that changes something; rarely after its end."""
    return draw.random() < 0.7, draw.uniform(0, 1.05)


@dataclass(frozen=True)
class KilledIngest:
    """An ingest that is killed.

    Attributes:
        name: of the trial, and of its folder.
        folder: of all trials.
        launcher: what starts the command.
        before: how many batches the ledger holds already.
        known: what it should hold.
        data: the deliveries.
        moment: when to kill it; see `killed`.
        pace: how long it takes.
    """

    name: str
    folder: Path
    launcher: Launcher
    before: int
    known: Reference
    data: Path
    moment: tuple[bool, float]
    pace: Pace

    def run(self) -> Tally:
        """Kill it, look, and do it again."""
        tally = Tally()
        with tally.trial(self.folder / self.name) as folder:
            path = self.known.place(folder, self.before)
            command = (*self.launcher, "ingest", "--db", DATABASE, "--data-dir", str(self.data))
            done = killed(command, folder, folder, self.moment, self.pace)
            tally.count("killed in time", done.killed)
            check_ending(done)
            tally.count("acknowledged", done.acknowledged is not None)
            tally.count("hot journals", is_hot(path))
            look_and_complete(done, path, self.before, self.known, self.data, tally)
        return tally


def look_and_complete(
    done: Ended, path: Path, before: int, known: Reference, data: Path, tally: Tally
) -> None:
    """Hold a ledger to the claim after something happened to an ingest, and do that again.

    A reader looks at a copy, so that it is the next writer that has to undo what was not finished.
    """
    seen = path.parent / "seen"
    seen.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        shutil.copyfile(file, seen / file.name)
    batches = batches_of(seen / path.name, known)
    check_recorded(done, batches, before, known)
    tally.count("ended before", batches == before)
    tally.count("ended between", before < batches < known.end)
    tally.count("ended behind", batches == known.end)
    tally.count("durable, not acknowledged", batches > before and done.acknowledged is None)
    tally.count("drafts left", drafts_in(path.parent))
    done_again(lambda: Ledger(path).ingest(data))
    if batches_of(path, known) != known.end:
        raise Broken("done again, it is not complete")
    tally.count("drafts left after the next run", drafts_in(path.parent))


def done_again(what: Callable[[], object]) -> None:
    """Do again what something happened to; in this process, for a new one takes its time."""
    try:
        what()
    except LedgerError as error:
        raise Broken(f"again: {error}") from error


def killed_ingests(
    folder: Path, count: int, seed: str, chosen: Launcher | None = None, *names: str
) -> Iterator[KilledIngest]:
    """So many ingests to be killed, evenly of each kind or of those named."""
    kinds = names or tuple(INGESTS)
    for kind, name in enumerate(kinds):
        before, sizes = INGESTS[name]
        launcher = chosen or recording(max(sizes))
        data = folder / name / "data"
        months = deliver(data, sizes)
        known = month_by_month(folder / name / "known", data, months)
        undisturbed = folder / name / "pace"
        undisturbed.mkdir()
        known.place(undisturbed, before)
        command = (*launcher, "ingest", "--db", DATABASE, "--data-dir", str(data))
        time_taken = pace(command, undisturbed, undisturbed)
        for number in range(kind, count, len(kinds)):
            moment = draw_moment(random.Random(f"{seed} ingest {number}"))
            yield KilledIngest(
                *(f"{number}", folder / name, launcher, before, known, data, moment, time_taken)
            )


@dataclass(frozen=True)
class KilledExport:
    """An export over an earlier one that is killed.

    Attributes:
        name: of the trial, and of its folder.
        folder: of all trials.
        launcher: what starts the command.
        known: the ledger.
        format: of the files.
        old: the files of before.
        new: those that it should write.
        moment: when to kill it; see `killed`.
        pace: how long it takes.
    """

    name: str
    folder: Path
    launcher: Launcher
    known: Reference
    format: str
    old: Files
    new: Files
    moment: tuple[bool, float]
    pace: Pace

    def run(self) -> Tally:
        """Kill it, look, and do it again."""
        tally = Tally()
        with tally.trial(self.folder / self.name) as folder:
            path = self.known.place(folder, self.known.end)
            out = folder / OUT
            write_files(out, self.old)
            command = (*self.launcher, "export", "--db", DATABASE, "--format", self.format)
            done = killed(command, folder, out, self.moment, self.pace)
            tally.count("killed in time", done.killed)
            check_ending(done)
            look_and_export(done, path, self.known, (self.old, self.new), self.format, tally)
        return tally


def look_and_export(
    done: Ended,
    path: Path,
    known: Reference,
    files: tuple[Files, Files],
    format: str,
    tally: Tally,
) -> None:
    """Hold exported files to the claim after something happened to an export; do that again."""
    old, new = files
    out = path.parent / OUT
    fresh = check_export(done, out, old, new)
    tally.count("ended before", fresh == 0)
    tally.count("ended between", 0 < fresh < len(new))
    tally.count("ended behind", fresh == len(new))
    tally.count("drafts left", drafts_in(out, path.parent))
    if batches_of(path, known) != known.end:
        raise Broken("the export changed the ledger")
    done_again(lambda: Ledger(path).at().export(out, format=format))
    check_export(COMPLETED, out, old, new)
    tally.count("drafts left after the next run", drafts_in(out, path.parent))


def write_files(folder: Path, files: Files) -> None:
    """Write files into a new folder."""
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def two_exports(ledger: Path, folder: Path, format: str) -> tuple[Files, Files]:
    """What an export as of the first month gives, and one as of the last: no file is the same."""
    command = ("export", "--format", format)
    old = exported(ledger, folder / f"old-{format}", *command, "--as-of", "202501")
    new = exported(ledger, folder / f"new-{format}", *command)
    assert none_alike(old, new)
    return old, new


def killed_exports(
    folder: Path,
    count: int,
    seed: str,
    launcher: Launcher = PRODUCT,
    sizes: tuple[int, ...] = EXPORTED,
    formats: Arguments = FORMATS,
) -> Iterator[KilledExport]:
    """So many exports to be killed, evenly of each format."""
    data = folder / "data"
    known = month_by_month(folder / "known", data, deliver(data, sizes))
    for kind, format in enumerate(formats):
        old, new = two_exports(known.ledgers[-1], folder, format)
        undisturbed = folder / "pace" / format
        undisturbed.mkdir(parents=True)
        write_files(undisturbed / OUT, old)
        path = known.place(undisturbed, known.end)
        command = (*launcher, "export", "--db", str(path), "--format", format)
        time_taken = pace(command, undisturbed, undisturbed / OUT)
        for number in range(kind, count, len(formats)):
            moment = draw_moment(random.Random(f"{seed} export {number}"))
            yield KilledExport(
                f"{number}", folder, launcher, known, format, old, new, moment, time_taken
            )
