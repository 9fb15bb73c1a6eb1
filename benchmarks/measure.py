"""Measures commands from outside: wall seconds, and the most memory that each process held.

Of a command that starts others all count together, where that is asked for: see `memory.py`.

A process counts the memory of the one that started it as its own until it has loaded its program.
So this one has to stay small: see `floor`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from benchmarks.memory import watched

MIB = 2**20
ERRORS_SHOWN = 4000


class CommandFailed(Exception):
    """A command that was to be measured, or to prepare that, ended with an error."""


@dataclass(frozen=True)
class Sample:
    """One measurement.

    Attributes:
        seconds: of wall time.
        mib: the most memory that was resident, in MiB.
    """

    seconds: float
    mib: float


@dataclass(frozen=True)
class Step:
    """A command to be measured.

    Attributes:
        name: what it does.
        argv: the program and its arguments.
        tells_seconds: whether it measures the time itself, and prints it in its last line.
    """

    name: str
    argv: tuple[str, ...]
    tells_seconds: bool = False


def _nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Contender:
    """Who does a thing, and how.

    Attributes:
        name: `ledger`, or a peer.
        steps: the commands, one after the other.
        prepare: called before each run, and not measured.
        checks: commands that hold what was done to what the ledger did, run once at the end.
        time_goal: of the ledger's time, as a share of this peer's.
        memory_goal: of its memory likewise.
    """

    name: str
    steps: tuple[Step, ...]
    prepare: Callable[[], None] = _nothing
    checks: tuple[tuple[str, ...], ...] = ()
    time_goal: float | None = None
    memory_goal: float | None = None


@dataclass(frozen=True)
class Measure:
    """A thing that is measured.

    Attributes:
        name: what is done.
        ours: how the ledger does it.
        peers: who else does it.
        seconds_goal: the most that the ledger may take for 1,000,000 events.
        mib_goal: the most memory that it may hold, whatever the events.
        growth_goal: the highest exponent with which its time may grow with the events.
    """

    name: str
    ours: Contender
    peers: tuple[Contender, ...] = ()
    seconds_goal: float | None = None
    mib_goal: float = 160
    growth_goal: float = 1.1


@dataclass
class Measured:
    """What was found of a measure, for a number of events.

    Attributes:
        measure: what was done.
        events: how many of interactions.
        samples: by contender and step, one for each run.
    """

    measure: Measure
    events: int
    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)

    def of(self, contender: Contender) -> list[Sample]:
        """Of all steps of a contender together: seconds in all, memory of the largest."""
        runs = zip(
            *(self.samples[contender.name, step.name] for step in contender.steps), strict=True
        )
        return [
            Sample(sum(one.seconds for one in run), max(one.mib for one in run)) for run in runs
        ]


@dataclass(frozen=True)
class Runner:
    """Runs commands.

    Attributes:
        work: the folder for what they print.
        environment: theirs.
        with_all_it_starts: whether the memory is that of all its processes together.
    """

    work: Path
    environment: dict[str, str]
    with_all_it_starts: bool = False

    def measure(self, measure: Measure, events: int, repeat: int) -> Measured:
        """Run all contenders in turn, so often, and check what they did."""
        measured = Measured(measure, events)
        contenders = [measure.ours, *measure.peers]
        for number in range(repeat):
            for contender in contenders:
                contender.prepare()
                for step in contender.steps:
                    print(f"{events:,} {measure.name} {number + 1}/{repeat}: {contender.name} "
                          f"{step.name}", file=sys.stderr, flush=True)  # fmt: skip
                    sample = self.run(step)
                    measured.samples.setdefault((contender.name, step.name), []).append(sample)
                    print(f"  {sample.seconds:.2f} s, {sample.mib:.0f} MiB", file=sys.stderr)
        for contender in contenders:
            for check in contender.checks:
                self.run(Step("check", check))
        return measured

    def run(self, step: Step) -> Sample:
        """Run a command.

        Raises:
            CommandFailed: with what it printed.
        """
        out, errors = self.work / "stdout.txt", self.work / "stderr.txt"
        writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(out), writing, 0o644),
            (os.POSIX_SPAWN_OPEN, 2, str(errors), writing, 0o644),
        ]
        start = perf_counter()
        process = os.posix_spawnp(step.argv[0], step.argv, self.environment, file_actions=actions)
        with watched(process) if self.with_all_it_starts else nullcontext() as tree:
            _, status, used = os.wait4(process, 0)
            seconds = perf_counter() - start
        if status:
            told = errors.read_text(encoding="utf-8", errors="replace")[-ERRORS_SHOWN:]
            code = os.waitstatus_to_exitcode(status)
            raise CommandFailed(f"{' '.join(step.argv)}\nended with {code}:\n{told}")
        if step.tells_seconds:
            seconds = float(out.read_text(encoding="utf-8").split()[-1])
        # The kernel misses nothing, but tells of the largest process alone.
        return Sample(seconds, max(used.ru_maxrss * 1024 / MIB, tree.mib if tree else 0.0))

    def floor(self) -> float:
        """The memory that even a command which holds none seems to hold, in MiB."""
        return self.run(Step("nothing", ("true",))).mib


def environment(root: Path) -> dict[str, str]:
    """The environment of the commands: modules are those of `root`, no option is set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    return {**kept, "PYTHONPATH": str(root), "PYTHONUTF8": "1", "COLUMNS": "120"}
