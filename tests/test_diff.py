"""What differs between two editions: applied to the one, it gives the other."""

from __future__ import annotations

import csv
import io
import json
import shlex
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger, WrongUsage
from ledger.lineage.diff import CellDifference, ChangeKind, RelationDiff, RowChange
from ledger.snapshot import Comparison
from tests import oracle
from tests.chronicle import Chronicle, Plan, chronicle_of, few_examples, plans
from tests.commands import DATA, LEDGER, run, run_ledger
from tests.strategies import COLUMNS, small_file

Key = tuple[str, ...]
Content = dict[str, dict[Key, dict[str, Any]]]

MEASURES = ("total_interactions", "total_calls", "total_call_duration")
CENTERS = small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Atlanta", "GA"))


def content(state: oracle.State) -> Content:
    """The rows of all tables and of the report, by table and key; without what is derived."""
    found: Content = {
        table: {(key,): {name: rows[key][name] for name in COLUMNS[table][1:]} for key in rows}
        for table, rows in state.tables.items()
    }
    found["support_report"] = {
        (month, center, department): dict(zip(MEASURES, figures, strict=True))
        for month, center, department, *figures in state.report
    }
    return found


def apply(changes: list[RowChange], before: Content) -> Content:
    """Do to the rows what a diff says, and hold what it says of them to what they are."""
    after = {
        relation: {key: dict(row) for key, row in rows.items()} for relation, rows in before.items()
    }
    for change in changes:
        rows = after[change.relation]
        assert (change.kind is ChangeKind.ADDED) == (change.key not in rows)
        if change.kind is ChangeKind.ADDED:
            columns = COLUMNS[change.relation][1:] if change.relation in COLUMNS else MEASURES
            rows[change.key] = dict.fromkeys(columns)
        row = rows[change.key]
        assert change.cells or change.kind is not ChangeKind.CHANGED
        for cell in change.cells:
            assert row[cell.column] == cell.before != cell.after
            row[cell.column] = cell.after
        if change.kind is ChangeKind.REMOVED:
            assert set(row.values()) <= {None}
            del rows[change.key]
    return after


def two_editions(chronicle: Chronicle, data: st.DataObject) -> tuple[Any, Any]:
    """Any two editions of a ledger."""
    some = st.sampled_from(chronicle.editions())
    return data.draw(some, label="before"), data.draw(some, label="after")


def name(edition: tuple[int, int]) -> str:
    return "{}@{}".format(*edition)


@pytest.fixture
def chronicle(tmp_path: Path) -> Chronicle:
    return Chronicle(tmp_path)


@pytest.fixture
def samples(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(DATA)
    return ledger


class TestProperties:
    @given(plans(), st.data())
    @few_examples
    def test_applied_to_one_edition_it_gives_the_other(
        self, plan: Plan, data: st.DataObject
    ) -> None:
        with chronicle_of(plan) as chronicle:
            if not chronicle.editions():
                return
            before, after = two_editions(chronicle, data)
            if data.draw(st.booleans(), label="one of them is stored"):
                as_of, batch = after
                chronicle.ledger.project(str(as_of), known_at=batch)
            old, new = content(chronicle.state(*before)), content(chronicle.state(*after))
            with chronicle.ledger.compare(name(before), name(after)) as both:
                changes = list(both.diff_rows())
                counts = both.diff()
            assert apply(changes, old) == new
            assert_sorted(changes)
            assert_counted(counts.tables, changes)

    @given(plans(), st.data())
    @few_examples
    def test_an_edition_does_not_differ_from_itself_and_the_way_back_is_the_reverse(
        self, plan: Plan, data: st.DataObject
    ) -> None:
        with chronicle_of(plan) as chronicle:
            if not chronicle.editions():
                return
            before, after = two_editions(chronicle, data)
            assert list(chronicle.ledger.compare(name(before), name(before)).diff_rows()) == []
            there = chronicle.ledger.compare(name(before), name(after)).diff_rows()
            back = chronicle.ledger.compare(name(after), name(before)).diff_rows()
            assert [reverse(change) for change in there] == list(back)


def reverse(change: RowChange) -> RowChange:
    kinds = {ChangeKind.ADDED: ChangeKind.REMOVED, ChangeKind.REMOVED: ChangeKind.ADDED}
    cells = tuple(CellDifference(c.column, c.after, c.before) for c in change.cells)
    return RowChange(change.relation, change.key, kinds.get(change.kind, change.kind), cells)


def assert_sorted(changes: list[RowChange]) -> None:
    order = [*COLUMNS, "support_report"]
    places = [(order.index(change.relation), change.key) for change in changes]
    assert places == sorted(set(places))


def assert_counted(tables: tuple[RelationDiff, ...], changes: list[RowChange]) -> None:
    assert [table.name for table in tables] == [*COLUMNS, "support_report"]
    rows = Counter((change.relation, change.kind) for change in changes)
    for table in tables:
        assert (table.added, table.removed, table.changed) == tuple(
            rows[table.name, kind] for kind in ChangeKind
        )
        assert table.cells == sum(
            len(change.cells)
            for change in changes
            if (change.relation, change.kind) == (table.name, ChangeKind.CHANGED)
        )


class TestRows:
    def test_null_to_a_value_and_a_value_to_null_are_changes(self, chronicle: Chronicle) -> None:
        chronicle.deliver(CENTERS)
        changed = (("update", "CC1", "", "MA"), ("update", "CC2", "Atlanta", "Georgia"))
        chronicle.deliver(small_file("contact_centers", 202502, *changed))
        assert list(chronicle.ledger.compare("202501", "202502").diff_rows()) == [
            RowChange("contact_centers", ("CC1",), ChangeKind.CHANGED,
                      (CellDifference("contact_center_name", "Boston", None),
                       CellDifference("location", None, "MA"))),
            RowChange("contact_centers", ("CC2",), ChangeKind.CHANGED,
                      (CellDifference("location", "GA", "Georgia"),)),
        ]  # fmt: skip

    def test_a_row_that_has_nothing_but_its_key_is_added_and_removed(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(small_file("contact_centers", None, ("CC1",)))
        changed = (("delete", "CC1"), ("add", "CC0"))
        chronicle.deliver(small_file("contact_centers", 202502, *changed))
        assert list(chronicle.ledger.compare("202501", "202502").diff_rows()) == [
            RowChange("contact_centers", ("CC0",), ChangeKind.ADDED, ()),
            RowChange("contact_centers", ("CC1",), ChangeKind.REMOVED, ()),
        ]

    def test_a_number_written_in_another_way_is_no_change(self, chronicle: Chronicle) -> None:
        row = ("INT1", "", "phone", "", "", "", "2025-01-05T13:00:00Z", "", "")
        chronicle.deliver(small_file("interactions", None, (*row, "14.0")))
        chronicle.deliver(small_file("interactions", 202502, ("update", *row, "14")))
        assert list(chronicle.ledger.compare("202501", "202502").diff_rows()) == []

    def test_the_months_of_one_batch_and_the_batches_of_one_month_are_compared(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(CENTERS)
        chronicle.deliver(small_file("contact_centers", 202502, ("delete", "CC1")))
        chronicle.deliver(small_file("contact_centers", 202502, ("delete", "CC2")))
        chronicle.ledger.tag("signed", known_at=2)

        def removed(before: str, after: str) -> list[Key]:
            rows = chronicle.ledger.compare(before, after).diff_rows()
            return [row.key for row in rows if row.kind is ChangeKind.REMOVED]

        assert removed("202501", "202502") == [("CC2",)]
        assert removed("202501@2", "202502@2") == [("CC1",)]
        assert removed("signed", "3") == removed("202502@2", "202502") == [("CC2",)]

    def test_a_diff_that_is_not_read_to_its_end_can_be_left(self, samples: Ledger) -> None:
        assert next(samples.compare("202501", "202503").diff_rows()).relation == "agents"
        kept: list[Iterator[RowChange]] = []
        with samples.compare("202501", "202503") as both:
            kept.append(both.diff_rows())
            next(kept[0])
        assert list(kept[0]) == []


class TestSamples:
    def test_the_samples_differ_in_these(self, samples: Ledger) -> None:
        diff = samples.compare("202502", "202503").diff()
        assert (diff.before.name, diff.after.name) == ("202502@3", "202503@3")
        assert diff.tables == (
            RelationDiff("agents", added=0, removed=1, changed=1, cells=1),
            RelationDiff("contact_centers", added=0, removed=0, changed=1, cells=1),
            RelationDiff("service_categories", added=1, removed=1, changed=0, cells=0),
            RelationDiff("interactions", added=10, removed=1, changed=2, cells=8),
            RelationDiff("support_report", added=15, removed=8, changed=1, cells=1),
        )

    def test_the_stored_projection_is_left_as_it_is(self, samples: Ledger) -> None:
        samples.project("202502")
        before = samples.path.read_bytes()
        for months in (("202501", "202502"), ("202502", "202501"), ("202502", "202502")):
            samples.compare(*months).diff()
        assert samples.path.read_bytes() == before

    def test_the_stored_projection_is_read_where_it_is_the_edition_after(
        self, samples: Ledger
    ) -> None:
        samples.project("202502")
        with closing(sqlite3.connect(samples.path)) as connection, connection:
            connection.execute("UPDATE agents SET full_name = 'Ada' WHERE agent_id = 'A001'")
        names = [
            cell.after
            for row in samples.compare("202501", "202502").diff_rows()
            for cell in row.cells
            if row.key == ("A001",)
        ]
        assert names == ["Ada"]
        assert samples.compare("202501", "202503").diff().tables[0].changed == 2


class TestErrors:
    @pytest.mark.parametrize("name", ["202412", "202504", "7", "0", "nobody", "202501@9", ""])
    def test_an_edition_that_there_is_not_is_told(self, samples: Ledger, name: str) -> None:
        for names in ((name, "202501"), ("202501", name)):
            with pytest.raises(WrongUsage):
                samples.compare(*names).diff()


class TestCommand:
    def test_the_summary_is_a_table_and_the_editions_are_told(self, samples: Ledger) -> None:
        ran = run_ledger("diff", "202502", "202503", cwd=samples.path.parent)
        assert ran.code == 0
        heads = [entry.batch.head[:12] for entry in samples.log()]
        assert ran.err.splitlines() == [
            f"From 202502, batch 3, head {heads[2]}",
            f"To 202503, batch 3, head {heads[2]}",
        ]
        assert ran.out.splitlines() == [
            "table                 added    removed    changed    cells changed",
            "------------------  -------  ---------  ---------  ---------------",
            "agents                    0          1          1                1",
            "contact_centers           0          0          1                1",
            "service_categories        1          1          0                0",
            "interactions             10          1          2                8",
            "support_report           15          8          1                1",
        ]

    def test_csv_has_a_line_for_each_cell(self, samples: Ledger) -> None:
        ran = run_ledger("diff", "202501", "202502", "--format", "csv", cwd=samples.path.parent)
        lines = list(csv.reader(io.StringIO(ran.out)))
        assert lines[:3] == [
            ["table", "key", "change", "column", "before", "after"],
            ["agents", "A007", "changed", "category_id", "CAT06", "CAT04"],
            ["agents", "A009", "added", "full_name", "", "Nadia Quillstone"],
        ]
        assert ["interactions", "INT1006", "removed", "call_duration_minutes", "11", ""] in lines
        assert lines[-1] == [
            *("support_report", '["2025-02", "Richmond VA E", "Technical Support"]', "added"),
            *("total_call_duration", "", "0"),
        ]
        cells = sum(len(row.cells) for row in samples.compare("202501", "202502").diff_rows())
        assert len(lines) == 1 + cells

    def test_a_row_without_cells_has_a_line_too(self, chronicle: Chronicle) -> None:
        chronicle.deliver(small_file("contact_centers", None, ("CC1",)))
        chronicle.deliver(small_file("contact_centers", 202502, ("delete", "CC1")))
        folder = chronicle.folder
        ran = run_ledger("diff", "202501", "202502", "--format", "csv", cwd=folder)
        assert ran.out.splitlines()[1:] == ["contact_centers,CC1,removed,,,"]
        ran = run_ledger("diff", "202501", "202502", "--format", "ndjson", cwd=folder)
        lines = [json.loads(line) for line in ran.out.splitlines()]
        assert lines == [
            {"table": "contact_centers", "key": "CC1", "change": "removed", "column": None,
             "before": None, "after": None}
        ]  # fmt: skip

    def test_json_has_the_editions_the_counts_and_every_row(self, samples: Ledger) -> None:
        ran = run_ledger("diff", "202501", "202502", "--json", cwd=samples.path.parent)
        document = json.loads(ran.out)
        assert list(document) == ["before", "after", "tables", "rows"]
        assert (document["before"]["as_of"], document["after"]["as_of"]) == ("202501", "202502")
        agents = {"name": "agents", "added": 1, "removed": 0, "changed": 1, "cells": 1}
        assert document["tables"][0] == agents
        assert document["rows"][0] == {
            "relation": "agents",
            "key": ["A007"],
            "kind": "changed",
            "cells": [{"column": "category_id", "before": "CAT06", "after": "CAT04"}],
        }
        assert len(document["rows"]) == len(list(samples.compare("202501", "202502").diff_rows()))

    def test_json_of_editions_that_do_not_differ_has_no_rows(self, samples: Ledger) -> None:
        ran = run_ledger("diff", "202501", "202501", "--json", cwd=samples.path.parent)
        assert json.loads(ran.out)["rows"] == []

    def test_json_keeps_odd_line_ends_within_a_text(self, chronicle: Chronicle) -> None:
        odd = "one\u2028two\u0085three\nfour"
        chronicle.deliver(CENTERS)
        chronicle.deliver(small_file("contact_centers", 202502, ("add", "CC3", odd)))
        ran = run_ledger("diff", "202501", "202502", "--json", cwd=chronicle.folder)
        assert json.loads(ran.out)["rows"][0]["cells"][0]["after"] == odd

    def test_who_has_read_enough_is_not_told_off(self, chronicle: Chronicle) -> None:
        rows = [(f"A{number}", "x" * 100) for number in range(2000)]
        chronicle.deliver(small_file("agents", None, ("A",)))
        chronicle.deliver(small_file("agents", 202502, *(("add", *row) for row in rows)))
        for format in ("csv", "ndjson", "json"):
            command = (
                f"{shlex.quote(str(LEDGER))} diff -q 202501 202502 --format {format} | head -1"
            )
            ran = run("bash", "-o", "pipefail", "-c", command, cwd=chronicle.folder)
            assert (ran.code, ran.err) == (141, "")

    def test_an_edition_that_there_is_not_is_wrong_usage(self, samples: Ledger) -> None:
        ran = run_ledger("diff", "202501", "202507", cwd=samples.path.parent)
        assert (ran.code, ran.out) == (2, "")
        held = "the ledger holds the months 202501 to 202503; choose one of these"
        assert ran.err == f"Error: as of 202507: {held}\n"


def test_two_editions_are_asked_one_thing_after_the_other(samples: Ledger) -> None:
    with samples.compare("202501", "202503") as both:
        assert isinstance(both, Comparison)
        assert both.diff() == both.diff() == samples.compare("202501", "202503").diff()
        assert both.bridge() == samples.compare("202501", "202503").bridge()
        causes = list(both.bridge_causes("2025-01"))
        assert causes == list(both.bridge_causes("202501"))
        assert list(both.diff_rows()) == list(samples.compare("202501", "202503").diff_rows())
        assert causes == list(samples.compare("202501", "202503").bridge_causes(month="2025-01"))


def test_a_question_ends_what_is_being_read_for_the_one_before(samples: Ledger) -> None:
    with samples.compare("202501", "202503") as both:
        rows = both.diff_rows()
        assert next(rows).relation == "agents"
        causes = both.bridge_causes()
        assert next(causes).step == "added"
        assert both.diff() == samples.compare("202501", "202503").diff()
        assert list(rows) == []
        assert list(causes) == []
