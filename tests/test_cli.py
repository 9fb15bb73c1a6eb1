"""The commands as a user types them, on the sample data."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.commands import DATA, LEDGER, PYTHON, ROOT, environment, run, run_ledger

INGEST = ("ingest", "--data-dir", DATA)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of all sample data; for tests that only read it."""
    folder = tmp_path_factory.mktemp("recorded")
    assert run_ledger(*INGEST, cwd=folder).code == 0
    return folder


@pytest.fixture
def work(recorded: Path, tmp_path: Path) -> Path:
    """A folder with a copy of that ledger, to be changed."""
    shutil.copy(recorded / "ledger.db", tmp_path)
    return tmp_path


def answers(folder: Path, *options: str) -> dict[str, Any]:
    ran = run_ledger("answers", "--format", "json", *options, cwd=folder)
    assert ran.code == 0
    found: list[dict[str, Any]] = json.loads(ran.out)["answers"]
    return {answer["number"]: answer for answer in found}


def report(folder: Path, *options: str) -> list[dict[str, str]]:
    ran = run_ledger("report", "--format", "csv", *options, cwd=folder)
    assert ran.code == 0
    return list(csv.DictReader(ran.out.splitlines()))


def delta(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


CENTER_HEADER = "contact_center_id,contact_center_name,location,action"


class TestPublishedFigures:
    def test_interactions_of_each_center_in_the_first_quarter(self, recorded: Path) -> None:
        evidence = dict(answers(recorded)["1"]["evidence"])
        assert evidence == {
            "Atlanta GA SE": 8,
            "Boston MA NE": 13,
            "Richmond VA E": 7,
            "total": 28,
        }

    def test_february_is_the_highest_month(self, recorded: Path) -> None:
        answer = answers(recorded)["2"]
        assert dict(answer["evidence"]) == {"2025-01": 9, "2025-02": 10, "2025-03": 9}
        assert answer["answer"] == "2025-02, with 10 interactions."

    def test_boston_has_the_longest_average_call(self, recorded: Path) -> None:
        answer = answers(recorded)["3"]
        assert answer["evidence"][0] == ["Boston MA NE", 11, 11, 140, 12.73]
        assert answer["answer"].startswith("Boston MA NE: 140 minutes over 11 calls, 12.73")

    def test_the_tail_is_five_minutes_in_boston_alone_and_on_rated_calls(
        self, recorded: Path
    ) -> None:
        answer = answers(recorded)["3a"]
        rows = {
            row[0]: dict(zip(answer["columns"], row, strict=True)) for row in answer["evidence"]
        }
        boston = rows.pop("Boston MA NE")
        assert boston["average tail"] == 5
        assert boston["with a tail"] == boston["tail and rating"] == 8
        assert all(row["with a tail"] == row["rating alone"] == 0 for row in rows.values())

    def test_from_start_to_resolution_boston_is_the_shortest(self, recorded: Path) -> None:
        answer = answers(recorded)["3b"]
        assert answer["evidence"][-1][:3] == ["Boston MA NE", 11, 9.09]
        assert "Boston MA NE, with 9.09, is the shortest by it" in answer["answer"]

    def test_january_had_ten_interactions_as_of_january_and_nine_as_of_february(
        self, recorded: Path
    ) -> None:
        for month, count in (("202501", 10), ("202502", 9), ("202503", 9)):
            rows = report(recorded, "--as-of", month)
            january = [int(r["total_interactions"]) for r in rows if r["month"] == "2025-01"]
            assert sum(january) == count

    def test_a_start_of_march_in_utc_is_of_february_in_local_time(self, recorded: Path) -> None:
        assert run_ledger("export", cwd=recorded).code == 0
        text = (recorded / "output" / "interactions_final.csv").read_text(encoding="utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        delivered = (DATA / "delta" / "interactions_delta_202503.csv").read_text(encoding="utf-8")
        assert "2025-03-01T01:30:00Z" in delivered
        starts = [row["interaction_start"] for row in rows]
        assert starts.count("2025-02-28T20:30:00-05:00") == 1
        assert sum(start.startswith("2025-02") for start in starts) == 10

    def test_a_center_has_the_name_of_the_as_of_month(self, recorded: Path) -> None:
        before = {row["contact_center_name"] for row in report(recorded, "--as-of", "202502")}
        after = {row["contact_center_name"] for row in report(recorded)}
        assert before - after == {"Boston MA"}
        assert after - before == {"Boston MA NE"}

    def test_a_deleted_category_leaves_interactions_of_unknown_department(
        self, recorded: Path
    ) -> None:
        ran = run_ledger("report", cwd=recorded)
        unknown = [row for row in report(recorded) if row["department"] == "Unknown"]
        assert sum(int(row["total_interactions"]) for row in unknown) == 2
        where = "deleted by delta/service_categories_delta_202503.csv:2"
        assert (
            f"2 interactions name category CAT05, {where}: their department is Unknown" in ran.err
        )


class TestIngest:
    def test_again_there_is_nothing_new(self, work: Path) -> None:
        before = (work / "ledger.db").read_bytes()
        ran = run_ledger(*INGEST, cwd=work)
        assert ran.code == 0
        assert "Nothing new." in ran.out
        assert (work / "ledger.db").read_bytes() == before

    def test_months_records_these_alone_after_the_extract(self, tmp_path: Path) -> None:
        ran = run_ledger(*INGEST, "--months", "202502", "--json", cwd=tmp_path)
        assert [month["month"] for month in json.loads(ran.out)["months"]] == ["202501", "202502"]
        assert run_ledger(*INGEST, "--months", "202503", cwd=tmp_path).code == 0
        status = json.loads(run_ledger("status", "--json", cwd=tmp_path).out)
        assert (status["first_month"], status["latest_month"]) == ("202501", "202503")
        assert status["events"] == {
            "agents": 12, "contact_centers": 4, "service_categories": 10, "interactions": 36,
        }  # fmt: skip

    def test_single_files_are_recorded(self, work: Path) -> None:
        path = delta(work, "contact_centers_delta_202504.csv", CENTER_HEADER, "CC09,New,Here,ADD ")
        ran = run_ledger("ingest", path, cwd=work)
        assert ran.code == 0
        assert "1 event recorded" in ran.out

    def test_malformed_rows_are_all_told_and_refused(self, work: Path) -> None:
        path = delta(
            work, "contact_centers_delta_202504.csv",
            CENTER_HEADER, "CC01,a,b,ad", ",a,b,add", "CC02,a,b", "CC03,a,b,add",
        )  # fmt: skip
        before = (work / "ledger.db").read_bytes()
        ran = run_ledger("ingest", path, cwd=work)
        assert ran.code == 3
        problems = ran.err.splitlines()
        assert problems[0].startswith(f"{path}:2:action: unknown-action: ")
        assert problems[0].endswith(": 'ad'")
        assert problems[1].startswith(f"{path}:3:contact_center_id: empty-key: ")
        assert problems[2].startswith(f"{path}:4: short-row: ")
        assert "3 problems" in problems[3]
        assert (work / "ledger.db").read_bytes() == before

    def test_problems_are_told_as_data_too(self, work: Path) -> None:
        path = delta(work, "contact_centers_delta_202504.csv", CENTER_HEADER, "CC01,a,b,ad")
        ran = run_ledger("ingest", path, "--json", cwd=work)
        assert ran.code == 3
        error = json.loads(ran.out)["error"]
        assert error["exit_code"] == 3
        assert error["problems"][0]["code"] == "unknown-action"
        assert error["problems"][0]["line"] == 2

    def test_the_first_hundred_problems_are_printed_then_the_total(self, work: Path) -> None:
        rows = [f"CC{number},a,b,none" for number in range(250)]
        path = delta(work, "contact_centers_delta_202504.csv", CENTER_HEADER, *rows)
        ran = run_ledger("ingest", path, cwd=work)
        assert ran.err.count("unknown-action") == 100
        assert "250 problems" in ran.err

    def test_other_bytes_for_a_recorded_month_break_the_sequence(self, work: Path) -> None:
        path = delta(work, "contact_centers_delta_202503.csv", CENTER_HEADER)
        assert run_ledger("ingest", path, cwd=work).code == 7

    def test_a_missing_month_breaks_the_sequence_unless_it_is_allowed(self, work: Path) -> None:
        path = delta(work, "contact_centers_delta_202505.csv", CENTER_HEADER)
        refused = run_ledger("ingest", path, cwd=work)
        assert refused.code == 7
        assert "202504" in refused.err
        assert run_ledger("ingest", path, "--allow-gap", cwd=work).code == 0
        late = run_ledger("project", "--as-of", "202504", cwd=work)
        assert "gap" in late.err

    def test_a_file_of_an_earlier_month_is_recorded_when_it_is_said_to_be_late(
        self, work: Path
    ) -> None:
        path = delta(work, "contact_centers_delta_202502.csv", CENTER_HEADER)
        refused = run_ledger("ingest", path, cwd=work)
        assert refused.code == 7
        assert "--late" in refused.err
        ran = run_ledger("ingest", path, "--late", cwd=work)
        assert ran.code == 0
        assert "202502: restates 202502 to 202503" in ran.err

    def test_an_extract_without_deltas_needs_its_month(self, tmp_path: Path) -> None:
        extract = DATA / "initial" / "agents.csv"
        copied = shutil.copy(extract, tmp_path)
        refused = run_ledger("ingest", copied, cwd=tmp_path)
        assert refused.code == 2
        assert "--initial-month" in refused.err
        ran = run_ledger("ingest", copied, "--initial-month", "202412", cwd=tmp_path)
        assert ran.code == 0
        assert ran.out.splitlines()[2].startswith("202412 ")

    def test_a_refused_first_ingest_leaves_no_ledger(self, tmp_path: Path) -> None:
        folder = tmp_path / "data"
        shutil.copytree(DATA, folder)
        (folder / "initial" / "agents.csv").write_text("agent;full_name\n")
        assert run_ledger("ingest", cwd=tmp_path).code == 3
        assert [path.name for path in tmp_path.iterdir()] == ["data"]

    def test_dry_run_leaves_no_ledger(self, tmp_path: Path) -> None:
        ran = run_ledger(*INGEST, "--dry-run", cwd=tmp_path)
        assert ran.code == 0
        assert "62 events" in ran.out
        assert list(tmp_path.iterdir()) == []

    def test_findings_are_counted_and_with_verbose_placed(self, work: Path) -> None:
        name = "contact_centers_delta_202504.csv"
        path = delta(work, name, CENTER_HEADER, "CC01,a,b,add", "CC77,,,delete")
        ran = run_ledger("ingest", path, "-v", cwd=work)
        assert ran.code == 0
        assert "2 findings: 1 add-existing, 1 delete-missing" in ran.err
        assert f"delta/{name}:3: delete-missing: deleted, but it does not exist: 'CC77'" in ran.err

    @pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
    def test_interrupted_it_ends_with_130_and_leaves_nothing(self, tmp_path: Path) -> None:
        folder = tmp_path / "data"
        shutil.copytree(DATA, folder)
        with (folder / "initial" / "agents.csv").open("a", encoding="utf-8") as file:
            file.writelines(
                f"B{number},Name,CC01,2020-01-01,CAT01\r\n" for number in range(400_000)
            )
        # Where these tests run in the background, a shell has it ignored, and a child would too.
        ours = signal.signal(signal.SIGINT, signal.default_int_handler)
        with subprocess.Popen(
            [str(LEDGER), "ingest"], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE
        ) as process:
            signal.signal(signal.SIGINT, ours)
            while not list(tmp_path.glob("ledger.db-journal")) and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            _, error = process.communicate(timeout=60)
        assert process.returncode == 130
        assert b"Traceback" not in error
        assert [path.name for path in tmp_path.iterdir()] == ["data"]

    def test_dry_run_says_that_nothing_was_recorded(self, tmp_path: Path) -> None:
        ran = run_ledger(*INGEST, "--dry-run", "--json", cwd=tmp_path)
        assert json.loads(ran.out)["dry_run"] is True
        assert "62 events would be recorded in 3 batches." in (
            run_ledger(*INGEST, "--dry-run", cwd=tmp_path).out
        )

    @pytest.mark.parametrize("months", ["", ",", "202502,", "2025"])
    def test_months_that_name_none_are_wrong_usage(self, tmp_path: Path, months: str) -> None:
        assert run_ledger(*INGEST, "--months", months, cwd=tmp_path).code == 2
        assert list(tmp_path.iterdir()) == []

    def test_a_file_cut_at_the_end_of_a_row_is_refused_by_its_number_of_rows(
        self, work: Path
    ) -> None:
        name = "contact_centers_delta_202504.csv"
        path = delta(work, name, CENTER_HEADER, "CC08,a,b,add", "CC09,a,b,add")
        before = (work / "ledger.db").read_bytes()
        for command in ("ingest", "run"):
            files = [path] if command == "ingest" else ["--data-dir", work / "data"]
            if command == "run":
                (work / "data" / "delta").mkdir(parents=True)
                shutil.copy(path, work / "data" / "delta")
            ran = run_ledger(command, *files, "--expect-rows", "contact_centers=3", cwd=work)
            assert ran.code == 3
            assert f"{name}: row-count: it has 2 rows, and 3 are expected" in ran.err
            assert (work / "ledger.db").read_bytes() == before
        assert run_ledger("ingest", path, "--expect-rows", "contact_centers=2", cwd=work).code == 0

    @pytest.mark.parametrize(
        "expected", ["agents", "agents=", "agents=x", "=3", "agents=-1", "agents=1_0", "agents=٣"]
    )
    def test_rows_expected_in_another_way_are_wrong_usage(
        self, tmp_path: Path, expected: str
    ) -> None:
        assert run_ledger(*INGEST, "--expect-rows", expected, cwd=tmp_path).code == 2
        assert list(tmp_path.iterdir()) == []

    def test_rows_expected_of_a_table_twice_or_of_none_are_wrong_usage(
        self, tmp_path: Path
    ) -> None:
        twice = ("--expect-rows", "agents=1", "--expect-rows", "agents=2")
        assert run_ledger(*INGEST, *twice, cwd=tmp_path).code == 2
        ran = run_ledger(*INGEST, "--expect-rows", "agent=1", cwd=tmp_path)
        assert ran.code == 2
        assert "there is no table 'agent'" in ran.err

    def test_a_folder_in_the_place_of_a_file_is_told(self, tmp_path: Path) -> None:
        ran = run_ledger("ingest", DATA, cwd=tmp_path)
        assert ran.code == 3
        assert "--data-dir" in ran.err


class TestProject:
    def test_any_sqlite_client_reads_the_projection(self, work: Path) -> None:
        ran = run_ledger("project", "--as-of", "202502", "--json", cwd=work)
        assert json.loads(ran.out)["edition"]["as_of"] == "202502"
        with closing(sqlite3.connect(work / "ledger.db")) as connection:
            total = connection.execute("SELECT sum(total_interactions) FROM support_report")
            assert total.fetchone() == (19,)

    def test_dry_run_leaves_the_stored_one(self, work: Path) -> None:
        run_ledger("project", "--as-of", "202502", cwd=work)
        before = (work / "ledger.db").read_bytes()
        assert run_ledger("project", "--dry-run", cwd=work).code == 0
        assert (work / "ledger.db").read_bytes() == before

    def test_another_month_than_the_stored_one_is_told_and_leaves_it(self, work: Path) -> None:
        run_ledger("project", "--as-of", "202502", cwd=work)
        ran = run_ledger("report", cwd=work)
        assert "another: as of 202502, batch 3." in ran.err
        asked_for = run_ledger("report", "--as-of", "202503", cwd=work)
        assert "another" not in asked_for.err
        assert len(report(work)) == 24
        status = json.loads(run_ledger("status", "--json", cwd=work).out)
        assert status["projection"]["as_of"] == "202502"

    @pytest.mark.parametrize("month", ["202412", "202504", "2025", "202513", "march"])
    def test_a_month_that_is_not_there_is_wrong_usage(self, work: Path, month: str) -> None:
        before = (work / "ledger.db").read_bytes()
        ran = run_ledger("project", "--as-of", month, cwd=work)
        assert ran.code == 2
        assert month in ran.err
        assert (work / "ledger.db").read_bytes() == before


class TestReportAndExport:
    def test_the_report_is_written_and_shown(self, work: Path) -> None:
        ran = run_ledger("report", cwd=work)
        assert ran.code == 0
        written = (work / "report" / "support_report.csv").read_text(encoding="utf-8")
        rows = list(csv.reader(written.splitlines()))
        shown = [line.split("  ") for line in ran.out.splitlines()]
        assert len(shown) == len(rows) + 1  # a rule under the header
        for cells, line in zip(rows[1:], ran.out.splitlines()[2:], strict=True):
            assert all(cell in line for cell in cells)

    def test_the_formats_of_the_report_say_the_same(self, work: Path) -> None:
        from_csv = report(work)
        ran = run_ledger("report", "--format", "json", cwd=work)
        assert json.loads(ran.out) == json.loads((work / "report/support_report.json").read_text())
        assert [{k: str(v) for k, v in row.items()} for row in json.loads(ran.out)] == from_csv

    def test_export_writes_every_table_and_a_manifest(self, work: Path) -> None:
        assert run_ledger("export", "--format", "json", cwd=work).code == 0
        assert sorted(path.name for path in (work / "output").iterdir()) == [
            "agents_final.json",
            "contact_centers_final.json",
            "datapackage.json",
            "interactions_final.json",
            "service_categories_final.json",
        ]

    def test_export_of_one_table_writes_it_alone(self, work: Path) -> None:
        assert run_ledger("export", "--table", "agents", "--out-dir", "x", cwd=work).code == 0
        names = sorted(path.name for path in (work / "x").iterdir())
        assert names == ["agents_final.csv", "datapackage.json"]
        assert run_ledger("export", "--table", "agent", cwd=work).code == 2

    def test_a_table_named_twice_is_written_once(self, work: Path) -> None:
        twice = ("--table", "agents", "--table", "agents")
        assert run_ledger("export", *twice, cwd=work).code == 0
        manifest = json.loads((work / "output" / "datapackage.json").read_text(encoding="utf-8"))
        assert [resource["name"] for resource in manifest["resources"]] == ["agents_final"]

    def test_minutes_are_shown_with_all_their_digits(self, work: Path) -> None:
        header = (DATA / "delta" / "interactions_delta_202503.csv").read_text("utf-8").split()[0]
        row = "INT9,,phone,CAT01,,CC01,2025-04-02T10:00:00Z,,,1234567.25,,add"
        path = delta(work, "interactions_delta_202504.csv", header, row)
        assert run_ledger("ingest", path, cwd=work).code == 0
        assert " 1234567.25\n" in run_ledger("report", cwd=work).out

    def test_what_is_printed_as_csv_is_what_is_written(self, work: Path) -> None:
        name = "CC02,\x1b[31mred|東京 😀,b,update"
        path = delta(work, "contact_centers_delta_202504.csv", CENTER_HEADER, name)
        assert run_ledger("ingest", path, cwd=work).code == 0
        for encoding in ("utf-8", "cp1252"):
            for format in ("csv", "json"):
                command = [str(LEDGER), "report", "--format", format]
                settings = environment(PYTHONUTF8="0", PYTHONIOENCODING=encoding)
                printed = subprocess.run(
                    command, cwd=work, env=settings, stdout=subprocess.PIPE, check=True
                ).stdout
                written = (work / "report" / f"support_report.{format}").read_bytes()
                if format == "csv":
                    assert printed == written
                else:
                    assert json.loads(printed) == json.loads(written)
        for format in ("table", "markdown"):
            ran = run_ledger("answers", "--period", "2025Q1", "--format", format, cwd=work)
            assert "\x1b" not in ran.out
            assert "red" in ran.out
        assert "red\\|" in ran.out

    def test_dry_run_writes_nothing(self, work: Path) -> None:
        assert run_ledger("export", "--dry-run", cwd=work).code == 0
        assert run_ledger("report", "--dry-run", cwd=work).code == 0
        assert [path.name for path in work.iterdir()] == ["ledger.db"]

    def test_a_file_in_the_place_of_the_folder_is_a_storage_failure(self, work: Path) -> None:
        (work / "taken").write_text("mine")
        assert run_ledger("export", "--out-dir", "taken/x", cwd=work).code == 5
        assert run_ledger("report", "--out-dir", "taken/x", cwd=work).code == 5
        assert (work / "taken").read_text() == "mine"


class TestAnswers:
    def test_a_quarter_that_is_not_over_is_told(self, work: Path) -> None:
        assert "so far (as of 2025-02)" in answers(work, "--as-of", "202502")["1"]["question"]
        assert "so far" not in answers(work)["1"]["question"]

    def test_markdown_has_a_heading_for_each_question(self, work: Path) -> None:
        ran = run_ledger("answers", "--format", "markdown", cwd=work)
        headings = [line.split(".")[0] for line in ran.out.splitlines() if line.startswith("## ")]
        assert headings == ["## 1", "## 2", "## 3", "## 3a", "## 3b"]

    def test_a_quarter_to_come_is_wrong_usage(self, work: Path) -> None:
        assert run_ledger("answers", "--period", "2025Q2", cwd=work).code == 2
        assert run_ledger("answers", "--period", "first", cwd=work).code == 2


class TestEverywhere:
    @pytest.mark.parametrize("command", ["project", "export", "report", "answers", "status", "log"])
    def test_without_a_ledger_it_is_wrong_usage_and_makes_none(
        self, tmp_path: Path, command: str
    ) -> None:
        ran = run_ledger(command, cwd=tmp_path)
        assert ran.code == 2
        assert "ledger ingest" in ran.err
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
    @pytest.mark.parametrize("command", ["log", "report", "answers"])
    def test_output_that_cannot_be_written_is_a_storage_failure(
        self, work: Path, command: str
    ) -> None:
        with open("/dev/full", "w") as full:
            ran = subprocess.run(
                [str(LEDGER), command], cwd=work, env=environment(), stdout=full,
                stderr=subprocess.PIPE, encoding="utf-8", check=False,
            )  # fmt: skip
        assert ran.returncode == 5
        assert ran.stderr.splitlines()[-1].startswith("Error: standard output cannot be written")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
    @pytest.mark.parametrize(("data", "code"), [(DATA, 0), (Path("nowhere"), 2)])
    def test_a_log_that_cannot_be_written_changes_nothing_else(
        self, tmp_path: Path, data: Path, code: int
    ) -> None:
        command = [str(LEDGER), "ingest", "--data-dir", str(data)]
        with open("/dev/full", "w") as full:
            ran = subprocess.run(
                command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=full,
                encoding="utf-8", check=False,
            )  # fmt: skip
        assert ran.returncode == code
        assert ("62 events recorded" in ran.stdout) is (code == 0)

    @pytest.mark.skipif(sys.platform == "win32", reason="pipes break otherwise there")
    def test_a_reader_that_goes_away_is_no_error(self, work: Path) -> None:
        with subprocess.Popen(
            [str(LEDGER), "report", "--format", "json"], cwd=work, env=environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdout
            assert process.stderr
            process.stdout.close()
            errors = process.stderr.read().decode()
        assert process.returncode == 141
        assert "Error" not in errors
        assert "Traceback" not in errors

    def test_a_stale_projection_of_the_same_month_is_told(self, work: Path) -> None:
        assert run_ledger("project", cwd=work).code == 0
        assert "The stored projection is another" not in run_ledger("report", cwd=work).err
        path = delta(work, "contact_centers_delta_202504.csv", CENTER_HEADER)
        assert run_ledger("ingest", path, cwd=work).code == 0
        assert "The stored projection is another" in run_ledger("report", cwd=work).err

    def test_options_come_from_the_environment(self, recorded: Path, tmp_path: Path) -> None:
        ran = run_ledger(
            "export", cwd=tmp_path,
            LEDGER_DB=str(recorded / "ledger.db"), LEDGER_EXPORT_FORMAT="json",
            LEDGER_EXPORT_TABLE="agents",
        )  # fmt: skip
        assert ran.code == 0
        names = sorted(path.name for path in (tmp_path / "output").iterdir())
        assert names == ["agents_final.json", "datapackage.json"]

    @pytest.mark.parametrize("command", ["status", "log", "report", "answers", "project"])
    def test_quiet_tells_nothing_but_the_result(self, work: Path, command: str) -> None:
        ran = run_ledger(command, "--quiet", cwd=work)
        assert (ran.code, ran.err) == (0, "")
        assert ran.out

    @pytest.mark.parametrize("format", ["json", "csv", "ndjson"])
    def test_the_log_has_a_line_for_each_file(self, recorded: Path, format: str) -> None:
        ran = run_ledger("log", "--format", format, cwd=recorded)
        readers: dict[str, Callable[[], list[Any]]] = {
            "json": lambda: json.loads(ran.out),
            "csv": lambda: list(csv.DictReader(ran.out.splitlines())),
            "ndjson": lambda: [json.loads(line) for line in ran.out.splitlines()],
        }
        rows = readers[format]()
        assert len(rows) == 11
        assert rows[4]["file"] == "delta/agents_delta_202502.csv"

    def test_run_does_it_all(self, tmp_path: Path) -> None:
        ran = run_ledger("run", "--data-dir", DATA, cwd=tmp_path)
        assert ran.code == 0
        assert (tmp_path / "output" / "interactions_final.csv").exists()
        assert (tmp_path / "report" / "support_report.csv").exists()
        assert "12.73" in ran.out

    def test_the_three_ways_to_call_it_are_the_same(self, tmp_path: Path) -> None:
        helps = [
            run_ledger("--help", cwd=tmp_path),
            run(PYTHON, "-m", "ledger", "--help", cwd=tmp_path),
            run(PYTHON, ROOT / "cli.py", "--help", cwd=tmp_path),
        ]
        assert helps[0].code == 0
        assert helps[0].out == helps[1].out
        assert helps[0].out == helps[2].out.replace("cli.py", "ledger")

    @pytest.mark.skipif(sys.platform != "linux", reason="names are text")
    def test_arguments_and_names_that_are_no_utf_8_are_told(self, work: Path) -> None:
        odd = "\udcff"
        for command in (
            ("history", "agents", odd),
            ("retract", "agents", "202503", "--reason", odd),
        ):
            ran = run_ledger(*command, cwd=work)
            assert ran.code == 2, ran.err
        delta(work, f"agents{odd}.csv")
        ran = run_ledger("ingest", "--json", f"agents{odd}.csv", cwd=work)
        assert ran.code == 3
        assert json.loads(ran.out)["error"]["problems"][0]["path"] == f"agents{odd}.csv"
        assert r"agents\udcff.csv: unknown-file" in ran.err

    def test_a_terminal_without_the_letters_shows_escapes(self, work: Path) -> None:
        path = delta(
            work, "contact_centers_delta_202504.csv", CENTER_HEADER, "CC02,Zurich 東京,b,update"
        )
        western = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
        assert run_ledger("ingest", path, cwd=work, **western).code == 0
        ran = run_ledger("report", cwd=work, **western)
        assert ran.code == 0
        assert "Zurich \\u6771\\u4eac" in ran.out
