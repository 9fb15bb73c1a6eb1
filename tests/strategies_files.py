"""CSV files of a small table: texts, cells, sound files, files full of traps, and cuts of bytes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import strategies as st

from ledger.delivery.csv_reader import Row, read_blocks
from ledger.errors import Problem, Problems
from ledger.model.dataset import Column, Kind, Table

PLACES = Table(
    "places",
    (Column("place_id", "The key."), Column("name", "Its name."), Column("note", "A remark.")),
)
HEADER = {
    Kind.INITIAL: ("place_id", "name", "note"),
    Kind.DELTA: ("place_id", "name", "note", "action"),
}
PATH = "places.csv"
BOM = b"\xef\xbb\xbf"
QUOTINGS = (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)
CELL_TRAPS = (
    *('"', '""', ",", "\n", "\r\n", " ", "\t", ";", "'", "\\", "\v", "\f", "\x1c", "\x85"),
    *("\u00a0", "\u2028", "\u2029", "\ufeff", "\u200b", "e\u0301", "😀"),
    *("null", "None", "NA", "NaN", "007", "12345678901234567890", "add", "=1+1"),
)
FILE_TRAPS = (
    *(b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"\0", b" ", b"\t", b";", b"add", b"x", b"7"),
    *(b"\xff", b"\xff\xfe", b"\xc3\xa9", b"\xe2\x82\xac", b"\xe2\x82", b"\xed\xa0\x80", BOM),
    *(b"place_id", b"place_id,name,note,action\n", b"p,n,t,add\n", b'p,"n",t,add\r\n'),
)


@dataclass(frozen=True)
class Content:
    """What was read of a file: its sound rows, and its problems."""

    rows: list[Row]
    problems: Problems

    @property
    def told(self) -> list[tuple[str, int | None, str | None]]:
        """Code, line and column of each problem."""
        return [(problem.code, problem.line, problem.column) for problem in self.problems]

    @property
    def only_problem(self) -> Problem:
        """The one problem of a file that has one."""
        (problem,) = self.problems
        return problem


def read_rows(
    chunks: Iterable[bytes], table: Table, kind: Kind, path: str, problems: Problems
) -> Iterator[Row]:
    """The rows of a file one by one, as soon as their block is read."""
    for block in read_blocks(chunks, table, kind, path, problems):
        for line, action, cells in zip(
            block.lines, block.actions, zip(*block.columns, strict=True), strict=True
        ):
            yield Row(line, action, list(cells))


def read(content: bytes, kind: Kind = Kind.DELTA, cuts: Iterable[int] = ()) -> Content:
    """Read a file of `places`, its bytes cut at some places."""
    problems = Problems()
    rows = list(read_rows(pieces(content, cuts), PLACES, kind, PATH, problems))
    return Content(rows, problems)


def pieces(content: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut bytes at some places; where two are the same, a piece is empty."""
    places = [0, *sorted(cuts), len(content)]
    return [content[start:end] for start, end in pairwise(places)]


@dataclass(frozen=True)
class SoundFile:
    """A file of `places` without a fault, and what is to be read in it.

    Attributes:
        kind: whether it has a column `action`.
        content: its bytes.
        rows: what they say.
    """

    kind: Kind
    content: bytes
    rows: list[Row]


def written_rows(kind: Kind, table: Iterable[Sequence[str]]) -> list[Row]:
    """The rows of a file, its first on line 2, from the cells in the order of the description."""
    rows, line = [], 2
    for written in table:
        action, cells = "add", list(written)
        if kind is Kind.DELTA:
            action = cells.pop()
        rows.append(Row(line, action.lower(), [cell or None for cell in cells]))
        line += 1 + sum(cell.count("\n") for cell in written)
    return rows


# Spaces and tabs round a cell do not count: here are the texts that come back as they are.
texts = (
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0\r"))
        | st.sampled_from(CELL_TRAPS),
        max_size=5,
    )
    .map("".join)
    .map(lambda text: text.strip(" \t"))
)
keys = texts.filter(bool)
actions = st.sampled_from(("add", "update", "delete", "ADD", "Update"))


@st.composite
def sound_files(draw: st.DrawFn) -> SoundFile:
    """Whatever a sender may write with a CSV library: quoting, line ends, BOM, columns."""
    kind = draw(st.sampled_from(Kind))
    cells = (keys, texts, texts) if kind is Kind.INITIAL else (keys, texts, texts, actions)
    table = draw(st.lists(st.tuples(*cells), max_size=6))
    order = draw(st.permutations(range(len(cells))))
    newline = draw(st.sampled_from(("\n", "\r\n")))
    text = io.StringIO()
    writer = csv.writer(text, quoting=draw(st.sampled_from(QUOTINGS)), lineterminator=newline)
    for row in (HEADER[kind], *table):
        writer.writerow([row[place] for place in order])
    ending = newline * draw(st.integers(0, 3))
    bom = draw(st.sampled_from((b"", BOM)))
    content = bom + (text.getvalue().removesuffix(newline) + ending).encode()
    return SoundFile(kind, content, written_rows(kind, table))


trapped_bytes = st.builds(
    lambda start, parts: start + b"".join(parts),
    st.sampled_from((b"place_id,name,note,action\n", BOM + b"place_id,name,note,action\r\n", b"")),
    st.lists(st.sampled_from(FILE_TRAPS), max_size=20),
)
"""Files in which every trap may lie anywhere."""

any_cuts = st.lists(st.integers(0, 200), max_size=12)
"""Where to cut bytes; beyond their end, the pieces are empty."""
