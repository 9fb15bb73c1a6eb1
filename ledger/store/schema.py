"""The objects of a ledger's file, as `schema.sql` makes them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache

from ledger.store.sql import packaged_text

APPLICATION_ID = 0x4C444752


USER_VERSION = 4


@dataclass(frozen=True, slots=True)
class SchemaObject:
    """A table, index, trigger or view: the row of `sqlite_schema`.

    Attributes:
        type: `table`, `index`, `trigger` or `view`.
        name: of it.
        tbl_name: of the table or view that it belongs to.
        sql: its text; None for what SQLite makes by itself.
    """

    type: str
    name: str
    tbl_name: str
    sql: str | None


@cache
def expected_schema() -> tuple[SchemaObject, ...]:
    """Every object that a ledger's file has, in the order in which they are made."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(packaged_text("store/schema.sql"))
        return tuple(
            SchemaObject(*row) for row in connection.execute(SCHEMA_OBJECTS.format("main"))
        )


SCHEMA_OBJECTS = "SELECT type, name, tbl_name, sql FROM {}.sqlite_schema ORDER BY rowid"
