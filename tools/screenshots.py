"""Take the pictures of `docs/tour.md`: `python -m tools.screenshots`, with Chromium installed.

They show the ledger of `data/`, recorded in a temporary folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser

from ledger import Ledger
from tests.browser import a_browser, shown

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
DESK, TELEPHONE = 1000, 360


def main() -> None:
    """Take all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, a_browser() as browser:
        ledger = Ledger(Path(folder) / "ledger.db")
        ledger.ingest(ROOT / "data")
        ledger.project()
        page = (
            (latest := ledger.at())
            .write_report(latest.report(), folder, format="html")
            .path.as_uri()
        )
        take(browser, "page", page, DESK, 1250)
        take(browser, "page-dark", page, DESK, 1250, dark=True)
        take(browser, "page-telephone", page, TELEPHONE, 1250)
        take(browser, "page-row", f"{page}#m2025-01-c2-d1", DESK, 420)
        with served(ledger.path) as address:
            take(browser, "serve", address, DESK, 900)
            history = f"{address}ledger/history?table=interactions&key=INT1003"
            take(browser, "serve-history", history, DESK, 700)


def take(
    browser: Browser, name: str, url: str, width: int, height: int, *, dark: bool = False
) -> None:
    """Take the picture of what a window of a page shows first; width and height in pixels."""
    with shown(browser, url, width=width, dark=dark) as seen:
        seen.page.set_viewport_size({"width": width, "height": height})
        seen.page.goto(url)
        seen.page.screenshot(path=PICTURES / f"{name}.png")
    print(PICTURES / f"{name}.png")


@contextmanager
def served(path: Path) -> Iterator[str]:
    """Serve a ledger, and give its address."""
    command = [sys.executable, "-m", "ledger", "serve", "--port", "0", "--db", path.name]
    with subprocess.Popen(command, cwd=path.parent, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        line = server.stderr.readline()
        try:
            yield next(word for word in line.split() if word.startswith("http://"))
        finally:
            os.kill(server.pid, signal.SIGINT)


if __name__ == "__main__":
    main()
