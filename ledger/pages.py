"""Reads a table of an edition in the order of its key, and keeps nobody waiting meanwhile.

Whoever records must wait, at the commit, for whoever is reading. So the rows are read page by
page, each page in a snapshot of its own. An edition has the same rows whatever is recorded in
between: they come from the stored projection as long as it is of that edition, else from the log.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from ledger.dataset import Table
from ledger.editions import Edition, say_keys, say_what_counts, stored_edition
from ledger.projection import replay_keys_sql, stored_keys_sql
from ledger.store import Record, Store

ROWS_AT_ONCE = 20_000


def read_pages(
    store: Store, table: Table, edition: Edition, select: Callable[[str], str]
) -> Generator[Record, None, None]:
    """Yield the rows of a table as of an edition.

    Args:
        store: open, and in no snapshot.
        table: in the order of whose key the rows come.
        edition: of which they are.
        select: makes of the query that gives some projected rows the one that is to be run.
    """
    after = ""
    while True:
        with store.snapshot():
            is_stored = stored_edition(store) == edition
            until = _last_key(store, table, table.name if is_stored else table.events, after)
            if until is None:
                return
            say_keys(store, after, until)
            if not is_stored:
                # Anew for each page: what was recorded since the one before does not count.
                say_what_counts(store, edition)
            rows = stored_keys_sql(table) if is_stored else replay_keys_sql(table)
            page = list(store.rows(select(rows)))
        yield from page
        after = until


def _last_key(store: Store, table: Table, relation: str, after: str) -> str | None:
    """The last key of the next page; None where no key comes after that of the page before."""
    sql = f"""
        SELECT max({table.key})
        FROM (SELECT {table.key} FROM {relation}
              WHERE {table.key} > ? ORDER BY {table.key} LIMIT ?) AS next
    """
    (last,) = next(store.rows(sql, (after, ROWS_AT_ONCE)))
    return None if last is None else str(last)
