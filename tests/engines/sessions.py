"""One Spark within the process of the tests: small, on two cores, heard by nobody else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL = "127.0.0.1"

JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""No JVM of the tests lives long enough to earn back what its better compiler costs."""

SETTINGS = {
    "spark.driver.host": LOCAL,
    "spark.driver.bindAddress": LOCAL,
    "spark.driver.memory": "512m",
    "spark.driver.extraJavaOptions": JVM,
    "spark.ui.enabled": "false",
    # By default it is 200: as many tasks for a handful of rows.
    "spark.sql.shuffle.partitions": "2",
}
"""What every Spark of the tests is told, wherever it runs."""


def surroundings(folder: Path) -> dict[str, str]:
    """The environment's variables for a Spark that keeps its files in a folder."""
    return {
        "SPARK_LOCAL_IP": LOCAL,
        "SPARK_LOCAL_DIRS": str(folder),
        # Else it is the first `python3` of the path, which may be another one.
        "PYSPARK_PYTHON": sys.executable,
    }


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The one session of the process, started when the first test asks for it."""
    from pyspark.sql import SparkSession

    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in surroundings(folder).items():
            patch.setenv(name, value)
        warehouse = {"spark.sql.warehouse.dir": str(folder / "warehouse")}
        builder = SparkSession.builder.master("local[2]").config(map={**SETTINGS, **warehouse})
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        try:
            yield session
        finally:
            session.stop()
