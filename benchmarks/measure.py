"""Measure commands from outside, as whole processes: wall and CPU seconds, and peak memory.

Until a process has loaded its program, the kernel counts the memory of the process that started it
as its own. So this module must import little: see `floor`.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import click
import psutil

ROOT = Path(__file__).resolve().parent.parent
MIB = 2**20
SECONDS_BETWEEN = 0.2
GROWTH = 1.03
"""How far resident memory must exceed its last peak before shared pages are accounted for.

That takes some 40 ms for a JVM of 1 GiB, which slows down what is measured.
"""


class BenchmarkFailed(click.ClickException):
    """A command ended with an error, or wrote something else than the ledger."""


@dataclass(frozen=True)
class Sample:
    """One measurement: wall seconds, CPU seconds, and the peak memory in MiB."""

    seconds: float
    cpu: float
    mib: float


@contextmanager
def watched(root: int) -> Iterator[list[float]]:
    """Add up the memory of a process and its descendants again and again, in a thread.

    Yields:
        The peaks so far in MiB, the last the highest; a page that several share is counted once.
    """
    process, peaks, done = psutil.Process(root), [0.0], Event()

    def watch() -> None:
        seen = 0.0
        while not done.wait(SECONDS_BETWEEN):
            with suppress(psutil.Error):  # one of them ended meanwhile
                processes = [process, *process.children(recursive=True)]
                resident = sum(one.memory_info().rss for one in processes)
                # The kernel knows the peak of a single process.
                if len(processes) > 1 and resident > seen * GROWTH:
                    seen = resident
                    together = sum(one.memory_full_info().pss for one in processes) / MIB
                    peaks.append(max(peaks[-1], together))

    thread = Thread(target=watch, name="memory")
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()


def run(command: Sequence[str], *, own_clock: bool = False) -> Sample:
    """Run a command and measure it; with `own_clock` its last line of output has the seconds.

    Raises:
        BenchmarkFailed: the command ended with an error.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=_environment()
        )
        with watched(process.pid) as peaks:
            _, status, used = os.wait4(process.pid, 0)
            seconds = perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            errors.seek(0)
            said = errors.read().decode(errors="replace")[-4000:]
            raise BenchmarkFailed(f"{' '.join(command)}\nended with {process.returncode}:\n{said}")
        if own_clock:
            output.seek(0)
            seconds = float(output.read().split()[-1])
    # The kernel's figure misses no peak, but is that of the largest process alone.
    return Sample(seconds, used.ru_utime + used.ru_stime, max(used.ru_maxrss / 1024, peaks[-1]))


def floor() -> float:
    """Return the memory in MiB that even an empty process appears to take."""
    return run(["true"]).mib


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "120"}
