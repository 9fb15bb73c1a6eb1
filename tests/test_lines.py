"""Bytes become physical lines: encoding, line ends, NULs, however the bytes are cut."""

from __future__ import annotations

import codecs
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.delivery.line_reader import LineReader, UnreadableText
from ledger.errors import Problem, Problems
from tests.strategies_files import BOM, any_cuts, pieces, texts, trapped_bytes

LONGEST = 60
ANY_LENGTH = 10**6

bytewise = settings(deadline=None, max_examples=200)


def lines_of(
    content: bytes, cuts: list[int] | None = None, longest: int = ANY_LENGTH
) -> tuple[list[str], list[Problem]]:
    """The lines of a file, and its problems, the one that ends it last."""
    problems = Problems()
    lines = LineReader(pieces(content, cuts or []), "f.csv", longest, problems)
    read: list[str] = []
    try:
        for line in lines:
            read.append(line)
    except UnreadableText as unreadable:
        problems.add(unreadable.problem)
    assert lines.count == len(read)
    assert lines.record == read
    return read, list(problems)


def bytewise_cuts(content: bytes) -> list[int]:
    return list(range(1, len(content)))


def test_lines_keep_their_ends() -> None:
    assert lines_of(b"a\nb\r\n\nc") == (["a\n", "b\r\n", "\n", "c"], [])


def test_nothing_has_no_lines() -> None:
    assert lines_of(b"") == ([], [])
    assert lines_of(BOM) == ([], [])


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\v", "\f", "\x1c", "\x1e"])
def test_other_line_ends_are_text(character: str) -> None:
    text = f"a{character}b\n"
    assert lines_of(text.encode()) == ([text], [])


def test_a_bom_is_taken_off_once_and_only_at_the_start() -> None:
    assert lines_of(BOM + BOM + b"a\n" + BOM) == (["\ufeffa\n", "\ufeff"], [])


@given(st.lists(texts), st.sampled_from(["\n", "\r\n"]), any_cuts)
@bytewise
def test_text_in_utf_8_comes_back(parts: list[str], newline: str, cuts: list[int]) -> None:
    # A letter first, for some beginnings are those of other formats.
    text = newline.join(["x", *parts])
    read, problems = lines_of(text.encode(), cuts)
    assert "".join(read) == text
    assert [line for line in read if "\n" in line[:-1]] == []
    assert problems == []


@given(trapped_bytes | st.binary(max_size=200), any_cuts, st.sampled_from([LONGEST, ANY_LENGTH]))
@bytewise
def test_where_the_bytes_are_cut_does_not_matter(
    content: bytes, cuts: list[int], longest: int
) -> None:
    assert lines_of(content, cuts, longest) == lines_of(content, None, longest)


@given(st.binary(max_size=80))
@bytewise
def test_bytes_one_by_one_give_the_same_as_all_at_once(content: bytes) -> None:
    assert lines_of(content, bytewise_cuts(content)) == lines_of(content)


@given(st.binary(max_size=40).filter(lambda some: b"\0" not in some))
@bytewise
def test_what_is_no_utf_8_is_told_at_its_byte(content: bytes) -> None:
    data = b"a,b\n" + content
    # What is no UTF-8 turns into lone surrogates, of which sound text has none.
    sound = re.split("[\udc80-\udcff]", data.decode(errors="surrogateescape"))[0].encode()
    problems = [problem for problem in lines_of(data)[1] if problem.code == "invalid-utf-8"]
    if sound == data:
        assert problems == []
    else:
        (problem,) = problems
        assert f"byte {len(sound)} is not UTF-8" in problem.message
        assert problem.line == 1 + sound.count(b"\n")


@pytest.mark.parametrize("bom", [b"", BOM], ids=["plain", "bom"])
def test_the_lines_before_a_byte_that_is_no_utf_8_are_read(bom: bytes) -> None:
    read, (problem,) = lines_of(bom + b"one\ntwo\nthr\xffee\nfour\n")
    assert read == ["one\n", "two\n"]
    assert (problem.code, problem.line) == ("invalid-utf-8", 3)
    assert problem.message == f"byte {11 + len(bom)} is not UTF-8 (ff: invalid start byte)"


def test_a_character_cut_off_at_the_end_is_no_utf_8() -> None:
    read, (problem,) = lines_of("a\né".encode()[:-1])
    assert read == ["a\n"]
    assert (problem.code, problem.line) == ("invalid-utf-8", 2)
    assert problem.message == "byte 2 is not UTF-8 (c3: unexpected end of data)"


@pytest.mark.parametrize(
    "encoding", [f"utf-{n}{end}" for n in (16, 32) for end in ("", "-le", "-be")]
)
@pytest.mark.parametrize(
    "mark", [b"", codecs.BOM_UTF16_LE, codecs.BOM_UTF32_BE], ids=["plain", "marked", "marked-32"]
)
def test_utf_16_and_32_are_told_by_name(encoding: str, mark: bytes) -> None:
    content = mark + "place_id,name\n".encode(encoding)
    for cuts in ([], [1], bytewise_cuts(content)):
        read, (problem,) = lines_of(content, cuts)
        assert read == []
        assert (problem.code, problem.line) == ("utf-16", 1)


@pytest.mark.parametrize("mark", [b"", BOM], ids=["plain", "bom"])
@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        (b"\x1f\x8b\x08\0\0", "gzip"),
        (b"PK\x03\x04\x14\0", "zip or xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1", "xls"),
        (b"SQLite format 3\0", "SQLite"),
        (b"<!DOCTYPE html>\n", "HTML or XML"),
        (b'[{"place_id": 1}]\n', "JSON"),
    ],
)
def test_another_format_is_told_by_name(mark: bytes, beginning: bytes, name: str) -> None:
    content = mark + beginning
    for cuts in ([], [1], bytewise_cuts(content)):
        read, (problem,) = lines_of(content, cuts)
        assert read == []
        assert (problem.code, problem.line) == ("not-csv", 1)
        assert problem.message == f"the file is {name}, it seems; deliver it as CSV"


def test_a_nul_at_the_start_is_not_taken_for_another_encoding() -> None:
    read, (problem,) = lines_of(b"\0place_id,name\n")
    assert (read, problem.code) == (["place_id,name\n"], "nul")


def test_a_nul_is_told_and_taken_out() -> None:
    read, problems = lines_of(b"ab\nc\0d\n\0\0e\r\n")
    assert read == ["ab\n", "cd\n", "e\r\n"]
    assert [(problem.code, problem.line) for problem in problems] == [("nul", 2), ("nul", 3)]


@pytest.mark.parametrize("line", [b"a\rb\n", b"a\r\r\n", b"\ra\r\n", b"a\r"])
def test_a_lone_carriage_return_is_told(line: bytes) -> None:
    read, (problem,) = lines_of(b"first\r\n" + line)
    assert (problem.code, problem.line) == ("lone-cr", 2)
    assert len(read) == 2
    assert "\r" not in read[1].removesuffix("\r\n")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\nafter\n"])
def test_a_line_without_end_is_not_read(end: bytes) -> None:
    content = b"a\n" + b"x" * (LONGEST + 1) + end
    for cuts in ([], [10, 20, 40], bytewise_cuts(content)):
        read, (problem,) = lines_of(content, cuts, LONGEST)
        assert read == ["a\n"]
        assert (problem.code, problem.line) == ("field-too-long", 2)


def test_a_line_too_long_is_told_before_what_is_wrong_behind_it() -> None:
    content = b"x" * (LONGEST + 1) + b"\xff"
    for cuts in ([], [LONGEST], bytewise_cuts(content)):
        assert [problem.code for problem in lines_of(content, cuts, LONGEST)[1]] == [
            "field-too-long"
        ]


def test_a_line_of_the_greatest_length_is_read() -> None:
    content = b"x" * LONGEST + b"\n" + b"y" * LONGEST
    assert lines_of(content, [], LONGEST) == (["x" * LONGEST + "\n", "y" * LONGEST], [])


def test_a_quotation_mark_is_noticed() -> None:
    for content, quoted in ((b"a\nb\n", False), (b'a\n"b"\n', True)):
        lines = LineReader([content], "f.csv", ANY_LENGTH, Problems())
        assert len(list(lines)) == 2
        assert lines.quoted is quoted
