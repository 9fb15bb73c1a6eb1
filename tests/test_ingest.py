"""What may follow on what, what is told of it, and that a refused month leaves nothing behind."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger import (
    IngestOptions,
    InputRefused,
    Ledger,
    MonthIngest,
    SequenceBroken,
    StorageFailed,
    WrongUsage,
)
from ledger.store.event_store import Store
from tests.commands import DATA
from tests.strategies import DeliveredFile, small_file, write_data_folder

EXTRACT = small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Atlanta"))
CATEGORIES = small_file("service_categories", None, ("CAT1", "Refunds", "Billing"))


def renaming(month: int, table: str = "contact_centers") -> DeliveredFile:
    """A delta that renames the first row of a table; no two have the same bytes."""
    key = "CC1" if table == "contact_centers" else "CAT1"
    return small_file(table, month, ("update", key, f"renamed in {month}"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.db")


def ingest(
    ledger: Ledger, data: Path, *files: DeliveredFile, **options: Any
) -> dict[str, MonthIngest]:
    """Deliver files into a data folder and ingest that; the months by their names."""
    write_data_folder(data, files)
    return {str(month.month): month for month in ledger.ingest(data, **options)}


def recorded(ledger: Ledger) -> list[str]:
    """The names of all recorded files, in order."""
    return [file.name for entry in ledger.log() for file in entry.files]


def findings(month: MonthIngest) -> list[str]:
    return [str(finding) for finding in month.first_findings]


# What is there already


def test_what_is_recorded_already_is_no_error_and_no_event(ledger: Ledger, data: Path) -> None:
    first = ingest(ledger, data, EXTRACT, renaming(202502))
    again = ingest(ledger, data)
    for month, result in again.items():
        assert result.batch is None
        assert not result.findings
        assert [file.recorded for file in result.files] == [False]
        assert [file.file for file in result.files] == [file.file for file in first[month].files]
    assert ledger.status().events["contact_centers"] == 3


def test_a_month_tells_which_files_are_new_and_which_were_there(ledger: Ledger, data: Path) -> None:
    ingest(ledger, data, EXTRACT, renaming(202502))
    extract = small_file("agents", 202502, ("add", "A1", "Ada"))
    month = ingest(ledger, data, extract, months=["202502"])["202502"]
    assert {file.file.table_name: file.recorded for file in month.files} == {
        "contact_centers": False,
        "agents": True,
    }
    assert month.batch is not None
    assert month.batch.events == 1


def test_other_bytes_for_a_recorded_file_are_refused_with_both_digests(
    ledger: Ledger, data: Path
) -> None:
    ingest(ledger, data, EXTRACT, renaming(202502))
    other = small_file("contact_centers", 202502, ("delete", "CC2"))
    before = ledger.path.read_bytes()
    with pytest.raises(SequenceBroken) as caught:
        ingest(ledger, data, other)
    for file in (other, renaming(202502)):
        assert hashlib.sha256(file.content()).hexdigest() in str(caught.value)
    assert "batch 2" in str(caught.value)
    assert ledger.path.read_bytes() == before


def test_other_bytes_of_one_file_keep_the_new_ones_of_its_month_out(
    ledger: Ledger, data: Path
) -> None:
    ingest(ledger, data, EXTRACT, renaming(202502))
    other = small_file("contact_centers", 202502, ("delete", "CC2"))
    with pytest.raises(SequenceBroken, match="other bytes are recorded"):
        ingest(ledger, data, other, small_file("agents", 202502, ("add", "A1")))
    assert "delta/agents_delta_202502.csv" not in recorded(ledger)


# Gaps and late files


def test_a_gap_is_refused_naming_the_missing_months(ledger: Ledger, data: Path) -> None:
    with pytest.raises(SequenceBroken, match=r"for 202502 to 202503, .* --allow-gap"):
        ingest(ledger, data, EXTRACT, renaming(202504), initial_month="202501")
    assert recorded(ledger) == ["initial/contact_centers.csv"]


def test_permission_for_late_files_is_none_for_a_gap(ledger: Ledger, data: Path) -> None:
    with pytest.raises(SequenceBroken, match="--allow-gap"):
        ingest(ledger, data, EXTRACT, renaming(202503), initial_month="202501", late=True)
    ingest(ledger, data, renaming(202502))
    with pytest.raises(SequenceBroken, match="--late"):
        ingest(ledger, data, renaming(202502, "service_categories"), allow_gap=True)


def test_a_gap_across_new_year_names_months_alone(ledger: Ledger, data: Path) -> None:
    with pytest.raises(SequenceBroken, match=r"nothing is recorded for 202412 to 202501,"):
        ingest(ledger, data, EXTRACT, renaming(202502), initial_month="202411")


def test_a_gap_that_is_allowed_is_recorded_as_one(ledger: Ledger, data: Path) -> None:
    months = ingest(ledger, data, EXTRACT, renaming(202504), initial_month="202501", allow_gap=True)
    assert [str(month) for month in months["202504"].missing_months] == ["202502", "202503"]
    assert [entry.batch.gap for entry in ledger.log()] == [False, True]


def test_no_gap_is_told_of_the_month_after_one_that_was_allowed(ledger: Ledger, data: Path) -> None:
    ingest(ledger, data, EXTRACT, renaming(202503), initial_month="202501", allow_gap=True)
    month = ingest(ledger, data, renaming(202504))["202504"]
    assert month.missing_months == ()
    assert [entry.batch.gap for entry in ledger.log()] == [False, True, False]


def test_a_gap_is_filled_later_without_a_flag_and_tells_what_it_restates(
    ledger: Ledger, data: Path
) -> None:
    files = (EXTRACT, renaming(202503), renaming(202504))
    ingest(ledger, data, *files, initial_month="202501", allow_gap=True)
    month = ingest(ledger, data, renaming(202502))["202502"]
    assert [str(restated) for restated in month.restates] == ["202503", "202504"]
    assert ledger.log()[-1].batch.late


def test_a_late_file_needs_permission(ledger: Ledger, data: Path) -> None:
    ingest(ledger, data, EXTRACT, renaming(202502), renaming(202503))
    late = renaming(202502, "service_categories")
    before = ledger.path.read_bytes()
    with pytest.raises(SequenceBroken, match=r"restate 202502 to 202503\. .* --late"):
        ingest(ledger, data, late)
    assert ledger.path.read_bytes() == before
    month = ingest(ledger, data, late, late=True)["202502"]
    assert [str(restated) for restated in month.restates] == ["202502", "202503"]
    assert [entry.batch.late for entry in ledger.log()] == [False, False, False, True]


def test_a_late_file_takes_its_own_place_not_the_end(ledger: Ledger, data: Path) -> None:
    ingest(ledger, data, EXTRACT, renaming(202502), renaming(202503))
    late = small_file("service_categories", 202502, ("add", "CAT1", "Refunds", "Billing"))
    ingest(ledger, data, late, late=True)
    file = ledger.log()[-1].files[0]
    assert (file.first_event, file.last_event) == (202502 * 10**9 + 2, 202502 * 10**9 + 2)


def test_another_table_for_the_latest_month_needs_no_flag(ledger: Ledger, data: Path) -> None:
    ingest(ledger, data, EXTRACT, renaming(202502))
    month = ingest(ledger, data, renaming(202502, "service_categories"))["202502"]
    # As of that month there was a report without it already.
    assert [str(restated) for restated in month.restates] == ["202502"]
    assert not ledger.log()[-1].batch.late


# The initial extract


def test_a_delta_before_any_extract_is_refused(ledger: Ledger, data: Path) -> None:
    with pytest.raises(SequenceBroken, match="a delta before any initial extract"):
        ingest(ledger, data, renaming(202502))
    assert not ledger.path.exists()


@pytest.mark.parametrize("month", [202501, 202412])
@pytest.mark.parametrize("table", ["contact_centers", "service_categories"])
def test_a_delta_of_the_month_of_the_extract_or_before_is_refused(
    ledger: Ledger, data: Path, month: int, table: str
) -> None:
    ingest(ledger, data, EXTRACT, renaming(202502))
    with pytest.raises(SequenceBroken, match="only deltas of later months can follow"):
        ingest(ledger, data, renaming(month, table), late=True)
    assert len(recorded(ledger)) == 2


def test_the_month_of_the_extract_is_told_by_the_whole_folder(ledger: Ledger, data: Path) -> None:
    files = (EXTRACT, renaming(202502), renaming(202503))
    months = ingest(ledger, data, *files, months=["202503"], allow_gap=True)
    assert list(months) == ["202501", "202503"]


def test_the_folder_of_a_single_file_tells_the_month_of_the_extract(
    ledger: Ledger, data: Path
) -> None:
    extract, *_ = write_data_folder(data, (EXTRACT, renaming(202502), renaming(202503)))
    assert [str(month.month) for month in ledger.ingest(files=[extract])] == ["202501"]


def test_the_month_of_the_extract_is_fixed_once_recorded(ledger: Ledger, data: Path) -> None:
    ingest(ledger, data, EXTRACT, renaming(202503))
    with pytest.raises(SequenceBroken, match="recorded as of 202502"):
        ingest(ledger, data, initial_month="202501")
    # Neither do earlier deltas move it that come into the folder later.
    ingest(ledger, data, CATEGORIES, months=["202502"], late=True)
    write_data_folder(data, [renaming(202412)])
    assert list(ingest(ledger, data, months=["202502"])) == ["202502"]


def test_the_month_of_the_extract_must_be_before_the_earliest_delta(
    ledger: Ledger, data: Path
) -> None:
    with pytest.raises(SequenceBroken, match="before the earliest delta, 202502"):
        ingest(ledger, data, EXTRACT, renaming(202502), initial_month="202502")
    assert not ledger.path.exists()


def test_an_extract_alone_needs_its_month(ledger: Ledger, data: Path) -> None:
    with pytest.raises(WrongUsage, match="--initial-month"):
        ingest(ledger, data, EXTRACT)
    assert not ledger.path.exists()
    assert list(ingest(ledger, data, initial_month="202501")) == ["202501"]


def test_a_recorded_extract_alone_needs_its_month_no_more(ledger: Ledger, data: Path) -> None:
    ingest(ledger, data, EXTRACT, initial_month="202501")
    assert ingest(ledger, data)["202501"].batch is None


def test_months_asked_for_that_no_file_is_of_are_wrong_usage(ledger: Ledger, data: Path) -> None:
    with pytest.raises(WrongUsage, match="202412, 202504"):
        ingest(ledger, data, EXTRACT, renaming(202502), months=["202504", "202502", "202412"])
    assert not ledger.path.exists()


def test_months_not_asked_for_are_left_out(ledger: Ledger, data: Path) -> None:
    files = (EXTRACT, renaming(202502), renaming(202503))
    assert list(ingest(ledger, data, *files, months=["202502"])) == ["202501", "202502"]
    assert list(ingest(ledger, data, months=["202503"])) == ["202503"]


# What a file holds


def test_a_delta_that_is_a_header_alone_is_recorded(ledger: Ledger, data: Path) -> None:
    empty = small_file("contact_centers", 202502)
    month = ingest(ledger, data, EXTRACT, empty)["202502"]
    file = month.files[0].file
    assert (file.rows, file.first_event, file.last_event) == (0, None, None)
    assert month.batch is not None
    assert month.batch.events == 0


def test_the_same_bytes_for_another_month_are_recorded_and_told(ledger: Ledger, data: Path) -> None:
    files = [small_file("contact_centers", month, ("add", "CC3")) for month in (202502, 202503)]
    months = ingest(ledger, data, EXTRACT, *files)
    assert not months["202502"].findings
    assert months["202503"].findings["same-bytes"] == 1
    assert findings(months["202503"])[0] == (
        "delta/contact_centers_delta_202503.csv: same-bytes: "
        "the same bytes were delivered for another month, 202502"
    )


def test_a_header_alone_has_the_same_bytes_as_another_without_a_finding(
    ledger: Ledger, data: Path
) -> None:
    files = [small_file("contact_centers", month) for month in (202502, 202503)]
    assert not ingest(ledger, data, EXTRACT, *files)["202503"].findings


def test_a_key_twice_in_an_extract_is_refused_with_both_lines(ledger: Ledger, data: Path) -> None:
    keys = ("CC1", "CC2", "CC1", "CC1", "CC2")
    extract = small_file("contact_centers", None, *((key, key) for key in keys))
    with pytest.raises(InputRefused) as caught:
        ingest(ledger, data, extract, initial_month="202501")
    problems = caught.value.problems.kept
    assert [(problem.code, problem.line, problem.value) for problem in problems] == [
        ("duplicate-key", 4, "CC1"),
        ("duplicate-key", 5, "CC1"),
        ("duplicate-key", 6, "CC2"),
    ]
    assert ["line 2" in p.message for p in problems] == [True, True, False]
    assert "line 3" in problems[2].message


def test_all_problems_of_all_files_of_a_month_are_told_at_once(ledger: Ledger, data: Path) -> None:
    centers = small_file("contact_centers", None, ("CC1",), ("",), ("CC1",))
    categories = small_file("service_categories", None, ("CAT1",), ("",))
    agents = small_file("agents", None, ("A1",))
    write_data_folder(data, (agents, centers, categories))
    (data / "initial" / "agents.csv").write_bytes(b"agent_id\nA1\n")
    with pytest.raises(InputRefused) as caught:
        ingest(ledger, data, initial_month="202501")
    places = [(Path(p.path).stem, p.code, p.line) for p in caught.value.problems]
    assert places == [
        *[("agents", "column-missing", 1)] * 4,
        ("contact_centers", "empty-key", 3),
        ("contact_centers", "duplicate-key", 4),
        ("service_categories", "empty-key", 3),
    ]


# All or nothing


def test_the_months_before_a_refused_one_stay_recorded(ledger: Ledger, data: Path) -> None:
    malformed = small_file("contact_centers", 202503, ("remove", "CC1"))
    write_data_folder(data, (EXTRACT, renaming(202502), malformed, renaming(202504)))
    done: list[MonthIngest] = []
    with pytest.raises(InputRefused, match="unknown-action"):
        done.extend(ledger.ingest_months(IngestOptions(data=data)))
    assert [str(month.month) for month in done] == ["202501", "202502"]
    assert recorded(ledger) == [file.name for file in (EXTRACT, renaming(202502))]


Failure = Callable[[pytest.MonkeyPatch, Path], type[BaseException]]


def a_malformed_file(_: pytest.MonkeyPatch, path: Path) -> type[BaseException]:
    path.write_bytes(path.read_bytes() + b"cut")
    return InputRefused


def a_file_that_cannot_be_read(_: pytest.MonkeyPatch, path: Path) -> type[BaseException]:
    path.unlink()
    path.mkdir()
    return InputRefused


def an_error_between_events(patch: pytest.MonkeyPatch, _: Path) -> type[BaseException]:
    append_events = Store.append_events

    def fail_after_one(store: Store, table: Any, events: Iterator[Any]) -> None:
        append_events(store, table, [next(events)])
        raise ZeroDivisionError

    patch.setattr(Store, "append_events", fail_after_one)
    return ZeroDivisionError


def an_error_before_the_batch(patch: pytest.MonkeyPatch, _: Path) -> type[BaseException]:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    patch.setattr(Store, "append_batch", fail)
    return ZeroDivisionError


def an_interruption_after_the_batch(patch: pytest.MonkeyPatch, _: Path) -> type[BaseException]:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    patch.setattr("ledger.recording.backend.file_findings", interrupt)
    return KeyboardInterrupt


def a_full_disk_at_the_end(patch: pytest.MonkeyPatch, _: Path) -> type[BaseException]:
    execute = Store.execute

    def fail_to_commit(store: Store, sql: str, parameters: Any = ()) -> int:
        if sql == "COMMIT":
            raise StorageFailed("the disk is full")
        return execute(store, sql, parameters)

    patch.setattr(Store, "execute", fail_to_commit)
    return StorageFailed


FAILURES = (
    a_malformed_file,
    a_file_that_cannot_be_read,
    an_error_between_events,
    an_error_before_the_batch,
    an_interruption_after_the_batch,
    a_full_disk_at_the_end,
)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_leaves_the_ledger_as_it_was(
    ledger: Ledger, data: Path, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(ledger, data, EXTRACT, initial_month="202501")
    (path,) = write_data_folder(data, [renaming(202502)])
    before, beside = ledger.path.read_bytes(), sorted(ledger.path.parent.iterdir())
    with monkeypatch.context() as patch, pytest.raises(failure(patch, path)):
        ledger.ingest(data)
    assert ledger.path.read_bytes() == before
    assert sorted(ledger.path.parent.iterdir()) == beside


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_leaves_no_ledger_where_there_was_none(
    ledger: Ledger, data: Path, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = write_data_folder(data, [EXTRACT])
    with monkeypatch.context() as patch, pytest.raises(failure(patch, path)):
        ledger.ingest(data, initial_month="202501")
    assert list(ledger.path.parent.iterdir()) == [data]


def test_what_failed_is_recorded_when_it_is_done_again(
    ledger: Ledger, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_data_folder(data, [EXTRACT, renaming(202502)])
    with monkeypatch.context() as patch, pytest.raises(an_error_between_events(patch, data)):
        ledger.ingest(data)
    ledger.ingest(data)
    assert ledger.status().events["contact_centers"] == 3


def test_a_dry_run_tells_all_and_changes_nothing(ledger: Ledger, data: Path) -> None:
    odd = small_file("contact_centers", 202502, ("update", "CC9", "x"))
    tried = ingest(ledger, data, EXTRACT, odd, dry_run=True)
    assert list(ledger.path.parent.iterdir()) == [data]
    done = ingest(ledger, data)
    assert [(m.findings, m.files) for m in tried.values()] == [
        (m.findings, m.files) for m in done.values()
    ]
    before = ledger.path.read_bytes()
    month = ingest(ledger, data, renaming(202503), dry_run=True)["202503"]
    assert month.batch is not None
    assert month.batch.batch == 3
    assert ledger.path.read_bytes() == before


def test_a_dry_run_refuses_what_ingest_refuses(ledger: Ledger, data: Path) -> None:
    ingest(ledger, data, EXTRACT, renaming(202502))
    before = ledger.path.read_bytes()
    with pytest.raises(SequenceBroken, match="nothing is recorded for 202503,"):
        ingest(ledger, data, renaming(202504), dry_run=True)
    assert ledger.path.read_bytes() == before


# Findings


def test_actions_out_of_turn_are_told_with_file_and_line(ledger: Ledger, data: Path) -> None:
    files = (
        EXTRACT,
        small_file("contact_centers", 202502, ("delete", "CC2"), ("delete", "CC1")),
        small_file(
            "contact_centers",
            202503,
            ("add", "CC1"),
            ("update", "CC2"),
            ("delete", "CC3"),
            ("add", "CC4"),
            ("update", "CC4"),
            ("update", "CC5"),
        ),
        small_file("contact_centers", 202504, ("add", "CC1"), ("delete", "CC4"), ("delete", "CC3")),
    )
    months = ingest(ledger, data, *files)

    def name(month: int, line: int, code: str, key: str) -> str:
        words = {
            "resurrected": "added again after a delete",
            "update-missing": "updated, but it does not exist",
            "delete-missing": "deleted, but it does not exist",
            "duplicate-key": "this key occurs earlier in this file",
            "add-existing": "added, but it exists already",
        }
        return f"delta/contact_centers_delta_{month}.csv:{line}: {code}: {words[code]}: {key!r}"

    assert findings(months["202501"]) == findings(months["202502"]) == []
    assert findings(months["202503"]) == [
        name(202503, 2, "resurrected", "CC1"),
        name(202503, 3, "update-missing", "CC2"),
        name(202503, 4, "delete-missing", "CC3"),
        name(202503, 6, "duplicate-key", "CC4"),
        name(202503, 7, "update-missing", "CC5"),
    ]
    assert findings(months["202504"]) == [
        name(202504, 2, "add-existing", "CC1"),
        name(202504, 4, "delete-missing", "CC3"),
    ]
    assert sum(months["202503"].findings.values()) == 5


def test_unreadable_values_are_told_in_the_order_of_the_lines(ledger: Ledger, data: Path) -> None:
    extract = small_file(
        "interactions",
        None,
        ("I1", "2025-02-30T10:00:00Z", "phone"),
        ("I2", "2025-01-05T10:00:00-05:00", "phone"),
    )
    delta = small_file(
        "interactions",
        202502,
        ("add", "I1", "2025-02-05T10:00:00", "phone", "", "", "", "", "", "", "1,000"),
        ("add", "I3", *[""] * 8, "1e309"),
        ("update", "I2", "soon"),
        ("delete", "I4"),
    )
    months = ingest(ledger, data, extract, delta)
    assert findings(months["202501"]) == [
        "initial/interactions.csv:2:timestamp: bad-timestamp: this is no timestamp: "
        "'2025-02-30T10:00:00Z'"
    ]
    assert [
        (finding.line, finding.column, finding.code) for finding in months["202502"].first_findings
    ] == [
        (2, None, "add-existing"),
        (2, "call_duration_minutes", "bad-number"),
        (2, "timestamp", "no-offset"),
        (3, "call_duration_minutes", "out-of-range"),
        (4, "timestamp", "bad-timestamp"),
        (5, None, "delete-missing"),
    ]


def test_the_findings_of_a_late_file_are_those_of_its_own_month(ledger: Ledger, data: Path) -> None:
    later = small_file("contact_centers", 202503, ("add", "CC3"), ("delete", "CC1"))
    ingest(ledger, data, EXTRACT, renaming(202502), later)
    late = small_file("agents", 202502, ("add", "A1", "Ada", "CC3"), ("add", "A2", "Bo", "CC1"))
    month = ingest(ledger, data, late, late=True)["202502"]
    assert findings(month) == [
        "delta/agents_delta_202502.csv:2:contact_center_id: reference-not-there-yet: "
        "refers to a row that does not exist, "
        "not there yet, came with delta/contact_centers_delta_202503.csv:2: 'CC3'"
    ]


def test_of_many_findings_the_first_hundred_are_kept_and_all_counted(
    ledger: Ledger, data: Path
) -> None:
    many = small_file("contact_centers", 202502, *(("delete", f"X{n}") for n in range(150)))
    month = ingest(ledger, data, EXTRACT, many)["202502"]
    assert len(month.first_findings) == 100
    assert month.findings == {"delete-missing": 150}


# Batches


def test_recorded_at_increases_though_the_clock_goes_back(
    ledger: Ledger, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([datetime(2025, 4, day, tzinfo=UTC) for day in (2, 1, 2, 3)])
    monkeypatch.setattr("ledger.recording.batches.utc_now", lambda: next(clock))
    ingest(ledger, data, EXTRACT, *(renaming(month) for month in (202502, 202503, 202504)))
    assert [entry.batch.recorded_at for entry in ledger.log()] == [
        "2025-04-02T00:00:00.000000Z",
        "2025-04-02T00:00:00.000001Z",
        "2025-04-02T00:00:00.000002Z",
        "2025-04-03T00:00:00.000000Z",
    ]


def test_the_same_files_in_the_same_order_give_the_same_heads_and_other_seals(
    tmp_path: Path, data: Path
) -> None:
    one, other = Ledger(tmp_path / "one.db"), Ledger(tmp_path / "other.db")
    for ledger in (one, other):
        ingest(ledger, data, EXTRACT, CATEGORIES, renaming(202502))
    heads, seals = (
        [[getattr(entry.batch, name) for entry in ledger.log()] for ledger in (one, other)]
        for name in ("head", "seal")
    )
    assert heads[0] == heads[1]
    assert not set(seals[0]) & set(seals[1])


def test_other_contents_give_another_head(tmp_path: Path) -> None:
    heads = set()
    for name in ("Boston", "boston"):
        ledger = Ledger(tmp_path / f"{name}.db")
        extract = small_file("contact_centers", None, ("CC1", name))
        month = ingest(ledger, tmp_path / name, extract, initial_month="202501")["202501"]
        assert month.batch is not None
        heads.add(month.batch.head)
    assert len(heads) == 2


def test_events_count_from_one_in_each_month_in_the_order_of_the_tables(
    ledger: Ledger, data: Path
) -> None:
    agents = small_file("agents", 202502, ("add", "A1"), ("add", "A2"))
    ingest(ledger, data, EXTRACT, CATEGORIES, renaming(202502), agents)
    with closing(sqlite3.connect(ledger.path)) as connection:
        events = connection.execute(
            "SELECT event_id, table_name, key, month, file, line FROM events ORDER BY event_id"
        ).fetchall()
    assert events == [
        (202501000000001, "contact_centers", "CC1", 202501, 1, 2),
        (202501000000002, "contact_centers", "CC2", 202501, 1, 3),
        (202501000000003, "service_categories", "CAT1", 202501, 2, 2),
        (202502000000001, "agents", "A1", 202502, 3, 2),
        (202502000000002, "agents", "A2", 202502, 3, 3),
        (202502000000003, "contact_centers", "CC1", 202502, 4, 2),
    ]


# The number of rows that is expected


def test_a_file_of_another_number_of_rows_than_expected_is_refused(
    ledger: Ledger, data: Path
) -> None:
    ingest(ledger, data, EXTRACT, initial_month="202501")
    before = ledger.path.read_bytes()
    agents = small_file("agents", 202502, ("add", "A1"), ("add", "A2"))
    for count in (0, 1, 3):
        with pytest.raises(InputRefused) as caught:
            ingest(ledger, data, renaming(202502), agents, expect_rows={"agents": count})
        (problem,) = caught.value.problems.kept
        assert str(problem) == (
            f"{data / agents.name}: row-count: it has 2 rows, and {count} are expected"
        )
        assert ledger.path.read_bytes() == before
    month = ingest(ledger, data, expect_rows={"agents": 2, "contact_centers": 1})["202502"]
    assert month.batch is not None
    assert month.batch.events == 3


def test_every_file_of_another_number_of_rows_is_told(ledger: Ledger, data: Path) -> None:
    with pytest.raises(InputRefused) as caught:
        ingest(
            ledger, data, EXTRACT, CATEGORIES, initial_month="202501",
            expect_rows={"service_categories": 2, "contact_centers": 1},
        )  # fmt: skip
    assert [problem.code for problem in caught.value.problems] == ["row-count"] * 2
    assert not ledger.path.exists()


def test_what_is_recorded_already_is_held_to_no_number_of_rows(ledger: Ledger, data: Path) -> None:
    ingest(ledger, data, EXTRACT, renaming(202502))
    expected = {"contact_centers": 1}
    months = ingest(ledger, data, renaming(202503), expect_rows=expected)
    assert months["202503"].batch is not None
    assert ingest(ledger, data, expect_rows=expected)["202503"].batch is None


def test_a_correction_is_held_to_the_number_of_rows(ledger: Ledger, data: Path) -> None:
    ingest(ledger, data, EXTRACT, renaming(202502))
    corrected = small_file("contact_centers", 202502, ("delete", "CC2"), ("delete", "CC1"))
    with pytest.raises(InputRefused, match="it has 2 rows, and 3 are expected"):
        ingest(ledger, data, corrected, correct="wrong", expect_rows={"contact_centers": 3})
    ingest(ledger, data, corrected, correct="wrong", expect_rows={"contact_centers": 2})


def test_rows_that_can_be_those_of_no_one_file_are_wrong_usage(ledger: Ledger, data: Path) -> None:
    files = (EXTRACT, renaming(202502), renaming(202503))
    with pytest.raises(WrongUsage, match="for 202501, 202502, 202503 are new"):
        ingest(ledger, data, *files, expect_rows={"contact_centers": 1})
    with pytest.raises(WrongUsage, match="rows of agents are expected, but no file of it is"):
        ingest(ledger, data, expect_rows={"agents": 1})
    with pytest.raises(WrongUsage, match="there is no table 'agent'"):
        ingest(ledger, data, expect_rows={"agent": 1})
    assert not ledger.path.exists()


# How often the records are read


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """All statements of every connection that is opened."""
    traced: list[str] = []
    connect: Callable[..., sqlite3.Connection] = sqlite3.connect

    def tracing(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(traced.append)
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", tracing)
        yield traced


def reads_of_records(traced: list[str]) -> Counter[str]:
    """How often all rows of each table of records were read, in order."""
    found = (re.search(r"FROM (batches|files|tags) ORDER BY", statement) for statement in traced)
    return Counter(match[1] for match in found if match)


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_records_are_read_once_in_a_run(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    with statements(monkeypatch) as traced:
        done = ledger.ingest(DATA, dry_run=dry_run)
    assert sum(len(month.files) for month in done) == 11
    assert len([month for month in done if month.batch]) > 2
    reads = reads_of_records(traced)
    # The second reading of the batches finds out whether a ledger just made is to be removed.
    assert reads == {"batches": 2, "files": 1, "tags": 1}


def test_what_another_process_records_meanwhile_is_read_again(ledger: Ledger, data: Path) -> None:
    write_data_folder(data, [EXTRACT, *(renaming(month) for month in (202502, 202503))])
    months = ledger.ingest_months(IngestOptions(data=data))
    first = next(months)
    assert first.batch
    other = Ledger(ledger.path).ingest(data)
    assert [month.batch and month.batch.batch for month in other] == [None, 2, 3]
    rest = list(months)
    assert [month.batch for month in rest] == [None, None]
    assert [file.recorded for month in rest for file in month.files] == [False, False]
    assert ledger.verify().faults == ()
