"""Death, a full disk and a broken one at every single change of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.faults.claim import check_ending
from tests.faults.generated import SMALL, deliver
from tests.faults.kills import OUT, look_and_complete, look_and_export, two_exports, write_files
from tests.faults.product import PRODUCT, Ended, Launcher, run
from tests.faults.reference import DATABASE, Arguments, Files, Reference, month_by_month
from tests.faults.strace import FEW_BYTES, Call, changes_within, is_within, read_calls, tracing
from tests.faults.trials import Tally

FAULTS = {
    "SIGKILL": "signal=SIGKILL:when={ordinal}",
    "ENOSPC": "error=ENOSPC:when={ordinal}",
    "ENOSPC from then on": "error=ENOSPC:when={ordinal}+",
    "EIO": "error=EIO:when={ordinal}",
    "EIO from then on": "error=EIO:when={ordinal}+",
}
LOG = "strace.log"
STDERR = 2


@dataclass(frozen=True)
class Scene:
    """A command and what it starts from.

    Attributes:
        name: of the scene.
        folder: of all its trials.
        launcher: what starts the command.
        known: what the ledger should hold.
        before: how many batches it holds already.
        data: the deliveries.
        files: of an export, those of before and the new ones; of an ingest, None.
    """

    name: str
    folder: Path
    launcher: Launcher
    known: Reference
    before: int
    data: Path
    files: tuple[Files, Files] | None = None

    def set_up(self, folder: Path) -> Arguments:
        """Put into a folder what the command starts from; give its arguments."""
        path = self.known.place(folder, self.before)
        if self.files is None:
            return ("ingest", "--data-dir", str(self.data), "--db", str(path))
        write_files(folder / OUT, self.files[0])
        return ("export", "--db", str(path), "--out-dir", str(folder / OUT))

    def changes(self) -> list[Call]:
        """What the command does to its files where nothing fails."""
        folder = self.folder / "undisturbed"
        folder.mkdir(parents=True)
        command = (*self.launcher, *self.set_up(folder))
        log = self.folder / LOG
        done = run((*tracing(log, FEW_BYTES), *command), folder)
        assert done.code == 0, done.err
        return changes_within(read_calls(log), folder)


@dataclass(frozen=True)
class Injection:
    """A fault at one call of a command.

    Attributes:
        scene: the command.
        call: the name of the call.
        ordinal: which call of this name.
        fault: a key of `FAULTS`.
    """

    scene: Scene
    call: str
    ordinal: int
    fault: str

    def run(self) -> Tally:
        """Inject it, look, and do it again."""
        tally = Tally()
        name = f"{self.call}-{self.ordinal}-{self.fault.replace(' ', '-')}"
        with tally.trial(self.scene.folder / name) as folder:
            arguments = self.scene.set_up(folder)
            log = folder / LOG
            fault = f"{self.call}:{FAULTS[self.fault].format(ordinal=self.ordinal)}"
            command = (*self.scene.launcher, *arguments)
            done = run((*tracing(log, FEW_BYTES, [fault]), *command), folder)
            failed = [call for call in read_calls(log) if call.injected]
            log.unlink()
            hit = done.killed or any(is_within(call, folder) for call in failed)
            tally.count("faults that hit", hit)
            tally.count(self.fault)
            tally.count(f"exit code {done.code}")
            # Where writing fails from then on, so does the message.
            silent = any(call.name == "write" and call.descriptor == STDERR for call in failed)
            check_ending(done, heard=not silent)
            self._look(done, folder / DATABASE, tally)
        return tally

    def _look(self, done: Ended, path: Path, tally: Tally) -> None:
        known, files = self.scene.known, self.scene.files
        if files is None:
            look_and_complete(done, path, self.scene.before, known, self.scene.data, tally)
        else:
            look_and_export(done, path, known, files, "csv", tally)


def scenes(folder: Path, launcher: Launcher = PRODUCT) -> Iterator[Scene]:
    """An ingest into a ledger, an ingest that makes one, and an export over an earlier one."""
    data = folder / "data"
    months = deliver(data, (SMALL, SMALL))
    known = month_by_month(folder / "known", data, months)
    yield Scene("ingest", folder / "ingest", launcher, known, 1, data)
    yield Scene("first ingest", folder / "first", launcher, known, 0, data)
    files = two_exports(known.ledgers[-1], folder, "csv")
    yield Scene("export", folder / "export", launcher, known, 2, data, files)


def injections(scene: Scene, every: int = 1) -> Iterator[Injection]:
    """Every fault at every call, or at every second, third, …"""
    for call in scene.changes()[::every]:
        for fault in FAULTS:
            yield Injection(scene, call.name, call.ordinal, fault)
