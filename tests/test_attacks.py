"""Each attack of `python -m tests.attacks`; some bits, some by the command line.

And the verification without each of its checks, one at a time.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from tests.attacks.attack import (
    ALONE,
    SETTINGS,
    Attack,
    Seen,
    Unseen,
    checks_of,
    try_attack,
    verify,
    verify_by_command,
)
from tests.attacks.bits import contents, flip_bits, flips
from tests.attacks.catalogue import ATTACKS, CATALOGUE
from tests.attacks.omissions import goes_through, settings_for
from tests.attacks.scene import Scene, prepare

BOTH = SETTINGS[-1]
APPENDED = {
    "a forged retraction recorded",
    "a forged tag given",
    "a file superseded behind the receipt",
}
BY_COMMAND = [attack for attack in ATTACKS if attack.door is verify][::30]
FOUND_BY = sorted(
    {
        outcome.check
        for attack in ATTACKS
        for outcome in (attack.alone, attack.receipt, attack.sources)
        if isinstance(outcome, Seen) and outcome.check
    }
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return prepare(tmp_path_factory.mktemp("scene"))


def named(attack: Attack) -> str:
    return attack.name


def test_no_two_attacks_have_the_same_name() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


def test_every_check_finds_an_attack_and_every_attack_names_a_check(scene: Scene) -> None:
    assert sorted(checks_of(scene, BOTH).names) == FOUND_BY


def test_nothing_but_what_comes_after_the_receipt_goes_through_with_both_anchors() -> None:
    harmless = {a.name for a in CATALOGUE["file and schema"] if isinstance(a.alone, Unseen)}
    unseen = {a.name for a in ATTACKS if isinstance(a.expected(BOTH), Unseen)}
    assert unseen - harmless == APPENDED


@pytest.mark.parametrize("title", CATALOGUE)
def test_each_attack_comes_out_as_it_must(scene: Scene, tmp_path: Path, title: str) -> None:
    # Whoever rewrites all digests is seen by anchors alone, and nothing else binds a report; of the
    # others each setting says alike.
    anchored = title.startswith(("all digests", "receipts", "reports"))
    settings = SETTINGS if anchored else [ALONE]
    wrong = [
        f"{attack.name}, {setting}: {problem}"
        for number, attack in enumerate(CATALOGUE[title])
        for setting, problem in try_attack(attack, scene, tmp_path / str(number), settings)
    ]
    assert not wrong


@pytest.mark.parametrize("attack", BY_COMMAND, ids=named)
def test_the_command_line_says_the_same(scene: Scene, tmp_path: Path, attack: Attack) -> None:
    copy = tmp_path / "copy"
    assert not list(try_attack(attack, scene, copy, [BOTH], door=verify_by_command))


def test_a_flipped_bit_is_found_or_changes_nothing(scene: Scene, tmp_path: Path) -> None:
    counts, wrong = flip_bits(scene, flips(scene, 60, seed=3), tmp_path)
    assert not wrong
    assert counts.total() == 60


def test_what_is_taken_for_the_same_contents_is_the_same(scene: Scene, tmp_path: Path) -> None:
    before = contents(scene.ledger)
    different = 0
    for number, attack in enumerate(CATALOGUE["events"]):
        copy = scene.copy(tmp_path / str(number))
        attack.act(copy)
        try:
            different += contents(copy.ledger) != before
        except sqlite3.Error:
            # Text that is no UTF-8.
            different += 1
    assert different == len(CATALOGUE["events"])


@pytest.mark.parametrize("check", FOUND_BY)
def test_without_any_one_of_the_checks_an_attack_goes_through(
    scene: Scene, tmp_path: Path, check: str
) -> None:
    found = [attack for attack in ATTACKS if settings_for(attack, check)]
    assert any(
        goes_through(attack, check, scene, tmp_path / str(number))
        for number, attack in enumerate(found)
    )


def test_a_receipt_still_agrees_where_nothing_was_done(scene: Scene, tmp_path: Path) -> None:
    unseen, seen = Unseen("nothing was done"), Seen("event")
    nothing = Attack("nothing", lambda scene: None, unseen, unseen, unseen, verify)
    assert not list(try_attack(nothing, scene, tmp_path / "copy"))
    wrong = replace(nothing, alone=seen)
    assert len(list(try_attack(wrong, scene, tmp_path / "other"))) == len(SETTINGS) + 1
