"""What the killed leave behind is removed by whoever comes next, and what is in use is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger import Ledger
from ledger.files.atomic import PREFIX, draft_folder
from ledger.model.tabular import Tabular
from tests.commands import PYTHON, environment
from tests.strategies import small_file, write_data_folder
from tests.written_tables import write

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")

MAKER = """
import sys
from pathlib import Path
from ledger.files.atomic import draft_folder

with draft_folder(Path(sys.argv[1])) as draft:
    (draft / "half").write_text("half of a table")
    print(draft, flush=True)
    sys.stdin.read()
"""


@contextmanager
def maker(place: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process that has a draft in a place, with something in it."""
    with subprocess.Popen(
        [PYTHON, "-c", MAKER, str(place)],
        env=environment(),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        yield process, Path(process.stdout.readline().strip())


def abandoned(place: Path) -> Path:
    """The draft of a process that was killed."""
    with maker(place) as (process, draft):
        process.send_signal(signal.SIGKILL)
    assert draft.name.startswith(PREFIX)
    assert (draft / "half").exists()
    return draft


def export(place: Path) -> None:
    write(place, [Tabular("table", [], [])])


def first_ingest(place: Path) -> None:
    extract = small_file("contact_centers", None, ("CC1", "Boston"))
    (path,) = write_data_folder(place.parent / "data", [extract])
    Ledger(place / "ledger.db").ingest(files=[path], initial_month="202501")


runs = pytest.mark.parametrize("run", [export, first_ingest])


@runs
def test_what_the_killed_left_is_removed_by_the_next_to_write_there(
    tmp_path: Path, run: Callable[[Path], None]
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    for _ in range(2):
        abandoned(place)
    run(place)
    assert [path.name for path in place.iterdir()] in (["table.csv"], ["ledger.db"])


def test_what_a_killed_first_ingest_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    first_ingest(place)
    abandoned(place)
    first_ingest(place)
    assert [path.name for path in place.iterdir()] == ["ledger.db"]


@runs
def test_what_another_process_is_using_stays(tmp_path: Path, run: Callable[[Path], None]) -> None:
    place = tmp_path / "place"
    place.mkdir()
    with maker(place) as (process, draft):
        run(place)
        assert (draft / "half").read_text() == "half of a table"
        process.communicate("")
    assert process.returncode == 0
    assert not draft.exists()


def test_several_drafts_of_one_process_leave_each_other_alone(tmp_path: Path) -> None:
    with draft_folder(tmp_path) as one, draft_folder(tmp_path) as other:
        assert one.exists()
        assert other.exists()
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_draft_of_ours_stays(tmp_path: Path) -> None:
    outside, place = tmp_path / "outside", tmp_path / "place"
    for folder in (outside, place / ".draft-mine", place / "ledger-draft-1"):
        folder.mkdir(parents=True)
        (folder / "mine").write_text("mine")
    (place / f"{PREFIX}link").symlink_to(outside)
    (place / f"{PREFIX}file").write_text("mine")
    with draft_folder(place):
        pass
    assert sorted(path.name for path in place.iterdir()) == [
        ".draft-mine",
        f"{PREFIX}file",
        f"{PREFIX}link",
        "ledger-draft-1",
    ]
    assert [path.name for path in outside.iterdir()] == ["mine"]


def test_where_folders_cannot_be_locked_all_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = abandoned(tmp_path)

    def no_locks(*_: object) -> None:
        raise OSError(95, os.strerror(95))

    monkeypatch.setattr("fcntl.flock", no_locks)
    with draft_folder(tmp_path) as draft:
        assert {*tmp_path.iterdir()} == {left, draft}
    assert list(tmp_path.iterdir()) == [left]
