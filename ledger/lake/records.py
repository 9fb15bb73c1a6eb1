"""The records of a lake in a store of their own, which can be queried like a ledger.

Editions, names, the report and the answers are computed by the same code: the store has batches,
files and tags, and a replay of the events adds its results.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.errors import WrongUsage
from ledger.lake.layout import Layout
from ledger.model.records import Records
from ledger.store.event_store import Store


@contextmanager
def records_store(records: Records) -> Iterator[Store]:
    """A ledger with these records and no events, deleted at the end."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "records.db"
        with Store.for_writing(path, create=True) as store, store.snapshot():
            store.restore([*records.batches, *records.files, *records.tags])
            yield store


def known_records(lake: Layout) -> Records:
    """The records of a lake.

    Raises:
        WrongUsage: the lake has no batches.
    """
    records = lake.records()
    if not records.batches:
        raise WrongUsage(f"the lake {lake.root} has no batch; start with: ledger publish")
    return records
