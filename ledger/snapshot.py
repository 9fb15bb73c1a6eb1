"""Two editions side by side, for as many questions as one has of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from typing import TypeVar

from ledger.datasets.support.bridge import Bridge, Cause, read_bridge, read_causes
from ledger.datasets.support.measures import month_label
from ledger.lineage.diff import Diff, RowChange, count_differences, differing_rows
from ledger.model.dataset import DataSet
from ledger.model.editions import Edition
from ledger.model.periods import Month
from ledger.store.event_store import Store

Item = TypeVar("Item")


class Comparison:
    """Two editions side by side, as `Ledger.compare` gives them.

    It is asked one thing at a time: a question ends what is still being read for the one before.

    Attributes:
        before: the one.
        after: the other.
    """

    def __init__(self, store: Store, dataset: DataSet, before: Edition, after: Edition) -> None:
        """Hold a store in which the editions lie side by side."""
        self._store = store
        self._dataset = dataset
        self._streams = ExitStack()
        self.before = before
        self.after = after

    def close(self) -> None:
        """End what is still being read."""
        self._streams.close()

    def diff(self) -> Diff:
        """As `Ledger.diff`."""
        self.close()
        return count_differences(self._store, self._dataset, self.before, self.after)

    def diff_rows(self) -> Iterator[RowChange]:
        """As `Ledger.diff_rows`."""
        return self._stream(differing_rows(self._store, self._dataset))

    def bridge(self, month: Month | str | None = None) -> Bridge:
        """As `Ledger.bridge`."""
        self.close()
        return read_bridge(self._store, self.before, self.after, _label(month))

    def bridge_causes(
        self, month: Month | str | None = None, *, most: int | None = None
    ) -> Iterator[Cause]:
        """As `Ledger.bridge_causes`."""
        label = _label(month)
        return self._stream(read_causes(self._store, self.before, self.after, label, most))

    def _stream(self, items: Generator[Item, None, None]) -> Iterator[Item]:
        self.close()
        return self._streams.enter_context(closing(items))


def _label(month: Month | str | None) -> str | None:
    return None if month is None else month_label(month)
