"""Tasks of Spark that each process one file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from ledger.delivery.discovery import Delivery
from ledger.engines.spark.worker import Job
from ledger.errors import WrongUsage
from ledger.version import __version__


@dataclass(frozen=True, slots=True)
class Tasks:
    """Work on files, one task of Spark for each.

    Attributes:
        session: of Spark.
        draft: the folder for drafts, at the same path on every machine.
    """

    session: SparkSession
    draft: Path

    def jobs(self, deliveries: Iterable[Delivery]) -> list[Job]:
        """The job of a task for each file."""
        return [Job(os.path.abspath(d.path), d.table, d.kind, str(self.draft)) for d in deliveries]

    def run(self, task: str, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        """Run a task of `ledger.engines.spark.worker` for each job, and return their results.

        Raises:
            WrongUsage: a worker has no ledger, or another version of it; or does not have the
                folder for drafts.
        """
        plain, version = [job.to_dict() for job in jobs], __version__

        def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            # Spark sends this function by value, so that it also runs on a worker without a ledger.
            try:
                from ledger.version import __version__ as found
            except ImportError:
                found = ""
            for number in (n for batch in batches for n in batch.column(0).to_pylist()):
                answer: dict[str, Any] = {"version": found}
                if found == version:
                    from ledger.engines.spark.worker import run_task

                    answer = run_task(task, plain[number])
                yield pa.RecordBatch.from_pydict({"number": [number], "text": [json.dumps(answer)]})

        if not jobs:
            return []
        rows = self._numbers(len(jobs)).mapInArrow(run, "number long, text string").collect()
        return [_result(json.loads(row["text"])) for row in sorted(rows, key=lambda r: r["number"])]

    def columns(self, paths: Sequence[Path], names: Sequence[str], types: str) -> DataFrame:
        """Columns of files of Parquet, and first the number of the file, from 0.

        The reader of Spark is not used, as it interprets some characters of a path as patterns.

        Args:
            paths: of the files.
            names: of the columns that are read.
            types: the columns of the result in the syntax of Spark, that of the number included.
        """
        files, columns = [str(path) for path in paths], list(names)

        def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            import pyarrow.parquet as pq

            for number in (n for batch in batches for n in batch.column(0).to_pylist()):
                with open(files[number], "rb") as file:
                    for some in pq.ParquetFile(file).iter_batches(columns=columns):
                        numbers = pa.array([number] * len(some), pa.int64())
                        arrays = [numbers, *(some.column(name) for name in columns)]
                        yield pa.RecordBatch.from_arrays(arrays, names=outward)

        outward = [part.split()[0] for part in types.split(", ")]
        return self._numbers(len(files)).mapInArrow(run, types)

    def _numbers(self, count: int) -> DataFrame:
        """The numbers from 0, each in a task of its own."""
        return self.session.range(0, count, 1, numPartitions=count)


def _result(answer: dict[str, Any]) -> dict[str, Any]:
    """The result of a task.

    Raises:
        WrongUsage: the task could not start.
    """
    if "version" in answer:
        found = f"has ledger {answer['version']}" if answer["version"] else "has no ledger"
        raise WrongUsage(
            f"a worker of Spark {found}, and this is {__version__}; on every worker: "
            f"pip install 'month-ledger=={__version__}'"
        )
    if "missing_folder" in answer:
        raise WrongUsage(
            f"a worker of Spark does not have the folder {answer['missing_folder']}; a lake must "
            "be at the same path on every machine"
        )
    result: dict[str, Any] = answer["result"]
    return result
