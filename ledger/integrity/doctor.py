"""Examines all that the ledger needs: what is installed, and the ledger's file.

Of a ledger it reads the records, and no event: `verify` reads these.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ledger.errors import LedgerError, NoLedger, StorageFailed, VerificationFailed, WrongUsage
from ledger.extras import EXTRAS, Extra
from ledger.integrity.chain import links
from ledger.integrity.checks.chain import check_tags
from ledger.integrity.checks.records import check_records
from ledger.integrity.checks.schema import check_schema
from ledger.integrity.ledger_target import LedgerTarget
from ledger.model.dataset import Column, DataSet
from ledger.model.presentation import Part, plain
from ledger.model.tabular import Tabular
from ledger.replay.replay import stored_edition
from ledger.store.database import OLDEST_SQLITE, SQLITE_VERSION
from ledger.store.event_store import Store
from ledger.store.journal import JOURNAL, beside
from ledger.text import counted, listed
from ledger.version import __version__

DISTRIBUTION = "month-ledger"
SHOWN = "üŁ…−±→│█✓"
"""Characters of all sorts that the commands print, names in a delivery among them."""


class State(StrEnum):
    """The state of a component: as it should be, worth a note, or a reason not to work."""

    GOOD = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Examined:
    """A component that was examined.

    Attributes:
        what: the component.
        state: of the component.
        found: what was found, in words.
        advice: what to do; None if nothing needs to be done.
    """

    what: str
    state: State
    found: str
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Whether everything that the ledger needs is available.

    Attributes:
        examined: everything that was examined, in order.
        error: the error of a command that needs the first component that is wrong, or None.
    """

    examined: tuple[Examined, ...]
    error: LedgerError | None

    def to_dict(self) -> dict[str, Any]:
        """Whether nothing is wrong, and everything that was examined."""
        return {"healthy": self.error is None, "examined": plain(self.examined)}

    def tabular(self) -> Tabular:
        """A row for each component that was examined."""
        rows = [(one.what, one.state.value, one.found) for one in self.examined]
        return Tabular("diagnosis", _COLUMNS, rows, "what")

    def parts(self) -> Iterator[Part]:
        """Everything that was examined, and what to do."""
        yield self.tabular()
        for one in self.examined:
            if one.advice:
                yield f"{one.what}: {one.advice}"


_COLUMNS = (
    Column("what", "What was examined."),
    Column("state", "Whether it is ok, worth a note, or wrong."),
    Column("found", "What was found."),
)


def diagnose(
    path: Path,
    dataset: DataSet,
    encoding: str | None,
    recover: Callable[[], Sequence[Path]] | None = None,
) -> Diagnosis:
    """Examine what is installed, and a ledger.

    Args:
        path: of the ledger, which need not exist.
        dataset: its description.
        encoding: of the terminal; None leaves that out.
        recover: recovers the ledger before it is examined, and gives the files for which that was
            needed; None leaves it as it is.
    """
    examined: list[Examined] = []
    errors = []
    for what, results in (
        ("installation", _installation()),
        ("terminal", _terminal(encoding)),
        ("ledger", _ledger(path, dataset, recover)),
    ):
        try:
            examined.extend(results)
        except NoLedger:
            advice = f"an empty data folder: ledger init; then: ledger ingest --db {path}"
            examined.append(Examined("ledger", State.NOTE, f"there is none at {path}", advice))
        except LedgerError as error:
            errors.append(error)
            examined.append(Examined(what, State.WRONG, str(error)))
    return Diagnosis(tuple(examined), errors[0] if errors else None)


def _installation() -> Iterator[Examined]:
    yield Examined(DISTRIBUTION, State.GOOD, __version__)
    yield Examined("Python", State.GOOD, f"{platform.python_version()}, {platform.system()}")
    yield _sqlite()
    versions = _versions()
    for extra in EXTRAS.values():
        yield _extra(extra, versions)
    yield _packages()


def _sqlite() -> Examined:
    found = ".".join(map(str, SQLITE_VERSION))
    if SQLITE_VERSION >= OLDEST_SQLITE:
        return Examined("SQLite", State.GOOD, found)
    needed = ".".join(map(str, OLDEST_SQLITE))
    advice = f"to make a new ledger takes {needed} or later; use a newer Python"
    return Examined("SQLite", State.NOTE, found, advice)


def _packages() -> Examined:
    """The packages without which nothing works.

    Raises:
        WrongUsage: one is missing.
    """
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        found = "those needed are unknown, as the ledger was not installed by pip"
        return Examined("packages", State.NOTE, found, "in the checkout: pip install .")
    names = [re.split(r"[^\w.-]", line)[0] for line in lines if "extra ==" not in line]
    installed, missing = [], []
    for name in names:
        try:
            installed.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        raise WrongUsage(
            f"packages that the ledger needs are not installed: {listed(missing)}; "
            f"install with: pip install {' '.join(missing)}"
        )
    return Examined("packages", State.GOOD, ", ".join(installed))


def _versions() -> dict[str, str]:
    """The versions of all packages, by the names under which they are imported."""
    return {
        package: f"{package} {metadata.version(distributions[0])}"
        for package, distributions in metadata.packages_distributions().items()
    }


def _extra(extra: Extra, versions: dict[str, str]) -> Examined:
    what = f"extra {extra.name}"
    missing = [package for package in extra.packages if find_spec(package) is None]
    if missing:
        found = f"not installed: {', '.join(missing)}"
        commands = " and ".join(f"`ledger {command}`" for command in extra.commands)
        return Examined(what, State.NOTE, found, f"for {commands}: {extra.install}")
    found = ", ".join(versions.get(package, package) for package in extra.packages)
    return Examined(what, State.GOOD, found)


def _terminal(encoding: str | None) -> Iterator[Examined]:
    """Whether the terminal shows every character, or some as an escape."""
    if encoding is None:
        return
    try:
        SHOWN.encode(encoding)
    except UnicodeEncodeError:
        found = f"{encoding}, which lacks characters; they are shown as escapes like \\u2026"
        advice = "choose a locale of UTF-8, or set PYTHONUTF8=1; files are written in full"
        yield Examined("terminal", State.NOTE, found, advice)
    else:
        yield Examined("terminal", State.GOOD, encoding)


def _ledger(
    path: Path, dataset: DataSet, recover: Callable[[], Sequence[Path]] | None
) -> Iterator[Examined]:
    """Examine a ledger.

    Raises:
        LedgerError: the ledger cannot be recovered or read, or is not as it was recorded.
    """
    if recover:
        left = recover()
        found = "nothing to recover"
        if left:
            found = f"{listed(left)} is recovered, after a copy on which that was done verified"
        yield Examined("recovery", State.GOOD, found)
    with Store.for_reading(path) as store, store.snapshot():
        size = path.stat().st_size
        yield Examined("ledger", State.GOOD, f"{path}, version {store.version}, {size:,} bytes")
        for fault in check_schema(store):
            raise _not_as_recorded(path, str(fault))
        yield Examined("schema", State.GOOD, "as it should be")
        target = LedgerTarget(store, dataset)
        target.load()
        yield _records(target)
        if target.batches:
            yield _projection(store)
    yield from _surroundings(path, size)


def _records(target: LedgerTarget) -> Examined:
    """Check the records against their digests, which bind the events too.

    Raises:
        VerificationFailed: they do not agree.
    """
    path, batches = target.store.path, target.batches
    for fault in (*check_records(target), *check_tags(target)):
        raise _not_as_recorded(path, str(fault))
    for link in links(target):
        if not (link.leads_to_head(link.batch.root) and link.leads_to_seal):
            message = f"batch {link.batch.batch}: its head is not that of its record"
            raise _not_as_recorded(path, message)
    if not batches:
        return Examined("records", State.NOTE, "nothing is recorded", "start with: ledger ingest")
    last = batches[-1]
    counts = (
        f"{counted(len(batches), 'batch', 'batches')}, {counted(target.recorded_events, 'event')}"
    )
    found = f"{counts}; the last of {last.month}, head {last.head[:12]}"
    return Examined(
        "records", State.GOOD, found, f"to verify every event: ledger verify --db {path}"
    )


def _not_as_recorded(path: Path, message: str) -> VerificationFailed:
    return VerificationFailed(
        f"{path} is not as it was recorded: {message}; see: ledger verify --db {path}"
    )


def _projection(store: Store) -> Examined:
    records = store.records()
    stored = stored_edition(store, records)
    if stored is None:
        found = "none is stored; reports replay the events each time"
        return Examined("projection", State.NOTE, found, "to store one: ledger project")
    found = f"as of {stored.as_of}, batch {stored.batch}"
    if not records.effective() or stored == records.edition():
        return Examined("projection", State.GOOD, found)
    found += "; more is recorded, or another month was chosen"
    return Examined("projection", State.NOTE, found, "to renew it: ledger project")


def _surroundings(path: Path, size: int) -> Iterator[Examined]:
    """Examine the folder of the ledger: whether it can be written, and the free space."""
    folder = path.absolute().parent
    journal = beside(path, JOURNAL)
    if journal.exists():
        advice = "nothing: the ledger can be read beside it"
        found = f"{journal} exists: another process is recording, or the journal is empty"
        yield Examined("journal", State.NOTE, found, advice)
    if os.access(path, os.W_OK) and os.access(folder, os.W_OK):
        yield Examined("writing", State.GOOD, "the ledger and its folder can be written")
    else:
        advice = "recording needs write access to both; everything else works"
        yield Examined("writing", State.NOTE, "the ledger or its folder is read-only", advice)
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise StorageFailed(f"{folder} cannot be read: {error.strerror}") from error
    found = f"{free:,} bytes free"
    if free < size:
        yield Examined("disk", State.NOTE, found, "make room: a copy of the ledger takes more")
    else:
        yield Examined("disk", State.GOOD, found)
