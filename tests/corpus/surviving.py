"""Records every odd text, and says where one does not come back as it was delivered."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import pyarrow.parquet as pq

from ledger import Ledger
from tests.corpus.checking import in_process
from tests.corpus.sound import MONTH
from tests.corpus.texts import ODD_TEXTS, OddText

TABLE = "contact_centers"
COLUMNS = ("contact_center_id", "contact_center_name", "location")
EXTRACT_MONTH = MONTH - 1
LONG = 1000
FORMATS = ("csv", "json", "parquet")

Rows = list[tuple[str | None, ...]]


def _key(odd: OddText) -> str:
    """The text itself; of a long one, which would be slow to find, its name."""
    return odd.name if len(odd.text) > LONG else odd.text


def kept_rows(update: bool) -> Rows:
    """The rows of the extract, or after the delta, in the order of the key."""
    return sorted(_kept(update), key=lambda row: str(row[0]).encode())


def _kept(update: bool) -> Rows:
    return [(_key(odd).strip(" \t"), odd.kept, None if update else odd.kept) for odd in ODD_TEXTS]


def record_texts(folder: Path) -> Ledger:
    """A ledger to which every odd text came: as a key and as a cell, in two ways of quoting."""
    ledger = Ledger(folder / "ledger.db")
    extract = [(_key(odd), odd.text, odd.text) for odd in ODD_TEXTS]
    update = [("update", "", odd.text, _key(odd)) for odd in ODD_TEXTS]
    extract_path, delta_path = folder / f"{TABLE}.csv", folder / f"{TABLE}_delta_{MONTH}.csv"
    extract_path.write_bytes(_csv([COLUMNS, *extract], "\n", quoted=False))
    header = ("action", "location", "contact_center_name", "contact_center_id")
    delta_path.write_bytes(_csv([header, *update], "\r\n", quoted=True))
    ledger.ingest(files=[extract_path], initial_month=str(EXTRACT_MONTH))
    ledger.ingest(files=[delta_path])
    return ledger


def _csv(rows: list[tuple[str, ...]], newline: str, *, quoted: bool) -> bytes:
    text = io.StringIO()
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(text, quoting=quoting, lineterminator=newline).writerows(rows)
    return text.getvalue().encode()


def changed_texts(folder: Path) -> Iterator[str]:
    """Yield where a text came back as another one, or not at all."""
    ledger = record_texts(folder)
    with closing(sqlite3.connect(ledger.path)) as connection:
        names = ", ".join(COLUMNS)
        events = connection.execute(f"SELECT {names} FROM {TABLE}_events ORDER BY event_id")
        yield from _differences("the event log", events.fetchall(), [*_kept(False), *_kept(True)])
    for format in FORMATS:
        for where, month, update in (("aside", EXTRACT_MONTH, False), ("aside", MONTH, True)):
            rows = _exported(ledger, folder, format, month)
            yield from _differences(f"{format} of {month}, {where}", rows, kept_rows(update))
    for month, update in ((EXTRACT_MONTH, False), (MONTH, True)):
        ledger.project(str(month))
        with closing(sqlite3.connect(ledger.path)) as connection:
            stored = connection.execute(f"SELECT {names} FROM {TABLE} ORDER BY 1").fetchall()
        yield from _differences(f"the projection of {month}", stored, kept_rows(update))
        for format in FORMATS:
            rows = _exported(ledger, folder, format, month)
            yield from _differences(f"{format} of {month}, stored", rows, kept_rows(update))
    yield from _changed_in_history(ledger)


def _exported(ledger: Ledger, folder: Path, format: str, month: int) -> Rows:
    ledger.at(str(month)).export(folder / "out", format=format, tables=[TABLE])
    content = (folder / "out" / f"{TABLE}_final.{format}").read_bytes()
    if format == "parquet":
        columns = pq.read_table(io.BytesIO(content)).to_pydict()
        return list(zip(*(columns[name] for name in COLUMNS), strict=True))
    if format == "json":
        return [tuple(row[name] for name in COLUMNS) for row in json.loads(content)]
    _, *records = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
    return [tuple(cell or None for cell in record) for record in records]


def _changed_in_history(ledger: Ledger) -> Iterator[str]:
    for odd in ODD_TEXTS:
        key = _key(odd).strip(" \t")
        ran = in_process(
            "history", "--json", "--db", ledger.path, "--", TABLE, key, cwd=ledger.path.parent
        )
        document = json.loads(ran.out)
        changes = [
            (change["column"], change["before"], change["after"])
            for event in document["events"]
            for change in event["changes"]
        ]
        added = [(name, None, odd.kept) for name in COLUMNS[1:]]
        expected = [*added, (COLUMNS[2], odd.kept, None)]
        if document["key"] != key or changes != expected:
            yield f"the history of {odd.name}"


def _differences(where: str, found: Rows, expected: Rows) -> Iterator[str]:
    if len(found) != len(expected):
        yield f"{where} has {len(found)} rows, not {len(expected)}"
    for row, wanted in zip(found, expected, strict=False):
        if row != wanted:
            yield f"{where}: {str(row)[:80]}, not {str(wanted)[:80]}"
