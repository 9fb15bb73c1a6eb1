"""A session of Spark: on this machine, on a cluster, or through Spark Connect."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from ledger.errors import StorageFailed, WrongUsage

DEFAULT_MASTER = "local[*]"

_SETTINGS = {
    # `month=202503` stays a text, as in DuckDB.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    # A cast that fails is an error and not a NULL; so is a sum that is too large.
    "spark.sql.ansi.enabled": "true",
    # No event is left out, whatever the settings of a cluster.
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}

_PYTHON_ERROR = re.compile(r"[A-Za-z_][\w.]*(Error|Exception): ")

_JAVA_ERROR = re.compile(r": (?:[\w$]+\.)+[\w$]+: ")

_LOGGING = Path(__file__).with_name("log4j2.properties")

_ON_THIS_MACHINE = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.defaultJavaOptions": f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}",
    # The 200 of Spark are for a cluster: each of them is a task, and some files.
    "spark.sql.shuffle.partitions": str(4 * (os.cpu_count() or 1)),
}


@contextmanager
def spark_session(master: str | None = None, remote: str | None = None) -> Iterator[SparkSession]:
    """Open a session of Spark, and translate its errors.

    If the process has a session already, as in a notebook, the new one belongs to the same
    application, as a process has one Spark. Else Spark is started, and stopped at the end.

    Args:
        master: `local[*]`, `spark://…`, `yarn`, `k8s://…`; by default all cores of this machine.
        remote: `sc://…`, a server of Spark Connect, in the place of a master.

    Raises:
        WrongUsage: both are named, or the process has a session on another master, or Java is not
            installed.
        StorageFailed: Spark cannot be started, or a job failed.
    """
    if master and remote:
        raise WrongUsage("--master and --remote are two ways to Spark: name one of them")
    started = None
    try:
        active = None if remote else SparkSession.getActiveSession()
        if active is not None:
            session = _beside(active, master)
        else:
            session = started = _started(master or DEFAULT_MASTER, remote)
        for name, value in _SETTINGS.items():
            session.conf.set(name, value)
        yield session
    except (PySparkException, Py4JError) as error:
        raise StorageFailed(f"Spark failed: {_gist(error)}") from error
    finally:
        if started is not None:
            started.stop()


def _beside(active: SparkSession, master: str | None) -> SparkSession:
    """Another session of the application that the process has."""
    existing = active.conf.get("spark.master")
    if master not in (None, existing):
        raise WrongUsage(
            f"this process has a session of Spark on {existing} already; leave out the master, or "
            f"stop that session for one on {master}"
        )
    return active.newSession()


def _started(master: str, remote: str | None) -> SparkSession:
    builder = SparkSession.builder.appName("ledger")
    if remote:
        return builder.remote(remote).getOrCreate()
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise WrongUsage(
            "Spark needs Java 17 or later, and none is installed; install it, or name a server of "
            "Spark Connect with --remote"
        )
    # Otherwise the workers would use the first Python on the path.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if master.startswith("local"):
        # Otherwise Spark would use an address that other machines can reach.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        for name, value in _ON_THIS_MACHINE.items():
            builder = builder.config(name, value)
    return builder.master(master).getOrCreate()


def _gist(error: Exception) -> str:
    """The line of an error with its cause; for one of a file, also what to do."""
    lines = str(error).strip().splitlines()
    # For an error in Python, on a worker, the last line of the traceback.
    python = [line for line in lines if _PYTHON_ERROR.match(line)]
    # The cause of an error in Java follows a line that names the call that failed.
    java = [_JAVA_ERROR.sub("", line) for line in lines if line.startswith(": ")]
    gist = (python or java or lines or [type(error).__name__])[0]
    hint = (
        "; to check that the lake is complete: ledger verify --lake" if ".parquet" in gist else ""
    )
    return gist.strip() + hint
