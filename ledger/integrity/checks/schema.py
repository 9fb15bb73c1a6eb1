"""The ledger's file: SQLite's own checks, and every object of its schema."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.integrity.fault import Fault, FaultKind
from ledger.store.event_store import Store
from ledger.store.schema import SchemaObject, expected_schema


def check_schema(store: Store) -> Iterator[Fault]:
    """Compare every table, index, trigger and view with the schema of the package."""
    expected = {(made.type, made.name): made for made in expected_schema()}
    found = {(made.type, made.name): made for made in store.schema_objects()}
    for key, made in expected.items():
        if key not in found:
            yield _fault(made, "it is missing")
        elif found[key] != made:
            yield _fault(made, "its text is not that of the schema")
    for key, made in found.items():
        if key not in expected:
            yield _fault(made, "it does not belong to a ledger")


def _fault(made: SchemaObject, message: str) -> Fault:
    of = f" on {made.tbl_name}" if made.tbl_name != made.name else ""
    return Fault(FaultKind.OBJECT, f"{made.type} {made.name}{of}", message)


def has_sound_tables(store: Store) -> bool:
    """Whether the tables are those of the schema, so that their rows can be relied on.

    A trigger, view or index does not change the rows of a table.
    """
    found = set(store.schema_objects())
    return all(made in found for made in expected_schema() if made.type == "table")


def check_storage(store: Store) -> Iterator[Fault]:
    """Report what SQLite finds wrong with pages, indexes, types and foreign keys."""
    if not has_sound_tables(store):
        return
    # Not the CHECK constraints: SQLite skips them in a file that is opened read-only.
    for (message,) in store.rows(f"PRAGMA {store.schema}.integrity_check(100)"):
        if message != "ok":
            yield Fault(FaultKind.STORAGE, str(store.path), message)
    for table, row, parent, _ in store.rows(f"PRAGMA {store.schema}.foreign_key_check"):
        message = f"row {row} refers to a row of {parent} that does not exist"
        yield Fault(FaultKind.STORAGE, f"table {table}", message)
