"""The ledger's own answers as functions of SQL, so that there is one definition of each of them.

Each calls the method of `Ledger` that the command of its name calls, and gives as JSON what that
prints with `--format json`. A long list is given in stretches of `ENTRIES`. A blank argument stands
for the default, and where there is none the function gives NULL: nothing was asked yet.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ledger.errors import WrongUsage
from ledger.ledger import Ledger
from ledger.model.presentation import plain
from ledger.web.limits import Watch

if TYPE_CHECKING:
    from datasette.utils.sqlite import sqlite3

ENTRIES = 1000
"""How many rows, contributions, causes or findings one call gives at the most."""

STEPS = 10_000
"""How many steps of SQLite's are between two looks at the clock."""

Item = TypeVar("Item")
Text = str | None


class Functions:
    """The functions, for all connections to one ledger.

    Attributes:
        ledger: that answers.
    """

    def __init__(self, path: Path) -> None:
        """Answer from the ledger at `path`, opened anew for each call."""
        self.ledger = Ledger(path)
        self._thread = threading.local()

    def register(self, connection: sqlite3.Connection, seconds: float) -> None:
        """Add the functions to a connection.

        Args:
            connection: to which.
            seconds: how long a query may take besides the first answer of the ledger in it.
        """
        for function in (
            self._state,
            self._history,
            self._explain,
            self._bridge,
            self._causes,
            self._findings,
        ):
            name = f"ledger{function.__name__}"
            count = function.__code__.co_argcount - 1
            call = self._kept(function, connection, seconds)
            connection.create_function(name, count, call, deterministic=True)

    @contextmanager
    def raising(self) -> Iterator[None]:
        """Raise, at the end, what a function that was called meanwhile in this thread raised.

        SQLite would tell that it failed, and not why.
        """
        self._thread.error, self._thread.is_answered = None, False
        with Watch() as self._thread.watch:
            yield
        if self._thread.error:
            raise self._thread.error

    def _kept(
        self, function: Callable[..., Any], connection: sqlite3.Connection, seconds: float
    ) -> Callable[..., str | None]:
        def call(*arguments: object) -> str | None:
            try:
                with self._thread.watch.paused():
                    result = function(*(_text(argument) for argument in arguments))
                return None if result is None else json.dumps(result, ensure_ascii=False)
            except Exception as error:
                self._thread.error = error
                return None
            finally:
                # What a command may take, its page may take; but not row by row without end.
                if not self._thread.is_answered:
                    end_after(connection, seconds)
                self._thread.is_answered = True

        return call

    def _state(self, table: Text, as_of: Text, known_at: Text, after: Text) -> Any:
        """The rows of a table as of an edition, in the order of the key, after a key."""
        if not table:
            return None
        return self.ledger.at(as_of, known_at=known_at).state(
            table, after=after or "", most=ENTRIES
        )

    def _history(self, table: Text, key: Text, as_of: Text, known_at: Text) -> Any:
        """`ledger history`."""
        if not table or not key:
            return None
        return plain(self.ledger.at(as_of, known_at=known_at).history(table, key))

    def _explain(
        self,
        month: Text,
        center: Text,
        department: Text,
        measure: Text,
        as_of: Text,
        known_at: Text,
        skip: Text,
    ) -> Any:
        """`ledger explain`, with a stretch of the contributions."""
        if not month:
            return None
        result = self.ledger.at(as_of, known_at=known_at).explain(
            month, center, department, measure=measure
        )
        some = tuple(_stretch(result.contributions, skip))
        return plain(replace(result, contributions=some))

    def _bridge(self, before: Text, after: Text, month: Text, skip: Text) -> Any:
        """`ledger bridge` without the causes, with a stretch of the rows that moved."""
        if not before or not after:
            return None
        result = self.ledger.compare(before, after).bridge(month)
        moved = _stretch((row for row in result.rows if row.steps), skip)
        return plain(replace(result, rows=tuple(moved)))

    def _causes(self, before: Text, after: Text, month: Text, skip: Text) -> Any:
        """A stretch of the causes of `ledger bridge`."""
        if not before or not after:
            return None
        return plain(_stretch(self.ledger.compare(before, after).bridge_causes(month), skip))

    def _findings(self, code: Text, as_of: Text, known_at: Text, skip: Text) -> Any:
        """`ledger check`: a stretch of the findings, or of those of one code."""
        found = self.ledger.at(as_of, known_at=known_at).check().findings
        return plain(_stretch((f for f in found if code in (None, f.code)), skip))


def end_after(connection: sqlite3.Connection, seconds: float) -> None:
    """Have what a connection is running end when so many seconds from now are over."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, STEPS)


def _text(argument: object) -> Text:
    """An argument as text; None for NULL and for blank, as a form gives it."""
    return str(argument).strip(" \t") or None if argument is not None else None


def _stretch(items: Iterable[Item], skip: Text) -> list[Item]:
    """So many items after those to be skipped.

    Raises:
        WrongUsage: that is no count.
    """
    if skip and not (skip.isascii() and skip.isdigit() and len(skip) < 10):
        raise WrongUsage(f"what to skip is a number such as {ENTRIES}, not {skip!r}")
    start = int(skip or 0)
    return list(islice(items, start, start + ENTRIES))
