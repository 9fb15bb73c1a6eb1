"""Names, keys and reasons that are SQL, markup or commands to a terminal: always texts alone."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger
from ledger.cli.markdown import as_markdown
from ledger.store.schema import expected_schema
from tests.commands import Ran, invoke_ledger, run_ledger
from tests.strategies import small_file, write_data_folder

SQL = (
    "'; DROP TABLE agents_events; --",
    '"; DELETE FROM batches; --',
    "' OR '1'='1",
    "x') UNION SELECT sql FROM sqlite_schema --",
    "$key $events ${column} {key}",
    "? ?1 :name @name %s %(name)s",
    "/* comment */ `x` [x] ;",
)
MARKUP = (
    "<script>alert(1)</script>",
    '<img src="x" onerror="alert(1)">',
    "a | b | c",
    "[x](http://evil.example) ![x](x)",
    "http://evil.example www.evil.example",
    "# **x** _y_ `z` ~~w~~ $q$ \\",
    "1. one",
    "- &lt;b&gt;",
)
TERMINAL = (
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "a\nError: b",
    "a\r\nb",
    "\u202eabc\u200b",
    "\x9b1m",
)
NAMES = (*SQL, *MARKUP, *TERMINAL)
START = "2025-01-05T10:00:00Z"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger in which all keys, names and reasons are hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    calls = [
        (f"call {name}", START, "phone", name, name, name, START, START, START, "2")
        for name in NAMES
    ]
    corrected = small_file("contact_centers", 202502, *(("update", n, f"{n} now") for n in NAMES))
    files = [
        small_file("agents", None, *((name, name, name, name, name) for name in NAMES)),
        small_file("contact_centers", None, *((name, name, name) for name in NAMES)),
        small_file("service_categories", None, *((name, name, name) for name in NAMES)),
        small_file("interactions", None, *calls),
        small_file("contact_centers", 202502, *(("delete", name) for name in NAMES)),
    ]
    write_data_folder(folder / "data", files)
    ledger = Ledger(folder / "ledger.db")
    ledger.ingest(folder / "data")
    ledger.tag("signed")
    (path,) = write_data_folder(folder / "corrected", [corrected])
    ledger.ingest(files=[path], correct=" ".join(NAMES))
    ledger.project()
    return folder


def ran(work: Path, *arguments: str) -> Ran:
    done = invoke_ledger(*arguments, db=work / "ledger.db")
    assert done.code == 0, done.err
    return done


# As text


@pytest.mark.parametrize("is_stored", [True, False])
@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_names_are_exported_as_they_came(work: Path, format: str, is_stored: bool) -> None:
    as_of = "202502" if is_stored else "202501"
    Ledger(work / "ledger.db").at(as_of).export(work / format, names="as-was", format=format)
    rows: list[dict[str, Any]] = []
    path = work / format / f"interactions_final.{format}"
    if format == "csv":
        rows = [*csv.DictReader(io.StringIO(path.read_bytes().decode(), newline=""))]
    elif format == "json":
        rows = json.loads(path.read_text(encoding="utf-8"))
    else:
        rows = pq.read_table(path).to_pylist()
    assert {row["interaction_id"] for row in rows} == {f"call {name}" for name in NAMES}
    for row in rows:
        name = row["interaction_id"].removeprefix("call ")
        names = ("agent_name", "contact_center_name", "category_name", "department")
        assert [row[column] for column in names] == [name] * 4
        assert [row[c] for c in ("agent_id", "contact_center_id", "category_id")] == [name] * 3


def test_names_are_reported_and_answered_as_they_came(work: Path) -> None:
    rows = json.loads(ran(work, "report", "--json", "--dry-run").out)
    assert {row["contact_center_name"] for row in rows} == {f"{name} now" for name in NAMES}
    assert {row["department"] for row in rows} == set(NAMES)
    answers = json.loads(ran(work, "answers", "--json", "--sensitivity").out)["answers"]
    assert {row[0] for row in answers[0]["evidence"]} == {*(f"{n} now" for n in NAMES), "total"}


def test_editions_that_differ_in_names_are_told_apart(work: Path) -> None:
    diff = json.loads(ran(work, "diff", "signed", "202502", "--json").out)
    added = {tuple(row["key"]) for row in diff["rows"] if row["relation"] == "contact_centers"}
    assert added == {(name,) for name in NAMES}
    bridge = json.loads(ran(work, "bridge", "--from", "202501", "--to", "202502", "--json").out)
    assert {cause["key"] for cause in bridge["causes"]} == set(NAMES)


def test_what_is_odd_about_names_is_told(work: Path) -> None:
    found = json.loads(ran(work, "check", "--json").out)["findings"]
    assert {f["value"] for f in found if f["code"] == "bad-date"} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_on_the_command_line_is_found(work: Path, name: str) -> None:
    events = json.loads(ran(work, "history", "--json", "--", "agents", name).out)["events"]
    assert [event["source"]["action"] for event in events] == ["add"]
    options = ("--month", "2025-01", "--center", f"{name} now", "--department", name)
    figure = json.loads(ran(work, "explain", *options, "--json").out)
    assert [c["interaction_id"] for c in figure["contributions"]] == [f"call {name}"]


@pytest.mark.parametrize("name", SQL)
def test_what_is_not_there_is_wrong_usage_whatever_it_says(work: Path, name: str) -> None:
    before = (work / "ledger.db").read_bytes()
    for arguments in (
        ("history", name, "A1"),
        ("history", "agents", f"no {name}"),
        ("export", "--table", name),
        ("explain", "--month", "2025-01", "--center", name),
        ("explain", "--month", name),
        ("report", "--known-at", name),
        ("report", "--as-of", name),
        ("diff", name, "202501"),
        ("bridge", "--from", name, "--to", "202501"),
        ("answers", "--period", name),
        ("check", "--fail-on", name),
        ("retract", name, "202501", "--reason", name),
        ("retract", "agents", name, "--reason", name),
        ("tag", name),
        ("ingest", "--months", name),
        ("ingest", "--expect-rows", f"{name}=1"),
    ):
        assert invoke_ledger(*arguments, db=work / "ledger.db").code == 2, arguments
    assert (work / "ledger.db").read_bytes() == before


def test_the_schema_is_whole_after_all_that(work: Path) -> None:
    with closing(sqlite3.connect(work / "ledger.db")) as connection:
        objects = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema")
        expected = [(o.type, o.name, o.tbl_name, o.sql) for o in expected_schema()]
        assert sorted(objects) == sorted(expected)


# On a terminal


FOR_PEOPLE = (
    *(
        ("report", "--dry-run"),
        ("answers", "--sensitivity"),
        ("answers", "--format", "markdown"),
        ("log",),
    ),
    *(("status",), ("editions",), ("tag",), ("check",), ("diff", "signed", "202502")),
    *(("bridge", "--from", "signed", "--to", "202502"), ("explain", "--month", "2025-01")),
    *(("bridge", "--from", "202501", "--to", "202502"), ("project",), ("export", "--dry-run")),
    *(("history", "agents", name) for name in TERMINAL),
    *(("history", "contact_centers", name, "-v") for name in TERMINAL[:1]),
)


@pytest.mark.parametrize("arguments", FOR_PEOPLE, ids=lambda arguments: arguments[0])
def test_nothing_printed_for_people_commands_a_terminal(
    work: Path, arguments: tuple[str, ...]
) -> None:
    done = ran(work, *arguments)
    for text in (done.out, done.err):
        assert all(line.isprintable() for line in text.split("\n"))
        assert not re.search("^Error", text, re.MULTILINE)


def test_findings_and_problems_command_no_terminal(work: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a\x1b[31m\nError: b"
    folder.mkdir()
    path = folder / "agents_delta_202503.csv"
    header = "agent_id,full_name,contact_center_id,hire_date,category_id,action"
    path.write_text(f"{header}\n\x1b[31m,\x1b[31m,\x1b[31m,\x1b[31m,,update\n")
    told = run_ledger("ingest", path, "--db", work / "ledger.db", "--dry-run", "-v", cwd=tmp_path)
    assert told.code == 0
    assert "\\x1b[31m" in told.err
    path.write_text(f"{header}\n\x1b[31m,,,,,\x1b[31m\n")
    refused = run_ledger("ingest", path, "--db", work / "ledger.db", cwd=tmp_path)
    missing = run_ledger("status", "--db", folder / "none.db", cwd=tmp_path)
    assert (refused.code, missing.code) == (3, 2)
    for ran in (told, refused, missing):
        assert all(line.isprintable() for line in ran.err.split("\n"))
    assert refused.err.count("\nError") == 1


# In Markdown


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("<b>x</b> & y", "&lt;b&gt;x&lt;/b&gt; &amp; y"),
        ("a|b", r"a\|b"),
        ("[x](http://y)", r"\[x\](http:\//y)"),
        ("WWW.y.z", r"WWW\.y.z"),
        (r"\*", r"\\\*"),
        ("a\nb", r"a\\nb"),
        ("`x` _y_ ~z~ $w$", r"\`x\` \_y\_ \~z\~ \$w\$"),
        ("# x", r"\# x"),
        ("1. x", r"1\. x"),
        ("23) x", r"23\) x"),
        ("- x", r"\- x"),
        ("===", r"\==="),
        ("2025-02, with 12.73", "2025-02, with 12.73"),
    ],
)
def test_a_text_is_escaped_for_markdown_where_it_needs_to_be(text: str, markdown: str) -> None:
    assert as_markdown(text) == markdown


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_escaped_for_markdown_reads_as_the_text(text: str) -> None:
    escaped = as_markdown(text)
    assert escaped.isprintable()
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_\[\]|~$`<>]", escaped)
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    assert html.unescape(re.sub(r"\\(.)", r"\1", escaped)) == shown


def test_answers_in_markdown_have_the_marks_of_the_ledger_alone(work: Path) -> None:
    lines = ran(work, "answers", "--format", "markdown").out.splitlines()
    headings = [line.split(".")[0] for line in lines if line.startswith("#")]
    assert headings == ["## 1", "## 2", "## 3", "## 3a", "## 3b"]
    tables = [line for line in lines if line.startswith("|")]
    columns = {len(re.findall(r"(?<!\\)\|", line)) for line in tables}
    assert columns == {3, 6, 9, 5}
    assert not [line for line in lines if "<" in line or re.search(r"(?<!\\)\]\(", line)]
    assert not [line for line in lines if re.search(r"://|www\.", line)]
