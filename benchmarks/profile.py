"""Tells where a command of the ledger spends its time: the longest SQL statements, and the rest.

    python -m benchmarks.profile ingest --data-dir folder --db folder.db

Each statement is timed where the ledger hands it to SQLite; what a query gives row by row is timed
fetch by fetch. What remains is Python: reading and checking files, hashing, printing. The start of
the interpreter is not in it.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Sequence
from operator import itemgetter
from time import perf_counter
from typing import Any

from ledger.cli import main as command
from ledger.store.database import Record
from ledger.store.event_store import Store

SHOWN = 6
LABEL_LENGTH = 60
_START = perf_counter()


class StatementClock:
    """Adds up the seconds of each kind of statement.

    Attributes:
        seconds: by label.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._within = 0.0
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def timed(self, label: str, work: Callable[[], Any]) -> Any:
        """Do something, and add the seconds that it took."""
        start, outer, self._within = perf_counter(), self._within, 0.0
        try:
            return work()
        finally:
            spent = perf_counter() - start
            # Rows that one statement takes may be those of another, which has its own time.
            self.seconds[label] += spent - self._within
            self._within = outer + spent

    def attach(self) -> None:
        """Time whatever goes through a `Store`."""
        execute, insert, longest_row = Store.execute, Store.insert, Store.longest_row

        def timed_execute(store: Store, sql: str, parameters: Sequence[Any] = ()) -> int:
            return int(self.timed(_label(sql), lambda: execute(store, sql, parameters)))

        def timed_insert(
            store: Store, table: str, columns: Sequence[str], rows: Iterable[Record]
        ) -> None:
            label = f"INSERT INTO {table} (row by row)"
            self.timed(label, lambda: insert(store, table, columns, rows))

        def timed_row(store: Store, sql: str, most: int) -> Any:
            return self.timed(_label(sql), lambda: longest_row(store, sql, most))

        timed: dict[str, Any] = {
            "execute": timed_execute,
            "insert": timed_insert,
            "longest_row": timed_row,
        }
        timed |= {name: self._timed_query(getattr(Store, name)) for name in ("rows", "chunks")}
        for name, method in timed.items():
            setattr(Store, name, method)

    def _timed_query(self, query: Callable[..., Generator[Any, None, None]]) -> Any:
        def timed_query(store: Store, sql: str, *arguments: Any) -> Generator[Any, None, None]:
            label, end = _label(sql), object()
            results = query(store, sql, *arguments)
            try:
                while (found := self.timed(label, lambda: next(results, end))) is not end:
                    yield found
            finally:
                results.close()

        return timed_query


def _label(sql: str) -> str:
    """What a statement does to which table, shortly."""
    text = " ".join(sql.split())
    if text.startswith(("INSERT", "DELETE", "CREATE", "COMMIT")):
        return text.partition("(")[0].strip()[:LABEL_LENGTH]
    tables = dict.fromkeys(re.findall(r"\b(?:FROM|JOIN) ([a-z_.]+)", text))
    return f"{text.split(' ')[0]} FROM {', '.join(tables)}"[:LABEL_LENGTH]


def main() -> None:
    """Run a command, and print the table on standard error."""
    clock = StatementClock()
    clock.attach()
    try:
        command(sys.argv[1:], standalone_mode=False)
    finally:
        whole = perf_counter() - _START
        parts = sorted(clock.seconds.items(), key=itemgetter(1), reverse=True)[:SHOWN]
        rest = whole - sum(clock.seconds.values())
        print(f"{whole:8.2f} s  in all", file=sys.stderr)
        for label, seconds in [*parts, ("Python", rest)]:
            print(f"{seconds:8.2f} s  {seconds / whole:4.0%}  {label}", file=sys.stderr)


if __name__ == "__main__":
    main()
