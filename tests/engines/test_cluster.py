"""Commands on a real cluster, small as it is, and on a server of Spark Connect.

Whatever becomes of a worker, what comes out are the bytes that the ledger gives.
"""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger import Ledger
from ledger.lake.layout import ROWS_AT_ONCE
from tests.commands import DATA, PYTHON
from tests.engines.cluster import PATIENCE, Cluster, cluster, connect_server, wait_for
from tests.engines.needs import needs_linux, needs_spark
from tests.strategies import COLUMNS, write_data_folder

pytestmark = [needs_spark, needs_linux]

SPARK = ("--engine", "spark")
TABLES = list(COLUMNS)


@contextmanager
def running(
    folder: Path, environment: dict[str, str], *arguments: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A command of the ledger that runs in a folder; its messages go to `command.log` there."""
    with (
        (folder / "command.log").open("wb") as log,
        subprocess.Popen(
            [str(PYTHON), "-m", "ledger", *arguments],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def carry_out(folder: Path, environment: dict[str, str], *arguments: str) -> str:
    """Run a command to its end, which must be a good one; what it said."""
    with running(folder, environment, *arguments) as process:
        code = process.wait(timeout=PATIENCE)
    said = (folder / "command.log").read_text(encoding="utf-8")
    assert code == 0, said
    return said


def empty(folder: Path) -> Path:
    """A folder, made."""
    folder.mkdir()
    return folder


def is_begun(process: subprocess.Popen[bytes], place: Path, drafts: str) -> bool:
    """Whether a command has written such drafts; it must not have ended before."""
    assert process.poll() is None, "the command ended before a worker could be lost"
    return any(place.glob(f".ledger-draft-*/{drafts}"))


def whole(folder: Path, table: str) -> bytes:
    """A table that Spark exported, its parts one after the other."""
    parts = sorted((folder / f"{table}_final.csv").iterdir())
    return b"".join(part.read_bytes() for part in parts)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger of the sample data."""
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(DATA)
    return ledger


def test_an_export_gets_over_the_loss_of_a_worker(tmp_path: Path, ledger: Ledger) -> None:
    ledger.publish(tmp_path / "lake")
    ledger.at().export(tmp_path / "expected")
    export = ("export", "--lake", "lake", *SPARK, "--out-dir", "out", "--master")
    with (
        cluster(empty(tmp_path / "cluster")) as made,
        running(tmp_path, made.environment, *export, made.master) as process,
    ):
        # The first table is being written: three are to come.
        wait_for(lambda: is_begun(process, tmp_path / "out", "*_final.csv/*"), "a part")
        made.workers[0].kill()
        code = process.wait(timeout=PATIENCE)
        assert code == 0, (tmp_path / "command.log").read_text(encoding="utf-8")
        assert made.living() == 1
    for table in TABLES:
        expected = (tmp_path / "expected" / f"{table}_final.csv").read_bytes()
        assert whole(tmp_path / "out", table) == expected
    assert not any(worker.members() for worker in made.workers)


def test_an_ingest_gets_over_the_loss_of_a_worker(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_data_folder(data, [])
    write_interactions(data / "initial" / "interactions.csv", 3 * ROWS_AT_ONCE)
    arguments = ("--data-dir", str(data), "--initial-month", "202501")
    with (
        cluster(empty(tmp_path / "cluster")) as made,
        running(
            tmp_path, made.environment,
            "ingest", "--lake", "lake", *SPARK, "--master", made.master, *arguments,
        ) as process,
    ):  # fmt: skip
        wait_for(lambda: is_begun(process, tmp_path / "lake", "*.events"), "a draft of events")
        lost = [worker for worker in made.workers if worker.members()]
        lost[0].kill()
        code = process.wait(timeout=PATIENCE)
        assert code == 0, (tmp_path / "command.log").read_text(encoding="utf-8")
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(data, initial_month="202501")
    found = Ledger.of_lake(tmp_path / "lake").verify()
    assert (found.faults, found.head) == ((), ledger.receipt().head)


def test_through_connect_all_is_the_same(tmp_path: Path, ledger: Ledger) -> None:
    ledger.at().export(tmp_path / "expected")
    (latest := ledger.at()).write_report(latest.report(), tmp_path / "expected")
    with connect_server(empty(tmp_path / "server")) as server:
        lake = ("--lake", "lake", *SPARK, "--remote", server.remote)
        carry_out(tmp_path, server.environment, "ingest", *lake, "--data-dir", str(DATA))
        carry_out(tmp_path, server.environment, "export", *lake, "--out-dir", "out")
        carry_out(tmp_path, server.environment, "report", *lake, "--out-dir", "out")
    for table in TABLES:
        expected = (tmp_path / "expected" / f"{table}_final.csv").read_bytes()
        assert whole(tmp_path / "out", table) == expected
    report = (tmp_path / "out" / "support_report.csv").read_bytes()
    assert report == (tmp_path / "expected" / "support_report.csv").read_bytes()
    assert not server.daemon.members()


def write_interactions(path: Path, rows: int) -> None:
    """An extract of so many rows, all but their keys the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS["interactions"])
        writer.writerows([f"I{n}", "2025-01-02T03:04:05Z", "phone", *[""] * 8] for n in range(rows))


def test_nothing_is_left_of_a_cluster_where_a_test_fails(tmp_path: Path) -> None:
    seen: list[Cluster] = []

    def test() -> None:
        with cluster(tmp_path) as started:
            seen.append(started)
            assert all(worker.members() for worker in started.workers)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        test()
    assert not any(worker.members() for worker in seen[0].workers)
