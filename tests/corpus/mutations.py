"""Deliveries to fuzz with: sound ones full of odd texts, then changed here and there.

Everything is drawn from one generator, so that a number and a seed give the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.corpus.sound import DELTA, INITIAL
from tests.corpus.texts import ODD_TEXTS
from tests.strategies import COLUMNS, DATES, NUMBERS, TIMES

BOM = b"\xef\xbb\xbf"
PIECES = (
    *(b'"', b'""', b'"""', b",", b",,", b"\n", b"\r\n", b"\r", b"\n\n", b"\0", b" ", b"\t", b"  "),
    *(
        b";",
        b"|",
        b"'",
        b"\\",
        b'\\"',
        b'" ',
        b' "',
        b'",',
        b',"',
        b'"\n',
        b'\n"',
        b"\x1a",
        b"\x0c",
    ),
    *(b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf0\x9f\x98\x80", BOM),
    *("é\u00a0\u2028\u0085\u200b\ufeff".encode(), b"\x85", b"add", b"update", b"delete", b"ADD"),
    *(b"action", b"NA", b"null", b"0", b"1e5", b"agent_id", b"#", b"<", b"=1+1"),
)
ACTIONS = ("add", "update", "delete", "ADD", "Delete", " update ", "delete ")
KEYS = ("K1", "K2", "007", "k1", "e\u0301", "\u00e9", "12345678901234567890")
CELLS = (*DATES, *NUMBERS, *TIMES, "phone", "CAT1", "", "", "", " ", "Boston, MA", 'the "old" one')
MOST_MUTATIONS = 4


@dataclass(frozen=True)
class Mutant:
    """A delivery as it is fuzzed with.

    Attributes:
        table: whose name its file bears.
        kind: `initial` or `delta`.
        content: its bytes.
    """

    table: str
    kind: str
    content: bytes


def mutant(random: Random) -> Mutant:
    """Draw a delivery; one of six is sound."""
    table = random.choice([*COLUMNS])
    kind = random.choice([INITIAL, DELTA, DELTA])
    content = written(random, table, kind)
    if random.randrange(6):
        for _ in range(random.randint(1, MOST_MUTATIONS)):
            # Mostly of the rows: a header that is wrong hides all that follows.
            header, newline, rows = content.partition(b"\n")
            mutate, where = random.choice(MUTATIONS), random.random()
            if where < 0.75:
                content = header + newline + mutate(random, rows)
            elif where < 0.85:
                content = mutate(random, header) + newline + rows
            else:
                content = mutate(random, content)
    return Mutant(table, kind, content)


def written(random: Random, table: str, kind: str) -> bytes:
    """A sound file: columns in any order, any quoting, any line end."""
    columns = [*COLUMNS[table], *(["action"] if kind == DELTA else [])]
    keys = random.sample(KEYS, k=random.randint(0, 6))
    rows = []
    for key in keys if kind == INITIAL else random.choices(KEYS, k=len(keys)):
        cells = [key, *(_cell(random) for _ in COLUMNS[table][1:])]
        rows.append([*cells, random.choice(ACTIONS)] if kind == DELTA else cells)
    order = list(range(len(columns)))
    if random.random() < 0.3:
        random.shuffle(order)
    newline = random.choice(("\n", "\r\n"))
    text = io.StringIO()
    quoting: Literal[0, 1] = csv.QUOTE_ALL if random.random() < 0.3 else csv.QUOTE_MINIMAL
    writer = csv.writer(text, quoting=quoting, lineterminator=newline)
    writer.writerows([[row[place] for place in order] for row in [columns, *rows]])
    content = text.getvalue().removesuffix(newline) + newline * random.choice((0, 1, 1, 1, 2))
    return random.choice((b"", b"", b"", BOM)) + content.encode()


def _cell(random: Random) -> str:
    if random.random() < 0.7:
        return random.choice(CELLS)
    text = random.choice(ODD_TEXTS).text
    return text if len(text) < 1000 else text[:1000]


def _span(random: Random, content: bytes, longest: int = 12) -> tuple[int, int]:
    start = random.randint(0, len(content))
    return start, min(len(content), start + random.randint(1, longest))


def insert(random: Random, content: bytes) -> bytes:
    """Put something in anywhere."""
    place = random.randint(0, len(content))
    return content[:place] + random.choice(PIECES) + content[place:]


def insert_beside(random: Random, content: bytes) -> bytes:
    """Put something in before or after a comma, a quote or a line end."""
    places = [place for place, byte in enumerate(content) if byte in b',"\n']
    place = random.choice(places or [0]) + random.randint(0, 1)
    return content[:place] + random.choice(PIECES) + content[place:]


def replace(random: Random, content: bytes) -> bytes:
    """Write something over some bytes."""
    start, end = _span(random, content, 4)
    return content[:start] + random.choice(PIECES) + content[end:]


def flip(random: Random, content: bytes) -> bytes:
    """Flip one bit."""
    if not content:
        return b"\x01"
    place = random.randrange(len(content))
    return (
        content[:place] + bytes([content[place] ^ 1 << random.randrange(8)]) + content[place + 1 :]
    )


def drop(random: Random, content: bytes) -> bytes:
    """Leave some bytes out."""
    start, end = _span(random, content)
    return content[:start] + content[end:]


def repeat(random: Random, content: bytes) -> bytes:
    """Write some bytes twice."""
    start, end = _span(random, content, 40)
    return content[:end] + content[start:end] + content[end:]


def cut(random: Random, content: bytes) -> bytes:
    """Cut the end off."""
    return content[: random.randint(0, len(content))]


def change_lines(random: Random, content: bytes) -> bytes:
    """Leave a line out, write one twice, or swap two."""
    lines = content.split(b"\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    what = random.randrange(3)
    if what == 0:
        del lines[one]
    elif what == 1:
        lines.insert(other, lines[one])
    else:
        lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def change_newlines(random: Random, content: bytes) -> bytes:
    """Write all line ends in another way, or one."""
    old, new = random.choice(((b"\r\n", b"\n"), (b"\n", b"\r\n"), (b"\n", b"\r"), (b"\r\n", b"\r")))
    return content.replace(old, new, random.choice((1, -1)))


def upper(_: Random, content: bytes) -> bytes:
    """Write letters as capitals."""
    return content.upper()


MUTATIONS: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(insert, insert_beside, insert_beside, replace, flip, drop, repeat, cut),
    *(change_lines, change_lines, change_newlines, upper),
)

NAME_PIECES = (
    *(
        "_",
        "__",
        "-",
        " ",
        ".",
        ".csv",
        ".CSV",
        ".gz",
        "delta",
        "_delta_",
        "initial",
        "s",
        "A",
        "é",
    ),
    *("0", "2", "202502", "202513", "2025", "٢", "２", "\n", "\t", "\x1b[2J", "\u200b", "\u202e"),
    *("\udcff", "'", '"', "\\", ":", ";", "*", "?", "%", "~", "(1)", "\ufeff", "agents", "#", "&"),
)


def mutated_name(random: Random) -> str:
    """Draw a name of a file in a data folder, mostly one that fits no table."""
    table = random.choice([*COLUMNS])
    name = random.choice((f"{table}.csv", f"{table}_delta_2025{random.randint(0, 14):02}.csv"))
    for _ in range(random.randint(0, 3)):
        start = random.randint(0, len(name))
        end = min(len(name), start + random.randint(0, 2))
        name = name[:start] + random.choice(("", *NAME_PIECES)) + name[end:]
    return name.upper() if random.random() < 0.03 else name or "x"
