"""Every figure of the report leads back to the rows of files that make it, without a remainder."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger, Report, WrongUsage
from ledger.datasets.support.explain import Contribution, Explanation
from ledger.datasets.support.measures import MEASURES
from ledger.errors import VerificationFailed
from ledger.lineage.sources import Source
from tests import oracle
from tests.chronicle import Chronicle, Event, Plan, chronicle_of, few_examples, plans, read_lines
from tests.commands import DATA, run_ledger
from tests.strategies import small_file

Cell = tuple[str, str | None, str | None]
NOON = "2025-02-05T12:00:00Z"
NAMES = ("as-is", "as-was")


@dataclass(frozen=True)
class Part:
    """An interaction with its labels and all that it stands on, found in the delivered files."""

    key: str
    month: str
    calls: int
    minutes: float | None
    event: Event
    center: str
    center_event: Event | None
    department: str
    department_event: Event | None

    def is_of(self, cell: Cell, measure: str | None) -> bool:
        labels = (self.month, self.center, self.department)
        return (
            all(wanted in (None, label) for wanted, label in zip(cell, labels, strict=True))
            and (measure not in ("total_calls", "total_call_duration") or self.calls == 1)
            and (measure != "total_call_duration" or self.minutes is not None)
        )

    @property
    def told(self) -> tuple[Any, ...]:
        minutes = round((self.minutes or 0) * 10**6) / 10**6
        return (
            *(self.key, 1, self.calls, minutes, place(self.event)),
            *(self.center, place(self.center_event)),
            *(self.department, place(self.department_event)),
        )


def place(event: Event | None) -> tuple[Any, ...] | None:
    if event is None:
        return None
    return (event.month, event.action, event.file, event.line, event.sha256, event.batch)


def cited(source: Source | None) -> tuple[Any, ...] | None:
    if source is None:
        return None
    month, action = source.month.number, source.action
    return (month, action, source.file, source.line, source.sha256, source.batch)


def told(contribution: Contribution) -> tuple[Any, ...]:
    figures = contribution.figures
    return (
        contribution.interaction_id,
        figures.total_interactions,
        figures.total_calls,
        figures.total_call_duration,
        cited(contribution.source),
        contribution.contact_center_name,
        cited(contribution.contact_center_source),
        contribution.department,
        cited(contribution.department_source),
    )


def parts(chronicle: Chronicle, as_of: int, batch: int, names: str) -> list[Part]:
    """All interactions of an edition, by key."""
    rows = chronicle.state(as_of, batch).tables["interactions"]
    standing = chronicle.standing("interactions", as_of, batch)
    assert rows.keys() == standing.keys()
    found = []
    for key in sorted(rows):
        row, month = rows[key], str(rows[key]["month"] or "Unknown")
        then = as_of
        if names == "as-was" and month != "Unknown":
            then = min(max(int(month.replace("-", "")), chronicle.initial_month), as_of)
        center, category = (
            chronicle.standing(table, then, batch).get(str(row[oracle.KEYS[table]]))
            for table in ("contact_centers", "service_categories")
        )
        is_call, minutes = row["channel"] == "phone", row["call_duration_minutes"]
        part = Part(
            *(key, month, int(is_call)),
            float(minutes) if is_call and minutes is not None else None,
            standing[key],
            *labelled(center, "contact_center_name"),
            *labelled(category, "department"),
        )
        found.append(part)
    return found


def labelled(event: Event | None, column: str) -> tuple[str, Event | None]:
    """A label, and the event that gives it."""
    label = event.cells[column] if event else None
    return (label, event) if label else ("Unknown", None)


def cells(report: Report) -> Iterator[Cell]:
    """Every part of the report of which one can ask."""
    rows = [(row.month, row.contact_center_name, row.department) for row in report.rows]
    yield from dict.fromkeys(
        cell
        for month, center, department in rows
        for cell in (
            (month, center, department),
            (month, center, None),
            (month, None, department),
            (month, None, None),
        )
    )


def in_report(report: Report, cell: Cell) -> tuple[int, int, float]:
    rows = [
        row
        for row in report.rows
        if all(
            wanted in (None, label)
            for wanted, label in zip(
                cell, (row.month, row.contact_center_name, row.department), strict=True
            )
        )
    ]
    return (
        sum(row.total_interactions for row in rows),
        sum(row.total_calls for row in rows),
        sum(round(row.total_call_duration * 10**6) for row in rows) / 10**6,
    )


def check_sums(explanation: Explanation, report: Report, cell: Cell, measure: str | None) -> None:
    """Hold an explanation to the report: exactly."""
    figures = explanation.figures
    asked = (explanation.month, explanation.contact_center_name, explanation.department)
    assert (asked, explanation.measure) == (cell, measure)
    of_report = in_report(report, cell)
    assert of_report == tuple(getattr(figures, name) for name in MEASURES)
    shown = [contribution.figures for contribution in explanation.contributions]
    sums = (
        sum(part.total_interactions for part in shown),
        sum(part.total_calls for part in shown),
        sum(round(part.total_call_duration * 10**6) for part in shown) / 10**6,
    )
    for name, wanted, added in zip(MEASURES, of_report, sums, strict=True):
        assert measure not in (None, name) or wanted == added
    if measure is None:
        for table, is_known in (
            ("contact_centers", [c.contact_center_source for c in explanation.contributions]),
            ("service_categories", [c.department_source for c in explanation.contributions]),
        ):
            reasons = [u.interactions for u in explanation.unresolved if u.table == table]
            assert sum(reasons) == is_known.count(None)


@given(plans(), st.data())
@few_examples
def test_every_cell_of_the_report_leads_to_the_rows_that_make_it(
    plan: Plan, data: st.DataObject
) -> None:
    with chronicle_of(plan) as chronicle:
        as_of, batch = data.draw(st.sampled_from(chronicle.editions()), label="edition")
        names = data.draw(st.sampled_from(NAMES), label="names")
        ledger = chronicle.ledger
        edition: dict[str, Any] = {"as_of": str(as_of), "known_at": batch}
        if data.draw(st.booleans(), label="stored"):
            ledger.project(**edition)
        report = ledger.at(**edition).report(names=names)
        delivered = parts(chronicle, as_of, batch, names)
        measures = [None, data.draw(st.sampled_from(MEASURES), label="measure")]
        for month, center, department in cells(report):
            cell = (month, center, department)
            for measure in measures:
                explanation = ledger.at(**edition).explain(*cell, measure=measure, names=names)
                check_sums(explanation, report, cell, measure)
                assert [told(c) for c in explanation.contributions] == [
                    part.told for part in delivered if part.is_of(cell, measure)
                ]
                assert explanation.edition == report.edition


@pytest.fixture
def chronicle(tmp_path: Path) -> Chronicle:
    return Chronicle(tmp_path)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of all sample data."""
    folder = tmp_path_factory.mktemp("recorded")
    assert run_ledger("ingest", "--data-dir", DATA, cwd=folder).code == 0
    return folder


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("as_of", ["202501", "202502", "202503"])
def test_the_samples_are_cited_by_file_line_and_digest(
    recorded: Path, as_of: str, names: str
) -> None:
    ledger = Ledger(recorded / "ledger.db")
    report = ledger.at(as_of).report(names=names)
    for cell in cells(report):
        for measure in (None, *MEASURES):
            explanation = ledger.at(as_of).explain(*cell, measure=measure, names=names)
            check_sums(explanation, report, cell, measure)
            for contribution in explanation.contributions:
                row = row_at(contribution.source)
                assert row["interaction_id"] == contribution.interaction_id
                if contribution.contact_center_source:
                    center = row_at(contribution.contact_center_source)
                    assert center["contact_center_id"] == row["contact_center_id"]
                    assert center["contact_center_name"] == contribution.contact_center_name
                if contribution.department_source:
                    category = row_at(contribution.department_source)
                    assert category["category_id"] == row["category_id"]
                    assert category["department"] == contribution.department


def row_at(source: Source) -> oracle.Cells:
    """The row that begins on a line of a sample file, which has the digest that is cited."""
    content = (DATA / source.file).read_bytes()
    assert hashlib.sha256(content).hexdigest() == source.sha256
    return dict(read_lines(content))[source.line]


class TestSources:
    def test_each_source_is_listed_once(self, recorded: Path) -> None:
        explanation = Ledger(recorded / "ledger.db").at().explain("202502", "Boston MA NE")
        assert [str(source) for source in explanation.sources] == [
            "delta/interactions_delta_202502.csv:5",
            "delta/interactions_delta_202502.csv:8",
            "delta/interactions_delta_202502.csv:10",
            "delta/interactions_delta_202503.csv:5",
            "delta/contact_centers_delta_202503.csv:2",
            "initial/service_categories.csv:3",
            "delta/service_categories_delta_202503.csv:3",
            "initial/service_categories.csv:4",
        ]

    def test_names_as_they_were_cite_the_rows_that_gave_them_then(self, recorded: Path) -> None:
        ledger = Ledger(recorded / "ledger.db")
        explanation = ledger.at().explain("2025-02", "Boston MA", names="as-was")
        named_by = {str(c.contact_center_source) for c in explanation.contributions}
        assert named_by == {"initial/contact_centers.csv:3"}
        with pytest.raises(WrongUsage, match="no contact centre 'Boston MA' there"):
            ledger.at().explain("2025-02", "Boston MA")
        with pytest.raises(WrongUsage, match="no contact centre 'Boston MA NE' there"):
            ledger.at().explain("2025-02", "Boston MA NE", names="as-was")

    def test_rows_of_many_lines_are_cited_by_the_first(self, chronicle: Chronicle) -> None:
        chronicle.deliver(
            small_file("contact_centers", None, ("CC1", "A\nB\nC"), ("CC2", "x"), ("CC3", "y\n")),
            small_file("interactions", None, *[call(key, key[1:]) for key in ("ICC1", "ICC3")]),
        )
        contributions = chronicle.ledger.at().explain("2025-02").contributions
        assert [str(c.contact_center_source) for c in contributions] == [
            "initial/contact_centers.csv:2",
            "initial/contact_centers.csv:6",
        ]

    def test_a_corrected_file_is_cited_in_the_place_of_the_one_it_corrects(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(
            small_file("contact_centers", None, ("CC1", "Boston")),
            small_file("interactions", None, call("I1", "CC1", "5")),
        )
        chronicle.deliver(small_file("interactions", None, ("I0",), call("I1", "CC1", "7")))
        now = chronicle.ledger.at().explain("2025-02", "Boston")
        then = chronicle.ledger.at(known_at=1).explain("2025-02", "Boston")
        assert (now.figures.total_call_duration, then.figures.total_call_duration) == (7, 5)
        assert [str(c.source) for c in now.contributions] == [
            "initial/interactions.csv:3 (batch 2)"
        ]
        assert [str(c.source) for c in then.contributions] == ["initial/interactions.csv:2"]


def call(key: str, center: str, minutes: str = "5") -> tuple[str, ...]:
    """A call of an extract, on the fifth of February."""
    return (key, NOON, "phone", "", "", center, NOON, "", "", minutes, "")


class TestLabels:
    @pytest.mark.parametrize(
        "name",
        [
            'the "old" one',
            "Boston, MA",
            "two\nlines",
            "O'Neil's",
            "'; DROP TABLE interactions; --",
            "\x1b[31mred",
            "?1",
            "NULL",
            "Béchamont \u00a0",
        ],
    )
    def test_any_name_can_be_asked_for(self, chronicle: Chronicle, name: str) -> None:
        chronicle.deliver(
            small_file("contact_centers", None, ("CC1", name), ("CC2", "other")),
            small_file("service_categories", None, ("CAT1", "", name)),
            small_file("interactions", None, call("I1", "CC1"), call("I2", "CC2")),
        )
        explanation = chronicle.ledger.at().explain("2025-02", name)
        assert [c.interaction_id for c in explanation.contributions] == ["I1"]
        assert explanation.contributions[0].contact_center_name == name
        ran = run_ledger("explain", "--month", "2025-02", "--center", name, cwd=chronicle.folder)
        assert ran.code == 0
        assert "\x1b" not in ran.out + ran.err
        options = ("--month", "2025-02", "--center", name, "--json")
        ran = run_ledger("explain", *options, cwd=chronicle.folder)
        assert json.loads(ran.out)["contributions"][0]["contact_center_name"] == name
        ran = run_ledger("explain", "--month", "2025-02", "--center", "?", cwd=chronicle.folder)
        assert ran.code == 2
        assert f"it has {', '.join(map(repr, sorted(['other', name])))}" in ran.err

    def test_a_name_that_says_unknown_is_one_with_those_that_have_none(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(
            small_file("contact_centers", None, ("CC1", "Unknown"), ("CC2", "")),
            small_file("interactions", None, *[call(f"I{n}", f"CC{n}") for n in (1, 2, 3)]),
        )
        explanation = chronicle.ledger.at().explain("2025-02", "Unknown")
        assert [str(c.contact_center_source) for c in explanation.contributions] == [
            "initial/contact_centers.csv:2",
            "None",
            "None",
        ]
        reasons = {u.key: u.cause for u in explanation.unresolved if u.table == "contact_centers"}
        assert reasons == {"CC2": "no-name", "CC3": "never-seen"}

    @pytest.mark.parametrize("names", NAMES)
    def test_the_cells_of_a_delete_name_nothing(self, chronicle: Chronicle, names: str) -> None:
        chronicle.deliver(
            small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Atlanta")),
            small_file("interactions", None, call("I1", "CC1"), call("I2", "CC2")),
            small_file("contact_centers", 202502, ("delete", "CC1", "Boston")),
        )
        explanation = chronicle.ledger.at().explain("2025-02", "Unknown", names=names)
        assert [c.interaction_id for c in explanation.contributions] == ["I1"]
        assert explanation.contributions[0].contact_center_source is None
        assert explanation.unresolved[0].cause == "deleted"

    def test_two_centers_of_one_name_are_one_figure(self, chronicle: Chronicle) -> None:
        chronicle.deliver(
            small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Boston")),
            small_file("interactions", None, call("I1", "CC1", "2.5"), call("I2", "CC2", "0.1")),
        )
        explanation = chronicle.ledger.at().explain("2025-02", "Boston", "Unknown")
        assert explanation.figures.total_call_duration == 2.6
        assert len({c.contact_center_source for c in explanation.contributions}) == 2

    def test_what_has_no_month_can_be_asked_for(self, chronicle: Chronicle) -> None:
        chronicle.deliver(small_file("interactions", None, ("I1", "", "email"), call("I2", "")))
        explanation = chronicle.ledger.at().explain("Unknown")
        assert [c.interaction_id for c in explanation.contributions] == ["I1"]

    def test_a_label_that_is_unknown_has_its_reason(self, recorded: Path) -> None:
        ledger = Ledger(recorded / "ledger.db")
        deleted = ledger.at().explain("2025-02", department="Unknown")
        assert [str(reason) for reason in deleted.unresolved] == [
            "1 interaction names category CAT05, deleted by "
            "delta/service_categories_delta_202503.csv:2: its department is Unknown"
        ]
        later = ledger.at("202501").explain("2025-01", department="Unknown")
        assert [(u.key, u.cause, str(u.source)) for u in later.unresolved] == [
            ("CAT07", "not-there-yet", "delta/service_categories_delta_202502.csv:3")
        ]
        never = ledger.at(known_at=1).explain("2025-01", department="Unknown")
        assert [(u.key, u.cause, u.source) for u in never.unresolved] == [
            ("CAT07", "never-seen", None)
        ]


class TestMeasures:
    @pytest.fixture
    def ledger(self, chronicle: Chronicle) -> Ledger:
        rows = (
            call("timed", "CC1", "5"),
            call("untimed", "CC1", ""),
            call("unreadable", "CC1", "soon"),
            ("email", NOON, "email", "", "", "CC1", NOON, "", "", "9", ""),
            ("other", NOON, "Phone", "", "", "CC1", NOON, "", "", "9", ""),
        )
        chronicle.deliver(small_file("interactions", None, *rows))
        return chronicle.ledger

    @pytest.mark.parametrize(
        ("measure", "keys"),
        [
            (None, {"timed", "untimed", "unreadable", "email", "other"}),
            ("total_interactions", {"timed", "untimed", "unreadable", "email", "other"}),
            ("total_calls", {"timed", "untimed", "unreadable"}),
            ("total_call_duration", {"timed"}),
        ],
    )
    def test_only_what_is_part_of_a_measure_is_listed(
        self, ledger: Ledger, measure: str | None, keys: set[str]
    ) -> None:
        explanation = ledger.at().explain("2025-02", measure=measure)
        assert {c.interaction_id for c in explanation.contributions} == keys
        figures = explanation.figures
        assert (figures.total_interactions, figures.total_calls) == (5, 3)
        assert figures.total_call_duration == 5

    def test_fractions_add_up_exactly(self, chronicle: Chronicle) -> None:
        rows = [call(f"I{number}", "CC1", "0.1") for number in range(30)]
        chronicle.deliver(small_file("interactions", None, *rows))
        explanation = chronicle.ledger.at().explain("2025-02", measure="total_call_duration")
        assert explanation.figures.total_call_duration == 3

    def test_durations_beyond_all_reason_are_no_disagreement(self, chronicle: Chronicle) -> None:
        # Milliseconds since 1970, say: more millionths of a minute than a double holds exactly.
        minutes = ("1740000000000.7", "0.1", "1739999999999.3", "0.3", "-1740000000000.9", "0.7")
        rows = [call(f"I{n}", f"CC{n % 2}", length) for n, length in enumerate(minutes * 3)]
        chronicle.deliver(small_file("interactions", None, *rows))
        assert len(chronicle.ledger.at().explain("2025-02").contributions) == len(rows)
        chronicle.ledger.project()
        with closing(sqlite3.connect(chronicle.ledger.path)) as connection, connection:
            connection.execute("UPDATE interactions SET call_duration_minutes = 1e10 "
                               "WHERE interaction_id = 'I1'")  # fmt: skip
        with pytest.raises(VerificationFailed):
            chronicle.ledger.at().explain("2025-02")


class TestWrongUsage:
    @pytest.mark.parametrize(
        ("asked", "message"),
        [
            (("2025-09",), "no month '2025-09' there; it has '2025-01', '2025-02', '2025-03'"),
            (("202413",), "'202413' is not a month"),
            (("unknown",), "'unknown' is not a month"),
            (("Unknown",), "no month 'Unknown' there; it has '2025-01', '2025-02', '2025-03'"),
            (
                ("2025-01", "boston MA NE"),
                "no contact centre 'boston MA NE' there; "
                "it has 'Atlanta GA SE', 'Boston MA NE', 'Richmond VA E'",
            ),
            (("2025-03", None, "Refunds"), "no department 'Refunds' there; it has 'Billing',"),
            (
                ("2025-01", "Richmond VA E", "Unknown"),
                "no department 'Unknown' there; it has 'Billing', 'Technical Support'",
            ),
        ],
    )
    def test_a_figure_that_there_is_not_is_told_with_those_that_there_are(
        self, recorded: Path, asked: tuple[str, ...], message: str
    ) -> None:
        with pytest.raises(WrongUsage) as caught:
            Ledger(recorded / "ledger.db").at().explain(*asked)
        assert message in str(caught.value)

    def test_a_measure_that_there_is_not(self, recorded: Path) -> None:
        with pytest.raises(WrongUsage, match="'calls'; there are total_interactions, total_calls"):
            Ledger(recorded / "ledger.db").at().explain("2025-01", measure="calls")

    def test_names_that_there_are_not(self, recorded: Path) -> None:
        with pytest.raises(WrongUsage, match="names are as-is or as-was, not 'as-if'"):
            Ledger(recorded / "ledger.db").at().explain("2025-01", names="as-if")

    def test_a_report_of_nothing(self, chronicle: Chronicle) -> None:
        chronicle.deliver(small_file("contact_centers", None, ("CC1", "Boston")))
        with pytest.raises(WrongUsage, match="no month '2025-01' there; it has none"):
            chronicle.ledger.at().explain("2025-01")


TAMPERED = {
    "another duration": "UPDATE interactions SET call_duration_minutes = 99 "
    "WHERE interaction_id = 'INT1012'",
    "another centre": "UPDATE interactions SET contact_center_id = 'CC01' "
    "WHERE interaction_id = 'INT1011'",
    "another channel": "UPDATE interactions SET channel = 'email' WHERE interaction_id = 'INT1012'",
    "another month": "UPDATE interactions SET month = '2025-02' WHERE interaction_id = 'INT1001'",
    "a row less": "DELETE FROM interactions WHERE interaction_id = 'INT1012'",
    "a row more": "INSERT INTO interactions (interaction_id, month, channel, contact_center_id) "
    "VALUES ('INT9999', '2025-02', 'chat', 'CC01')",
    "a row that was deleted": "INSERT INTO interactions (interaction_id, month, channel, "
    "contact_center_id) VALUES ('INT1006', '2025-02', 'chat', 'CC01')",
    "two rows in each other's place": "UPDATE interactions SET contact_center_id = "
    "CASE interaction_id WHEN 'INT1012' THEN 'CC03' ELSE 'CC01' END "
    "WHERE interaction_id IN ('INT1012', 'INT1013')",
    "a figure": "UPDATE support_totals SET calls = calls + 1 WHERE month = '2025-02' "
    "AND contact_center_id = 'CC01'",
    "minutes": "UPDATE support_totals SET micro_minutes = micro_minutes + 1 "
    "WHERE month = '2025-02' AND contact_center_id = 'CC01'",
    "a row and its figure": "UPDATE interactions SET call_duration_minutes = 9 "
    "WHERE interaction_id = 'INT1012'; UPDATE support_totals SET micro_minutes = micro_minutes "
    "+ 1000000 WHERE month = '2025-02' AND contact_center_id = 'CC01' AND category_id = 'CAT01'",
}


class TestTampering:
    @pytest.fixture
    def ledger(self, recorded: Path, tmp_path: Path) -> Ledger:
        shutil.copy(recorded / "ledger.db", tmp_path)
        ledger = Ledger(tmp_path / "ledger.db")
        ledger.project(rebuild=True)
        return ledger

    @pytest.mark.parametrize("statement", TAMPERED.values(), ids=TAMPERED)
    def test_a_stored_projection_that_was_changed_explains_nothing(
        self, ledger: Ledger, statement: str
    ) -> None:
        ledger.at().explain("2025-02", "Atlanta GA SE")
        with closing(sqlite3.connect(ledger.path)) as connection:
            connection.executescript(statement)
        with pytest.raises(VerificationFailed, match=r"disagree: .*: ledger project --rebuild$"):
            ledger.at().explain("2025-02", "Atlanta GA SE")
        # Another edition is built anew, and so is this one when it is stored again.
        assert ledger.at("202502").explain("2025-02", "Atlanta GA SE").contributions
        ledger.project(rebuild=True)
        assert ledger.at().explain("2025-02", "Atlanta GA SE").contributions

    @pytest.mark.parametrize("measure", MEASURES)
    def test_one_measure_is_held_to_the_events_too(self, ledger: Ledger, measure: str) -> None:
        with closing(sqlite3.connect(ledger.path)) as connection, connection:
            connection.execute("DELETE FROM interactions WHERE interaction_id = 'INT1012'")
        with pytest.raises(VerificationFailed, match=f"{measure} is"):
            ledger.at().explain("2025-02", "Atlanta GA SE", measure=measure)

    def test_the_command_ends_with_6(self, ledger: Ledger) -> None:
        with closing(sqlite3.connect(ledger.path)) as connection, connection:
            connection.execute("UPDATE interactions SET call_duration_minutes = 99")
        ran = run_ledger("explain", "--month", "2025-02", cwd=ledger.path.parent)
        assert (ran.code, ran.out) == (6, "")
        assert "Error: the projection and the events disagree: total_call_duration is " in ran.err


BOSTON = ("explain", "--month", "2025-02", "--center", "Boston MA NE")


class TestCommand:
    def test_a_table_lists_what_makes_the_figure_and_adds_it_up(self, recorded: Path) -> None:
        ran = run_ledger(*BOSTON, cwd=recorded)
        assert ran.code == 0
        lines = [line.split() for line in ran.out.splitlines()]
        assert [line[:5] for line in lines[2:6]] == [
            ["INT1011", "1", "1", "17", "delta/interactions_delta_202502.csv:5"],
            ["INT1014", "1", "1", "5", "delta/interactions_delta_202502.csv:8"],
            ["INT1016", "1", "1", "15", "delta/interactions_delta_202502.csv:10"],
            ["INT1021", "1", "1", "14", "delta/interactions_delta_202503.csv:5"],
        ]
        assert lines[6] == ["total", "4", "4", "51"]
        for path in ("delta/interactions_delta_202502.csv", "initial/service_categories.csv"):
            digest = hashlib.sha256((DATA / path).read_bytes()).hexdigest()
            assert [line for line in lines if line[:1] == [path]] == [
                [path, "2" if path.startswith("delta") else "1", digest]
            ]
        assert "Note: 1 interaction names category CAT05, deleted by" in ran.err
        assert "As of 202503, batch 3" in ran.err

    def test_csv_has_a_line_for_each_interaction_and_no_total(self, recorded: Path) -> None:
        ran = run_ledger(*BOSTON, "--format", "csv", cwd=recorded)
        rows = list(csv.DictReader(io.StringIO(ran.out, newline="")))
        assert [row["interaction"] for row in rows] == ["INT1011", "INT1014", "INT1016", "INT1021"]
        assert sum(float(row["total_call_duration"]) for row in rows) == 51
        path = "delta/interactions_delta_202502.csv"
        assert (rows[0]["file"], rows[0]["line"], rows[0]["batch"]) == (path, "5", "2")
        assert rows[0]["sha256"] == hashlib.sha256((DATA / path).read_bytes()).hexdigest()
        deleted = "CAT05, deleted by delta/service_categories_delta_202503.csv:2"
        assert (rows[1]["department"], rows[1]["department_named_by"]) == ("Unknown", deleted)
        assert rows[3]["contact_center_named_by"] == "delta/contact_centers_delta_202503.csv:2"
        lines = run_ledger(*BOSTON, "--format", "ndjson", cwd=recorded).out.splitlines()
        assert [json.loads(line)["interaction"] for line in lines] == [
            r["interaction"] for r in rows
        ]

    def test_json_has_all_of_it(self, recorded: Path) -> None:
        ran = run_ledger(*BOSTON, "--department", "Billing", "--json", cwd=recorded)
        told = json.loads(ran.out)
        assert told["figures"] == {
            "total_interactions": 1,
            "total_calls": 1,
            "total_call_duration": 17,
        }
        assert (told["month"], told["department"], told["names"]) == ("2025-02", "Billing", "as-is")
        (contribution,) = told["contributions"]
        assert contribution["source"]["file"] == "delta/interactions_delta_202502.csv"
        assert contribution["department_source"]["line"] == 3

    def test_one_measure_alone(self, recorded: Path) -> None:
        options = ("--month", "202501", "--measure", "total_calls")
        ran = run_ledger("explain", *options, cwd=recorded)
        lines = [line.split() for line in ran.out.splitlines()]
        assert lines[0][:3] == ["interaction", "total_calls", "where"]
        assert lines[2][:2] == ["INT1001", "1"]
        assert ["total", "7"] in lines

    def test_a_key_that_leads_nowhere_cannot_command_the_terminal(
        self, chronicle: Chronicle
    ) -> None:
        chronicle.deliver(small_file("interactions", None, call("I1", "\x1b[2J")))
        ran = run_ledger("explain", "--month", "2025-02", cwd=chronicle.folder)
        assert "Note: 1 interaction names contact centre \\x1b[2J, never seen" in ran.err

    def test_the_extract_had_one_interaction_more_in_january(self, recorded: Path) -> None:
        for as_of, keys in (("202501", 10), ("202502", 9)):
            options = ("--month", "2025-01", "--as-of", as_of, "--format", "ndjson")
            ran = run_ledger("explain", *options, cwd=recorded)
            assert len(ran.out.splitlines()) == keys

    def test_an_edition_and_names_can_be_chosen(self, recorded: Path) -> None:
        options = ("--known-at", "2", "--month", "2025-01", "--center", "Boston MA")
        ran = run_ledger("explain", *options, cwd=recorded)
        assert ran.code == 0
        assert "As of 202502, batch 2" in ran.err
        options = ("--names", "as-was", "--month", "2025-01", "--center", "Boston MA")
        assert run_ledger("explain", *options, cwd=recorded).code == 0

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                ("--month", "2025-02", "--center", "Boston MA"),
                "has 'Atlanta GA SE', 'Boston MA NE'",
            ),
            (("--month", "2025-02", "--department", "X"), "it has 'Billing'"),
            (("--month", "2025-08"), "it has '2025-01'"),
            (("--month", "2025-02", "--measure", "calls"), "total_interactions"),
            (("--month", "2025-02", "--names", "x"), "as-was"),
            ((), "Missing option '--month'"),
        ],
    )
    def test_what_is_not_there_is_exit_2(
        self, recorded: Path, options: tuple[str, ...], message: str
    ) -> None:
        ran = run_ledger("explain", *options, cwd=recorded)
        assert (ran.code, ran.out) == (2, "")
        assert message in ran.err
