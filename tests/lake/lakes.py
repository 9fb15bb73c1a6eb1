"""Lakes for tests: published as a user does, and read by pyarrow alone, or by nothing but paths.

What is read here shares no code with what writes it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ledger import Ledger
from ledger.datasets.support.description import SUPPORT
from ledger.lake.folder import make_lake, open_lake
from ledger.lake.layout import Layout
from ledger.lake.publish import Published, publish_store
from ledger.lake.source import LakeVerification, verify_lake
from ledger.model.receipt import Receipt
from ledger.model.records import Records
from ledger.store.event_store import Store

Row = tuple[Any, ...]

TABLES = tuple(table.name for table in SUPPORT.tables)
RELATIONS = (*(f"{table}_events" for table in TABLES), "readings", "clock")
RECORDS = ("batches", "files", "tags")

needs_delta = pytest.mark.skipif(
    find_spec("deltalake") is None,
    reason="the package deltalake is not there; install with: pip install 'month-ledger[lake]'",
)
LAYOUTS = ("parquet", pytest.param("delta", marks=needs_delta))


def publish(ledger: Ledger, root: Path, layout: str | None = None) -> Published:
    """Publish a ledger to a lake, made where there is none."""
    with Store.for_reading(ledger.path) as store, store.snapshot():
        return publish_store(store, SUPPORT, make_lake(root, SUPPORT, layout))


def lake_of(root: Path) -> Layout:
    """The lake of a folder."""
    return open_lake(root, SUPPORT)


def records_of(root: Path) -> Records:
    """What a lake says that it holds."""
    return lake_of(root).records()


def verify(
    root: Path, ledger: Path | None = None, receipts: Sequence[tuple[Path, Receipt]] = ()
) -> LakeVerification:
    """Verify a lake, held to a ledger or to none."""
    if ledger is None:
        return verify_lake(lake_of(root), SUPPORT, None, receipts)
    with Store.for_reading(ledger) as store, store.snapshot():
        return verify_lake(lake_of(root), SUPPORT, store, receipts)


def read(path: Path) -> pa.Table:
    """A file of Parquet, without the columns that its folder would give."""
    with path.open("rb") as file:
        return pq.read_table(file)


def rows_of(root: Path, relation: str) -> list[Row]:
    """All rows of a relation, in order; of a lake in which nothing is half done."""
    found: list[Row] = []
    for path in sorted((root / relation).rglob("*.parquet")):
        if "_delta_log" not in path.parts:
            found += [tuple(row.values()) for row in read(path).to_pylist()]
    return sorted(found, key=lambda row: row[:2])


def ledger_rows(ledger: Path, relation: str) -> list[Row]:
    """The same rows of the ledger's table; the value of a reading as the text of a lake."""
    with closing(sqlite3.connect(ledger)) as connection:
        info = connection.execute(f"PRAGMA table_info ({relation})").fetchall()
        columns = ", ".join(name for _, name, *_ in info)
        rows = connection.execute(f"SELECT {columns} FROM {relation} ORDER BY 1, 2").fetchall()
    if relation == "readings":
        rows = [(e, c, repr(v) if isinstance(v, float) else v, code) for e, c, v, code in rows]
    return rows


def tree(root: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path in that."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def assert_same(root: Path, ledger: Ledger) -> None:
    """A lake holds all that a ledger does."""
    for relation in (*RELATIONS, *RECORDS):
        assert rows_of(root, relation) == ledger_rows(ledger.path, relation), relation
