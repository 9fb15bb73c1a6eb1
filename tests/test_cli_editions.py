"""Corrections, retractions, tags and known-at as a user types them, on the sample data."""

from __future__ import annotations

import csv
import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.commands import DATA, Ran, run_ledger

NAME = "delta/interactions_delta_202502.csv"
CORRECTION = DATA / "corrections" / "interactions_delta_202502.csv"
WHY = "sent anew by the telephone system"
CENTER_HEADER = "contact_center_id,contact_center_name,location,action"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of all sample data; for tests that only read it."""
    folder = tmp_path_factory.mktemp("recorded")
    assert run_ledger("ingest", "--data-dir", DATA, cwd=folder).code == 0
    return folder


@pytest.fixture(scope="module")
def corrected(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger in which a file of February was corrected and a tag given before."""
    folder = tmp_path_factory.mktemp("corrected")
    shutil.copy(recorded / "ledger.db", folder)
    tagged = run_ledger("tag", "signed", "--as-of", "202502", "--known-at", "2", cwd=folder)
    assert tagged.code == 0
    ran = run_ledger("ingest", "--correct", "--reason", WHY, CORRECTION, cwd=folder)
    assert ran.code == 0
    return folder


@pytest.fixture
def work(recorded: Path, tmp_path: Path) -> Path:
    """A folder with a copy of the ledger of all sample data, to be changed."""
    shutil.copy(recorded / "ledger.db", tmp_path)
    return tmp_path


def unchanged(folder: Path, *arguments: object) -> Ran:
    """Run a command that is to leave the ledger as it is."""
    before = (folder / "ledger.db").read_bytes()
    ran = run_ledger(*arguments, cwd=folder)
    assert (folder / "ledger.db").read_bytes() == before
    return ran


def log(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(run_ledger("log", "--json", cwd=folder).out)
    return rows


def totals(folder: Path, *options: str) -> tuple[int, int]:
    """Interactions and minutes of February in the report, without writing it."""
    ran = run_ledger("report", "--format", "csv", "--dry-run", *options, cwd=folder)
    assert ran.code == 0
    rows = [r for r in csv.DictReader(ran.out.splitlines()) if r["month"] == "2025-02"]
    minutes = sum(float(row["total_call_duration"]) for row in rows)
    return sum(int(row["total_interactions"]) for row in rows), int(minutes)


class TestCorrect:
    def test_other_bytes_are_refused_with_the_way_on(self, work: Path) -> None:
        ran = unchanged(work, "ingest", CORRECTION)
        assert ran.code == 7
        for path in (DATA / NAME, CORRECTION):
            assert sha256(path.read_bytes()).hexdigest() in ran.err
        assert "rows       1 added, 1 changed, 0 removed" in ran.err
        assert '--correct --reason "…"' in ran.err

    def test_a_correction_is_recorded_and_told(self, work: Path) -> None:
        ran = run_ledger("ingest", "--correct", "--reason", WHY, CORRECTION, cwd=work)
        assert ran.code == 0
        assert "14 events recorded in 1 batch." in ran.out
        assert "202502: restates 202502 to 202503" in ran.err
        told = f"202502: supersedes {NAME} of batch 2: rows 1 added, 1 changed, 0 removed"
        assert told in ran.err
        # The bytes that it superseded are refused now, as they lie in the folder.
        again = unchanged(work, "ingest", "--data-dir", DATA)
        assert again.code == 7
        assert "in batch 2, and superseded in batch 4" in again.err

    def test_a_correction_is_told_as_data(self, work: Path) -> None:
        arguments = ("ingest", "--correct", "--reason", WHY, "--json", "--dry-run", CORRECTION)
        (month,) = json.loads(unchanged(work, *arguments).out)["months"]
        (file,) = month["files"]
        assert file["difference"] == {"added": 1, "changed": 1, "removed": 0}
        assert file["supersedes"]["batch"] == 2
        assert month["restates"] == ["202502", "202503"]
        assert month["batch"]["reason"] == WHY

    @pytest.mark.parametrize(
        "options",
        [("--reason", WHY), ("--correct",), ("--correct", "--reason", " ")],
        ids=["reason alone", "correct alone", "blank reason"],
    )
    def test_a_correction_and_its_reason_belong_together(
        self, work: Path, options: tuple[str, ...]
    ) -> None:
        ran = unchanged(work, "ingest", *options, CORRECTION)
        assert ran.code == 2
        assert "--reason" in ran.err

    def test_a_malformed_correction_is_refused_with_its_problems(self, work: Path) -> None:
        path = work / "contact_centers_delta_202503.csv"
        path.write_text(f"{CENTER_HEADER}\nCC02,a,b,rename\n")
        ran = unchanged(work, "ingest", "--correct", "--reason", WHY, path)
        assert ran.code == 3
        assert f"{path}:2:action: unknown-action" in ran.err


class TestRefusedFindings:
    @pytest.fixture
    def odd(self, work: Path) -> Path:
        """A delta with two findings."""
        path = work / "contact_centers_delta_202504.csv"
        path.write_text(f"{CENTER_HEADER}\nCC01,a,b,add\nCC77,,,delete\n")
        return path

    @pytest.mark.parametrize(
        ("options", "lines"),
        [
            (("--strict",), {2: "add-existing", 3: "delete-missing"}),
            (("--fail-on", "delete-missing"), {3: "delete-missing"}),
            (("--fail-on", "no-op", "--fail-on", "add-existing"), {2: "add-existing"}),
        ],
    )
    def test_a_month_with_such_findings_is_refused_with_file_and_line(
        self, work: Path, odd: Path, options: tuple[str, ...], lines: dict[int, str]
    ) -> None:
        ran = unchanged(work, "ingest", *options, odd)
        assert ran.code == 3
        for line, code in ((2, "add-existing"), (3, "delete-missing")):
            assert (f"delta/{odd.name}:{line}: {code}: " in ran.err) == (line in lines)
        assert f"{len(lines)} problem" in ran.err

    def test_other_findings_refuse_nothing(self, work: Path, odd: Path) -> None:
        assert run_ledger("ingest", "--fail-on", "no-op", odd, cwd=work).code == 0

    def test_the_months_before_stay_recorded(self, work: Path, odd: Path) -> None:
        header, row, _ = odd.read_text().splitlines()
        later = work / "contact_centers_delta_202505.csv"
        later.write_text(f"{header}\n{row.replace('add', 'update')}\n")
        odd.write_text(f"{header}\n{row}\n")
        ran = run_ledger("ingest", "--fail-on", "no-op", "--json", odd, later, cwd=work)
        assert ran.code == 3
        result = json.loads(ran.out)
        assert [month["month"] for month in result["months"]] == ["202504"]
        (problem,) = result["error"]["problems"]
        assert (problem["path"], problem["line"]) == (f"delta/{later.name}", 2)
        assert log(work)[-1]["month"] == "202504"

    def test_a_finding_that_cannot_be_is_wrong_usage(self, work: Path, odd: Path) -> None:
        ran = unchanged(work, "ingest", "--fail-on", "too-odd", odd)
        assert ran.code == 2
        assert "there is no finding too-odd" in ran.err
        assert "add-existing" in ran.err


class TestRetract:
    def test_a_file_is_retracted_and_told(self, work: Path) -> None:
        before = totals(work)
        ran = run_ledger("retract", "interactions", "202502", "--reason", WHY, cwd=work)
        assert ran.code == 0
        assert f"{NAME} of batch 2, with 13 rows, no longer counts." in ran.out
        assert "This restates 202502 to 202503." in ran.out
        assert log(work)[-1]["head"] in ran.out
        # What stays of February is what March delivered.
        assert before == (10, 99)
        assert totals(work) == (2, 26)
        again = unchanged(work, "retract", "interactions", "202502", "--reason", WHY)
        assert again.code == 2
        assert "no file of interactions is in force for 202502; see: ledger log" in again.err

    def test_it_is_rehearsed(self, work: Path) -> None:
        command = ("retract", "interactions", "202502", "--reason", WHY, "--dry-run")
        assert "with 13 rows, would no longer count." in unchanged(work, *command).out
        told = json.loads(unchanged(work, *command, "--json").out)
        assert told["restates"] == ["202502", "202503"]
        assert told["file"]["name"] == NAME

    @pytest.mark.parametrize(
        "arguments",
        [("interactions", "202502"), ("interactions", "202502", "--reason", " "),
         ("centers", "202502", "--reason", WHY)],
    )  # fmt: skip
    def test_without_a_reason_or_a_file_it_is_wrong_usage(
        self, work: Path, arguments: tuple[str, ...]
    ) -> None:
        assert unchanged(work, "retract", *arguments).code == 2

    def test_where_all_is_retracted_the_status_says_that_no_month_is_there(
        self, tmp_path: Path
    ) -> None:
        extract = DATA / "initial" / "agents.csv"
        assert run_ledger("ingest", extract, "--initial-month", "202501", cwd=tmp_path).code == 0
        assert run_ledger("retract", "agents", "202501", "--reason", WHY, cwd=tmp_path).code == 0
        ran = run_ledger("status", cwd=tmp_path)
        assert ran.code == 0
        assert ["months", "none"] in [line.split() for line in ran.out.splitlines()]
        assert run_ledger("report", cwd=tmp_path).code == 2


class TestTag:
    def test_a_tag_is_given_and_listed(self, work: Path) -> None:
        given = run_ledger("tag", "q1", "--as-of", "202502", "--json", cwd=work)
        (tag,) = json.loads(given.out)
        assert (tag["name"], tag["as_of"], tag["batch"]) == ("q1", "202502", 3)
        assert json.loads(unchanged(work, "tag", "--json").out) == [tag]
        assert unchanged(work, "tag", "q1", "--as-of", "202502").code == 0
        moved = unchanged(work, "tag", "q1")
        assert moved.code == 2
        assert "cannot be moved" in moved.err
        assert unchanged(work, "tag", "202502").code == 2

    def test_it_is_rehearsed(self, work: Path) -> None:
        assert unchanged(work, "tag", "q1", "--dry-run").code == 0
        assert json.loads(run_ledger("tag", "--json", cwd=work).out) == []


class TestKnownAt:
    @pytest.mark.parametrize(
        ("options", "of_february"),
        [
            ((), (11, 114)),
            (("--known-at", "3"), (10, 99)),
            (("--known-at", "signed"), (10, 73)),
            (("--known-at", "signed", "--as-of", "202501"), (0, 0)),
        ],
    )
    def test_the_report_is_of_what_was_known_then(
        self, corrected: Path, options: tuple[str, ...], of_february: tuple[int, int]
    ) -> None:
        assert totals(corrected, *options) == of_february

    def test_each_command_says_of_what_it_speaks(self, corrected: Path, tmp_path: Path) -> None:
        work = tmp_path
        shutil.copy(corrected / "ledger.db", work)
        head = next(row["head"] for row in log(work) if row["batch"] == 2)
        for command in ("project", "export", "report", "answers"):
            ran = run_ledger(command, "--known-at", "signed", cwd=work)
            assert ran.code == 0
            assert f"As of 202502, batch 2, head {head[:12]}" in ran.err
        manifest = json.loads((work / "output" / "datapackage.json").read_text(encoding="utf-8"))
        assert (manifest["asOf"], manifest["batch"], manifest["head"]) == ("202502", 2, head)
        status = json.loads(run_ledger("status", "--json", cwd=work).out)
        assert status["projection"]["batch"] == 2
        stale = run_ledger("report", cwd=work)
        assert "The stored projection is another: as of 202502, batch 2." in stale.err

    def test_what_was_exported_then_is_exported_again(
        self, recorded: Path, corrected: Path, tmp_path: Path
    ) -> None:
        for format in ("csv", "json", "parquet"):
            for folder, out, options in (
                (recorded, tmp_path / "then", ()),
                (corrected, tmp_path / "again", ("--known-at", "3")),
            ):
                command = ("export", "--format", format, "--out-dir", out)
                assert run_ledger(*command, *options, cwd=folder).code == 0
            then = {path.name: path.read_bytes() for path in (tmp_path / "then").iterdir()}
            assert then == {p.name: p.read_bytes() for p in (tmp_path / "again").iterdir()}
            assert f"interactions_final.{format}" in then

    @pytest.mark.parametrize(
        ("command", "known_at"),
        [("project", "5"), ("export", "2025-01-01"), ("report", "draft"), ("answers", "2025-01")],
    )
    def test_what_is_no_batch_moment_or_tag_is_wrong_usage(
        self, corrected: Path, command: str, known_at: str
    ) -> None:
        ran = unchanged(corrected, command, "--known-at", known_at)
        assert ran.code == 2
        assert ran.err.startswith("Error: ")

    def test_names_are_given_as_they_were(self, corrected: Path, tmp_path: Path) -> None:
        def centers(*options: str) -> set[tuple[str, str]]:
            command = ("report", "--format", "csv", "--out-dir", tmp_path, *options)
            ran = run_ledger(*command, cwd=corrected)
            rows = csv.DictReader(ran.out.splitlines())
            return {(row["month"], row["contact_center_name"]) for row in rows}

        assert ("2025-02", "Boston MA NE") in centers()
        assert ("2025-02", "Boston MA") in centers("--names", "as-was")
        assert run_ledger("report", "--names", "as-were", cwd=corrected).code == 2


class TestLog:
    def test_what_a_file_supersedes_why_and_with_which_flags(
        self, corrected: Path, tmp_path: Path
    ) -> None:
        work = tmp_path
        shutil.copy(corrected / "ledger.db", work)
        run_ledger("retract", "agents", "202503", "--reason", "of another client", cwd=work)
        centers = work / "contact_centers_delta_202502.csv"
        centers.write_text(f"{CENTER_HEADER}\n")
        assert run_ledger("ingest", "--late", centers, cwd=work).code == 0
        agents = work / "agents_delta_202503.csv"
        agents.write_bytes((DATA / "delta" / agents.name).read_bytes() + b"\n")
        ran = run_ledger("ingest", agents, cwd=work)
        assert ran.code == 0
        assert f"delta/{agents.name} comes after the retraction in batch 5" in ran.err
        rows = log(work)
        assert [*rows[0]] == [
            "batch", "recorded_at", "month", "file", "rows", "sha256", "flags", "supersedes",
            "reason", "head",
        ]  # fmt: skip
        told = [
            tuple(row[name] for name in ("file", "flags", "supersedes", "reason")) for row in rows
        ]
        assert set(told[:11]) == {(row["file"], "", None, None) for row in rows[:11]}
        assert told[11:] == [
            (NAME, "correction", 2, WHY),
            (f"delta/{agents.name}", "retraction", 3, "of another client"),
            (f"delta/{centers.name}", "late", None, None),
            (f"delta/{agents.name}", "", 5, None),
        ]
        assert [row["batch"] for row in rows[11:]] == [4, 5, 6, 7]
        assert rows[11]["sha256"] == sha256(CORRECTION.read_bytes()).hexdigest()
