"""What a figure was measured on: the machine, the versions of everything, the date."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

_VERSIONS = """
import json, platform
from importlib import metadata
found = {"Python": platform.python_version()}
for name in %r:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""
PACKAGES = ("pandas", "numpy", "duckdb", "polars", "adbc-driver-sqlite", "pyarrow")


def peer_versions(python: str, packages: tuple[str, ...] = PACKAGES) -> dict[str, str]:
    """The versions of Python and of those of some packages that an environment has."""
    try:
        told = _told(python, "-c", _VERSIONS % (packages,))
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(
            f"{python} is no Python that can be asked for its packages ({type(error).__name__})"
        )
    return {str(name): str(version) for name, version in json.loads(told).items()}


def shell_version() -> str | None:
    """The version of the `sqlite3` shell; None where there is none."""
    try:
        return _told("sqlite3", "--version").split()[0]
    except (FileNotFoundError, IndexError):
        return None


def java_version() -> str | None:
    """The version of the Java that Spark would start; None where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = os.path.join(home, "bin", "java") if home else "java"
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        return None
    return done.stderr.split('"')[1]


def heading(python: str, root: Path, peers: dict[str, str], shell: str | None) -> str:
    """The machine, the versions and the date, as lines of Markdown."""
    ours = _told(python, "-m", "ledger", "--version", root=root).split()[-1]
    names = [f"{name} {version}" for name, version in peers.items()]
    names += [f"sqlite3 shell {shell}"] if shell else []
    return "\n".join(
        [
            f"- {len(os.sched_getaffinity(0))} cores ({_processor()}), {_memory()} of memory, "
            f"{platform.system()} {platform.release()}",
            f"- ledger {ours}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
            f"- peers: {', '.join(names)}",
            f"- {datetime.now(UTC):%Y-%m-%d}",
        ]
    )


def _told(*command: str, root: Path | None = None) -> str:
    environment = {**os.environ, "PYTHONPATH": str(root)} if root else None
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _memory() -> str:
    first, *_ = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    return f"{int(first.split()[1]) / 2**20:.0f} GiB"
