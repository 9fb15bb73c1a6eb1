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
    # `month=202503` stays a text, as it is on DuckDB.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    # A cast that fails is an error and not a NULL; a sum too large is one too.
    "spark.sql.ansi.enabled": "true",
    # No event is passed over, whatever a cluster has been told of files.
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
    # Spark's 200 are for a cluster: each of them is a task, and some files.
    "spark.sql.shuffle.partitions": str(4 * (os.cpu_count() or 1)),
}


@contextmanager
def spark_session(master: str | None = None, remote: str | None = None) -> Iterator[SparkSession]:
    """A session of Spark for as long as it is needed; what fails in it is told as an error.

    Where the process has a session already, as in a notebook, it is one beside that, of the same
    application: there is one Spark in a process. Else it is started, and stopped at the end.

    Args:
        master: `local[*]`, `spark://…`, `yarn`, `k8s://…`; by default all cores of this machine.
        remote: `sc://…`, a server of Spark Connect, in the place of a master.

    Raises:
        WrongUsage: both are named, or the process has a session on another master, or there is no
            Java.
        StorageFailed: it cannot be started, or what was run in it failed.
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
    there = active.conf.get("spark.master")
    if master not in (None, there):
        raise WrongUsage(
            f"this process has a session of Spark on {there} already; leave out the master, or "
            f"stop that session for one on {master}"
        )
    return active.newSession()


def _started(master: str, remote: str | None) -> SparkSession:
    builder = SparkSession.builder.appName("ledger")
    if remote:
        return builder.remote(remote).getOrCreate()
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise WrongUsage(
            "Spark needs Java 17 or later, and there is none; install it, or name a server of "
            "Spark Connect with --remote"
        )
    # Else the workers would take whatever Python comes first on the path.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if master.startswith("local"):
        # Else it would take an address by which others reach this machine.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        for name, value in _ON_THIS_MACHINE.items():
            builder = builder.config(name, value)
    return builder.master(master).getOrCreate()


def _gist(error: Exception) -> str:
    """The line that says what went wrong, of many that say where; of a file also what to do."""
    lines = str(error).strip().splitlines()
    # Of what failed in Python, on a worker, the last line of the traceback.
    told = [line for line in lines if _PYTHON_ERROR.match(line)]
    # What failed in Java stands after a line that says which call failed.
    java = [_JAVA_ERROR.sub("", line) for line in lines if line.startswith(": ")]
    gist = (told or java or lines or [type(error).__name__])[0]
    hint = "; whether the lake is whole tells: ledger verify --lake" if ".parquet" in gist else ""
    return gist.strip() + hint
