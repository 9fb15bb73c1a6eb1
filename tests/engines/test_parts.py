"""The parts of a table that tasks of Spark write."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

pytest.importorskip("pyspark")

import pyarrow as pa

from ledger.engines.spark.parts import PartWriter
from ledger.files.atomic import synced_file
from ledger.model.dataset import Column, Type
from ledger.outputs.json import OBJECT_END

COLUMNS = (Column("key", "A key."), Column("count", "A count.", Type.INTEGER))
ROWS = pa.RecordBatch.from_pydict({"key": ["a", "b"], "count": [1, 2]})
NOTHING = ROWS.slice(0, 0)


@pytest.mark.parametrize("batches", [[ROWS], [ROWS, NOTHING], [NOTHING, ROWS, ROWS, NOTHING]])
def test_the_last_part_of_json_has_the_digest_of_its_bytes(
    tmp_path: Path, batches: list[pa.RecordBatch]
) -> None:
    writer = PartWriter(str(tmp_path), COLUMNS, "json", "UTC")
    with synced_file(tmp_path / "part") as file:
        rows, as_last = writer._write(file, batches)
    content = (tmp_path / "part").read_bytes()
    assert rows == sum(map(len, batches))
    assert file.size == len(content)
    assert file.digest.hexdigest() == hashlib.sha256(content).hexdigest()
    assert as_last == hashlib.sha256(content.removesuffix(OBJECT_END)).hexdigest()
