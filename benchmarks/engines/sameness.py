"""Whether the engines wrote the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

_AT_ONCE = 2**20


class OutputsDiffer(Exception):
    """Two engines wrote something else where they have to write the same."""


def same_bytes(outputs: Mapping[str, Path]) -> str:
    """The SHA-256 of what all have written.

    Args:
        outputs: by who wrote it, a file, or a folder of parts that are one file in their order.

    Raises:
        OutputsDiffer: not all have the same.
    """
    digests = {name: digest(path) for name, path in outputs.items()}
    if len({*digests.values()}) > 1:
        told = "\n".join(f"{name}: {found} {outputs[name]}" for name, found in digests.items())
        raise OutputsDiffer(f"the engines differ:\n{told}")
    return next(iter(digests.values()))


def digest(path: Path) -> str:
    """The SHA-256 of a file, or of the parts in a folder, one after the other.

    Raises:
        OutputsDiffer: there is nothing.
    """
    parts = sorted(path.glob("part-*")) if path.is_dir() else [path]
    if not parts or not parts[0].exists():
        raise OutputsDiffer(f"nothing was written to {path}")
    found = hashlib.sha256()
    for part in parts:
        with open(part, "rb") as file:
            while some := file.read(_AT_ONCE):
                found.update(some)
    return found.hexdigest()
