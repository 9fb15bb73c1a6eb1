"""The claim, and what breaks it.

Whatever happened to a command:

- the ledger is sound and holds the batches of before, or further whole ones, and no part of any;
- every batch that was acknowledged is there; what was said not to be recorded is not;
- the command given again completes it, with the same head as without the fault;
- an exported file is the one from before or the new one, whole; the manifest is the last to change;
- the exit code is a documented one, and there is no traceback.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from ledger import Ledger, LedgerError, RecoveryNeeded
from tests.faults.product import Ended
from tests.faults.reference import Files, Reference, contents

MANIFEST = "datapackage.json"
DRAFTS = ".*draft-*"
DOCUMENTED = {0, 4, 5, 130, -9}


class Broken(Exception):
    """The claim does not hold."""


def batches_of(path: Path, known: Reference) -> int:
    """Open a ledger as its readers do, and give how many batches it holds, all of them whole.

    Where a hot journal lies beside it, its readers must refuse it; it is then recovered.
    """
    if not path.exists():
        return 0
    try:
        if is_hot(path):
            _check_refused(path)
        head = Ledger(path).status().head
        with closing(sqlite3.connect(path)) as connection:
            _check_whole(connection)
            found = contents(connection)
    except (LedgerError, sqlite3.Error) as error:
        raise Broken(f"the ledger cannot be read: {error}") from error
    if head not in known.heads:
        raise Broken(f"an unknown head, {head}")
    batches = known.heads.index(head)
    if found != known.contents[batches]:
        raise Broken(f"a head of {batches} batches, and the contents of something else")
    return batches


def is_hot(path: Path) -> bool:
    """Whether a journal that has to be rolled back lies beside a ledger that nobody writes."""
    journal = path.with_name(f"{path.name}-journal")
    return journal.exists() and any(journal.read_bytes()[:1])


def _check_refused(path: Path) -> None:
    try:
        Ledger(path).status()
    except RecoveryNeeded:
        if not is_hot(path):
            raise Broken("a reader acted on a hot journal") from None
    else:
        raise Broken("a reader did not refuse a hot journal")
    # Whoever opens the file to write recovers it.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM batches")


def _check_whole(connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA integrity_check").fetchall()
    if found != [("ok",)]:
        raise Broken(f"the ledger is damaged: {found[:3]}")
    _check_counts(connection)


def _check_counts(connection: sqlite3.Connection) -> None:
    files = connection.execute("SELECT file, table_name, rows FROM files").fetchall()
    recorded = {(file, table): rows for file, table, rows in files if rows}
    counted = {
        (file, table): rows
        for file, table, rows in connection.execute(
            "SELECT file, table_name, count(*) FROM events GROUP BY file, table_name"
        )
    }
    if counted != recorded:
        raise Broken(f"files and events differ: {recorded} recorded, {counted} there")
    sums = "SELECT b.batch FROM batches b JOIN files f USING (batch) GROUP BY b.batch, b.events "
    wrong = connection.execute(f"{sums} HAVING b.events <> sum(f.rows)").fetchall()
    if wrong:
        raise Broken(f"batches and files differ: {wrong}")


def check_ending(done: Ended, *, heard: bool = True) -> None:
    """Hold the way in which a command ended to what is documented.

    Args:
        done: how it ended.
        heard: whether it could say anything.
    """
    if "Traceback" in done.err:
        raise Broken(f"a traceback: {done.err}")
    if done.code not in DOCUMENTED:
        raise Broken(f"exit code {done.code}: {done.err}")
    if heard and done.code in (4, 5) and "Error: " not in done.err:
        raise Broken(f"exit code {done.code} without a message: {done.err}")


def check_recorded(done: Ended, batches: int, before: int, known: Reference) -> None:
    """Hold what an ingest said to what is there.

    Args:
        done: how it ended, with all that it was to record unless it says otherwise.
        batches: how many batches are there.
        before: how many were there.
        known: what they should be.
    """
    promised = known.heads.index(done.acknowledged) if done.acknowledged else before
    if done.code == 0 and promised != known.end:
        raise Broken(f"exit code 0 and {promised} of {known.end} batches acknowledged")
    if batches < promised:
        raise Broken(f"a loss: {promised} batches were acknowledged, {batches} are there")
    if batches > promised and re.search("nothing (more )?was recorded", done.err):
        raise Broken(f"{batches - promised} batches recorded, and: {done.err}")
    # A commit that failed and took place is acknowledged like any other.
    if "recorded all the same" in done.err and not before < batches == promised:
        raise Broken(f"{batches - promised} batches recorded and not acknowledged, and: {done.err}")


def check_export(
    done: Ended, folder: Path, old: Files, new: Files, *, in_order: bool = True
) -> int:
    """Hold exported files to those of before and the new ones; give how many are new.

    Args:
        done: how the export ended.
        folder: where it wrote to.
        old: the files of before.
        new: those that it should write.
        in_order: whether the disk keeps the order of what is done to a folder.
    """
    found = files_in(folder)
    if found.keys() - {*old, *new}:
        raise Broken(f"files of nobody: {sorted(found)}")
    if old.keys() - found.keys():
        raise Broken(f"files are gone: {sorted(old.keys() - found.keys())}")
    for name, content in found.items():
        if content not in (old.get(name), new.get(name)):
            raise Broken(f"{name} is torn: {len(content)} bytes")
    fresh = sum(content == new.get(name) for name, content in found.items())
    if in_order and found.get(MANIFEST) == new[MANIFEST] and fresh != len(new):
        raise Broken(f"the manifest is new, and {fresh} of {len(new)} files are")
    if done.code == 0 and fresh != len(new):
        raise Broken(f"exit code 0, and {fresh} of {len(new)} files are new")
    if "unchanged" in done.err and fresh:
        raise Broken(f"{fresh} files are new, and: {done.err}")
    return fresh


def files_in(folder: Path) -> Files:
    """The files of a folder, if there is one."""
    paths = folder.iterdir() if folder.exists() else ()
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def drafts_in(*folders: Path) -> int:
    """How many unfinished folders lie about."""
    return sum(len(list(folder.glob(DRAFTS))) for folder in folders if folder.exists())


def none_alike(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> bool:
    """Whether no file is the same, so that it can be told from which export one comes."""
    return not any(old.get(name) == content for name, content in new.items())
