"""Names ranked by a figure: the best of them, ties named as ties."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from ledger.text import listed


def best_of(
    values: Mapping[str, Fraction | None],
    choose: Callable[[list[Fraction]], Fraction] = max,
) -> list[str]:
    """The names with the greatest or the least value: several where they tie.

    Args:
        values: by name; those that are None are not ranked.
        choose: `max` or `min`.
    """
    ranked = {name: value for name, value in values.items() if value is not None}
    if not ranked:
        return []
    found = choose([*ranked.values()])
    return [name for name, value in ranked.items() if value == found]


def tied(names: Sequence[str]) -> str:
    """The best in a sentence: `A`, or `A and B (tied)`."""
    return names[0] if len(names) == 1 else f"{listed(names)} (tied)"
