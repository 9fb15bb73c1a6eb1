"""What the commands show on a terminal: what fits, bars, colours, and how far they are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from wcwidth import width as width_of

from tests.commands import DATA, run, run_ledger
from tests.terminal import on_terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is of POSIX")

ESCAPE = "\x1b["

COMMANDS = (
    ("history", "interactions", "INT1003"),
    ("explain", "--month", "2025-02"),
    ("bridge", "--from", "202502@2", "--to", "202503"),
    ("answers", "--sensitivity"),
    ("log",),
    ("editions",),
    ("check",),
    ("report",),
    ("status",),
    ("query", "SELECT * FROM interactions_events"),
    ("doctor",),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of all sample data, its projection stored."""
    path = tmp_path_factory.mktemp("terminal")
    run_ledger("ingest", "--data-dir", DATA, cwd=path)
    run_ledger("project", cwd=path)
    return path


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_line_is_wider_than_the_terminal(
    folder: Path, command: tuple[str, ...], columns: int
) -> None:
    seen = on_terminal(*command, cwd=folder, columns=columns)
    words = [word for line in seen.lines for word in line.split()]
    longest = max(map(width_of, words))
    assert seen.code == 0
    # A word that is longer than the terminal, a digest say, is not taken apart.
    assert max(map(width_of, seen.lines)) <= max(columns, longest + 6)


STEADY = [command for command in COMMANDS if command[0] != "doctor"]
"""Those that say the same the next time; how much room a disk has changes."""


@pytest.mark.parametrize("command", STEADY, ids=lambda command: command[0])
def test_nothing_is_cut(folder: Path, command: tuple[str, ...]) -> None:
    piped = run_ledger(*command, cwd=folder)
    seen = on_terminal(*command, cwd=folder, columns=60)
    together = "".join(seen.text.split())
    lines = piped.out.splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        # As records, rows are without their blank cells, so without the names of these columns.
        if not set(line) <= set("- ") and not (below and set(below) <= set("- ")):
            assert all(word in together for word in line.split())


def test_a_report_and_the_status_have_bars_on_a_terminal_alone(folder: Path) -> None:
    for command, title in (("report", "interactions by month"), ("status", "events by month")):
        assert title in on_terminal(command, cwd=folder).text
        assert "█" in on_terminal(command, cwd=folder).text
        assert title not in run_ledger(command, cwd=folder).out


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437"])
def test_bars_are_of_what_the_encoding_has(folder: Path, encoding: str) -> None:
    seen = on_terminal(
        "report", cwd=folder, encoding=encoding, PYTHONIOENCODING=encoding, PYTHONUTF8="0"
    )
    assert seen.code == 0
    assert "2025-02  10  ####" in seen.text


def test_colours_are_for_a_terminal_that_wants_them(folder: Path) -> None:
    assert ESCAPE in on_terminal("report", cwd=folder).raw
    assert ESCAPE not in on_terminal("report", cwd=folder, NO_COLOR="1").raw
    assert ESCAPE not in on_terminal("report", "--as-of", "209901", cwd=folder, NO_COLOR="1").raw
    piped = run_ledger("report", cwd=folder)
    assert ESCAPE not in piped.out + piped.err


def test_a_dumb_terminal_gets_no_colours(folder: Path) -> None:
    script = "import os; os.environ['TERM'] = 'dumb'; from ledger.terminal import has_colours; "
    script += "import sys; print(has_colours(sys.stdout))"
    assert run(sys.executable, "-c", script, cwd=folder).out == "False\n"


def test_names_command_no_terminal(tmp_path: Path) -> None:
    data = tmp_path / "data" / "initial"
    data.mkdir(parents=True)
    for path in (DATA / "initial").iterdir():
        text = path.read_text(encoding="utf-8").replace("Atlanta GA SE", "\x1b[31mred\x1b]0;t\x07")
        (data / path.name).write_text(text, encoding="utf-8")
    run_ledger("ingest", "--initial-month", "202501", cwd=tmp_path)
    seen = on_terminal("report", cwd=tmp_path, NO_COLOR="1")
    assert seen.code == 0
    assert "\x1b" not in seen.raw
    assert "\x07" not in seen.raw


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("ingest", "--data-dir", str(DATA), "--db", "new.db"), "B"),
        (("project", "--rebuild"), "steps done"),
        (("export",), "rows"),
        (("verify",), "events"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_progress_is_told_on_a_terminal_and_erased(
    folder: Path, command: tuple[str, ...], told: str
) -> None:
    for left in folder.glob("new.db*"):
        left.unlink()
    seen = on_terminal(*command, cwd=folder, at_once=True)
    assert seen.code == 0
    assert f"\r{command[0]} " in seen.text or f"\r{command[0]}:" in seen.text
    assert told in seen.text
    assert not any(line.startswith(f"{command[0]} ") for line in seen.lines)


def test_quiet_and_pipes_hear_of_no_progress(folder: Path) -> None:
    seen = on_terminal("verify", "--quiet", cwd=folder, at_once=True)
    assert "\rverify" not in seen.text
    assert "\r" not in run_ledger("verify", cwd=folder).err


def test_names_in_any_script_are_shown_or_escaped(tmp_path: Path) -> None:
    data = tmp_path / "data" / "initial"
    data.mkdir(parents=True)
    for path in (DATA / "initial").iterdir():
        text = path.read_text(encoding="utf-8").replace("Atlanta GA SE", "Zürich 東京 🙂 \u05d0")
        (data / path.name).write_text(text, encoding="utf-8")
    run_ledger("ingest", "--initial-month", "202501", cwd=tmp_path)
    assert "Zürich 東京 🙂" in on_terminal("report", cwd=tmp_path).text
    plain = on_terminal(
        "report", cwd=tmp_path, LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )
    # click takes ASCII for a setting that is amiss, and writes UTF-8.
    assert "Zürich 東京 🙂" in plain.text
    western = on_terminal(
        "report", cwd=tmp_path, encoding="cp1252", PYTHONIOENCODING="cp1252", PYTHONUTF8="0"
    )
    assert western.code == 0
    assert "Zürich \\u6771\\u4eac \\U0001f642" in " ".join(western.text.split())


def test_completion_offers_what_is_there(folder: Path) -> None:
    def offered(*words: str) -> list[str]:
        line = " ".join(("ledger", *words))
        return run_ledger(
            cwd=folder, _LEDGER_COMPLETE="bash_complete", COMP_WORDS=line,
            COMP_CWORD=str(len(words)),
        ).out.split()  # fmt: skip

    assert "plain,interactions" in offered("history", "i")
    assert {"plain,export", "plain,explain"} <= set(offered("ex"))
    assert "plain,202502" in offered("report", "--as-of", "2025")
    assert offered("report", "--db", "none.db", "--as-of", "2025") == []
    assert not (folder / "none.db").exists()


def test_bash_takes_the_completion_script(folder: Path) -> None:
    script = run_ledger(cwd=folder, _LEDGER_COMPLETE="bash_source").out
    assert "_LEDGER_COMPLETE=bash_complete" in script
    assert run("bash", "-n", "-c", script, cwd=folder, PATH=os.environ["PATH"]).code == 0
