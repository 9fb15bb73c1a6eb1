"""Other bytes for a table and month: refused, put in the place of what is there, and retracted."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections import Counter, defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import InputRefused, Ledger, MonthIngest, SequenceBroken, WrongUsage
from ledger.recording.corrections import RowDifference
from ledger.recording.ingest import FileIngest
from tests.chronicle import read_lines
from tests.strategies import DeliveredFile, delivered_files, small_file, write_data_folder

WHY = "the sender was wrong"
EXTRACT = small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Atlanta"))
AGENTS = small_file("agents", None, ("A1", "Ada"))


def centers(month: int, *rows: tuple[str, ...]) -> DeliveredFile:
    """A delta of contact centres."""
    return small_file("contact_centers", month, *rows)


FEBRUARY = centers(202502, ("update", "CC1", "Boston MA"), ("add", "CC3", "Denver"))
CORRECTED = centers(202502, ("update", "CC1", "Boston, MA"), ("delete", "CC2"))
AGAIN = centers(202502, ("update", "CC1", "Boston (MA)"))
MARCH = centers(202503, ("update", "CC3", "Richmond"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


@pytest.fixture
def recorded(ledger: Ledger, data: Path) -> Ledger:
    """A ledger with an extract of January and two deltas."""
    ingest(ledger, data, EXTRACT, FEBRUARY, MARCH)
    return ledger


def ingest(
    ledger: Ledger, data: Path, *files: DeliveredFile, **options: Any
) -> dict[str, MonthIngest]:
    """Deliver files into a data folder and ingest these; the months by their names."""
    paths = write_data_folder(data, files)
    options = {"initial_month": "202501", **options}
    return {str(month.month): month for month in ledger.ingest(files=paths, **options)}


def only_file(months: dict[str, MonthIngest]) -> FileIngest:
    """What became of the one file of the one month that was delivered."""
    (month,) = months.values()
    (file,) = month.files
    return file


def refused(ledger: Ledger, data: Path, *files: DeliveredFile, **options: Any) -> str:
    """The words in which a delivery is refused that breaks the sequence; nothing is recorded."""
    before = ledger.path.read_bytes()
    with pytest.raises(SequenceBroken) as caught:
        ingest(ledger, data, *files, **options)
    assert ledger.path.read_bytes() == before
    assert caught.value.exit_code == 7
    return str(caught.value)


def names(ledger: Ledger, **edition: Any) -> dict[str, str | None]:
    """The contact centres of an edition, by their keys."""
    ledger.project(**edition)
    with closing(sqlite3.connect(ledger.path)) as connection:
        rows = "SELECT contact_center_id, contact_center_name FROM contact_centers"
        return dict(connection.execute(rows))


def events(ledger: Ledger) -> list[tuple[Any, ...]]:
    """All events of contact centres, in the order of the file's own rows."""
    with closing(sqlite3.connect(ledger.path)) as connection:
        return connection.execute("SELECT * FROM contact_centers_events").fetchall()


def sha256(file: DeliveredFile) -> str:
    return hashlib.sha256(file.content()).hexdigest()


def months(result: Any) -> list[str]:
    """The months that something restates."""
    return [str(month) for month in result.restates]


# Without permission


def test_other_bytes_are_refused_with_both_digests_and_how_the_rows_differ(
    recorded: Ledger, data: Path
) -> None:
    message = refused(recorded, data, CORRECTED)
    path = data / CORRECTED.name
    assert message.splitlines() == [
        f"{path}: other bytes are recorded for contact_centers 202502 in batch 2",
        f"  recorded   SHA-256 {sha256(FEBRUARY)}, 2 rows",
        f"  delivered  SHA-256 {sha256(CORRECTED)}, 2 rows",
        "  rows       1 added, 1 changed, 1 removed",
        'To put it in the place of what is recorded, say --correct --reason "…"',
    ]


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        # Rows of its own.
        ([("add", "A")], [("add", "A"), ("add", "B")], (1, 0, 0)),
        ([("add", "A"), ("add", "B")], [("add", "B")], (0, 0, 1)),
        ([("add", "A")], [("add", "B")], (1, 0, 1)),
        # Another cell, NULL or not, another action, another way to write the same.
        ([("add", "A", "x")], [("add", "A", "y")], (0, 1, 0)),
        ([("add", "A", "")], [("add", "A", "x")], (0, 1, 0)),
        ([("add", "A", "x", "y")], [("add", "A", "x", "")], (0, 1, 0)),
        ([("add", "A")], [("update", "A")], (0, 1, 0)),
        ([("add", "A", "1")], [("add", "A", "1.0")], (0, 1, 0)),
        # Nothing that counts.
        ([("add", "A", "x")], [("ADD ", "A", " x\t")], (0, 0, 0)),
        ([("add", "A"), ("add", "B")], [("add", "B"), ("add", "A")], (0, 0, 0)),
        # A key that stands several times: the first is held to the first, and so on.
        ([("add", "A"), ("update", "A", "x")], [("add", "A"), ("update", "A", "y")], (0, 1, 0)),
        ([("add", "A"), ("update", "A")], [("update", "A"), ("add", "A")], (0, 2, 0)),
        ([("add", "A")], [("add", "A"), ("delete", "A")], (1, 0, 0)),
        ([("add", "A")] * 3, [("add", "A")], (0, 0, 2)),
        ([("add", "A"), ("add", "A")], [("add", "B"), ("add", "A")], (1, 0, 1)),
        # A header alone.
        ([], [("add", "A"), ("add", "B")], (2, 0, 0)),
        ([("add", "A"), ("add", "B")], [], (0, 0, 2)),
    ],
)
def test_the_rows_that_differ_are_counted(
    ledger: Ledger,
    data: Path,
    before: list[tuple[str, ...]],
    after: list[tuple[str, ...]],
    difference: tuple[int, int, int],
) -> None:
    ingest(ledger, data, EXTRACT, centers(202502, *before))
    added, changed, removed = difference
    told = f"{added} added, {changed} changed, {removed} removed"
    assert f"  rows       {told}\n" in refused(ledger, data, centers(202502, *after))
    corrected = only_file(ingest(ledger, data, centers(202502, *after), correct=WHY))
    assert corrected.difference == RowDifference(added, changed, removed)


@given(st.data())
@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_how_rows_differ_is_what_plain_python_finds(data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(("contact_centers", "interactions")), label="table")
    before, after = (
        data.draw(delivered_files(table, 202502), label=label) for label in ("before", "after")
    )

    def by_place(file: DeliveredFile) -> dict[tuple[str | None, int], dict[str, str | None]]:
        seen: Counter[str | None] = Counter()
        rows = {}
        for _, cells in read_lines(file.content()):
            key = cells[f"{table.removesuffix('s')}_id"]
            rows[key, seen[key]] = {**cells, "action": (cells["action"] or "").lower()}
            seen[key] += 1
        return rows

    one, other = by_place(before), by_place(after)
    expected = RowDifference(
        added=len(other.keys() - one.keys()),
        changed=sum(one[place] != other[place] for place in one.keys() & other.keys()),
        removed=len(one.keys() - other.keys()),
    )
    with tempfile.TemporaryDirectory() as folder:
        ledger, inbox = Ledger(Path(folder, "ledger.db")), Path(folder, "data")
        ingest(ledger, inbox, EXTRACT, before)
        told = only_file(ingest(ledger, inbox, after, correct=WHY))
    assert told.difference == (None if before.content() == after.content() else expected)


def test_other_line_ends_are_other_bytes_of_the_same_rows(ledger: Ledger, data: Path) -> None:
    ingest(ledger, data, EXTRACT, FEBRUARY)
    crlf = DeliveredFile(FEBRUARY.table, 202502, FEBRUARY.header, FEBRUARY.rows, "\r\n", "\r\n")
    message = refused(ledger, data, crlf)
    assert "0 added, 0 changed, 0 removed" in message
    assert sha256(crlf) in message


def test_a_recorded_file_that_is_the_beginning_of_the_delivered_one_looks_truncated(
    ledger: Ledger, data: Path
) -> None:
    whole = centers(202502, ("update", "CC1", "x"), ("add", "CC3"), ("add", "CC4"))
    cut = centers(202502, ("update", "CC1", "x"))
    assert whole.content().startswith(cut.content())
    ingest(ledger, data, EXTRACT, cut)
    message = refused(ledger, data, whole)
    assert "the earlier delivery looks truncated" in message
    assert "2 added, 0 changed, 0 removed" in message


@pytest.mark.parametrize(
    "other",
    [
        centers(202502, ("update", "CC1", "Boston MA"), ("add", "CC4", "Denver")),
        centers(202502, ("update", "CC1", "Boston MX"), ("add", "CC3", "Denver"), ("add", "CC4")),
        centers(202502, ("update", "CC1", "Boston MA")),
    ],
    ids=["as long", "longer, another beginning", "shorter"],
)
def test_any_other_file_does_not_look_truncated(
    recorded: Ledger, data: Path, other: DeliveredFile
) -> None:
    assert "truncated" not in refused(recorded, data, other)


def test_other_bytes_are_other_bytes_though_another_month_had_them(
    recorded: Ledger, data: Path
) -> None:
    as_in_february = centers(202503, ("update", "CC1", "Boston MA"), ("add", "CC3", "Denver"))
    assert as_in_february.content() == FEBRUARY.content()
    message = refused(recorded, data, as_in_february)
    assert "other bytes are recorded for contact_centers 202503 in batch 3" in message
    assert "1 added, 1 changed, 0 removed" in message
    # In the place of a retracted file they are new.
    recorded.retract("contact_centers", "202503", WHY)
    month = ingest(recorded, data, as_in_february)["202503"]
    assert month.findings["same-bytes"] == 1


def test_all_other_bytes_of_a_month_are_told_at_once(recorded: Ledger, data: Path) -> None:
    agents = small_file("agents", 202502, ("add", "A1"))
    ingest(recorded, data, agents, late=True)
    other = small_file("agents", 202502, ("add", "A2"))
    message = refused(recorded, data, CORRECTED, other)
    assert message.count("other bytes are recorded") == 2
    assert all(sha256(file) in message for file in (agents, other, FEBRUARY, CORRECTED))
    assert message.count("--correct") == 1


# With permission


def test_a_correction_takes_the_place_of_what_was_recorded(recorded: Ledger, data: Path) -> None:
    before = events(recorded)
    assert names(recorded) == {"CC1": "Boston MA", "CC2": "Atlanta", "CC3": "Richmond"}
    result = only_file(ingest(recorded, data, CORRECTED, correct=WHY))
    assert names(recorded) == {"CC1": "Boston, MA", "CC3": "Richmond"}
    assert names(recorded, as_of="202502") == {"CC1": "Boston, MA"}
    # The events of the file that it supersedes stay as they were.
    assert set(events(recorded)) > set(before)
    assert len(events(recorded)) == len(before) + 2
    assert result.recorded
    assert result.supersedes is not None
    assert result.supersedes.sha256 == sha256(FEBRUARY)
    assert result.file.supersedes == result.supersedes.file
    assert result.difference == RowDifference(1, 1, 1)


def test_a_correction_is_logged_with_its_flag_and_its_reason(recorded: Ledger, data: Path) -> None:
    month = ingest(recorded, data, CORRECTED, correct=f"  {WHY} \n")["202502"]
    batches = [entry.batch for entry in recorded.log()]
    assert [batch.correction for batch in batches] == [False, False, False, True]
    assert [batch.reason for batch in batches] == [None, None, None, WHY]
    assert month.batch == batches[-1]
    assert not batches[-1].late
    assert not batches[-1].gap


def test_a_correction_restates_its_month_and_the_later_ones(recorded: Ledger, data: Path) -> None:
    assert months(ingest(recorded, data, CORRECTED, correct=WHY)["202502"]) == ["202502", "202503"]
    other = centers(202503, ("delete", "CC1"))
    assert months(ingest(recorded, data, other, correct=WHY)["202503"]) == ["202503"]


def test_a_corrected_file_is_corrected_again(recorded: Ledger, data: Path) -> None:
    ingest(recorded, data, CORRECTED, correct=WHY)
    assert sha256(CORRECTED) in refused(recorded, data, AGAIN)
    result = only_file(ingest(recorded, data, AGAIN, correct="once more"))
    assert result.supersedes is not None
    assert result.supersedes.sha256 == sha256(CORRECTED)
    assert names(recorded) == {"CC1": "Boston (MA)", "CC2": "Atlanta", "CC3": "Richmond"}
    files = [file for entry in recorded.log() for file in entry.files]
    assert [file.supersedes for file in files] == [None, None, None, 2, 4]


def test_a_correction_delivered_again_is_recorded_already(recorded: Ledger, data: Path) -> None:
    ingest(recorded, data, CORRECTED, correct=WHY)
    before = recorded.path.read_bytes()
    for options in ({}, {"correct": "again"}):
        result = ingest(recorded, data, CORRECTED, **options)["202502"]
        assert result.batch is None
        assert [file.recorded for file in result.files] == [False]
    assert recorded.path.read_bytes() == before


def test_the_bytes_of_a_superseded_file_are_refused_and_put_back_with_permission(
    recorded: Ledger, data: Path
) -> None:
    ingest(recorded, data, CORRECTED, correct=WHY)
    message = refused(recorded, data, FEBRUARY)
    assert message.splitlines() == [
        f"{data / FEBRUARY.name}: these bytes were recorded for contact_centers 202502 in batch "
        "2, and superseded in batch 4",
        f"  SHA-256    {sha256(FEBRUARY)}, 2 rows",
        "Have the file that counts in its place, or leave it out with --months. "
        'Only to put these bytes back in force, say --correct --reason "…"',
    ]
    result = only_file(ingest(recorded, data, FEBRUARY, correct="it was right"))
    assert result.restores is not None
    assert result.restores.batch == 2
    assert result.supersedes is not None
    assert result.supersedes.sha256 == sha256(CORRECTED)
    assert names(recorded) == {"CC1": "Boston MA", "CC2": "Atlanta", "CC3": "Richmond"}
    # What it superseded then is told of the last time that these bytes were in force.
    ingest(recorded, data, AGAIN, correct=WHY)
    assert "in batch 5, and superseded in batch 6" in refused(recorded, data, FEBRUARY)


def test_what_comes_after_a_retraction_keeps_its_reason_and_differs_from_nothing(
    recorded: Ledger, data: Path
) -> None:
    recorded.retract("contact_centers", "202502", WHY)
    result = only_file(ingest(recorded, data, CORRECTED, correct="sent anew"))
    assert result.supersedes is not None
    assert (result.supersedes.kind, result.difference) == ("retraction", None)
    assert recorded.log()[-1].batch.reason == "sent anew"


@pytest.mark.parametrize("reason", ["", " ", "\n\t "])
def test_a_blank_reason_is_no_reason(recorded: Ledger, data: Path, reason: str) -> None:
    before = recorded.path.read_bytes()
    with pytest.raises(WrongUsage, match="--reason"):
        ingest(recorded, data, CORRECTED, correct=reason)
    with pytest.raises(WrongUsage, match="--reason"):
        recorded.retract("contact_centers", "202502", reason)
    assert recorded.path.read_bytes() == before


def test_the_initial_extract_is_corrected(recorded: Ledger, data: Path) -> None:
    other = small_file("contact_centers", None, ("CC1", "Boston"), ("CC9", "Salem"))
    assert "for contact_centers 202501 in batch 1" in refused(recorded, data, other)
    month = ingest(recorded, data, other, correct=WHY)["202501"]
    assert months(month) == ["202501", "202502", "202503"]
    assert names(recorded) == {"CC1": "Boston MA", "CC3": "Richmond", "CC9": "Salem"}
    assert names(recorded, as_of="202501") == {"CC1": "Boston", "CC9": "Salem"}
    # Its month is still fixed.
    with pytest.raises(SequenceBroken, match="recorded as of 202501; that is fixed"):
        ingest(recorded, data, EXTRACT, correct=WHY, initial_month="202412")


def test_a_corrected_extract_has_each_key_once(recorded: Ledger, data: Path) -> None:
    before = recorded.path.read_bytes()
    twice = small_file("contact_centers", None, ("CC1", "Boston"), ("CC1", "Salem"))
    with pytest.raises(InputRefused, match="duplicate-key"):
        ingest(recorded, data, twice, correct=WHY)
    assert recorded.path.read_bytes() == before


@pytest.mark.parametrize("options", [{}, {"correct": WHY}], ids=["without", "with permission"])
def test_a_malformed_correction_is_refused_with_its_problems(
    recorded: Ledger, data: Path, options: dict[str, str]
) -> None:
    before = recorded.path.read_bytes()
    malformed = centers(202502, ("remove", "CC1"), ("update", ""))
    with pytest.raises(InputRefused) as caught:
        ingest(recorded, data, malformed, **options)
    assert [problem.code for problem in caught.value.problems] == ["unknown-action", "empty-key"]
    assert caught.value.exit_code == 3
    assert recorded.path.read_bytes() == before


def test_a_correction_with_findings_that_are_refused_is_not_recorded(
    recorded: Ledger, data: Path
) -> None:
    before = recorded.path.read_bytes()
    odd = centers(202502, ("update", "CC9", "x"))
    with pytest.raises(InputRefused, match=r"contact_centers_delta_202502\.csv:2: update-missing"):
        ingest(recorded, data, odd, correct=WHY, refuse=["update-missing"])
    assert recorded.path.read_bytes() == before


def test_the_findings_of_a_correction_are_those_without_what_it_supersedes(
    recorded: Ledger, data: Path
) -> None:
    # CC3 came with the file that is superseded; and so does March find no CC3 afterwards.
    other = centers(202502, ("add", "CC3", "Denver"), ("update", "CC1", "Salem"))
    assert not ingest(recorded, data, other, correct=WHY)["202502"].findings
    found = ingest(recorded, data, centers(202502, ("update", "CC3")), correct=WHY)["202502"]
    assert found.findings == {"update-missing": 1}


def test_some_files_of_a_month_are_corrections_some_new_and_some_there_already(
    recorded: Ledger, data: Path
) -> None:
    ingest(recorded, data, AGENTS, late=True)
    there = small_file("agents", 202502, ("add", "A2"))
    ingest(recorded, data, there, late=True)
    new = small_file("service_categories", 202502, ("add", "CAT1"))
    assert "--late" in refused(recorded, data, there, CORRECTED, new, correct=WHY)
    assert "--correct" in refused(recorded, data, there, CORRECTED, new, late=True)
    month = ingest(recorded, data, there, CORRECTED, new, correct=WHY, late=True)["202502"]
    assert [(f.file.table_name, f.recorded, f.supersedes is None) for f in month.files] == [
        ("agents", False, True),
        ("contact_centers", True, False),
        ("service_categories", True, True),
    ]
    assert month.batch is not None
    assert (month.batch.late, month.batch.correction, month.batch.reason) == (True, True, WHY)
    assert months(month) == ["202502", "202503"]


def test_permission_to_correct_where_nothing_is_corrected_leaves_no_trace(
    ledger: Ledger, data: Path
) -> None:
    result = ingest(ledger, data, EXTRACT, FEBRUARY, correct=WHY)
    assert all(month.restates == () for month in result.values())
    ingest(ledger, data, CORRECTED, MARCH, correct=WHY)
    batches = [entry.batch for entry in ledger.log()]
    assert [batch.correction for batch in batches] == [False, False, True, False]
    assert [batch.reason for batch in batches] == [None, None, WHY, None]


def test_a_correction_is_rehearsed(recorded: Ledger, data: Path) -> None:
    before = recorded.path.read_bytes()
    tried = ingest(recorded, data, CORRECTED, correct=WHY, dry_run=True)["202502"]
    assert tried.batch is not None
    assert tried.batch.batch == 4
    assert "1 changed" in refused(recorded, data, CORRECTED, dry_run=True)
    assert recorded.path.read_bytes() == before


# Retractions


def test_a_retracted_file_counts_no_more_and_its_events_stay(recorded: Ledger, data: Path) -> None:
    before = events(recorded)
    done = recorded.retract("contact_centers", "202502", f" {WHY} ")
    assert names(recorded) == {"CC1": "Boston", "CC2": "Atlanta", "CC3": "Richmond"}
    assert events(recorded) == before
    assert done.file.sha256 == sha256(FEBRUARY)
    assert [str(month) for month in done.restates] == ["202502", "202503"]
    batch = recorded.log()[-1].batch
    assert done.batch == batch
    assert (batch.correction, batch.reason, batch.events) == (True, WHY, 0)
    assert not batch.late
    (file,) = recorded.log()[-1].files
    assert (file.kind, file.sha256, file.bytes, file.rows) == ("retraction", None, 0, 0)
    assert (file.name, file.supersedes) == (FEBRUARY.name, 2)
    # It is the month of a table that is retracted, whichever way it is written.
    recorded.retract("contact_centers", "2025-03", WHY)
    assert names(recorded) == {"CC1": "Boston", "CC2": "Atlanta"}


def test_new_bytes_come_in_the_place_of_a_retracted_file_without_permission(
    recorded: Ledger, data: Path
) -> None:
    recorded.retract("contact_centers", "202503", WHY)
    other = centers(202503, ("add", "CC9", "Salem"))
    month = ingest(recorded, data, other)["202503"]
    assert names(recorded)["CC9"] == "Salem"
    assert month.batch is not None
    assert not month.batch.correction
    assert month.batch.reason is None
    # The chain of a table and month has no end but the last: the retraction is superseded too.
    assert [f.supersedes for entry in recorded.log() for f in entry.files] == [None] * 3 + [3, 4]
    recorded.retract("contact_centers", "202503", WHY)
    assert "CC9" not in names(recorded)


def test_retracted_bytes_come_back_with_permission_alone(recorded: Ledger, data: Path) -> None:
    recorded.retract("contact_centers", "202503", WHY)
    message = refused(recorded, data, MARCH)
    assert "in batch 3, and retracted in batch 4" in message
    assert '--correct --reason "…"' in message
    result = ingest(recorded, data, MARCH, correct="it was right")["202503"]
    assert result.batch is not None
    assert (result.batch.correction, result.batch.reason) == (True, "it was right")
    assert names(recorded) == {"CC1": "Boston MA", "CC2": "Atlanta", "CC3": "Richmond"}


def test_what_was_superseded_before_a_retraction_needs_permission_too(
    recorded: Ledger, data: Path
) -> None:
    ingest(recorded, data, CORRECTED, correct=WHY)
    recorded.retract("contact_centers", "202502", WHY)
    assert "in batch 2, and superseded in batch 4" in refused(recorded, data, FEBRUARY)
    assert "in batch 4, and retracted in batch 5" in refused(recorded, data, CORRECTED)


@pytest.mark.parametrize(
    ("table", "month"),
    [("contact_centers", "202504"), ("agents", "202502"), ("centers", "202502"),
     ("contact_centers", "2025"), ("contact_centers", "202513")],
)  # fmt: skip
def test_what_is_not_there_cannot_be_retracted(recorded: Ledger, table: str, month: str) -> None:
    before = recorded.path.read_bytes()
    with pytest.raises(WrongUsage):
        recorded.retract(table, month, WHY)
    assert recorded.path.read_bytes() == before


def test_a_file_is_retracted_once(recorded: Ledger) -> None:
    recorded.retract("contact_centers", "202502", WHY)
    before = recorded.path.read_bytes()
    with pytest.raises(WrongUsage, match="no file of contact_centers is in force for 202502"):
        recorded.retract("contact_centers", "202502", WHY)
    assert recorded.path.read_bytes() == before


def test_without_the_only_file_of_the_latest_month_the_one_before_is_the_latest(
    recorded: Ledger, data: Path
) -> None:
    recorded.retract("contact_centers", "202503", WHY)
    assert str(recorded.status().latest_month) == "202502"
    assert str(recorded.at().report().edition.as_of) == "202502"
    with pytest.raises(WrongUsage, match="the months 202501 to 202502"):
        recorded.at("202503").report()
    april = centers(202504, ("add", "CC5"))
    assert "nothing is recorded for 202503," in refused(recorded, data, april)
    # As of March there was a report once.
    march = ingest(recorded, data, centers(202503, ("add", "CC4")))["202503"]
    assert months(march) == ["202503"]


def test_a_retraction_in_the_middle_makes_a_gap_that_is_filled_without_a_flag(
    recorded: Ledger, data: Path
) -> None:
    recorded.retract("contact_centers", "202502", WHY)
    assert [str(month) for month in recorded.status().missing_months] == ["202502"]
    assert [str(month) for month in recorded.at().report().edition.missing] == ["202502"]
    assert recorded.at("202502").report().edition.missing
    month = ingest(recorded, data, CORRECTED)["202502"]
    assert months(month) == ["202502", "202503"]
    assert month.batch is not None
    assert month.batch.late
    assert recorded.at().report().edition.missing == ()


def test_one_of_several_files_of_a_month_leaves_no_gap(recorded: Ledger, data: Path) -> None:
    ingest(recorded, data, small_file("agents", 202502, ("add", "A1")), late=True)
    recorded.retract("contact_centers", "202502", WHY)
    assert recorded.status().missing_months == ()
    # So what comes in its place is late.
    assert "--late" in refused(recorded, data, CORRECTED)
    assert ingest(recorded, data, CORRECTED, late=True)["202502"].batch is not None


def test_the_whole_extract_is_retracted_and_comes_back(recorded: Ledger, data: Path) -> None:
    done = recorded.retract("contact_centers", "202501", WHY)
    assert [str(month) for month in done.restates] == ["202501", "202502", "202503"]
    assert names(recorded) == {"CC1": "Boston MA", "CC3": "Richmond"}
    with pytest.raises(WrongUsage, match="the months 202502 to 202503"):
        recorded.project("202501")
    # Its month is fixed nevertheless.
    with pytest.raises(SequenceBroken, match="recorded as of 202501; that is fixed"):
        ingest(recorded, data, EXTRACT, initial_month="202412")
    ingest(recorded, data, small_file("contact_centers", None, ("CC2", "Atlanta")))
    assert names(recorded).keys() == {"CC1", "CC2", "CC3"}


def test_where_all_is_retracted_there_is_nothing_to_describe(recorded: Ledger) -> None:
    for month in ("202503", "202501", "202502"):
        recorded.retract("contact_centers", month, WHY)
    for ask in (recorded.at, recorded.project):
        with pytest.raises(WrongUsage, match="all are retracted"):
            ask()
    status = recorded.status()
    assert (status.first_month, status.latest_month, status.missing_months) == (None, None, ())
    assert names(recorded, known_at=3) == {"CC1": "Boston MA", "CC2": "Atlanta", "CC3": "Richmond"}


def test_a_retraction_is_rehearsed(recorded: Ledger) -> None:
    before = recorded.path.read_bytes()
    tried = recorded.retract("contact_centers", "202502", WHY, dry_run=True)
    assert recorded.path.read_bytes() == before
    done = recorded.retract("contact_centers", "202502", WHY)
    assert (tried.file, tried.restates) == (done.file, done.restates)
    assert tried.batch.batch == done.batch.batch


# Heads


def test_each_correction_and_retraction_moves_the_head_and_the_seal(
    recorded: Ledger, data: Path
) -> None:
    ingest(recorded, data, CORRECTED, correct=WHY)
    recorded.retract("contact_centers", "202502", WHY)
    ingest(recorded, data, CORRECTED, correct=WHY)
    recorded.retract("contact_centers", "202502", WHY)
    batches = [entry.batch for entry in recorded.log()]
    assert len({batch.head for batch in batches}) == len(batches) == 7
    assert len({batch.seal for batch in batches}) == len(batches)
    assert recorded.status().head == batches[-1].head


def test_the_same_corrections_give_the_same_heads_and_other_reasons_others(
    tmp_path: Path, data: Path
) -> None:
    heads = defaultdict(list)
    for place, (reason, retraction) in enumerate(
        [(WHY, WHY), (WHY, WHY), ("another", WHY), (WHY, "another")]
    ):
        ledger = Ledger(tmp_path / f"{place}.db")
        ingest(ledger, data, EXTRACT, FEBRUARY, MARCH)
        ingest(ledger, data, CORRECTED, correct=reason)
        ledger.retract("contact_centers", "202503", retraction)
        heads[place] = [entry.batch.head for entry in ledger.log()]
    assert heads[0] == heads[1]
    agree = [[one == other for one, other in zip(heads[0], heads[n], strict=True)] for n in (2, 3)]
    assert agree == [[True] * 3 + [False] * 2, [True] * 4 + [False]]


def test_what_is_put_back_in_force_is_told_with_the_batch_that_had_it(
    recorded: Ledger, data: Path
) -> None:
    ingest(recorded, data, CORRECTED, correct=WHY)
    result = only_file(ingest(recorded, data, FEBRUARY, correct="it was right"))
    assert result.restores is not None
    assert (result.restores.batch, result.restores.sha256) == (2, sha256(FEBRUARY))
    assert only_file(ingest(recorded, data, AGAIN, correct=WHY)).restores is None


def test_what_comes_back_after_a_retraction_restates_its_month(
    recorded: Ledger, data: Path
) -> None:
    recorded.retract("contact_centers", "202503", WHY)
    month = ingest(recorded, data, MARCH, correct="it was right")["202503"]
    assert [str(restated) for restated in month.restates] == ["202503"]
