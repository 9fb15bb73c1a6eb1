"""What readers of CSV make of malformed deliveries, odd texts and odd values.

Each reads a file as a usual script would, or with everything as text; it returns the names of the
columns and the rows, or raises whatever it raises.
"""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
from click.testing import CliRunner
from pyarrow import csv as arrow_csv
from sqlite_utils.cli import cli as sqlite_utils_cli

from benchmarks.cases import Case, all_cases, columns_of, is_exact
from benchmarks.tables import heading, markdown
from ledger import Ledger
from tests.corpus.sound import placed
from tests.strategies import COLUMNS, small_file, write_data_folder

FATES = ("refused", "changed", "exact")
Read = tuple[Sequence[str], Sequence[Sequence[Any]]]
Reader = Callable[[Path, Sequence[str]], Read]


def by_ledger(path: Path, columns: Sequence[str]) -> Read:
    """Ingest the file after sound others, and read the events that it brought."""
    table = next(name for name in COLUMNS if columns[0] == COLUMNS[name][0])
    ledger = Ledger(path.parent / "ledger.db")
    others = [small_file(name, None) for name in COLUMNS if name != table or "action" in columns]
    data = path.parent / "others"
    ledger.ingest(files=write_data_folder(data, others), initial_month="202502")
    ledger.ingest(files=[path])
    last = f"{table}_events WHERE file = (SELECT max(file) FROM files) ORDER BY event_id"
    return _from_sqlite(ledger.path, f"SELECT {', '.join(columns)} FROM {last}")


def by_pandas(path: Path, **options: Any) -> Read:
    """`pandas.read_csv`."""
    frame = pd.read_csv(path, **options)
    rows = [[None if pd.isna(v) else v for v in row] for row in frame.to_numpy(dtype=object)]
    return [str(name) for name in frame.columns], rows


def by_duckdb(path: Path, options: str = "") -> Read:
    """`SELECT * FROM read_csv`."""
    with duckdb.connect() as connection:
        cursor = connection.execute(f"SELECT * FROM read_csv(?{options})", [str(path)])
        return [name for name, *_ in cursor.description], cursor.fetchall()


def by_polars(path: Path, **options: Any) -> Read:
    """`polars.read_csv`."""
    frame = pl.read_csv(path, **options)
    return frame.columns, frame.rows()


def by_pyarrow(path: Path, columns: Sequence[str] = ()) -> Read:
    """`pyarrow.csv.read_csv`; given columns are strings, and may have line ends in quotes."""
    parse = arrow_csv.ParseOptions(newlines_in_values=bool(columns))
    convert = arrow_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()))
    table = arrow_csv.read_csv(path, parse_options=parse, convert_options=convert)
    values = (column.to_pylist() for column in table.columns)
    return table.column_names, list(zip(*values, strict=True))


def by_sqlite_utils(path: Path, *options: str) -> Read:
    """`sqlite-utils insert data.db t FILE --csv`."""
    database = path.with_suffix(".db")
    arguments = ["insert", str(database), "t", str(path), "--csv", *options]
    CliRunner().invoke(sqlite_utils_cli, arguments, catch_exceptions=False, standalone_mode=False)
    return _from_sqlite(database, "SELECT * FROM t")


def by_shell(path: Path) -> Read:
    """`sqlite3 data.db ".import --csv FILE t"`."""
    database = path.with_suffix(".db")
    command = ["sqlite3", str(database), f".import --csv '{path}' t"]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    return _from_sqlite(database, "SELECT * FROM t")


def _from_sqlite(database: Path, sql: str) -> Read:
    with closing(sqlite3.connect(database)) as connection:
        connection.text_factory = lambda some: some.decode(errors="surrogateescape")
        cursor = connection.execute(sql)
        return [name for name, *_ in cursor.description], cursor.fetchall()


READERS: dict[str, Reader] = {
    "ledger": by_ledger,
    "pandas": lambda path, _: by_pandas(path),
    "pandas, as text": lambda path, _: by_pandas(path, dtype=str, keep_default_na=False),
    "DuckDB": lambda path, _: by_duckdb(path),
    "DuckDB, as text": lambda path, _: by_duckdb(path, ", all_varchar = true, header = true"),
    "polars": lambda path, _: by_polars(path),
    "polars, as text": lambda path, _: by_polars(path, infer_schema=False),
    "pyarrow": lambda path, _: by_pyarrow(path),
    "pyarrow, as text": by_pyarrow,
    "sqlite-utils": lambda path, _: by_sqlite_utils(path),
    "sqlite-utils, as text": lambda path, _: by_sqlite_utils(path, "--no-detect-types"),
    "sqlite3 shell": lambda path, _: by_shell(path),
}


def fate(case: Case, reader: Reader) -> str:
    """Have a reader read a file, in a folder of its own, and return one of `FATES`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / placed(case.table, case.kind).rpartition("/")[2]
        path.write_bytes(case.content)
        try:
            names, rows = reader(path, columns_of(case))
        except Exception:
            return "refused"
        except BaseException as error:
            # An error that a library written in Rust does not translate.
            if type(error).__name__ == "PanicException":
                return "refused"
            raise
    return "exact" if is_exact(case, names, rows) else "changed"


def print_tables(by_rule: bool, cases: Iterable[Case] | None = None) -> None:
    """Print how many files each reader refused, changed and read exactly, by group or by rule."""
    sections: dict[str, dict[str, dict[str, Counter[str]]]] = {}
    for case in all_cases() if cases is None else cases:
        rows = sections.setdefault(case.section, {"total": defaultdict(Counter)})
        group = f"{case.group}: {case.name}" if by_rule else case.group
        row = rows.setdefault(group, defaultdict(Counter))
        for name, reader in READERS.items():
            found = fate(case, reader)
            row[name][found] += 1
            rows["total"][name][found] += 1
    print(heading())
    for section, rows in sections.items():
        rows["total"] = rows.pop("total")  # to the end
        lines = [
            [
                _visible(group),
                *(" / ".join(str(row[name][one]) for one in FATES) for name in READERS),
            ]
            for group, row in rows.items()
        ]
        print(f"{section}: {' / '.join(FATES)}\n\n{markdown(['', *READERS], lines)}\n")


def _visible(text: str) -> str:
    """Return a text that fits into a cell of a table."""
    return text.encode("unicode_escape").decode().replace("|", "\\|")
