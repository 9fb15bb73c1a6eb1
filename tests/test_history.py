"""What is told of a record is what was delivered of it, and ends in what a projection shows."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import tempfile
from contextlib import closing
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import WrongUsage
from ledger.lineage.history import History, HistoryEvent
from tests import oracle
from tests.chronicle import Chronicle, Event, Plan, chronicle_of, few_examples, plans
from tests.commands import DATA, run_ledger
from tests.strategies import COLUMNS, KEYS, DeliveredFile, small_file, write_data_folder

Change = tuple[str, str | None, str | None]

EXTRACT = small_file("contact_centers", None, ("CC1", "Boston", "MA"), ("CC2", "Atlanta"))


def delta(month: int, *rows: tuple[str, ...]) -> DeliveredFile:
    """Changes of contact centres: the action, the key, the name and the location."""
    return small_file("contact_centers", month, *rows)


def verdicts(history: History) -> list[tuple[str, str]]:
    """Of each event, `month:line` and the verdict."""
    return [(f"{e.source.month}:{e.source.line}", e.verdict) for e in history.events]


def changes(event: HistoryEvent) -> list[Change]:
    return [(change.column, change.before, change.after) for change in event.changes]


@pytest.fixture
def chronicle(tmp_path: Path) -> Chronicle:
    return Chronicle(tmp_path)


@pytest.fixture
def corrected(chronicle: Chronicle) -> Chronicle:
    """Batch 1: the extract. 2 and 3: deltas. 4 and 5: corrections of the first. 6: retracted."""
    chronicle.deliver(EXTRACT)
    chronicle.deliver(delta(202502, ("update", "CC1", "wrong", "MA")))
    chronicle.deliver(delta(202503, ("update", "CC1", "latest", "MA")))
    chronicle.deliver(delta(202502, ("update", "CC1", "better", "MA")))
    chronicle.deliver(delta(202502, ("update", "CC2", "Atlanta, GA"), ("delete", "CC1")))
    chronicle.retract("contact_centers", 202502)
    return chronicle


class TestEvents:
    def test_each_event_is_told_with_where_it_comes_from(self, chronicle: Chronicle) -> None:
        chronicle.deliver(EXTRACT, delta(202502, ("update", "CC2"), ("update", "CC1", "Boston MA")))
        chronicle.deliver(delta(202503, ("delete", "CC1")))
        history = chronicle.ledger.at().history("contact_centers", "CC1")
        assert (history.table, history.key, history.edition.name) == (
            "contact_centers",
            "CC1",
            "202503@3",
        )
        log = chronicle.ledger.log()
        told = [
            (str(e.source.month), e.source.action, e.verdict, str(e.source), e.source.batch)
            for e in history.events
        ]
        assert told == [
            ("202501", "add", "applied", "initial/contact_centers.csv:2", 1),
            ("202502", "update", "applied", "delta/contact_centers_delta_202502.csv:3", 2),
            ("202503", "delete", "applied", "delta/contact_centers_delta_202503.csv:2", 3),
        ]
        assert [e.recorded_at for e in history.events] == [x.batch.recorded_at for x in log]
        assert [e.source.sha256 for e in history.events] == [x.files[0].sha256 for x in log]
        assert {e.source.superseded_in for e in history.events} == {None}

    def test_a_cell_that_comes_and_one_that_goes_are_changes(self, chronicle: Chronicle) -> None:
        renamed = ("update", "CC2", "", "Atlanta, GA")
        chronicle.deliver(EXTRACT, delta(202502, renamed), delta(202503, ("delete", "CC2")))
        events = chronicle.ledger.at().history("contact_centers", "CC2").events
        assert [changes(event) for event in events] == [
            [("contact_center_name", None, "Atlanta")],
            [("contact_center_name", "Atlanta", None), ("location", None, "Atlanta, GA")],
            [("location", "Atlanta, GA", None)],
        ]

    def test_cells_are_told_as_delivered_and_not_as_they_are_read(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(
            small_file("agents", None, ("A1", "Ada", "CC1", "15/03/2021")),
            small_file("agents", 202502, ("update", "A1", "Ada ", "CC1", "2021-03-15")),
        )
        last = chronicle.ledger.at().history("agents", "A1").events[-1]
        assert changes(last) == [("hire_date", "15/03/2021", "2021-03-15")]

    def test_the_cells_of_a_delete_do_not_count(self, chronicle: Chronicle) -> None:
        chronicle.deliver(EXTRACT, delta(202502, ("delete", "CC1", "some", "where")))
        chronicle.deliver(delta(202503, ("add", "CC1", "Boston", "MA")))
        _, deleted, added = chronicle.ledger.at().history("contact_centers", "CC1").events
        was, gone = [("contact_center_name", "Boston"), ("location", "MA")], None
        assert changes(deleted) == [(column, cell, gone) for column, cell in was]
        assert changes(added) == [(column, gone, cell) for column, cell in was]

    def test_actions_out_of_turn_are_told(self, chronicle: Chronicle) -> None:
        chronicle.deliver(
            EXTRACT,
            delta(202502, ("add", "CC1", "Boston", "MA"), ("update", "CC1", "twice")),
            delta(202503, ("update", "CC1", "twice"), ("delete", "CC2"), ("delete", "CC3")),
            delta(202504, ("add", "CC2", "again"), ("update", "CC4"), ("delete", "CC5")),
        )
        told = {
            key: verdicts(chronicle.ledger.at().history("contact_centers", key))[-3:]
            for key in ("CC1", "CC2", "CC3", "CC4", "CC5")
        }
        assert told == {
            "CC1": [
                ("202502:2", "add-existing"),
                ("202502:3", "duplicate-key"),
                ("202503:2", "no-op"),
            ],
            "CC2": [("202501:3", "applied"), ("202503:3", "applied"), ("202504:2", "resurrected")],
            "CC3": [("202503:4", "delete-missing")],
            "CC4": [("202504:3", "update-missing")],
            "CC5": [("202504:4", "delete-missing")],
        }
        *_, again, no_op = chronicle.ledger.at().history("contact_centers", "CC1").events
        assert changes(again) == [
            ("contact_center_name", "Boston", "twice"),
            ("location", "MA", None),
        ]
        assert changes(no_op) == []

    def test_what_comes_late_is_told_in_its_place(self, chronicle: Chronicle) -> None:
        chronicle.deliver(EXTRACT)
        chronicle.deliver(delta(202503, ("update", "CC1", "March", "MA")))
        chronicle.deliver(delta(202502, ("update", "CC1", "February", "MA")))
        events = chronicle.ledger.at().history("contact_centers", "CC1").events
        assert [(str(e.source.month), e.source.batch) for e in events] == [
            ("202501", 1),
            ("202502", 3),
            ("202503", 2),
        ]
        assert changes(events[-1]) == [("contact_center_name", "February", "March")]

    def test_a_key_is_told_from_others_that_look_alike(self, chronicle: Chronicle) -> None:
        chronicle.deliver(small_file("agents", None, ("007", "Bond"), ("7", "Ada"), ("a", "x")))
        (event,) = chronicle.ledger.at().history("agents", "7").events
        assert changes(event) == [("full_name", None, "Ada")]
        for key in ("A", "0", " 7"):
            with pytest.raises(WrongUsage):
                chronicle.ledger.at().history("agents", key)


class TestCorrections:
    def test_what_no_longer_counts_is_told_with_what_took_it_out_of_force(
        self, corrected: Chronicle
    ) -> None:
        events = corrected.ledger.at().history("contact_centers", "CC1").events
        told = [(e.source.batch, e.verdict, e.source.superseded_in) for e in events]
        assert told == [
            (1, "applied", None),
            (2, "superseded", 4),
            (4, "superseded", 5),
            (5, "retracted", 6),
            (3, "applied", None),
        ]
        assert [e.source.action for e in events] == ["add", "update", "update", "delete", "update"]

    def test_files_of_one_name_are_told_apart_by_their_batch(self, corrected: Chronicle) -> None:
        events = corrected.ledger.at().history("contact_centers", "CC1").events
        name = "delta/contact_centers_delta_202502.csv"
        assert [str(e.source) for e in events] == [
            "initial/contact_centers.csv:2",
            f"{name}:2 (batch 2)",
            f"{name}:2 (batch 4)",
            f"{name}:3 (batch 5)",
            "delta/contact_centers_delta_202503.csv:2",
        ]

    def test_it_changes_nothing_but_is_told_with_what_it_would_change(
        self, corrected: Chronicle
    ) -> None:
        events = corrected.ledger.at().history("contact_centers", "CC1").events
        column = "contact_center_name"
        assert [changes(event) for event in events[1:]] == [
            [(column, "Boston", "wrong")],
            [(column, "Boston", "better")],
            [(column, "Boston", None), ("location", "MA", None)],
            [(column, "Boston", "latest")],
        ]

    def test_a_key_twice_in_a_file_that_no_longer_counts_changes_step_by_step(
        self, chronicle: Chronicle
    ) -> None:
        twice = (("update", "CC1", "first", "MA"), ("update", "CC1", "second", "MA"))
        chronicle.deliver(EXTRACT, delta(202502, *twice), delta(202503))
        chronicle.retract("contact_centers", 202502)
        events = chronicle.ledger.at().history("contact_centers", "CC1").events
        assert [(e.verdict, changes(e)) for e in events[1:]] == [
            ("retracted", [("contact_center_name", "Boston", "first")]),
            ("retracted", [("contact_center_name", "first", "second")]),
        ]

    def test_what_is_put_back_in_force_counts_again(self, chronicle: Chronicle) -> None:
        february = delta(202502, ("update", "CC1", "February", "MA"))
        chronicle.deliver(EXTRACT, february)
        chronicle.retract("contact_centers", 202502)
        chronicle.deliver(february)
        told = [
            (e.source.batch, e.verdict)
            for e in chronicle.ledger.at().history("contact_centers", "CC1").events
        ]
        assert told == [(1, "applied"), (2, "retracted"), (4, "applied")]

    def test_findings_on_actions_are_those_among_what_counts(self, chronicle: Chronicle) -> None:
        chronicle.deliver(
            EXTRACT, delta(202502, ("delete", "CC1")), delta(202503, ("add", "CC1", "Boston"))
        )
        assert (
            verdicts(chronicle.ledger.at().history("contact_centers", "CC1"))[-1][1]
            == "resurrected"
        )
        chronicle.retract("contact_centers", 202502)
        history = chronicle.ledger.at().history("contact_centers", "CC1")
        assert verdicts(history)[1:] == [("202502:2", "retracted"), ("202503:2", "add-existing")]
        # A retraction is no other file of the name.
        assert str(history.events[1].source) == "delta/contact_centers_delta_202502.csv:2"


class TestEditions:
    def test_what_was_recorded_later_is_not_there(self, corrected: Chronicle) -> None:
        then = corrected.ledger.at(known_at=2).history("contact_centers", "CC1")
        assert verdicts(then) == [("202501:2", "applied"), ("202502:2", "applied")]
        assert then.edition.name == "202502@2"

    def test_what_was_superseded_later_is_told_as_it_was_known(self, corrected: Chronicle) -> None:
        then = corrected.ledger.at(known_at=4).history("contact_centers", "CC1")
        told = [(e.verdict, e.source.batch, e.source.superseded_in) for e in then.events]
        assert told == [("applied", 1, None), ("superseded", 2, 4), ("applied", 4, None),
                        ("applied", 3, None)]  # fmt: skip
        # No other file of the name was known at batch 2.
        before = corrected.ledger.at(known_at=2).history("contact_centers", "CC1").events[-1]
        assert (before.source.ambiguous, then.events[1].source.ambiguous) == (False, True)

    def test_events_of_later_months_are_left_out(self, corrected: Chronicle) -> None:
        history = corrected.ledger.at("202502", known_at=3).history("contact_centers", "CC1")
        assert verdicts(history) == [("202501:2", "applied"), ("202502:2", "applied")]
        first = corrected.ledger.at("2025-01").history("contact_centers", "CC1")
        assert verdicts(first) == [("202501:2", "applied")]

    def test_a_retracted_month_after_all_others_is_told_too(self, chronicle: Chronicle) -> None:
        chronicle.deliver(EXTRACT)
        chronicle.deliver(delta(202502, ("update", "CC1", "Boston MA")))
        chronicle.retract("contact_centers", 202502)
        history = chronicle.ledger.at().history("contact_centers", "CC1")
        assert [event.verdict for event in history.events] == ["applied", "retracted"]
        assert str(history.edition.as_of) == "202501"
        (only,) = chronicle.ledger.at("202501").history("contact_centers", "CC1").events
        assert only.source.batch == 1

    def test_an_edition_may_be_named_by_its_tag(self, corrected: Chronicle) -> None:
        corrected.ledger.tag("signed", as_of="202502", known_at=2)
        history = corrected.ledger.at(known_at="signed").history("contact_centers", "CC1")
        assert history == corrected.ledger.at(known_at=2).history("contact_centers", "CC1")

    def test_a_key_or_table_that_is_not_there_is_wrong_usage(self, corrected: Chronicle) -> None:
        ledger = corrected.ledger
        with pytest.raises(WrongUsage, match="contact_centers up to 202503@6 has the key 'CC9'"):
            ledger.at().history("contact_centers", "CC9")
        with pytest.raises(WrongUsage, match="the tables are agents, contact_centers"):
            ledger.at().history("centers", "CC1")
        corrected.deliver(delta(202504, ("add", "CC9", "late")))
        assert len(ledger.at().history("contact_centers", "CC9").events) == 1
        for edition in ({"as_of": "202503"}, {"known_at": 6}):
            with pytest.raises(WrongUsage, match="202503"):
                ledger.at(**edition).history("contact_centers", "CC9")


def verdict(event: Event, before: Event | None) -> str:
    """What is told of an event that counts, after another of the same key."""
    if before is None:
        return "applied" if event.action == "add" else f"{event.action}-missing"
    if (before.file, before.batch) == (event.file, event.batch):
        return "duplicate-key"
    if event.action == "add":
        return "resurrected" if before.action == "delete" else "add-existing"
    if before.action == "delete":
        return f"{event.action}-missing"
    same = event.action == "update" and before.cells == event.cells
    return "no-op" if same else "applied"


def told_of(chronicle: Chronicle, table: str, key: str, as_of: int, batch: int) -> list[object]:
    """All that is to be told of a record, from the delivered files alone."""
    told: list[object] = []
    before: Event | None = None
    ghosts: dict[tuple[str, int], Event | None] = {}
    for event in chronicle.events(table, as_of, batch):
        if event.key != key:
            continue
        successor = chronicle.successor(event, batch)
        file = (event.file, event.batch)
        last = ghosts.get(file, before) if successor else before
        verdict_ = verdict(event, before)
        if successor:
            verdict_ = "superseded" if successor.file else "retracted"
            ghosts[file] = event
        else:
            before = event
        old, new = (row_of(e) for e in (last, event))
        changed = [
            (column, old.get(column), new.get(column))
            for column in COLUMNS[table][1:]
            if old.get(column) != new.get(column)
        ]
        names = [a.file.name for a in chronicle.arrivals if a.file and a.batch <= batch]
        told.append((event.place, event.batch, event.action, event.sha256, verdict_,
                     successor.batch if successor else None, names.count(event.file) > 1,
                     changed))  # fmt: skip
    return told


def row_of(event: Event | None) -> oracle.Cells:
    return event.cells if event and event.action != "delete" else {}


def as_told(history: History) -> list[object]:
    return [
        (f"{e.source.file}:{e.source.line}", e.source.batch, e.source.action, e.source.sha256,
         e.verdict, e.source.superseded_in, e.source.ambiguous, changes(e))
        for e in history.events
    ]  # fmt: skip


def folded(history: History) -> oracle.Cells | None:
    """The delivered cells of the last event that counts, from nothing by its changes; or None."""
    row: oracle.Cells = dict.fromkeys(COLUMNS[history.table])
    there = False
    for event in history.events:
        if event.source.superseded_in is None:
            for change in event.changes:
                assert row[change.column] == change.before
                row[change.column] = change.after
            there = event.source.action != "delete"
            assert there or not any(row.values())
    return {**row, COLUMNS[history.table][0]: history.key} if there else None


def typed(table: str, row: oracle.Cells) -> dict[str, oracle.Value]:
    """Delivered cells as the oracle reads them."""
    file = small_file(table, None, [row[column] or "" for column in COLUMNS[table]])
    with tempfile.TemporaryDirectory() as folder:
        state = oracle.fold(write_data_folder(Path(folder), [file]), 202501, 202501)
    return state.tables[table][row[COLUMNS[table][0]] or ""]


def projected(ledger: Path, table: str, key: str) -> dict[str, oracle.Value] | None:
    with closing(sqlite3.connect(ledger)) as connection:
        cursor = connection.execute(f"SELECT * FROM {table} WHERE {COLUMNS[table][0]} = ?", [key])
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in islice(cursor, 2)]
    return rows[0] if rows else None


@given(plans(), st.data())
@few_examples
def test_all_that_was_delivered_of_a_record_is_told(plan: Plan, data: st.DataObject) -> None:
    with chronicle_of(plan) as chronicle:
        for as_of, batch in drawn_editions(chronicle, data):
            for table in COLUMNS:
                for key in KEYS[table]:
                    expected = told_of(chronicle, table, key, as_of, batch)
                    if expected:
                        history = chronicle.ledger.at(str(as_of), known_at=batch).history(
                            table, key
                        )
                        assert as_told(history) == expected
                    else:
                        with pytest.raises(WrongUsage, match="has the key"):
                            chronicle.ledger.at(str(as_of), known_at=batch).history(table, key)


@given(plans(), st.data())
@few_examples
def test_the_changes_that_count_add_up_to_the_projected_row(
    plan: Plan, data: st.DataObject
) -> None:
    with chronicle_of(plan) as chronicle:
        for as_of, batch in drawn_editions(chronicle, data):
            chronicle.ledger.project(str(as_of), known_at=batch)
            for table in COLUMNS:
                for key in {event.key for event in chronicle.events(table, as_of, batch)}:
                    history = chronicle.ledger.at(str(as_of), known_at=batch).history(table, key)
                    row = folded(history)
                    shown = projected(chronicle.ledger.path, table, key)
                    if row is None:
                        assert shown is None
                    else:
                        expected = typed(table, row)
                        assert shown
                        assert {name: shown[name] for name in expected} == expected


def drawn_editions(chronicle: Chronicle, data: st.DataObject) -> list[tuple[int, int]]:
    """The last edition, if there is one, and another."""
    editions = chronicle.editions()
    return [*editions[-1:], data.draw(st.sampled_from(editions), label="edition")]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of all sample data."""
    folder = tmp_path_factory.mktemp("recorded")
    assert run_ledger("ingest", "--data-dir", DATA, cwd=folder).code == 0
    return folder


class TestCommand:
    def test_a_table_shows_every_event_and_cell(self, recorded: Path) -> None:
        ran = run_ledger("history", "contact_centers", "CC02", cwd=recorded)
        assert ran.code == 0
        lines = [line.split() for line in ran.out.splitlines()[2:]]
        header = ran.out.splitlines()[0].split()
        assert header == ["month", "action", "verdict", "where", "batch", "recorded_at", "column",
                          "before", "after"]  # fmt: skip
        assert [line[:4] for line in lines if line[0].isdigit()] == [
            ["202501", "add", "applied", "initial/contact_centers.csv:3"],
            ["202503", "update", "applied", "delta/contact_centers_delta_202503.csv:2"],
        ]
        assert lines[0][-4:] == ["contact_center_name", "NULL", "Boston", "MA"]
        assert lines[1] == ["location", "NULL", "Boston,", "MA"]
        assert "As of 202503, batch 3" in ran.err

    def test_what_a_delete_takes_is_null_afterwards(self, recorded: Path) -> None:
        ran = run_ledger("history", "interactions", "INT1006", cwd=recorded)
        assert ran.out.splitlines()[-1].split() == ["call_duration_minutes", "11.0", "NULL"]

    def test_csv_repeats_the_event_on_each_cell(self, recorded: Path) -> None:
        ran = run_ledger("history", "interactions", "INT1003", "--format", "csv", cwd=recorded)
        rows = list(csv.DictReader(io.StringIO(ran.out, newline="")))
        assert [row["month"] for row in rows] == ["202501"] * 9 + ["202502"] * 3 + ["202503"] * 4
        rated = rows[-1]
        assert (rated["column"], rated["before"], rated["after"]) == (
            "satisfaction_rating",
            "",
            "4",
        )
        assert rated["file"] == "delta/interactions_delta_202503.csv"
        assert (rated["line"], rated["batch"], rated["verdict"]) == ("2", "3", "applied")

    def test_json_has_all_of_it(self, recorded: Path) -> None:
        ran = run_ledger("history", "interactions", "INT1006", "--json", cwd=recorded)
        history = json.loads(ran.out)
        assert history["edition"]["as_of"] == "202503"
        added, deleted = history["events"]
        assert deleted["source"]["action"] == "delete"
        assert deleted["source"]["superseded_in"] is None
        assert {c["column"] for c in deleted["changes"]} == {c["column"] for c in added["changes"]}
        assert {c["after"] for c in deleted["changes"]} == {None}

    def test_ndjson_has_a_line_for_each_cell(self, recorded: Path) -> None:
        options = ("--format", "ndjson", "--as-of", "202502")
        ran = run_ledger("history", "interactions", "INT1003", *options, cwd=recorded)
        rows = [json.loads(line) for line in ran.out.splitlines()]
        assert [row["column"] for row in rows][-3:] == [
            "timestamp",
            "category_id",
            "call_duration_minutes",
        ]
        assert {row["month"] for row in rows} == {"202501", "202502"}

    def test_what_no_longer_counts_is_told_with_the_batch(
        self, recorded: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "ledger.db").write_bytes((recorded / "ledger.db").read_bytes())
        reason = ("--reason", "not for us")
        ran = run_ledger("retract", "contact_centers", "202503", *reason, cwd=tmp_path)
        assert ran.code == 0
        ran = run_ledger("history", "contact_centers", "CC02", cwd=tmp_path)
        assert "retracted in 4" in ran.out.splitlines()[-1]
        ran = run_ledger("history", "contact_centers", "CC02", "--format", "csv", cwd=tmp_path)
        rows = list(csv.DictReader(io.StringIO(ran.out, newline="")))
        assert [(row["verdict"], row["superseded_in"]) for row in rows] == [
            *[("applied", "")] * 2,
            ("retracted", "4"),
        ]
        ran = run_ledger("history", "contact_centers", "CC02", "--known-at", "3", cwd=tmp_path)
        assert "retracted" not in ran.out

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("interactions", "nobody"), "no event of interactions up to 202503@3 has the key"),
            (("interaction", "INT1003"), "there is no table 'interaction'; the tables are agents,"),
            (("interactions", "INT1021", "--as-of", "202502"), "up to 202502@3 has the key"),
            (("interactions", "INT1003", "--known-at", "9"), "there is no batch 9"),
            (("interactions", "INT1003", "--as-of", "202504"), "202501 to 202503"),
            (("interactions",), "Missing argument 'KEY'"),
        ],
    )
    def test_what_is_not_there_is_wrong_usage(
        self, recorded: Path, arguments: tuple[str, ...], message: str
    ) -> None:
        ran = run_ledger("history", *arguments, cwd=recorded)
        assert (ran.code, ran.out) == (2, "")
        assert message in " ".join(ran.err.split())
