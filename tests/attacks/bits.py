"""Flips bits of a ledger's file, one at a time."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from tests.attacks.attack import ALONE, verify
from tests.attacks.scene import Scene

HEADER_BITS = 100 * 8


def flips(scene: Scene, count: int, seed: int) -> list[int]:
    """The numbers of bits to flip: a part of them in the header of the file."""
    drawn = random.Random(seed)
    size = scene.ledger.stat().st_size * 8
    header = drawn.sample(range(HEADER_BITS), min(HEADER_BITS, count // 5))
    return sorted({*header, *drawn.sample(range(size), min(size, count - len(header)))})


def contents(ledger: Path) -> list[object]:
    """All that a ledger holds: its schema, and every row of every table."""
    with closing(sqlite3.connect(ledger)) as connection:
        objects = connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchall()
        pragmas = ("application_id", "user_version", "encoding")
        found: list[object] = [objects]
        found += [connection.execute(f"PRAGMA {name}").fetchall() for name in pragmas]
        for type, name, _ in objects:
            if type == "table":
                rows = connection.execute(f"SELECT * FROM {name}").fetchall()
                # As they are written: 1 is no 1.0, and NULL is no empty text.
                found.append(sorted(map(repr, rows)))
        return found


def flip_bits(scene: Scene, bits: Iterable[int], folder: Path) -> tuple[Counter[str], list[str]]:
    """Flip bits one at a time.

    Args:
        scene: is left as it is.
        bits: which ones.
        folder: to work in.

    Returns:
        how many had which outcome, and those where the outcome is wrong.
    """
    before, content = contents(scene.ledger), scene.ledger.read_bytes()
    copy = Scene(folder)
    counts: Counter[str] = Counter()
    wrong = []
    for bit in bits:
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        copy.ledger.write_bytes(flipped)
        for beside in ("-journal", "-wal", "-shm"):
            Path(f"{copy.ledger}{beside}").unlink(missing_ok=True)
        found = verify(copy, ALONE)
        if found.code:
            counts[f"exit code {found.code}"] += 1
        elif contents(copy.ledger) == before:
            counts["harmless: the contents are the same"] += 1
        else:
            wrong.append(f"bit {bit}: {found.says}")
    return counts, wrong
