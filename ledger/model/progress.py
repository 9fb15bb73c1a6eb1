"""How far something is that takes long, as it is told to whoever wants to know."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Is told how much is done and how much there is in all, 0 where that is not known."""

Advance = Callable[[int], object]
"""Is told that so much more is done."""


def unheard(_: int) -> None:
    """Tell nobody."""


class Tally:
    """Adds up what is done, and tells how much that is of all."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        """Start with nothing done.

        Args:
            total: how much there is to do; 0 where that is not known.
            progress: is told; None where nobody wants to know.
        """
        self._total = total
        self._progress = progress
        self._done = 0

    def advance(self, some: int) -> None:
        """Tell that so much more is done."""
        self.reach(self._done + some)

    def reach(self, done: int) -> None:
        """Tell that so much is done since the start."""
        self._done = min(done, self._total) if self._total else done
        self.tell()

    def tell(self) -> None:
        """Tell again what was told last: the time goes on."""
        if self._progress:
            self._progress(self._done, self._total)
