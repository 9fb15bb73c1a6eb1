"""Replays of an open store, by the edition that a test asks for."""

from __future__ import annotations

from ledger.datasets.support.description import SUPPORT
from ledger.model.dataset import DataSet
from ledger.model.editions import Edition, EditionName
from ledger.model.periods import Month
from ledger.replay.replay import Replay
from ledger.store.event_store import Store


def replay_of(
    store: Store,
    edition: Edition | int | None = None,
    batch: int | None = None,
    dataset: DataSet = SUPPORT,
) -> Replay:
    """The replay of an edition; by default of the latest, or as of a month, known at a batch."""
    records = store.records()
    if not isinstance(edition, Edition):
        as_of = None if edition is None else Month(edition)
        edition = records.edition(EditionName(as_of, batch))
    return Replay(store, dataset, records, edition)
