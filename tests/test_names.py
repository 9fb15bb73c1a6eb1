"""Names as they stand now, and as they stood in the month of what is named."""

from __future__ import annotations

import csv
import json
import tempfile
from collections import defaultdict
from dataclasses import astuple
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Ledger, WrongUsage
from tests import oracle
from tests.chronicle import Chronicle, Event, Plan, chronicle_of, few_examples, plans
from tests.strategies import DeliveredFile, small_file, write_data_folder

LABELS = {
    "agent_name": ("agents", "agent_id", "full_name"),
    "contact_center_name": ("contact_centers", "contact_center_id", "contact_center_name"),
    "category_name": ("service_categories", "category_id", "category_name"),
    "department": ("service_categories", "category_id", "department"),
}
"""The labels of interactions: of which table, by which key, which column."""


def interactions(month: int | None, *rows: tuple[str, ...]) -> DeliveredFile:
    """A file of calls of one minute: key, start, category, agent, contact centre."""
    added = [
        (key, start, "phone", category, agent, center, start, start, start, "1")
        for key, start, category, agent, center in rows
    ]
    if month is not None:
        added = [("add", *row) for row in added]  # type: ignore[misc]
    return small_file("interactions", month, *added)


FILES = (
    small_file("agents", None, ("A1", "Ada")),
    small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Atlanta"), ("CC3", "Salem")),
    small_file("service_categories", None, ("CAT1", "Refunds", "Billing")),
    interactions(
        None,
        ("I-old", "2023-06-10T12:00:00Z", "CAT1", "A1", "CC1"),
        ("I-jan", "2025-01-10T12:00:00Z", "CAT1", "A1", "CC1"),
        ("I-none", "", "CAT1", "A1", "CC1"),
        ("I-gone", "2025-01-10T12:00:00Z", "CAT1", "A1", "CC2"),
    ),
    small_file("contact_centers", 202502, ("update", "CC1", "Boston MA"), ("delete", "CC2", "x")),
    interactions(
        202502,
        ("I-feb", "2025-02-10T12:00:00Z", "CAT1", "A1", "CC1"),
        ("I-feb-gone", "2025-02-10T12:00:00Z", "CAT2", "A2", "CC2"),
        ("I-utc", "2025-03-01T01:30:00Z", "CAT1", "A1", "CC1"),
        ("I-next", "2025-04-10T12:00:00Z", "CAT1", "A1", "CC1"),
    ),
    small_file("agents", 202503, ("update", "A1", "Ada L."), ("add", "A2", "Béa")),
    small_file("contact_centers", 202503, ("update", "CC1", "Boston MA NE"), ("add", "CC2", "At")),
    small_file(
        "service_categories", 202503, ("update", "CAT1", "", "Money"), ("add", "CAT2", "Late", "L")
    ),
    interactions(202503, ("I-mar", "2025-03-10T12:00:00Z", "CAT1", "A1", "CC1")),
)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """Centres that are renamed, deleted and come back, and calls in every month."""
    folder = tmp_path_factory.mktemp("names")
    write_data_folder(folder, FILES)
    ledger = Ledger(folder / "ledger.db")
    ledger.ingest(folder)
    return ledger


def labels(
    ledger: Ledger, out: Path, names: str, column: str, as_of: str | None = None
) -> dict[str, str | None]:
    """A label of each interaction, in an export."""
    ledger.at(as_of).export(out, format="json", names=names, tables=["interactions"])
    lines = (out / "interactions_final.json").read_text(encoding="utf-8")
    return {row["interaction_id"]: row[column] for row in json.loads(lines)}


# By hand


def test_names_as_they_are_are_those_of_the_edition(ledger: Ledger, tmp_path: Path) -> None:
    assert labels(ledger, tmp_path, "as-is", "contact_center_name") == {
        **dict.fromkeys(
            ("I-old", "I-jan", "I-none", "I-feb", "I-utc", "I-next", "I-mar"), "Boston MA NE"
        ),
        **dict.fromkeys(("I-gone", "I-feb-gone"), "At"),
    }
    assert set(labels(ledger, tmp_path, "as-is", "category_name").values()) == {None, "Late"}


def test_names_as_they_were_are_those_of_the_month_of_the_interaction(
    ledger: Ledger, tmp_path: Path
) -> None:
    assert labels(ledger, tmp_path, "as-was", "contact_center_name") == {
        # What the extract gave stood before it too.
        "I-old": "Boston",
        "I-jan": "Boston",
        "I-gone": "Atlanta",
        "I-feb": "Boston MA",
        # Deleted in that month, and added again in the next one.
        "I-feb-gone": None,
        # Of February in local time.
        "I-utc": "Boston MA",
        "I-mar": "Boston MA NE",
        # After the as-of month, and of no month: as they are.
        "I-next": "Boston MA NE",
        "I-none": "Boston MA NE",
    }


def test_a_row_that_was_not_there_yet_gives_no_name(ledger: Ledger, tmp_path: Path) -> None:
    for column, later in (("agent_name", "Béa"), ("category_name", "Late"), ("department", "L")):
        assert labels(ledger, tmp_path, "as-was", column)["I-feb-gone"] is None
        assert labels(ledger, tmp_path, "as-is", column)["I-feb-gone"] == later


def test_a_name_that_became_blank_stood_before(ledger: Ledger, tmp_path: Path) -> None:
    found = labels(ledger, tmp_path, "as-was", "category_name")
    assert (found["I-jan"], found["I-feb"], found["I-mar"]) == ("Refunds", "Refunds", None)


def test_names_as_they_were_are_those_known_in_the_edition(ledger: Ledger, tmp_path: Path) -> None:
    for names in ("as-is", "as-was"):
        found = labels(ledger, tmp_path, names, "contact_center_name", as_of="202502")
        assert found["I-next"] == found["I-feb"] == "Boston MA"
        assert found["I-feb-gone"] is None
    assert labels(ledger, tmp_path, "as-is", "contact_center_name", "202502")["I-gone"] is None
    assert labels(ledger, tmp_path, "as-was", "contact_center_name", "202502")["I-gone"] == (
        "Atlanta"
    )


def test_the_report_names_each_row_as_it_was(ledger: Ledger) -> None:
    def rows(names: str) -> list[tuple[str, str, str, int]]:
        return [astuple(row)[:4] for row in ledger.at().report(names=names).rows]

    assert rows("as-was") == [
        ("2023-06", "Boston", "Billing", 1),
        ("2025-01", "Atlanta", "Billing", 1),
        ("2025-01", "Boston", "Billing", 1),
        ("2025-02", "Boston MA", "Billing", 2),
        ("2025-02", "Unknown", "Unknown", 1),
        ("2025-03", "Boston MA NE", "Money", 1),
        ("2025-04", "Boston MA NE", "Money", 1),
        ("Unknown", "Boston MA NE", "Money", 1),
    ]
    assert {(center, department) for _, center, department, _ in rows("as-is")} == {
        ("At", "L"),
        ("At", "Money"),
        ("Boston MA NE", "Money"),
    }
    assert ledger.at().report(names="as-was").names == "as-was"
    assert ledger.at().report().names == "as-is"


def test_the_answers_count_each_month_under_its_names(ledger: Ledger) -> None:
    def counts(names: str) -> dict[Any, Any]:
        found = {
            answer.number: answer for answer in ledger.at().answers("2025Q1", names=names).answers
        }
        return dict(found["1"].evidence)  # type: ignore[arg-type]

    assert counts("as-is") == {"At": 2, "Boston MA NE": 4, "total": 6}
    assert counts("as-was") == {
        "Atlanta": 1, "Boston": 1, "Boston MA": 2, "Boston MA NE": 1, "Unknown": 1, "total": 6,
    }  # fmt: skip
    assert ledger.at().answers(names="as-was").names == "as-was"


def test_other_names_than_those_are_wrong_usage(ledger: Ledger, tmp_path: Path) -> None:
    for ask in (
        ledger.at().report,
        ledger.at().answers,
        lambda names: ledger.at().export(tmp_path, names=names),
    ):
        with pytest.raises(WrongUsage, match="names are as-is or as-was, not 'as-were'"):
            ask(names="as-were")


@pytest.mark.parametrize("names", ["as-is", "as-was"])
def test_every_format_has_the_labels_behind_the_columns(
    ledger: Ledger, tmp_path: Path, names: str
) -> None:
    plain = ledger.at().export(tmp_path / "plain", format="csv").files[3].path
    for format in ("csv", "json", "parquet"):
        ledger.at().export(tmp_path, format=format, names=names)
    text = (tmp_path / "interactions_final.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(text.splitlines()))
    unlabelled = list(csv.reader(plain.read_text(encoding="utf-8").splitlines()))
    assert [row[: -len(LABELS)] for row in rows] == unlabelled
    assert rows[0][-len(LABELS) :] == [*LABELS]
    assert [row[0] for row in rows[1:]] == sorted(row[0] for row in rows[1:])
    objects = json.loads((tmp_path / "interactions_final.json").read_text(encoding="utf-8"))
    assert [[*row] for row in objects] == [rows[0]] * len(objects)
    parquet = pq.read_table(tmp_path / "interactions_final.parquet").to_pylist()
    assert [[*row] for row in parquet] == [[*row] for row in objects]
    for label in LABELS:
        of_json = [row[label] or "" for row in objects]
        assert of_json == [row[label] or "" for row in parquet]
        assert of_json == [row[rows[0].index(label)] for row in rows[1:]]


def test_tables_without_a_month_have_no_labels(ledger: Ledger, tmp_path: Path) -> None:
    for names, folder in ((None, tmp_path / "plain"), ("as-was", tmp_path / "labelled")):
        ledger.at().export(folder, names=names)
    for table in ("agents", "contact_centers", "service_categories"):
        contents = {
            (tmp_path / name / f"{table}_final.csv").read_bytes() for name in ("plain", "labelled")
        }
        assert len(contents) == 1


def test_the_manifest_says_which_names_are_given(ledger: Ledger, tmp_path: Path) -> None:
    for names in (None, "as-is", "as-was"):
        ledger.at().export(tmp_path, names=names)
        manifest = json.loads((tmp_path / "datapackage.json").read_text(encoding="utf-8"))
        assert manifest.get("names") == names
        (resource,) = (r for r in manifest["resources"] if r["name"] == "interactions_final")
        fields = [field["name"] for field in resource["schema"]["fields"]]
        assert fields[11:] == ([*LABELS] if names else [])


# Against plain Python


def named(
    events: list[Event], key: str | None, column: str, month: str | None, as_was: bool
) -> str | None:
    """A name that a key gives: of the last event, or of the last one that stood in a month.

    Args:
        events: of the table, those that count, in order.
        key: of the row.
        column: that holds the name.
        month: `2025-02`, or None for that of no month.
        as_was: give the name of that month.
    """
    found: Event | None = None
    for event in events:
        stood = f"{event.month // 100:04}-{event.month % 100:02}"
        before = event.file.startswith("initial/") or not month or stood <= month
        if event.key == key and (before or not as_was):
            found = event
    return None if found is None or found.action == "delete" else found.cells[column]


def labelled(
    chronicle: Chronicle, as_of: int, batch: int, names: str
) -> dict[str, dict[str, oracle.Value]]:
    """The interactions of an edition with their labels, by their keys."""
    rows = chronicle.state(as_of, batch).tables["interactions"]
    found = {}
    for identity, row in rows.items():
        month = str(row["month"]) if row["month"] else None
        found[identity] = {**row}
        for label, (table, reference, column) in LABELS.items():
            events = chronicle.counting(table, as_of, batch)
            key = str(row[reference]) if row[reference] else None
            found[identity][label] = named(events, key, column, month, names == "as-was")
    return found


def reported(rows: dict[str, dict[str, oracle.Value]]) -> list[oracle.ReportRow]:
    """The support report over labelled interactions."""
    groups: dict[tuple[str, str, str], list[dict[str, oracle.Value]]] = defaultdict(list)
    for row in rows.values():
        month, center, department = (
            str(row[name] or "Unknown") for name in ("month", "contact_center_name", "department")
        )
        groups[month, center, department].append(row)
    report = []
    for group, members in sorted(groups.items()):
        calls = [row for row in members if row["channel"] == "phone"]
        millionths = sum(oracle._millionths(row["call_duration_minutes"]) for row in calls)
        report.append((*group, len(members), len(calls), float(Fraction(millionths, 10**6))))
    return report


@given(plans(), st.data())
@settings(few_examples, max_examples=40)
def test_names_are_those_that_plain_python_finds(plan: Plan, data: st.DataObject) -> None:
    with chronicle_of(plan) as chronicle, tempfile.TemporaryDirectory() as folder:
        editions = chronicle.editions()
        as_of, batch = data.draw(st.sampled_from(editions), label="edition")
        edition: dict[str, Any] = {"as_of": str(as_of), "known_at": batch}
        for names in ("as-is", "as-was"):
            expected = labelled(chronicle, as_of, batch, names)
            snapshot = chronicle.ledger.at(**edition)
            snapshot.export(folder, format="json", names=names, tables=["interactions"])
            text = Path(folder, "interactions_final.json").read_text(encoding="utf-8")
            rows = {row["interaction_id"]: row for row in json.loads(text)}
            assert rows.keys() == expected.keys()
            for key, row in rows.items():
                assert row == {name: expected[key][name] for name in row}
                assert row.keys() >= LABELS.keys()
            report = chronicle.ledger.at(**edition).report(names=names)
            assert [astuple(row) for row in report.rows] == reported(expected)
