"""The documents say what is true: each `console` block is run, and its output compared."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from ledger.datasets.support.description import SUPPORT
from ledger.lineage.findings import ANY, chosen_codes
from tests.commands import DATA, LEDGER, PYTHON, ROOT, run

README = "README.md"
DOCUMENTS = ("docs/guide.md", "docs/commands.md", "docs/tour.md")
LINKED = [
    README,
    "SECURITY.md",
    *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))),
]
ANYTHING = "…"
# The time at which everything in the documents was recorded; it stands for any time.
RECORDED_AT = "2025-04-01T08:00:00"
# Seals bind that time, so those in the documents stand for any seal.
SEAL = re.compile(r'(seal":(?:\\ )?")[0-9a-f]{64}')
ENCODINGS = ("utf-8",)
MARK = "-- and then --"
# The interpreter of which the environment is made: Python with nothing installed.
BASE_PYTHON = Path(sys.executable).resolve()
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the documents show a POSIX shell")


def console_blocks(document: str) -> list[tuple[str, str]]:
    """The commands of a document with what they print, in order."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [
        (command, output)
        for block in blocks
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def printed(commands: list[str], cwd: Path, path: Path) -> list[str]:
    """What commands print one after the other, standard error included, as on a terminal."""
    script = "exec 2>&1\n" + "".join(f"{command}\necho '{MARK}'\n" for command in commands)
    others = [place for place in os.get_exec_path() if Path(place) != LEDGER.parent]
    search = os.pathsep.join([str(path), *others])
    return run("bash", "-c", script, cwd=cwd, PATH=search).out.split(f"{MARK}\n")[:-1]


def assert_prints(document: str, cwd: Path, path: Path) -> None:
    """Run the commands of a document, and compare what they print with what it shows."""
    commands, expected = zip(*console_blocks(document), strict=True)
    outputs = printed(list(commands), cwd, path)
    for command, output, got in zip(commands, expected, outputs, strict=True):
        pattern = re.escape(output).replace(re.escape(f"{ANYTHING}\n"), r"(?:.*\n)*?")
        pattern = pattern.replace(re.escape(RECORDED_AT), r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
        pattern = SEAL.sub(r"\1[0-9a-f]{64}", pattern)
        stripped = "".join(f"{line.rstrip()}\n" for line in got.splitlines())
        assert re.fullmatch(pattern, stripped), f"$ {command}\n{got}"


def lay_out_checkout(folder: Path) -> None:
    """Lay out a checkout whose `.venv` is the present environment, as `dev.py run` leaves it."""
    for name in ("dev.py", "setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    environment = folder / ".venv"
    environment.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != "dev.stamp":
            (environment / entry.name).symlink_to(entry)
    write_stamp = "import dev; dev.STAMP.write_text(dev.digest(dev.RUN))"
    run(BASE_PYTHON, "-c", write_stamp, cwd=folder)


@POSIX
def test_the_readme_shows_what_its_commands_print_on_a_machine_with_python_alone(
    tmp_path: Path,
) -> None:
    checkout, path = tmp_path / "checkout", tmp_path / "bin"
    shutil.copytree(DATA, checkout / "data")
    lay_out_checkout(checkout)
    path.mkdir()
    (path / "python3").symlink_to(BASE_PYTHON)
    assert_prints(README, checkout, path)


@POSIX
@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_shows_what_the_commands_print(document: str, tmp_path: Path) -> None:
    shutil.copytree(DATA, tmp_path / "data")
    assert_prints(document, tmp_path, LEDGER.parent)


@pytest.mark.parametrize("document", [README, "docs/guide.md"])
def test_the_python_of_a_document_runs(document: str, tmp_path: Path) -> None:
    shutil.copytree(DATA, tmp_path / "data")
    text = (ROOT / document).read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ran = run(PYTHON, "-c", example, cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert "internally consistent" in ran.out


def test_every_code_of_a_problem_or_a_finding_is_documented() -> None:
    documented = (ROOT / "docs" / "deliveries.md").read_text(encoding="utf-8")
    for module in (
        "delivery/line_reader",
        "delivery/csv_reader",
        "delivery/discovery",
        "recording/ingest",
        "engines/spark/staged_files",
        "recording/recorder",
        "delivery/cell_values",
        "lineage/findings",
    ):
        source = (ROOT / "ledger" / f"{module}.py").read_text(encoding="utf-8")
        for code in re.findall(r"""["']([a-z]+[a-z0-9]*(?:-[a-z0-9]+)+)["']""", source):
            assert f"`{code}`" in documented or code in ENCODINGS, code
    for code in chosen_codes(SUPPORT, [ANY]):
        assert f"`{code}`" in documented, code


@pytest.mark.parametrize("document", LINKED)
def test_links_within_the_project_lead_somewhere(document: str) -> None:
    path = ROOT / document
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
    for link in links:
        assert (path.parent / link).exists(), link


def test_every_test_that_is_said_to_show_something_is_there() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+\.py)(?:::(\w+))?`", text)
    assert len(named) > 50
    for file, name in named:
        source = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in source, name


def test_every_table_and_column_is_documented() -> None:
    documented = (ROOT / "docs" / "deliveries.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (`.*) \|$", documented, re.MULTILINE))
    for table in SUPPORT.tables:
        names = re.findall(r"`(\w+)`", rows[table.name])
        assert tuple(names) == table.column_names
