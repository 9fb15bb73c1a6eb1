"""How the benchmarks read what their command lines have in common."""

from __future__ import annotations

import argparse
from collections.abc import Collection


def numbers(text: str) -> list[int]:
    """Numbers separated by commas."""
    return [int(part) for part in text.split(",")]


class Among:
    """Reads names separated by commas, each of them one of some."""

    def __init__(self, names: Collection[str]) -> None:
        """Say which names there are."""
        self._names = names

    def __call__(self, text: str) -> list[str]:
        """The names in a text; an error of the command line where one is none of them."""
        parts = text.split(",")
        for part in parts:
            if part not in self._names:
                raise argparse.ArgumentTypeError(f"{part} is none of {', '.join(self._names)}")
        return parts
