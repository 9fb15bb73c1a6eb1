"""Why the report moved between two editions: every step is told, and nothing remains."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import astuple
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger, WrongUsage
from ledger.datasets.support.bridge import Bridge, Cause, Reconciliation, ReportKey
from ledger.datasets.support.explain import Figures
from ledger.datasets.support.measures import StepKind
from ledger.errors import VerificationFailed
from tests import oracle
from tests.chronicle import Chronicle, Event, Plan, chronicle_of, few_examples, plans
from tests.commands import DATA, run_ledger
from tests.strategies import DeliveredFile, Deliveries, small_file

Row = tuple[str, str, str]
Amount = tuple[int, int, int]
Steps = dict[tuple[Row | None, str], Amount]
"""What each kind of step adds to each row of the report, and to the total (None)."""

NOTHING = (0, 0, 0)


def exact(figures: Figures) -> Amount:
    """Interactions, calls and millionths of minutes."""
    interactions, calls, minutes = astuple(figures)
    return interactions, calls, round(Fraction(minutes) * 10**6)


def plus(one: Amount, other: Amount, sign: int = 1) -> Amount:
    return (one[0] + sign * other[0], one[1] + sign * other[1], one[2] + sign * other[2])


def row_of(reconciliation: Reconciliation) -> Row:
    month, center, department = astuple(reconciliation)[:3]
    return (month, center, department)


def key_of(row: ReportKey | None) -> Row | None:
    return (row.month, row.contact_center_name, row.department) if row else None


def steps_of(reconciliation: Reconciliation) -> dict[str, Amount]:
    return {step.kind.value: exact(step.figures) for step in reconciliation.steps}


def name(edition: tuple[int, int]) -> str:
    return "{}@{}".format(*edition)


# The same by another way --------------------------------------------------------------------------


def expected_steps(before: oracle.State, after: oracle.State) -> Steps:
    """The steps between two states, from one interaction after the other."""
    steps: Steps = defaultdict(lambda: NOTHING)

    def move(kind: str, origin: Row | None, target: Row | None, amount: Amount) -> None:
        for row, sign in ((origin, -1), (target, 1)):
            for account in (row, None) if row else ():
                steps[account, kind] = plus(steps[account, kind], amount, sign)

    olds, news = before.tables["interactions"], after.tables["interactions"]
    for key in {*olds, *news}:
        old, new = olds.get(key), news.get(key)
        if old is None and new is not None:
            move("added", None, labels(after, new), amount_of(new))
        if old is not None and new is None:
            move("deleted", labels(before, old), None, amount_of(old))
        if old is None or new is None:
            continue
        here, end, size = labels(before, old), labels(after, new), amount_of(old)
        center_moved = old["contact_center_id"] != new["contact_center_id"]
        category_moved = old["category_id"] != new["category_id"]
        for kind, there in (
            ("moved-month", (end[0], here[1], here[2])),
            ("moved-keys", (end[0], end[1] if center_moved else here[1],
                            end[2] if category_moved else here[2])),
            ("renamed", (end[0], end[1], end[2] if category_moved else here[2])),
            ("renamed", end),
        ):  # fmt: skip
            if there != here:
                move(kind, here, there, size)
            here = there
        change = plus(amount_of(new), size, -1)
        if change[1]:
            move("changed-channel", None, end, change)
        elif change[2]:
            move("changed-duration", None, end, change)
    return steps


def labels(state: oracle.State, interaction: dict[str, oracle.Value]) -> Row:
    """The row of the report in which an interaction is."""
    center = state.tables["contact_centers"].get(str(interaction["contact_center_id"]), {})
    category = state.tables["service_categories"].get(str(interaction["category_id"]), {})
    found = interaction["month"], center.get("contact_center_name"), category.get("department")
    month, center_name, department = (str(text or "Unknown") for text in found)
    return month, center_name, department


def amount_of(interaction: dict[str, oracle.Value]) -> Amount:
    is_call = interaction["channel"] == "phone"
    minutes = interaction["call_duration_minutes"] if is_call else None
    return 1, int(is_call), oracle._millionths(minutes)


def report_of(state: oracle.State) -> dict[Row, Amount]:
    return {
        (month, center, department): (count, calls, round(Fraction(minutes) * 10**6))
        for month, center, department, count, calls, minutes in state.report
    }


# Deliveries ---------------------------------------------------------------------------------------


def interaction(
    key: str,
    *,
    channel: str = "phone",
    category: str = "CAT1",
    center: str = "CC1",
    month: str = "2025-01",
    minutes: str = "10",
) -> tuple[str, ...]:
    start = f"{month}-15T12:00:00Z" if month else ""
    return (key, start, channel, category, "", center, start, "", "", minutes)


@st.composite
def lively_plans(draw: st.DrawFn) -> Plan:
    """Deliveries of few rows, all sound, of which most stay and change in some way."""
    rows = {
        "contact_centers": st.tuples(
            st.sampled_from(("CC1", "CC2")), st.sampled_from(("Boston", "Atlanta", ""))
        ),
        "service_categories": st.tuples(
            st.sampled_from(("CAT1", "CAT2")), st.just(""), st.sampled_from(("Billing", "Tech"))
        ),
        "interactions": st.builds(
            interaction,
            st.sampled_from(("INT1", "INT2", "INT3")),
            channel=st.sampled_from(("phone", "phone", "chat")),
            category=st.sampled_from(("CAT1", "CAT2")),
            center=st.sampled_from(("CC1", "CC1", "CC2", "")),
            month=st.sampled_from(("2025-01", "2025-01", "2025-02", "")),
            minutes=st.sampled_from(("10", "0.5", "")),
        ),
    }
    actions = st.sampled_from(("update", "update", "delete"))
    files = [
        small_file(table, None, *draw(st.lists(row, min_size=1, unique_by=lambda cells: cells[0])))
        for table, row in rows.items()
    ]
    then: list[DeliveredFile | tuple[str, int]] = []
    for month in draw(st.lists(st.sampled_from((202502, 202503)), min_size=1, max_size=3)):
        for table, row in rows.items():
            changes = draw(st.lists(st.tuples(actions, row), max_size=3))
            if changes:
                delta = ((action, *cells) for action, cells in changes)
                then.append(small_file(table, month, *delta))
            elif draw(st.booleans()):
                then.append((table, month))
    return Plan(Deliveries(202501, tuple(files)), tuple(then))


any_plans = st.one_of(plans(), lively_plans(), lively_plans())


class TestProperties:
    @given(any_plans, st.data())
    @few_examples
    def test_opening_and_steps_give_the_closing_and_are_what_another_way_finds(
        self, plan: Plan, data: st.DataObject
    ) -> None:
        with chronicle_of(plan) as chronicle:
            for before, after in pairs(chronicle, data):
                if data.draw(st.booleans(), label="one of them is stored"):
                    chronicle.ledger.project(str(after[0]), known_at=after[1])
                bridge = chronicle.ledger.compare(name(before), name(after)).bridge()
                old, new = chronicle.state(*before), chronicle.state(*after)
                assert_bridged(bridge, report_of(old), report_of(new))
                expected = expected_steps(old, new)
                found: Steps = {
                    (None, kind): amount for kind, amount in steps_of(bridge.total).items()
                }
                for row in bridge.rows:
                    found |= {(row_of(row), kind): amount for kind, amount in steps_of(row).items()}
                assert found == expected

    @given(any_plans, st.data())
    @few_examples
    def test_the_bridge_of_a_month_is_the_part_of_the_whole(
        self, plan: Plan, data: st.DataObject
    ) -> None:
        with chronicle_of(plan) as chronicle:
            for before, after in pairs(chronicle, data):
                with chronicle.ledger.compare(name(before), name(after)) as both:
                    whole = both.bridge()
                    reported = {row.month for row in whole.rows if opening_or_closing(row)}
                    every = list(both.bridge_causes())
                    for month in sorted(filter(None, reported)):
                        part = both.bridge(month)
                        rows = [row for row in whole.rows if row.month == month]
                        assert list(part.rows) == rows
                        assert part.total.month == part.month == month
                        assert_sums(part)
                        assert list(both.bridge_causes(month)) == [
                            cause
                            for cause in every
                            if any(r and r.month == month for r in (cause.origin, cause.target))
                        ]

    @given(any_plans, st.data())
    @few_examples
    def test_the_causes_add_up_to_the_steps_and_name_the_events(
        self, plan: Plan, data: st.DataObject
    ) -> None:
        with chronicle_of(plan) as chronicle:
            for before, after in pairs(chronicle, data):
                with chronicle.ledger.compare(name(before), name(after)) as both:
                    bridge, causes = both.bridge(), list(both.bridge_causes())
                    few = list(both.bridge_causes(most=1))
                assert_caused(bridge, causes)
                assert_traced(chronicle, causes, before, after)
                kept: dict[StepKind, int] = defaultdict(int)
                expected = []
                for cause in causes:
                    kept[cause.step] += 1
                    if cause.step is StepKind.RENAMED or kept[cause.step] == 1:
                        expected.append(cause)
                assert few == expected

    @given(any_plans, st.data())
    @few_examples
    def test_from_an_edition_to_itself_nothing_moves(self, plan: Plan, data: st.DataObject) -> None:
        with chronicle_of(plan) as chronicle:
            for edition, _ in pairs(chronicle, data):
                bridge = chronicle.ledger.compare(name(edition), name(edition)).bridge()
                assert bridge.total.steps == ()
                assert all(row.opening == row.closing and not row.steps for row in bridge.rows)
                assert (
                    list(chronicle.ledger.compare(name(edition), name(edition)).bridge_causes())
                    == []
                )


def pairs(
    chronicle: Chronicle, data: st.DataObject
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Two editions, where there are any; different ones where there are two."""
    if editions := chronicle.editions():
        before = data.draw(st.sampled_from(editions), label="before")
        others = [edition for edition in editions if edition != before] or editions
        yield before, data.draw(st.sampled_from(others), label="after")


def opening_or_closing(row: Reconciliation) -> bool:
    return any(astuple(row.opening) + astuple(row.closing))


def assert_bridged(bridge: Bridge, old: dict[Row, Amount], new: dict[Row, Amount]) -> None:
    rows = {row_of(row): row for row in bridge.rows}
    assert list(rows) == sorted({*old, *new, *rows})
    for key, row in rows.items():
        assert exact(row.opening) == old.get(key, NOTHING)
        assert exact(row.closing) == new.get(key, NOTHING)
        assert key in old or key in new or row.steps
    assert_sums(bridge)


def assert_sums(bridge: Bridge) -> None:
    """Each row and the total close, and the rows add up to the total."""
    sums: dict[str, Amount] = defaultdict(lambda: NOTHING)
    for row in bridge.rows:
        sums["opening"] = plus(sums["opening"], exact(row.opening))
        sums["closing"] = plus(sums["closing"], exact(row.closing))
        for kind, amount in steps_of(row).items():
            sums[kind] = plus(sums[kind], amount)
    total = bridge.total
    expected = {**steps_of(total), "opening": exact(total.opening), "closing": exact(total.closing)}
    assert {"opening": NOTHING, "closing": NOTHING, **sums} == expected
    for reconciliation in (total, *bridge.rows):
        closing = exact(reconciliation.opening)
        for amount in steps_of(reconciliation).values():
            closing = plus(closing, amount)
        assert closing == exact(reconciliation.closing)
        assert exact(reconciliation.remainder) == NOTHING
        order = [step.kind for step in reconciliation.steps]
        assert order == sorted(set(order), key=list(StepKind).index)


def assert_caused(bridge: Bridge, causes: list[Cause]) -> None:
    found: Steps = defaultdict(lambda: NOTHING)
    for cause in causes:
        for row, sign in ((key_of(cause.origin), -1), (key_of(cause.target), 1)):
            if row:
                amount = exact(cause.figures)
                found[row, cause.step] = plus(found[row, cause.step], amount, sign)
    expected = {
        (row_of(row), kind): amount for row in bridge.rows for kind, amount in steps_of(row).items()
    }
    assert found == expected
    for step in bridge.total.steps:
        told = [cause for cause in causes if cause.step is step.kind]
        assert told
        if step.kind is not StepKind.RENAMED:
            assert len({cause.key for cause in told}) == len(told) == step.interactions
    order = [(list(StepKind).index(cause.step), cause.table, cause.key) for cause in causes]
    assert order == sorted(order)
    assert {cause.step for cause in causes} == {step.kind for step in bridge.total.steps}


def assert_traced(
    chronicle: Chronicle, causes: Iterable[Cause], before: tuple[int, int], after: tuple[int, int]
) -> None:
    """The events are the last ones of the key that count in each of the editions."""
    latest = max(before[1], after[1])
    lasts = {
        (table, edition): chronicle.last(table, *edition)
        for table in ("interactions", "contact_centers", "service_categories")
        for edition in (before, after)
    }
    for cause in causes:
        for source, edition in ((cause.before, before), (cause.after, after)):
            event: Event | None = lasts[cause.table, edition].get(cause.key)
            assert (source is None) == (event is None)
            if source and event:
                successor = chronicle.successor(event, latest)
                assert (source.file, source.line, source.action, source.batch, source.sha256) == (
                    *(event.file, event.line, event.action, event.batch, event.sha256),
                )
                assert source.superseded_in == (successor.batch if successor else None)
        if cause.table == "interactions":
            gone = StepKind.ADDED, StepKind.DELETED
            there = [bool(s and s.action != "delete") for s in (cause.before, cause.after)]
            assert there == [cause.step is not gone[0], cause.step is not gone[1]]


# Each step ----------------------------------------------------------------------------------------

NAMES = (
    small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Atlanta")),
    small_file("service_categories", None, ("CAT1", "Bills", "Billing"), ("CAT2", "Net", "Tech")),
)


def delta(table: str, *rows: tuple[str, ...]) -> DeliveredFile:
    return small_file(table, 202502, *rows)


@pytest.fixture
def chronicle(tmp_path: Path) -> Chronicle:
    return Chronicle(tmp_path)


def delivered(chronicle: Chronicle, *files: DeliveredFile) -> Ledger:
    """A ledger of INT1 in January, at Boston for Billing, a call of ten minutes; then a delta."""
    chronicle.deliver(*NAMES, small_file("interactions", None, interaction("INT1")))
    chronicle.deliver(*files)
    return chronicle.ledger


BOSTON = ("2025-01", "Boston", "Billing")

Told = tuple[str, str, str, Row | None, Row | None, tuple[float, ...]]


def causes(ledger: Ledger, before: str = "202501", after: str = "202502") -> list[Told]:
    return [
        (c.step.value, c.table, c.key, key_of(c.origin), key_of(c.target), astuple(c.figures))
        for c in ledger.compare(before, after).bridge_causes()
    ]


class TestSteps:
    def test_an_interaction_is_added(self, chronicle: Chronicle) -> None:
        ledger = delivered(chronicle, delta("interactions", ("add", *interaction("INT2"))))
        told = [("added", "interactions", "INT2", None, BOSTON, (1, 1, 10.0))]
        assert causes(ledger) == told
        (row,) = ledger.compare("202501", "202502").bridge().rows
        assert steps_of(row) == {"added": (1, 1, 10_000_000)}
        assert astuple(row.opening) == (1, 1, 10.0)
        assert astuple(row.closing) == (2, 2, 20.0)

    def test_an_interaction_is_deleted(self, chronicle: Chronicle) -> None:
        ledger = delivered(chronicle, delta("interactions", ("delete", "INT1")))
        (cause,) = ledger.compare("202501", "202502").bridge_causes()
        assert (cause.step, key_of(cause.origin), cause.target) == ("deleted", BOSTON, None)
        assert astuple(cause.figures) == (1, 1, 10.0)
        assert str(cause.before) == "initial/interactions.csv:2"
        assert str(cause.after) == "delta/interactions_delta_202502.csv:2"
        assert cause.after
        assert cause.after.action == "delete"

    def test_an_interaction_moves_to_another_month(self, chronicle: Chronicle) -> None:
        moved = interaction("INT1", month="2025-02")
        ledger = delivered(chronicle, delta("interactions", ("update", *moved)))
        february = ("2025-02", "Boston", "Billing")
        told = [("moved-month", "interactions", "INT1", BOSTON, february, (1, 1, 10.0))]
        assert causes(ledger) == told
        assert steps_of(ledger.compare("202501", "202502").bridge().total) == {
            "moved-month": NOTHING
        }
        for month, sign in (("2025-01", -1), ("202502", 1)):
            total = ledger.compare("202501", "202502").bridge(month=month).total
            assert steps_of(total) == {"moved-month": (sign, sign, sign * 10_000_000)}

    def test_an_interaction_without_a_month_moves_to_one(self, chronicle: Chronicle) -> None:
        chronicle.deliver(*NAMES, small_file("interactions", None, interaction("INT1", month="")))
        chronicle.deliver(delta("interactions", ("update", *interaction("INT1"))))
        unknown = ("Unknown", "Boston", "Billing")
        told = [("moved-month", "interactions", "INT1", unknown, BOSTON, (1, 1, 10.0))]
        assert causes(chronicle.ledger) == told
        total = chronicle.ledger.compare("202501", "202502").bridge(month="Unknown").total
        assert (astuple(total.opening), astuple(total.closing)) == ((1, 1, 10.0), (0, 0, 0.0))

    @pytest.mark.parametrize(
        ("moved", "row"),
        [
            (interaction("INT1", center="CC2"), ("2025-01", "Atlanta", "Billing")),
            (interaction("INT1", category="CAT2"), ("2025-01", "Boston", "Tech")),
            (interaction("INT1", center="", category="CAT9"), ("2025-01", "Unknown", "Unknown")),
        ],
    )
    def test_an_interaction_moves_to_another_centre_or_department(
        self, chronicle: Chronicle, moved: tuple[str, ...], row: Row
    ) -> None:
        ledger = delivered(chronicle, delta("interactions", ("update", *moved)))
        told = [("moved-keys", "interactions", "INT1", BOSTON, row, (1, 1, 10.0))]
        assert causes(ledger) == told

    def test_another_key_of_the_same_name_moves_nothing(self, chronicle: Chronicle) -> None:
        ledger = delivered(
            chronicle,
            delta("contact_centers", ("add", "CC3", "Boston")),
            delta("interactions", ("update", *interaction("INT1", center="CC3"))),
        )
        assert causes(ledger) == []

    def test_a_month_and_a_centre_that_change_at_once_are_two_steps(
        self, chronicle: Chronicle
    ) -> None:
        moved = interaction("INT1", month="2025-02", center="CC2")
        ledger = delivered(chronicle, delta("interactions", ("update", *moved)))
        between, end = ("2025-02", "Boston", "Billing"), ("2025-02", "Atlanta", "Billing")
        assert causes(ledger) == [
            ("moved-month", "interactions", "INT1", BOSTON, between, (1, 1, 10.0)),
            ("moved-keys", "interactions", "INT1", between, end, (1, 1, 10.0)),
        ]
        rows = {row_of(row): row for row in ledger.compare("202501", "202502").bridge().rows}
        assert list(rows) == [BOSTON, end, between]
        assert astuple(rows[between].opening) == astuple(rows[between].closing) == (0, 0, 0.0)

    @pytest.mark.parametrize(
        ("change", "name"),
        [(("update", "CC1", "Boston MA"), "Boston MA"), (("delete", "CC1"), "Unknown"),
         (("update", "CC1", ""), "Unknown")],
    )  # fmt: skip
    def test_a_centre_is_renamed(
        self, chronicle: Chronicle, change: tuple[str, ...], name: str
    ) -> None:
        chronicle.deliver(*NAMES, small_file(
            "interactions", None, interaction("INT1"), interaction("INT2", channel="chat"),
            interaction("INT3", category="CAT2")))  # fmt: skip
        chronicle.deliver(delta("contact_centers", change))
        told = chronicle.ledger.compare("202501", "202502").bridge_causes()
        assert [
            (c.step, c.table, c.key, key_of(c.origin), key_of(c.target), astuple(c.figures),
             str(c.before), str(c.after))
            for c in told
        ] == [
            ("renamed", "contact_centers", "CC1", ("2025-01", "Boston", department),
             ("2025-01", name, department), figures,
             "initial/contact_centers.csv:2", "delta/contact_centers_delta_202502.csv:2")
            for department, figures in (("Billing", (2, 1, 10.0)), ("Tech", (1, 1, 10.0)))
        ]  # fmt: skip

    def test_a_category_that_comes_later_names_what_was_unknown(self, chronicle: Chronicle) -> None:
        early = small_file("interactions", None, interaction("INT1", category="CAT3"))
        chronicle.deliver(*NAMES, early)
        chronicle.deliver(delta("service_categories", ("add", "CAT3", "Parcels", "Orders")))
        (cause,) = chronicle.ledger.compare("202501", "202502").bridge_causes()
        assert (cause.step, cause.table, cause.key) == ("renamed", "service_categories", "CAT3")
        assert key_of(cause.origin) == ("2025-01", "Boston", "Unknown")
        assert key_of(cause.target) == ("2025-01", "Boston", "Orders")
        assert cause.before is None
        assert str(cause.after) == "delta/service_categories_delta_202502.csv:2"

    def test_what_is_named_anew_by_both_keys_is_told_of_both(self, chronicle: Chronicle) -> None:
        ledger = delivered(
            chronicle,
            delta("contact_centers", ("update", "CC1", "Boston MA")),
            delta("service_categories", ("update", "CAT1", "Bills", "Finance")),
        )
        between = ("2025-01", "Boston MA", "Billing")
        end = ("2025-01", "Boston MA", "Finance")
        assert causes(ledger) == [
            ("renamed", "contact_centers", "CC1", BOSTON, between, (1, 1, 10.0)),
            ("renamed", "service_categories", "CAT1", between, end, (1, 1, 10.0)),
        ]
        (step,) = ledger.compare("202501", "202502").bridge().total.steps
        assert (step.kind, step.interactions) == ("renamed", 1)

    def test_a_renamed_row_is_told_once_for_each_row_of_the_report(
        self, chronicle: Chronicle
    ) -> None:
        first = small_file("interactions", None, interaction("INT1"), interaction("INT2"))
        chronicle.deliver(*NAMES, first)
        # Of one of the two, the category changes to another of the same department.
        chronicle.deliver(
            delta("contact_centers", ("update", "CC1", "Boston MA")),
            delta("service_categories", ("add", "CAT3", "Fees", "Billing")),
            delta("interactions", ("update", *interaction("INT2", category="CAT3"))),
        )
        row = ("2025-01", "Boston MA", "Billing")
        told = [("renamed", "contact_centers", "CC1", BOSTON, row, (2, 2, 20.0))]
        assert causes(chronicle.ledger) == told

    def test_a_name_that_is_not_in_the_report_renames_nothing(self, chronicle: Chronicle) -> None:
        other = delta("service_categories", ("update", "CAT1", "Invoices", "Billing"))
        assert causes(delivered(chronicle, other)) == []

    @pytest.mark.parametrize(
        ("before", "after", "change"),
        [
            (("phone", "10"), ("chat", "10"), (0, -1, -10.0)),
            (("chat", ""), ("phone", "2.5"), (0, 1, 2.5)),
            (("phone", ""), ("Phone", ""), (0, -1, 0.0)),
        ],
    )
    def test_a_channel_changes(
        self,
        chronicle: Chronicle,
        before: tuple[str, str],
        after: tuple[str, str],
        change: tuple[float, ...],
    ) -> None:
        old, new = (
            interaction("INT1", channel=channel, minutes=minutes)
            for channel, minutes in (before, after)
        )
        chronicle.deliver(*NAMES, small_file("interactions", None, old))
        chronicle.deliver(delta("interactions", ("update", *new)))
        told = [("changed-channel", "interactions", "INT1", None, BOSTON, change)]
        assert causes(chronicle.ledger) == told

    @pytest.mark.parametrize(
        ("before", "after", "change"), [("10", "14.25", 4.25), ("10", "", -10.0), ("", "9", 9.0)]
    )
    def test_a_duration_changes(
        self, chronicle: Chronicle, before: str, after: str, change: float
    ) -> None:
        first = small_file("interactions", None, interaction("INT1", minutes=before))
        chronicle.deliver(*NAMES, first)
        new = interaction("INT1", minutes=after)
        chronicle.deliver(delta("interactions", ("update", *new)))
        told = [("changed-duration", "interactions", "INT1", None, BOSTON, (0, 0, change))]
        assert causes(chronicle.ledger) == told

    def test_what_the_report_does_not_count_moves_nothing(self, chronicle: Chronicle) -> None:
        chats = [interaction("INT1", channel=c, minutes=m) for c, m in (("chat", "3"), ("", "4"))]
        chronicle.deliver(*NAMES, small_file("interactions", None, chats[0]))
        chronicle.deliver(delta("interactions", ("update", *chats[1])))
        assert causes(chronicle.ledger) == []

    def test_minutes_are_rounded_for_each_call_as_in_the_report(self, chronicle: Chronicle) -> None:
        tiny = [interaction(f"INT{n}", minutes="0.0000004") for n in range(5)]
        chronicle.deliver(*NAMES, small_file("interactions", None, interaction("INT9")))
        chronicle.deliver(delta("interactions", *(("add", *row) for row in tiny)))
        bridge = chronicle.ledger.compare("202501", "202502").bridge()
        assert steps_of(bridge.total) == {"added": (5, 5, 0)}

    @pytest.mark.parametrize(
        ("renamed", "moved"),
        [
            (small_file("contact_centers", 202502, ("update", "CC1", "Boston MA")),
             interaction("INT2", category="CAT2")),
            (small_file("service_categories", 202502, ("update", "CAT1", "Bills", "Finance")),
             interaction("INT2", center="CC2")),
        ],
    )  # fmt: skip
    def test_the_first_of_a_step_is_not_taken_up_by_what_is_part_of_others(
        self, chronicle: Chronicle, renamed: DeliveredFile, moved: tuple[str, ...]
    ) -> None:
        first = small_file("interactions", None, interaction("INT1"), interaction("INT2"))
        chronicle.deliver(*NAMES, first)
        longer = interaction("INT1", minutes="11")
        chronicle.deliver(renamed, delta("interactions", ("update", *longer), ("update", *moved)))
        told = chronicle.ledger.compare("202501", "202502").bridge_causes(most=1)
        assert [(cause.step, cause.key) for cause in told if cause.table == "interactions"] == [
            ("moved-keys", "INT2"),
            ("changed-duration", "INT1"),
        ]

    def test_changes_that_cancel_out_are_told_nevertheless(self, chronicle: Chronicle) -> None:
        first = [interaction("INT1", minutes="5"), interaction("INT2", minutes="7")]
        swapped = [interaction("INT1", minutes="7"), interaction("INT2", minutes="5")]
        chronicle.deliver(*NAMES, small_file("interactions", None, *first))
        chronicle.deliver(delta("interactions", *(("update", *row) for row in swapped)))
        bridge = chronicle.ledger.compare("202501", "202502").bridge()
        for reconciliation in (bridge.total, *bridge.rows):
            (step,) = reconciliation.steps
            assert (step.kind, astuple(step.figures), step.interactions) == (
                *("changed-duration", (0, 0, 0.0)),
                2,
            )
        assert len(causes(chronicle.ledger)) == 2


class TestRestatements:
    """What moves a figure though no delta says so: files that come late, corrected, or go."""

    @pytest.fixture
    def ledger(self, chronicle: Chronicle) -> Ledger:
        """Batch 3 corrects the delta of batch 2, batch 4 retracts it."""
        first = delta("interactions", ("add", *interaction("INT2")), ("delete", "INT1"))
        ledger = delivered(chronicle, first)
        corrected = delta(
            "interactions",
            ("update", *interaction("INT1", minutes="12")),
            ("add", *interaction("INT2")),
        )
        chronicle.deliver(corrected)
        chronicle.retract("interactions", 202502)
        return ledger

    def test_a_correction_brings_the_event_in_the_place_of_the_other(self, ledger: Ledger) -> None:
        told = list(ledger.compare("202502@2", "202502@3").bridge_causes())
        assert [(c.step, c.key, str(c.before), str(c.after)) for c in told] == [
            ("added", "INT1", "delta/interactions_delta_202502.csv:3 (batch 2)",
             "delta/interactions_delta_202502.csv:2 (batch 3)"),
        ]  # fmt: skip
        assert told[0].before
        assert (told[0].before.action, told[0].before.superseded_in) == ("delete", 3)

    def test_a_retraction_takes_the_event_away(self, ledger: Ledger) -> None:
        changed, deleted = sorted(
            ledger.compare("202502@3", "4").bridge_causes(), key=lambda c: c.key
        )
        assert (changed.step, str(changed.after)) == (
            "changed-duration",
            "initial/interactions.csv:2",
        )
        assert (deleted.step, deleted.key, deleted.after) == ("deleted", "INT2", None)
        assert deleted.before
        assert deleted.before.superseded_in == 4

    def test_what_was_known_then_is_found_on_the_way_back(self, ledger: Ledger) -> None:
        (back,) = (c for c in ledger.compare("4", "202502@3").bridge_causes() if c.key == "INT2")
        assert (back.step, back.before) == ("added", None)
        assert str(back.after) == "delta/interactions_delta_202502.csv:3 (batch 3)"

    @pytest.mark.parametrize(
        ("before", "after", "told"),
        [
            ("202502@2", "202502@3",
             "delta/interactions_delta_202502.csv:3 (batch 2) (delete), which no longer counts "
             "since batch 3 → delta/interactions_delta_202502.csv:2 (batch 3)"),
            ("202502@3", "4",
             "delta/interactions_delta_202502.csv:3 (batch 3), which no longer counts "
             "since batch 4"),
            ("202502@3", "202501@3",
             "delta/interactions_delta_202502.csv:3 (batch 3): of 202502, after 202501"),
        ],
    )  # fmt: skip
    def test_it_is_told_why_an_event_no_longer_counts(
        self, ledger: Ledger, before: str, after: str, told: str
    ) -> None:
        ran = run_ledger("bridge", "--from", before, "--to", after, cwd=ledger.path.parent)
        lines = [line for line in ran.out.splitlines() if ".csv:" in line]
        assert lines[0] == f"      {told}"

    def test_it_is_told_that_an_event_was_not_known_then(self, chronicle: Chronicle) -> None:
        chronicle.deliver(*NAMES)
        chronicle.deliver(small_file("interactions", None, interaction("INT1")))
        ran = run_ledger("bridge", "--from", "2", "--to", "1", cwd=chronicle.folder)
        told = "initial/interactions.csv:2: recorded in batch 2, after batch 1"
        assert ran.out.splitlines()[-1] == f"      {told}"


class TestVerification:
    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ("UPDATE support_totals SET interactions = interactions + 1",
             "total_interactions of 2025-01 / Boston / Billing is 1 before and 3 after, and the "
             "steps leave 1 unexplained"),
            ("UPDATE support_totals SET calls = 0", "total_calls"),
            ("UPDATE support_totals SET micro_minutes = 1", "total_call_duration"),
            ("UPDATE interactions SET channel = 'chat'", "total_calls"),
            ("DELETE FROM interactions WHERE interaction_id = 'INT2'", "total_interactions"),
            ("UPDATE interactions SET month = '2024-12'", "2024-12"),
        ],
    )  # fmt: skip
    def test_a_projection_that_does_not_agree_with_itself_is_found(
        self, chronicle: Chronicle, change: str, told: str
    ) -> None:
        ledger = delivered(chronicle, delta("interactions", ("add", *interaction("INT2"))))
        ledger.project("202502", rebuild=True)
        with closing(sqlite3.connect(ledger.path)) as connection, connection:
            connection.execute(change)
        with pytest.raises(VerificationFailed, match=told):
            ledger.compare("202501", "202502").bridge()
        ran = run_ledger("bridge", "--from", "202501", "--to", "202502", cwd=chronicle.folder)
        assert (ran.code, ran.out) == (6, "")
        assert "ledger project" in ran.err
        ledger.project("202502", rebuild=True)
        assert ledger.compare("202501", "202502").bridge().total.remainder == Figures(0, 0, 0.0)

    def test_minutes_that_a_double_does_not_hold_exactly_are_no_error(
        self, chronicle: Chronicle
    ) -> None:
        numbers = range(1, 40)
        huge = [interaction(f"INT{n}", minutes=repr(9e17 / n**1.3)) for n in numbers]
        chronicle.deliver(*NAMES, small_file("interactions", None, interaction("A"), *huge))
        moved = [("update", *interaction(row[0], center="CC2", minutes=row[9])) for row in huge]
        chronicle.deliver(delta("interactions", *moved[::2], ("delete", "INT1")))
        bridge = chronicle.ledger.compare("202501", "202502").bridge()
        assert [step.kind for step in bridge.total.steps] == ["deleted", "moved-keys"]
        minutes = bridge.total.opening.total_call_duration
        assert abs(bridge.total.remainder.total_call_duration) < minutes * 1e-12


class TestErrors:
    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Ledger:
        ledger = Ledger(tmp_path / "ledger.db")
        ledger.ingest(DATA)
        return ledger

    def test_a_month_that_neither_report_has_is_told(self, ledger: Ledger) -> None:
        months = "neither report has the month 2025-03; they have 2025-01 and 2025-02"
        with pytest.raises(WrongUsage, match=months):
            ledger.compare("202501", "202502").bridge(month="202503")
        with pytest.raises(WrongUsage, match=months):
            next(ledger.compare("202501", "202502").bridge_causes(month="202503"))
        ledger.compare("202501", "202503").bridge(month="2025-03")

    def test_what_is_no_month_is_told(self, ledger: Ledger) -> None:
        with pytest.raises(WrongUsage, match="'2025-13' is not a month"):
            ledger.compare("202501", "202502").bridge(month="2025-13")

    def test_reports_that_are_empty_have_no_month(self, chronicle: Chronicle) -> None:
        chronicle.deliver(*NAMES)
        assert chronicle.ledger.compare("1", "1").bridge().rows == ()
        with pytest.raises(WrongUsage, match="neither report has the month Unknown; they are empt"):
            chronicle.ledger.compare("1", "1").bridge(month="Unknown")

    @pytest.mark.parametrize("name", ["202412", "202504", "9", "nobody"])
    def test_an_edition_that_there_is_not_is_told(self, ledger: Ledger, name: str) -> None:
        for names in ((name, "202501"), ("202501", name)):
            with pytest.raises(WrongUsage):
                ledger.compare(*names).bridge()


JANUARY = """\
Report of 2025-01, from 202501@3 to 202502@3

                      total_interactions    total_calls    total_call_duration
------------------  --------------------  -------------  ---------------------
opening                               10              8                  78.00
− deleted                             -1             -1                 -11.00
± renamed                              0              0                   0.00
± changed duration                     0              0                  11.00
closing                                9              7                  78.00
remainder                              0              0                   0.00

total_interactions, by rows of the report

month    contact_center_name    department           opening    deleted    renamed    closing
-------  ---------------------  -----------------  ---------  ---------  ---------  ---------
2025-01  Boston MA              Customer Accounts          0                     1          1
2025-01  Boston MA              Unknown                    1                    -1          0
2025-01  Richmond VA E          Orders                     1         -1                     0

7 rows did not move.

− deleted: 1 interaction
  INT1006  2025-01 / Richmond VA E / Orders  -1 interaction, -1 call, -11 minutes
      initial/interactions.csv:7 → delta/interactions_delta_202502.csv:3 (delete)

± renamed: 1 interaction
  service_categories CAT07  Unknown → Customer Accounts  1 interaction
      delta/service_categories_delta_202502.csv:3

± changed duration: 1 interaction
  INT1010  2025-01 / Atlanta GA SE / Technical Support  +11 minutes
      initial/interactions.csv:11 → delta/interactions_delta_202502.csv:4
"""


class TestCommand:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        Ledger(tmp_path / "ledger.db").ingest(DATA)
        return tmp_path

    @pytest.mark.parametrize("month", ["2025-01", "202501"])
    def test_why_january_had_ten_interactions_and_has_nine(self, folder: Path, month: str) -> None:
        edges = ("--from", "202501", "--to", "202502", "--month", month)
        ran = run_ledger("bridge", *edges, cwd=folder)
        assert (ran.code, ran.out) == (0, JANUARY)
        assert [line[:24] for line in ran.err.splitlines()] == [
            "From 202501, batch 3, he",
            "To 202502, batch 3, head",
        ]

    def test_the_rows_are_told_of_the_measure_asked_for(self, folder: Path) -> None:
        edges = ("--from", "202501", "--to", "202502", "--month", "2025-01")
        ran = run_ledger("bridge", *edges, "--measure", "total_call_duration", cwd=folder)
        lines = ran.out.splitlines()
        start = lines.index("total_call_duration, by rows of the report")
        assert lines[start + 4].split() == [
            *("2025-01", "Atlanta", "GA", "SE", "Technical", "Support", "0.00", "11.00", "11.00")
        ]

    def test_csv_has_a_line_for_each_cause(self, folder: Path) -> None:
        edges = ("--from", "202501", "--to", "202502", "--month", "2025-01")
        ran = run_ledger("bridge", *edges, "--format", "csv", cwd=folder)
        rows = list(csv.DictReader(io.StringIO(ran.out)))
        assert [row["key"] for row in rows] == ["INT1006", "CAT07", "INT1010"]
        assert {name: cell for name, cell in rows[0].items() if cell} == {
            "step": "deleted",
            "table": "interactions",
            "key": "INT1006",
            "from_month": "2025-01",
            "from_contact_center_name": "Richmond VA E",
            "from_department": "Orders",
            "total_interactions": "1",
            "total_calls": "1",
            "total_call_duration": "11",
            "before_file": "initial/interactions.csv",
            "before_line": "7",
            "before_action": "add",
            "before_batch": "1",
            "after_file": "delta/interactions_delta_202502.csv",
            "after_line": "3",
            "after_action": "delete",
            "after_batch": "2",
        }

    def test_json_has_all_of_it(self, folder: Path) -> None:
        edges = ("--from", "202501", "--to", "202503")
        document = json.loads(run_ledger("bridge", *edges, "--json", cwd=folder).out)
        assert list(document) == ["before", "after", "month", "total", "rows", "causes"]
        assert document["month"] is None
        assert document["total"]["closing"] == {
            "total_interactions": 28, "total_calls": 22, "total_call_duration": 252
        }  # fmt: skip
        ledger = Ledger(folder / "ledger.db")
        assert len(document["rows"]) == len(ledger.compare("202501", "202503").bridge().rows)
        told = [(cause["step"], cause["table"], cause["key"]) for cause in document["causes"]]
        assert told == [step[:3] for step in causes(ledger, "202501", "202503")]
        added = document["causes"][0]
        assert (added["origin"], added["before"]) == (None, None)
        assert added["after"]["file"] == "delta/interactions_delta_202502.csv"

    def test_of_many_causes_the_first_are_shown_and_the_others_counted(
        self, chronicle: Chronicle
    ) -> None:
        centers = [(f"CC{n:02}", f"Centre {n}") for n in range(25)]
        chats = {"channel": "chat", "minutes": ""}
        named = [interaction(f"B{n:02}", center=f"CC{n:02}", **chats) for n in range(25)]
        chronicle.deliver(
            small_file("contact_centers", None, *centers), small_file("interactions", None, *named)
        )
        more = [("add", *interaction(f"A{n:02}", **chats, month="2025-02")) for n in range(21)]
        renamed = [("update", key, f"{name} of ours") for key, name in centers]
        chronicle.deliver(delta("interactions", *more), delta("contact_centers", *renamed))
        ran = run_ledger("bridge", "--from", "1", "--to", "2", cwd=chronicle.folder)
        lines = ran.out.splitlines()
        start = lines.index("+ added: 21 interactions")
        middle = lines.index("± renamed: 25 interactions")
        assert lines[start + 1].startswith("  A00  2025-02 / ")
        assert lines[start + 39].startswith("  A19  2025-02 / ")
        assert lines[start + 41] == "  … and 1 more (--format csv lists all)"
        renamed_last = "contact_centers CC19  Centre 19 → Centre 19 of ours  1 interaction"
        assert lines[middle + 39] == f"  {renamed_last}"
        assert lines[middle + 41 :] == ["  … and 5 more (--format csv lists all)"]

    def test_minutes_are_shown_with_as_many_decimals_as_they_have(
        self, chronicle: Chronicle
    ) -> None:
        ledger = delivered(
            chronicle, delta("interactions", ("update", *interaction("INT1", minutes="10.0625")))
        )
        ran = run_ledger("bridge", "--from", "202501", "--to", "202502", cwd=ledger.path.parent)
        lines = [line.split() for line in ran.out.splitlines()]
        assert ["±", "changed", "duration", "0", "0", "0.0625"] in lines
        assert ["closing", "1", "1", "10.0625"] in lines
        assert "total_call_duration, by rows of the report" in ran.out

    def test_signs_are_those_of_the_effect(self, chronicle: Chronicle) -> None:
        first = small_file("interactions", None, interaction("INT1", minutes="-3"))
        chronicle.deliver(*NAMES, first)
        chronicle.deliver(delta("interactions", ("delete", "INT1")))
        ran = run_ledger("bridge", "--from", "202501", "--to", "202502", cwd=chronicle.folder)
        assert "Billing  -1 interaction, -1 call, +3 minutes" in ran.out

    def test_where_nothing_moved_nothing_is_told(self, folder: Path) -> None:
        ran = run_ledger("bridge", "--from", "202502", "--to", "202502", cwd=folder)
        lines = ran.out.splitlines()
        assert [line.split()[0] for line in lines[4:7]] == ["opening", "closing", "remainder"]
        assert lines[7:] == ["", "No row of the report moved."]
        ran = run_ledger("bridge", "--from", "1", "--to", "1", "--measure", "total_calls",
                         cwd=folder)  # fmt: skip
        assert ran.out.endswith("total_calls, by rows of the report\n\nNo row moved.\n")
        ran = run_ledger("bridge", "--from", "1", "--to", "1", "--format", "csv", cwd=folder)
        assert len(ran.out.splitlines()) == 1

    def test_the_environment_names_the_editions(self, folder: Path) -> None:
        edges = {"LEDGER_BRIDGE_FROM": "202501", "LEDGER_BRIDGE_TO": "202502"}
        ran = run_ledger("bridge", "--month", "2025-01", cwd=folder, **edges)
        assert ran.out == JANUARY

    def test_a_month_without_figures_is_wrong_usage(self, folder: Path) -> None:
        for format in ("table", "csv", "json"):
            edges = ("--from", "202501", "--to", "202502", "--month", "2025-07")
            ran = run_ledger("bridge", *edges, "--format", format, "-q", cwd=folder)
            assert (ran.code, ran.out) == (2, "")
            assert ran.err == (
                "Error: neither report has the month 2025-07; they have 2025-01 and 2025-02\n"
            )

    def test_control_characters_of_names_do_not_reach_a_terminal(
        self, chronicle: Chronicle
    ) -> None:
        odd = small_file("contact_centers", None, ("CC\x1b1", "Bos\x07ton"))
        rows = [interaction(key, center="CC\x1b1") for key in ("I\x1bNT", "INT1")]
        chronicle.deliver(odd, small_file("interactions", None, *rows))
        chronicle.deliver(
            delta("contact_centers", ("update", "CC\x1b1", "x\x07")),
            delta("interactions", ("delete", "I\x1bNT"), ("add", *interaction("INT2"))),
        )
        ran = run_ledger("bridge", "--from", "1", "--to", "2", cwd=chronicle.folder)
        assert ran.code == 0
        assert "Bos\\x07ton → x\\x07" in ran.out
        assert not {"\x07", "\x1b"} & {*ran.out}
