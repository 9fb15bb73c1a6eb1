"""Writes the rows of a table a page at a time, while SQLite reads the next page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any

from ledger.model.tabular import Values
from ledger.outputs.row_text import RowText
from ledger.replay.paging import Page, PagedRows

ROWS_AT_ONCE = 20_000


def write_rows(
    rows: Iterable[Values],
    form: RowText,
    write: Callable[[Any], object],
    prepare: Callable[[bytes], Any] = bytes,
) -> int:
    """Write rows a page at a time, and return their number.

    Args:
        rows: to be written.
        form: gives the text of rows.
        write: is called with each page when it is prepared.
        prepare: turns the text of a page into what is to be written.
    """
    if isinstance(rows, PagedRows):
        return _write_pages(rows, form, write, prepare)
    count = 0
    for some in in_batches(rows):
        write(prepare(form.from_values(some)))
        count += len(some)
    return count


def in_batches(rows: Iterable[Values]) -> Iterator[list[Values]]:
    """Yield rows in lists of at most `ROWS_AT_ONCE`."""
    remaining = iter(rows)
    while some := list(islice(remaining, ROWS_AT_ONCE)):
        yield some


def _write_pages(
    rows: PagedRows, form: RowText, write: Callable[[Any], object], prepare: Callable[[bytes], Any]
) -> int:
    """Prepare each page while SQLite makes the text of the next; return the number of rows."""
    count = 0
    with ThreadPoolExecutor(max_workers=1) as thread:
        preparation = _Preparation(thread, form, prepare)
        for page in rows.pages(form.line, preparation.start):
            for content in preparation.finished():
                write(content)
            preparation.next = page
            count += page.count
        preparation.start()
        for content in preparation.finished():
            write(content)
    return count


class _Preparation:
    """Prepares one page at a time in another thread, which neither reads nor writes a file.

    Attributes:
        next: the page to be prepared next.
    """

    def __init__(
        self, thread: ThreadPoolExecutor, form: RowText, prepare: Callable[[bytes], Any]
    ) -> None:
        self.next: Page | None = None
        self._thread = thread
        self._form = form
        self._prepare = prepare
        self._started: tuple[Page, Future[Any]] | None = None

    def start(self) -> None:
        """Begin to prepare the next page."""
        if self.next:
            self._started = self.next, self._thread.submit(self._prepared, self.next)
            self.next = None

    def finished(self) -> Iterator[Any]:
        """Wait for the page that was started, if any, and yield what is to be written of it."""
        if self._started:
            page, future = self._started
            self._started = None
            content = future.result()
            if content is None:
                # Its values are read in this thread, the only one that may query SQLite.
                content = self._prepare(self._form.from_values(page.values()))
            yield content

    def _prepared(self, page: Page) -> Any:
        content = self._form.from_page(page)
        return None if content is None else self._prepare(content)
