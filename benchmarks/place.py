"""What has to be there before anything is measured: deliveries, ledgers, scripts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.deliveries import Deliveries
from benchmarks.measure import Runner, Step

_KEPT = ("recorded.db", "projected.db", "grown", "grown.db", "lake")


@dataclass(frozen=True)
class Place:
    """The files for a number of events; each is made when it is first asked for.

    Attributes:
        wanted: what is delivered.
        deliveries: the folder in which data folders are kept from one run to the next.
        work: the folder for all else.
        runner: runs the commands that make them.
        python: the interpreter of the ledger.
        ledgers: a folder in which `l<rows>.db` may be there already, with the same deliveries.
    """

    wanted: Deliveries
    deliveries: Path
    work: Path
    runner: Runner
    python: str
    ledgers: Path | None = None

    @property
    def months(self) -> list[str]:
        """The months: that of the extract, those of the deltas."""
        return [str(month.number) for month in self.wanted.schedule()[:-1]]

    @property
    def key(self) -> str:
        """A key of the extract."""
        return self.wanted.key_of()(self.wanted.rows // 4)

    @cached_property
    def data(self) -> Path:
        """The data folder, with the month after the last in `next`."""
        given = self.wanted
        name = f"{given.rows}-{given.months}-{given.seed}-{given.keys}-{given.next_rows}"
        folder, draft = self.deliveries / name, self.deliveries / f"{name}.draft"
        if not folder.exists():
            shutil.rmtree(draft, ignore_errors=True)
            self._python(
                *("-m", "benchmarks.deliveries", "--rows", str(given.rows)),
                *("--months", str(given.months), "--seed", str(given.seed)),
                *("--keys", given.keys, "--next", "--next-rows", str(given.next_rows), str(draft)),
            )
            draft.rename(folder)
        return folder

    @cached_property
    def grown(self) -> Path:
        """A data folder with the month after the last among the others."""
        folder = self.fresh("grown")
        for kind in ("initial", "delta"):
            (folder / kind).mkdir(parents=True)
            for part in (self.data, self.data / "next"):
                for path in (part / kind).glob("*.csv"):
                    (folder / kind / path.name).symlink_to(path)
        return folder

    @cached_property
    def recorded(self) -> Path:
        """A ledger with all deliveries, without a projection."""
        if self.ledgers and (there := self.ledgers / f"l{self.wanted.rows}.db").exists():
            return there
        path = self.fresh("recorded.db")
        self._python("-m", "ledger", "ingest", "--data-dir", str(self.data), "--db", str(path))
        return path

    @cached_property
    def projected(self) -> Path:
        """The same with the projection of the last month."""
        path = self.copy(self.recorded, "projected.db")
        self._python("-m", "ledger", "project", "--db", str(path))
        return path

    @cached_property
    def grown_ledger(self) -> Path:
        """A ledger with the month after the last too. One of other deliveries is refused."""
        path = self.copy(self.recorded, "grown.db")
        self._python("-m", "ledger", "ingest", "--data-dir", str(self.grown), "--db", str(path))
        return path

    @cached_property
    def lake(self) -> Path:
        """A lake with all deliveries."""
        path = self.fresh("lake")
        self._python("-m", "ledger", "publish", str(path), "--db", str(self.recorded))
        return path

    def script(self, what: str, *paths: Path) -> Path:
        """A script for the `sqlite3` shell; see `benchmarks.peers.shell`."""
        folder = self.work / f"shell-{what}"
        script = folder / f"{what}.sql"
        if not script.exists():
            self._python("-m", "benchmarks.peers.shell", what, *map(str, paths), str(folder))
        return script

    def copy(self, source: Path, name: str) -> Path:
        """A copy of a file, on disk, so that nobody who syncs afterwards pays for it."""
        path = self.fresh(name)
        shutil.copyfile(source, path)
        _sync(path)
        return path

    def copy_folder(self, source: Path, name: str) -> Path:
        """A copy of a folder, on disk likewise."""
        path = self.fresh(name)
        shutil.copytree(source, path)
        for file in path.rglob("*"):
            if file.is_file():
                _sync(file)
        return path

    def fresh(self, name: str) -> Path:
        """A name in the work folder at which nothing is any more."""
        path = self.work / name
        if path.is_dir():
            shutil.rmtree(path)
        for file in (path, *(path.with_name(f"{name}{end}") for end in ("-journal", "-wal"))):
            file.unlink(missing_ok=True)
        return path

    def clearing(self, *names: str) -> Callable[[], None]:
        """What clears some names, before each run."""

        def clear() -> None:
            for name in names:
                self.fresh(name)

        return clear

    def tidy(self) -> None:
        """Remove what one measure left behind and no other one needs."""
        for path in list(self.work.iterdir()):
            if path.name not in _KEPT and not path.name.startswith("shell-"):
                self.fresh(path.name)

    def _python(self, *arguments: str) -> None:
        self.runner.run(Step("prepare", (self.python, *arguments)))


def _sync(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
