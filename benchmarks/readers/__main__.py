"""`python -m benchmarks.readers`: who refuses, who changes, who reads exactly; as Markdown."""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from benchmarks.readers.delivered import (
    Case,
    columns_of,
    is_exact,
    malformed_case,
    text_cases,
    value_cases,
)
from benchmarks.readers.peers import READERS, Read, Reader, versions
from ledger import Ledger, __version__
from tests.corpus.collection import corpus, sample
from tests.corpus.sound import placed
from tests.strategies import COLUMNS, small_file, write_data_folder

OF_EACH_RULE = 3
EXTRACT_MONTH = "202502"
NOT_A_FILE = "names and places"


class Fate(StrEnum):
    """What a reader did with a file."""

    REFUSED = "refused"
    CHANGED = "changed"
    EXACT = "exact"


def main() -> None:
    """Read every case with every reader, and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readers", description=__doc__)
    parser.add_argument("--rules", action="store_true", help="print a line for each rule too")
    by_rule = parser.parse_args().rules
    print(f"ledger {__version__}, {versions()}\n")
    found: dict[str, dict[tuple[str, str], dict[str, Counter[Fate]]]] = {}
    for case in cases():
        rows = found.setdefault(case.section, {})
        row = rows.setdefault((case.group, case.name), defaultdict(Counter))
        for name, reader in {"ledger": read_by_ledger, **READERS}.items():
            row[name][fate(case, reader)] += 1
    for section, rows in found.items():
        groups: dict[str, dict[str, Counter[Fate]]] = {}
        for (group, _), row in rows.items():
            for name, fates in row.items():
                groups.setdefault(group, defaultdict(Counter))[name] += fates
        print_table(section, groups)
    if by_rule:
        for section, rows in found.items():
            print_table(section, {f"{group}: {name}": row for (group, name), row in rows.items()})


def cases() -> Iterator[Case]:
    """All files to be read."""
    # Some read a CRLF in quotes as LF, which would hide what they make of the fault.
    chosen = [d for d in corpus() if d.group != NOT_A_FILE and b"\r\n" not in d.content]
    yield from map(malformed_case, sample(OF_EACH_RULE, chosen))
    yield from text_cases()
    yield from value_cases()


def fate(case: Case, reader: Reader) -> Fate:
    """Have a reader read a file, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / placed(case.table, case.kind).rpartition("/")[2]
        path.write_bytes(case.content)
        try:
            read = reader(path, columns_of(case))
        except Exception:
            return Fate.REFUSED
        except BaseException as error:
            # Errors that a library lets through from another language.
            if type(error).__name__ == "PanicException":
                return Fate.REFUSED
            raise
    return Fate.EXACT if is_exact(case, read) else Fate.CHANGED


def read_by_ledger(path: Path, columns: Sequence[str]) -> Read:
    """`ledger ingest FILE`, and the events that it recorded."""
    table = next(name for name in COLUMNS if columns[0] == COLUMNS[name][0])
    ledger = Ledger(path.parent / "ledger.db")
    others = [small_file(name, None) for name in COLUMNS if name != table or "action" in columns]
    data = path.parent / "others"
    ledger.ingest(files=write_data_folder(data, others), initial_month=EXTRACT_MONTH)
    ledger.ingest(files=[path])
    return recorded(ledger, table, columns)


def recorded(ledger: Ledger, table: str, columns: Sequence[str]) -> Read:
    """The events of the last file, in its order."""
    sql = (
        f"SELECT {', '.join(columns)} FROM {table}_events "
        "WHERE file = (SELECT max(file) FROM files) ORDER BY event_id"
    )
    with closing(sqlite3.connect(ledger.path)) as connection:
        return Read(list(columns), [list(row) for row in connection.execute(sql)])


def print_table(section: str, rows: dict[str, dict[str, Counter[Fate]]]) -> None:
    """Print how many were refused / changed / read exactly, by reader."""
    names = ["ledger", *READERS]
    print(f"\n{section}: refused / changed / exact\n")
    print(f"| | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    total: dict[str, Counter[Fate]] = defaultdict(Counter)
    for group, row in rows.items():
        print(f"| {visible(group)} | {' | '.join(shown(row[name]) for name in names)} |")
        for name in names:
            total[name] += row[name]
    print(f"| total | {' | '.join(shown(total[name]) for name in names)} |")


def shown(fates: Counter[Fate]) -> str:
    """Three numbers."""
    return " / ".join(str(fates[fate]) for fate in Fate)


def visible(text: str) -> str:
    """A text that fits into a cell of a table."""
    return text.encode("unicode_escape").decode().replace("|", "\\|")


if __name__ == "__main__":
    main()
