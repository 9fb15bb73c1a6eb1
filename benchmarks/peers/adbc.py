"""A projected table as Parquet by ADBC and pyarrow: `python -m benchmarks.peers.adbc LEDGER OUT`.

Times stay texts, which is less than the ledger does. A batch of rows becomes a row group.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
from adbc_driver_sqlite import StatementOptions, dbapi

from benchmarks.deliveries import HEADER
from benchmarks.peers.delivered import job

ROWS_AT_ONCE = 20_000


def main() -> None:
    """Write it."""
    wanted = job()
    path = wanted.out / "interactions_final.parquet"
    with (
        dbapi.connect(f"{Path(wanted.data).absolute().as_uri()}?mode=ro") as connection,
        connection.cursor() as cursor,
    ):
        cursor.adbc_statement.set_options(**{StatementOptions.BATCH_ROWS.value: str(ROWS_AT_ONCE)})
        cursor.execute(f"SELECT {HEADER} FROM interactions ORDER BY interaction_id")
        reader = cursor.fetch_record_batch()
        with pq.ParquetWriter(path, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)


if __name__ == "__main__":
    main()
