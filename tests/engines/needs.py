"""What tests of the engines need, as marks: where it is missing they are skipped, and say why."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec

import pytest


def java() -> str | None:
    """The Java that Spark would start, or None."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=os.path.join(home, "bin") if home else None)


def missing(*packages: str) -> str:
    """Which of the packages are not there, and how to get them; empty where all are."""
    absent = [package for package in packages if find_spec(package) is None]
    return f"not installed: {', '.join(absent)} (with: python3 dev.py engines)" if absent else ""


def _missing_for_spark() -> str:
    no_java = "" if java() else "there is no Java (Debian's package openjdk-17-jre-headless)"
    return "; ".join(filter(None, [missing("pyspark", "pandas", "grpc"), no_java]))


def _needed(what_is_missing: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(bool(what_is_missing), reason=what_is_missing)


needs_duckdb = _needed(missing("duckdb"))
needs_delta = _needed(missing("deltalake"))
needs_spark = _needed(_missing_for_spark())
needs_linux = _needed("" if sys.platform == "linux" else "processes are looked up in /proc")
