"""Write a projected table as Parquet: `python -m benchmarks.peers.adbc LEDGER OUT`.

Times remain texts, which is less than the ledger does. A batch of rows becomes a row group.
"""

from __future__ import annotations

import pyarrow.parquet as pq
from adbc_driver_sqlite import StatementOptions, dbapi

from benchmarks.deliveries import HEADER
from benchmarks.peers import folders

ROWS_AT_ONCE = "20000"


def main() -> None:
    """Write it."""
    ledger, out = folders()
    with (
        dbapi.connect(f"{ledger.absolute().as_uri()}?mode=ro") as connection,
        connection.cursor() as cursor,
    ):
        cursor.adbc_statement.set_options(**{StatementOptions.BATCH_ROWS.value: ROWS_AT_ONCE})
        cursor.execute(f"SELECT {HEADER} FROM interactions ORDER BY interaction_id")
        reader, path = cursor.fetch_record_batch(), out / "interactions_final.parquet"
        with pq.ParquetWriter(path, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch)


if __name__ == "__main__":
    main()
