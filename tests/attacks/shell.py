"""What somebody with an SQLite shell does: edit, with nothing in the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def shell(ledger: Path) -> Iterator[sqlite3.Connection]:
    """A plain connection."""
    with closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        yield connection


@contextmanager
def unguarded(ledger: Path) -> Iterator[sqlite3.Connection]:
    """A connection without triggers, foreign keys and checks; at the end the triggers are back."""
    with shell(ledger) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        kept = triggers.fetchall()
        for name, _ in kept:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
        for _, sql in kept:
            connection.execute(sql)


def edit(ledger: Path, script: str) -> None:
    """Run statements with nothing in the way."""
    with unguarded(ledger) as connection:
        for statement in filter(str.strip, script.split(";")):
            connection.execute(statement)


def rewrite_schema(ledger: Path, statement: str, *values: object) -> None:
    """Change `sqlite_schema` itself, and make every connection read it anew."""
    with shell(ledger) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(statement, values)
        (version,) = connection.execute("PRAGMA schema_version").fetchone()
        connection.execute(f"PRAGMA schema_version = {version + 1}")


def edit_untyped(ledger: Path, table: str, statement: str) -> None:
    """Run a statement while a table takes any value in any column; its text is put back."""
    with shell(ledger) as connection:
        query = "SELECT sql FROM sqlite_schema WHERE name = ?"
        (sql,) = connection.execute(query, (table,)).fetchone()
        columns = connection.execute(f"PRAGMA table_xinfo ({table})").fetchall()
        unique = [name for (name,) in connection.execute(_UNIQUE, (table,))]
    update = "UPDATE sqlite_schema SET sql = ? WHERE name = ?"
    names = ", ".join(
        f"{name} INTEGER PRIMARY KEY"
        if key and type == "INTEGER"
        else f"{name} GENERATED ALWAYS AS (0) VIRTUAL"
        if hidden
        else f"{name} UNIQUE"
        if name in unique
        else name
        for _, name, type, _, _, key, hidden in columns
    )
    rewrite_schema(ledger, update, f"CREATE TABLE {table} ({names})", table)
    edit(ledger, statement)
    rewrite_schema(ledger, update, sql, table)


_UNIQUE = """
SELECT info.name FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS info
WHERE list.origin = 'u'
"""
