"""Verifies without one of the checks, and finds which attacks nothing else notices."""

from __future__ import annotations

from pathlib import Path

from tests.attacks.attack import Attack, Seen, Setting, faults_found, settings_of, verify
from tests.attacks.scene import Scene


def settings_for(attack: Attack, check: str) -> list[Setting]:
    """The settings in which a check is the one that finds an attack."""
    if attack.door is not verify:
        return []
    outcomes = {setting: attack.expected(setting) for setting in settings_of(attack)}
    return [s for s, seen in outcomes.items() if isinstance(seen, Seen) and seen.check == check]


def goes_through(attack: Attack, check: str, scene: Scene, folder: Path) -> bool:
    """Whether without a check nothing finds an attack, in a setting in which the check does.

    Args:
        attack: is carried out on a copy of the scene.
        check: the name of the check that is left out.
        scene: is left as it is.
        folder: for the copy; must not exist.
    """
    settings = settings_for(attack, check)
    if not settings:
        return False
    copy = scene.copy(folder)
    attack.act(copy)
    return any(not faults_found(copy, setting, check) for setting in settings)
