"""Files for the readers: what each says cell by cell, and whether that was read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tests.corpus.collection import corpus, sample
from tests.corpus.malformed import Malformed
from tests.corpus.sound import DELTA, INITIAL, NEWLINES, sound
from tests.corpus.texts import ODD_TEXTS
from tests.corpus.values import ODD_VALUES, TABLES
from tests.oracle import DAYS, MOMENTS, NUMBERS
from tests.strategies import COLUMNS, DeliveredFile, small_file

BLANK = " \t"
# Within quotes, two quotes are one, also where blanks separate them.
TWO_QUOTES = r'"([ \t\r]*)"'
CELL = re.compile(r'(?:"((?:[^"]|"[ \t\r]*")*)"([ \t\r]*)|([^",\n][^,\n]*|))([,\n])')
Records = list[list[str]]


@dataclass(frozen=True)
class Case:
    """A file to be read."""

    section: str
    group: str  # of rules, or the column
    name: str  # the fault or oddity
    table: str
    kind: str  # initial or delta
    content: bytes
    readings: tuple[Records, ...]  # each exact one, header first; none where any is a guess


def all_cases(of_each_rule: int = 3) -> Iterator[Case]:
    """Generate all files."""
    # Some readers turn a CRLF in quotes into LF, which would hide what they make of the fault.
    files = (d for d in corpus() if d.group != "names and places" and b"\r\n" not in d.content)
    yield from map(malformed_case, sample(of_each_rule, files))
    for odd in ODD_TEXTS:
        group = odd.name.partition(":")[0] if ":" in odd.name else "long, or blanks round it"
        file = small_file("contact_centers", None, [odd.text] * 3)
        yield _sound_case("Odd texts", group, odd.name, file)
    usual = {"interaction_start": "2025-02-05T13:00:00Z", "call_duration_minutes": "14.5"}
    for value in ODD_VALUES:
        # In the second row, below one that is not odd.
        table, column = TABLES[value.column], value.column
        cells = [
            [key, *(text if name == column else "" for name in COLUMNS[table][1:])]
            for key, text in (("A1", usual.get(column, "2021-03-15")), ("A2", value.cell))
        ]
        name = value.cell if len(value.cell) < 50 else f"{value.cell[:50]}…"
        yield _sound_case("Odd values", column, name, small_file(table, None, *cells))


def _sound_case(section: str, group: str, name: str, file: DeliveredFile) -> Case:
    rows = _trimmed([list(file.header), *map(list, file.rows)])
    return Case(section, group, name, file.table, INITIAL, file.content(), (rows,))


def malformed_case(delivery: Malformed) -> Case:
    """Return a malformed delivery; its quotes, or what it is at all, may leave no reading."""
    (path,) = delivery.files
    kind, _, file = path.partition("/")
    table = file.removesuffix(".csv").partition("_delta_")[0]
    readings = [exact_reading(delivery.content)]
    if delivery.group in ("delimiters", "other formats"):
        # A reader is exact if it recognizes the format: the commas themselves mean nothing.
        readings = [exact_reading(sound(table, kind, end).content()) for end in NEWLINES.values()]
    found = tuple(reading for reading in readings if reading is not None)
    section, name = "Malformed deliveries", delivery.rule
    return Case(section, delivery.group, name, table, kind, delivery.content, found)


def columns_of(case: Case) -> list[str]:
    """Return the columns that the file must have."""
    return [*COLUMNS[case.table], *(["action"] if case.kind == DELTA else [])]


def exact_reading(content: bytes) -> Records | None:
    """Return a file's records without blank lines; None where quotes or bytes leave no reading."""
    if b"\0" in content[:4] or content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return None
    text = content.decode(errors="surrogateescape").removeprefix("\ufeff")
    text = text if text.endswith("\n") else f"{text}\n"
    records: Records = [[]]
    place = 0
    while place < len(text):
        found = CELL.match(text, place)
        if found is None:
            return None
        quoted, blanks, plain, end = found.groups()
        cell = plain if quoted is None else re.sub(TWO_QUOTES, r'\1"', quoted) + blanks
        records[-1].append(cell.removesuffix("\r") if end == "\n" else cell)
        records += [[]] if end == "\n" else []
        place = found.end()
    return [record for record in _trimmed(records[:-1]) if record != [""]]


def _trimmed(records: Records) -> Records:
    return [[cell.strip(BLANK) for cell in record] for record in records]


def is_exact(case: Case, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bool:
    """Return whether a reader read what the file says: the same names, rows and values."""
    return any(_agrees(reading, names, rows) for reading in case.readings)


def _agrees(reading: Records, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bool:
    if not reading:
        return not names and not rows
    header, *records = reading
    if [name.strip(BLANK) for name in names] != header or len(rows) != len(records):
        return False
    return all(
        len(cells) == len(values) and all(map(same, header, cells, values))
        for cells, values in zip(records, rows, strict=True)
    )


def same(column: str, cell: str, value: Any) -> bool:
    """Return whether a value is the text of a cell, or what that stands for in a typed column."""
    if value is None or value == "":
        return not cell
    if isinstance(value, str):
        return value.strip(BLANK) == cell
    if isinstance(value, float) and math.isnan(value):
        return False
    try:
        if column in NUMBERS:
            return float(cell) == float(value) and not isinstance(value, bool)
        if column in MOMENTS and isinstance(value, datetime):
            return _moment(cell) == _moment(value.isoformat())
        if column in DAYS and isinstance(value, date):
            return date.fromisoformat(cell) == date.fromisoformat(value.isoformat()[:10])
    except ValueError:
        return False
    return str(value) == cell


def _moment(text: str) -> datetime:
    """Return a moment, in UTC where no offset is given; a day alone is none, and a ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else datetime.fromisoformat(f"{text}+00:00")
