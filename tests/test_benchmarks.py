"""The benchmarks: what is delivered is what is asked for, and the tables say what was measured.

The peers are in no environment of the tests: `benchmarks/peers/check.py` holds them to the ledger.
"""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.deliveries import Deliveries, write_deliveries
from ledger import Ledger
from tests.oracle import fold, state_of

ROWS, MONTHS, NEXT = 1600, 4, 200


def made(folder: Path, keys: str = "seq", seed: int = 1, rows: int = ROWS) -> dict[str, bytes]:
    """The files of a data folder, by name."""
    wanted = Deliveries(rows, MONTHS, seed, keys, NEXT)
    write_deliveries(wanted, folder, with_next=True)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.csv")
    }


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file, strict=True)]


@pytest.mark.parametrize("keys", ["seq", "random"])
def test_the_same_arguments_give_the_same_bytes(tmp_path: Path, keys: str) -> None:
    first, again, other = (
        made(tmp_path / name, keys, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first if "interactions" in name)


@pytest.mark.parametrize("keys", ["seq", "random"])
def test_updates_and_deletes_hit_what_is_there(tmp_path: Path, keys: str) -> None:
    made(tmp_path, keys)
    extract = rows_of(tmp_path / "initial" / "interactions.csv")
    there = {row["interaction_id"]: row for row in extract}
    assert len(there) == len(extract) == ROWS // 2
    assert ([*there] == sorted(there)) is (keys == "seq")
    deltas = sorted((tmp_path / "delta").glob("interactions_*"))
    completed = 0
    for path in [*deltas, *(tmp_path / "next" / "delta").glob("interactions_*")]:
        delta = rows_of(path)
        assert len({row["interaction_id"] for row in delta}) == len(delta)
        actions = Counter(row["action"] for row in delta)
        assert actions == {
            "add": len(delta) * 80 // 100,
            "update": len(delta) * 15 // 100,
            "delete": len(delta) * 5 // 100,
        }
        for row in delta:
            key, action = row["interaction_id"], row.pop("action")
            assert (key in there) is (action != "add")
            before = there.pop(key, None)
            if action == "delete":
                continue
            there[key] = row
            if before:
                assert row["interaction_start"] == before["interaction_start"]
                assert row["interaction_end"]
                assert row != before
                completed += not before["interaction_end"]
            elif row["interaction_start"] < f"{path.stem[-6:-2]}-{path.stem[-2:]}":
                assert row["interaction_start"] > "2022-12-28"
            else:
                assert row["timestamp"][:7] == f"{path.stem[-6:-2]}-{path.stem[-2:]}"
    assert completed
    assert sum(len(rows_of(path)) for path in deltas) == ROWS // 2


def test_the_month_after_the_last_has_the_same_shape_after_any_history(tmp_path: Path) -> None:
    name = "next/delta/interactions_delta_202305.csv"
    short, long = (
        made(tmp_path / str(rows), rows=rows)[name].count(b",add\n") for rows in (ROWS, 3 * ROWS)
    )
    assert short == long == NEXT * 80 // 100


def test_the_ledger_records_it_and_replays_it_as_another_way_does(tmp_path: Path) -> None:
    made(tmp_path, "random")
    ledger = Ledger(tmp_path / "ledger.db")
    done = [*ledger.ingest(tmp_path), *ledger.ingest(tmp_path / "next")]
    codes = {code for month in done for code in month.findings}
    assert codes <= {"reference-deleted", "no-op"}
    ledger.project("202305")
    paths = [*(tmp_path / "initial").iterdir(), *tmp_path.rglob("*_delta_*.csv")]
    with closing(sqlite3.connect(ledger.path)) as connection:
        assert state_of(connection) == fold(paths, 202212, 202305)
