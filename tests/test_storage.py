"""Storage that fails: what is said of it is what then stands in the ledger."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ledger import IngestOptions, Ledger, MonthIngest, RecordingFailed, StorageFailed
from ledger.cli import main
from ledger.store.event_store import Store
from tests.commands import LEDGER, invoke_ledger, run, run_ledger
from tests.media import SmallDisk, small_disk
from tests.strategies import DeliveredFile, small_file, write_data_folder

EXTRACT = small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Atlanta"))
FEBRUARY = small_file("contact_centers", 202502, ("update", "CC1", "Boston MA"))
MARCH = small_file("contact_centers", 202503, ("delete", "CC2"))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger of an extract; a delta of the month after it has come."""
    write_data_folder(tmp_path / "data", [EXTRACT])
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(tmp_path / "data", initial_month="202501")
    write_data_folder(tmp_path / "data", [FEBRUARY])
    return ledger


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


# A commit that fails

Recording = Callable[[Ledger, Path], object]


def ingest(ledger: Ledger, data: Path) -> object:
    return ledger.ingest(data)


def retract(ledger: Ledger, data: Path) -> object:
    return ledger.retract("contact_centers", "202501", "not ours")


def tag(ledger: Ledger, data: Path) -> object:
    return ledger.tag("signed")


def project(ledger: Ledger, data: Path) -> object:
    return ledger.project()


recordings = pytest.mark.parametrize("record", [ingest, retract, tag, project])


def fail_to_commit(patch: pytest.MonkeyPatch, *, after: bool, then: Callable[[], object]) -> None:
    """Have the disk fail at a commit, before or after all of it is on the disk."""
    execute = Store.execute

    def fail(store: Store, sql: str, parameters: Any = ()) -> int:
        changed = 0
        if sql != "COMMIT" or after:
            changed = execute(store, sql, parameters)
        if sql == "COMMIT":
            then()
            raise StorageFailed("reading or writing the disk failed")
        return changed

    patch.setattr(Store, "execute", fail)


def nothing() -> None:
    """What happens between a failure and the look at what was recorded."""


def recorded(ledger: Ledger) -> tuple[object, ...]:
    """All that a ledger holds of batches, names and the projection."""
    return ledger.log(), ledger.tags(), ledger.status().projection


@recordings
def test_what_was_not_committed_is_said_to_be_not_recorded(
    ledger: Ledger, data: Path, record: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, bytes_before = recorded(ledger), ledger.path.read_bytes()
    with monkeypatch.context() as patch:
        fail_to_commit(patch, after=False, then=nothing)
        with pytest.raises(RecordingFailed, match="nothing more was recorded") as caught:
            record(ledger, data)
    assert caught.value.recorded is False
    assert recorded(ledger) == before
    assert ledger.path.read_bytes() == bytes_before
    record(ledger, data)
    assert recorded(ledger) != before


@recordings
def test_what_was_committed_nevertheless_is_said_to_be_recorded(
    ledger: Ledger, data: Path, record: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = recorded(ledger)
    with monkeypatch.context() as patch:
        fail_to_commit(patch, after=True, then=nothing)
        with pytest.raises(RecordingFailed, match="was recorded all the same") as caught:
            record(ledger, data)
    assert caught.value.recorded is True
    assert recorded(ledger) != before


@recordings
@pytest.mark.parametrize("after", [False, True])
def test_what_cannot_be_found_out_is_not_guessed(
    ledger: Ledger, data: Path, record: Recording, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = ledger.path.with_name("away.db")
    with monkeypatch.context() as patch:
        fail_to_commit(patch, after=after, then=lambda: ledger.path.rename(away))
        with pytest.raises(RecordingFailed, match=r"could not be found out.*SHA-256") as caught:
            record(ledger, data)
    assert caught.value.recorded is None


def test_what_another_recorded_meanwhile_is_not_taken_for_it(
    ledger: Ledger, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another() -> None:
        with monkeypatch.context() as undone:
            undone.setattr(Store, "execute", execute)
            Ledger(ledger.path.with_name("other.db")).ingest(data, initial_month="202501")
            ledger.path.with_name("other.db").replace(ledger.path)

    execute = Store.execute
    with monkeypatch.context() as patch:
        fail_to_commit(patch, after=False, then=another)
        with pytest.raises(RecordingFailed) as caught:
            ledger.retract("contact_centers", "202501", "not ours")
    assert caught.value.recorded is False


def test_a_month_that_was_recorded_nevertheless_is_told_and_no_later_one_is_tried(
    ledger: Ledger, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_data_folder(data, [MARCH])
    done: list[MonthIngest] = []
    with monkeypatch.context() as patch:
        fail_to_commit(patch, after=True, then=nothing)
        with pytest.raises(RecordingFailed):
            done.extend(ledger.ingest_months(IngestOptions(data=data)))
    # The extract was there already.
    assert [str(month.month) for month in done] == ["202501", "202502"]
    assert done[-1].batch == ledger.log()[-1].batch
    assert [str(month.month) for month in ledger.ingest(data) if month.batch] == ["202503"]


@pytest.mark.parametrize("after", [False, True])
def test_the_command_prints_a_month_that_was_recorded_nevertheless(
    ledger: Ledger, data: Path, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--db", str(ledger.path), "--data-dir", str(data), "--json"]
    with monkeypatch.context() as patch:
        fail_to_commit(patch, after=after, then=nothing)
        ran = CliRunner().invoke(main, ["ingest", *options])
    assert ran.exit_code == 5
    printed = json.loads(ran.stdout)
    batches = [month["batch"]["batch"] for month in printed["months"] if month["batch"]]
    assert batches == ([2] if after else [])
    assert printed["error"]["exit_code"] == 5
    assert f"Error: {printed['error']['message']}" in ran.stderr


# A disk that is full


def large(month: int) -> DeliveredFile:
    """A delta of some 600 KiB."""
    rows = (("add", f"N{number}", "x" * 100, "y" * 50) for number in range(4000))
    return small_file("contact_centers", month, *rows)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", 600) as disk:
        yield disk


def test_a_batch_for_which_the_disk_has_no_room_is_recorded_when_it_has(
    disk: SmallDisk, data: Path
) -> None:
    db = disk.folder / "ledger.db"
    write_data_folder(data, [EXTRACT])
    options = ("--data-dir", data, "--initial-month", "202501")
    assert invoke_ledger("ingest", *options, db=db).code == 0
    before = db.read_bytes()
    write_data_folder(data, [large(202502)])
    ran = invoke_ledger("ingest", *options, db=db)
    assert ran.code == 5
    assert "the disk is full (database or disk is full); nothing more was recorded" in ran.err
    assert db.read_bytes() == before
    assert list(disk.folder.iterdir()) == [db]
    disk.resize(8192)
    assert invoke_ledger("ingest", *options, db=db).code == 0
    assert Ledger(db).status().events["contact_centers"] == 4002


def test_a_first_ledger_for_which_there_is_no_room_leaves_nothing(
    disk: SmallDisk, data: Path
) -> None:
    db = disk.folder / "ledger.db"
    write_data_folder(data, [EXTRACT])
    options = ("--data-dir", data, "--initial-month", "202501")
    disk.fill()
    ran = invoke_ledger("ingest", *options, db=db)
    assert ran.code == 5
    assert "full" in ran.err or "No space left" in ran.err
    disk.make_room()
    assert list(disk.folder.iterdir()) == []
    assert invoke_ledger("ingest", *options, db=db).code == 0


def test_a_projection_for_which_there_is_no_room_leaves_the_one_before(
    disk: SmallDisk, data: Path
) -> None:
    ledger = Ledger(disk.folder / "ledger.db")
    disk.resize(8192)
    write_data_folder(data, [EXTRACT, large(202502)])
    ledger.ingest(data)
    ledger.project("202501")
    before = ledger.path.read_bytes()
    disk.fill()
    with pytest.raises(StorageFailed, match=r"the disk is full .* nothing more was recorded"):
        ledger.project("202502")
    assert ledger.path.read_bytes() == before
    disk.make_room()
    assert ledger.project("202502").rows["contact_centers"] == 4002


@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_an_export_for_which_there_is_no_room_leaves_the_one_before(
    disk: SmallDisk, ledger: Ledger, data: Path, format: str
) -> None:
    disk.resize(8192)
    write_data_folder(data, [large(202503)])
    ledger.ingest(data)
    out = disk.folder / "output"
    ledger.at("202501").export(out, format=format)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    disk.fill()
    with pytest.raises(StorageFailed, match=r"No space left.*what was there before is unchanged"):
        ledger.at().export(out, format=format)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    disk.make_room()
    ledger.at().export(out, format=format)
    assert {path.name: path.read_bytes() for path in out.iterdir()} != before


# A disk that fails in the midst of it


@pytest.mark.skipif(sys.platform == "win32", reason="files have no limit there")
def test_a_file_that_cannot_grow_any_more_is_told_and_recorded_later(
    ledger: Ledger, data: Path, tmp_path: Path
) -> None:
    write_data_folder(data, [large(202502)])
    before = ledger.path.read_bytes()
    # To SQLite it is an I/O error, met when the batch is committed.
    limit = f"ulimit -f {len(before) // 1024 + 100}; exec {shlex.quote(str(LEDGER))} ingest"
    ran = run("bash", "-c", limit, cwd=tmp_path)
    assert ran.code == 5
    assert "reading or writing the disk failed (disk I/O error); nothing more" in ran.err
    assert ledger.path.read_bytes() == before
    assert run_ledger("ingest", cwd=tmp_path).code == 0
    assert ledger.status().events["contact_centers"] == 4002
