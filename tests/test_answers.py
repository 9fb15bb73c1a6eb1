"""The report and the answers on data of all kinds: nothing in them is fixed text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import Ledger, Report, WrongUsage
from ledger.datasets.support.answers import Answer

INTERACTIONS = (
    "interaction_id,timestamp,channel,category_id,agent_id,contact_center_id,interaction_start,"
    "agent_resolution_timestamp,interaction_end,call_duration_minutes,satisfaction_rating"
)
Book = Callable[..., Ledger]


def call(
    center: str = "CC1",
    start: str = "2025-01-10T15:00",
    resolved: int | None = 10,
    tail: int = 0,
    rating: str = "",
    channel: str = "phone",
    minutes: str | None = None,
    category: str = "CAT1",
) -> str:
    """The cells of an interaction after its key: minutes to the resolution, and after it."""

    def at(minute: int | None) -> str:
        return "" if minute is None else f"{start[:14]}{int(start[14:]) + minute:02}:00Z"

    end = None if resolved is None else resolved + tail
    duration = minutes if minutes is not None else str(end or "")
    return ",".join(
        (
            f"{start}:00Z",
            channel,
            category,
            "A1",
            center,
            at(0),
            at(resolved),
            at(end),
            duration,
            rating,
        )
    )


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """Makes a ledger with three centres and these interactions, as of the end of a month."""

    def make(*cells: str, month: str = "202503") -> Ledger:
        folder = tmp_path / "data" / "initial"
        folder.mkdir(parents=True)
        centers = "contact_center_id,contact_center_name,location\nCC1,One,\nCC2,Two,\nCC3,Three,\n"
        (folder / "contact_centers.csv").write_text(centers)
        categories = "category_id,category_name,department\nCAT1,Cat,Help\nCAT2,Cat,\n"
        (folder / "service_categories.csv").write_text(categories)
        rows = [f"INT{number},{line}" for number, line in enumerate(cells)]
        (folder / "interactions.csv").write_text("\n".join([INTERACTIONS, *rows]) + "\n")
        ledger = Ledger(tmp_path / "ledger.db")
        ledger.ingest(tmp_path / "data", initial_month=month)
        return ledger

    return make


def answer(ledger: Ledger, number: str) -> Answer:
    return {found.number: found for found in ledger.at().answers().answers}[number]


def figures(report: Report) -> list[tuple[str, str, str, int, int, float]]:
    return [
        (row.month, row.contact_center_name, row.department, row.total_interactions,
         row.total_calls, row.total_call_duration)
        for row in report.rows
    ]  # fmt: skip


class TestReport:
    def test_only_calls_have_minutes(self, book: Book) -> None:
        ledger = book(call(minutes="7.5"), call(channel="chat", minutes="99"), call(minutes=""))
        assert figures(ledger.at().report()) == [("2025-01", "One", "Help", 3, 2, 7.5)]

    def test_what_cannot_be_found_is_unknown_and_told(self, book: Book) -> None:
        ledger = book(
            call(center="CC9"), call(center=""), call(category="CAT2"), call(category="CAT9")
        )
        report = ledger.at().report()
        assert figures(report) == [
            ("2025-01", "One", "Unknown", 2, 2, 20.0),
            ("2025-01", "Unknown", "Help", 2, 2, 20.0),
        ]
        assert report.notes == (
            "1 interaction names no contact centre: its contact centre is Unknown",
            "1 interaction names contact centre CC9, never seen: its contact centre is Unknown",
            "1 interaction names category CAT2, which has no department "
            "(initial/service_categories.csv:3): its department is Unknown",
            "1 interaction names category CAT9, never seen: its department is Unknown",
        )

    def test_an_unreadable_start_is_of_an_unknown_month_sorted_last(self, book: Book) -> None:
        ledger = book(call().replace("2025-01-10T15:00:00Z", "soon"), call())
        assert [row.month for row in ledger.at().report().rows] == ["2025-01", "Unknown"]
        assert ledger.at().report().notes[0].startswith("Unknown month of 1 interaction:")
        assert "1 interaction without a readable start" in answer(ledger, "1").notes[0]

    def test_sums_of_fractions_are_exact(self, book: Book) -> None:
        ledger = book(*(call(minutes="0.1") for _ in range(10)))
        assert figures(ledger.at().report())[0][-1] == 1.0

    def test_an_absurd_duration_breaks_nothing(self, book: Book) -> None:
        ledger = book(*(call(minutes="9223372036854775000") for _ in range(3)))
        assert figures(ledger.at().report())[0][-1] == pytest.approx(3 * 2.0**63)


class TestVolume:
    def test_ties_are_named_as_ties(self, book: Book) -> None:
        ledger = book(call(), call(start="2025-02-10T15:00"))
        assert answer(ledger, "2").answer == "2025-01 and 2025-02 (tied), with 1 interaction each."

    def test_a_month_without_interactions_is_in_the_evidence(self, book: Book) -> None:
        ledger = book(call())
        evidence = (("2025-01", 1), ("2025-02", 0), ("2025-03", 0))
        assert answer(ledger, "2").evidence == evidence

    def test_a_month_to_come_is_not(self, book: Book) -> None:
        ledger = book(call(), month="202502")
        assert answer(ledger, "2").evidence == (("2025-01", 1), ("2025-02", 0))
        assert "so far (as of 2025-02)" in answer(ledger, "2").question
        assert not ledger.at().answers().complete

    def test_a_month_of_which_nothing_is_recorded_is_told(self, book: Book, tmp_path: Path) -> None:
        ledger = book(call(), month="202501")
        late = tmp_path / "agents_delta_202503.csv"
        late.write_text("agent_id,full_name,contact_center_id,hire_date,category_id,action\n")
        ledger.ingest(files=[late], allow_gap=True)
        told = "Nothing is recorded for 2025-02: what happened then may be missing."
        assert answer(ledger, "2").notes == (told,)
        assert not ledger.at().answers().complete
        assert [str(month) for month in ledger.at("202502").report().edition.missing] == ["202502"]

    def test_an_empty_quarter_has_no_highest_month(self, book: Book) -> None:
        ledger = book(call(start="2024-11-10T15:00"))
        assert answer(ledger, "1").answer == "None."
        assert answer(ledger, "2").answer == "No month has interactions."
        assert (
            answer(ledger, "3").answer
            == "No contact centre with a name has a call with a duration."
        )
        assert answer(ledger, "3a").answer == "There is nothing to explain."
        assert "No contact centre with a name has a call with a start" in (
            answer(ledger, "3b").answer
        )

    def test_another_quarter_may_be_asked_for(self, book: Book) -> None:
        ledger = book(call(start="2024-11-10T15:00"))
        answers = ledger.at().answers("2024Q4")
        assert answers.complete
        assert ledger.at().answers().complete
        assert not ledger.at("202503").answers().answers[1].notes
        assert answers.answers[1].answer == "2024-11, with 1 interaction."
        with pytest.raises(WrongUsage):
            ledger.at().answers("2025Q2")


class TestLongestCall:
    def test_calls_without_a_duration_are_left_out_and_told(self, book: Book) -> None:
        ledger = book(call(minutes="5"), call(minutes=""), call("CC2", minutes="4"))
        found = answer(ledger, "3")
        assert found.answer == "One: 5 minutes over 1 call, 5 minutes on average."
        assert found.notes == (
            "1 call without a duration left out.",
            "Under another reading it would be One and Two (tied): by start to end, or by start to "
            "resolution.",
        )

    def test_ties_are_named_as_ties(self, book: Book) -> None:
        ledger = book(call(minutes="5"), call("CC2", minutes="4"), call("CC2", minutes="6"))
        found = answer(ledger, "3").answer
        assert found.startswith(
            "One and Two (tied): 5 minutes over 1 call, 10 minutes over 2 calls"
        )

    def test_averages_that_differ_by_a_hair_do_not_tie(self, book: Book) -> None:
        ledger = book(call(minutes="5.000001"), call("CC2", minutes="5"))
        assert answer(ledger, "3").answer.startswith("One: ")

    def test_the_unknown_center_is_shown_and_not_ranked(self, book: Book) -> None:
        ledger = book(call(minutes="5"), call("CC9", minutes="50"))
        found = answer(ledger, "3")
        assert found.answer.startswith("One: ")
        assert found.evidence[0][0] == "Unknown"
        assert "1 call of no known contact centre" in found.notes[0]

    def test_the_sentence_and_the_evidence_round_alike(self, book: Book) -> None:
        ledger = book(call(minutes="1117.365"), call("CC2", minutes="0.005"))
        found = answer(ledger, "3")
        assert f"One: {found.evidence[0][3]:g} minutes over" in found.answer

    def test_the_ranking_ends_with_those_without_a_call(self, book: Book) -> None:
        ledger = book(
            call(minutes="0"), call("CC2", channel="chat"), call("CC3", minutes="-3"),
            call("CC9", minutes="2"),
        )  # fmt: skip
        assert [row[0] for row in answer(ledger, "3").evidence] == [
            "Unknown",
            "One",
            "Three",
            "Two",
        ]


class TestWhy:
    def test_a_tail_that_goes_with_a_rating(self, book: Book) -> None:
        ledger = book(call(tail=5, rating="4"), call(), call("CC2", resolved=11))
        found = answer(ledger, "3a").answer
        assert found.startswith("Of its average call, 10 minutes lie before")
        assert "and 2.5 after it; elsewhere 11 and 0." in found
        assert "it is what follows the resolution that takes longer, not the resolving" in found
        assert "5 minutes on average, stands on 1 of its 2 calls, elsewhere on 0 of 1." in found
        assert "the tail goes with a rating" in found

    def test_a_tail_that_does_not_go_with_a_rating(self, book: Book) -> None:
        ledger = book(call(tail=5), call(rating="3"), call("CC2", rating="2"))
        assert "the tail does not go with a rating" in answer(ledger, "3a").answer

    def test_ratings_in_equal_shares_are_no_sign(self, book: Book) -> None:
        ledger = book(call(tail=5, rating="4"), call("CC2", rating="3"))
        assert "the tail does not go with a rating" in answer(ledger, "3a").answer

    def test_no_tail_at_all(self, book: Book) -> None:
        ledger = book(call(resolved=20), call("CC2"))
        found = answer(ledger, "3a").answer
        assert "it is the resolving that takes longer, not what follows it" in found
        assert "No call goes on after the resolution." in found

    def test_both_parts_longer(self, book: Book) -> None:
        ledger = book(call(resolved=20, tail=5), call("CC2", tail=1))
        assert "Both the resolving and what follows it take longer" in answer(ledger, "3a").answer

    def test_a_duration_that_its_times_do_not_bear_out(self, book: Book) -> None:
        ledger = book(
            call(resolved=5, minutes="60"), call(resolved=None, minutes="60"),
            call("CC2", resolved=20),
        )  # fmt: skip
        found = answer(ledger, "3a").answer
        assert found.startswith("Of its 1 call with a start, a resolution and an end, 5 minutes")
        assert "on these calls neither takes longer than elsewhere" in found

    def test_a_split_of_some_of_its_calls_is_not_called_the_average(self, book: Book) -> None:
        ledger = book(call(resolved=10), call(resolved=None, minutes="10"), call("CC2", resolved=5))
        assert answer(ledger, "3a").answer.startswith("Of its 1 call with a start,")

    def test_nothing_to_compare_with(self, book: Book) -> None:
        assert "No other contact centre has such calls" in answer(book(call()), "3a").answer

    def test_calls_that_cannot_be_split(self, book: Book) -> None:
        ledger = book(call(resolved=None, minutes="30"), call("CC2"))
        found = answer(ledger, "3a")
        assert found.answer.startswith("It cannot be told")
        assert found.notes == ("1 call without a start, resolution or end left out.",)


class TestInstead:
    def test_the_ranking_by_resolution(self, book: Book) -> None:
        ledger = book(call(tail=10), call("CC2", resolved=12), call("CC3", resolved=11))
        found = answer(ledger, "3b")
        assert [row[:3] for row in found.evidence] == [
            ("Two", 1, 12),
            ("Three", 1, 11),
            ("One", 1, 10),
        ]
        expected = "Two takes longest, 12 minutes on average; One, with 10, is the shortest by it."
        assert found.answer.endswith(expected)

    def test_the_longest_may_stay_the_longest(self, book: Book) -> None:
        ledger = book(call(resolved=20), call("CC2"), call("CC3", channel="chat"))
        assert "One, with 20, is the longest under both measures" in answer(ledger, "3b").answer

    def test_the_longest_may_stand_in_the_middle(self, book: Book) -> None:
        ledger = book(call(resolved=10, tail=20), call("CC2", resolved=12), call("CC3", resolved=8))
        expected = "One, with 10, is neither the longest nor the shortest by it"
        assert expected in answer(ledger, "3b").answer

    def test_a_tie_is_named(self, book: Book) -> None:
        ledger = book(call(tail=5), call("CC2", resolved=12), call("CC3", resolved=12))
        assert "Three and Two (tied) take longest" in (answer(ledger, "3b").answer)

    def test_only_calls_with_a_resolution_are_averaged(self, book: Book) -> None:
        ledger = book(call(resolved=10), call(resolved=None), call("CC2"))
        assert answer(ledger, "3b").evidence[0][:3] == ("One", 1, 10)

    def test_one_center_alone_is_not_compared(self, book: Book) -> None:
        ledger = book(call(), call("CC2", channel="email"))
        expected = "Only One has such calls: 10 minutes on average."
        assert answer(ledger, "3b").answer.endswith(expected)

    def test_an_unknown_center_is_not_named(self, book: Book) -> None:
        found = answer(book(call("CC9")), "3b")
        assert found.evidence == (("Unknown", 1, 10.0, 10.0),)
        assert "No contact centre with a name has a call" in found.answer

    def test_times_across_the_clock_change_are_real_minutes(self, book: Book) -> None:
        # At 07:00 UTC on 2025-03-09 the clocks of New York go from 02:00 to 03:00.
        line = call(start="2025-03-09T06:50", minutes="20")
        ledger = book(line.replace("T06:60", "T07:00"))
        assert answer(ledger, "3b").evidence[0][:3] == ("One", 1, 10)
