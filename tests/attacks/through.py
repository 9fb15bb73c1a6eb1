"""Tries attacks with the `ledger` of the current folder, and prints as JSON what went through."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.attacks.attack import ALONE, QUICK, Seen, try_attack
from tests.attacks.catalogue import ATTACKS
from tests.attacks.scene import Scene


def main(folder: str, *names: str) -> None:
    """Try the attacks of these names, or all, on a scene."""
    found = []
    with tempfile.TemporaryDirectory() as work:
        for number, attack in enumerate(ATTACKS):
            if names and attack.name not in names:
                continue
            copy = Path(work) / str(number)
            # An anchor is looked at where the ledger alone tells nothing, and never instead of it.
            settings = [ALONE, QUICK] if isinstance(attack.alone, Seen) else None
            for setting, problem in try_attack(attack, Scene(Path(folder)), copy, settings):
                found.append((attack.name, str(setting), problem))
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
