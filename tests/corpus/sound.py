"""Sound deliveries, of which the malformed ones are made by one fault each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.strategies import COLUMNS

MONTH = 202503
NEWLINES = {"lf": b"\n", "crlf": b"\r\n"}
INITIAL, DELTA = "initial", "delta"
KINDS = (INITIAL, DELTA)
HEADER, FIRST, SECOND, MIDDLE, LAST = 0, 1, 2, 3, 5
ROW_PLACES = {"first row": FIRST, "middle": MIDDLE, "last row": LAST}
# The second row has a quoted line end: from the third on, a row is not on the line of its number.
LINES = {HEADER: 1, FIRST: 2, SECOND: 3, MIDDLE: 5, LAST: 7}

_START, _SOLVED = "2025-03-05T14:15:00Z", "2025-03-05T14:24:00Z"
_CALL = (_START, "phone", "CAT01", "A001", "CC01", _START, _SOLVED, _SOLVED, "9.0", "4")
_ROWS: dict[str, tuple[tuple[str, ...], ...]] = {
    "agents": tuple(
        (f"A90{n}", name, "CC01", "2021-03-15", "CAT01")
        for n, name in enumerate(("Ana", '"Bo\nBo"', "Renée", "Udo", "Eve"))
    ),
    "contact_centers": tuple(
        (f"CC9{n}", f"Centre {n}", place)
        for n, place in enumerate(("Bonn", '"Rye,\nNY"', "Zürich", "Graz", "Ely"))
    ),
    "service_categories": tuple(
        (f"CAT9{n}", f"Category {n}", place)
        for n, place in enumerate(("Sales", '"Care\n24"', "Über", "Kind", "Lost"))
    ),
    "interactions": tuple(
        (f"INT900{n}", _START, channel, *_CALL[2:])
        for n, channel in enumerate(("phone", '"by\npost"', "émail", "chat", "phone"))
    ),
}


@dataclass(frozen=True)
class Sound:
    """A delivery without a fault, as the records of its file.

    Attributes:
        table: whose rows it holds.
        kind: `initial` or `delta`.
        newline: what ends each record, and stands within the quoted cell of the second row.
        records: the header and five rows, each as its cells are written.
    """

    table: str
    kind: str
    newline: bytes
    records: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """Its place in a data folder."""
        return placed(self.table, self.kind)

    def content(self) -> bytes:
        """Its bytes."""
        return self.joined([b",".join(self.written(number)) for number in range(6)])

    def written(self, number: int) -> list[bytes]:
        """The cells of a record as they stand in the file."""
        newline = self.newline.decode()
        return [cell.replace("\n", newline).encode() for cell in self.records[number]]

    def joined(self, records: Sequence[bytes]) -> bytes:
        """A file of these records."""
        return self.newline.join(records) + self.newline

    def instead(self, number: int, record: bytes) -> bytes:
        """The file with other bytes in the place of one record."""
        records = [b",".join(self.written(n)) for n in range(6)]
        return self.joined([*records[:number], record, *records[number + 1 :]])


def placed(table: str, kind: str, month: int = MONTH) -> str:
    """The name of a file in a data folder."""
    return f"initial/{table}.csv" if kind == INITIAL else f"delta/{table}_delta_{month}.csv"


def sound(table: str, kind: str, newline: bytes = b"\n") -> Sound:
    """The sound delivery of a table."""
    actions = [("action",), ("add",), ("add",), ("update",), ("ADD",), ("delete",)]
    rows = [COLUMNS[table], *_ROWS[table]]
    if kind == DELTA:
        rows = [(*row, *action) for row, action in zip(rows, actions, strict=True)]
    return Sound(table, kind, newline, tuple(rows))


def every_sound() -> list[Sound]:
    """Of every table both kinds, with both line ends."""
    return [
        sound(table, kind, newline)
        for table in COLUMNS
        for kind in KINDS
        for newline in NEWLINES.values()
    ]
