"""Why labels are Unknown, against what was delivered; and how it is told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger
from ledger.datasets.support.missing_names import Unresolved, unresolved
from ledger.replay.labels import Names
from ledger.replay.projection import build_temp_projection
from ledger.store.event_store import Store
from tests.chronicle import Chronicle, Event, Plan, chronicle_of, few_examples, plans
from tests.commands import DATA, run_ledger
from tests.replays import replay_of
from tests.strategies import small_file

LABELS = {
    "contact_centers": ("contact_center_id", "contact_center_name"),
    "service_categories": ("category_id", "department"),
}
Found = Counter[tuple[str, str | None, str, str | None]]
Part = tuple[str | None, str | None, str | None]


def told(ledger: Ledger, as_of: int, batch: int, names: Names, part: Part) -> list[Unresolved]:
    with Store.for_reading(ledger.path) as store, store.snapshot():
        replay = replay_of(store, as_of, batch)
        build_temp_projection(replay)
        return [*unresolved(replay, names, *part)]


class Expected:
    """The same from what was delivered."""

    def __init__(self, came: Chronicle, as_of: int, batch: int, names: Names) -> None:
        self.came, self.as_of, self.batch, self.names = came, as_of, batch, names

    def found(self, part: Part) -> Found:
        reasons: Found = Counter()
        for row in self.came.state(self.as_of, self.batch).tables["interactions"].values():
            month = str(row["month"] or "Unknown")
            keys = {table: row[column] for table, (column, _) in LABELS.items()}
            labels = [self.label(table, key, month) for table, key in keys.items()]
            actual = (month, *(label or "Unknown" for label in labels))
            if all(wanted in (None, one) for wanted, one in zip(part, actual, strict=True)):
                for (table, key), label in zip(keys.items(), labels, strict=True):
                    if label is None:
                        reasons[table, *self.reason(table, key, month)] += 1
        return reasons

    def month(self, label: str) -> int:
        if self.names is Names.AS_IS or label == "Unknown":
            return self.as_of
        own = int(label.replace("-", ""))
        return min(max(own, self.came.initial_month), self.as_of)

    def label(self, table: str, key: object, month: str) -> str | None:
        row = self.came.standing(table, self.month(month), self.batch).get(str(key))
        return row.cells[LABELS[table][1]] if row else None

    def reason(self, table: str, key: object, month: str) -> tuple[str | None, str, str | None]:
        if key is None:
            return None, "blank", None
        then = self.month(month)
        events = [e for e in self.came.counting(table, 999912, self.batch) if e.key == key]
        before = [event for event in events if event.month <= then]
        puts = [place for place, event in enumerate(before) if event.action != "delete"]
        if puts:
            # What comes after the last row put is deletes, of which the first took it.
            after = before[puts[-1] :][:2]
            return str(key), "deleted" if len(after) == 2 else "no-name", place(after[-1])
        for event in events:
            if event.month > then and event.action != "delete":
                return str(key), "not-there-yet", place(event)
        withdrawn = [
            event
            for arrival in self.came.arrivals
            if arrival.table == table and arrival.batch <= self.batch
            for event in arrival.events
            if event.key == key and event.action != "delete"
        ]
        latest = max(withdrawn, key=lambda e: (e.month, e.batch, e.line), default=None)
        return str(key), "never-seen", place(latest) if latest else None


def place(event: Event) -> str:
    return f"{event.place} of batch {event.batch}"


@given(plans(), st.sampled_from(Names), st.data())
@few_examples
def test_every_reference_that_gives_no_name_is_told_with_its_reason(
    plan: Plan, names: Names, data: st.DataObject
) -> None:
    with chronicle_of(plan) as came:
        editions = came.editions()
        as_of, batch = data.draw(st.sampled_from(editions or [(0, 0)]), label="edition")
        if not editions:
            return
        expected = Expected(came, as_of, batch, names)
        report = came.ledger.at(str(as_of), known_at=batch).report(names=names)
        rows = [(r.month, r.contact_center_name, r.department) for r in report.rows]
        parts: list[Part] = [
            (None, None, None),
            *rows,
            *((month, None, None) for month, *_ in rows),
        ]
        for part in parts:
            found = told(came.ledger, as_of, batch, names, part)
            reasons: Found = Counter()
            for one in found:
                at = one.source
                where = f"{at.file}:{at.line} of batch {at.batch}" if at else None
                reasons[one.table, one.key, one.cause, where] += one.interactions
            assert reasons == expected.found(part)
            assert len(found) == len(reasons)


@pytest.fixture
def chronicle(tmp_path: Path) -> Chronicle:
    """Categories of which CAT1 is sound, CAT2 has no department, CAT3 comes, and CAT4 goes."""
    came = Chronicle(tmp_path)
    january, march = "2025-01-10T15:00:00Z", "2025-03-10T15:00:00Z"
    came.deliver(
        small_file("contact_centers", None, ("CC1", "One"), ("CC2",)),
        small_file("service_categories", None, ("CAT1", "", "Help"), ("CAT2",), ("CAT4", "", "Go")),
        small_file(
            "interactions",
            None,
            *(
                (f"INT{number}", start, "phone", category, "", center, start)
                for number, (category, center, start) in enumerate(
                    (
                        *[("CAT4", "CC1", january)] * 3, *[("CAT4", "CC1", march)] * 3,
                        *[("CAT2", "CC1", january)] * 2, *[("CAT3", "CC1", january)] * 4,
                        ("CAT3", "CC1", march), ("CAT9", "CC1", january), ("", "CC2", march),
                        ("CAT1", "", january), ("CAT1", "CC9", march), ("CAT1", "CC8", march),
                    )
                )
            ),
        ),
    )  # fmt: skip
    came.deliver(small_file("service_categories", 202502, ("add", "CAT3", "", "Come")))
    came.deliver(small_file("service_categories", 202503, ("delete", "CAT4")))
    return came


DELTA = "delta/service_categories_delta"


def test_the_answers_say_why_of_the_keys_with_most_interactions(chronicle: Chronicle) -> None:
    (volume, *others) = chronicle.ledger.at().answers().answers
    assert volume.notes[:6] == (
        f"6 interactions name category CAT4, deleted by {DELTA}_202503.csv:2: "
        "their department is Unknown.",
        "2 interactions name category CAT2, which has no department "
        "(initial/service_categories.csv:3): their department is Unknown.",
        "1 interaction names no contact centre: its contact centre is Unknown.",
        "1 interaction names contact centre CC2, which has no name "
        "(initial/contact_centers.csv:3): its contact centre is Unknown.",
        "1 interaction names contact centre CC8, never seen: its contact centre is Unknown.",
        "3 more keys without a name: ledger explain.",
    )
    assert not any("CAT4" in note for answer in others for note in answer.notes)


def test_with_names_as_they_were_the_reason_is_that_of_the_month(chronicle: Chronicle) -> None:
    notes = chronicle.ledger.at().answers(names="as-was").answers[0].notes
    assert notes[:2] == (
        f"4 interactions name category CAT3, not there yet, came with {DELTA}_202502.csv:2: "
        "their department is Unknown.",
        f"3 interactions name category CAT4, deleted by {DELTA}_202503.csv:2: "
        "their department is Unknown.",
    )


def test_the_reasons_keep_to_the_quarter_asked_for(chronicle: Chronicle) -> None:
    answers = chronicle.ledger.at().answers("2024Q4").answers
    assert [answer.notes for answer in answers] == [()] * 5


def test_the_report_gives_the_same_reasons(chronicle: Chronicle, tmp_path: Path) -> None:
    notes = chronicle.ledger.at().report().notes
    said = [f"{note}." for note in notes]
    assert said == [*chronicle.ledger.at().answers().answers[0].notes][: len(said)]
    assert len(said) == 6
    assert f"Note: {said[0]}" in run_ledger("report", cwd=tmp_path).err.splitlines()


def test_one_key_may_have_several_reasons_as_it_was(chronicle: Chronicle) -> None:
    again = small_file(
        "service_categories", 202504, ("add", "CAT4", "", "Back"), ("delete", "CAT3")
    )
    april = "2025-04-10T15:00:00Z"
    row = ("add", "INT99", april, "phone", "CAT3", "", "CC1", april)
    chronicle.deliver(again, small_file("interactions", 202504, row))
    found = told(chronicle.ledger, 202504, 4, Names.AS_WAS, (None, "One", None))
    assert [(one.key, one.cause, one.interactions) for one in found] == [
        ("CAT3", "not-there-yet", 4),
        ("CAT3", "deleted", 1),
        ("CAT4", "deleted", 3),
        ("CAT2", "no-name", 2),
        ("CAT9", "never-seen", 1),
    ]


def test_what_comes_after_the_as_of_month_is_named_as_in_that_month(chronicle: Chronicle) -> None:
    found = told(chronicle.ledger, 202501, 3, Names.AS_WAS, (None, "One", None))
    assert [(one.key, one.cause, one.interactions) for one in found] == [
        ("CAT3", "not-there-yet", 5),
        ("CAT2", "no-name", 2),
        ("CAT9", "never-seen", 1),
    ]


def test_the_samples_say_which_event_deleted_a_category(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(DATA)
    assert ledger.at().report().notes == (
        f"2 interactions name category CAT05, deleted by {DELTA}_202503.csv:2: "
        "their department is Unknown",
    )
    (note,) = ledger.at("202501", known_at=1).report().notes
    assert note == ("1 interaction names category CAT07, never seen: its department is Unknown")
    (note,) = ledger.at("202501").report().notes
    assert f"CAT07, not there yet, came with {DELTA}_202502.csv:3:" in note
