"""The ledger in a real browser: found in a few steps, quiet, and never from elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from ledger import Ledger
from tests.browser import WIDTHS, a_browser, needs_browser, shown
from tests.commands import DATA
from tests.test_serving import HOSTILE, hostile, running

pytestmark = [
    needs_browser,
    pytest.mark.skipif(sys.platform == "win32", reason="a process that is ended by a signal"),
]

PAGES = (
    "",
    "ledger",
    "ledger/events",
    "ledger/interactions",
    "ledger/support_report",
    "ledger/history?table=interactions&key=INT1003",
    "ledger/bridge?from=202501&to=202503",
    "-/dashboards/report",
)
OURS = ("", "ledger/history?table=interactions&key=NOPE")
"""Pages of which nothing is Datasette's."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as started:
        yield started


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a ledger of all sample data."""
    ledger = Ledger(tmp_path_factory.mktemp("served") / "ledger.db")
    ledger.ingest(DATA)
    ledger.project()
    with running(ledger.path) as (address, _):
        yield address


def test_a_history_is_found_in_two_steps(browser: Browser, url: str) -> None:
    with shown(browser, url) as seen:
        seen.page.get_by_label("Key").fill("INT1003")
        seen.page.get_by_role("button", name="Show").first.click()
        text = seen.page.inner_text("table")
        assert "delta/interactions_delta_202503.csv" in text
        assert seen.page.get_by_label("Key").input_value() == "INT1003"
        assert not seen.messages


def test_a_history_is_found_from_the_events_too(browser: Browser, url: str) -> None:
    with shown(browser, url) as seen:
        for link in ("All events", "interactions", "INT1003"):
            seen.page.get_by_role("link", name=link, exact=True).first.click()
        assert seen.page.inner_text("h1") == "The history of a record"
        assert "initial/interactions.csv" in seen.page.inner_text("table")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_quiet_and_from_this_machine_alone(browser: Browser, url: str, path: str) -> None:
    with shown(browser, url + path) as seen:
        seen.page.wait_for_load_state("networkidle")
        assert not seen.messages
        assert not seen.left


def test_the_charts_are_drawn(browser: Browser, url: str) -> None:
    with shown(browser, f"{url}-/dashboards/report") as seen:
        for chart in ("volume", "events"):
            drawn = seen.page.wait_for_selector(f"#chart-{chart} .marks")
            size = drawn.bounding_box() if drawn else None
            assert size
            assert size["width"] > 300
            assert size["height"] > 100


def test_a_link_on_a_page_of_another_port_is_refused(
    browser: Browser, url: str, tmp_path: Path
) -> None:
    asked = f"{url}ledger/events.json"
    (tmp_path / "index.html").write_text(f"<a href='{asked}'>here</a>", encoding="utf-8")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            with page.expect_response(asked) as answer:
                page.get_by_text("here").click()
            assert answer.value.status == 403
            page.close()
        finally:
            server.shutdown()


@pytest.mark.parametrize("path", OURS)
@pytest.mark.parametrize("dark", [False, True])
def test_what_is_ours_is_for_everybody(browser: Browser, url: str, path: str, dark: bool) -> None:
    with shown(browser, url + path, dark=dark) as seen:
        assert not seen.violations()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_start_page_fits(browser: Browser, url: str, width: int) -> None:
    with shown(browser, url, width=width) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_names_stay_text(browser: Browser, tmp_path: Path) -> None:
    with running(hostile(tmp_path)) as (address, _):
        for path in (
            *("ledger/support_report", "ledger/contact_centers", "ledger/agents"),
            *("ledger/explain?month=2025-01", "ledger/history?table=contact_centers&key=CC1"),
            "-/dashboards/report",
        ):
            with shown(browser, address + path) as seen:
                seen.page.wait_for_load_state("networkidle")
                assert not seen.messages, path
                assert not seen.page.query_selector("img[src=x]"), path
                assert not seen.page.query_selector("b[onclick]"), path
                if path != "-/dashboards/report":
                    assert HOSTILE in seen.page.inner_text("body"), path
