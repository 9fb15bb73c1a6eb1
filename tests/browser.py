"""A real browser, without a screen, and what a test asks of a page that it shows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
"""Debian's, as nothing is downloaded to run a test."""

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WIDTHS = (360, 800, 1280)
"""A telephone, a tablet, a desk; in CSS pixels."""

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium here (Debian's package chromium)"
)


@dataclass
class Seen:
    """A page that is shown, and what happened on it so far.

    Attributes:
        page: as Playwright drives it.
        messages: all that its console said, and all errors of its scripts.
        left: addresses that were asked for and are neither a file nor of this machine.
    """

    page: Page
    messages: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Keep what is said and asked for from now on."""
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        address = urlsplit(url)
        if address.scheme not in ("file", "data") and address.hostname != "127.0.0.1":
            self.left.append(url)

    def violations(self) -> list[str]:
        """What axe-core finds wrong for those who cannot see or use a mouse."""
        return [
            f"{found['id']}: {node['target']}: {found['help']}"
            for found in Axe().run(self.page).response["violations"]
            for node in found["nodes"]
        ]


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Start Chromium, and end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def shown(
    browser: Browser,
    url: str,
    *,
    width: int = 1280,
    dark: bool = False,
    scripts: bool = True,
) -> Iterator[Seen]:
    """Show a page in a window of a width, in CSS pixels; with scripts off, none of its own runs."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
    )
    try:
        seen = Seen(context.new_page())
        seen.watch()
        seen.page.goto(url)
        yield seen
    finally:
        context.close()
