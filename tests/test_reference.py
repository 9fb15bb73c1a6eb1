"""The reference says what the commands say of themselves, and the man page is a sound one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import click
import pytest

from ledger.cli import main
from tests.commands import DATA, ROOT, run, run_ledger
from tools.reference import COMMAND, pages

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_is_that_of_the_commands(name: str) -> None:
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == PAGES[name], f"make it anew: {COMMAND}"


@pytest.mark.parametrize("name", PAGES)
def test_every_command_and_option_is_in_the_reference(name: str) -> None:
    text = PAGES[name].replace("\\-", "-")
    for command in main.commands.values():
        assert f"ledger {command.name}" in text
        for option in command.params:
            assert isinstance(option, click.Argument) or all(o in text for o in option.opts)


def test_a_variable_of_the_reference_sets_its_option(tmp_path: Path) -> None:
    rows = re.findall(r"^\| `(--[a-z-]+).*\| `(LEDGER_\w+)` \|$", PAGES["reference.md"], re.M)
    variables = dict(rows) | {option: variable for option, variable in rows if "EXPORT" in variable}
    assert variables["--out-dir"] == "LEDGER_EXPORT_OUT_DIR"
    run_ledger("ingest", cwd=tmp_path, **{variables["--data-dir"]: str(DATA)})
    ran = run_ledger("export", cwd=tmp_path, **{variables["--out-dir"]: "elsewhere"})
    assert ran.code == 0
    assert (tmp_path / "elsewhere" / "datapackage.json").exists()


@pytest.mark.skipif(not shutil.which("groff"), reason="there is no groff to read it")
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
