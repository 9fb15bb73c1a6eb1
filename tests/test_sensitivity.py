"""The answers under each reading of the data, against months, lengths and names in plain Python."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import Ledger, Quarter
from ledger.datasets.support.sensitivity import MonthBy, ReadingOutcome, Sensitivity, Zone
from tests import oracle
from tests.commands import DATA, run_ledger
from tests.strategies import (
    BLANK,
    DeliveredFile,
    Deliveries,
    deliveries,
    small_file,
    write_data_folder,
)

Reading = tuple[str, str, str | None, str | None]
Rows = list[dict[str, oracle.Value]]

ZONES: dict[str, tzinfo] = {
    "America/New_York": ZoneInfo("America/New_York"),
    "UTC": UTC,
    "EST": timezone(timedelta(hours=-5)),
}
MOMENTS = ("interaction_start", "timestamp")
LENGTHS = ("duration", "start to end", "start to resolution")
NAMES = ("as-is", "as-was")

some_examples = settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class Expected:
    """What comes out under each reading, from the files of a data folder."""

    def __init__(self, paths: list[Path], first: int, as_of: int, quarter: Quarter) -> None:
        states = {
            month: oracle.fold(paths, first, month) for month in {first, as_of, *range_of(quarter)}
        }
        self.first, self.as_of, self.states = first, as_of, states
        self.rows: Rows = [*states[as_of].tables["interactions"].values()]
        self.months = {f"{month // 100}-{month % 100:02}": month for month in range_of(quarter)}

    def outcomes(self, number: str, default: str) -> dict[Reading, tuple[str, object]]:
        """By reading, the outcome and its figure."""
        other = "as-was" if default == "as-is" else "as-is"
        lengths = {"3": LENGTHS, "3b": LENGTHS[-1:]}.get(number, LENGTHS[:1])
        found = {}
        for by, zone, length, names in product(MOMENTS, ZONES, lengths, (default, other)):
            if number == "2" and names != default:
                continue
            shown = (length if number == "3" else None, None if number == "2" else names)
            found[by, zone, *shown] = self.outcome(number, by, zone, length, names)
        return found

    def outcome(
        self, number: str, by: str, zone: str, length: str, names: str
    ) -> tuple[str, object]:
        counted: dict[str, int] = defaultdict(int)
        lengths: dict[str, list[Fraction]] = defaultdict(list)
        for row in self.rows:
            month = month_in(row[by], ZONES[zone])
            if month not in self.months:
                continue
            center = self.center(row, month, names)
            counted[month if number == "2" else center] += 1
            if row["channel"] == "phone" and (minutes := length_of(row, length)) is not None:
                lengths[center].append(minutes)
        if number == "1":
            return "; ".join(f"{name}: {counted[name]}" for name in sorted(counted)) or "none", None
        figures = {name: Fraction(count) for name, count in counted.items()}
        if number != "2":
            lengths.pop("Unknown", None)
            figures = {name: sum(found) / Fraction(len(found)) for name, found in lengths.items()}
        if not figures:
            return "none", None
        highest = max(figures.values())
        best = sorted(name for name, figure in figures.items() if figure == highest)
        text = " and ".join(filter(None, (", ".join(best[:-1]), best[-1])))
        figure = int(highest) if number == "2" else float(round(highest, 2))
        return f"{text} (tied)" if len(best) > 1 else text, figure

    def center(self, row: dict[str, oracle.Value], month: str, names: str) -> str:
        then = self.as_of
        if names == "as-was":
            then = min(max(self.months[month], self.first), self.as_of)
        found = self.states[then].tables["contact_centers"].get(str(row["contact_center_id"]), {})
        return str(found.get("contact_center_name") or "Unknown")


def range_of(quarter: Quarter) -> list[int]:
    return [month.number for month in quarter.months]


def month_in(moment: oracle.Value, zone: tzinfo) -> str | None:
    if moment is None:
        return None
    local = datetime.fromisoformat(str(moment)).astimezone(zone)
    return f"{local.year:04}-{local.month:02}"


def length_of(row: dict[str, oracle.Value], length: str) -> Fraction | None:
    if length == "duration":
        minutes = row["call_duration_minutes"]
        return None if minutes is None else Fraction(oracle._millionths(minutes), 10**6)
    end = row["interaction_end" if length == "start to end" else "agent_resolution_timestamp"]
    if end is None or row["interaction_start"] is None:
        return None
    start, stop = (datetime.fromisoformat(str(at)) for at in (row["interaction_start"], end))
    return Fraction((stop - start) // timedelta(microseconds=1), 60 * 10**6)


def readings(found: Sensitivity) -> dict[Reading, tuple[str, object]]:
    return {(r.month_by, r.zone, r.length, r.names): (r.outcome, r.figure) for r in found.readings}


@contextmanager
def ingested(came: Deliveries) -> Iterator[tuple[Ledger, list[Path]]]:
    """A ledger in which files are recorded, and their paths."""
    with tempfile.TemporaryDirectory() as name:
        paths = write_data_folder(Path(name), came.files)
        ledger = Ledger(Path(name, "ledger.db"))
        ledger.ingest(name, initial_month=str(came.initial_month), allow_gap=True)
        yield ledger, paths


# Moments that lie in one month or the other, as one reads them; in EST too when clocks are ahead.
EDGES = (
    "2025-01-01T04:59:59Z", "2025-01-01T05:00:00Z", "2025-02-01T04:30:00Z", "2025-02-10T12:00:00Z",
    "2025-03-01T04:59:59.5Z", "2025-03-01T05:00:00Z", "2025-03-09T07:00:00Z",
    "2025-04-01T00:00:00Z", "2025-04-01T03:59:59Z", "2025-04-01T04:00:00Z",
    "2025-04-01T04:59:59Z", "2025-04-01T05:00:00Z", BLANK, "soon",
)  # fmt: skip
LATER = ("2025-02-10T12:01:00Z", "2025-03-01T05:02:00Z", "2025-04-01T04:01:30Z", BLANK)


@st.composite
def edge_cases(draw: st.DrawFn) -> Deliveries:
    """Interactions at the edges of months, in centres that are renamed, deleted and brought."""
    edges, later = st.sampled_from(EDGES), st.sampled_from(LATER)
    keys = st.sampled_from(("CC1", "CC2", "CC3", BLANK))
    interactions = [
        (f"INT{number}", draw(edges), draw(st.sampled_from(("phone", "chat"))), "CAT1", "A1",
         draw(keys), draw(edges), draw(later), draw(later),
         draw(st.sampled_from(("1", "2", "2.5", BLANK))), BLANK)
        for number in range(draw(st.integers(1, 8)))
    ]  # fmt: skip
    centers = [("CC1", "One"), ("CC2", draw(st.sampled_from(("Two", "One", BLANK))))]
    files: list[DeliveredFile] = [
        small_file("contact_centers", None, *centers),
        small_file("interactions", None, *interactions),
    ]
    for month in (202502, 202503):
        action = draw(st.sampled_from(("update", "delete", "add")))
        change = (action, draw(st.sampled_from(("CC1", "CC2", "CC3"))), draw(st.sampled_from("AB")))
        files.append(small_file("contact_centers", month, change))
    return Deliveries(202501, tuple(files))


@given(st.one_of(edge_cases(), deliveries()), st.sampled_from(NAMES), st.booleans())
@some_examples
def test_each_reading_gives_what_plain_python_gives(
    came: Deliveries, names: str, before: bool
) -> None:
    with ingested(came) as (ledger, paths):
        as_of = came.months[-1]
        quarter = Quarter(2024, 4) if before else ledger.at().answers().edition.as_of.quarter
        answers = ledger.at().answers(quarter, names=names, sensitivity=True)
        expected = Expected(paths, came.initial_month, as_of, quarter)
        assert [found.number for found in answers.sensitivity] == ["1", "2", "3", "3b"]
        for found in answers.sensitivity:
            outcomes = expected.outcomes(found.number, names)
            assert list(readings(found)) == list(outcomes)
            assert readings(found) == outcomes
            (default, _), *_ = outcomes.values()
            assert [r.flips for r in found.readings] == [
                outcome != default for outcome, _ in outcomes.values()
            ]
            assert [bool(r.change) for r in found.readings] == [r.flips for r in found.readings]


@given(st.one_of(edge_cases(), deliveries()), st.sampled_from(NAMES))
@some_examples
def test_the_default_reading_is_the_answer(came: Deliveries, names: str) -> None:
    with ingested(came) as (ledger, _):
        answers = ledger.at().answers(names=names, sensitivity=True)
    said = {answer.number: answer.answer for answer in answers.answers}
    default = {found.number: found.readings[0] for found in answers.sensitivity}
    for reading in default.values():
        assert (reading.month_by, reading.zone) == ("interaction_start", "America/New_York")
        assert reading.length in ("duration", None)
        assert reading.names in (names, None)
        assert not reading.flips
    counts, month, longest, slowest = (default[number].outcome for number in default)
    assert said["1"] == ("None." if counts == "none" else counts)
    assert said["2"].startswith(
        "No month has" if month == "none" else f"{month}, with {default['2'].figure} interaction"
    )
    assert said["3"].startswith("No contact centre" if longest == "none" else f"{longest}: ")
    if slowest == "none":
        assert "No contact centre with a name has a call with a start" in said["3b"]
    else:
        alone = f"Only {slowest} has such calls"
        assert f"By it {slowest} take" in said["3b"] or alone in said["3b"]


@given(st.one_of(edge_cases(), deliveries()), st.sampled_from(NAMES))
@some_examples
def test_an_answer_has_a_note_where_it_flips_and_nowhere_else(came: Deliveries, names: str) -> None:
    with ingested(came) as (ledger, _):
        answers = ledger.at().answers(names=names, sensitivity=True)
        assert ledger.at().answers(names=names).answers == answers.answers
        assert not ledger.at().answers(names=names).sensitivity
        flips = {found.number: found.flips for found in answers.sensitivity}
        for answer in answers.answers:
            told = [note for note in answer.notes if note.startswith("Under another reading")]
            assert len(told) == bool(flips.get(answer.number))
            assert told == [*answer.notes][len(answer.notes) - len(told) :]


def notes(ledger: Ledger, names: str = "as-is") -> dict[str, list[str]]:
    """By question, what it would be under another reading."""
    return {
        answer.number: [note for note in answer.notes if note.startswith("Under another")]
        for answer in ledger.at().answers(names=names).answers
    }


@pytest.fixture
def samples(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(DATA)
    return ledger


def test_the_answers_of_the_samples_say_which_of_them_flip(samples: Ledger) -> None:
    assert notes(samples) == {
        "1": [
            "Under another reading it would be 8 for Boston MA, 5 for Boston MA NE: with names "
            "as-was; and 2 more: ledger answers --sensitivity."
        ],
        "2": ["Under another reading it would be 2025-03: in UTC, or with months by timestamp."],
        "3": ["Under another reading it would be Richmond VA E: by start to resolution."],
        "3a": [],
        "3b": [],
    }


def test_with_names_as_they_were_the_other_reading_is_as_they_are(samples: Ledger) -> None:
    told = notes(samples, "as-was")
    assert "0 for Boston MA, 13 for Boston MA NE: with names as-is" in told["1"][0]
    assert told["3"] == notes(samples)["3"]


def outcome(by: MonthBy, zone: Zone, text: str) -> ReadingOutcome:
    return ReadingOutcome(by, zone, None, None, text, 1, text, text != "2025-01")


def test_what_flips_in_fewest_respects_is_told_first_and_what_is_too_much_counted() -> None:
    others = ("B", "C", "D", "E", "B")
    choices = [*product(MonthBy, Zone)][1:]
    found = Sensitivity(
        "2",
        "interactions",
        (
            outcome(MonthBy.START, Zone.LOCAL, "2025-01"),
            *(outcome(*choice, other) for choice, other in zip(choices, others, strict=True)),
        ),
    )
    assert found.flips == 5
    assert found.note == (
        "Under another reading it would be B: in UTC; C: in EST all year; D: with months by "
        "timestamp; and 1 more: ledger answers --sensitivity."
    )


def test_respects_and_readings_are_joined_in_words() -> None:
    same = [outcome(*choice, "2025-01") for choice in product(MonthBy, Zone)]
    both = outcome(MonthBy.TIMESTAMP, Zone.UTC, "2025-02")
    told = Sensitivity("2", "interactions", (*same, both)).note
    lead = "Under another reading it would be 2025-02:"
    assert told == f"{lead} with months by timestamp and in UTC."
    by_timestamp = outcome(MonthBy.TIMESTAMP, Zone.LOCAL, "2025-02")
    in_utc, in_est = (outcome(MonthBy.START, zone, "2025-02") for zone in (Zone.UTC, Zone.EST))
    told = Sensitivity("2", "interactions", (*same, both, by_timestamp, in_utc)).note
    assert told == f"{lead} with months by timestamp, or in UTC."
    told = Sensitivity("2", "interactions", (*same, in_est, in_utc, by_timestamp)).note
    assert told == f"{lead} in EST all year, in UTC, or with months by timestamp."
    of_all = (in_est, in_utc, by_timestamp, in_est, in_utc)
    told = Sensitivity("2", "interactions", (*same, *of_all)).note
    assert told == f"{lead} in EST all year, in UTC, with months by timestamp, or 2 more."
    assert Sensitivity("2", "interactions", tuple(same)).note is None
    told = Sensitivity("3b", "average", (*same, in_utc)).note
    assert told == "Under another reading the longest by it would be 2025-02: in UTC."


def test_a_note_stays_one_readable_line_with_many_centres(tmp_path: Path) -> None:
    centers = [f"CC{number}" for number in range(40)]
    files = (
        small_file("contact_centers", None, *((key, f"Centre {key}") for key in centers)),
        small_file(
            "interactions",
            None,
            *((f"INT{key}", "", "phone", "", "", key, "2025-04-01T03:30:00Z") for key in centers),
        ),
        small_file("contact_centers", 202504, *(("update", key, f"New {key}") for key in centers)),
    )
    write_data_folder(tmp_path, files)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(tmp_path, initial_month="202503")
    answers = {answer.number: answer for answer in ledger.at().answers("2025Q1").answers}
    (note,) = [note for note in answers["1"].notes if note.startswith("Under another")]
    assert note == (
        "Under another reading it would be 1 for Centre CC0, 1 for Centre CC1, 1 for Centre CC10 "
        "and 77 more: with names as-was; and 1 more: ledger answers --sensitivity."
    )


def test_what_flips_no_answer_is_said_by_no_note(tmp_path: Path) -> None:
    noon = "2025-03-10T16:00:00Z"
    row = ("INT1", noon, "phone", "CAT1", "A1", "CC1", noon, "2025-03-10T16:05:00Z", "", "5")
    files = (
        small_file("contact_centers", None, ("CC1", "One")),
        small_file("service_categories", None, ("CAT1", "Cat", "Help")),
        small_file("interactions", None, row),
    )
    write_data_folder(tmp_path, files)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(tmp_path, initial_month="202503")
    # Its end is not known, so that by it no centre has a call.
    assert notes(ledger) == {
        "1": [], "2": [], "3": ["Under another reading it would be none: by start to end."],
        "3a": [], "3b": [],
    }  # fmt: skip


def test_the_command_shows_every_reading(samples: Ledger, tmp_path: Path) -> None:
    shown = run_ledger("answers", "--sensitivity", cwd=tmp_path).out
    lines = shown.splitlines()
    assert "4 of 5 other readings flip this answer." in lines
    assert "None of 11 other readings flips this answer." in lines
    rows = [line.split() for line in lines if line.startswith(("interaction_start", "timestamp"))]
    assert len(rows) == 12 + 6 + 36 + 12
    second = rows[12:18]
    assert second == [
        ["interaction_start", "America/New_York", "2025-02", "10"],
        ["interaction_start", "UTC", "2025-03", "10", "yes"],
        ["interaction_start", "EST", "2025-02", "10"],
        ["timestamp", "America/New_York", "2025-03", "11", "yes"],
        ["timestamp", "UTC", "2025-03", "12", "yes"],
        ["timestamp", "EST", "2025-03", "11", "yes"],
    ]
    assert rows[0][-2:] == ["as", "answered"]
    assert " ".join(rows[1][3:]) == "8 for Boston MA, 5 for Boston MA NE yes"
    tables = [
        line for line in lines if line.startswith(("interaction_start", "timestamp", "month"))
    ]
    assert max(map(len, tables)) <= 100
    assert "other readings" not in run_ledger("answers", cwd=tmp_path).out


def test_programs_and_documents_get_every_reading_where_they_ask(
    samples: Ledger, tmp_path: Path
) -> None:
    found = json.loads(run_ledger("answers", "--sensitivity", "--json", cwd=tmp_path).out)
    assert [len(one["readings"]) for one in found["sensitivity"]] == [12, 6, 36, 12]
    assert found["sensitivity"][1]["readings"][3] == {
        "month_by": "timestamp",
        "zone": "America/New_York",
        "length": None,
        "names": None,
        "outcome": "2025-03",
        "figure": 11,
        "change": "2025-03",
        "flips": True,
    }
    assert json.loads(run_ledger("answers", "--json", cwd=tmp_path).out)["sensitivity"] == []
    text = run_ledger("answers", "--sensitivity", "--format", "markdown", cwd=tmp_path).out
    whole = "Atlanta GA SE: 8; Boston MA NE: 13; Richmond VA E: 7"
    (line,) = [line for line in text.splitlines() if "as-is" in line and whole in line][:1]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    # In Markdown an underscore may be a mark.
    assert cells[:4] == [r"interaction\_start", r"America/New\_York", "as-is", whole]
