"""The corpus: every malformed delivery, and samples of it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from random import Random

from tests.corpus import characters, foreign, headers, names, structure
from tests.corpus.malformed import Malformed

MODULES = (characters, structure, headers, foreign, names)


@cache
def corpus() -> tuple[Malformed, ...]:
    """All malformed deliveries: each rule for every table, kind, line end and place."""
    return tuple(delivery for module in MODULES for delivery in module.deliveries())


def sample(of_each: int, deliveries: Iterable[Malformed] | None = None) -> list[Malformed]:
    """Some of each rule, always the same: by chance, so that no table, kind or place is left out.

    Args:
        of_each: how many, where a rule has so many.
        deliveries: among which; by default the whole corpus.
    """
    by_rule: dict[tuple[str, str], list[Malformed]] = {}
    for delivery in corpus() if deliveries is None else deliveries:
        by_rule.setdefault((delivery.group, delivery.rule), []).append(delivery)
    return [
        delivery
        for rule, variants in by_rule.items()
        for delivery in Random(str(rule)).sample(variants, min(of_each, len(variants)))
    ]
