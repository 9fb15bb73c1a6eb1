"""Whoever publishes may be killed at any step: a lake has whole batches, and gets the others."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger import Ledger, VerificationFailed
from ledger.datasets.support.description import SUPPORT
from tests.attacks.scene import INITIAL
from tests.commands import PYTHON, ROOT, run
from tests.lake.lakes import (
    LAYOUTS,
    TABLES,
    assert_same,
    lake_of,
    publish,
    read,
    records_of,
    tree,
    verify,
)
from tests.strategies import small_file, write_data_folder

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

DELTA = small_file("agents", 202502, ["add", "A9", "Zoe", "C1", "2021-02-30"])


@dataclass(frozen=True)
class Killed:
    """A ledger, and the lakes that those left behind who were killed, by step; the last is whole.

    Attributes:
        ledger: with two batches and a tag.
        folder: of the lakes.
    """

    ledger: Ledger
    folder: Path

    def lakes(self, place: Path) -> list[Path]:
        """The lakes, in another folder."""
        shutil.copytree(self.folder, place)
        return sorted(place.iterdir(), key=lambda path: int(path.name))


def kill(folder: Path, layout: str) -> Killed:
    """Publish a ledger, and be killed at each step."""
    ledger, data, lakes = Ledger(folder / "ledger.db"), folder / "data", folder / "lakes"
    lakes.mkdir()
    ledger.ingest(files=write_data_folder(data, INITIAL[3:]), initial_month="202501")
    ledger.ingest(files=write_data_folder(data, [DELTA]))
    ledger.tag("signed")
    command = (PYTHON, "-W", "error", "-m", "tests.lake.kills", ledger.path, lakes, layout)
    ran = run(*command, cwd=ROOT, PYTHONPATH=str(ROOT))
    assert ran.code == 0, ran.err
    return Killed(ledger, lakes)


@pytest.fixture(scope="module", params=LAYOUTS)
def killed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    return kill(tmp_path_factory.mktemp("killed"), request.param)


@pytest.fixture
def other(tmp_path: Path) -> Ledger:
    """Another ledger, of another table: so that no table of events has something of both."""
    other = Ledger(tmp_path / "other.db")
    files = write_data_folder(tmp_path / "other", INITIAL[:1])
    other.ingest(files=files, initial_month="202501")
    return other


def assert_whole(root: Path, ledger: Ledger) -> None:
    """What a lake says that it has, it has, and it is the beginning of the ledger."""
    result = verify(root, ledger.path)
    assert result.faults == (), root
    known = records_of(root)
    with closing(sqlite3.connect(ledger.path)) as connection:
        for table in TABLES:
            paths = lake_of(root).event_files(SUPPORT.table(table), known)
            last = known.files[-1].file if known.files else 0
            found = {row["event_id"] for path in paths for row in read(path).to_pylist()}
            query = f"SELECT event_id FROM {table}_events WHERE file <= ?"
            assert found == {event for (event,) in connection.execute(query, (last,))}


def test_whole_batches_are_there_and_the_others_come_later(killed: Killed, tmp_path: Path) -> None:
    lakes = killed.lakes(tmp_path / "lakes")
    assert len(lakes) > 12
    whole, held = tree(lakes[-1]), set()
    assert_same(lakes[-1], killed.ledger)
    for root in lakes:
        if (root / "lake.json").exists():
            held.add(len(records_of(root).batches))
            assert_whole(root, killed.ledger)
        layout = publish(killed.ledger, root, layout_of(lakes[-1])).layout
        if layout == "parquet":
            assert tree(root) == whole
        else:
            assert_same(root, killed.ledger)
            assert_whole(root, killed.ledger)
    assert held == {0, 1, 2}


def test_what_another_ledger_began_is_not_mixed_with_ours(
    killed: Killed, other: Ledger, tmp_path: Path
) -> None:
    refused = 0
    lakes = killed.lakes(tmp_path / "lakes")
    for root in lakes:
        if not (root / "lake.json").exists():
            continue
        held, before = records_of(root).batches, tree(root)
        with suppress(VerificationFailed):
            publish(other, root)
        if tree(root) == before:
            refused += not held
        else:
            assert not held
            assert [batch.events for batch in records_of(root).batches] == [2]
            assert verify(root, other.path).faults == ()
    # Files of the same names go over those of a lake of Parquet.
    assert refused > 2 if layout_of(lakes[-1]) == "delta" else refused == 0


def test_a_copy_of_a_lake_goes_on_where_that_ended(killed: Killed, tmp_path: Path) -> None:
    lake = killed.lakes(tmp_path / "lakes")[-1]
    copy, ledger = tmp_path / "copy", Ledger(tmp_path / "ledger.db")
    shutil.copytree(lake, copy)
    shutil.copy(killed.ledger.path, ledger.path)
    ledger.retract("agents", "202502", "it was not meant for us")
    for root in (copy, lake):
        publish(ledger, root)
        assert_same(root, ledger)


def layout_of(root: Path) -> str:
    """The layout of a lake."""
    return lake_of(root).name
