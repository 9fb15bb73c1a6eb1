"""Time the SQL statements of a command of the ledger; what remains is Python.

A statement is timed where the ledger passes it to SQLite, and a query fetch by fetch. Python's part
includes reading and checking files, hashing, printing, but not the start of the interpreter.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from inspect import isgeneratorfunction
from operator import itemgetter
from time import perf_counter
from typing import Any

import click

from ledger.cli import main as ledger
from ledger.store.event_store import Store

METHODS = ("execute", "insert", "longest_row", "rows", "chunks")
SHOWN = 6


class StatementClock:
    """Adds up the seconds of each kind of statement, by its label."""

    def __init__(self) -> None:
        self._within = 0.0
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def timing(self, label: str) -> Iterator[None]:
        """Add what is done within this to the seconds of a statement."""
        start, outer, self._within = perf_counter(), self._within, 0.0
        try:
            yield
        finally:
            spent = perf_counter() - start
            # One statement may read the rows of another, which has its own time.
            self.seconds[label] += spent - self._within
            self._within = outer + spent

    def timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method of `Store` whose calls, or fetches, are timed."""

        def call(store: Store, sql: str, *arguments: Any) -> Any:
            label = (
                f"INSERT INTO {sql} (row by row)" if method.__name__ == "insert" else _label(sql)
            )
            with self.timing(label):
                return method(store, sql, *arguments)

        def fetch(store: Store, sql: str, *arguments: Any) -> Iterator[Any]:
            end = object()
            with closing(method(store, sql, *arguments)) as results:
                while True:
                    with self.timing(_label(sql)):
                        found = next(results, end)
                    if found is end:
                        return
                    yield found

        return fetch if isgeneratorfunction(method) else call


def _label(sql: str) -> str:
    """Return what a statement does to which tables."""
    text = " ".join(sql.split())
    if text.startswith(("INSERT", "DELETE", "CREATE", "DROP", "COMMIT")):
        return text.partition("(")[0].strip()[:60]
    tables = dict.fromkeys(re.findall(r"\b(?:FROM|JOIN) ([a-z_.]+)", text))
    return f"{text.split(' ')[0]} FROM {', '.join(tables)}"[:60]


def profiled(arguments: Sequence[str]) -> None:
    """Run a command, and print the longest statements on standard error."""
    clock = StatementClock()
    for name in METHODS:
        setattr(Store, name, clock.timed(getattr(Store, name)))
    start = perf_counter()
    try:
        ledger(arguments, standalone_mode=False)
    finally:
        whole = perf_counter() - start
        longest = sorted(clock.seconds.items(), key=itemgetter(1), reverse=True)[:SHOWN]
        click.echo(f"{whole:8.2f} s  in all", err=True)
        for label, seconds in [*longest, ("Python", whole - sum(clock.seconds.values()))]:
            click.echo(f"{seconds:8.2f} s  {seconds / whole:4.0%}  {label}", err=True)
