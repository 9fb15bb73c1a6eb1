"""The Spark within the process of the tests, and what is said where something is missing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.engines.needs import java, missing, needs_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@needs_spark
def test_tasks_run_with_the_python_of_the_tests(spark: SparkSession) -> None:
    def interpreter(_: Iterator[Any]) -> Iterator[Any]:
        import sys

        import pyarrow

        yield pyarrow.RecordBatch.from_pydict({"at": [sys.executable]})

    found = spark.range(0, 2, 1, 2).mapInArrow(interpreter, "at string").collect()
    assert [row["at"] for row in found] == [sys.executable] * 2


@needs_spark
def test_nobody_else_hears_the_session(spark: SparkSession) -> None:
    settings = spark.sparkContext.getConf()
    assert settings.get("spark.driver.bindAddress") == "127.0.0.1"
    assert settings.get("spark.ui.enabled") == "false"
    assert spark.sparkContext.uiWebUrl is None


def test_what_is_missing_is_named_with_the_way_to_get_it() -> None:
    assert missing("pytest") == ""
    told = missing("pytest", "no_such_package")
    assert told == "not installed: no_such_package (with: python3 dev.py engines)"


def test_the_java_of_the_settings_comes_before_that_of_the_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JAVA_HOME", "/no/such/java")
    assert java() is None
