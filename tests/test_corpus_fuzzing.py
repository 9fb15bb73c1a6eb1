"""Whole files, mutated: refused without a trace, or recorded exactly as another reader reads them.

`python -m tests.corpus` delivers a hundred thousand of them; here are some hundreds.
"""

from __future__ import annotations

import sys

import pytest

from tests.corpus.fuzzing import Tally, bench, fuzz, fuzz_cuts, fuzz_names
from tests.corpus.mutations import Mutant
from tests.corpus.reader import Faulty, Row, read_delivery
from tests.corpus.sabotage import SABOTAGES
from tests.corpus.sound import DELTA, INITIAL, KINDS, every_sound, sound
from tests.strategies import COLUMNS

SEED = 20250301
MUTANTS = 500
NAMES = 300
CENTERS = COLUMNS["contact_centers"]
HEADER = ",".join(CENTERS).encode()


def read(rows: bytes) -> list[tuple[str | None, ...]]:
    found = read_delivery(HEADER + b"\n" + rows, CENTERS, delta=False)
    return [(str(row.line), *row.cells.values()) for row in found]


# The other reader is right ------------------------------------------------------------------------


def test_the_other_reader_reads_what_a_delivery_may_have() -> None:
    rows = b'A, "x ,y\r\n"B" ,"a ""b""\r\n,c",\t z\n\n \n'.replace(b' "x', b"x")
    assert read(rows) == [("2", "A", "x", "y"), ("3", "B", 'a "b"\r\n,c', "z")]


@pytest.mark.parametrize(
    "rows",
    [b"A,x\n", b"A,x,y,z\n", b"\nA,x,y\n", b",x,y\n", b"A,x,y\nA,x,y\n", b"A,x\0,y\n", b"A,x\r,y\n",
     b"A,\xff,y\n", b'A,"x,y\n', b'A,x"y,z\n', b'A,"x"y,z\n', b'A, "x",y\n', b"A," + b"x" * 1048577
     + b",y\n"],
)  # fmt: skip
def test_the_other_reader_refuses_what_a_delivery_may_not_have(rows: bytes) -> None:
    with pytest.raises(Faulty):
        read(rows)


def test_the_other_reader_reads_every_sound_delivery() -> None:
    for base in every_sound():
        delta = base.kind == DELTA
        rows = read_delivery(base.content(), COLUMNS[base.table], delta=delta)
        assert len(rows) == 5
        assert rows[0] == Row(
            2, "add", dict(zip(COLUMNS[base.table], base.records[1], strict=False))
        )
        assert rows[3].line == 6


# And the ledger does as it says -------------------------------------------------------------------


def test_mutated_files_are_refused_without_a_trace_or_recorded_exactly() -> None:
    tally = fuzz(SEED, range(MUTANTS))
    assert tally.discrepancies == [], str(tally)
    assert tally.accepted.total() > MUTANTS / 5
    assert tally.refused.total() > MUTANTS / 5
    assert tally.exports


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_at_any_byte_is_refused_or_recorded_exactly(kind: str) -> None:
    base = sound("contact_centers", kind, b"\r\n")
    tally = fuzz_cuts([Mutant(base.table, base.kind, base.content())])
    assert tally.discrepancies == []
    # At the end of each row; of an extract also within a last cell, which nothing tells.
    assert tally.accepted.total() > 5


@pytest.mark.skipif(sys.platform != "linux", reason="not every name can be given elsewhere")
def test_files_of_odd_names_are_taken_refused_or_left_alone() -> None:
    assert fuzz_names(SEED, range(NAMES)) == []


# It can fail --------------------------------------------------------------------------------------


def discrepancies(name: str, content: bytes) -> Tally:
    with SABOTAGES[name](), bench() as to_deliver:
        try:
            to_deliver.deliver(Mutant("contact_centers", INITIAL, content))
        except Exception as error:
            to_deliver.tally.discrepancies.append(repr(error))
        return to_deliver.tally


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("ragged rows are filled up and cut", b"A,x\n"),
        ("lone carriage returns are let through", b"A,x\ry,z\n"),
        ("NULs are let through", b"A,x\0y,z\n"),
        ("blank lines are passed over", b"A,x,y\n\nB,x,y\n"),
        ("what is no UTF-8 is replaced", b"A,Ren\xe9e,y\n"),
        ("lines are split as str.splitlines does", "A,x\u2028,y\n".encode()),
        ("stray quotes are let through", b'A,x"y,z\n'),
        ("cells are trimmed as str.strip does", "A,\u00a0x,y\n".encode()),
        ("a key may stand twice in an extract", b"A,x,y\nA,x,z\n"),
        ("rows are counted from the line after", b"A,x,y\n"),
        ("sound rows of a refused file are kept", b"A,x,y\nB,x\n"),
        ("digits lose their zeros", b"007,x,y\n"),
    ],
)
def test_it_finds_what_is_broken(name: str, rows: bytes) -> None:
    assert discrepancies(name, HEADER + b"\n" + rows).discrepancies
