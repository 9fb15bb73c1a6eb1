"""Where files are written: in the folder named, and through no link that lies in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import Ledger, WrongUsage
from tests.commands import DATA, invoke_ledger

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")

WRITTEN = {
    "export": [
        "agents_final.csv", "contact_centers_final.csv", "datapackage.json",
        "interactions_final.csv", "service_categories_final.csv",
    ],
    "report": ["support_report.csv"],
}  # fmt: skip
commands = pytest.mark.parametrize("command", WRITTEN)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a ledger of all sample data."""
    path = tmp_path_factory.mktemp("recorded") / "ledger.db"
    Ledger(path).ingest(DATA)
    return path


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with somebody's files of the names that are written."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in (name for names in WRITTEN.values() for name in names):
        (folder / name).write_text("mine")
    return folder


def to_a_file(link: Path, outside: Path) -> None:
    link.symlink_to(outside / link.name)


def to_nowhere(link: Path, outside: Path) -> None:
    link.symlink_to(outside / f"{link.name}-to-be-made")


def to_a_folder(link: Path, outside: Path) -> None:
    link.symlink_to(outside, target_is_directory=True)


def to_itself(link: Path, outside: Path) -> None:
    link.symlink_to(link)


def another_name_of_a_file(link: Path, outside: Path) -> None:
    link.hardlink_to(outside / link.name)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@commands
@pytest.mark.parametrize(
    "link", [to_a_file, to_nowhere, to_a_folder, to_itself, another_name_of_a_file]
)
def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(
    db: Path, tmp_path: Path, outside: Path, command: str, link: Callable[[Path, Path], None]
) -> None:
    before, out = contents(outside), tmp_path / "out"
    out.mkdir()
    for name in WRITTEN[command]:
        link(out / name, outside)
    assert invoke_ledger(command, "--out-dir", out, db=db).code == 0
    assert contents(outside) == before
    assert sorted(path.name for path in out.iterdir()) == WRITTEN[command]
    for path in out.iterdir():
        assert path.is_file()
        assert not path.is_symlink()
        assert path.read_text() != "mine"


@commands
def test_a_folder_that_is_named_by_a_link_is_the_one_it_leads_to(
    db: Path, tmp_path: Path, command: str
) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    assert invoke_ledger(command, "--out-dir", link, db=db).code == 0
    assert sorted(path.name for path in folder.iterdir()) == WRITTEN[command]
    assert link.is_symlink()


@commands
def test_a_folder_that_cannot_be_is_told_and_nothing_is_made(
    db: Path, tmp_path: Path, command: str
) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    before = sorted(tmp_path.iterdir())
    for place in ("file/below", "nowhere", "loop", "loop/below", "x" * 300):
        ran = invoke_ledger(command, "--out-dir", tmp_path / place, db=db)
        assert ran.code == 5
        assert "cannot be written" in ran.err
    assert invoke_ledger(command, "--out-dir", tmp_path / "file", db=db).code == 2
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["../agents", "/etc/agents", "agents/../agents", "agents\0", ""])
def test_a_name_that_is_a_path_is_no_table_and_no_format(
    db: Path, tmp_path: Path, name: str
) -> None:
    ledger = Ledger(db)
    with pytest.raises(WrongUsage, match="there is no table"):
        ledger.at().export(tmp_path / "out", tables=[name])
    with pytest.raises(WrongUsage, match="unknown format"):
        ledger.at().export(tmp_path / "out", format=name)
    with pytest.raises(WrongUsage, match="unknown format"):
        (latest := ledger.at()).write_report(latest.report(), tmp_path / "out", format=name)
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_names_files_beside_it(db: Path, tmp_path: Path) -> None:
    assert invoke_ledger("export", "--out-dir", tmp_path / "out", db=db).code == 0
    manifest = json.loads((tmp_path / "out" / "datapackage.json").read_text())
    assert all(
        Path(resource["path"]).name == resource["path"] for resource in manifest["resources"]
    )
