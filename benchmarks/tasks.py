"""The tasks of `tasks.toml`: who does each by which commands, and the goals."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to do a task.

    Attributes:
        who: the ledger, an engine or a peer.
        commands: run and measured one after the other, in an empty folder `{out}`.
        before: commands that are run before each run, and not measured.
        after: commands that are run once at the end, and not measured.
        needs: packages and programs without which this way is left out.
        outputs: files in `{out}` that must have the same rows as those of the ledger.
        same_bytes: files in `{out}` that must have the same bytes.
        own_clock: whether the command measures its seconds, and prints them.
        time: the goal for the ledger's share of this way's seconds.
        memory: the goal for the ledger's share of its memory.
    """

    who: str
    commands: list[str]
    before: list[str] = []
    after: list[str] = []
    needs: list[str] = []
    outputs: list[str] = []
    same_bytes: list[str] = []
    own_clock: bool = False
    time: float | None = None
    memory: float | None = None


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task, and the ways to do it.

    Attributes:
        part: what the command line calls it.
        name: what is done.
        ways: the ledger's way first.
        each_month: whether it is done as of the last, a middle and the first month.
        seconds: the goal for the ledger's seconds at 1,000,000 events.
        mib: the goal for its memory at any number of events.
        growth: the goal for the exponent with which its seconds grow.
        month: as of which month, where that is one of several.
    """

    part: str
    name: str
    ways: list[Way]
    each_month: bool = False
    seconds: float | None = None
    mib: float = 160
    growth: float = 1.1
    month: str = "last"


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All tasks, and the files that their commands name: a path, then the commands to make it."""

    files: dict[str, list[str]]
    tasks: list[Task]


PLAN = msgspec.toml.decode(Path(__file__).with_suffix(".toml").read_bytes(), type=Plan)
MONTHS = {"last": "last month", "middle": "a middle month", "first": "first month"}


def tasks(parts: tuple[str, ...]) -> list[Task]:
    """Return the tasks of some parts, of which `engines` names several; of all where none is named."""
    found = []
    for task in PLAN.tasks:
        if parts and not task.part.startswith(parts):
            continue
        for month in MONTHS if task.each_month else ("last",):
            name = f"{task.name}: {MONTHS[month]}" if task.each_month else task.name
            found.append(msgspec.structs.replace(task, name=name, month=month))
    return found
