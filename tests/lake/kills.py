"""Kills whoever publishes, at each step: `python -m tests.lake.kills LEDGER FOLDER LAYOUT`.

For each number there is a process that dies when it comes to the step of that number, and the lake
that it leaves behind, `FOLDER/1` and so on; the last one has no such step, and its lake is whole. A
step is a call by which something gets its place or comes to the disk, and dies before it or after.

This process forks, and so has done nothing before that would start a thread.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from ledger import Ledger
from tests.lake.lakes import publish

KILLED = 77


def kill_at(number: int, layout: str) -> None:
    """Make the process die at a step."""
    calls = count(1)

    def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            if next(calls) == number:
                os._exit(KILLED)
            return function(*arguments, **named)

        return called

    places: list[tuple[Any, str]] = [(os, "link"), (os, "mkdir"), (Path, "replace")]
    if layout == "delta":
        # As `ledger.lake.delta` has them; where there is no such package, nobody comes here.
        delta = importlib.import_module("ledger.lake.delta")
        table = delta.DeltaTable
        places += [(delta, "write_deltalake"), (table, "create_write_transaction")]
        table.create = deadly(table.create)
    for owner, name in places:
        setattr(owner, name, deadly(getattr(owner, name)))


def main(ledger: Path, folder: Path, layout: str) -> None:
    """Leave behind a lake for each step."""
    # Once, and not in each process; for the first array pyarrow imports pandas, if that is there.
    for name in ("pendulum", f"ledger.lake.{layout}"):
        importlib.import_module(name)
    pa.array([])
    for number in count(1):
        child = os.fork()
        if child == 0:
            kill_at(number, layout)
            publish(Ledger(ledger), folder / str(number), layout)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code == 0:
            return
        assert code == KILLED, code


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
