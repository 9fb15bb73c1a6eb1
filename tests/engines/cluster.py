"""A Spark cluster and a Spark Connect server, as processes of this machine that one can kill.

Both are real: what the installed package `pyspark` holds, one JVM for each master, worker, executor
and server. They listen on 127.0.0.1 alone, at ports that were free, and keep all files in a folder.
Programs that use them run as processes with `environment`, for a Python process has one Spark.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.commands import environment as of_a_user
from tests.engines.sessions import JVM, LOCAL, SETTINGS, surroundings

PATIENCE = 120.0
"""Seconds until what does not come is given up; a JVM on a busy machine takes its time."""

WORKERS = 2

QUICK = {
    "spark.executor.memory": "512m",
    "spark.executor.extraJavaOptions": JVM,
    # That somebody is gone is noticed within seconds, also where no connection breaks.
    "spark.executor.heartbeatInterval": "1s",
    "spark.network.timeout": "15s",
    "spark.network.timeoutInterval": "5s",
    "spark.worker.timeout": "10",
    # Whoever was killed does not come back: to ask it again is time lost.
    "spark.shuffle.io.maxRetries": "1",
    "spark.shuffle.io.retryWait": "1s",
    # A job begins when both executors are there, so that each has a part in it.
    "spark.cores.max": str(WORKERS),
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
    # Its port is always the same one, and nothing is submitted through it.
    "spark.master.rest.enabled": "false",
}
"""Settings with which Spark gets over the loss of an executor in seconds instead of minutes."""


@dataclass(frozen=True)
class Daemon:
    """A process that serves, with all that it has started.

    Attributes:
        process: the JVM. It leads a session, by which its executors and their Pythons are found.
        log: all that it prints.
    """

    process: subprocess.Popen[bytes]
    log: Path

    def told(self, pattern: str) -> str:
        """Wait for a line of the log, and return the group of the pattern."""
        within: list[str] = []

        def found() -> bool:
            text = self.log.read_text(encoding="utf-8", errors="replace")
            assert self.process.poll() is None, f"it ended: {text[-3000:]}"
            within.extend(re.findall(pattern, text))
            return bool(within)

        wait_for(found, f"{pattern!r} in {self.log}")
        return within[0]

    def members(self) -> list[int]:
        """The processes of its session that are still alive."""
        return [pid for pid, session in _sessions() if session == self.process.pid]

    def kill(self) -> None:
        """End it and all that it has started, with SIGKILL, and wait until they are gone."""

        def gone() -> bool:
            for pid in self.members():
                _kill(pid)
            # Until it is reaped its number is not given to another process.
            return not self.members()

        wait_for(gone, f"the end of the session {self.process.pid}")
        self.process.wait()


@dataclass(frozen=True)
class Cluster:
    """A master and its workers.

    Attributes:
        master: its URL, `spark://…`.
        workers: one core each.
        environment: for a program that uses the cluster; it holds the settings too.
        web: the address of the master's pages.
    """

    master: str
    workers: tuple[Daemon, ...]
    environment: dict[str, str]
    web: str

    def state(self) -> dict[str, Any]:
        """What the master knows: `workers`, `activeapps`, `completedapps` and more."""
        with urlopen(f"{self.web}/json/", timeout=PATIENCE) as response:
            told: dict[str, Any] = json.load(response)
        return told

    def living(self) -> int:
        """How many workers the master counts on."""
        return sum(worker["state"] == "ALIVE" for worker in self.state()["workers"])


@dataclass(frozen=True)
class Server:
    """A Spark Connect server.

    Attributes:
        remote: its URL, `sc://…`.
        daemon: its process; the tasks run in it.
        environment: for a program that uses the server.
    """

    remote: str
    daemon: Daemon
    environment: dict[str, str]


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster with two workers; at the end everything of it is killed.

    Args:
        folder: an empty one for logs and work.
    """
    environment = _environment(folder, {**SETTINGS, **QUICK})
    deploy = "org.apache.spark.deploy"
    listens = ("--host", LOCAL, "--port", "0", "--webui-port", "0")
    with ExitStack() as started:

        def daemon(name: str, *arguments: str) -> Daemon:
            return started.enter_context(_daemon(folder / name, environment, arguments))

        head = daemon("master", f"{deploy}.master.Master", *listens)
        master = head.told(rf"Starting Spark master at (spark://{LOCAL}:\d+)")
        port = head.told(rf"Bound MasterWebUI to {LOCAL}, and started at http://\S+:(\d+)")
        takes = ("--cores", "1", "--memory", "700m", "--work-dir", "work", master)
        workers = tuple(
            daemon(f"worker-{number}", f"{deploy}.worker.Worker", *listens, *takes)
            for number in range(1, WORKERS + 1)
        )
        for worker in workers:
            worker.told(r"Successfully registered with master (\S+)")
        yield Cluster(master, workers, environment, f"http://{LOCAL}:{port}")


@contextmanager
def connect_server(folder: Path, master: str = "local[2]") -> Iterator[Server]:
    """Start a Spark Connect server; at the end it is killed.

    Args:
        folder: an empty one for logs and work.
        master: where its tasks run.
    """
    listens = {"address": LOCAL, "port": "0"}
    binding = {f"spark.connect.grpc.binding.{name}": value for name, value in listens.items()}
    environment = _environment(folder, {**SETTINGS, **QUICK, **binding})
    service = ("--class", "org.apache.spark.sql.connect.service.SparkConnectServer")
    arguments = ("org.apache.spark.deploy.SparkSubmit", "--master", master, *service)
    with _daemon(folder / "server", environment, arguments) as daemon:
        port = daemon.told(rf"Spark Connect server started at: {LOCAL}:(\d+)")
        yield Server(f"sc://{LOCAL}:{port}", daemon, environment)


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Ask again and again until a condition holds; an AssertionError where it does not in time."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE:.0f} seconds for {what}"
        time.sleep(0.05)


def _environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    """The variables for daemons and programs, with the settings in a file of the folder."""
    spark = find_spec("pyspark")
    assert spark is not None
    assert spark.origin is not None
    lines = {**settings, "spark.sql.warehouse.dir": str(folder / "warehouse")}
    text = "".join(f"{name} {value}\n" for name, value in lines.items())
    (folder / "spark-defaults.conf").write_text(text, encoding="utf-8")
    foreign = re.compile("(PY)?SPARK_")
    return {
        **{name: value for name, value in of_a_user().items() if not foreign.match(name)},
        **surroundings(folder),
        "SPARK_HOME": str(Path(spark.origin).parent),
        "SPARK_CONF_DIR": str(folder),
        "SPARK_DAEMON_MEMORY": "512m",
        "SPARK_DAEMON_JAVA_OPTS": JVM,
    }


@contextmanager
def _daemon(
    folder: Path, environment: dict[str, str], arguments: tuple[str, ...]
) -> Iterator[Daemon]:
    """Start a class of Spark in a folder of its own; at the end kill all that came of it."""
    folder.mkdir()
    log = folder / "log"
    # Where the tests are killed themselves, the kernel ends the daemon.
    setpriv = shutil.which("setpriv")
    with_its_parent = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
    command = [*with_its_parent, f"{environment['SPARK_HOME']}/bin/spark-class", *arguments]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    daemon = Daemon(process, log)
    try:
        yield daemon
    finally:
        daemon.kill()


def _sessions() -> Iterator[tuple[int, int]]:
    """Every living process with its session. Pythons of executors leave the group, not that."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            stat = path.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended just now
        state, _, _, session = stat.rpartition(")")[2].split()[:4]
        if state not in "ZX":
            yield int(path.parent.name), int(session)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended just now
