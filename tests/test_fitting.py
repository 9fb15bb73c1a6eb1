"""Texts in the width of a terminal: nothing is cut, and everything has room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.cli.layout import EIGHTHS, bars, facts, fitted, paragraph, records, width_of

words = st.text(st.sampled_from("abcäß漢字😀-.1"), min_size=1, max_size=6)
sentences = st.lists(words, max_size=6).map(" ".join)
names = st.lists(st.text("abc漢", min_size=1, max_size=6), min_size=1, max_size=3).map("_".join)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]], list[bool]]:
    columns = draw(st.lists(names, min_size=1, max_size=5))
    row = st.lists(sentences, min_size=len(columns), max_size=len(columns))
    numeric = st.lists(st.booleans(), min_size=len(columns), max_size=len(columns))
    return columns, draw(st.lists(row, min_size=1, max_size=4)), draw(numeric)


def letters(text: str) -> list[str]:
    return sorted(text.replace(" ", "").replace("\n", ""))


@given(tables(), st.integers(48, 100))
def test_a_table_has_room_and_nothing_of_it_is_cut(
    table: tuple[list[str], list[list[str]], list[bool]], room: int
) -> None:
    columns, rows, numeric = table
    text = fitted(columns, rows, numeric, room)
    assert all(width_of(line) <= room for line in text.splitlines())
    head, rule, body = text.partition("\n-")
    if rule:
        cells = "".join("".join(row) for row in rows)
        assert letters(head) == letters("".join(columns))
        assert letters(body.partition("\n")[2]) == letters(cells)
    else:
        assert text == records(columns, rows, room)


@given(st.lists(st.tuples(words, sentences), min_size=1), st.integers(20, 40))
def test_facts_have_room_and_nothing_of_them_is_cut(
    pairs: list[tuple[str, str]], room: int
) -> None:
    text = facts(pairs, room)
    assert all(width_of(line) <= room for line in text.splitlines())
    assert letters(text) == letters("".join(name + value for name, value in pairs))


def test_cells_are_broken_at_blanks_and_numbers_stand_to_the_right() -> None:
    rows = [["Richmond VA E", "12345"], ["Atlanta GA SE", "7"]]
    text = fitted(["contact_center_name", "total_calls"], rows, [False, True], 20)
    assert text.splitlines() == [
        "contact_      total_",
        "center_name    calls",
        "------------  ------",
        "Richmond VA    12345",
        "E",
        "Atlanta GA         7",
        "SE",
    ]


def test_paths_are_broken_only_where_blanks_do_not_suffice() -> None:
    rows = [["delta/agents_delta_202502.csv", "sent anew by the centre"]]
    assert "delta/agents_delta_202502.csv" in fitted(["file", "why"], rows, [False, False], 40)
    assert fitted(["file", "why"], rows, [False, False], 30).splitlines()[2:] == [
        "delta/agents_   sent anew by",
        "delta_          the centre",
        "202502.csv",
    ]


@pytest.mark.parametrize("room", [20, 30])
def test_what_has_no_room_in_columns_stands_one_below_the_other(room: int) -> None:
    rows = [["1", "66fc45dbee6b", "", "d3f5de1f7015"], ["2", "", "late", "aa"]]
    text = fitted(["batch", "head", "flags", "sha256"], rows, [True] + [False] * 3, room)
    assert text == (
        "batch   1\nhead    66fc45dbee6b\nsha256  d3f5de1f7015\n\n"
        "batch   2\nflags   late\nsha256  aa"
    )


def test_a_word_wider_than_the_terminal_is_whole_below_its_name() -> None:
    assert facts([("head", "f" * 64), ("events", "62")], 40) == f"head\n  {'f' * 64}\nevents  62"


def test_a_paragraph_keeps_its_indent() -> None:
    assert paragraph("    one two three four", 12) == "    one two\n    three\n    four"
    assert paragraph("one two", 7) == "one two"


def test_bars_are_in_proportion_and_none_is_invisible() -> None:
    figures = {"202501": 80, "202502": 41, "202503": 0, "202504": 1_000_000}
    assert [bar for _, bar in bars(figures, 80, blocks=True)] == ["▏", "▏", "", "█" * 40]
    assert [bar for _, bar in bars(figures, 80, blocks=False)] == ["#", "#", "", "#" * 40]
    lines = [text + bar for text, bar in bars({"a": 16, "b": 9}, 15, blocks=True)]
    assert lines == ["a  16  ████████", "b   9  ████▌"]
    assert list(bars({"a": 0}, 80, blocks=True)) == [("a  0  ", "")]
    assert len(set(EIGHTHS)) == 9
