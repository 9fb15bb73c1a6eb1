"""The commands on a lake: what they print and write, and what they say where something is amiss."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger import Ledger, StorageFailed
from ledger.outputs.manifest import MANIFEST
from tests.commands import Ran, invoke_ledger
from tests.engines.editions import content, odd_plan, parquet_rows, published
from tests.engines.needs import needs_duckdb, needs_spark

COMPUTING = ("project", "export", "report", "answers")
WRITING = COMPUTING[:-1]


@pytest.fixture(
    params=[
        pytest.param("duckdb", marks=needs_duckdb),
        pytest.param("spark", marks=needs_spark),
    ]
)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine; Spark runs already."""
    if request.param == "spark":
        request.getfixturevalue("spark")
    return str(request.param)


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Ledger, Path]]:
    """A ledger, and the lake to which it was published; to be left as they are."""
    with published(odd_plan()) as (chronicle, lake):
        yield chronicle.ledger, lake


@pytest.fixture
def lake(made: tuple[Ledger, Path], tmp_path: Path) -> Path:
    """A lake to do with as one likes."""
    return Path(shutil.copytree(made[1], tmp_path / "lake"))


def on_lake(command: str, lake: Path | str, *options: object, out: Path | None = None) -> Ran:
    """Run a command on a lake, where there is no ledger; what it writes goes to a folder."""
    places = ["--out-dir", out] if out is not None and command in WRITING else []
    missing = Path(lake).parent / "no-ledger.db"
    return invoke_ledger(command, "--lake", lake, *places, *options, db=missing)


def refused(ran: Ran, code: int, *sentences: str) -> None:
    """See that a command ended with this code, one line, and these words in it."""
    assert ran.code == code, ran
    assert ran.out == ""
    assert ran.err.startswith("Error: ")
    assert len(ran.err.splitlines()) == 1, ran.err
    for sentence in sentences:
        assert sentence in ran.err


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones too; nothing where there is no such folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


# What comes out


def test_the_report_is_printed_and_written_as_of_a_ledger(
    made: tuple[Ledger, Path], lake: Path, tmp_path: Path, engine: str
) -> None:
    options = ("--format", "json", "--names", "as-was", "--known-at", "5", "--quiet")
    ran = on_lake("report", lake, "--engine", engine, *options, out=tmp_path / "lake-out")
    of_ledger = ("report", "--out-dir", tmp_path / "ledger-out", *options)
    wanted = invoke_ledger(*of_ledger, db=made[0].path)
    assert (ran.code, ran.out) == (0, wanted.out)
    assert contents(tmp_path / "lake-out") == contents(tmp_path / "ledger-out")


def test_the_answers_are_printed_as_of_a_ledger(
    made: tuple[Ledger, Path], lake: Path, engine: str
) -> None:
    options = ("--sensitivity", "--format", "markdown", "--period", "2025Q1")
    ran = on_lake("answers", lake, "--engine", engine, *options)
    wanted = invoke_ledger("answers", *options, db=made[0].path)
    assert (ran.code, ran.out) == (0, wanted.out)
    assert ran.err.startswith("As of 202503, batch 6, head ")


def test_a_projection_holds_the_tables_the_report_and_the_answers(
    made: tuple[Ledger, Path], lake: Path, tmp_path: Path, engine: str
) -> None:
    out, ledger = tmp_path / "out", made[0]
    ran = on_lake("project", lake, "--engine", engine, "--format", "json", out=out)
    assert ran.code == 0, ran.err
    done = json.loads(ran.out)
    assert sorted(done["files"]) == sorted(str(path) for path in out.iterdir())
    manifest = json.loads((out / "projection.json").read_text())
    assert manifest["engine"] == engine
    assert manifest["rows"] == done["rows"] == ledger.project(dry_run=True).rows
    assert (manifest["asOf"], manifest["batch"]) == ("202503", 6)
    (latest := ledger.at()).write_report(latest.report(), tmp_path / "ledger-out")
    report = "support_report.csv"
    assert (out / report).read_bytes() == (tmp_path / "ledger-out" / report).read_bytes()
    answers = invoke_ledger("answers", "--format", "json", db=ledger.path).out
    assert json.loads((out / "support_answers.json").read_text()) == json.loads(answers)
    for table in done["rows"]:
        rows = parquet_rows(out / f"{table}.parquet")[1:]
        assert len(rows) == done["rows"][table]


def test_a_proof_of_a_report_of_a_lake_is_that_of_the_ledger(
    made: tuple[Ledger, Path], lake: Path, tmp_path: Path, engine: str
) -> None:
    of_lake, of_ledger = tmp_path / "lake.json", tmp_path / "ledger.json"
    ran = on_lake("report", lake, "--engine", engine, "--proof", of_lake, out=tmp_path / "lake-out")
    assert ran.code == 0, ran.err
    options = ("--out-dir", tmp_path / "ledger-out", "--proof", of_ledger)
    assert invoke_ledger("report", *options, db=made[0].path).code == 0
    assert of_lake.read_bytes() == of_ledger.read_bytes()


def test_a_path_may_have_other_signs_in_it(
    made: tuple[Ledger, Path], tmp_path: Path, engine: str
) -> None:
    folder = tmp_path / "-a b" / "50%25" / "a,b#c" / "l'été" / "a:b;&" / "$HOME" / "_" / ".x"
    lake = Path(shutil.copytree(made[1], folder / "lake"))
    out = folder / "out"
    ran = on_lake("export", lake, "--engine", engine, "--table", "contact_centers", out=out)
    assert ran.code == 0, ran.err
    wanted = tmp_path / "wanted"
    made[0].at().export(wanted, tables=["contact_centers"])
    content = contents(out)
    del content[MANIFEST]
    parts = [content[name] for name in sorted(content)]
    assert b"".join(parts) == (wanted / "contact_centers_final.csv").read_bytes()


def test_interactions_of_later_months_are_not_opened(
    made: tuple[Ledger, Path], lake: Path, tmp_path: Path, engine: str
) -> None:
    events = lake / "interactions_events"
    later = [path for path in events.rglob("*.parquet") if path.parent.name > "month=202501"]
    assert later
    for path in later:
        path.write_bytes(b"no Parquet")
    for command in ("report", "export"):
        ran = on_lake(command, lake, "--engine", engine, "--as-of", "202501", out=tmp_path / "out")
        assert ran.code == 0, ran.err
    assert on_lake("export", lake, "--engine", engine, out=tmp_path / "none").code == 5
    made[0].at("202501").export(tmp_path / "wanted", tables=["interactions"])
    wanted = (tmp_path / "wanted" / "interactions_final.csv").read_bytes()
    assert content(tmp_path / "out" / "interactions_final.csv") == wanted


# What has no meaning


@pytest.mark.parametrize("command", COMPUTING)
@pytest.mark.parametrize(
    "options",
    [("--engine", "duckdb"), ("--engine", "spark"), ("--master", "local"), ("--remote", "sc://x")],
)
def test_an_engine_without_a_lake_is_wrong_usage(
    command: str, options: tuple[str, ...], made: tuple[Ledger, Path], tmp_path: Path
) -> None:
    ran = invoke_ledger(command, *options, db=made[0].path)
    refused(ran, 2, "--engine, --master and --remote go with --lake: name a lake")


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("project", ["--rebuild"], "--rebuild is of a ledger, and not of a lake"),
        ("project", ["--dry-run"], "--dry-run is of a ledger, and not of a lake"),
        ("export", ["--dry-run"], "--dry-run is of a ledger, and not of a lake"),
        ("export", ["--format", "xlsx"], "a workbook is written from a ledger, not from a lake"),
        ("export", ["--table", "no_table"], "no_table"),
        ("report", ["--format", "html"], "--format html is of a ledger, and not of a lake"),
        *(
            (command, options, sentence)
            for command in COMPUTING
            for options, sentence in (
                (["--master", "local"], "--master and --remote are of Spark: say --engine spark"),
                (["--engine", "duckdb", "--remote", "sc://x"], "say --engine spark"),
                (["--as-of", "202504"], "as of 202504"),
                (["--known-at", "99"], "there is no batch 99"),
            )
        ),
    ],
)
@needs_duckdb
def test_options_that_have_no_meaning_are_wrong_usage(
    command: str, options: list[str], sentence: str, lake: Path, tmp_path: Path
) -> None:
    refused(on_lake(command, lake, *options, out=tmp_path / "out"), 2, sentence)
    assert not contents(tmp_path / "out")


def test_a_projection_of_a_lake_needs_a_folder(lake: Path, made: tuple[Ledger, Path]) -> None:
    refused(on_lake("project", lake), 2, "say where the tables of the lake go: --out-dir FOLDER")
    ran = invoke_ledger("project", "--out-dir", "out", db=made[0].path)
    refused(ran, 2, "--out-dir goes with --lake")


@pytest.mark.parametrize("command", COMPUTING)
@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_what_is_no_lake_is_told(command: str, engine: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    for name in ("folder", "file", "missing", "folder/missing"):
        ran = on_lake(command, tmp_path / name, "--engine", engine, out=tmp_path / "out")
        refused(ran, 2, f"there is no lake {tmp_path / name}; make one with: ledger publish")
    ran = on_lake(command, "s3://bucket/lake", "--engine", engine, out=tmp_path / "out")
    refused(ran, 2, "mount a bucket or HDFS as a folder")
    assert not contents(tmp_path / "out")


@pytest.mark.parametrize("command", COMPUTING)
@pytest.mark.parametrize("engine", ["duckdb", "spark"])
@pytest.mark.parametrize("name", ["l[x]", "l*", "l?", "{a,b}", "a\\b", "month=202501", "file=1"])
def test_a_path_that_engines_take_for_something_else_is_refused(
    command: str, engine: str, name: str, made: tuple[Ledger, Path], tmp_path: Path
) -> None:
    lake = Path(shutil.copytree(made[1], tmp_path / name / "lake"))
    ran = on_lake(command, lake, "--engine", engine, out=tmp_path / "out")
    refused(ran, 2, str(lake), "give the folder another name")


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
@pytest.mark.parametrize("name", ["o[1]", "month=202501"])
def test_tables_are_not_written_where_engines_would_not_find_them_again(
    engine: str, name: str, lake: Path, tmp_path: Path
) -> None:
    ran = on_lake("project", lake, "--engine", engine, out=tmp_path / name)
    refused(ran, 2, str(tmp_path / name), "give the folder another name")
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("command", COMPUTING)
@pytest.mark.parametrize(("engine", "package"), [("duckdb", "duckdb"), ("spark", "pandas")])
def test_a_missing_package_is_named_with_the_extra_that_has_it(
    command: str,
    engine: str,
    package: str,
    lake: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    ran = on_lake(command, lake, "--engine", engine, out=tmp_path / "out")
    refused(ran, 2, package, f"install with: pip install 'month-ledger[{engine}]'")


# What fails


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def overwritten(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:100] + bytes(len(content) // 2 - 100) + content[len(content) // 2 :])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, overwritten, emptied, Path.unlink])
def test_damaged_events_are_told_in_a_line_that_names_them(
    damage: Callable[[Path], None], lake: Path, tmp_path: Path, engine: str
) -> None:
    path = min((lake / "interactions_events").rglob("*.parquet"))
    damage(path)
    out = tmp_path / "out"
    out.mkdir()
    (out / "interactions_final.csv.kept").write_text("before")
    before = contents(out)
    for command in COMPUTING if damage is cut else ["export"]:
        ran = on_lake(command, lake, "--engine", engine, out=out)
        # Of what is amiss within its footer, DuckDB does not say in which file it is.
        of_file = () if (engine, damage) == ("duckdb", overwritten) else (path.name,)
        refused(ran, 5, "lake", *of_file)
        assert contents(out) == before


@needs_duckdb
@pytest.mark.parametrize("relation", ["batches", "files", "readings", "clock"])
def test_damaged_records_are_told_in_a_line_that_names_them(
    relation: str, lake: Path, tmp_path: Path
) -> None:
    path = min((lake / relation).iterdir())
    cut(path)
    for command in COMPUTING:
        ran = on_lake(command, lake, out=tmp_path / "out")
        refused(ran, 5, str(path))
        assert not contents(tmp_path / "out")


# Spark


@needs_spark
@pytest.mark.parametrize("command", COMPUTING)
def test_a_master_and_a_server_are_two_ways(command: str, lake: Path, tmp_path: Path) -> None:
    options = ("--engine", "spark", "--master", "local", "--remote", "sc://127.0.0.1:1")
    ran = on_lake(command, lake, *options, out=tmp_path / "out")
    refused(ran, 2, "--master and --remote are two ways to Spark: name one of them")


@needs_spark
def test_missing_java_is_told(lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyspark.sql import SparkSession

    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    for command in COMPUTING:
        ran = on_lake(command, lake, "--engine", "spark", out=tmp_path / "out")
        refused(ran, 2, "Spark needs Java 17 or later, and none is installed")


@needs_spark
@pytest.mark.usefixtures("spark")
def test_a_session_of_the_process_is_neither_replaced_nor_stopped(lake: Path) -> None:
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    assert active is not None
    ran = on_lake("answers", lake, "--engine", "spark", "--master", "local[7]")
    refused(ran, 2, "this process has a session of Spark on local[2] already")
    assert active.range(3).count() == 3
    assert on_lake("answers", lake, "--engine", "spark", "--master", "local[2]").code == 0
    assert active.range(3).count() == 3


@needs_spark
@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--bom"], "files for spreadsheets are written by --engine duckdb"),
        (["--spreadsheet-safe"], "files for spreadsheets are written by --engine duckdb"),
    ],
)
def test_spark_writes_no_files_for_spreadsheets(
    options: list[str], sentence: str, lake: Path, tmp_path: Path
) -> None:
    ran = on_lake("export", lake, "--engine", "spark", *options, out=tmp_path / "out")
    refused(ran, 2, sentence)
    assert not contents(tmp_path / "out")


@needs_spark
@needs_duckdb
@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("command", ["project", "export"])
def test_a_folder_of_parts_is_not_replaced_and_replaces_nothing(
    command: str, lake: Path, tmp_path: Path
) -> None:
    name = "agents.parquet" if command == "project" else "agents_final.csv"
    in_parts, in_file = tmp_path / "parts", tmp_path / "file"
    on_spark = (command, lake, "--engine", "spark")
    assert on_lake(*on_spark, out=in_parts).code == 0
    assert on_lake(command, lake, out=in_file).code == 0
    before = {folder: contents(folder) for folder in (in_parts, in_file)}
    refused(on_lake(*on_spark, out=in_parts), 2, str(in_parts / name), "exists already")
    refused(on_lake(*on_spark, out=in_file), 2, str(in_file / name), "exists already")
    over_parts = on_lake(command, lake, out=in_parts)
    assert over_parts.code == (2 if command == "project" else 5)
    assert "exists already" in over_parts.err or "is a folder there" in over_parts.err
    assert {folder: contents(folder) for folder in before} == before


@needs_spark
@pytest.mark.usefixtures("spark")
def test_what_fails_in_python_on_a_worker_is_told_in_a_line() -> None:
    from ledger.engines.spark.session import spark_session

    def write(_: Iterator[Any]) -> Iterator[Any]:
        raise OSError("the disk is full")
        yield

    told = pytest.raises(StorageFailed, match=r"\ASpark failed: OSError: the disk is full\Z")
    with told, spark_session() as session:
        session.range(1).mapInArrow(write, "id LONG").collect()
