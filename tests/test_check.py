"""What is odd about deliveries is told, with file and line, of what counts and of nothing else."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger import InputRefused, Ledger, Month, MonthIngest, WrongUsage
from ledger.datasets.support.description import SUPPORT
from ledger.lineage.findings import Checked, Finding
from ledger.lineage.missing_references import missing_row
from ledger.lineage.sources import Sources
from ledger.model.dataset import Column, SecondsBetween, Table, Type
from ledger.model.local_time import ClockRow, clock_rows
from ledger.replay.statements import typed_sql
from ledger.store.event_store import Store
from tests import oracle
from tests.chronicle import (
    Chronicle,
    Event,
    Plan,
    beginning,
    carry_out,
    chronicle_of,
    few_examples,
    plans,
)
from tests.commands import DATA, run_ledger
from tests.replays import replay_of
from tests.strategies import COLUMNS, DeliveredFile, small_file, write_data_folder

Found = tuple[str, int | None, str, str | None]

CODES = (
    "add-existing", "bad-date", "bad-number", "bad-timestamp", "confusable-key", "delete-missing",
    "duplicate-key", "duration-differs", "ends-before-start", "negative-duration", "no-offset",
    "no-op", "out-of-range", "reference-deleted", "reference-never-seen", "reference-not-there-yet",
    "resurrected", "same-bytes", "update-missing",
)  # fmt: skip
REFERENCES = {
    "agents": {"contact_center_id": "contact_centers", "category_id": "service_categories"},
    "interactions": {
        "category_id": "service_categories",
        "agent_id": "agents",
        "contact_center_id": "contact_centers",
    },
}
ACTIONS = {"add-existing", "update-missing", "delete-missing", "duplicate-key", "resurrected",
           "no-op"}  # fmt: skip
# One that no test looks at, so that there is something to replay.
EXTRACT = small_file("contact_centers", None, ("CC0", "Nowhere"))
NOON = "2025-02-05T12:00:00Z"


@pytest.fixture
def chronicle(tmp_path: Path) -> Chronicle:
    return Chronicle(tmp_path)


def found(checked: Checked) -> list[Found]:
    return [(f.file, f.line, f.code, f.column) for f in checked.findings]


def told(checked: Checked) -> list[str]:
    return [str(finding) for finding in checked.findings]


def call(key: str, start: str, end: str, minutes: str, channel: str = "phone") -> tuple[str, ...]:
    """An interaction, as in an extract."""
    return (key, start, channel, "", "", "", start, "", end, minutes, "")


class TestValues:
    @pytest.mark.parametrize(
        ("cell", "code"),
        [
            ("2025-02-30T10:00:00Z", "bad-timestamp"),
            ("2025-02-05T24:00:00Z", "bad-timestamp"),
            ("2025-02-05T10:00:60Z", "bad-timestamp"),
            ("2025-W06-3T10:00:00Z", "bad-timestamp"),
            ("2025-02-05T10:00:00", "no-offset"),
            ("1969-12-31T23:59:59Z", "out-of-range"),
            ("2025-03-09T01:59:59-05:00", None),
            ("2025-03-09T03:00:00-04:00", None),
            ("2025-11-02T01:30:00-04:00", None),
            ("2025-11-02T01:30:00-05:00", None),
        ],
    )
    def test_a_moment(self, chronicle: Chronicle, cell: str, code: str | None) -> None:
        self.check_cell(chronicle, ("I1", cell), "timestamp", cell, code)

    @pytest.mark.parametrize(
        ("cell", "code"),
        [
            ("1,000", "bad-number"),
            ("NaN", "bad-number"),
            ("inf", "bad-number"),
            ("1_000", "bad-number"),
            ("١٢", "bad-number"),
            ("1e309", "out-of-range"),
            ("9223372036854775808", "out-of-range"),
            ("9223372036854775807", None),
            ("-1.5e2", None),
        ],
    )
    def test_a_number(self, chronicle: Chronicle, cell: str, code: str | None) -> None:
        row = ("I1", *[""] * 9, cell)
        self.check_cell(chronicle, row, "satisfaction_rating", cell, code)

    def check_cell(
        self, chronicle: Chronicle, row: tuple[str, ...], column: str, cell: str, code: str | None
    ) -> None:
        chronicle.deliver(small_file("interactions", None, ("I0",), row))
        expected = [(code, "initial/interactions.csv", 3, "I1", column, cell)] if code else []
        findings = chronicle.ledger.at().check().findings
        assert [(f.code, f.file, f.line, f.key, f.column, f.value) for f in findings] == expected

    def test_a_date(self, chronicle: Chronicle) -> None:
        days = ("2025-02-30", "20250230", "2025-W06-3", "2024-02-29")
        rows = [(f"A{number}", "Ada", "", day) for number, day in enumerate(days)]
        chronicle.deliver(small_file("agents", None, *rows))
        assert told(chronicle.ledger.at().check()) == [
            f"initial/agents.csv:{line}:hire_date: bad-date: this is no date: '{day}'"
            for line, day in enumerate(days[:3], start=2)
        ]

    def test_each_cell_of_a_row_is_told_and_in_the_order_of_lines(
        self, chronicle: Chronicle
    ) -> None:
        rows = (("I1", "one", *[""] * 8, "two"), ("I2", "three"))
        chronicle.deliver(small_file("interactions", None, *rows))
        assert [(f.line, f.column, f.value) for f in chronicle.ledger.at().check().findings] == [
            (2, "satisfaction_rating", "two"),
            (2, "timestamp", "one"),
            (3, "timestamp", "three"),
        ]

    def test_a_value_is_told_where_a_later_row_has_replaced_it_too(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(
            small_file("agents", None, ("A1", "Ada", "", "soon")),
            small_file("agents", 202502, ("update", "A1", "Ada", "", "2025-02-01")),
        )
        (finding,) = found(chronicle.ledger.at().check())
        assert finding == ("initial/agents.csv", 2, "bad-date", "hire_date")


class TestDurations:
    @pytest.mark.parametrize(
        ("minutes", "end", "is_told"),
        [
            ("10", "2025-02-05T12:10:59.9Z", False),
            ("10", "2025-02-05T12:11:00Z", False),
            ("10", "2025-02-05T12:11:00.000001Z", True),
            ("10", "2025-02-05T12:11:01Z", True),
            ("10", "2025-02-05T12:09:00Z", False),
            ("10", "2025-02-05T12:08:59Z", True),
            ("", "2025-02-05T12:20:00Z", False),
            ("10", "", False),
            ("10", "2025-02-05T07:10:00-05:00", False),
            ("10", "2025-02-05T07:10:00Z", True),
        ],
    )
    def test_a_call_may_differ_by_a_minute(
        self, chronicle: Chronicle, minutes: str, end: str, is_told: bool
    ) -> None:
        chronicle.deliver(small_file("interactions", None, call("I1", NOON, end, minutes)))
        findings = chronicle.ledger.at().check().findings
        messages = [f.message for f in findings if f.code == "duration-differs"]
        assert messages == ["differs from end minus start by more than a minute"] * is_told

    def test_a_minute_is_a_minute_whatever_the_fractions(self, chronicle: Chronicle) -> None:
        # As doubles, 4.1 * 60 is a little less than 246, and 4.15 * 60 a little more than 249.
        rows: list[tuple[str, ...]] = []
        for hundredths in range(105, 6000, 5):
            for more in (60, -60):
                seconds = Fraction(hundredths, 100) * 60 + more
                end = datetime(2025, 2, 5, 12) + timedelta(seconds=int(seconds))
                minutes = f"{hundredths / 100}"
                rows.append(call(f"I{len(rows)}", NOON, f"{end:%Y-%m-%dT%H:%M:%SZ}", minutes))
        chronicle.deliver(small_file("interactions", None, *rows))
        assert found(chronicle.ledger.at().check()) == []

    @pytest.mark.parametrize("channel", ["email", "chat", "", "Phone"])
    def test_other_channels_carry_no_duration(self, chronicle: Chronicle, channel: str) -> None:
        row = call("I1", NOON, "2025-02-05T13:00:00Z", "0", channel)
        chronicle.deliver(small_file("interactions", None, row))
        assert found(chronicle.ledger.at().check()) == []

    @pytest.mark.parametrize("channel", ["phone", "email"])
    def test_less_than_no_time_is_told(self, chronicle: Chronicle, channel: str) -> None:
        rows = (call("I1", NOON, "", "-0.5", channel), call("I2", NOON, "", "-0", channel))
        chronicle.deliver(small_file("interactions", None, *rows))
        assert told(chronicle.ledger.at().check()) == [
            "initial/interactions.csv:2:call_duration_minutes: negative-duration: "
            "a call cannot last less than no time: '-0.5'"
        ]

    def test_an_end_before_the_start_is_told(self, chronicle: Chronicle) -> None:
        rows = (
            call("I1", NOON, "2025-02-05T11:59:59Z", "0", "chat"),
            call("I2", NOON, NOON, "0", "chat"),
            call("I3", NOON, "2025-02-05T07:00:00-05:00", "0", "chat"),
            call("I4", "2025-11-02T01:50:00-04:00", "2025-11-02T01:10:00-05:00", "20"),
        )
        chronicle.deliver(small_file("interactions", None, *rows))
        assert told(chronicle.ledger.at().check()) == [
            "initial/interactions.csv:2:interaction_end: ends-before-start: "
            "ends before it began: '2025-02-05T11:59:59Z'"
        ]

    def test_the_cells_of_a_delete_say_nothing_of_a_call(self, chronicle: Chronicle) -> None:
        row = call("I1", NOON, "2025-02-05T11:00:00Z", "-5")
        chronicle.deliver(
            small_file("interactions", None, call("I1", NOON, NOON, "0")),
            small_file("interactions", 202502, ("delete", *row)),
        )
        assert found(chronicle.ledger.at().check()) == []


class TestActions:
    def test_each_is_told_with_the_line_and_the_key(self, chronicle: Chronicle) -> None:
        chronicle.deliver(
            small_file("contact_centers", None, ("CC1", "Boston", "MA"), ("CC2", "Atlanta")),
            small_file(
                "contact_centers",
                202502,
                ("add", "CC1", "Boston"),
                ("update", "CC1", "Boston"),
                ("update", "CC3"),
                ("delete", "CC2"),
                ("delete", "CC4"),
            ),
            small_file("contact_centers", 202503, ("add", "CC2"), ("update", "CC1", "Boston")),
        )
        february = "delta/contact_centers_delta_202502.csv"
        march = "delta/contact_centers_delta_202503.csv"
        assert told(chronicle.ledger.at().check()) == [
            f"{february}:2: add-existing: added, but it exists already: 'CC1'",
            f"{february}:3: duplicate-key: this key occurs earlier in this file: 'CC1'",
            f"{february}:4: update-missing: updated, but it does not exist: 'CC3'",
            f"{february}:6: delete-missing: deleted, but it does not exist: 'CC4'",
            f"{march}:2: resurrected: added again after a delete: 'CC2'",
            f"{march}:3: no-op: every cell is as it was: 'CC1'",
        ]

    def test_the_same_update_again_does_nothing(self, chronicle: Chronicle) -> None:
        rows = (("update", "A1", "Ada", "", "", ""), ("update", "A2", "Eve", "", "", ""))
        chronicle.deliver(
            small_file("agents", None, ("A1", "Ada"), ("A2", "Bob")),
            small_file("agents", 202502, *rows),
        )
        (finding,) = found(chronicle.ledger.at().check())
        assert finding == ("delta/agents_delta_202502.csv", 2, "no-op", None)

    def test_a_delete_with_the_cells_of_its_row_is_in_order(self, chronicle: Chronicle) -> None:
        chronicle.deliver(
            small_file("contact_centers", None, ("CC1", "Boston", "MA")),
            small_file("contact_centers", 202502, ("delete", "CC1", "Boston", "MA")),
        )
        assert chronicle.ledger.at().check().findings == ()

    def test_same_bytes_for_another_month_are_told_of_the_whole_file(
        self, chronicle: Chronicle
    ) -> None:
        february, march = (
            small_file("contact_centers", month, ("update", "CC0", "Somewhere"))
            for month in (202502, 202503)
        )
        chronicle.deliver(EXTRACT, march)
        chronicle.deliver(february)
        message = "same-bytes: the same bytes were delivered for another month"
        assert told(chronicle.ledger.at("202502").check()) == [
            f"delta/contact_centers_delta_202502.csv: {message}, 202503"
        ]
        assert {f.code for f in chronicle.ledger.at().check().findings} == {"same-bytes", "no-op"}
        assert found(chronicle.ledger.at(known_at=2).check()) == []

    def test_a_file_that_was_retracted_is_no_file_of_another_month(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(EXTRACT, small_file("contact_centers", 202502, ("update", "CC0", "X")))
        chronicle.retract("contact_centers", 202502)
        chronicle.deliver(
            small_file("contact_centers", 202503, ("update", "CC0", "X")), refuse=["same-bytes"]
        )
        assert "same-bytes" not in chronicle.ledger.at().check().counts

    def test_same_bytes_are_told_of_the_file_that_came_second_alone(
        self, chronicle: Chronicle
    ) -> None:
        deltas = [
            small_file("contact_centers", month, ("update", "CC0", "Somewhere"))
            for month in (202502, 202503)
        ]
        chronicle.deliver(EXTRACT, *deltas)
        assert chronicle.ledger.at("202502").check().findings == ()
        files = [f.file for f in chronicle.ledger.at().check().findings if f.code == "same-bytes"]
        assert files == ["delta/contact_centers_delta_202503.csv"]

    def test_headers_alone_are_alike_without_a_finding(self, chronicle: Chronicle) -> None:
        months = [small_file("contact_centers", month) for month in (202502, 202503)]
        chronicle.deliver(EXTRACT, *months)
        assert chronicle.ledger.at().check().findings == ()


class TestReferences:
    AGENT = small_file("agents", None, ("A1", "Ada", "CC1"), ("A2", "Bob", "CC2"))
    PLACE = "initial/agents.csv:2:contact_center_id"

    def of_agents(self, chronicle: Chronicle, **edition: Any) -> list[str]:
        findings = chronicle.ledger.at(**edition).check().findings
        return [str(f) for f in findings if "agents" in f.file]

    def test_a_row_that_never_came(self, chronicle: Chronicle) -> None:
        chronicle.deliver(small_file("contact_centers", None, ("CC2", "Boston")), self.AGENT)
        assert self.of_agents(chronicle) == [
            f"{self.PLACE}: reference-never-seen: "
            "refers to a row that does not exist, never seen: 'CC1'"
        ]

    def test_a_row_that_comes_later_is_told_with_what_brings_it(self, chronicle: Chronicle) -> None:
        chronicle.deliver(
            small_file("contact_centers", None, ("CC2", "Boston")),
            self.AGENT,
            small_file("contact_centers", 202502, ("delete", "CC9")),
        )
        assert "never-seen" in self.of_agents(chronicle)[0]
        chronicle.deliver(small_file("contact_centers", 202503, ("add", "CC3"), ("add", "CC1")))
        healed = "delta/contact_centers_delta_202503.csv:3"
        for as_of in ("202501", "202502"):
            assert self.of_agents(chronicle, as_of=as_of) == [
                f"{self.PLACE}: reference-not-there-yet: "
                f"refers to a row that does not exist, not there yet, came with {healed}: 'CC1'"
            ]
        assert self.of_agents(chronicle) == []
        # It was not known by then that it would come.
        assert "never-seen" in self.of_agents(chronicle, as_of="202502", known_at=2)[0]
        chronicle.retract("contact_centers", 202503)
        assert "never-seen" in self.of_agents(chronicle, as_of="202502")[0]

    def test_a_later_delete_brings_nothing(self, chronicle: Chronicle) -> None:
        chronicle.deliver(
            small_file("contact_centers", None, ("CC2", "Boston")),
            self.AGENT,
            small_file("contact_centers", 202502, ("delete", "CC1")),
            small_file("contact_centers", 202503, ("update", "CC1", "Boston")),
            small_file("contact_centers", 202504, ("update", "CC1", "Boston MA")),
        )
        (told_of_one,) = self.of_agents(chronicle, as_of="202501")
        assert "came with delta/contact_centers_delta_202503.csv:2" in told_of_one

    def test_a_row_that_was_deleted_is_told_with_the_last_delete(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(
            small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Atlanta")),
            self.AGENT,
            small_file("contact_centers", 202502, ("update", "CC2", "x"), ("delete", "CC1")),
            small_file("contact_centers", 202504, ("add", "CC1", "again")),
        )
        assert self.of_agents(chronicle, as_of="202501") == []
        for as_of in ("202502", "202503"):
            assert self.of_agents(chronicle, as_of=as_of) == [
                f"{self.PLACE}: reference-deleted: refers to a row that does not exist, "
                "deleted by delta/contact_centers_delta_202502.csv:3: 'CC1'"
            ]
        assert self.of_agents(chronicle) == []

    def test_a_file_of_which_there_are_two_is_told_with_its_batch(
        self, chronicle: Chronicle
    ) -> None:
        deltas = [
            small_file("contact_centers", 202502, ("delete", "CC1"), *more)
            for more in ((), (("add", "CC3"),))
        ]
        centers = small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Atlanta"))
        chronicle.deliver(centers, self.AGENT, deltas[0])
        chronicle.deliver(deltas[1])
        place = "deleted by delta/contact_centers_delta_202502.csv:2"
        assert f"{place} (batch 3): " in self.of_agents(chronicle)[0]
        assert f"{place}: " in self.of_agents(chronicle, known_at=2)[0]

    def test_only_rows_as_they_stand_are_looked_at(self, chronicle: Chronicle) -> None:
        chronicle.deliver(
            EXTRACT,
            small_file("agents", None, ("A1", "Ada", "CC1"), ("A2", "Bob", "CC1")),
            small_file(
                "agents", 202502, ("update", "A1", "Ada", "CC0"), ("delete", "A2", "", "CC1")
            ),
        )
        assert len(self.of_agents(chronicle, as_of="202501")) == 2
        assert self.of_agents(chronicle) == []

    def test_nothing_is_missing_where_there_is_a_row(self, chronicle: Chronicle) -> None:
        chronicle.deliver(
            EXTRACT,
            small_file("contact_centers", 202502, ("delete", "CC0")),
            small_file("contact_centers", 202503, ("add", "CC0")),
        )
        with Store.for_reading(chronicle.ledger.path) as store:
            replay = replay_of(store)
            sources = Sources(replay)
            table = SUPPORT.table("contact_centers")
            found = [
                missing_row(replay, sources, table, "CC0", Month(month))
                for month in (202501, 202502, 202503)
            ]
        assert [str(missing) for missing in found] == [
            "None",
            "deleted by delta/contact_centers_delta_202502.csv:2",
            "None",
        ]

    def test_every_reference_of_a_row_is_told(self, chronicle: Chronicle) -> None:
        row = ("I1", "", "", "CAT1", "A1", "CC1")
        chronicle.deliver(small_file("interactions", None, row))
        columns = [f.column for f in chronicle.ledger.at().check().findings]
        assert sorted(map(str, columns)) == ["agent_id", "category_id", "contact_center_id"]


class TestConfusableKeys:
    @pytest.mark.parametrize(
        "other",
        [
            "ABÉ1",
            "abe\N{COMBINING ACUTE ACCENT}1",
            "ABE\N{COMBINING ACUTE ACCENT}1",
            "ａｂé１",
            "a\N{ZERO WIDTH SPACE}bé1",
            "abé\N{SOFT HYPHEN}1",
            "\N{ZERO WIDTH NO-BREAK SPACE}abé1",
            "a\N{SCRIPT CAPITAL B}é1",
        ],
    )
    def test_a_key_that_looks_like_another_is_told(self, chronicle: Chronicle, other: str) -> None:
        chronicle.deliver(
            small_file("agents", None, ("abe1", "Eve"), ("abé1", "Ada"), (other, "Bob"))
        )
        (finding,) = chronicle.ledger.at().check().findings
        assert (finding.code, finding.line, finding.key) == ("confusable-key", 4, other)
        assert finding.message == "can be confused with the key of another row, 'abé1'"
        # They stay distinct.
        chronicle.ledger.project()
        assert len(chronicle.ledger.at().history("agents", "abé1").events) == 1
        assert len(chronicle.ledger.at().history("agents", other).events) == 1
        assert chronicle.ledger.project().rows["agents"] == 3

    @pytest.mark.parametrize("other", ["007", "a-7", "а7", "a 7"])
    def test_a_key_that_differs_otherwise_is_not(self, chronicle: Chronicle, other: str) -> None:
        chronicle.deliver(small_file("agents", None, ("7", "Ada"), ("a7", "Eve"), (other, "Bob")))
        assert chronicle.ledger.at().check().findings == ()

    def test_keys_of_different_tables_are_not_held_together(self, chronicle: Chronicle) -> None:
        chronicle.deliver(
            small_file("contact_centers", None, ("X1",)), small_file("agents", None, ("x1",))
        )
        assert chronicle.ledger.at().check().findings == ()

    def test_each_is_told_once_where_it_came_first(self, chronicle: Chronicle) -> None:
        chronicle.deliver(
            small_file("agents", None, ("A1", "Ada")),
            small_file("agents", 202502, ("add", "a1"), ("add", "ａ1"), ("update", "A1")),
            small_file("agents", 202503, ("update", "a1", "Bob"), ("update", "A1", "Eve")),
        )
        assert [(f.file, f.line, f.key) for f in chronicle.ledger.at().check().findings] == [
            ("delta/agents_delta_202502.csv", 2, "a1"),
            ("delta/agents_delta_202502.csv", 3, "ａ1"),
        ]
        assert chronicle.ledger.at("202501").check().findings == ()

    def test_a_key_that_is_deleted_confuses_nobody(self, chronicle: Chronicle) -> None:
        chronicle.deliver(small_file("agents", None, ("A1",)), EXTRACT)
        chronicle.deliver(small_file("agents", 202502, ("add", "a1")))
        chronicle.deliver(small_file("agents", 202503, ("delete", "a1")))
        assert chronicle.ledger.at().check().findings == ()
        codes = [f.code for f in chronicle.ledger.at("202502").check().findings]
        assert codes == ["confusable-key"]

    def test_a_key_that_no_longer_counts_confuses_nobody(self, chronicle: Chronicle) -> None:
        chronicle.deliver(small_file("agents", None, ("A1",)), EXTRACT)
        chronicle.deliver(small_file("agents", 202502, ("add", "a1")))
        chronicle.deliver(small_file("agents", 202502, ("add", "A2")))
        assert chronicle.ledger.at().check().findings == ()
        assert [f.code for f in chronicle.ledger.at(known_at=2).check().findings] == [
            "confusable-key"
        ]

    def test_the_delete_that_is_named_is_the_one_that_took_the_row(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(EXTRACT, small_file("agents", None, ("A1", "Ada", "CC0")))
        chronicle.deliver(small_file("contact_centers", 202502, ("delete", "CC0")))
        chronicle.deliver(small_file("contact_centers", 202503, ("delete", "CC0")))
        loose = [
            f for f in chronicle.ledger.at().check().findings if f.column == "contact_center_id"
        ]
        assert [f.code for f in loose] == ["reference-deleted"]
        assert "deleted by delta/contact_centers_delta_202502.csv:2" in loose[0].message

    def test_a_row_of_a_retracted_file_is_told_as_that(self, chronicle: Chronicle) -> None:
        chronicle.deliver(EXTRACT, small_file("agents", None, ("A1", "Ada", "CC0")))
        chronicle.retract("contact_centers", 202501)
        (loose,) = chronicle.ledger.at().check().findings
        assert loose.code == "reference-never-seen"
        assert "seen in initial/contact_centers.csv:2 alone" in loose.message
        assert "which no longer counts since batch 2" in loose.message


class TestResult:
    def test_it_tells_of_which_edition_how_many_events_and_what_fails(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(
            small_file("agents", None, ("A1", "Ada", "CC1"), ("A2", "Bob", "", "soon")),
            small_file("agents", 202502, ("update", "A1"), ("delete", "A3"), ("delete", "A4")),
        )
        checked = chronicle.ledger.at().check(fail_on=("delete-missing", "bad-date", "no-op"))
        assert checked.edition.name == "202502@2"
        assert checked.events == 5
        assert checked.counts == {"bad-date": 1, "delete-missing": 2}
        assert checked.failed == {"bad-date": 1, "delete-missing": 2}
        assert chronicle.ledger.at().check(fail_on=["no-op"]).failed == {}
        assert chronicle.ledger.at().check(fail_on=["any"]).failed == dict(checked.counts)
        before = chronicle.ledger.at("202501").check()
        assert (before.events, before.counts, before.failed) == (
            2,
            {"bad-date": 1, "reference-never-seen": 1},
            {},
        )

    def test_what_no_longer_counts_is_no_event_and_has_no_findings(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(EXTRACT, small_file("agents", 202502, ("add", "A1", "", "", "soon")))
        chronicle.retract("agents", 202502)
        chronicle.deliver(small_file("agents", 202503, ("add", "A2")))
        checked = chronicle.ledger.at().check()
        assert (checked.events, checked.findings) == (2, ())
        before = chronicle.ledger.at(known_at=2).check()
        assert (before.events, before.counts) == (2, {"bad-date": 1})

    def test_tables_are_told_one_after_the_other_in_replay_order(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(
            EXTRACT,
            small_file("agents", None, ("A1", "", "CC9", "soon")),
            small_file("interactions", None, ("I1", "noon")),
        )
        chronicle.deliver(small_file("agents", 202503, ("delete", "A5")))
        chronicle.deliver(small_file("agents", 202502, ("delete", "A6")))
        assert [(f.code, f.key) for f in chronicle.ledger.at().check().findings] == [
            ("bad-date", "A1"),
            ("reference-never-seen", "A1"),
            ("delete-missing", "A6"),
            ("delete-missing", "A5"),
            ("bad-timestamp", "I1"),
        ]

    def test_a_code_that_there_is_not_is_wrong_usage(self, chronicle: Chronicle) -> None:
        chronicle.deliver(EXTRACT)
        with pytest.raises(WrongUsage) as caught:
            chronicle.ledger.at().check(fail_on=["no-op", "noop", "Any"])
        assert str(caught.value) == (
            f"there is no finding Any and noop; there are {', '.join(CODES)}, and any"
        )
        delivery = small_file("agents", 202502, ("add", "A1"))
        with pytest.raises(WrongUsage, match="there is no finding noop;"):
            chronicle.deliver(delivery, refuse=["noop"])


def actions(chronicle: Chronicle, table: str, as_of: int, batch: int) -> Iterator[Found]:
    """What is odd about the actions of the events that count."""
    before: dict[str, Event] = {}
    for event in chronicle.counting(table, as_of, batch):
        last = before.get(event.key)
        there = last is not None and last.action != "delete"
        code = None
        if last and last.file == event.file:
            code = "duplicate-key"
        elif event.action == "add":
            code = "add-existing" if there else "resurrected" if last else None
        elif not there:
            code = f"{event.action}-missing"
        elif last and event.action == "update" and last.cells == event.cells:
            code = "no-op"
        if code:
            yield (event.file, event.line, code, None)
        before[event.key] = event


def typed(table: str, events: Sequence[Event]) -> list[dict[str, oracle.Value]]:
    """The cells of events as the oracle reads them."""
    rows = [
        (str(number), *(event.cells[column] or "" for column in COLUMNS[table][1:]))
        for number, event in enumerate(events)
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = write_data_folder(Path(folder), [small_file(table, None, *rows)])
        state = oracle.fold(paths, 202501, 202501)
    return [state.tables[table][str(number)] for number in range(len(events))]


def values(chronicle: Chronicle, table: str, as_of: int, batch: int) -> Iterator[Found]:
    """The cells without a value, whatever the reason, and what is odd about a call."""
    events = chronicle.counting(table, as_of, batch)
    for event, row in zip(events, typed(table, events), strict=True):
        for column in COLUMNS[table][1:]:
            if row[column] is None and event.cells[column] is not None:
                yield (event.file, event.line, "value", column)
        if table == "interactions" and event.action != "delete":
            minutes = row["call_duration_minutes"]
            start, end = row["interaction_start"], row["interaction_end"]
            if minutes is not None and float(minutes) < 0:
                yield (event.file, event.line, "negative-duration", "call_duration_minutes")
            if start is None or end is None:
                continue
            length = datetime.fromisoformat(str(end)) - datetime.fromisoformat(str(start))
            if length < timedelta(0):
                yield (event.file, event.line, "ends-before-start", "interaction_end")
            seconds = Fraction(length / timedelta(microseconds=1)) / 10**6
            if minutes is not None and row["channel"] == "phone":
                difference = abs(Fraction(str(minutes)) * 60 - seconds)
                if round(difference, 6) > 60:
                    yield (event.file, event.line, "duration-differs", "call_duration_minutes")


def references(chronicle: Chronicle, table: str, as_of: int, batch: int) -> Iterator[Found]:
    """The references of the rows as they stand that lead nowhere, and why."""
    for event in chronicle.standing(table, as_of, batch).values():
        for column, other in REFERENCES.get(table, {}).items():
            key = event.cells[column]
            last = chronicle.last(other, as_of, batch).get(str(key))
            if key is None or (last and last.action != "delete"):
                continue
            # A delete of what was never there deletes nothing.
            lived = [
                e.month
                for e in chronicle.counting(other, 999912, batch)
                if e.key == key and e.action != "delete"
            ]
            if any(month <= as_of for month in lived):
                code = "reference-deleted"
            else:
                code = "reference-not-there-yet" if lived else "reference-never-seen"
            yield (event.file, event.line, code, column)


def confusable(chronicle: Chronicle, table: str, as_of: int, batch: int) -> Iterator[Found]:
    """Of the keys of the strategies only those differ that differ by case."""
    first: dict[str, str] = {}
    seen = set()
    events = list(chronicle.counting(table, as_of, batch))
    gone = {key for key, action in {e.key: e.action for e in events}.items() if action == "delete"}
    for event in events:
        if event.key in gone:
            continue
        if first.setdefault(event.key.lower(), event.key) != event.key and event.key not in seen:
            yield (event.file, event.line, "confusable-key", None)
        seen.add(event.key)


def same_bytes(chronicle: Chronicle, as_of: int, batch: int) -> Iterator[Found]:
    counting = chronicle.in_force(batch).values()
    for arrival in counting:
        others = [
            other
            for other in counting
            if (other.table, other.content) == (arrival.table, arrival.content)
            and other.month != arrival.month
            and other.batch <= arrival.batch
        ]
        if arrival.file and arrival.month <= as_of and arrival.events and others:
            yield (arrival.file.name, None, "same-bytes", None)


def expected(chronicle: Chronicle, as_of: int, batch: int) -> list[Found]:
    """All findings, from the delivered files alone; of a cell without a value, not the reason."""
    told = [*same_bytes(chronicle, as_of, batch)]
    for table in COLUMNS:
        for look in (actions, values, references, confusable):
            told += look(chronicle, table, as_of, batch)
    return sorted(told, key=str)


VALUES = ("bad-date", "bad-timestamp", "no-offset", "bad-number", "out-of-range")


def without_reason(findings: Collection[Finding]) -> list[Found]:
    return sorted(
        ((f.file, f.line, "value" if f.code in VALUES else f.code, f.column) for f in findings),
        key=str,
    )


@given(plans(), st.data())
@few_examples
def test_all_that_is_odd_is_told_and_nothing_else(plan: Plan, data: st.DataObject) -> None:
    with chronicle_of(plan) as chronicle:
        editions = chronicle.editions()
        drawn = data.draw(st.lists(st.sampled_from(editions), min_size=1, max_size=4), label="at")
        for as_of, batch in {*editions[-1:], *drawn}:
            checked = chronicle.ledger.at(str(as_of), known_at=batch).check()
            assert without_reason(checked.findings) == expected(chronicle, as_of, batch)
            counting = [chronicle.counting(table, as_of, batch) for table in COLUMNS]
            assert checked.events == sum(map(len, counting))
            assert sum(checked.counts.values()) == len(checked.findings)


def of_new_files(ledger: Ledger, month: MonthIngest) -> list[Finding]:
    """What `check` tells of the files that a month brought, as of its end and as known then."""
    if month.batch is None:
        return []
    names = {result.file.name for result in month.files if result.recorded}
    checked = ledger.at(month.month, known_at=month.batch.batch).check()
    return [finding for finding in checked.findings if finding.file in names]


@given(plans())
@few_examples
def test_ingest_tells_of_new_files_what_check_tells_of_them(plan: Plan) -> None:
    # But for keys that can be confused: to find these, all keys of a table must be read.
    with beginning(plan) as chronicle:
        for done in carry_out(plan, chronicle):
            for month in done:
                told_by_check = [
                    finding
                    for finding in of_new_files(chronicle.ledger, month)
                    if finding.code != "confusable-key"
                ]
                assert sorted(map(str, month.first_findings)) == sorted(map(str, told_by_check))
                assert month.findings == Counter(finding.code for finding in told_by_check)


@given(plans(), st.sets(st.sampled_from([*CODES, "any"]), min_size=1))
@few_examples
def test_ingest_refuses_for_a_code_what_check_fails_on(plan: Plan, codes: set[str]) -> None:
    # Of the files at hand: what they make odd of files recorded before refuses nothing.
    with beginning(plan) as chronicle:
        trial = Ledger(chronicle.folder / "trial.db")
        for step in (plan.first.files, *plan.then):
            if isinstance(step, tuple) and step in chronicle.in_force(chronicle.batches):
                chronicle.retract(*step)
                continue
            files = (step,) if isinstance(step, DeliveredFile) else plan.first.files
            if chronicle.batches:
                shutil.copy(chronicle.ledger.path, trial.path)
            refused: list[str] = []
            try:
                chronicle.ingest(trial, *files, refuse=codes)
            except InputRefused as error:
                refused = sorted(map(str, error.problems))
            failing = [
                [str(f) for f in of_new_files(chronicle.ledger, month) if {f.code, "any"} & codes]
                for month in chronicle.deliver(*files)
            ]
            assert refused == sorted(next(filter(None, failing), []))


def test_what_a_file_makes_odd_of_others_is_told_by_check_alone(chronicle: Chronicle) -> None:
    agent = small_file("agents", None, ("A1", "Ada", "CC0"))
    chronicle.deliver(EXTRACT, agent)
    delta = small_file("contact_centers", 202502, ("delete", "CC0"))
    (month,) = chronicle.deliver(delta, refuse=["any"])
    assert month.findings == {}
    assert found(chronicle.ledger.at().check()) == [
        ("initial/agents.csv", 2, "reference-deleted", "contact_center_id")
    ]


def test_confusable_keys_are_told_by_ingest_only_where_they_are_refused(
    chronicle: Chronicle,
) -> None:
    chronicle.deliver(EXTRACT)
    delta = small_file("contact_centers", 202502, ("add", "cc0"))
    for codes in (["any"], ["no-op", "confusable-key"]):
        with pytest.raises(InputRefused) as caught:
            chronicle.deliver(delta, refuse=codes)
        assert [p.code for p in caught.value.problems] == ["confusable-key"]
    (month,) = chronicle.deliver(delta, refuse=set(CODES) - {"confusable-key"})
    assert month.findings == {}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of all sample data."""
    folder = tmp_path_factory.mktemp("recorded")
    assert run_ledger("ingest", "--data-dir", DATA, cwd=folder).code == 0
    return folder


class TestCommand:
    CATEGORY = "category_id: reference-deleted: refers to a row that does not exist, "

    def test_the_samples_refer_to_rows_that_were_deleted(self, recorded: Path) -> None:
        ran = run_ledger("check", cwd=recorded)
        assert ran.code == 0
        deleted = "deleted by delta/service_categories_delta_202503.csv:2: 'CAT05'"
        lines = ran.out.splitlines()
        assert f"initial/interactions.csv:6:{self.CATEGORY}{deleted}" in lines
        assert f"delta/interactions_delta_202502.csv:8:{self.CATEGORY}{deleted}" in lines
        assert "reference-deleted           4" in lines
        assert lines[-1] == "4 findings in 62 events."
        assert "As of 202503, batch 3" in ran.err

    def test_what_is_not_there_yet_is_told_with_the_file_that_heals_it(
        self, recorded: Path
    ) -> None:
        ran = run_ledger("check", "--as-of", "202501", cwd=recorded)
        healed = "not there yet, came with delta/service_categories_delta_202502.csv:3: 'CAT07'"
        assert (
            "initial/interactions.csv:8:category_id: reference-not-there-yet: "
            f"refers to a row that does not exist, {healed}"
        ) in ran.out.splitlines()
        assert ran.out.splitlines()[-1] == "1 finding in 27 events."
        known_then = run_ledger("check", "--known-at", "1", cwd=recorded)
        assert "reference-never-seen" in known_then.out
        assert "not-there-yet" not in known_then.out

    def test_other_formats_say_the_same(self, recorded: Path) -> None:
        ran = run_ledger("check", "--format", "csv", cwd=recorded)
        rows = list(csv.DictReader(io.StringIO(ran.out, newline="")))
        ran = run_ledger("check", "--format", "ndjson", cwd=recorded)
        lines = [json.loads(line) for line in ran.out.splitlines()]
        whole = json.loads(run_ledger("check", "--json", cwd=recorded).out)
        assert (whole["counts"], whole["events"]) == ({"reference-deleted": 4}, 62)
        assert whole["edition"]["as_of"] == "202503"
        assert lines == whole["findings"]
        assert rows == [{name: str(value) for name, value in line.items()} for line in lines]
        assert {**rows[0], "message": ""} == {
            "code": "reference-deleted",
            "file": "initial/interactions.csv",
            "line": "5",
            "key": "INT1004",
            "column": "agent_id",
            "value": "A005",
            "message": "",
        }

    def test_a_code_to_fail_on_is_exit_3_after_the_result(self, recorded: Path) -> None:
        whole = run_ledger("check", cwd=recorded)
        for codes in (["reference-deleted", "no-op"], ["any"]):
            options = [part for code in codes for part in ("--fail-on", code)]
            ran = run_ledger("check", *options, cwd=recorded)
            assert (ran.code, ran.out) == (3, whole.out)
            assert ran.err.endswith("Error: there are findings to fail on: 4 reference-deleted\n")
        assert run_ledger("check", "--fail-on", "no-op", cwd=recorded).code == 0
        earlier = ("--as-of", "202502", "--fail-on", "reference-deleted")
        assert run_ledger("check", *earlier, cwd=recorded).code == 0

    def test_all_codes_that_fail_are_told_with_their_counts(
        self, recorded: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "service_categories_delta_202504.csv"
        path.write_text("category_id,category_name,department,action\nCAT99,,,delete\n")
        shutil.copy(recorded / "ledger.db", tmp_path)
        assert run_ledger("ingest", path, cwd=tmp_path).code == 0
        ran = run_ledger("check", "--fail-on", "any", cwd=tmp_path)
        assert "fail on: 1 delete-missing and 4 reference-deleted" in ran.err
        assert ran.code == 3

    def test_nothing_odd_is_told_as_such(self, tmp_path: Path) -> None:
        extract = write_data_folder(tmp_path, [EXTRACT])
        assert run_ledger("ingest", *extract, "--initial-month", "202501", cwd=tmp_path).code == 0
        ran = run_ledger("check", "--fail-on", "any", cwd=tmp_path)
        assert ran.code == 0
        assert ran.out.splitlines()[-1] == "0 findings in 1 event."
        assert run_ledger("check", "--format", "csv", cwd=tmp_path).out.splitlines() == [
            "code,file,line,key,column,value,message"
        ]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--fail-on", "nonsense"), "there is no finding nonsense; there are add-existing,"),
            (("--fail-on", ""), "there is no finding"),
            (("--known-at", "yesterday"), "'yesterday' is no batch"),
            (("--as-of", "202412"), "the ledger holds the months 202501 to 202503"),
        ],
    )
    def test_what_has_no_meaning_is_exit_2(
        self, recorded: Path, options: tuple[str, ...], message: str
    ) -> None:
        ran = run_ledger("check", *options, cwd=recorded)
        assert (ran.code, ran.out) == (2, "")
        assert message in ran.err

    def test_a_name_cannot_command_the_terminal(self, tmp_path: Path) -> None:
        evil = small_file("contact_centers", None, ("\x1b[2J", "x"), ("\x1b[2j", "y"))
        extract = write_data_folder(tmp_path, [evil])
        assert run_ledger("ingest", *extract, "--initial-month", "202501", cwd=tmp_path).code == 0
        ran = run_ledger("check", cwd=tmp_path)
        assert "confusable-key" in ran.out
        assert "\x1b" not in ran.out


moments = st.builds(
    lambda at, micro: f"{at.isoformat()[:19]}{f'.{micro:06}'.rstrip('0').rstrip('.')}Z",
    st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59)),
    st.integers(0, 999_999) | st.just(0),
)


@given(moments, moments)
@example("2025-03-09T06:59:59Z", "2025-03-09T07:00:00Z")
@example("1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
@settings(deadline=None, max_examples=300)
def test_seconds_are_the_same_with_the_table_of_clocks_and_without(start: str, end: str) -> None:
    times = (Column("began", "", Type.TIMESTAMP), Column("ended", "", Type.TIMESTAMP))
    table = Table("calls", (Column("key", ""), *times), (SecondsBetween("took", "began", "ended"),))
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(
            "CREATE TABLE calls_events (event_id INTEGER PRIMARY KEY, action, key, began, ended);"
            "CREATE TABLE readings (event_id, column_name, value);"
            f"CREATE TABLE clock ({', '.join(ClockRow._fields)});"
        )
        row = (1, "add", "k", start, end)
        connection.execute("INSERT INTO calls_events VALUES (?, ?, ?, ?, ?)", row)
        for day in {start[:10], end[:10]}:
            rows = clock_rows(day, "America/New_York")
            connection.executemany("INSERT INTO clock VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        took = [
            connection.execute(f"SELECT took FROM ({sql})").fetchall()
            for sql in (
                typed_sql(table, "SELECT 1 AS event_id"),
                typed_sql(table, "SELECT 1 AS event_id", without_local_time=True),
            )
        ]
    assert repr(took[0]) == repr(took[1])
