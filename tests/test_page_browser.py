"""The page in a real browser: nothing is said, loaded or run, and everybody can read it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from io import BytesIO

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from ledger import Ledger
from tests.browser import WIDTHS, a_browser, needs_browser, shown
from tests.commands import DATA
from tests.test_page import HOSTILE

pytestmark = needs_browser

PICTURES = 6
"""All but the heat table, which is none."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as started:
        yield started


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the page of the sample data is, one of its names hostile."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(DATA, folder / "data")
    path = folder / "data" / "initial" / "contact_centers.csv"
    quoted = HOSTILE.replace('"', '""')
    text = path.read_text(encoding="utf-8").replace("Atlanta GA SE", f'"{quoted}"')
    path.write_text(text, encoding="utf-8")
    ledger = Ledger(folder / "ledger.db")
    ledger.ingest(folder / "data")
    return (
        (latest := ledger.at()).write_report(latest.report(), folder, format="html").path.as_uri()
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_said_asked_for_or_in_the_way_of_anybody(
    browser: Browser, url: str, width: int, dark: bool
) -> None:
    with shown(browser, url, width=width, dark=dark) as seen:
        assert seen.violations() == []
        assert seen.messages == []
        assert seen.left == []
        wide = seen.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width


def test_it_is_read_without_scripts(browser: Browser, url: str) -> None:
    with shown(browser, url, scripts=False) as seen:
        assert seen.page.locator("h1").inner_text() == "Customer support report"
        assert seen.page.locator("figure svg:visible").count() == PICTURES


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pictures_are_there_and_not_empty(browser: Browser, url: str, width: int) -> None:
    with shown(browser, url, width=width) as seen:
        drawings = seen.page.locator("figure svg:visible")
        assert drawings.count() == PICTURES
        for place in range(PICTURES):
            drawing = drawings.nth(place)
            box = drawing.bounding_box()
            assert box
            assert box["width"] <= width
            assert box["height"] > 80
            filled = drawing.evaluate(
                """svg => [...svg.querySelectorAll('path')].filter(path => {
                    const box = path.getBBox(), style = getComputedStyle(path);
                    return box.width > 1 && box.height > 1
                        && (style.fill + style.stroke).includes('rgb(') && path.hasAttribute('d');
                }).length"""
            )
            assert filled >= 3


def test_hostile_names_stay_text(browser: Browser, url: str) -> None:
    with shown(browser, url) as seen:
        dialogs: list[str] = []
        seen.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        assert HOSTILE in seen.page.inner_text("main")
        assert seen.page.locator("script, img").count() == 0
        assert dialogs == []


def test_a_figure_leads_to_its_rows_by_keyboard(browser: Browser, url: str) -> None:
    with shown(browser, url) as seen:
        row = seen.page.locator("#report tr", has_text="Boston MA NE").filter(has_text="2025-01")
        link = row.first.locator("a").first
        link.focus()
        seen.page.keyboard.press("Enter")
        part = seen.page.locator(seen.page.evaluate("'[id=\"' + location.hash.slice(1) + '\"]'"))
        assert "INT1003" in part.inner_text()
        assert "delta/interactions_delta_202503.csv:2" in part.inner_text()


def test_the_colours_change_with_the_scheme(browser: Browser, url: str) -> None:
    papers = []
    for dark in (False, True):
        with shown(browser, url, dark=dark) as seen:
            papers.append(seen.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert papers == ["rgb(255, 255, 255)", "rgb(20, 24, 31)"]


def test_paper_is_white_whatever_the_scheme(browser: Browser, url: str) -> None:
    read = (
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    with shown(browser, url, dark=True) as seen:
        seen.page.emulate_media(media="print", color_scheme="dark")
        assert seen.page.evaluate(read) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]


def test_on_paper_each_part_begins_a_page_and_no_page_is_blank(browser: Browser, url: str) -> None:
    with shown(browser, url) as seen:
        pages = PdfReader(BytesIO(seen.page.pdf(prefer_css_page_size=True))).pages
    texts = [page.extract_text().strip() for page in pages]
    assert all(texts)
    firsts = [text.splitlines()[0] for text in texts]
    for part in ("Answers for 2025Q1", "Report", "Unknown", "Changes since the edition before",
                 "Origins", "Files"):  # fmt: skip
        assert part in firsts
    assert firsts[0] == "Customer support report"
    assert " ".join(texts[-1].split()).endswith("of its edition.")
    # Fonts differ by machine; each part has one page at the least, and the whole is no book.
    assert 10 <= len(pages) <= 32


def contrast(one: str, other: str) -> float:
    """How well a colour is seen on another one, by WCAG 2.2."""

    def light(color: str) -> float:
        parts = [int(part) / 255 for part in color.removeprefix("rgb(").rstrip(")").split(", ")]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((light(one), light(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_every_series_stands_out_from_the_paper(browser: Browser, url: str, dark: bool) -> None:
    read = """name => { const probe = document.createElement('i');
        document.body.append(probe); probe.style.color = `var(${name})`;
        const color = getComputedStyle(probe).color; probe.remove(); return color; }"""
    with shown(browser, url, dark=dark) as seen:
        paper = seen.page.evaluate(read, "--paper")
        series = [seen.page.evaluate(read, f"--series-{n}") for n in range(1, 8)]
        texts = [seen.page.evaluate(read, name) for name in ("--ink", "--soft", "--link")]
    assert len(set(series)) == 7
    assert all(contrast(color, paper) >= 3 for color in series)
    assert all(contrast(color, paper) >= 4.5 for color in texts)
