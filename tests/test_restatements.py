"""Both axes in one table: which batch restated which month's report."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings

from ledger import Ledger
from ledger.datasets.support.restatements import Restatement
from tests.chronicle import Chronicle, Plan, chronicle_of, few_examples, plans
from tests.commands import DATA, run_ledger
from tests.strategies import DeliveredFile, small_file

Row = tuple[str, str, str, int, int, float]


def exported(ledger: Ledger, folder: Path, as_of: str, batch: int) -> str:
    """The digest of the report of an edition as it is written to a file."""
    file = (latest := ledger.at(as_of, known_at=batch)).write_report(latest.report(), folder)
    return hashlib.sha256(file.path.read_bytes()).hexdigest()


def rows_that_differ(before: list[Row], after: list[Row]) -> int:
    """How many labels have other figures, or are in one alone."""
    differing = (Counter(before) - Counter(after)) + (Counter(after) - Counter(before))
    return len({row[:3] for row in differing})


def span(months: set[int]) -> list[int]:
    """All months from the first one to the last."""
    every = range(min(months, default=1), max(months, default=0) + 1)
    return [number for number in every if 1 <= number % 100 <= 12]


@given(plans(most=5))
@settings(few_examples, max_examples=12)
def test_a_month_is_restated_where_the_exported_report_has_other_bytes(plan: Plan) -> None:
    with chronicle_of(plan) as chronicle:
        ledger = chronicle.ledger
        told = ledger.editions()
        counting = [
            (month, batch)
            for batch in range(1, chronicle.batches + 1)
            for month in span({month for _, month in chronicle.in_force(batch)})
        ]
        assert [(edition.as_of.number, edition.batch) for edition in told] == counting
        recorded_at = {entry.batch.batch: entry.batch.recorded_at for entry in ledger.log()}
        last: dict[int, tuple[str, list[Row]]] = {}
        for edition in told:
            month, batch = edition.as_of.number, edition.batch
            sha256 = exported(ledger, chronicle.folder / "report", str(month), batch)
            rows: list[Row] = chronicle.state(month, batch).report
            assert (edition.sha256, edition.recorded_at) == (sha256, recorded_at[batch])
            if month not in last:
                assert (edition.change, edition.rows_changed) == ("first", 0)
            else:
                before = last[month]
                assert edition.change == ("same" if sha256 == before[0] else "changed")
                assert edition.rows_changed == rows_that_differ(before[1], rows)
            last[month] = (sha256, rows)


CENTERS = small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Atlanta"))


def calls(month: int | None, *centers: str, at: str = "2025-01-05T12:00:00Z") -> DeliveredFile:
    """Calls of five minutes, one at each centre."""
    action = () if month is None else ("add",)
    rows = [
        (*action, f"I{month}-{number}", at, "phone", "", "", center, at, "", "", "5", "")
        for number, center in enumerate(centers)
    ]
    return small_file("interactions", month, *rows)


def renamed(month: int, name: str) -> DeliveredFile:
    return small_file("contact_centers", month, ("update", "CC1", name))


@pytest.fixture
def chronicle(tmp_path: Path) -> Chronicle:
    """An extract of three calls, a February with one more, and nothing in March."""
    chronicle = Chronicle(tmp_path)
    february = (calls(202502, "CC2"), renamed(202502, "Boston MA"))
    chronicle.deliver(CENTERS, calls(None, "CC1", "CC1", "CC2"), *february)
    chronicle.deliver(small_file("interactions", 202503))
    return chronicle


def of_batch(ledger: Ledger, batch: int) -> dict[str, str]:
    """Of each month, how its report changed and in how many rows."""
    return {
        str(edition.as_of): f"{edition.change} {edition.rows_changed}"
        for edition in ledger.editions()
        if edition.batch == batch
    }


def test_months_that_follow_one_another_restate_nothing(chronicle: Chronicle) -> None:
    assert [of_batch(chronicle.ledger, batch) for batch in (1, 2, 3)] == [
        {"202501": "first 0"},
        {"202501": "same 0", "202502": "first 0"},
        {"202501": "same 0", "202502": "same 0", "202503": "first 0"},
    ]


def test_a_late_file_restates_its_month_and_the_later_ones(chronicle: Chronicle) -> None:
    late = small_file("service_categories", 202502, ("add", "CAT1", "Refunds", "Billing"))
    chronicle.deliver(late)
    assert set(of_batch(chronicle.ledger, 4).values()) == {"same 0"}
    chronicle.deliver(small_file("agents", 202503))
    chronicle.deliver(calls(202504, "CC1"))
    chronicle.deliver(small_file("contact_centers", 202503, ("delete", "CC2")))
    # Two rows of the report have other labels: Atlanta went, and Unknown came.
    assert of_batch(chronicle.ledger, 7) == {
        "202501": "same 0",
        "202502": "same 0",
        "202503": "changed 2",
        "202504": "changed 2",
    }


def test_a_gap_that_is_filled_is_a_month_of_its_own(tmp_path: Path) -> None:
    chronicle = Chronicle(tmp_path)
    chronicle.deliver(CENTERS, calls(None, "CC1"), calls(202503, "CC1"))
    chronicle.deliver(calls(202502, "CC2", "CC2"))
    # A month in a gap can be told too, and then it has a report to be held to.
    assert of_batch(chronicle.ledger, 2) == {
        "202501": "same 0",
        "202502": "first 0",
        "202503": "first 0",
    }
    assert of_batch(chronicle.ledger, 3) == {
        "202501": "same 0",
        "202502": "changed 1",
        "202503": "changed 1",
    }


def test_a_month_that_becomes_a_gap_is_computed_anew(chronicle: Chronicle) -> None:
    chronicle.deliver(calls(202504, "CC1"))
    chronicle.retract("interactions", 202504)
    chronicle.deliver(calls(202505, "CC2"))
    assert "202504" not in of_batch(chronicle.ledger, 5)
    assert of_batch(chronicle.ledger, 6)["202504"] == "changed 1"
    tag = chronicle.ledger.tag("in-the-gap", as_of="202504")
    (tagged,) = [edition for edition in chronicle.ledger.editions() if edition.tags]
    assert (tagged.as_of, tagged.batch) == (tag.as_of, tag.batch)


def test_a_correction_restates_by_as_many_rows_as_it_changes(chronicle: Chronicle) -> None:
    chronicle.deliver(renamed(202502, "Boston MA NE"))
    assert of_batch(chronicle.ledger, 4) == {
        "202501": "same 0",
        "202502": "changed 2",
        "202503": "changed 2",
    }
    # A location is in no report.
    chronicle.deliver(
        small_file("contact_centers", 202502, ("update", "CC1", "Boston MA NE", "MA"))
    )
    assert set(of_batch(chronicle.ledger, 5).values()) == {"same 0"}
    chronicle.deliver(renamed(202502, "Boston MA"))
    same = {e.batch: e.sha256 for e in chronicle.ledger.editions() if e.as_of.number == 202502}
    assert same[3] == same[6]
    assert same[4] == same[5] != same[3]


def test_a_retraction_restates_and_a_month_without_files_is_gone(chronicle: Chronicle) -> None:
    chronicle.retract("contact_centers", 202502)
    assert of_batch(chronicle.ledger, 4)["202502"] == "changed 2"
    chronicle.retract("interactions", 202503)
    assert of_batch(chronicle.ledger, 5) == {"202501": "same 0", "202502": "same 0"}
    chronicle.deliver(calls(202503, "CC1"))
    # It is held to the last report that there was.
    assert of_batch(chronicle.ledger, 6)["202503"] == "changed 1"


def test_where_everything_is_retracted_there_is_nothing_to_tell(tmp_path: Path) -> None:
    chronicle = Chronicle(tmp_path)
    chronicle.deliver(CENTERS)
    chronicle.retract("contact_centers", 202501)
    assert [edition.batch for edition in chronicle.ledger.editions()] == [1]
    ran = run_ledger("editions", cwd=tmp_path)
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()[2:]] == ["1", "2"]


def test_reasons_for_unknown_are_no_part_of_what_is_compared(chronicle: Chronicle) -> None:
    before = chronicle.deliver(calls(202504, "CC9"))
    assert before
    healed = small_file("contact_centers", 202505, ("add", "CC9", "Denver"))
    chronicle.deliver(healed)
    assert of_batch(chronicle.ledger, 5)["202504"] == "same 0"


def test_tags_stand_where_they_were_given(chronicle: Chronicle) -> None:
    ledger = chronicle.ledger
    ledger.tag("signed", as_of="202502", known_at=2)
    ledger.tag("audited", as_of="202502", known_at=2)
    ledger.tag("last")
    tagged = {(str(e.as_of), e.batch): e.tags for e in ledger.editions() if e.tags}
    assert tagged == {("202502", 2): ("signed", "audited"), ("202503", 3): ("last",)}


def test_nothing_is_told_of_a_ledger_without_batches(tmp_path: Path) -> None:
    ran = run_ledger("editions", cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "there is no ledger" in ran.err


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of the samples, with a tag, then a corrected February."""
    folder = tmp_path_factory.mktemp("recorded")
    assert run_ledger("ingest", "--data-dir", DATA, cwd=folder).code == 0
    assert run_ledger("tag", "signed", "--as-of", "202501", cwd=folder).code == 0
    delta = DATA / "delta" / "interactions_delta_202502.csv"
    kept = delta.read_text(encoding="utf-8").splitlines(keepends=True)
    corrected = folder / delta.name
    corrected.write_text("".join(line for line in kept if not line.startswith("INT1011")))
    flags = ("--correct", "--reason", "INT1011 was a test, they say")
    assert run_ledger("ingest", corrected, *flags, cwd=folder).code == 0
    return folder


class TestCommand:
    def told(self, folder: Path) -> list[Restatement]:
        return Ledger(folder / "ledger.db").editions()

    def test_a_table_has_a_line_for_each_batch_and_a_column_for_each_month(
        self, recorded: Path
    ) -> None:
        ran = run_ledger("editions", cwd=recorded)
        header, _, *lines = ran.out.splitlines()
        assert header.split() == ["batch", "recorded_at", "month", "202501", "202502", "202503",
                                  "reason"]  # fmt: skip
        cells = [[cell for cell in line.split("  ") if cell.strip()] for line in lines]
        months = [[cell.strip() for cell in line[2:]] for line in cells]
        assert months == [
            ["202501", "first"],
            ["202502", "same", "first"],
            ["202503", "same [signed]", "same", "first"],
            ["202502", "same", "changed 1 row", "changed 1 row", "INT1011 was a test, they say"],
        ]

    @pytest.mark.parametrize("format", ["csv", "json", "ndjson"])
    def test_other_formats_have_a_row_for_each_edition(self, recorded: Path, format: str) -> None:
        ran = run_ledger("editions", "--format", format, cwd=recorded)
        rows: list[dict[str, object]]
        if format == "csv":
            rows = [*csv.DictReader(io.StringIO(ran.out, newline=""))]
        else:
            rows = json.loads(ran.out) if format == "json" else [
                json.loads(line) for line in ran.out.splitlines()
            ]  # fmt: skip
        text = format == "csv"
        assert rows == [
            {
                "as_of": str(edition.as_of),
                "batch": str(edition.batch) if text else edition.batch,
                "recorded_at": edition.recorded_at,
                "change": edition.change,
                "rows_changed": str(edition.rows_changed) if text else edition.rows_changed,
                "gap": "False" if text else False,
                "sha256": edition.sha256,
                "tags": " ".join(edition.tags) if text else list(edition.tags),
            }
            for edition in self.told(recorded)
        ]
        assert any(row["tags"] for row in rows)

    def test_the_digests_are_those_of_what_report_writes(
        self, recorded: Path, tmp_path: Path
    ) -> None:
        shutil.copy(recorded / "ledger.db", tmp_path)
        for edition in self.told(recorded):
            options = ("--as-of", edition.as_of, "--known-at", edition.batch, "--out-dir", "report")
            assert run_ledger("report", *options, cwd=tmp_path).code == 0
            written = (tmp_path / "report" / "support_report.csv").read_bytes()
            assert hashlib.sha256(written).hexdigest() == edition.sha256

    def test_two_formats_at_once_are_not_asked_for(self, recorded: Path) -> None:
        assert run_ledger("editions", "--format", "parquet", cwd=recorded).code == 2
