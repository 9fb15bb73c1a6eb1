"""The files of a lake: reads and writes Parquet, and gives finished files their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.errors import LedgerDamaged
from ledger.files.atomic import sync


def file_name(number: int) -> str:
    """The name of the file of a batch, a delivered file or a tag with this number."""
    return f"{number:08}.parquet"


def read_parquet(path: Path, types: pa.Schema) -> pa.Table:
    """Read a file of Parquet that must have these columns.

    Raises:
        LedgerDamaged: the file is missing, cannot be read, or has other columns.
    """
    try:
        # Not read by its path, of which a folder `month=202503` would become a column.
        with open(path, "rb") as file:
            table = pq.read_table(file)
        if table.column_names == types.names:
            table = table.cast(types)
            # Invalid texts would otherwise be found only when they are read.
            table.validate(full=True)
            return table
    except (OSError, pa.ArrowException) as error:
        raise LedgerDamaged(f"{path} cannot be read: {error}; restore the lake") from error
    raise LedgerDamaged(f"{path} does not have the columns of a lake; restore the lake")


def read_events(path: Path, types: pa.Schema, size: int) -> Iterator[pa.RecordBatch]:
    """Read a file of events, in batches of at most `size`.

    Raises:
        LedgerDamaged: the file is missing, cannot be read, or has other columns or types.
    """
    try:
        with open(path, "rb") as handle, pq.ParquetFile(handle) as file:
            if not file.schema_arrow.equals(types):
                raise LedgerDamaged(f"{path} does not have the columns of a lake; restore the lake")
            for some in file.iter_batches(batch_size=size):
                some.validate(full=True)
                yield some
    except (OSError, pa.ArrowException) as error:
        raise LedgerDamaged(f"{path} cannot be read: {error}; restore the lake") from error


def write_table(path: Path, table: pa.Table) -> Path:
    """Write a table as a file of Parquet."""
    pq.write_table(table, path, compression="zstd")
    return path


def write_events(path: Path, events: pa.RecordBatchReader) -> Path:
    """Write the events of a file, a row group for each batch of the reader."""
    with pq.ParquetWriter(path, events.schema, compression="zstd") as writer:
        for some in events:
            writer.write_batch(some, row_group_size=len(some))
    return path


def move(moves: Mapping[Path, Path]) -> None:
    """Give finished files their names, one after the other, and wait until they are on disk.

    Args:
        moves: the final path of each draft.
    """
    folders: set[Path] = set()
    for draft in moves:
        sync(draft)
    for draft, path in moves.items():
        folders |= {path.parent, *_make(path.parent)}
        draft.replace(path)
    for folder in sorted(folders):
        sync(folder)


def _make(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the ones in which a name is new."""
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [place.parent for place in new]
