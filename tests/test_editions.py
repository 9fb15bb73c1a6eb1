"""What was known when: editions, their names, and that none changes by what comes after."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import Ledger, Month, WrongUsage
from ledger.datasets.support.description import SUPPORT
from ledger.model.dataset import Table
from ledger.model.digest import FileContents
from ledger.model.editions import Edition, EditionName, KnownAt
from ledger.model.merkle import MerkleTree
from ledger.model.records import File
from ledger.recording.batches import BatchEvents, Flags, next_batch, next_event, next_file
from ledger.replay.editions import last_events
from ledger.replay.projection import build_temp_projection
from ledger.replay.statements import replay_sql
from ledger.store.event_store import EVENTS_PER_MONTH, Store
from tests import oracle
from tests.chronicle import Chronicle, Plan, chronicle_of, plans
from tests.replays import replay_of
from tests.strategies import DeliveredFile, small_file, write_data_folder

RECORDED_AT = (
    datetime(2025, 4, 1, 9, tzinfo=UTC),
    datetime(2025, 4, 1, 10, 0, 0, 250_000, tzinfo=UTC),
    datetime(2025, 4, 2, 10, tzinfo=UTC),
    datetime(2025, 4, 10, 12, 30, tzinfo=UTC),
)
EXTRACT = small_file("contact_centers", None, ("CC1", "Boston"))
FEBRUARY = small_file("contact_centers", 202502, ("update", "CC1", "Boston MA"))
MARCH = small_file("contact_centers", 202503, ("update", "CC1", "Boston MA NE"))
CORRECTED = small_file("contact_centers", 202502, ("add", "CC2", "Atlanta"))

some_examples = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Three months, then a correction of the second: four batches, recorded at `RECORDED_AT`."""
    ledger = Ledger(tmp_path / "ledger.db")
    clock = iter(RECORDED_AT)
    with monkeypatch.context() as patch:
        patch.setattr("ledger.recording.batches.utc_now", lambda: next(clock))
        write_data_folder(tmp_path, [EXTRACT, FEBRUARY, MARCH])
        ledger.ingest(tmp_path)
        write_data_folder(tmp_path, [CORRECTED])
        ledger.ingest(tmp_path, correct="the sender was wrong")
    return ledger


def chosen(ledger: Ledger, as_of: int | None = None, known_at: KnownAt | None = None) -> str:
    """The name of the edition of a month and a known-at."""
    with Store.for_reading(ledger.path) as store:
        month = None if as_of is None else Month(as_of)
        return store.records().edition(EditionName(month, known_at)).name


def named(ledger: Ledger, name: str) -> str:
    """The name of the edition that is named in another way."""
    with Store.for_reading(ledger.path) as store:
        return store.records().edition(EditionName.parse(name)).name


# Known-at


@pytest.mark.parametrize(
    ("known_at", "edition"),
    [
        (None, "202503@4"),
        # A batch, whose latest month is the one described.
        (1, "202501@1"),
        (2, "202502@2"),
        ("3", "202503@3"),
        ("4", "202503@4"),
        # A moment: what was recorded at it counts.
        ("2025-04-01T09:00:00Z", "202501@1"),
        ("2025-04-01T09:59:59.999999Z", "202501@1"),
        ("2025-04-01T10:00:00.25Z", "202502@2"),
        ("2025-04-01T10:00:00.249999Z", "202501@1"),
        ("2025-04-01T10:00:00,25Z", "202502@2"),
        # Of a second, up to its end.
        ("2025-04-01T10:00:00Z", "202502@2"),
        ("2025-04-01T10:00Z", "202502@2"),
        ("2025-04-01T10:00:00.0Z", "202501@1"),
        ("2025-04-09T00:00Z", "202503@3"),
        ("9999-12-31T23:59:59Z", "202503@4"),
        # With another offset.
        ("2025-04-01T06:00:00-04:00", "202502@2"),
        ("2025-04-01T05:59:59-04:00", "202501@1"),
        ("2025-04-02T15:45:00+05:45", "202503@3"),
        ("2025-04-02T15:44:59+05:45", "202502@2"),
        # A day of UTC, up to its end.
        ("2025-04-01", "202502@2"),
        ("2025-04-02", "202503@3"),
        ("2025-04-09", "202503@3"),
        ("2025-04-10", "202503@4"),
        # The moment itself.
        (RECORDED_AT[1], "202502@2"),
        (RECORDED_AT[1] - timedelta(microseconds=1), "202501@1"),
        (RECORDED_AT[1].replace(microsecond=0), "202501@1"),
        (RECORDED_AT[2].astimezone(timezone(timedelta(hours=-4))), "202503@3"),
    ],
)
def test_known_at_is_a_batch_or_a_moment(
    ledger: Ledger, known_at: KnownAt | None, edition: str
) -> None:
    assert chosen(ledger, known_at=known_at) == edition


@pytest.mark.parametrize(
    ("known_at", "message"),
    [
        (0, "there is no batch 0; the ledger holds 1 to 4"),
        (5, "there is no batch 5; the ledger holds 1 to 4"),
        (-1, "there is no batch -1"),
        ("0", "there is no batch 0"),
        ("202503", "there is no batch 202503"),
        ("9" * 5000, "is not a moment"),
        ("٣", "is not a moment"),
        ("-1", "is no batch, no moment"),
        ("", "is no batch, no moment"),
        ("2.0", "is not a moment"),
        ("2025-04-01T08:59:59.999999Z", "nothing was recorded by 2025-04-01T08:59"),
        ("2025-03-31", "the first batch is of 2025-04-01T09:00:00.000000Z"),
        ("0999-12-31", "nothing was recorded by 0999-12-31"),
        ("0999-12-31T00:00:00Z", "nothing was recorded by 0999"),
        (RECORDED_AT[0] - timedelta(microseconds=1), "nothing was recorded by"),
        (datetime(999, 1, 1, tzinfo=UTC), "nothing was recorded by"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "is not a moment"),
        ("2025-04-01T10:00:00", "is not a moment"),
        ("2025-04-31", "is not a moment"),
        ("2025-W14-2", "is not a moment"),
        ("2025-04-01T25:00:00Z", "is not a moment"),
        ("0001-01-01T00:00:00+01:00", "is not a moment"),
        (datetime(2025, 4, 1, 10), "has no time zone"),
        ("signed", "and no tag; the tags are: none"),
    ],
)
def test_what_is_no_batch_and_no_moment_of_the_ledger_is_wrong_usage(
    ledger: Ledger, known_at: KnownAt, message: str
) -> None:
    with pytest.raises(WrongUsage) as caught:
        chosen(ledger, known_at=known_at)
    assert message in str(caught.value)


def test_a_tag_that_is_not_there_is_told_with_those_that_are(ledger: Ledger) -> None:
    for name in ("signed", "draft"):
        ledger.tag(name)
    with pytest.raises(WrongUsage, match=r"the tags are: (signed, draft|draft, signed)$"):
        chosen(ledger, known_at="final")


def test_a_month_that_was_not_known_then_is_wrong_usage(ledger: Ledger) -> None:
    assert chosen(ledger, 202501, 2) == "202501@2"
    with pytest.raises(WrongUsage, match="at batch 2 held the months 202501 to 202502"):
        chosen(ledger, 202503, 2)
    with pytest.raises(WrongUsage, match="the ledger holds the months 202501 to 202503"):
        chosen(ledger, 202504)


def test_an_edition_tells_the_head_and_the_months_missing_then(
    ledger: Ledger, tmp_path: Path
) -> None:
    ledger.retract("contact_centers", "202502", "recorded by mistake")
    write_data_folder(tmp_path, [small_file("contact_centers", 202505, ("delete", "CC1"))])
    ledger.ingest(tmp_path, months=["202505"], allow_gap=True)
    heads = [entry.batch.head for entry in ledger.log()]
    gaps = {4: (), 5: (202502,), 6: (202502, 202504)}
    for batch, missing in gaps.items():
        edition = ledger.at(known_at=batch).report().edition
        assert edition.head == heads[batch - 1]
        assert [month.number for month in edition.missing] == [*missing]
    assert [m.number for m in ledger.at("202503", known_at=6).report().edition.missing] == [202502]
    assert ledger.at("202504", known_at=6).report().edition.as_of == Month(202504)


# Names of editions


@pytest.mark.parametrize(
    ("name", "edition"),
    [
        ("202502", "202502@4"),
        ("2025-02", "202502@4"),
        ("2", "202502@2"),
        ("202501@2", "202501@2"),
        ("2025-01@3", "202501@3"),
        ("@3", "202503@3"),
        ("signed", "202502@3"),
        ("@signed", "202502@3"),
        ("202501@signed", "202501@3"),
        ("202503@signed", "202503@3"),
        ("2025-04-01", "202502@2"),
        ("2025-04-01T09:30:00Z", "202501@1"),
        ("202501@2025-04-02", "202501@3"),
        ("202501@2025-04-01T06:00:00-04:00", "202501@2"),
    ],
)
def test_an_edition_is_named_by_month_and_known_at(ledger: Ledger, name: str, edition: str) -> None:
    ledger.tag("signed", as_of="202502", known_at=3)
    assert named(ledger, name) == edition


@pytest.mark.parametrize(
    "name",
    ["", "5", "@5", "202504", "202503@2", "unknown", "202502@unknown", "signed@2", "2@2",
     "202502@2@2", "@202502", "202513", "2025-03-31",
     "202501 @2", "202502@", "@"],
)  # fmt: skip
def test_what_names_no_edition_is_wrong_usage(ledger: Ledger, name: str) -> None:
    ledger.tag("signed", as_of="202502", known_at=3)
    with pytest.raises(WrongUsage):
        named(ledger, name)


# Tags


def test_a_tag_is_kept_and_goes_wherever_a_batch_goes(ledger: Ledger) -> None:
    before = [row.contact_center_name for row in ledger.at("202502", known_at=3).report().rows]
    tag = ledger.tag("signed", as_of="202502", known_at=3)
    assert (tag.name, tag.as_of, tag.batch) == ("signed", Month(202502), 3)
    assert ledger.tags() == [tag]
    report = ledger.at(known_at="signed").report()
    assert report.edition.name == "202502@3"
    assert [row.contact_center_name for row in report.rows] == before
    # A month that is asked for goes before that of the tag.
    assert ledger.at("202501", known_at="signed").report().edition.name == "202501@3"
    assert ledger.at("202503", known_at="signed").report().edition.name == "202503@3"


def test_a_tag_is_of_the_latest_month_and_the_last_batch_by_default(ledger: Ledger) -> None:
    latest = ledger.tag("latest")
    assert (latest.as_of, latest.batch) == (Month(202503), 4)
    then = ledger.tag("then", known_at="2025-04-01")
    assert (then.as_of, then.batch) == (Month(202502), 2)
    again = ledger.tag("again", known_at="then")
    assert (again.as_of, again.batch) == (Month(202502), 2)
    assert {tag.name for tag in ledger.tags()} == {"latest", "then", "again"}


def test_tags_are_told_in_the_order_in_which_they_were_given(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([datetime(2025, 5, day, tzinfo=UTC) for day in (1, 2, 2)])
    monkeypatch.setattr("ledger.store.event_store.utc_now", lambda: next(clock))
    for name in ("second", "b", "a"):
        ledger.tag(name)
    assert [(tag.name, tag.tagged_at) for tag in ledger.tags()] == [
        ("second", "2025-05-01T00:00:00.000000Z"),
        ("b", "2025-05-02T00:00:00.000000Z"),
        ("a", "2025-05-02T00:00:00.000000Z"),
    ]


def test_the_same_tag_again_changes_nothing(ledger: Ledger) -> None:
    first = ledger.tag("signed", as_of="202502", known_at=3)
    before = ledger.path.read_bytes()
    assert ledger.tag("signed", as_of="202502", known_at="2025-04-02") == first
    assert ledger.tag("signed", known_at="signed") == first
    assert ledger.path.read_bytes() == before


@pytest.mark.parametrize(
    "edition", [{}, {"as_of": "202502"}, {"as_of": "202501", "known_at": 3}, {"known_at": 3}]
)
def test_a_tag_cannot_be_moved(ledger: Ledger, edition: dict[str, Any]) -> None:
    ledger.tag("signed", as_of="202502", known_at=3)
    before = ledger.path.read_bytes()
    with pytest.raises(WrongUsage, match=r"'signed' is the tag of 202502@3 .* cannot be moved"):
        ledger.tag("signed", **edition)
    assert ledger.path.read_bytes() == before
    ledger.tag("Signed", **edition)
    assert len(ledger.tags()) == 2


@pytest.mark.parametrize(
    "name",
    ["", "1st", "2", "202503", "2025-04-01", "a b", "a@b", "@a", "é", "aé", "a\n", "-a", ".a", "_a",
     "a/b", "a" * 81],
)  # fmt: skip
def test_a_tag_cannot_be_taken_for_something_else(ledger: Ledger, name: str) -> None:
    before = ledger.path.read_bytes()
    with pytest.raises(WrongUsage, match="cannot be a tag"):
        ledger.tag(name)
    assert ledger.path.read_bytes() == before


@pytest.mark.parametrize("name", ["a", "Z", "Q1.2025_signed-v2", "a" * 80])
def test_a_tag_has_letters_digits_and_a_few_signs(ledger: Ledger, name: str) -> None:
    ledger.tag(name)
    assert named(ledger, name) == "202503@4"


def test_an_edition_that_is_not_there_cannot_be_tagged(ledger: Ledger) -> None:
    before = ledger.path.read_bytes()
    for edition in ({"as_of": "202504"}, {"as_of": "202503", "known_at": 2}, {"known_at": 5}):
        with pytest.raises(WrongUsage):
            ledger.tag("signed", **edition)
    assert ledger.path.read_bytes() == before


def test_a_tag_is_rehearsed(ledger: Ledger) -> None:
    before = ledger.path.read_bytes()
    tried = ledger.tag("signed", as_of="202502", dry_run=True)
    assert (tried.as_of, tried.batch) == (Month(202502), 4)
    assert ledger.path.read_bytes() == before


def test_a_tag_moves_no_head(ledger: Ledger) -> None:
    before = ledger.log()
    ledger.tag("signed")
    assert ledger.log() == before


# What counts


@dataclass(frozen=True)
class Step:
    """A batch to come.

    Attributes:
        month: of its files.
        rows: by table, of how many rows its file is; of a table that is recorded for the month
            already, it supersedes the record there. None for a retraction.
    """

    month: int
    rows: dict[str, int | None]


steps = st.builds(
    Step,
    st.sampled_from((202501, 202502, 202503)),
    st.dictionaries(
        st.sampled_from([table.name for table in SUPPORT.tables]),
        st.none() | st.integers(0, 3),
        min_size=1,
    ),
)


def record(store: Store, step: Step) -> None:
    """Record a batch of files without their events, which no file needs to be told of."""
    month = Month(step.month)
    standing = {(file.table_name, file.month): file for file in store.files()}
    records = store.records()
    number, event = next_file(records), next_event(records, month)
    files = []
    for table, rows in step.rows.items():
        before = standing.get((table, month))
        if rows is None and (before is None or before.kind == "retraction"):
            continue
        count = rows or 0
        contents = FileContents(
            file=number,
            table=table,
            month=step.month,
            kind="retraction" if rows is None else "delta",
            sha256=None if rows is None else "0" * 64,
            bytes=0,
            rows=count,
            first_event=event if count else None,
            last_event=event + count - 1 if count else None,
            supersedes=before.file if before else None,
        )
        files.append(contents)
        number, event = number + 1, event + count
    names = [file.table for file in files]
    events = BatchEvents(event, MerkleTree().root().hex())
    store.append_batch(*next_batch(records, month, Flags(), files, names, events))


def counting(files: list[File], batch: int) -> list[File]:
    """The files that count after a batch: of each table and month the last one known then."""
    known = [file for file in files if file.batch <= batch]
    last = {(file.table_name, file.month): file for file in known}
    return [file for file in known if last[file.table_name, file.month] is file]


def joined(files: Iterable[File], count: list[File]) -> list[tuple[int, int]]:
    """Ranges of the events of files that do not count, as few as can be for each month."""
    ranges: list[tuple[int, int]] = []
    apart = True
    for file in sorted((f for f in files if f.first_event), key=lambda f: f.first_event or 0):
        if file in count:
            apart = True
            continue
        first, last = file.first_event or 0, file.last_event or 0
        if not apart and ranges[-1][0] // EVENTS_PER_MONTH == file.month.number:
            first = ranges.pop()[0]
        ranges.append((first, last))
        apart = False
    return ranges


@given(st.lists(steps, min_size=1, max_size=8))
@some_examples
def test_events_are_excluded_by_the_fewest_ranges_of_files_that_do_not_count(
    came: list[Step],
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.for_writing(Path(folder, "ledger.db"), create=True) as store,
        store.rehearsal(),
    ):
        for step in came:
            record(store, step)
        files = store.files()
        for batch in range(1, len(came) + 1):
            replay_of(store, Edition(Month(202502), batch, "", ())).bind()
            bound = list(store.rows("SELECT end_event, batch FROM replay_bound"))
            assert bound == [(202503 * EVENTS_PER_MONTH, batch)]
            excluded = sorted(store.rows("SELECT first_event, last_event FROM replay_excluded"))
            count = counting(files, batch)
            assert excluded == joined(files, count)
            for file in files:
                for event in range(file.first_event or 0, (file.last_event or -1) + 1):
                    is_excluded = any(first <= event <= last for first, last in excluded)
                    assert is_excluded == (file not in count)


def test_neighbours_of_a_month_that_do_not_count_are_one_range(tmp_path: Path) -> None:
    with Store.for_writing(tmp_path / "ledger.db", create=True) as store, store.transaction():
        for month in (202501, 202502, 202503):
            record(store, Step(month, {"agents": 2, "contact_centers": 1}))
        record(store, Step(202502, {"agents": 1, "contact_centers": None}))
        ranges = "SELECT first_event, last_event FROM replay_excluded"
        for batch, excluded in (
            (1, [(202502000000001, 202502000000004), (202503000000001, 202503000000003)]),
            (2, [(202502000000004, 202502000000004), (202503000000001, 202503000000003)]),
            (3, [(202502000000004, 202502000000004)]),
            (4, [(202502000000001, 202502000000003)]),
        ):
            replay_of(store, Edition(Month(202503), batch, "", ())).bind()
            assert sorted(store.rows(ranges)) == excluded


@pytest.mark.parametrize("table", SUPPORT.tables, ids=lambda table: table.name)
def test_the_index_alone_answers_which_event_is_the_last_of_a_key(
    ledger: Ledger, table: Table
) -> None:
    with Store.for_reading(ledger.path) as store:
        replay_of(store, 202502, 3).bind()
        for sql in (last_events(table), replay_sql(table)):
            plan = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}")]
            scans = [step for step in plan if step.startswith(("SCAN event", "SEARCH event"))]
            assert f"SCAN event USING COVERING INDEX {table.events}_by_key" in scans
            # The rest is found event by event; nothing is sorted.
            others = [step for step in scans if "COVERING INDEX" not in step]
            assert all("USING INTEGER PRIMARY KEY" in step for step in others)
            assert not [step for step in plan if "TEMP B-TREE" in step and "readings" not in step]


# What is known stays known


def projected(ledger: Ledger, as_of: int, batch: int) -> tuple[oracle.State, str]:
    """The state of an edition, and all rows of it as they lie there."""
    with Store.for_reading(ledger.path) as store, store.snapshot():
        build_temp_projection(replay_of(store, as_of, batch))
        state = oracle.state_of(store.connection)
        return state, oracle.dump(store.connection, oracle.PROJECTED)


@given(plans())
@some_examples
def test_every_edition_is_the_fold_over_the_files_that_counted_then(plan: Plan) -> None:
    with chronicle_of(plan) as chronicle:
        for as_of, batch in chronicle.editions():
            assert projected(chronicle.ledger, as_of, batch)[0] == chronicle.state(as_of, batch)


@given(plans(), st.data())
@some_examples
def test_an_edition_is_what_a_ledger_of_the_files_that_counted_then_holds(
    plan: Plan, data: st.DataObject
) -> None:
    with chronicle_of(plan) as chronicle, tempfile.TemporaryDirectory() as folder:
        editions = chronicle.editions()
        batches = sorted({batch for _, batch in editions})
        batch = data.draw(st.sampled_from(batches), label="batch")
        files = [arrival.file for arrival in chronicle.in_force(batch).values() if arrival.file]
        if all(file.month for file in files):
            return  # A ledger does not begin without an extract.
        fresh = Chronicle(Path(folder), chronicle.initial_month)
        fresh.deliver(*files)
        for as_of, of_batch in editions:
            if of_batch == batch:
                expected = projected(fresh.ledger, as_of, fresh.batches)
                assert projected(chronicle.ledger, as_of, batch) == expected


def exported(ledger: Ledger, known_at: int | None = None) -> dict[str, bytes]:
    """All that can be written of the latest month, by the names of the files, byte for byte."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for format, label in (("csv", None), ("json", "as-was")):
            ledger.at(known_at=known_at).export(folder / format, format=format, names=label)
        for names in ("as-is", "as-was"):
            report = ledger.at(known_at=known_at).report(names=names)
            ledger.at(report.edition.name).write_report(report, folder / names)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@given(plans())
@settings(some_examples, max_examples=12)
def test_what_was_exported_of_a_batch_is_exported_of_it_ever_after(plan: Plan) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chronicle = Chronicle(Path(folder), plan.first.initial_month)
        ledger, then = chronicle.ledger, {}
        for step in (plan.first, *plan.then):
            if isinstance(step, DeliveredFile):
                chronicle.deliver(step)
            elif not isinstance(step, tuple):
                chronicle.deliver(*step.files)
            elif step in chronicle.in_force(chronicle.batches):
                chronicle.retract(*step)
            if chronicle.in_force(chronicle.batches):
                then[chronicle.batches] = exported(ledger)
        for batch, files in then.items():
            assert exported(ledger, batch) == files


@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_a_stored_projection_of_what_was_known_then_is_exported_as_one_built_aside(
    ledger: Ledger, tmp_path: Path, format: str
) -> None:
    def files(known_at: int) -> dict[str, bytes]:
        out = tmp_path / "out"
        done = ledger.at(known_at=known_at).export(out, format=format)
        assert done.edition.name == f"{done.edition.as_of}@{known_at}"
        return {path.name: path.read_bytes() for path in out.iterdir()}

    aside = {batch: files(batch) for batch in (1, 2, 3, 4)}
    assert len({contents["datapackage.json"] for contents in aside.values()}) == 4
    for batch in (1, 2, 3, 4):
        stored = ledger.project(known_at=batch)
        assert stored.edition == ledger.status().projection
        assert {batch: files(batch) for batch in (1, 2, 3, 4)} == aside
    with closing(sqlite3.connect(ledger.path)) as connection:
        names = connection.execute("SELECT contact_center_name FROM contact_centers").fetchall()
    assert names == [("Boston MA NE",), ("Atlanta",)]


def test_what_is_projected_is_of_what_was_known_then(ledger: Ledger) -> None:
    names = {}
    for batch in (1, 2, 3, 4):
        ledger.project("202502" if batch > 1 else None, known_at=batch)
        with closing(sqlite3.connect(ledger.path)) as connection:
            rows = connection.execute("SELECT contact_center_name FROM contact_centers ORDER BY 1")
            names[batch] = [name for (name,) in rows]
    assert names == {1: ["Boston"], 2: ["Boston MA"], 3: ["Boston MA"], 4: ["Atlanta", "Boston"]}
