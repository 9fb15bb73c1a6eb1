"""How often a command opens the ledger, and reads its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ledger import Ledger
from ledger.cli.main import main
from ledger.store.event_store import Store
from tests.commands import DATA


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    Ledger(path).ingest(DATA)
    return path


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a store was opened, and each kind of its records read."""
    counts: Counter[str] = Counter()

    def count(name: str, patched: Callable[[Any], Any]) -> None:
        called = getattr(Store, name)

        def counting(*arguments: Any) -> Any:
            counts[name] += 1
            return called(*arguments)

        monkeypatch.setattr(Store, name, patched(counting))

    count("for_reading", staticmethod)
    for name in ("batches", "files", "tags"):
        count(name, lambda method: method)
    return counts


@pytest.mark.parametrize(
    "command",
    [
        ["export"],
        ["export", "--names", "as-was", "--known-at", "2"],
        ["report"],
        ["answers", "--as-of", "202502"],
        ["check"],
        ["history", "agents", "A001"],
        ["explain", "--month", "2025-02"],
        ["diff", "202501", "202502"],
        ["bridge", "--from", "202501", "--to", "202502"],
    ],
    ids=" ".join,
)
def test_a_command_opens_the_ledger_once_and_reads_its_records_once(
    db: Path, counted: Counter[str], command: list[str], tmp_path: Path
) -> None:
    places = ["--out-dir", str(tmp_path / "out")] if command[0] in ("export", "report") else []
    ran = CliRunner().invoke(main, [*command, *places, "--db", str(db)], catch_exceptions=False)
    assert ran.exit_code == 0
    assert counted == {"for_reading": 1, "batches": 1, "files": 1, "tags": 1}
