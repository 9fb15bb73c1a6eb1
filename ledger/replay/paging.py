"""Reads a table of an edition in the order of its key, without blocking writers.

The commit of a writer must wait for open snapshots of readers. So the rows are read page by page,
each page in a snapshot of its own. An edition has the same rows whatever is recorded in between:
they come from the stored projection as long as it is of that edition, and else from the log.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from ledger.model.dataset import Table
from ledger.model.progress import Advance, unheard
from ledger.model.tabular import Values
from ledger.replay.replay import Replay
from ledger.store.database import Record
from ledger.store.sql import part


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in the order of their key.

    Attributes:
        count: the number of the rows.
        text: the result of `page_sql` for them; None if it would be too long.
        values: reads the rows themselves.
    """

    count: int
    text: str | None
    values: Callable[[], Iterable[Values]]


class PagedRows(ABC):
    """Rows in SQLite that can be read one by one, or as pages of text."""

    @abstractmethod
    def __iter__(self) -> Iterator[Values]:
        """Read the values of each row."""

    @abstractmethod
    def pages(self, line: str, meanwhile: Callable[[], object]) -> Iterator[Page]:
        """Read all rows page by page.

        Args:
            line: the SQL that writes a row.
            meanwhile: is called for each page when only the work of SQLite is left, during which
                another thread can use the interpreter.
        """


def page_sql(line: str, rows: str, key: str) -> str:
    """The query that gives the number of some rows, and the text of all of them.

    Args:
        line: the SQL that writes a row.
        rows: the query of the rows.
        key: the column by which they are ordered.
    """
    return part("replay/paging.sql", "page", line=line, rows=rows, key=key)


ROWS_AT_ONCE = 20_000
LONGEST_TEXT = 64 * 1024 * 1024
"""The greatest length of a page as one text, in bytes; a longer one is read row by row."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EditionRows(PagedRows):
    """The rows of a table as of an edition.

    Attributes:
        replay: of the edition, in a store that is in no snapshot when the rows are read.
        table: by whose key the rows are ordered.
        select: turns a query of projected rows into the query to be run.
        after: the key after which they begin; blank, which no key is, for the first one.
        advance: receives the number of rows that were read.
    """

    replay: Replay
    table: Table
    select: Callable[[str], str]
    after: str = ""
    advance: Advance = unheard

    def __iter__(self) -> Generator[Record, None, None]:
        """Yield the rows."""
        for _, rows in self._pages(lambda select: list(self.replay.store.rows(select))):
            yield from rows
            self.advance(len(rows))

    def pages(self, line: str, meanwhile: Callable[[], object]) -> Generator[Page, None, None]:
        """Yield the rows as pages of text."""

        def read(select: str) -> tuple[int, str | None]:
            meanwhile()
            return self._text(line, select)

        for keys, (count, text) in self._pages(read):
            if count:
                yield Page(count, text, partial(self._values, *keys))
                self.advance(count)

    def _pages(self, read: Callable[[str], T]) -> Generator[tuple[tuple[str, str], T], None, None]:
        """Yield the bounds of each page, two keys, and the result of the query of its rows."""
        after = self.after
        while True:
            with self.replay.store.snapshot():
                is_stored = self.replay.is_stored
                until = self._last_key(after, is_stored)
                if until is None:
                    return
                page = read(self._query(after, until, is_stored))
            yield (after, until), page
            after = until

    def _values(self, after: str, until: str) -> list[Record]:
        with self.replay.store.snapshot():
            return list(self.replay.store.rows(self._query(after, until, self.replay.is_stored)))

    def _text(self, line: str, select: str) -> tuple[int, str | None]:
        store = self.replay.store
        row = store.longest_row(page_sql(line, select, self.table.key), LONGEST_TEXT)
        if row:
            count, text = row
            return count, text
        ((count,),) = store.rows(f"SELECT count(*) FROM ({select})")
        return count, None

    def _query(self, after: str, until: str, is_stored: bool) -> str:
        """The query of the rows of a page."""
        # Bound again for each page: what was recorded since the one before does not count.
        self.replay.renew()
        return self.select(self.replay.keys_between(self.table, after, until, stored=is_stored))

    def _last_key(self, after: str, is_stored: bool) -> str | None:
        """The last key of the next page; None if no key follows that of the page before."""
        relation, key = self.table.name if is_stored else self.table.events, self.table.key
        sql = f"""
            SELECT coalesce(
                (SELECT {key} FROM {relation} WHERE {key} > ? ORDER BY {key} LIMIT 1 OFFSET ?),
                (SELECT max({key}) FROM {relation} WHERE {key} > ?))
        """
        ((last,),) = self.replay.store.rows(sql, (after, ROWS_AT_ONCE - 1, after))
        return None if last is None else str(last)
