"""Run the project, or check it, with nothing installed but Python.

All commands share an environment in ``.venv`` beside this file. It is made on
first use and again when the interpreter, the place of the project or its
requirements change; otherwise a command starts at once, or adds what it needs
and an earlier one did not.
"""

import contextlib
import hashlib
import importlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

# Everything up to here, and the grammar of the whole file, is Python 3.6, so
# that an older interpreter is refused with a sentence and not a traceback.
if sys.version_info < (3, 11):
    sys.stderr.write(f"dev.py: needs Python 3.11 or newer, not {platform.python_version()}\n")
    sys.exit(2)

USAGE = """\
usage: python3 dev.py run [ARGUMENT ...]      ledger run, in the project's folder
       python3 dev.py test [ARGUMENT ...]     ruff, mypy and pytest (which gets the arguments)
       python3 dev.py engines [ARGUMENT ...]  pytest of what needs DuckDB, Delta Lake or Spark"""

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "dev.stamp"

# What pip installs; each covers those after it.
TARGETS = ENGINES, TEST, RUN = ".[test,engines]", ".[test]", "."

HEAVY = "tests/engines"  # left to a command of its own
DELTA_TOO = "tests/lake"  # with Delta Lake, where that is installed
CHECKS = ("ruff check .", "ruff format --check .", "mypy")


def main(arguments: list[str]) -> int:
    """Carry out one command and return its exit status."""
    command, *rest = arguments or [""]
    if command in ("-h", "--help"):
        print(USAGE)
        return 0
    if command == "run":
        prepare(RUN)
        return execute("ledger", "run", *rest)
    if command == "test":
        prepare(TEST)
        return check(rest)
    if command == "engines":
        prepare(ENGINES)
        # Each worker has a Spark of its own, which takes more than a core.
        workers = ["-n", "auto", "--maxprocesses", "2", "--dist", "loadfile"]
        return execute("pytest", "-o", f"testpaths={HEAVY} {DELTA_TOO}", *workers, *rest)
    print(USAGE, file=sys.stderr)
    return 2


def check(pytest_arguments: list[str]) -> int:
    """Run every check, whatever the ones before it said."""
    failed = []
    # One worker for each core.
    tests = ["-n", "auto", "--dist", "worksteal", f"--ignore={HEAVY}", *pytest_arguments]
    for line, extra in [*((line, []) for line in CHECKS), ("pytest", tests)]:
        print(f"== {' '.join([line, *extra])}", flush=True)
        if execute(*line.split(), *extra) != 0:
            failed.append(line)
    if failed:
        print(f"dev.py: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def execute(*module_and_arguments: str) -> int:
    """Run a module with the environment's Python, in the project's folder."""
    with subprocess.Popen([str(PYTHON), "-m", *module_and_arguments], cwd=ROOT) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal interrupts the child too: let it close its files.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
            process.kill()
            raise


def prepare(target: str) -> None:
    """Make the environment or add to it, unless the one in place serves the target."""
    try:
        stamp = STAMP.read_text() if PYTHON.exists() and STAMP.exists() else ""
        digests = [digest(each) for each in TARGETS]
        if stamp in digests[: TARGETS.index(target) + 1]:
            return
        if stamp in digests:
            add(target, stamp)
        else:
            create_venv()
            install(target)
        STAMP.write_text(digest(target))  # last: an interrupted set-up is done again
    except OSError as error:
        raise refusal(1, f"cannot set up .venv: {error}") from None


def add(target: str, stamp: str) -> None:
    """Install the further requirements of the target; if pip fails, the former ones still serve."""
    print("dev.py: adding to .venv", file=sys.stderr, flush=True)
    STAMP.unlink()
    try:
        install(target)
    except SystemExit:
        STAMP.write_text(stamp)
        raise


def digest(target: str) -> str:
    """Identify everything that an environment for the target depends on."""
    files = [(ROOT / name).read_bytes() for name in ("setup.cfg", "pyproject.toml")]
    return hashlib.sha256(repr((sys.version, str(ROOT), files, target)).encode()).hexdigest()


def create_venv() -> None:
    """Put a new, empty environment in place of the old one."""
    try:
        importlib.import_module("ensurepip")
        venv = importlib.import_module("venv")
    except ImportError:
        advice = "apt install python3-venv on Debian and Ubuntu, or your platform's package for it"
        raise refusal(2, f"Python's venv or ensurepip is missing: {advice}") from None
    mark = VENV / "pyvenv.cfg"
    if os.path.lexists(VENV):
        if VENV.is_symlink() or (any(VENV.iterdir()) and not mark.is_file()):
            raise refusal(1, f"{VENV} is in the way: it is not a virtual environment")
        # The stamp goes first and the mark last, so that a next call can resume.
        STAMP.unlink(missing_ok=True)
        for folder in filter(Path.is_dir, list(VENV.iterdir())):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(VENV)
    VENV.mkdir()
    mark.touch()
    print("dev.py: setting up .venv", file=sys.stderr, flush=True)
    try:
        venv.create(VENV, symlinks=os.name != "nt", with_pip=True)
    except subprocess.CalledProcessError as error:
        raise refusal(1, f"cannot set up .venv: {error}") from None


def install(target: str) -> None:
    """Install the project, editable, with what the target requires."""
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    result = subprocess.run(
        [*pip, "install", "--editable", target],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if result.returncode != 0:
        sys.stderr.write(result.stdout.decode(errors="replace"))
        raise refusal(1, f"pip could not install {target} and its requirements")


def refusal(status: int, message: str) -> SystemExit:
    """Say in one line why not, and return the exit to raise."""
    print(f"dev.py: {message}", file=sys.stderr)
    return SystemExit(status)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
