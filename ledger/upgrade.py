"""Brings a ledger that an older version made to the present one.

Its events are left where they are, and its heads and seals are those from before: what is new is
computed from them. All of it is one transaction, at whose end the ledger is verified.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ledger.errors import VerificationFailed, WrongUsage
from ledger.integrity.checks.contents import event_chunks, event_leaves
from ledger.integrity.verify import verify_store
from ledger.model.dataset import DataSet
from ledger.model.digest import GENESIS, file_digest, next_tag_seal
from ledger.model.merkle import MerkleTree
from ledger.model.periods import Month
from ledger.model.records import Batch, File, Tag
from ledger.recording.recorder import EventMarks
from ledger.replay.editions import choose_edition
from ledger.replay.projection import store_projection
from ledger.store.database import USER_VERSION, Record, Store, expected_schema


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What became of a ledger.

    Attributes:
        version: of its file, before.
        present: of its file, now.
        head: before and now; None where nothing is recorded.
    """

    version: int
    present: int
    head: str | None


def upgrade_store(store: Store, dataset: DataSet) -> Upgrade:
    """Bring a ledger to the present version; to be called within a transaction.

    Args:
        store: opened by `Store.for_upgrade`.
        dataset: its description.

    Raises:
        VerificationFailed: what comes out is no sound ledger, so that nothing may be kept of it.
    """
    version = store.version
    projected = list(store.rows("SELECT as_of, batch FROM projection_of"))
    if version == 2:
        _from_2(store, dataset)
    if version <= 3:
        _from_3(store, dataset)
    verification = verify_store(store, dataset, quick=True)
    if verification.faults:
        raise VerificationFailed(f"not upgraded, for {verification.verdict}")
    if version <= 3:
        _project_again(store, dataset, projected)
    return Upgrade(version, USER_VERSION, verification.head)


def _from_2(store: Store, dataset: DataSet) -> None:
    """Version 3 keeps roots, marks and digests of records to find faults by, and seals tags."""
    batches, files = list(store.rows(_BATCHES_2)), list(store.rows(_FILES_2))
    tags = list(store.rows(_TAGS_2))
    _make_again(store, ("tags", "files", "batches", "event_marks"))
    heads: dict[int, str] = {}
    for number, month, at, reason, gap, late, correction, events, head, seal in batches:
        of_batch = [_file_from_2(file) for file in files if file[1] == number]
        root = _root(store, dataset, of_batch)
        flags = (gap, late, correction)
        batch = Batch(number, Month(month), at, reason, *flags, events, root, head, seal)
        store.restore([batch, *of_batch])
        heads[number] = head
    tag_seal = GENESIS
    for number, (name, as_of, batch, tagged_at) in enumerate(tags, start=1):
        # A tag of no batch is found out by the verification.
        head = heads.get(batch, GENESIS)
        tag_seal = next_tag_seal(tag_seal, head, name, as_of, batch, tagged_at)
        store.restore([Tag(number, name, Month(as_of), batch, tagged_at, tag_seal)])


def _from_3(store: Store, dataset: DataSet) -> None:
    """Version 4 checks actions in words that are faster, and knows how large a projection is."""
    _restate(store, [table.events for table in dataset.tables])
    summaries = [summary.name for summary in dataset.summaries]
    for name in ("projection_of", *(table.name for table in dataset.tables)):
        store.execute(f"DELETE FROM {name}")
    _make_again(store, ("projection_rows", *summaries))
    store.execute(f"PRAGMA user_version = {USER_VERSION}")


def _restate(store: Store, names: Collection[str]) -> None:
    """Give tables of events the text that they have now, where it is that of version 3.

    What the check lets through is the same, so that the rows may stay where they are
    (https://sqlite.org/pragma.html#pragma_writable_schema).
    """
    store.execute("PRAGMA writable_schema = ON")
    for made in expected_schema():
        if made.type == "table" and made.name in names and made.sql:
            before = _CHECK_4.sub(_CHECK_3, made.sql)
            sql = "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = ? AND sql = ?"
            store.execute(sql, (made.sql, made.name, before))
    store.execute("PRAGMA writable_schema = RESET")


def _project_again(store: Store, dataset: DataSet, projected: Sequence[Record]) -> None:
    """Store the projection that was stored before, if it was one."""
    for as_of, batch in projected:
        # Of no edition, it was tampered with; whoever projects the next time makes it good.
        with suppress(WrongUsage):
            store_projection(store, dataset, choose_edition(store, Month(as_of), batch))


def _file_from_2(row: Record) -> File:
    number, batch, table, month, *others = row
    file = File(*(number, batch, table, Month(month), *others, ""))
    return replace(file, digest=file_digest(file.contents, file.name))


def _root(store: Store, dataset: DataSet, files: Iterable[File]) -> str:
    """Hash the events of a batch, and keep their marks."""
    tree, marks = MerkleTree(), EventMarks(store)
    for file in files:
        for rows in event_chunks(store, dataset, file):
            hashes = event_leaves(file, rows)
            tree.add(hashes)
            marks.add(rows[0][0], hashes)
        marks.flush()
    return tree.root().hex()


def _make_again(store: Store, names: Collection[str]) -> None:
    """Make tables as they are now, with what belongs to them, in the place of older ones."""
    for name in names:
        store.execute(f"DROP TABLE IF EXISTS {name}")
    for made in expected_schema():
        if made.tbl_name in names and made.sql:
            store.execute(made.sql)


_CHECK_4 = re.compile(r"\s+CHECK \(action = 'add' OR action = 'update' OR action = 'delete'\)")
_CHECK_3 = " CHECK (action IN ('add', 'update', 'delete'))"

_BATCHES_2 = """
SELECT batch, month, recorded_at, reason, gap, late, correction, events, head, seal
FROM batches ORDER BY batch
"""

_FILES_2 = """
SELECT file, batch, table_name, month, kind, name, sha256, bytes, rows,
       first_event, last_event, supersedes
FROM files ORDER BY file
"""

_TAGS_2 = "SELECT name, as_of, batch, tagged_at FROM tags ORDER BY tagged_at, name"
