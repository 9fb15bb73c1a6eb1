"""Two editions side by side, for as many questions as one has of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from typing import TypeVar

from ledger.datasets.support.bridge import Bridge, Cause, read_bridge, read_causes
from ledger.datasets.support.measures import month_label
from ledger.lineage.diff import Diff, RowChange, count_differences, differing_rows
from ledger.model.periods import Month
from ledger.replay.replay import Replay

Item = TypeVar("Item")


class Comparison:
    """Two editions side by side, as `Ledger.compare` gives them.

    It is asked one thing at a time: a question ends what is still being read for the one before.

    Attributes:
        before: the one.
        after: the other.
    """

    def __init__(self, before: Replay, after: Replay) -> None:
        """Hold two editions that lie side by side in one store."""
        self._before, self._after = before, after
        self._streams = ExitStack()
        self.before = before.edition
        self.after = after.edition

    def close(self) -> None:
        """End what is still being read."""
        self._streams.close()

    def diff(self) -> Diff:
        """As `Ledger.diff`."""
        self.close()
        return count_differences(self._before, self._after)

    def diff_rows(self) -> Iterator[RowChange]:
        """As `Ledger.diff_rows`."""
        return self._stream(differing_rows(self._after))

    def bridge(self, month: Month | str | None = None) -> Bridge:
        """As `Ledger.bridge`."""
        self.close()
        return read_bridge(self._before, self._after, _label(month))

    def bridge_causes(
        self, month: Month | str | None = None, *, most: int | None = None
    ) -> Iterator[Cause]:
        """As `Ledger.bridge_causes`."""
        label = _label(month)
        return self._stream(read_causes(self._before, self._after, label, most))

    def _stream(self, items: Generator[Item, None, None]) -> Iterator[Item]:
        self.close()
        return self._streams.enter_context(closing(items))


def _label(month: Month | str | None) -> str | None:
    return None if month is None else month_label(month)
