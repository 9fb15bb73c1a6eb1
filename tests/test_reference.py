"""The reference and the man page print the help of every command; `man` can read the page."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from ledger.cli import main
from tests.commands import DATA, PYTHON, ROOT, run, run_ledger

PAGES = ("docs/reference.md", "docs/ledger.1")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_prints_the_help_of_the_commands(page: str) -> None:
    ran = run(PYTHON, "-m", "cogapp", "--check", page, cwd=ROOT)
    assert ran.code == 0, f"write it again: cog -r {' '.join(PAGES)}"


def test_a_page_with_another_help_is_found(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    stale = tmp_path / "reference.md"
    stale.write_text(page.replace("Usage: ledger ingest", "Usage: ledger import"), encoding="utf-8")
    assert run(PYTHON, "-m", "cogapp", "--check", stale, cwd=ROOT).code != 0


def test_a_variable_sets_its_option(tmp_path: Path) -> None:
    run_ledger("ingest", cwd=tmp_path, LEDGER_DATA_DIR=str(DATA), LEDGER_DB="elsewhere.db")
    variables = {"LEDGER_DB": "elsewhere.db", "LEDGER_EXPORT_OUT_DIR": "elsewhere"}
    ran = run_ledger("export", cwd=tmp_path, **variables)
    assert ran.code == 0
    assert (tmp_path / "elsewhere" / "datapackage.json").exists()


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_the_man_page_is_read_without_a_warning(tmp_path: Path) -> None:
    page = ROOT / "docs" / "ledger.1"
    ran = run("groff", "-K", "utf8", "-man", "-T", "utf8", "-ww", page, cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    text = re.sub(r"\x1b\[\d*m|.\x08", "", ran.out)
    assert "ledger - keep monthly CSV deliveries" in re.sub(r"\s+", " ", text)
    assert "--data-dir DIRECTORY" in text
    assert "EXIT STATUS" in text


def test_the_help_names_every_command_once_and_cuts_no_line_off(tmp_path: Path) -> None:
    help = run_ledger("--help", cwd=tmp_path).out
    listed = re.findall(r"^  ([a-z][a-z-]+)  +[A-Z].*$", help.partition("Options:")[2], re.M)
    assert listed == list(main.commands)
    assert "..." not in help.partition("Options:")[2]
    assert max(map(len, help.splitlines())) <= 80
