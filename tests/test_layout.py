"""An empty data folder: what is made, what is kept, and that none of it is taken for a delivery."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ledger import StorageFailed, lay_out
from ledger.datasets.support.description import SUPPORT
from ledger.delivery import scaffold as ledger_layout
from ledger.files.atomic import put
from tests.commands import DATA, run_ledger
from tests.media import read_only

FILES = [
    *(f"delta/{table.name}_delta_YYYYMM.csv.template" for table in SUPPORT.tables),
    *(f"initial/{table.name}.csv.template" for table in SUPPORT.tables),
    "README.md",
]


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_is_laid_out_and_the_next_step_told(tmp_path: Path) -> None:
    ran = run_ledger("init", cwd=tmp_path)
    assert ran.code == 0
    assert sorted(files_of(tmp_path / "data")) == sorted(FILES)
    assert ran.err.rstrip().endswith("and then: ledger ingest")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    ran = run_ledger("init", "my data/new", cwd=tmp_path)
    assert ran.err.rstrip().endswith("ledger ingest --data-dir 'my data/new'")
    assert files_of(tmp_path / "my data" / "new") == files_of(tmp_path / "data")


def test_the_templates_have_the_headers_of_the_sample_data(tmp_path: Path) -> None:
    lay_out(tmp_path / "data")
    for delivered in [*DATA.glob("initial/*.csv"), *DATA.glob("delta/*_202502.csv")]:
        place = delivered.relative_to(DATA).as_posix().replace("202502", "YYYYMM")
        template = tmp_path / "data" / f"{place}.template"
        header = delivered.read_text(encoding="utf-8-sig").splitlines()[0]
        assert template.read_text(encoding="utf-8") == f"{header}\n"


def test_the_readme_names_every_file_and_column(tmp_path: Path) -> None:
    lay_out(tmp_path)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    for table in SUPPORT.tables:
        assert f"`initial/{table.name}.csv` and `delta/{table.name}_delta_YYYYMM.csv`" in text
        for column in table.columns:
            assert f"| `{column.name}` | " in text
            assert column.description in text


def test_nothing_of_a_fresh_folder_is_recorded(tmp_path: Path) -> None:
    run_ledger("init", cwd=tmp_path)
    ran = run_ledger("ingest", cwd=tmp_path)
    assert ran.code == 2
    assert "no CSV files in data/initial or data/delta" in ran.err
    assert not (tmp_path / "ledger.db").exists()


def test_templates_beside_deliveries_are_passed_over(tmp_path: Path) -> None:
    shutil.copytree(DATA, tmp_path / "data")
    run_ledger("ingest", cwd=tmp_path)
    assert run_ledger("init", cwd=tmp_path).code == 0
    assert "Nothing new." in run_ledger("ingest", cwd=tmp_path).out
    ran = run_ledger("verify", "--sources", "data", cwd=tmp_path)
    assert ran.code == 0
    assert "compared with the 11 delivered files" in ran.out


def test_what_is_there_is_left_and_what_is_missing_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = lay_out(folder)
    assert len(first.made) == len(FILES)
    assert not first.kept
    (folder / "README.md").write_text("ours", encoding="utf-8")
    (folder / "initial" / "agents.csv.template").unlink()
    before = files_of(folder)
    done = json.loads(run_ledger("init", "--json", cwd=tmp_path).out)
    assert done["made"] == ["data/initial/agents.csv.template"]
    assert sorted([*done["made"], *done["kept"]]) == sorted(f"data/{name}" for name in FILES)
    after = files_of(folder)
    assert after.pop("initial/agents.csv.template").startswith(b"agent_id,")
    assert after == before


def test_a_dry_run_makes_nothing(tmp_path: Path) -> None:
    ran = run_ledger("init", "--dry-run", cwd=tmp_path)
    assert ran.code == 0
    assert "data/README.md" in ran.out
    assert "nothing was made" in ran.err
    assert not list(tmp_path.iterdir())


def test_an_interruption_leaves_whole_files_and_the_rest_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    lay_out(whole)

    def interrupted(draft: Path, path: Path) -> None:
        if path.parent.name == "delta":
            raise KeyboardInterrupt
        put(draft, path)

    monkeypatch.setattr(ledger_layout, "put", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lay_out(tmp_path / "data")
    left = files_of(tmp_path / "data")
    assert left.items() <= files_of(whole).items()
    assert len(left) == len(SUPPORT.tables)
    monkeypatch.undo()
    lay_out(tmp_path / "data")
    assert files_of(tmp_path / "data") == files_of(whole)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "initial").write_text("no folder", encoding="utf-8")
    with pytest.raises(StorageFailed, match="cannot be laid out: "):
        lay_out(tmp_path)
    folder = tmp_path / "closed"
    folder.mkdir()
    with read_only(folder):
        ran = run_ledger("init", "closed", cwd=tmp_path)
    assert ran.code == 5
    assert "closed cannot be laid out: " in ran.err
    assert run_ledger("init", "initial", cwd=tmp_path).code == 2
