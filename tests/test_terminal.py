"""What the commands show on a terminal, and that they show none of it in a pipe."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import pytest

from ledger import Ledger
from ledger.cli import main
from ledger.cli.layout import widest
from ledger.model.progress import Progress
from ledger.store import database as ledger_store
from tests.commands import DATA, LEDGER, ROOT, environment, invoke_ledger, run_ledger
from tests.strategies import small_file, write_data_folder
from tests.terminal import on_terminal

ESCAPE = "\x1b["
BLOCK = "█"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
ENCODINGS = {
    "ascii": ASCII,
    "cp1252": {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"},
    "cp437": {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp437"},
}
NAMES = ("Zürich Süd", "上海 服务中心", "Team 😀 Rocket", "שלום \u200f\u202e", "\x1b[31mred\x07")

TABLES = [
    ("ingest",),
    ("log",),
    ("status",),
    ("report", "--dry-run"),
    ("answers", "--sensitivity"),
    ("history", "interactions", "INT1003"),
    ("explain", "--month", "2025-01"),
    ("bridge", "--from", "202501", "--to", "202502"),
    ("diff", "202501", "202502"),
    ("check",),
    ("editions",),
    ("export", "--dry-run"),
    ("query", "SELECT * FROM interactions_events"),
    ("doctor",),
]
"""Commands that print something wide."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample data and a ledger of it, projected."""
    folder = tmp_path_factory.mktemp("recorded")
    shutil.copytree(DATA, folder / "data")
    Ledger(folder / "ledger.db").ingest(folder / "data")
    Ledger(folder / "ledger.db").project()
    return folder


@pytest.fixture
def folder(recorded: Path, tmp_path: Path) -> Path:
    """The same, to be written to."""
    return Path(shutil.copytree(recorded, tmp_path / "own"))


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger whose centres have names of many scripts."""
    folder = tmp_path_factory.mktemp("named")
    centers = [(f"CC{n}", name) for n, name in enumerate(NAMES)]
    stamp = "2025-01-06T14:10:00Z"
    calls = [
        (f"INT{n}", stamp, "phone", "", "", f"CC{n}", stamp, stamp, stamp, "9")
        for n, _ in enumerate(NAMES)
    ]
    files = [
        small_file("contact_centers", None, *centers),
        small_file("interactions", None, *calls),
        small_file("agents", 202502, ("update", "\x1b[2J", "張偉")),
    ]
    write_data_folder(folder / "data", files)
    Ledger(folder / "ledger.db").ingest(folder / "data")
    return folder


@pytest.mark.parametrize("command", TABLES, ids=lambda command: command[0])
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(
    recorded: Path, command: Sequence[str], columns: int
) -> None:
    seen = on_terminal(*command, cwd=recorded, columns=columns)
    assert seen.code == 0
    # A word that is longer than the terminal, a digest say, is a line of its own.
    broken = [line for line in seen.lines if " " in line.strip()]
    assert broken
    assert widest(broken) <= columns


STEADY = [command for command in TABLES if command[0] != "doctor"]
"""Those that say the same the next time; how much room a disk has changes."""


@pytest.mark.parametrize("command", STEADY, ids=lambda command: command[0])
def test_nothing_that_a_pipe_gets_is_missing_on_a_narrow_terminal(
    recorded: Path, command: Sequence[str]
) -> None:
    piped = run_ledger(*command, cwd=recorded).out
    shown = re.sub(r"\s", "", "".join(on_terminal(*command, cwd=recorded, columns=60).lines))
    # Without the names of columns: a blank cell is left out with its name.
    for part in set(re.split(r"\s+-*|(?<=[/_])", piped.partition("\n")[2])):
        assert part.strip("-") in shown


def test_a_table_that_fits_is_the_same_on_a_terminal_and_in_a_pipe(recorded: Path) -> None:
    piped = run_ledger("log", "-q", cwd=recorded)
    assert on_terminal("log", "-q", cwd=recorded, columns=300).lines == piped.out.splitlines()


def test_columns_say_how_wide_the_terminal_is(recorded: Path) -> None:
    seen = on_terminal(
        "report", "-q", "--dry-run", cwd=recorded, columns=200, settings={"COLUMNS": "50"}
    )
    assert widest(seen.lines) <= 50
    assert "COLUMNS" not in run_ledger("report", cwd=recorded, COLUMNS="50").out
    assert widest(run_ledger("log", cwd=recorded, COLUMNS="50").out.splitlines()) > 100


def test_wide_characters_are_aligned(named: Path) -> None:
    for columns in (80, 200):
        lines = on_terminal("report", "-q", "--dry-run", cwd=named, columns=columns).lines
        (rule,) = [line for line in lines if line.startswith("-")]
        rows = [line for line in lines if line.startswith("2025-01") and BLOCK not in line]
        assert len(rows) == len(NAMES)
        assert {widest([row]) for row in rows} == {widest([rule])}


def test_months_are_drawn_on_a_terminal_alone(recorded: Path) -> None:
    seen = on_terminal("status", cwd=recorded).lines
    assert seen[-4:] == [
        "events by month",
        f"202501  27  {BLOCK * 40}",
        f"202502  17  {BLOCK * 25}▏",
        f"202503  18  {BLOCK * 26}▋",
    ]
    report = on_terminal("report", "--dry-run", cwd=recorded)
    assert f"2025-02  10  {BLOCK * 40}" in report.lines
    for command in (("status",), ("report", "--dry-run")):
        assert "by month" not in run_ledger(*command, cwd=recorded).out
        as_data = on_terminal(*command, "--format", "json", "-q", cwd=recorded)
        json.loads(as_data.text)


def test_of_many_months_the_last_are_drawn(tmp_path: Path) -> None:
    months = [year * 100 + month for year in (2023, 2024, 2025) for month in range(1, 13)]
    files = [small_file("agents", None, ("A1", "Ann"))]
    files += [small_file("agents", month, ("update", "A1", "Ann")) for month in months[1:]]
    write_data_folder(tmp_path / "data", files)
    Ledger(tmp_path / "ledger.db").ingest(tmp_path / "data")
    seen = on_terminal("status", cwd=tmp_path)
    assert "events by month, the last 24 of 36" in seen.lines
    drawn = [line[:6] for line in seen.lines if BLOCK in line]
    assert drawn == [str(month) for month in months[-24:]]
    by_month = json.loads(run_ledger("status", "--json", cwd=tmp_path).out)["events_by_month"]
    assert by_month == {str(month): 1 for month in months}


def test_events_by_month_add_up_to_the_events_of_the_tables(folder: Path) -> None:
    ledger = Ledger(folder / "ledger.db")
    ledger.retract("interactions", "202503", "not ours")
    status = ledger.status()
    assert sum(status.events_by_month.values()) == sum(status.events.values()) == 62
    assert list(status.events_by_month) == sorted(status.events_by_month)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_bars_are_of_ascii_where_blocks_cannot_be_shown(recorded: Path, encoding: str) -> None:
    seen = on_terminal("status", cwd=recorded, encoding=encoding, settings=ENCODINGS[encoding])
    assert seen.lines[-3:] == [
        f"202501  27  {'#' * 40}",
        f"202502  17  {'#' * 25}",
        f"202503  18  {'#' * 27}",
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("is_terminal", [True, False])
def test_no_encoding_is_an_error(named: Path, encoding: str, is_terminal: bool) -> None:
    commands = [
        *(("report", "--dry-run"), ("answers",), ("check",), ("--help",), ("bridge", "--help")),
        *(("history", "contact_centers", "CC1"), ("history", "agents", NAMES[1])),
        ("explain", "--month", "2025-01", "--center", NAMES[2][:4]),
    ]
    # Click takes a locale without any encoding for one that was not set up, and writes UTF-8.
    read_as = "utf-8" if encoding == "ascii" else encoding
    settings = ENCODINGS[encoding]
    for command in commands:
        if is_terminal:
            assert on_terminal(*command, cwd=named, encoding=read_as, settings=settings).code in (
                0,
                2,
            )
            continue
        done = subprocess.run(
            [LEDGER, *command], cwd=named, env=environment(**settings),
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 2), (command, done.stderr)
        (done.stdout + done.stderr).decode(read_as)


@pytest.mark.parametrize("command", [("report", "--dry-run"), ("check",), ("check", "--json")])
def test_names_command_no_terminal(named: Path, command: Sequence[str]) -> None:
    seen = on_terminal(*command, cwd=named)
    assert "\x07" not in seen.raw
    assert f"{ESCAPE}31m" not in seen.raw
    assert f"{ESCAPE}2J" not in seen.raw
    assert "\u200f" not in seen.raw


def test_what_is_told_in_colour_commands_no_terminal(folder: Path) -> None:
    seen = on_terminal("report", "--out-dir", "a\x1b[31mb", cwd=folder)
    assert f"{ESCAPE}31m" not in seen.raw
    assert "written to a\\x1b[31mb" in seen.text


def test_errors_are_red_notes_dim_and_codes_yellow(recorded: Path) -> None:
    assert on_terminal("report", "--as-of", "209901", cwd=recorded).raw.startswith(
        f"{ESCAPE}31m{ESCAPE}1mError:{ESCAPE}0m as of 209901"
    )
    seen = on_terminal("check", cwd=recorded)
    assert seen.raw.startswith(f"{ESCAPE}2mAs of 202503")
    assert f"{ESCAPE}33mreference-deleted{ESCAPE}0m: refers" in seen.raw
    assert f"{ESCAPE}1m== ledger ingest" in on_terminal("run", cwd=recorded).raw
    assert f"{ESCAPE}36m{BLOCK}" in on_terminal("status", cwd=recorded).raw


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"NO_COLOR": "0"}, {"TERM": "dumb"}])
def test_colours_can_be_switched_off(folder: Path, setting: dict[str, str]) -> None:
    for command in (("run",), ("check",), ("report", "--as-of", "209901"), ("status",)):
        seen = on_terminal(*command, cwd=folder, at_once=True, settings=setting)
        assert not re.search(r"\x1b\[[0-9;]*m", seen.raw)
        if "TERM" in setting:
            assert "\x1b" not in seen.raw


def test_an_empty_no_color_switches_nothing_off(recorded: Path) -> None:
    assert ESCAPE in on_terminal("status", cwd=recorded, settings={"NO_COLOR": ""}).raw


def test_pipes_get_neither_colour_nor_progress(folder: Path) -> None:
    for command in (("run",), ("verify",), ("check",), ("report", "--as-of", "209901")):
        ran = run_ledger(*command, cwd=folder, TERM="xterm")
        assert not {"\x1b", "\r"} & set(ran.out + ran.err)


PROGRESS = {
    "ingest": r"ingest\s+\d",
    "project": r"project \d+",
    "export": r"export\s+\d",
    "verify": r"verify\s+\d",
}


@pytest.mark.parametrize("command", PROGRESS)
def test_progress_is_told_erased_and_silenced(folder: Path, command: str) -> None:
    seen = on_terminal(command, cwd=folder, at_once=True)
    assert re.search(PROGRESS[command], seen.text)
    assert not any(re.search(PROGRESS[command], line) for line in seen.lines)
    for quiet in (
        on_terminal(command, "--quiet", cwd=folder, at_once=True),
        on_terminal(command, cwd=folder),
    ):
        assert not re.search(PROGRESS[command], quiet.text)
        assert "\r" not in quiet.text.replace("\r\n", "\n")


def test_a_run_tells_step_by_step(folder: Path) -> None:
    seen = on_terminal("run", cwd=folder, at_once=True)
    assert seen.code == 0
    for command in ("ingest", "project", "export"):
        assert re.search(PROGRESS[command], seen.text)
        assert f"== ledger {command}" in seen.lines


def test_notes_are_whole_while_progress_is_shown(tmp_path: Path) -> None:
    seen = on_terminal("ingest", "--data-dir", DATA, cwd=tmp_path, at_once=True)
    assert seen.lines[:2] == [
        "202501: 1 finding: 1 reference-never-seen",
        "202502: 2 findings: 2 reference-never-seen",
    ]


@pytest.mark.parametrize("command", ["ingest", "project"])
def test_ctrl_c_ends_what_is_under_way(tmp_path: Path, command: str) -> None:
    stamp = "2025-01-06T14:10:00Z"
    calls = [(f"INT{n}", stamp, "phone", "", "", "", stamp, stamp, stamp) for n in range(60_000)]
    delta = small_file("agents", 202502, ("add", "A1", "Ann"))
    write_data_folder(tmp_path / "data", [small_file("interactions", None, *calls), delta])
    if command == "project":
        Ledger(tmp_path / "ledger.db").ingest(tmp_path / "data")
    seen = on_terminal(command, cwd=tmp_path, at_once=True, interrupt_at=f"{command} ")
    assert seen.code == 130
    assert (
        seen.lines[-1]
        == "Interrupted. What was not finished is undone; what is recorded: ledger log"
    )
    assert not re.search(PROGRESS[command], "\n".join(seen.lines))
    if command == "project":
        assert Ledger(tmp_path / "ledger.db").status().projection is None


def test_what_is_told_reaches_all_there_is(folder: Path) -> None:
    ledger = Ledger(folder / "fresh.db")
    sizes = [path.stat().st_size for kind in ("initial", "delta")
             for path in (DATA / kind).glob("*.csv")]  # fmt: skip
    for _ in ("recorded", "already there"):
        told = _told(lambda told: ledger.ingest(DATA, progress=told))
        assert told[-1] == (sum(sizes), sum(sizes))
    steps = _told(lambda told: ledger.project(progress=told))
    assert steps == [(done, len(steps)) for done in range(1, len(steps) + 1)]
    assert _told(lambda told: ledger.project("202502", progress=told))[-1] == steps[-1]
    out = folder / "out"
    assert _told(lambda told: ledger.at().export(out, progress=told))[-1] == (46, 0)
    rows = _told(lambda told: ledger.at("202502").export(out, progress=told))
    assert rows[-1][0] == rows[-1][1] > 0
    rows = _told(lambda told: ledger.at("202502").export(out, tables=["agents"], progress=told))
    assert rows == [(9, 9)]


def _told(run: Callable[[Progress], object]) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []
    run(lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    return told


def test_an_interruption_while_a_statement_runs_ends_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Datasette, once imported, has the whole process tell of what is raised in a handler.
    sqlite3.enable_callback_tracebacks(False)
    monkeypatch.setattr(ledger_store, "STEPS_OF_A_TICK", 10)
    ledger = Ledger(folder / "ledger.db")
    before = (folder / "ledger.db").read_bytes()

    def interrupt(done: int, _: int) -> None:
        # Not when a table is done, but before the first of them is.
        assert done == 0
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.project("202501", rebuild=True, progress=interrupt)
    with pytest.raises(KeyboardInterrupt):
        ledger.project("202501", progress=interrupt)
    assert (folder / "ledger.db").read_bytes() == before


Complete = Callable[..., list[str]]


@pytest.fixture
def complete(recorded: Path) -> Complete:
    """Ask bash what it offers for words, the last of them begun."""
    bash = shutil.which("bash")
    if not bash:
        pytest.skip("there is no bash")

    def ask(*words: str) -> list[str]:
        script = (
            f'eval "$(_LEDGER_COMPLETE=bash_source ledger)"\n'
            f"COMP_WORDS=(ledger {' '.join(words)})\nCOMP_CWORD={len(words)}\n"
            "_ledger_completion ledger\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"
        )
        path = f"{LEDGER.parent}:{environment()['PATH']}"
        done = subprocess.run(
            [bash, "-c", script], cwd=recorded, env=environment(PATH=path),
            capture_output=True, encoding="utf-8", check=True,
        )  # fmt: skip
        assert not done.stderr
        return done.stdout.split()

    return ask


TABLE_NAMES = ["agents", "contact_centers", "service_categories", "interactions"]
MONTHS = ["202501", "202502", "202503"]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["ver"], ["verify", "verify-proof", "verify-report"]),
        (["history", '""'], TABLE_NAMES),
        (["prove", "con"], ["contact_centers"]),
        (["retract", "agents", '""'], MONTHS),
        (["export", "--table", "i"], ["interactions"]),
        (["export", "--format", "j"], ["json"]),
        (["report", "--as-of", '""'], MONTHS),
        (["diff", "202501", "202502"], ["202502"]),
        (["bridge", "--from", "2"], MONTHS),
        (["check", "--fail-on", "ref"],
         ["reference-deleted", "reference-never-seen", "reference-not-there-yet"]),
        (["report", "--known-at", '""'], []),
        (["report", "--db", "none.db", "--as-of", '""'], []),
        (["report", "--db", "data", "--as-of", '""'], []),
    ],
    ids=" ".join,
)  # fmt: skip
def test_bash_completes(
    complete: Complete, recorded: Path, words: list[str], offered: list[str]
) -> None:
    before = sorted(recorded.iterdir())
    assert complete(*words) == offered
    assert sorted(recorded.iterdir()) == before


def test_tags_are_completed(folder: Path) -> None:
    Ledger(folder / "ledger.db").tag("signed")
    setting = {"_LEDGER_COMPLETE": "bash_complete", "COMP_CWORD": "3"}
    for words, kind in (("report --known-at", "plain"), ("diff 202501", "plain")):
        ran = run_ledger(cwd=folder, COMP_WORDS=f"ledger {words} si", **setting)
        assert ran.out == f"{kind},signed\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_script(tmp_path: Path, shell: str) -> None:
    ran = run_ledger(cwd=tmp_path, _LEDGER_COMPLETE=f"{shell}_source")
    assert ran.code == 0
    assert f"_LEDGER_COMPLETE={shell}_complete" in ran.out


def test_what_records_ends_with_the_receipt(folder: Path) -> None:
    db = folder / "ledger.db"
    for command in (("tag", "signed"), ("retract", "agents", "202503", "--reason", "not ours")):
        assert "receipt" not in invoke_ledger(*command, "--dry-run", db=db).out
        (line,) = re.findall("^receipt (.*)$", invoke_ledger(*command, db=db).out, re.MULTILINE)
        assert json.loads(line) == json.loads(invoke_ledger("receipt", db=db).out)
    assert "receipt" not in invoke_ledger("tag", db=db).out
    ran = invoke_ledger("retract", "agents", "202502", "--reason", "no", "--json", db=db)
    receipt = json.loads(invoke_ledger("receipt", db=db).out)
    assert json.loads(ran.out)["receipt"] == receipt


def test_rows_that_were_ingested_and_projected_are_given_to_programs(tmp_path: Path) -> None:
    db = tmp_path / "ledger.db"
    lines = invoke_ledger("ingest", "--data-dir", DATA, "--format", "csv", db=db).out.splitlines()
    assert lines[0] == "month,file,rows,add,update,delete,batch,recorded"
    assert lines[5] == "202502,delta/agents_delta_202502.csv,2,1,1,0,2,True"
    again = invoke_ledger("ingest", "--data-dir", DATA, "--format", "ndjson", db=db).out
    first = json.loads(again.splitlines()[0])
    assert (first["batch"], first["recorded"], first["add"]) == (1, False, None)
    ran = invoke_ledger("project", "--format", "csv", db=db)
    assert ran.out.splitlines()[:2] == ["table,rows", "agents,8"]


def test_an_option_before_the_command_is_told_where_it_stands(tmp_path: Path) -> None:
    ran = run_ledger("--db", "x.db", "report", cwd=tmp_path)
    assert ran.code == 2
    assert "--db stands after the command: ledger COMMAND --db …" in ran.err
    assert "No such option '--nothing'" in run_ledger("--nothing", "report", cwd=tmp_path).err


def test_the_formats_are_those_of_the_docs() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| [^|]+: (`.+`) \| (.+) \|$", text, re.MULTILINE)
    told = {name: offered for names, offered in lines for name in re.findall(r"`([\w-]+)`", names)}
    printing = set(main.commands) - {"export", "run", "serve"}
    assert set(told) == printing
    for name, offered in told.items():
        kinds = [p.type for p in main.commands[name].params if isinstance(p.type, click.Choice)]
        choices = [list(kind.choices) for kind in kinds if "json" in kind.choices]
        if offered.startswith("JSON, in the one form"):
            assert not choices
        elif name != "report":
            assert choices == [offered.lower().split(", ")]
