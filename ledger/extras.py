"""The extras: packages that some commands need and others can do without."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from ledger.errors import WrongUsage
from ledger.text import listed


@dataclass(frozen=True, slots=True)
class Extra:
    """Packages that are installed together, or not.

    Attributes:
        name: as in `month-ledger[name]`.
        packages: by the names under which they are imported.
        commands: that need them, as a user types them.
    """

    name: str
    packages: tuple[str, ...]
    commands: tuple[str, ...]

    @property
    def install(self) -> str:
        """The command that installs them."""
        return f"pip install 'month-ledger[{self.name}]'"


EXTRAS = {
    extra.name: extra
    for extra in (
        Extra("page", ("altair", "jinja2", "vl_convert"), ("report --format html",)),
        Extra("serve", ("datasette", "datasette_dashboards"), ("serve",)),
        Extra("excel", ("xlsxwriter",), ("export --format xlsx", "report --format xlsx")),
        Extra("lake", ("deltalake",), ("publish --layout delta",)),
        Extra("duckdb", ("duckdb",), ("project --engine duckdb",)),
        Extra("spark", ("pyspark", "pandas"), ("project --engine spark",)),
    )
}


def needed(name: str) -> None:
    """Make sure that the packages of an extra are there, before anything is done with them.

    Raises:
        WrongUsage: one of them is missing, or cannot be imported.
    """
    extra = EXTRAS[name]
    absent = [package for package in extra.packages if not _is_there(package)]
    if absent:
        packages = f"{'packages' if len(absent) > 1 else 'package'} {listed(absent)}"
        raise WrongUsage(
            f"`ledger {extra.commands[0]}` needs the {packages}; install with: {extra.install}"
        )


def _is_there(package: str) -> bool:
    try:
        import_module(package)
    except ImportError:
        return False
    return True
