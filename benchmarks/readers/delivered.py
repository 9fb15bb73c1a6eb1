"""What a file says cell by cell, also where it is malformed, and whether a reader read that."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from benchmarks.readers.peers import Read
from tests.corpus.malformed import Malformed
from tests.corpus.sound import DELTA, INITIAL, NEWLINES, sound
from tests.corpus.texts import ODD_TEXTS
from tests.corpus.values import ODD_VALUES, TABLES, OddValue
from tests.oracle import DAYS, MOMENTS, NUMBERS
from tests.strategies import COLUMNS, small_file

BLANK = " \t"
Records = list[list[str]]


@dataclass(frozen=True)
class Case:
    """A file to be read.

    Attributes:
        section: malformed deliveries, odd texts or odd values.
        group: of the rules.
        name: of the file's fault or oddity.
        table: whose name the file bears.
        kind: initial or delta.
        content: its bytes.
        readings: each way in which it can be read exactly, header first; none where any reading is
            a guess.
    """

    section: str
    group: str
    name: str
    table: str
    kind: str
    content: bytes
    readings: tuple[Records, ...]


def malformed_case(delivery: Malformed) -> Case:
    """A malformed delivery; its quotes, and what it is at all, may leave no reading."""
    (name,) = delivery.files
    kind, _, file = name.partition("/")
    table = file.removesuffix(".csv").partition("_delta_")[0]
    readings = [exact_reading(delivery.content)]
    if delivery.group in ("delimiters", "other formats"):
        # Exact is who sees through that: the commas, or the packing, mean nothing.
        readings = [exact_reading(sound(table, kind, end).content()) for end in NEWLINES.values()]
    content, rule = delivery.content, delivery.rule
    found = tuple(reading for reading in readings if reading is not None)
    return Case("Malformed deliveries", delivery.group, rule, table, kind, content, found)


def text_cases() -> Iterator[Case]:
    """Each odd text alone in its columns, in a file of one row."""
    for odd in ODD_TEXTS:
        file = small_file("contact_centers", None, [odd.text] * 3)
        group = odd.name.partition(":")[0] if ":" in odd.name else "long, or blanks round it"
        rows = [list(file.header), *map(list, file.rows)]
        yield Case(
            "Odd texts", group, odd.name, file.table, INITIAL, file.content(), (_trimmed(rows),)
        )


def value_cases() -> Iterator[Case]:
    """Each odd value in the second row, below one that is not odd."""
    usual = {"interaction_start": "2025-02-05T13:00:00Z", "call_duration_minutes": "14.5"}
    for value in ODD_VALUES:
        table = TABLES[value.column]
        cells = [[key, *_cells(table, value.column, text)] for key, text in
                 (("A1", usual.get(value.column, "2021-03-15")), ("A2", value.cell))]  # fmt: skip
        file = small_file(table, None, *cells)
        rows = [list(file.header), *map(list, file.rows)]
        readings = (_trimmed(rows),)
        group = value.column
        name = _named(value)
        yield Case("Odd values", group, name, table, INITIAL, file.content(), readings)


def _named(value: OddValue) -> str:
    return value.cell if len(value.cell) < 50 else f"{value.cell[:50]}…"


def _cells(table: str, column: str, text: str) -> list[str]:
    return [text if name == column else "" for name in COLUMNS[table][1:]]


def columns_of(case: Case) -> list[str]:
    """The columns that its file must have."""
    return [*COLUMNS[case.table], *(["action"] if case.kind == DELTA else [])]


def exact_reading(content: bytes) -> Records | None:
    """The records of a file, blank lines left out; None where quotes or bytes leave no reading."""
    if b"\0" in content[:4] or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return None
    text = content.decode(errors="surrogateescape").removeprefix("\ufeff")
    records: Records = []
    cell, record = list[str](), list[str]()
    quoted, closed = False, False
    for character in text if text.endswith("\n") else f"{text}\n":
        if quoted:
            closed = character == '"'
            quoted = not closed
            cell += [] if closed else [character]
        elif character in ",\n":
            written = "".join(cell)
            record.append(written.removesuffix("\r") if character == "\n" else written)
            cell, closed = [], False
            if character == "\n":
                records.append(record)
                record = []
        elif character == '"' and closed:
            cell.append('"')
            quoted = True
        elif character == '"' and not cell:
            quoted = True
        elif closed and character not in f"{BLANK}\r":
            return None
        else:
            cell.append(character)
    return None if quoted else [record for record in _trimmed(records) if record != [""]]


def _trimmed(records: Records) -> Records:
    return [[cell.strip(BLANK) for cell in record] for record in records]


def is_exact(case: Case, read: Read) -> bool:
    """Whether a reader read what the file says: the same names, rows and values."""
    return any(_agrees(reading, read) for reading in case.readings)


def _agrees(reading: Records, read: Read) -> bool:
    if not reading:
        return not read.names and not read.rows
    names, *rows = reading
    if [name.strip(BLANK) for name in read.names] != names or len(read.rows) != len(rows):
        return False
    return all(
        len(cells) == len(values)
        and all(
            same(name, cell, value) for name, cell, value in zip(names, cells, values, strict=False)
        )
        for cells, values in zip(rows, read.rows, strict=True)
    )


def same(column: str, cell: str, value: Any) -> bool:
    """Whether a value is the text of a cell, or in a typed column what the text stands for."""
    if value is None or value == "":
        return not cell
    if isinstance(value, str):
        return value.strip(BLANK) == cell
    if isinstance(value, float) and math.isnan(value):
        return False
    try:
        if column in NUMBERS:
            return float(cell) == float(value) and str(value) not in ("True", "False")
        if column in MOMENTS and isinstance(value, datetime):
            return _moment(cell) == _moment(value.isoformat())
        if column in DAYS and isinstance(value, date):
            return date.fromisoformat(cell) == date.fromisoformat(value.isoformat()[:10])
    except ValueError:
        return False
    return str(value) == cell


def _moment(text: str) -> datetime:
    """A moment; without an offset it stands for that time in UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else datetime.fromisoformat(f"{text}+00:00")
