"""CSV files become rows, or all that is wrong with them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import InputRefused, Ledger
from ledger.datasets.support.description import SUPPORT
from ledger.delivery.csv_reader import Row, _RowReader
from ledger.errors import Problems
from ledger.model.dataset import Kind
from tests.strategies_files import (
    BOM,
    HEADER,
    PATH,
    PLACES,
    Content,
    SoundFile,
    any_cuts,
    read,
    read_rows,
    sound_files,
    trapped_bytes,
)

Told = list[tuple[str, int | None, str | None]]

SAMPLES = Path(__file__).parent.parent / "data"
START = b"place_id,name,note,action\n"
SOUND_ROW = b"p9,Reading,far,add\n"
REPEATED_ROWS = 150
MEBIBYTE = 1024 * 1024

thorough = settings(deadline=None, max_examples=250)


def read_after_header(rows: bytes, kind: Kind = Kind.DELTA) -> Content:
    return read((",".join(HEADER[kind]) + "\n").encode() + rows, kind)


# What is accepted, exactly -----------------------------------------------------------------------


@given(sound_files(), any_cuts)
@thorough
def test_what_a_csv_library_writes_reads_back_exactly(file: SoundFile, cuts: list[int]) -> None:
    content = read(file.content, file.kind, cuts)
    assert content.told == []
    assert content.rows == file.rows


@given(sound_files(), st.data())
@thorough
def test_the_rows_before_a_cut_are_as_they_were(file: SoundFile, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(file.content)))
    content = read(file.content[:end], file.kind)
    whole = content.rows[:-1]
    assert whole == file.rows[: len(whole)]
    assert len(content.rows) <= len(file.rows)


@given(sound_files(), trapped_bytes)
@thorough
def test_what_follows_on_sound_rows_does_not_change_them(file: SoundFile, rest: bytes) -> None:
    # Without its blank last lines, which would be blank lines in the middle.
    sound = file.content.rstrip(b"\r\n") + b"\n"
    content = read(sound + rest, file.kind)
    assert content.rows[: len(file.rows)] == file.rows


@given(trapped_bytes, any_cuts, st.sampled_from(Kind))
@thorough
def test_where_the_bytes_are_cut_does_not_matter(
    content: bytes, cuts: list[int], kind: Kind
) -> None:
    at_once, cut = read(content, kind), read(content, kind, cuts)
    assert cut.rows == at_once.rows
    assert list(cut.problems) == list(at_once.problems)


@given(
    st.one_of(trapped_bytes, sound_files().map(attrgetter("content"))),
    any_cuts,
    st.sampled_from(Kind),
)
@thorough
def test_what_is_taken_apart_as_a_whole_is_what_is_read_row_by_row(
    content: bytes, cuts: list[int], kind: Kind
) -> None:
    as_a_whole = read(content, kind, cuts)
    with patch.object(_RowReader, "_plain_block", lambda *_: None):
        assert read(content, kind, cuts) == as_a_whole


def test_rows_without_traps_are_taken_apart_as_a_whole() -> None:
    rows = b"".join(b"p%d,Reading,far out , Update\r\n" % number for number in range(1000))
    with patch.object(_RowReader, "_checked_blocks", side_effect=AssertionError):
        assert len(read_after_header(rows).rows) == 1000


@given(st.binary(max_size=300))
@thorough
def test_any_bytes_end_in_rows_or_problems(content: bytes) -> None:
    result = read(content)
    assert result.problems.total > 0 or content.removeprefix(BOM).startswith(b"place_id")


@given(st.lists(st.sampled_from(['"', '""', ",", "\n", " ", "x", "add", '"x"', "p,n,t,add\n"])))
@thorough
def test_a_file_without_problems_is_what_the_csv_module_reads(parts: list[str]) -> None:
    text = START.decode() + "".join(parts)
    result = read(text.encode())
    if not result.problems:
        # Not strict: blanks after a closing quote are no fault.
        expected = [r for r in csv.reader(io.StringIO(text, newline="")) if "".join(r).strip(" ")]
        found = [[*(cell or "" for cell in row.cells), row.action] for row in result.rows]
        assert found == [[cell.strip(" ") for cell in record] for record in expected[1:]]


@given(st.lists(st.sampled_from(['"', '""', ",", "\n", " ", "x", "add", '"x"', "p,n,t,add\n"])))
@thorough
def test_a_file_in_which_the_csv_module_finds_no_trap_has_no_problems(parts: list[str]) -> None:
    text = START.decode() + "".join(parts)
    try:
        records = list(csv.reader(io.StringIO(text.rstrip("\n "), newline=""), strict=True))
    except csv.Error:
        return
    quoted = any('"' in cell for record in records for cell in record)
    shaped = all(len(r) == 4 and r[0].strip(" ") and r[3].strip(" ") == "add" for r in records[1:])
    if shaped and not quoted:
        assert read(text.encode()).told == []


@pytest.mark.parametrize("text", ["NA", "null", "None", "NaN", "-", "007", "1" * 20, "\u00a0", "0"])
def test_nothing_is_guessed_from_a_text(text: str) -> None:
    row = f"{text},{text},{text},add\n".encode()
    assert read_after_header(row).rows == [Row(2, "add", [text, text, text])]


def test_spaces_and_tabs_round_a_cell_do_not_count() -> None:
    content = read_after_header(b" p1\t,\t a b  , \t , update ")
    assert content.rows == [Row(2, "update", ["p1", "a b", None])]
    assert content.told == []


def test_a_space_is_taken_off_and_a_no_break_space_is_not() -> None:
    row = "\u00a0p1\u00a0 ,\u2003x,\x1cy\x0b,add\n".encode()
    assert read_after_header(row).rows == [
        Row(2, "add", ["\u00a0p1\u00a0", "\u2003x", "\x1cy\x0b"])
    ]


@pytest.mark.parametrize("blanks", [b" ", b"\t", b"  \t"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_blanks_after_a_closing_quote_do_not_count(blanks: bytes, end: bytes) -> None:
    rows = b'p1,"Boston, ""MA""",x\n"p2"_,"a\nb"_,"Boston, MA"_'.replace(b"_", blanks) + end
    content = read_after_header(rows, Kind.INITIAL)
    assert content.told == []
    assert content.rows == [
        Row(2, "add", ["p1", 'Boston, "MA"', "x"]),
        Row(3, "add", ["p2", "a\nb", "Boston, MA"]),
    ]


def test_blanks_within_quotes_that_end_a_cell_do_not_count() -> None:
    assert read_after_header(b'p1," a ","\t",add\n').rows == [Row(2, "add", ["p1", "a", None])]


def test_what_follows_on_blanks_after_a_quote_is_read_on() -> None:
    content = read_after_header(b'p1,"a" ,x,add\np2,"b\n\nc" ,y,add\np3,d,z,add\n')
    assert content.rows == [
        Row(2, "add", ["p1", "a", "x"]),
        Row(3, "add", ["p2", "b\n\nc", "y"]),
        Row(6, "add", ["p3", "d", "z"]),
    ]


def test_rows_are_named_by_the_line_on_which_they_start() -> None:
    rows = b'p1,"a\r\n\r\nb",x,add\r\np2,"\n","\n\n",add\np3,,,delete'
    assert [row.line for row in read_after_header(rows).rows] == [2, 5, 9]


def test_line_ends_may_be_mixed() -> None:
    content = read_after_header(b"p1,a,,add\r\np2,b,,add\np3,c,,add\r\n")
    assert [row.cells[1] for row in content.rows] == ["a", "b", "c"]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\r\n\n", b"\n \n\t\r\n"])
def test_blank_lines_at_the_end_are_allowed(end: bytes) -> None:
    content = read_after_header(b"p1,a,,add" + end)
    assert len(content.rows) == 1
    assert content.told == []


def test_a_header_alone_is_a_file_without_rows() -> None:
    for header in (START, START.strip(), BOM + START, b'"place_id" , name,note\t,"action"\r\n'):
        content = read(header)
        assert (content.rows, content.told) == ([], [])


@pytest.mark.parametrize("written", ["ADD", "Add", " add", "add\t"])
def test_an_action_is_read_in_any_case(written: str) -> None:
    assert read_after_header(f"p1,a,,{written}\n".encode()).rows[0].action == "add"


def test_every_row_of_an_initial_extract_is_an_addition() -> None:
    content = read_after_header(b"p1,a,\np2,,\n", Kind.INITIAL)
    assert content.rows == [Row(2, "add", ["p1", "a", None]), Row(3, "add", ["p2", None, None])]


def test_the_longest_cell_is_read() -> None:
    long = b"x" * MEBIBYTE
    rows = b"p1," + long + b',"' + b'""' * MEBIBYTE + b'",add\n'
    content = read_after_header(rows)
    assert content.told == []
    assert content.rows[0].cells == ["p1", long.decode(), '"' * MEBIBYTE]


def test_the_longest_row_is_read() -> None:
    row = b",".join([b'"' + b'""' * MEBIBYTE + b'"'] * 3)
    content = read_after_header(row, Kind.INITIAL)
    assert content.told == []
    assert content.rows[0].cells == ['"' * MEBIBYTE] * 3


def test_the_sample_deliveries_are_sound() -> None:
    for path in sorted((SAMPLES / "initial").glob("*.csv")):
        problems = Problems()
        chunks = [path.read_bytes()]
        table = SUPPORT.table(path.stem)
        rows = list(read_rows(chunks, table, Kind.INITIAL, PATH, problems))
        assert rows
        assert not problems


# What is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (b"p1,\xff,x,add\n", ("invalid-utf-8", 2, None)),
        (b"p1,a,x,add\np2,\xc3\n", ("invalid-utf-8", 3, None)),
        (b"p1,a\0b,x,add\n", ("nul", 2, None)),
        (b'p1,"a\n\0b",x,add\n', ("nul", 3, None)),
        (b'p1,a,x,add\np2,"b,x,add\np3,c,x,add\n', ("unbalanced-quote", 3, "name")),
        (b'p1,"a\nb","x\n\n', ("unbalanced-quote", 3, "note")),
        (b'p1,a,x,"add', ("unbalanced-quote", 2, "action")),
        (b'p1,"a"b,x,add\n', ("text-after-quote", 2, "name")),
        (b'p1,"a" "b",x,add\n', ("text-after-quote", 2, "name")),
        (b'p1,"a\n" b,x,add\n', ("text-after-quote", 2, "name")),
        (b'p1,a"b,x,add\n', ("stray-quote", 2, "name")),
        (b'p1,a,x"y",add\n', ("stray-quote", 2, "note")),
        (b'p1, "a, b",x,add\n', ("stray-quote", 2, "name")),
        (b'p1,"a\nb",x"y,add\n', ("stray-quote", 3, "note")),
        (b"p1,a,add\n", ("short-row", 2, None)),
        (b"p1\n", ("short-row", 2, None)),
        (b"p1,a,x,add,\n", ("long-row", 2, None)),
        (b"p1,a,x,y,add\n", ("long-row", 2, None)),
        (b"p1,a,x,add\n\np2,b,x,add\n", ("blank-line", 3, None)),
        (b"\n\n\t\n\np2,b,x,add\n", ("blank-line", 2, None)),
        (b'p1,"a\n\n",x,add\n \r\np2,b,x,add', ("blank-line", 5, None)),
        (b"p1,a\rb,x,add\n", ("lone-cr", 2, None)),
        (b'p1,"a\n\rb",x,add\n', ("lone-cr", 3, None)),
        (b"p1,a,x,add\r", ("lone-cr", 2, None)),
        (b'p1,"a"\r,x,add\n', ("lone-cr", 2, None)),
        (b"p1,a,x,insert\n", ("unknown-action", 2, "action")),
        (b"p1,a,x,\xc2\xa0add\n", ("unknown-action", 2, "action")),
        (b"p1,a,x, \t\n", ("empty-action", 2, "action")),
        (b" \t,a,x,add\n", ("empty-key", 2, "place_id")),
        (b'"",a,x,delete\n', ("empty-key", 2, "place_id")),
    ],
)
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_a_fault_is_told_where_it_stands(
    rows: bytes, told: tuple[str, int | None, str | None], newline: bytes
) -> None:
    content = (START + rows).replace(b"\r\n", b"\n").replace(b"\n", newline)
    for cuts in (range(0), range(1, len(content))):
        assert read(content, cuts=cuts).told == [told]
        assert read(BOM + content, cuts=cuts).told == [told]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (b"upsert,x,a,p1\n", ("unknown-action", 2, "action")),
        (b"add,x,a,\n", ("empty-key", 2, "place_id")),
        (b'add,"x"y,a,p1\n', ("text-after-quote", 2, "note")),
        (b'"add,x,a,p1\n', ("unbalanced-quote", 2, "action")),
    ],
)
def test_a_column_in_another_order_is_named_as_the_header_does(
    row: bytes, told: tuple[str, int, str]
) -> None:
    assert read(b"action,note,name,place_id\n" + row).told == [told]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused(encoding: str) -> None:
    content = (START + SOUND_ROW).decode().encode(encoding)
    for cuts in (range(0), range(1, len(content))):
        assert read(content, cuts=cuts).told == [("utf-16", 1, None)]


@pytest.mark.parametrize("content", [b"", BOM])
def test_an_empty_file_is_refused(content: bytes) -> None:
    assert read(content).told == [("empty-file", None, None)]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_is_refused(delimiter: str) -> None:
    content = (START + SOUND_ROW).decode().replace(",", delimiter).encode()
    assert read(content).told == [("delimiter", 1, None)]
    names = delimiter.join(f'"{name}"' for name in HEADER[Kind.DELTA])
    assert read(names.encode() + b"\n" + SOUND_ROW).told == [("delimiter", 1, None)]


@pytest.mark.parametrize(
    ("header", "code"),
    [(b"place_id,na\0me,no\0te\n", "nul"), (b"place_id,name,note\rp1,a,x\rp2,b,y\r", "lone-cr")],
)
def test_of_a_header_with_wrong_characters_nothing_else_is_told(header: bytes, code: str) -> None:
    content = read(header + SOUND_ROW)
    assert (content.rows, content.told) == ([], [(code, 1, None)])


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("place_id,name,name,note,action", [("column-duplicate", 1, "name")]),
        ("place_id,name,note,,action", [("column-blank", 1, None)]),
        ("place_id,name,note,action,", [("column-blank", 1, None)]),
        ("place_id,name,action", [("column-missing", 1, "note")]),
        ("place_id,name,note", [("column-missing", 1, "action")]),
        ("place_id,name,note,colour,action", [("column-extra", 1, "colour")]),
        ("place_id,Name,note,action", [("column-case", 1, "Name")]),
        ("PLACE_ID,name,note,ACTION", [
            ("column-case", 1, "PLACE_ID"), ("column-case", 1, "ACTION")]),
        ("place_id,name,Name,note,action", [("column-case", 1, "Name")]),
        ("place_id,title,note,action", [
            ("column-extra", 1, "title"), ("column-missing", 1, "name")]),
        ("\ufeffplace_id,name,note,action", [
            ("column-extra", 1, "\ufeffplace_id"), ("column-missing", 1, "place_id")]),
        ("", [("blank-line", 1, None)]),
        (" \t", [("blank-line", 1, None)]),
        (",,,", [("blank-line", 1, None)]),
        ('"place_id"x,name,note,action', [("text-after-quote", 1, None)]),
        ('place_id,na"me,note,action', [("stray-quote", 1, None)]),
    ],
)  # fmt: skip
def test_a_header_must_have_exactly_the_columns(header: str, told: Told) -> None:
    for bom in (b"", BOM):
        content = bom + f"{header}\n".encode() + SOUND_ROW
        if not bom and header.startswith("\ufeff"):
            continue
        assert read(content).told == told
        assert read(content).rows == []


def test_an_initial_extract_has_no_action() -> None:
    assert read(START, Kind.INITIAL).told == [("column-extra", 1, "action")]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (b"x" * (MEBIBYTE + 1), "a cell of more than 1 MiB"),
        (b'"' + b"x\n" * (MEBIBYTE // 2) + b'y"', "a cell of more than 1 MiB"),
        (b'"' + b"x" * MEBIBYTE + b'" ', "a cell of more than 1 MiB"),
        (b'"' + b"x\n" * MEBIBYTE, "never closed"),
    ],
    ids=["plain", "quoted", "quoted-and-blank", "unbalanced"],
)
def test_a_cell_longer_than_a_mebibyte_is_refused(cell: bytes, words: str) -> None:
    content = read_after_header(b"p1,a,x,add\np2," + cell + b",x,add\np3,a,x,add\n")
    assert content.told == [("field-too-long", 3, "name")]
    assert content.only_problem.message.endswith(words)
    assert content.rows == [Row(2, "add", ["p1", "a", "x"])]


def test_a_row_cut_off_is_told_to_look_so() -> None:
    cut = read_after_header(b"p1,a,x,add\np2,b")
    assert cut.told == [("short-row", 3, None)]
    assert "the file looks cut" in cut.only_problem.message
    for sound_end in (b"p1,a,x,add\np2,b\n", b"p1,a,x,add\np2,b,x,add,y"):
        assert "the file looks cut" not in read_after_header(sound_end).only_problem.message


def test_the_offending_value_is_shown() -> None:
    problem = read_after_header(b"p1,a,x,Upsert\n").only_problem
    message = "the action must be add, update or delete"
    assert str(problem) == f"places.csv:2:action: unknown-action: {message}: 'Upsert'"
    problem = read_after_header(b'p1,"a\nb"c,x,add\n').only_problem
    assert problem.value == '"a'


def test_characters_that_cannot_be_seen_are_shown_as_escapes() -> None:
    told = [
        str(problem) for problem in read("\ufeff\ufeffplace_id,na\x1b[2Jme,note".encode()).problems
    ]
    assert [text for text in told if not text.isprintable()] == []
    assert (
        told[0] == "places.csv:1:\\ufeffplace_id: column-extra: a column that places does not have"
    )
    assert r"na\x1b[2Jme" in told[1]


def test_all_problems_of_a_file_are_told_at_once() -> None:
    rows = [
        b"p1,a,x,upsert",
        b"p2,a,x",
        b",a,x,insert",
        b'p4,"a"b,x,add',
        b'p5,"a" b,"x,',
        b'y",add',
        b'p6,a"b,x,add',
        b"p7,a\0,\rx,add",
        b"p8,a,x,add",
        b"",
        b"p9,a,x,add,",
        b'p10,"a\n\nb",x,',
        b"p11,a,x,add",
        b'p12,"a,x,add',
        b"p13,\xff,x,add",
    ]
    content = read_after_header(b"\n".join(rows))
    assert content.told == [
        ("unknown-action", 2, "action"),
        ("short-row", 3, None),
        ("unknown-action", 4, "action"),
        ("empty-key", 4, "place_id"),
        ("text-after-quote", 5, "name"),
        ("text-after-quote", 6, "name"),
        ("stray-quote", 8, "name"),
        ("nul", 9, None),
        ("lone-cr", 9, None),
        ("blank-line", 11, None),
        ("long-row", 12, None),
        ("empty-action", 13, "action"),
        ("invalid-utf-8", 18, None),
    ]
    assert [row.cells[0] for row in content.rows] == ["p7", "p8", "p11"]


def test_a_blank_line_before_a_misquoted_row_is_told() -> None:
    assert read_after_header(b'p1,a,x,add\n\np2,a"b,x,add\n').told == [
        ("blank-line", 3, None),
        ("stray-quote", 4, "name"),
    ]


def test_of_many_problems_a_hundred_are_kept_and_all_are_counted() -> None:
    content = read_after_header(b"p1,a,x,upsert\n" * REPEATED_ROWS)
    assert len(content.told) == 100
    assert content.problems.total == REPEATED_ROWS


def test_problems_of_several_files_come_together() -> None:
    problems = Problems()
    for path in ("a.csv", "b.csv"):
        list(read_rows([START, b"p1,a\n"], PLACES, Kind.DELTA, path, problems))
    assert [problem.path for problem in problems] == ["a.csv", "b.csv"]


def test_rows_come_before_the_file_is_read_to_its_end() -> None:
    def chunks() -> Iterator[bytes]:
        yield START
        yield SOUND_ROW
        pytest.fail("a row was there already")

    rows = read_rows(chunks(), PLACES, Kind.DELTA, PATH, Problems())
    assert next(rows).cells[0] == "p9"


def test_the_same_key_twice_in_an_initial_extract_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "initial"
    folder.mkdir(parents=True)
    path = folder / "contact_centers.csv"
    path.write_text(
        'contact_center_id,contact_center_name,location\nA,"x\ny",\nB,x,\nA ,z,\na,x,\nB,x,\n'
    )
    ledger = Ledger(tmp_path / "ledger.db")
    with pytest.raises(InputRefused) as refused:
        ledger.ingest(tmp_path / "data", initial_month="202501")
    assert [(p.path, p.code, p.line, p.column, p.value) for p in refused.value.problems] == [
        (str(path), "duplicate-key", 5, "contact_center_id", "A"),
        (str(path), "duplicate-key", 7, "contact_center_id", "B"),
    ]
    assert not ledger.path.exists()
