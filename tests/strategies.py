"""Deliveries of the support data set: what a sender may deliver, sound and odd.

Keys are few, so that additions of what is there, updates and deletes of what is not, keys twice
in one delta, and returns after a delete all occur.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st

COLUMNS = {
    "agents": ("agent_id", "full_name", "contact_center_id", "hire_date", "category_id"),
    "contact_centers": ("contact_center_id", "contact_center_name", "location"),
    "service_categories": ("category_id", "category_name", "department"),
    "interactions": (
        "interaction_id",
        "timestamp",
        "channel",
        "category_id",
        "agent_id",
        "contact_center_id",
        "interaction_start",
        "agent_resolution_timestamp",
        "interaction_end",
        "call_duration_minutes",
        "satisfaction_rating",
    ),
}
"""The columns of each table, the key first; the tables in the order in which they are recorded."""

SEASONS = (
    (202501, 202502, 202503, 202504),
    (202411, 202412, 202501, 202502),
)
"""The month of the initial extract, and those of the deltas."""

KEYS = {
    "agents": ("A1", "A2", "007"),
    "contact_centers": ("CC1", "CC2"),
    "service_categories": ("CAT1", "CAT2"),
    "interactions": ("INT1", "INT2", "int1", "7", "007"),
}

TIMES = (
    # The local month is another than the one of UTC, up to and including the last second.
    "2025-02-01T00:30:00Z",
    "2025-02-01T04:59:59Z",
    "2025-02-01T05:00:00Z",
    "2025-04-01T03:59:59Z",
    "2025-04-01T04:00:00Z",
    "2025-01-01T03:15:00Z",
    # The hours round the changes of the clock, in March and in November.
    "2025-03-09T06:59:59Z",
    "2025-03-09T07:00:00Z",
    "2024-11-03T05:30:00Z",
    "2024-11-03T06:00:00Z",
    "2024-11-03T06:30:00Z",
    # The edges of what has a local time.
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
)
OTHERWISE_WRITTEN_TIMES = (
    "2025-02-01T06:30:00+02:00",
    "2025-01-31T23:30:00-05:00",
    "2025-03-01T10:15:00+05:45",
    "2025-03-09T02:30:00-05:00",
    "2024-11-03T01:30:00-04:00",
    "2025-02-05T13:00:00.500Z",
    "2025-02-05T13:00:00.000000Z",
    "2025-02-05T08:00:00.25-05:00",
)
UNREADABLE_TIMES = (
    "2025-02-30T10:00:00Z",
    "2025-02-05T24:00:00Z",
    "2025-02-05T10:00:60Z",
    "2025-02-05T10:00:00",
    "2025-02-05 10:00:00Z",
    "2025-02-05t10:00:00z",
    "2025-02-05T10:00Z",
    "2025-W06-3T10:00:00Z",
    "2025-02-05T10:00:00.1234567Z",
    "2025-02-05T10:00:00+24:00",
    "1969-12-31T23:59:59Z",
    "9999-12-31T23:59:59-05:00",
    "tomorrow",
)
NUMBERS = ("14", "14.0", "9.25", "0", "0.0", "-3", "+7", "007", ".5", "5.", "1e1", "12.5E-1")
UNREADABLE_NUMBERS = (
    "1,000", "1_000", "NaN", "inf", "1e309", "9223372036854775808", "١٢", "14 min", "0x10", "."
)  # fmt: skip
DATES = ("2021-03-15", "2024-02-29", "1899-12-31")
UNREADABLE_DATES = ("2023-02-29", "20210315", "2021-W10-1", "15/03/2021", "2021-3-15")
TEXTS = ("Atlanta, GA", 'the "old" one', "NA", "Béchamont", "=1+1", "\u00a0x\u00a0", "two\nlines")
BLANK = ""


@dataclass(frozen=True)
class DeliveredFile:
    """A file as its sender wrote it.

    Attributes:
        table: whose rows it holds.
        month: of a delta; None for the initial extract.
        header: its columns, in the order of the file.
        rows: its cells, in the same order.
        newline: `\\n` or `\\r\\n`.
        ending: what follows the last row: nothing, or newlines.
    """

    table: str
    month: int | None
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = ()
    newline: str = "\n"
    ending: str = "\n"

    @property
    def name(self) -> str:
        """Its place in a data folder."""
        if self.month is None:
            return f"initial/{self.table}.csv"
        return f"delta/{self.table}_delta_{self.month}.csv"

    def content(self) -> bytes:
        """Its bytes."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator=self.newline)
        writer.writerows([self.header, *self.rows])
        return (text.getvalue().removesuffix(self.newline) + self.ending).encode()


@dataclass(frozen=True)
class Deliveries:
    """An initial extract and the deltas of some months.

    Attributes:
        initial_month: the month at whose end the extract was made.
        files: all of them.
    """

    initial_month: int
    files: tuple[DeliveredFile, ...]

    @property
    def months(self) -> list[int]:
        """The months of the files, in order."""
        return sorted({file.month or self.initial_month for file in self.files})


def write_data_folder(folder: Path, files: Iterable[DeliveredFile]) -> list[Path]:
    """Write files as a data folder, and give their paths."""
    paths = []
    for file in files:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content())
        paths.append(path)
    return paths


def small_file(table: str, month: int | None, *rows: Sequence[str]) -> DeliveredFile:
    """A file whose rows are as short as one likes: what is left out is blank.

    Of a delta the first cell of each row is the action, of an initial extract the key.
    """
    columns = COLUMNS[table]
    if month is None:
        return DeliveredFile(table, None, columns, tuple(_filled(row, columns) for row in rows))
    deltas = tuple((*_filled(row[1:], columns), row[0]) for row in rows)
    return DeliveredFile(table, month, (*columns, "action"), deltas)


def _filled(cells: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    return (*cells, *[BLANK] * (len(columns) - len(cells)))


# Of what is drawn from a list, the plain case stands first: examples shrink towards it.
blanks_round_a_cell = st.sampled_from(("", " ", "\t "))
actions = st.sampled_from(("add", "update", "delete", "ADD", "Update", "delete "))
texts = st.sampled_from(("Boston", BLANK, *TEXTS))
days = st.sampled_from((*DATES, BLANK, *UNREADABLE_DATES))
channels = st.sampled_from(("phone", "email", "Phone", BLANK))
numbers = st.one_of(
    st.sampled_from((*NUMBERS, BLANK)),
    st.integers(0, 9999).map(lambda hundredths: f"{hundredths / 100}"),
    st.floats(0, 1000).map(repr),
    # SQLite's own CAST reads it as 936.5007880000001.
    st.just("936.500788"),
    st.sampled_from(UNREADABLE_NUMBERS),
)
times = st.one_of(
    st.sampled_from(("2025-02-05T13:00:00Z", BLANK, *TIMES)),
    # Half a year in which the clock changes twice.
    st.integers(0, 210 * 24 * 3600).map(
        lambda second: f"{datetime(2024, 10, 1) + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}"
    ),
    st.sampled_from((*OTHERWISE_WRITTEN_TIMES, *UNREADABLE_TIMES)),
)


def references(table: str) -> st.SearchStrategy[str]:
    """Keys of a table, one that never comes, and none at all."""
    return st.sampled_from((*KEYS[table], "NEVER", BLANK))


CELLS = {
    "agents": (texts, references("contact_centers"), days, references("service_categories")),
    "contact_centers": (texts, texts),
    "service_categories": (texts, texts),
    "interactions": (
        times,
        channels,
        references("service_categories"),
        references("agents"),
        references("contact_centers"),
        times,
        times,
        times,
        numbers,
        numbers,
    ),
}


def rows(table: str) -> st.SearchStrategy[tuple[str, ...]]:
    """Rows of a table, without an action."""
    return st.tuples(st.sampled_from(KEYS[table]), *CELLS[table])


@st.composite
def delta_rows(draw: st.DrawFn, table: str) -> tuple[str, ...]:
    """Rows of a delta, the action last; the other cells of a delete are mostly blank."""
    key, *cells = draw(rows(table))
    action = draw(actions)
    if action.startswith("delete") and draw(st.integers(0, 3)):
        cells = [BLANK] * len(cells)
    return (key, *cells, action)


@st.composite
def delivered_files(draw: st.DrawFn, table: str, month: int | None) -> DeliveredFile:
    """A file of a table: a delta of a month, or without a month the initial extract."""
    header = COLUMNS[table]
    if month is None:
        content = draw(st.lists(rows(table), max_size=4, unique_by=lambda row: row[0]))
    else:
        header = (*header, "action")
        content = draw(st.lists(delta_rows(table), max_size=4))
    order = list(range(len(header)))
    if draw(st.booleans()):
        order.reverse()
    padded = []
    for row in content:
        before, after = draw(blanks_round_a_cell), draw(blanks_round_a_cell)
        padded.append(tuple(f"{before}{row[place]}{after}" for place in order))
    newline = draw(st.sampled_from(("\n", "\r\n")))
    ending = newline * draw(st.integers(0, 2))
    columns = tuple(header[place] for place in order)
    return DeliveredFile(table, month, columns, tuple(padded), newline, ending)


@st.composite
def deliveries(draw: st.DrawFn) -> Deliveries:
    """What came in some months; any table may be missing from any of them, but not from all."""
    first, *later = draw(st.sampled_from(SEASONS))
    files = []
    for month in (None, *later):
        tables = draw(st.sets(st.sampled_from([*COLUMNS]), min_size=0 if month else 1))
        files += [draw(delivered_files(table, month)) for table in COLUMNS if table in tables]
    return Deliveries(first, tuple(files))
