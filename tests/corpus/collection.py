"""The corpus: every malformed delivery, and samples of it."""

from __future__ import annotations

from functools import cache

from tests.corpus import characters, foreign, headers, names, structure
from tests.corpus.malformed import Malformed

MODULES = (characters, structure, headers, foreign, names)


@cache
def corpus() -> tuple[Malformed, ...]:
    """All malformed deliveries: each rule for every table, kind, line end and place."""
    return tuple(delivery for module in MODULES for delivery in module.deliveries())


def sample(of_each: int) -> list[Malformed]:
    """Some of each rule, spread so that tables, kinds, line ends and places take turns."""
    by_rule: dict[tuple[str, str], list[Malformed]] = {}
    for delivery in corpus():
        by_rule.setdefault((delivery.group, delivery.rule), []).append(delivery)
    chosen = []
    for number, variants in enumerate(by_rule.values()):
        count = min(of_each, len(variants))
        places = {(number * 7 + n * len(variants) // count) % len(variants) for n in range(count)}
        chosen += [variants[place] for place in sorted(places)]
    return chosen
