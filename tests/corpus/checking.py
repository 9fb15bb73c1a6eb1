"""Delivers what is malformed to a ledger, and says what is not refused as it must be."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from ledger import Ledger
from ledger.cli import main
from ledger.text import visible
from tests.commands import Ran, run_ledger
from tests.corpus.malformed import Malformed, Told, write_files
from tests.corpus.sound import INITIAL, MONTH
from tests.strategies import COLUMNS, small_file, write_data_folder

EXTRACT_MONTH = MONTH - 1

Runner = Callable[..., Ran]


def as_process(*arguments: object, cwd: Path) -> Ran:
    """Run the command line as a process of its own."""
    return run_ledger(*arguments, cwd=cwd)


def in_process(*arguments: object, cwd: Path) -> Ran:
    """Run the command line in this process, which is some hundred times faster."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


class Workshop:
    """Ledgers that stand where a malformed delivery would come next, and nothing changes them."""

    def __init__(self, folder: Path) -> None:
        """Make them in a folder."""
        self._folder = folder
        self._ledgers = {table: self._prepare(table, [table]) for table in COLUMNS}
        self._all = self._prepare("all", [])

    def _prepare(self, name: str, without: list[str]) -> Path:
        """A ledger with the extract of every table but some."""
        folder = self._folder / name
        files = [small_file(table, None, ["K1"]) for table in COLUMNS if table not in without]
        write_data_folder(folder / "data", files)
        ledger = Ledger(folder / "ledger.db")
        ledger.ingest(folder / "data", initial_month=str(EXTRACT_MONTH))
        shutil.rmtree(folder / "data")
        return ledger.path

    def ledger_for(self, delivery: Malformed) -> Path:
        """The ledger on which a delivery would follow if it were sound."""
        (table, *_) = [Path(name).stem for name in delivery.files]
        names = [*delivery.files]
        if len(names) == 1 and names[0] == f"{INITIAL}/{table}.csv" and table in self._ledgers:
            return self._ledgers[table]
        return self._all

    def complaints(self, delivery: Malformed, run: Runner) -> list[str]:
        """Deliver it; say all that is not as it must be."""
        path = self.ledger_for(delivery)
        before = path.read_bytes()
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            inbox = Path(name)
            paths = write_files(inbox, delivery.files)
            what = ["--data-dir", inbox] if delivery.as_folder else paths
            ran = run("ingest", "--json", "--db", path, *what, cwd=inbox)
            complaints = [*_differences(delivery, inbox, ran)]
        if path.read_bytes() != before:
            complaints.append("the ledger is another than before")
            path.write_bytes(before)
        left = [file.name for file in path.parent.iterdir() if file != path]
        if left:
            complaints.append(f"files were left beside the ledger: {left}")
        return complaints


@contextmanager
def workshop() -> Iterator[Workshop]:
    """A workshop in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Workshop(Path(folder))


def _differences(delivery: Malformed, inbox: Path, ran: Ran) -> Iterator[str]:
    if ran.code != delivery.exit_code:
        yield f"exit code {ran.code}, not {delivery.exit_code}"
    if delivery.exit_code == 2:
        if not ran.err:
            yield "nothing is said on standard error"
        return
    document = json.loads(ran.out)
    error = document["error"]
    if error is None or document["months"]:
        yield f"it was recorded: {document['months']}"
        return
    problems = error.get("problems", [])
    found = [_told(problem, inbox) for problem in problems]
    expected = [_with_file(told, delivery) for told in delivery.told]
    if (found[: len(expected)] if delivery.more else found) != expected:
        yield f"told {found}, not {expected}"
    if problems and delivery.says not in problems[0]["message"]:
        yield f"it does not say {delivery.says!r} but {problems[0]['message']!r}"
    for problem in problems:
        parts = (problem["path"], problem["line"], problem["column"])
        place = ":".join(str(part) for part in parts if part is not None)
        if f"{visible(place)}: {problem['code']}: " not in ran.err:
            yield f"standard error does not name the place {place!r}"


def _told(problem: dict[str, Any], inbox: Path) -> Told:
    path = Path(problem["path"])
    file = path.relative_to(inbox).as_posix() if path.is_relative_to(inbox) else str(path)
    return Told(problem["code"], problem["line"], problem["column"], file)


def _with_file(told: Told, delivery: Malformed) -> Told:
    (first, *_) = delivery.files
    return Told(told.code, told.line, told.column, told.file or first)
