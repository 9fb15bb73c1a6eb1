"""The readers: each reads a CSV file as a usual script would, or with everything as text.

A reader gives what it read, or raises whatever it raises.
"""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
from click.testing import CliRunner
from pyarrow import csv as arrow_csv
from sqlite_utils.cli import cli as sqlite_utils_cli

SECONDS = 60


class Refused(Exception):
    """A reader that is a command ended with an error."""


@dataclass(frozen=True)
class Read:
    """What was read: the names of the columns, and the values row by row, None for blank."""

    names: list[str]
    rows: list[list[Any]]


Reader = Callable[[Path, Sequence[str]], Read]


def pandas_defaults(path: Path, _: Sequence[str]) -> Read:
    """`pandas.read_csv(path)`."""
    return _from_pandas(pd.read_csv(path))


def pandas_text(path: Path, _: Sequence[str]) -> Read:
    """`pandas.read_csv(path, dtype=str, keep_default_na=False)`."""
    return _from_pandas(pd.read_csv(path, dtype=str, keep_default_na=False))


def _from_pandas(frame: Any) -> Read:
    rows = [[None if pd.isna(v) else v for v in row] for row in frame.to_numpy(dtype=object)]
    return Read([str(name) for name in frame.columns], rows)


def duckdb_defaults(path: Path, _: Sequence[str]) -> Read:
    """`SELECT * FROM read_csv(path)`."""
    return _from_duckdb("SELECT * FROM read_csv(?)", path)


def duckdb_text(path: Path, _: Sequence[str]) -> Read:
    """`SELECT * FROM read_csv(path, all_varchar = true, header = true)`."""
    return _from_duckdb("SELECT * FROM read_csv(?, all_varchar = true, header = true)", path)


def _from_duckdb(sql: str, path: Path) -> Read:
    with duckdb.connect() as connection:
        cursor = connection.execute(sql, [str(path)])
        names = [name for name, *_ in cursor.description]
        return Read(names, [list(row) for row in cursor.fetchall()])


def polars_defaults(path: Path, _: Sequence[str]) -> Read:
    """`polars.read_csv(path)`."""
    return _from_polars(pl.read_csv(path))


def polars_text(path: Path, _: Sequence[str]) -> Read:
    """`polars.read_csv(path, infer_schema=False)`."""
    return _from_polars(pl.read_csv(path, infer_schema=False))


def _from_polars(frame: Any) -> Read:
    return Read(frame.columns, [list(row) for row in frame.rows()])


def pyarrow_defaults(path: Path, _: Sequence[str]) -> Read:
    """`pyarrow.csv.read_csv(path)`."""
    return _from_arrow(arrow_csv.read_csv(path))


def pyarrow_text(path: Path, columns: Sequence[str]) -> Read:
    """The same with the expected columns as strings, and line ends allowed in quotes."""
    parse = arrow_csv.ParseOptions(newlines_in_values=True)
    convert = arrow_csv.ConvertOptions(column_types={name: pa.string() for name in columns})
    return _from_arrow(arrow_csv.read_csv(path, parse_options=parse, convert_options=convert))


def _from_arrow(table: Any) -> Read:
    columns = [column.to_pylist() for column in table.columns]
    return Read(table.column_names, [list(row) for row in zip(*columns, strict=True)])


def sqlite_utils_defaults(path: Path, _: Sequence[str]) -> Read:
    """`sqlite-utils insert data.db t FILE --csv`."""
    return _by_sqlite_utils(path)


def sqlite_utils_text(path: Path, _: Sequence[str]) -> Read:
    """`sqlite-utils insert data.db t FILE --csv --no-detect-types`."""
    return _by_sqlite_utils(path, "--no-detect-types")


def _by_sqlite_utils(path: Path, *options: str) -> Read:
    database = path.with_suffix(".db")
    arguments = ["insert", str(database), "t", str(path), "--csv", *options]
    result = CliRunner().invoke(sqlite_utils_cli, arguments)
    if result.exit_code:
        raise Refused(result.output)
    return _from_sqlite(database)


def sqlite3_shell(path: Path, _: Sequence[str]) -> Read:
    """`sqlite3 data.db ".import --csv FILE t"`."""
    database = path.with_suffix(".db")
    command = ["sqlite3", str(database), f".import --csv '{path}' t"]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise Refused(done.stderr.decode(errors="replace"))
    return _from_sqlite(database)


def _from_sqlite(database: Path) -> Read:
    with closing(sqlite3.connect(database)) as connection:
        connection.text_factory = lambda some: some.decode(errors="surrogateescape")
        try:
            cursor = connection.execute("SELECT * FROM t")
        except sqlite3.OperationalError as error:
            raise Refused(str(error)) from error  # No table was made.
        return Read([name for name, *_ in cursor.description], [list(row) for row in cursor])


READERS: dict[str, Reader] = {
    "pandas": pandas_defaults,
    "pandas, as text": pandas_text,
    "DuckDB": duckdb_defaults,
    "DuckDB, as text": duckdb_text,
    "polars": polars_defaults,
    "polars, as text": polars_text,
    "pyarrow": pyarrow_defaults,
    "pyarrow, as text": pyarrow_text,
    "sqlite-utils": sqlite_utils_defaults,
    "sqlite-utils, as text": sqlite_utils_text,
    "sqlite3 shell": sqlite3_shell,
}


def versions() -> str:
    """The versions of all of them."""
    shell = subprocess.run(["sqlite3", "--version"], capture_output=True, text=True, check=True)
    named = {
        "pandas": pd.__version__,
        "DuckDB": duckdb.__version__,
        "polars": pl.__version__,
        "pyarrow": pa.__version__,
        "sqlite-utils": version("sqlite-utils"),
        "sqlite3 shell": shell.stdout.split()[0],
    }
    return ", ".join(f"{name} {version}" for name, version in named.items())
