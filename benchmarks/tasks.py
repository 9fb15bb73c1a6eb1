"""The tasks of `tasks.toml`: who does each by which commands, and the goals."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to do a task: commands that are run one after the other, in an empty folder."""

    who: str
    commands: list[str]
    before: list[str] = []  # run before each run, and not measured
    after: list[str] = []  # run once at the end, and not measured
    needs: list[str] = []  # packages and programs without which this way is left out
    outputs: list[str] = []  # files that must have the same rows as the ledger's
    same_bytes: list[str] = []  # files that must have the same bytes as the ledger's
    own_clock: bool = False  # whether the command prints its seconds
    time: float | None = None  # the goal for the ledger's share of this way's seconds
    memory: float | None = None  # the goal for the ledger's share of its memory


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task, the ways to do it, of which the ledger's is the first, and goals for the ledger."""

    part: str
    name: str
    ways: list[Way]
    months: tuple[str, ...] = ("last",)  # as of which it is done; those of `MONTHS`
    seconds: float | None = None  # at 1,000,000 events
    mib: float = 160  # at any number of events
    growth: float = 1.1  # the exponent of the seconds


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All tasks, and the files that their commands name: a path, then the commands to make it."""

    files: dict[str, list[str]]
    tasks: list[Task]


PLAN = msgspec.toml.decode(Path(__file__).with_suffix(".toml").read_bytes(), type=Plan)
MONTHS = {"last": "last month", "middle": "a middle month", "first": "first month"}


def tasks(parts: tuple[str, ...]) -> list[Task]:
    """Return the tasks of some parts, or of all; `engines` names all parts that begin so."""
    found = []
    for task in PLAN.tasks:
        if parts and not task.part.startswith(parts):
            continue
        for month in task.months:
            name = f"{task.name}: {MONTHS[month]}" if len(task.months) > 1 else task.name
            found.append(msgspec.structs.replace(task, name=name, months=(month,)))
    return found
