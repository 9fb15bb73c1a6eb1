"""What is installed by other people: the wheel, not the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.commands import DATA, PYTHON, ROOT, environment, run


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that nothing stale gets in."""
    source = tmp_path_factory.mktemp("source")
    out = tmp_path_factory.mktemp("wheel")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    (source / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "ledger.1", source / "docs")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "ledger", source / "ledger", ignore=ignore)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(out)]
    subprocess.run([*pip, "wheel", *options, str(source)], check=True, env=environment())
    (built,) = out.iterdir()
    return built


def test_the_wheel_holds_the_package_and_the_man_page(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "ledger").rglob("*")
        if path.suffix in (".py", ".sql", ".css", ".html", ".md", ".properties")
        or path.name == "py.typed"
    }
    (man_page,) = (name for name in names if name.endswith(".data/data/share/man/man1/ledger.1"))
    assert names == {*expected, man_page}


def test_the_wheel_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    work = tmp_path / "work"
    work.mkdir()
    search = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    where = "import ledger; print(ledger.__file__)"
    place = run(PYTHON, "-c", where, cwd=work, PYTHONPATH=search).out
    assert Path(place.strip()).is_relative_to(tmp_path)
    ran = run(PYTHON, "-m", "ledger", "run", "--data-dir", DATA, cwd=work, PYTHONPATH=search)
    assert ran.code == 0
    assert (work / "report" / "support_report.csv").exists()
