"""The records of a lake in a store of their own, so that what is asked of a ledger is asked of it.

Editions, names, the report and the answers are computed by the same code: the store holds batches,
files and tags, and whoever replays the events puts in what comes of them.
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
    """A ledger that holds these records and no events, thrown away at the end."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "records.db"
        with Store.for_writing(path, create=True) as store, store.snapshot():
            store.restore([*records.batches, *records.files, *records.tags])
            yield store


def known_records(lake: Layout) -> Records:
    """What a lake holds.

    Raises:
        WrongUsage: that is nothing.
    """
    records = lake.records()
    if not records.batches:
        raise WrongUsage(f"the lake {lake.root} holds no batch; start with: ledger publish")
    return records
