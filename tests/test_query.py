"""Queries in SQL: what they give in each format, and that they can read and nothing else."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ledger import Ledger, LedgerDamaged, WrongUsage
from tests.commands import DATA, LEDGER, PYTHON, environment, invoke_ledger, run, run_ledger

ENDLESS = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) "
FORBIDDEN = [
    "INSERT INTO tags VALUES (9, 'x', 202501, 1, 'now', 'seal')",
    "WITH x AS (SELECT 1) INSERT INTO projection_of SELECT 1, 1, 1 FROM x",
    "REPLACE INTO projection_of VALUES (1, 202501, 1)",
    "UPDATE agents SET full_name = 'x'",
    "DELETE FROM agents",
    "DELETE FROM agents RETURNING *",
    "DROP TABLE agents",
    "ALTER TABLE agents RENAME TO people",
    "CREATE TABLE new (a)",
    "CREATE TEMP TABLE new (a)",
    "CREATE TEMP VIEW new AS SELECT 1",
    "CREATE VIRTUAL TABLE new USING fts5(a)",
    "ATTACH 'other.db' AS other",
    "ATTACH 'ledger.db' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO 'other.db'",
    "REINDEX",
    "ANALYZE",
    "BEGIN",
    "COMMIT",
    "SAVEPOINT here",
    "PRAGMA user_version = 9",
    "PRAGMA journal_mode = WAL",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA temp_store_directory = '.'",
    "SELECT load_extension('x')",
    "EXPLAIN DELETE FROM agents",
]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of all sample data, projected as of February."""
    path = tmp_path_factory.mktemp("recorded") / "ledger.db"
    Ledger(path).ingest(DATA)
    Ledger(path).project("202502")
    return path


def test_every_format_gives_the_same_rows(recorded: Path) -> None:
    sql = "SELECT batch, month, reason FROM batches ORDER BY batch DESC"
    ran = {
        name: invoke_ledger("query", sql, "--format", name, db=recorded)
        for name in ("table", "csv", "json", "ndjson")
    }
    rows = [(3, 202503, None), (2, 202502, None), (1, 202501, None)]
    records = [dict(zip(("batch", "month", "reason"), row, strict=True)) for row in rows]
    assert json.loads(ran["json"].out) == records
    assert [json.loads(line) for line in ran["ndjson"].out.splitlines()] == records
    blank = [{name: "" if v is None else str(v) for name, v in r.items()} for r in records]
    assert list(csv.DictReader(ran["csv"].out.splitlines())) == blank
    lines = [line.split() for line in ran["table"].out.splitlines()]
    assert lines[0] == ["batch", "month", "reason"]
    assert lines[2:] == [[str(batch), str(month)] for batch, month, _ in rows]
    assert {one.code for one in ran.values()} == {0}


@pytest.mark.parametrize("format", ["table", "csv"])
def test_columns_without_rows_have_their_names_printed(format: str, recorded: Path) -> None:
    sql = "SELECT agent_id, hire_date FROM agents WHERE false"
    ran = invoke_ledger("query", sql, "--format", format, db=recorded)
    assert ran.out.replace(",", " ").splitlines()[0].split() == ["agent_id", "hire_date"]


def test_it_says_of_what_the_projection_speaks(recorded: Path, tmp_path: Path) -> None:
    sql = "SELECT count(*) AS count FROM agents"
    ran = invoke_ledger("query", sql, db=recorded)
    assert ran.err.startswith("Projection as of 202502, batch 3, head ")
    assert invoke_ledger("query", sql, "-q", db=recorded).err == ""
    Ledger(tmp_path / "ledger.db").ingest(DATA)
    ran = invoke_ledger("query", sql, "--format", "csv", db=tmp_path / "ledger.db")
    assert "No projection is stored" in ran.err
    assert ran.out.splitlines() == ["count", "0"]


def test_values_that_a_format_cannot_say_have_their_words(recorded: Path) -> None:
    sql = "SELECT x'00ff' AS bytes, 9e999 AS more, -9e999 AS less, NULL AS none, 'ü' AS text"
    (record,) = json.loads(invoke_ledger("query", sql, "--json", db=recorded).out)
    words = {"bytes": "00ff", "more": "Infinity", "less": "-Infinity", "none": None}
    assert record == {**words, "text": "ü"}
    ran = invoke_ledger("query", sql, "--format", "csv", db=recorded)
    assert ran.out.splitlines()[1] == "00ff,Infinity,-Infinity,,ü"


@pytest.mark.parametrize("format", ["json", "ndjson"])
def test_columns_of_one_name_are_refused_where_a_record_would_lose_one(
    format: str, recorded: Path
) -> None:
    sql = "SELECT 1 AS a, 2 AS a"
    ran = invoke_ledger("query", sql, "--format", format, db=recorded)
    assert (ran.code, ran.out) == (2, "")
    assert "2 columns are named 'a'" in ran.err
    assert invoke_ledger("query", sql, "--format", "csv", db=recorded).out == "a,a\n1,2\n"


def test_names_and_texts_with_line_ends_stay_on_one_line(recorded: Path) -> None:
    ran = invoke_ledger("query", "SELECT 'x\ny' AS [a\nb]", "-q", db=recorded)
    assert ran.out.splitlines()[0] == r"a\nb"
    assert ran.out.splitlines()[2] == r"x\ny"


def test_parameters_are_bound_and_never_read_as_sql(recorded: Path) -> None:
    sql = "SELECT :one AS one, :two AS two"
    told = ("-p", "one=' OR 1 --", "--param", "two=a=b")
    (record,) = json.loads(invoke_ledger("query", sql, *told, "--json", db=recorded).out)
    assert record == {"one": "' OR 1 --", "two": "a=b"}
    sql = "SELECT count(*) AS count FROM files WHERE month = :month LIMIT :most"
    ran = invoke_ledger("query", sql, "-p", "month=202501", "-p", "most=1", "--json", db=recorded)
    assert json.loads(ran.out) == [{"count": 4}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT zeroblob(1000000000)",
        f"{ENDLESS} SELECT length(group_concat(printf('%.*c', 1000000, 'x'))) "
        "FROM (SELECT i FROM n LIMIT 1000)",
    ],
)
def test_a_value_has_a_limited_length(sql: str, recorded: Path) -> None:
    ran = invoke_ledger("query", sql, db=recorded)
    assert ran.code == 2
    assert "too big" in ran.err
    assert invoke_ledger("query", "SELECT length(zeroblob(60000000))", db=recorded).code == 0


@pytest.mark.parametrize("told", [["a"], ["=a"], ["a=1", "a=2"]])
def test_parameters_without_a_name_or_twice_are_refused(told: list[str], recorded: Path) -> None:
    options = [part for one in told for part in ("-p", one)]
    ran = invoke_ledger("query", "SELECT :a", *options, db=recorded)
    assert ran.code == 2
    assert "is no NAME=VALUE, or the second of its name" in ran.err


def test_a_query_is_read_from_standard_input(recorded: Path) -> None:
    def piped(sql: bytes) -> subprocess.CompletedProcess[bytes]:
        command = [str(LEDGER), "query", "-q", "--format", "csv", "--db", str(recorded), "-"]
        return subprocess.run(command, input=sql, capture_output=True, env=environment())

    assert piped("\ufeff-- ü\nSELECT 'ü' AS u;\n".encode()).stdout.decode() == "u\r\nü\r\n"
    ran = piped(b"SELECT '\xff'")
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert b"is not text in UTF-8" in ran.stderr


@pytest.mark.parametrize("sql", FORBIDDEN)
def test_whatever_would_do_more_than_read_is_refused(
    sql: str, recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(recorded, tmp_path / "ledger.db")
    monkeypatch.chdir(tmp_path)
    ran = invoke_ledger("query", sql, db=Path("ledger.db"))
    assert (ran.code, ran.out) == (2, "")
    assert "a query reads the ledger and does nothing else" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.db"]
    assert (tmp_path / "ledger.db").read_bytes() == recorded.read_bytes()


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT unheard FROM agents", "no such column: unheard; to see all tables and columns"),
        ("SELECT * FROM unheard", "no such table: unheard; to see all tables and columns"),
        ("SELECT writefile('a', 'b')", "no such function: writefile"),
        ("SELEC 1", 'near "SELEC": syntax error; what SQLite understands: https://'),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("SELECT :name", "binding parameter :name"),
        ("SELECT ?", "Binding 1 has no name"),
        ("", "there is no query here"),
        ("/* nothing */", "there is no query here"),
        ("SELECT 'a\0b'", "null character"),
        ("SELECT '\udcff'", "surrogates not allowed"),
        ("SELECT 1 LIMIT 'x'", "datatype mismatch"),
        ("SELECT zeroblob(2000000000)", "too big"),
        ("SELECT abs(-9223372036854775807 - 1)", "integer overflow"),
        ("SELECT CAST(x'ff' AS TEXT)", "a text of the result is not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_query_is_wrong_usage(sql: str, message: str, recorded: Path) -> None:
    ran = invoke_ledger("query", sql, db=recorded)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_an_error_after_some_rows_is_told(recorded: Path) -> None:
    sql = "SELECT json(column1) AS json FROM (VALUES ('[1]'), ('['))"
    ran = invoke_ledger("query", sql, db=recorded)
    assert ran.code == 2
    assert "malformed JSON" in ran.err


def test_how_a_table_is_made_can_be_asked(recorded: Path) -> None:
    ran = invoke_ledger("query", "PRAGMA table_info(agents)", "--json", db=recorded)
    assert [column["name"] for column in json.loads(ran.out)][:2] == ["agent_id", "full_name"]
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table'"
    ran = invoke_ledger("query", sql, "--json", db=recorded)
    assert {"name": "interactions_events"} in json.loads(ran.out)


def test_a_damaged_page_is_the_ledgers_fault(recorded: Path, tmp_path: Path) -> None:
    db = tmp_path / "ledger.db"
    content = bytearray(recorded.read_bytes())
    root = Ledger(recorded)
    with root.query("SELECT rootpage FROM sqlite_schema WHERE name = 'agents_events'") as found:
        ((page,),) = found.rows
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    db.write_bytes(content)
    ran = invoke_ledger("query", "SELECT * FROM agents_events", db=db)
    assert ran.code == 5
    assert "damaged; restore it from a backup" in ran.err
    with pytest.raises(LedgerDamaged), Ledger(db).query("SELECT * FROM agents_events") as found:
        list(found.rows)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal of POSIX")
@pytest.mark.parametrize("sql", [f"{ENDLESS}SELECT max(i) FROM n", f"{ENDLESS}SELECT i FROM n"])
def test_an_interruption_ends_a_long_query(sql: str, recorded: Path) -> None:
    command = [str(LEDGER), "query", "--format", "csv", "--db", str(recorded), sql]
    # Where these tests run in the background, a shell has it ignored, and a child would too.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as process:
        signal.signal(signal.SIGINT, ours)
        assert process.stdout
        if "max" in sql:
            time.sleep(0.6)
        else:
            assert process.stdout.readline() == b"i\r\n"
        process.send_signal(signal.SIGINT)
        try:
            _, told = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 130
    assert b"Interrupted" in told


def test_rows_come_one_by_one_and_the_rest_need_not_be_read(recorded: Path) -> None:
    with Ledger(recorded).query(f"{ENDLESS}SELECT i, i % ? AS rest FROM n", (2,)) as found:
        assert found.columns == ("i", "rest")
        assert [next(found.rows) for _ in range(3)] == [(1, 1), (2, 0), (3, 1)]
        assert found.projection
        assert str(found.projection.as_of) == "202502"


def test_a_value_that_cannot_be_bound_is_wrong_usage(recorded: Path) -> None:
    for value in (object(), 2**64, "\udcff"):
        with pytest.raises(WrongUsage), Ledger(recorded).query("SELECT ?", (value,)):
            pytest.fail("it ran")


MEASURED = """
import sys
from ledger.cli import main
main(sys.argv[1:], standalone_mode=False)
with open("/proc/self/status") as file:
    (line,) = (line for line in file if line.startswith("VmHWM"))
print(line.split()[1], file=sys.stderr)
"""
"""Run a command, and tell on standard error how many KiB of memory it needed at the most."""


@pytest.mark.skipif(sys.platform != "linux", reason="measures as Linux does")
@pytest.mark.parametrize("format", ["csv", "ndjson"])
def test_many_rows_are_not_held_in_memory(format: str, recorded: Path) -> None:
    sql = f"{ENDLESS}SELECT i, printf('%04000d', i) AS text FROM n LIMIT 15000"
    command = ("query", "-q", "--format", format, "--db", recorded, sql)
    ran = run(PYTHON, "-c", MEASURED, *command, cwd=recorded.parent)
    assert len(ran.out) > 60_000_000
    assert int(ran.err) < 65_000


def test_it_can_be_asked_from_another_thread(recorded: Path) -> None:
    rows: list[tuple[int]] = []

    def ask() -> None:
        with Ledger(recorded).query("SELECT count(*) FROM files") as found:
            rows.extend(found.rows)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert rows == [(11,)]


def test_a_missing_ledger_is_told(tmp_path: Path) -> None:
    ran = run_ledger("query", "SELECT 1", cwd=tmp_path)
    assert ran.code == 2
    assert "there is no ledger" in ran.err
