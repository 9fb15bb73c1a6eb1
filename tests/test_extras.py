"""Packages that only some commands need: told by name where they are missing."""

from __future__ import annotations

import configparser
import re
import sys

import pytest

from ledger import WrongUsage
from ledger.extras import EXTRAS, needed
from tests.commands import ROOT

extras = pytest.mark.parametrize("name", EXTRAS)


@extras
def test_what_is_missing_is_told_with_the_way_to_install_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = EXTRAS[name]
    for package in extra.packages:
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(WrongUsage) as told:
        needed(name)
    assert all(package in str(told.value) for package in extra.packages)
    assert str(told.value).endswith(f"install with: pip install 'month-ledger[{name}]'")


@extras
def test_the_packages_are_those_that_are_installed_with_the_extra(name: str) -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    required = config["options.extras_require"][name].split()
    packages = {re.split(r"[\[<>=]", line)[0].replace("-", "_") for line in required}
    # Its distribution has another name than what is imported.
    assert {package.removesuffix("_python") for package in packages} == set(EXTRAS[name].packages)


def test_the_engines_are_extras_that_a_user_can_install_singly() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    (required,) = config["options.extras_require"]["engines"].split()
    assert required == "month-ledger[duckdb,lake,spark]"
    assert {"duckdb", "lake", "spark"} <= set(EXTRAS)


@pytest.mark.parametrize("name", ["excel"])
def test_nothing_is_told_where_all_is_there(name: str) -> None:
    needed(name)
