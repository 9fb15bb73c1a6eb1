"""A little of each part of `python -m tests.faults`, and that it notices a broken ledger."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from tests.faults import strace
from tests.faults.generated import SMALL
from tests.faults.injections import Injection, Scene, injections, scenes
from tests.faults.kills import killed_exports, killed_ingests
from tests.faults.powercuts import cut_exports, cut_ingests
from tests.faults.product import PRODUCT, Launcher, altered
from tests.faults.together import many_readers, two_writers
from tests.faults.trials import Tally, Trial, run_all

WHY_NOT = strace.why_not()
SEED = "short"
JOBS = 2

pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))


def tried(trials: Iterable[Trial]) -> Tally:
    """Run trials; none may break the claim."""
    tally = run_all(trials, ThreadPoolExecutor(JOBS))
    assert not tally.broken
    assert tally.counts["trials"]
    return tally


def noticed(trials: Iterable[Trial], what: str) -> bool:
    """Run trials against what is broken on purpose; say whether that was noticed."""
    return any(what in cause for cause in run_all(trials, ThreadPoolExecutor(JOBS)).broken)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    """An ingest into a ledger, a first ingest, and an export."""
    return list(scenes(tmp_path_factory.mktemp("stage")))


def killed_halfway(scene: Scene, call: str, launcher: Launcher) -> list[Injection]:
    """The command of a scene, killed in the midst of the calls of a name."""
    ordinals = [change.ordinal for change in scene.changes() if change.name == call]
    killed = replace(scene, launcher=launcher)
    return [Injection(killed, call, ordinals[len(ordinals) // 2], "SIGKILL")]


def test_a_killed_ingest_leaves_whole_batches(tmp_path: Path) -> None:
    tried(killed_ingests(tmp_path, 3, SEED, PRODUCT, "first"))


def test_a_killed_export_leaves_whole_files(tmp_path: Path) -> None:
    tried(killed_exports(tmp_path, 3, SEED, PRODUCT, (SMALL, SMALL), ("csv",)))


@pytest.mark.parametrize(("number", "every"), [(0, 131), (1, 397), (2, 43)])
def test_a_fault_at_a_call_leaves_whole_batches_and_files(
    stage: list[Scene], number: int, every: int
) -> None:
    tally = tried(islice(injections(stage[number]), 0, None, every))
    assert tally.counts["faults that hit"] == tally.counts["trials"]


def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    tally = tried(cut_ingests(tmp_path, 40, SEED, sizes=(SMALL, SMALL)))
    assert tally.counts["hot journals"]
    assert tally.counts["acknowledged"]


def test_a_power_cut_leaves_exported_files_whole(tmp_path: Path) -> None:
    tried(cut_exports(tmp_path, 50, SEED))


def test_of_two_writers_one_waits(tmp_path: Path) -> None:
    tried(two_writers(tmp_path, 1, (SMALL, SMALL)))


def test_readers_see_whole_batches_while_others_are_recorded(tmp_path: Path) -> None:
    tried(many_readers(tmp_path, (SMALL,) * 3, 1, readers=4))


@pytest.mark.parametrize("level", ["off", "full"])
def test_the_cuts_notice_a_ledger_that_does_not_wait_for_the_disk(
    tmp_path: Path, level: str
) -> None:
    launcher = altered(f"synchronous={level}")
    assert noticed(cut_ingests(tmp_path, 40, SEED, launcher, (SMALL, SMALL)), "a loss")


def test_the_kills_notice_a_ledger_without_transactions(stage: list[Scene], tmp_path: Path) -> None:
    ingest = replace(stage[0], folder=tmp_path)
    halfway = killed_halfway(ingest, "pwrite64", altered("no-transaction"))
    assert noticed(halfway, "files and events differ")


def test_the_kills_notice_exports_that_are_written_in_place(
    stage: list[Scene], tmp_path: Path
) -> None:
    in_place = altered("in-place")
    export = replace(stage[2], folder=tmp_path, launcher=in_place)
    assert noticed(killed_halfway(export, "write", in_place), "is torn")
