"""The report as a page: what stands in it, where its figures lead, and what it must not hold."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from html.parser import HTMLParser
from itertools import combinations
from math import dist
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Ledger, VerificationFailed
from ledger.datasets.support.page import page_data as evidence
from ledger.datasets.support.page.tables import exact, shade, short
from tests.commands import DATA, ROOT, run_ledger
from tests.strategies import small_file, write_data_folder

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;{{7*7}}"


class Parsed(HTMLParser):
    """The elements, texts and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A ledger of all sample data."""
    made = Ledger(tmp_path_factory.mktemp("page") / "ledger.db")
    made.ingest(DATA)
    return made


def page(ledger: Ledger, folder: Path, as_of: str | None = None) -> str:
    """The page of an edition."""
    report = ledger.at(as_of).report()
    return (
        ledger.at(report.edition.name)
        .write_report(report, folder, format="html")
        .path.read_text(encoding="utf-8")
    )


@pytest.fixture(scope="module")
def sample(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> str:
    return page(ledger, tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a ledger with a name that would be something else than text."""
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copytree(DATA, folder / "data")
    path = folder / "data" / "initial" / "contact_centers.csv"
    text = path.read_text(encoding="utf-8")
    quoted = HOSTILE.replace('"', '""')
    path.write_text(text.replace("Atlanta GA SE", f'"{quoted}"'), encoding="utf-8")
    made = Ledger(folder / "ledger.db")
    made.ingest(folder / "data")
    return page(made, folder)


def test_the_command_writes_the_page_and_prints_the_report(tmp_path: Path) -> None:
    run_ledger("ingest", "--data-dir", DATA, cwd=tmp_path)
    ran = run_ledger("report", "--format", "html", cwd=tmp_path)
    assert ran.code == 0
    assert "written to report/support_report.html" in ran.err
    assert ran.out == run_ledger("report", cwd=tmp_path).out
    assert (tmp_path / "report" / "support_report.html").read_bytes().startswith(b"<!DOCTYPE html>")


def test_a_dry_run_writes_no_page(tmp_path: Path) -> None:
    run_ledger("ingest", "--data-dir", DATA, cwd=tmp_path)
    assert run_ledger("report", "--format", "html", "--dry-run", cwd=tmp_path).code == 0
    assert not (tmp_path / "report").exists()


def test_the_head_says_of_what_it_speaks(ledger: Ledger, sample: str) -> None:
    text = Parsed(sample).text
    recorded_at = ledger.log()[-1].batch.recorded_at
    assert f"As of the end of 202503 Known at batch 3, recorded {recorded_at[:19]}Z" in text
    assert ledger.at().report().edition.head in text
    assert "2 interactions name category CAT05" in text
    assert "4 findings on these deliveries." in text


def test_the_same_edition_gives_the_same_bytes(ledger: Ledger, sample: str, tmp_path: Path) -> None:
    assert page(ledger, tmp_path) == sample
    copy = Ledger(shutil.copy(ledger.path, tmp_path / "copy.db"))
    copy.project("202501")
    assert page(copy, tmp_path) == sample


def test_every_link_leads_to_a_part_of_the_page_and_every_part_is_there_once(
    sample: str, hostile: str
) -> None:
    for one in (sample, hostile):
        parsed = Parsed(one)
        assert len(parsed.ids) == len(set(parsed.ids))
        assert len(parsed.links) > 100
        assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)
        assert all(link.startswith("#") for link in parsed.links)


def test_every_figure_of_the_report_leads_to_the_rows_that_make_it(
    ledger: Ledger, sample: str
) -> None:
    for row in ledger.at().report().rows:
        explained = ledger.at().explain(row.month, row.contact_center_name, row.department)
        found = re.search(
            rf'<th scope="row" class="short">{row.month}</th>'
            rf'<td class="short">{row.contact_center_name}</td>'
            rf'<td class="short">{row.department}</td><td class="number"><a href="#([^"]+)">'
            rf"{row.total_interactions}</a>",
            sample,
        )
        assert found
        part = sample.partition(f'<table id="{found[1]}">')[2].partition("</table>")[0]
        for contribution in explained.contributions:
            assert f'<th scope="row" class="short">{contribution.interaction_id}</th>' in part
            assert f">{contribution.source}</a>" in part


def test_the_answers_stand_in_it_with_all_readings(ledger: Ledger, sample: str) -> None:
    text = Parsed(sample).text
    for answer in ledger.at().answers().answers:
        assert answer.question in text
        assert answer.answer in text
    assert "Question 1 under all readings: 6 of 11 others give another answer" in text


def test_every_event_of_a_change_is_named(ledger: Ledger, sample: str) -> None:
    changes = Parsed(sample.partition('<section id="changes"')[2].partition('id="origins"')[0])
    for cause in ledger.compare("202502@2", "202503@3").bridge_causes():
        for source in filter(None, (cause.before, cause.after)):
            assert str(source) in changes.text


def test_a_first_edition_has_no_changes(ledger: Ledger, tmp_path: Path) -> None:
    text = Parsed(page(ledger, tmp_path, as_of="202501")).text
    assert "This is the first edition." in text
    assert "Files of 202501" in text
    assert "Files of 202502" not in text


def test_names_that_are_something_else_stay_text(hostile: str) -> None:
    parsed = Parsed(hostile)
    assert HOSTILE in parsed.text
    assert "script" not in parsed.tags
    assert "img" not in parsed.tags
    assert not any(name.startswith("on") for name in parsed.attributes)


def test_nothing_is_loaded_and_nothing_runs(sample: str) -> None:
    parsed = Parsed(sample)
    assert not {"script", "img", "link", "iframe", "object", "form", "base"} & set(parsed.tags)
    assert not {"src", "style", "xlink:href"} & parsed.attributes
    assert "url(" not in sample
    assert "@import" not in sample
    assert "default-src &#39;none&#39;" in sample


def test_pictures_have_titles_that_are_computed(ledger: Ledger, tmp_path: Path) -> None:
    text = Parsed(page(ledger, tmp_path, as_of="202501")).text
    assert "The busiest month is 2025-01, with 10 of 10 interactions" in text
    assert "Richmond VA E has the longest average call, 12.5 minutes, and the longest time" in text
    assert "Rated calls are longer than others: 14.5 minutes on average, and 9.8" in text


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a page take the sample data for more than it can show."""
    monkeypatch.setattr(evidence, "DOTS_SHOWN", 5)
    monkeypatch.setattr(evidence, "INTERACTIONS_SHOWN", 1)
    monkeypatch.setattr(evidence, "LEAST_SHOWN", 1)


@pytest.mark.usefixtures("many")
def test_of_many_interactions_the_first_are_shown_with_the_command_for_all(
    ledger: Ledger, tmp_path: Path
) -> None:
    parsed = Parsed(page(ledger, tmp_path))
    assert (
        "These are the first 1 of 2. All of them: ledger explain --month 2025-01 "
        "--center 'Boston MA NE' --department Billing --as-of 202503 --known-at 3"
    ) in parsed.text
    assert "A column for each stretch of minutes" in page(ledger, tmp_path)
    assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)


def test_an_edition_without_interactions_has_a_page(tmp_path: Path) -> None:
    data = tmp_path / "data"
    tables = ("agents", "contact_centers", "service_categories", "interactions")
    write_data_folder(data, [small_file(table, None) for table in tables])
    made = Ledger(tmp_path / "ledger.db")
    made.ingest(data, initial_month="202501")
    text = Parsed(page(made, tmp_path)).text
    assert "There are no interactions" in text
    assert "No findings on these deliveries." in text


def test_a_projection_that_was_changed_is_not_shown(ledger: Ledger, tmp_path: Path) -> None:
    copy = Ledger(shutil.copy(ledger.path, tmp_path / "copy.db"))
    copy.project("202501")
    with closing(sqlite3.connect(copy.path, isolation_level=None)) as connection:
        connection.execute(
            "UPDATE interactions SET call_duration_minutes = 99 WHERE interaction_id = 'INT1001'"
        )
    with pytest.raises(VerificationFailed, match="the projection and the events disagree"):
        page(copy, tmp_path, "202501")


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9))
def test_a_figure_says_no_more_and_no_less_than_it_is(value: float) -> None:
    rounded = round(value, 6)
    assert float(exact(rounded).replace(",", "")) == rounded
    assert abs(float(short(value).replace(",", "")) - value) <= 0.005 + abs(value) * 1e-12


@settings(max_examples=50)
@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_the_greatest_figure_is_the_darkest(value: int, more: int) -> None:
    most = value + more
    assert 0 <= shade(value, most) <= shade(most, most) == 4
    assert (shade(value, most) == 0) == (value == 0)


# How colours look to those who see no red, no green, no blue, by Machado, Oliveira and Fernandes,
# "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), severity 1.
VISIONS = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
               (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
                 (-0.011820, 0.042940, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
                (0.004733, 0.691367, 0.303900)),
}  # fmt: skip
TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.089)


def seen_as(color: str, vision: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """A colour in CIE L*a*b*, as somebody sees it."""

    def times(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
        return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]

    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    shown = [min(1.0, max(0.0, value)) for value in times(vision, linear)]
    x, y, z = (
        t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116
        for t in (v / w for v, w in zip(times(TO_XYZ, shown), WHITE, strict=True))
    )
    return (116 * y - 16, 500 * (x - y), 200 * (y - z))


@pytest.mark.parametrize("vision", VISIONS)
def test_the_series_are_told_apart_by_the_colour_blind(vision: str) -> None:
    style = (ROOT / "ledger" / "datasets" / "support" / "page" / "style.css").read_text(
        encoding="utf-8"
    )
    colors = re.findall(r"--series-\d: (#[0-9a-f]{6});", style)
    palettes = [colors[start : start + 7] for start in range(0, len(colors), 7)]
    assert len(palettes) == 2
    for palette in palettes:
        for one, other in combinations(palette, 2):
            # About 2 can just be told apart side by side; 20 across a picture.
            assert dist(*(seen_as(color, VISIONS[vision]) for color in (one, other))) > 20
