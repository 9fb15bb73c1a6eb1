"""Malformed deliveries are refused with the right code at the right place, and change nothing.

`python -m tests.corpus` runs all of them; here are some of each rule.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.corpus.checking import Workshop, as_process, in_process, workshop
from tests.corpus.collection import corpus, sample
from tests.corpus.malformed import Malformed

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no FIFOs or sockets")

OF_EACH_RULE = 3


@pytest.fixture(scope="module")
def ledgers() -> Iterator[Workshop]:
    with workshop() as made:
        yield made


def one_of_each_group() -> list[Malformed]:
    return list({delivery.group: delivery for delivery in sample(1)}.values())


def test_the_corpus_is_large_and_each_of_it_has_a_name_of_its_own() -> None:
    every = corpus()
    assert len({delivery.name for delivery in every}) == len(every) > 5000
    assert len({(delivery.group, delivery.rule) for delivery in every}) > 150


@pytest.mark.parametrize("delivery", sample(OF_EACH_RULE), ids=lambda delivery: delivery.name)
def test_a_malformed_delivery_is_refused(ledgers: Workshop, delivery: Malformed) -> None:
    assert ledgers.complaints(delivery, in_process) == []


@pytest.mark.parametrize("delivery", one_of_each_group(), ids=lambda delivery: delivery.name)
def test_it_is_refused_by_the_command_as_a_user_runs_it(
    ledgers: Workshop, delivery: Malformed
) -> None:
    assert ledgers.complaints(delivery, as_process) == []
