"""A lake into which Spark records deliveries is the one that a ledger of the same files makes."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings

from ledger import (
    InputRefused,
    Ledger,
    LedgerError,
    Month,
    MonthIngest,
    RecordingFailed,
    SequenceBroken,
    WrongUsage,
)
from ledger.datasets.support.description import SUPPORT
from ledger.delivery.discovery import Delivery, find_deliveries, read_names
from ledger.lake.files import read_parquet
from ledger.lake.folder import make_lake
from ledger.lake.layout import ROWS_AT_ONCE, Layout
from ledger.lake.publish import publish_store
from ledger.lake.relations import CLOCK, READINGS, columns_of, event_schema, schema
from ledger.model.records import Batch, Records
from ledger.recording.ingest import dated_deliveries
from ledger.recording.ingest_options import IngestOptions
from ledger.recording.recorder import VALUES_AT_ONCE
from ledger.store.event_store import Store
from tests.corpus.checking import EXTRACT_MONTH, workshop
from tests.corpus.collection import corpus, sample
from tests.corpus.malformed import write_files
from tests.engines.cluster import wait_for
from tests.engines.needs import needs_delta, needs_linux, needs_spark
from tests.strategies import (
    COLUMNS,
    Deliveries,
    deliveries,
    small_file,
    write_data_folder,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = needs_spark

DATA = Path(__file__).parent.parent.parent / "data"
EXTRACT = small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Atlanta"))
FEBRUARY = small_file("contact_centers", 202502, ("update", "CC1", "Boston, MA"))
MARCH = small_file("contact_centers", 202503, ("delete", "CC2"))


class Twins:
    """A ledger and a lake to which the same is delivered; what becomes of it must be the same."""

    def __init__(self, session: SparkSession, root: Path, layout: str = "parquet") -> None:
        self.session = session
        self.ledger = Ledger(root / "ledger.db")
        self.lake = make_lake(root / "lake", SUPPORT, layout)
        self.published = root / "published"

    def ingest(self, data: Path, **options: Any) -> list[MonthIngest]:
        """Ingest a folder on both sides, see that the same became of it, and give that."""
        theirs, their_error = _outcome(self.ledger.ingest_months(options_of(data, **options)))
        ours, our_error = _outcome(spark_ingest(self.session, self.lake, data, **options))
        assert type(our_error) is type(their_error), (our_error, their_error)
        assert str(our_error) == str(their_error)
        assert list(map(comparable, ours)) == list(map(comparable, theirs))
        self.compare()
        if our_error:
            raise our_error
        return ours

    def catch_up(self, data: Path) -> None:
        """Ingest a folder on both sides, whatever each of them has of it."""
        self.ledger.ingest(data)
        list(spark_ingest(self.session, self.lake, data))
        self.compare()

    def compare(self) -> None:
        """See that the lake is the one that the ledger makes."""
        shutil.rmtree(self.published, ignore_errors=True)
        expected = make_lake(self.published, SUPPORT)
        if self.ledger.path.exists():
            with Store.for_reading(self.ledger.path) as store, store.snapshot():
                publish_store(store, SUPPORT, expected)
        assert contents(self.lake) == contents(expected)
        left = [path.name for path in self.lake.root.iterdir() if path.name.startswith(".")]
        assert left == []


def spark_ingest(
    session: SparkSession,
    lake: Layout,
    data: Path,
    **options: Any,
) -> Iterator[MonthIngest]:
    from ledger.engines.spark.ingest import ingest_to_lake

    found = find_deliveries(data, SUPPORT)
    return ingest_to_lake(session, lake, found, options_of(data, **options))


def options_of(
    data: Path, *, months: Sequence[str] = (), initial_month: str | None = None, **options: Any
) -> IngestOptions:
    return IngestOptions(
        data=data,
        months=[Month.parse(month) for month in months],
        initial_month=Month.parse(initial_month) if initial_month else None,
        **options,
    )


def _outcome(months: Iterator[MonthIngest]) -> tuple[list[MonthIngest], LedgerError | None]:
    done: list[MonthIngest] = []
    try:
        done.extend(months)
    except LedgerError as error:
        return done, error
    return done, None


def timeless(batch: Batch | None) -> Batch | None:
    return batch and replace(batch, recorded_at="", seal="")


def comparable(month: MonthIngest) -> Any:
    """What became of a month, but for the time and for findings."""
    receipt = month.receipt and (month.receipt.head, month.receipt.events)
    return (month.month, month.files, timeless(month.batch), receipt, month.restates,
            month.missing_months)  # fmt: skip


def contents(lake: Layout) -> dict[str, Any]:
    """All that is in a lake, but for the times of recording."""
    records = lake.records()
    found: dict[str, Any] = {
        "batches": list(map(timeless, records.batches)),
        "files": records.files,
    }
    for table in SUPPORT.tables:
        paths = lake.event_files(table, records)
        found[table.name] = rows_of([*paths], event_schema(table))
    for relation in (READINGS, CLOCK):
        found[relation] = rows_of([*lake.files_of(relation, records)], schema(columns_of(relation)))
    return found


def rows_of(paths: list[Path], types: Any) -> list[Any]:
    return [row for path in paths for row in read_parquet(path, types).to_pylist()]


def write_many_rows(data: Path) -> None:
    """An extract of a little more than a row group, the first rows of which are odd."""
    with (data / "initial" / "interactions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS["interactions"])
        for number in range(ROWS_AT_ONCE + 10):
            odd = "soon" if number < VALUES_AT_ONCE * 2 else ""
            writer.writerow([f"I{number}", "2025-01-02T03:04:05Z", odd, *[odd] * 8])


@pytest.fixture
def twins(spark: SparkSession, tmp_path: Path) -> Twins:
    return Twins(spark, tmp_path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


# The same lake -----------------------------------------------------------------------------------


def test_the_sample_data_gives_the_lake_that_a_ledger_gives(twins: Twins) -> None:
    months = twins.ingest(DATA)
    assert [str(month.month) for month in months] == ["202501", "202502", "202503"]
    assert len(twins.lake.records().batches) == 3


def test_what_is_recorded_already_is_not_recorded_again(twins: Twins) -> None:
    twins.ingest(DATA)
    again = twins.ingest(DATA)
    assert [month.batch for month in again] == [None] * 3


@needs_delta
def test_a_lake_of_delta_gets_the_same(spark: SparkSession, tmp_path: Path, data: Path) -> None:
    twins = Twins(spark, tmp_path, "delta")
    write_data_folder(data, [EXTRACT, FEBRUARY])
    twins.ingest(data)
    write_data_folder(data, [MARCH])
    twins.ingest(data)


@given(came=deliveries())
@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_is_delivered_gives_the_same_lake(spark: SparkSession, came: Deliveries) -> None:
    with tempfile.TemporaryDirectory() as name:
        twins, data = Twins(spark, Path(name)), Path(name) / "in [a] folder, 100%"
        data.mkdir()
        write_data_folder(data, came.files)
        twins.ingest(data, initial_month=str(came.initial_month), allow_gap=True)


def test_a_file_of_many_rows_has_the_row_groups_of_a_lake(twins: Twins, data: Path) -> None:
    write_data_folder(data, [EXTRACT])
    write_many_rows(data)
    twins.ingest(data, initial_month="202501")
    _, file_record = twins.lake.records().files
    assert len(contents(twins.lake)[READINGS]) == VALUES_AT_ONCE * 2 * 5
    groups = pq.ParquetFile(twins.lake.events_path(file_record)).metadata
    sizes = [groups.row_group(place).num_rows for place in range(groups.num_row_groups)]
    assert sizes == [ROWS_AT_ONCE, 10]


def test_a_dry_run_tells_the_same_and_leaves_the_lake(twins: Twins, data: Path) -> None:
    write_data_folder(data, [EXTRACT, FEBRUARY, MARCH])
    months = twins.ingest(data, months=["202502"], dry_run=True)
    assert [month.batch and month.batch.events for month in months] == [2, 1]
    assert twins.lake.records().batches == ()


# The same rules ----------------------------------------------------------------------------------


def test_a_month_that_is_refused_leaves_nothing_and_those_before_it_stay(
    twins: Twins, data: Path
) -> None:
    write_data_folder(data, [EXTRACT, FEBRUARY, MARCH])
    header = ",".join([*COLUMNS["agents"], "action"])
    quoted = f'{header}\nA1,"two\r\nlines ""of"" text",,,,add\nA2,x,,,,remove\nA3,x,add\n'
    (data / "delta" / "agents_delta_202503.csv").write_text(quoted, newline="")
    (data / "delta" / "service_categories_delta_202503.csv").write_text("category_id\n")
    (data / "delta" / "interactions_delta_202503.csv").symlink_to("nowhere")
    with pytest.raises(InputRefused) as caught:
        twins.ingest(data)
    problems = [(problem.code, problem.line) for problem in caught.value.problems]
    assert problems[:2] == [("unknown-action", 4), ("short-row", 5)]
    assert problems[-1] == ("unreadable-file", None)
    assert [str(batch.month) for batch in twins.lake.records().batches] == ["202501", "202502"]


def test_keys_that_stand_twice_in_an_extract_are_told_with_all_else(
    twins: Twins, data: Path
) -> None:
    twice = [("A1", f"first {number}") for number in range(3)]
    agents = small_file("agents", None, *twice, ("A2", "two\nlines"), ("a1",), ("A2",), ("",))
    centers = small_file("contact_centers", None, *[("CC1",)] * 120, ("",))
    write_data_folder(data, [agents, centers, small_file("service_categories", None, ("C1",))])
    write_data_folder(data, [FEBRUARY])
    with pytest.raises(InputRefused) as caught:
        twins.ingest(data)
    assert caught.value.problems.total == 4 + 120
    codes = [problem.code for problem in caught.value.problems]
    assert codes[:5] == ["empty-key", *["duplicate-key"] * 3, "empty-key"]
    assert twins.lake.records().batches == ()


def test_every_malformed_delivery_is_told_in_the_same_words(
    spark: SparkSession, tmp_path: Path
) -> None:
    from ledger.engines.spark.staged_files import StagedFiles
    from ledger.engines.spark.tasks import Tasks

    refused: dict[str, tuple[list[Delivery], str]] = {}
    # A name in the wrong folder is refused before anything is read.
    named = [malformed for malformed in corpus() if not malformed.as_folder]
    with workshop() as ledgers:
        for number, malformed in enumerate(sample(1, named)):
            paths = write_files(tmp_path / str(number), malformed.files)
            ledger = Ledger(ledgers.ledger_for(malformed))
            try:
                found = read_names(paths, SUPPORT)
                with pytest.raises(InputRefused) as caught:
                    ledger.ingest(files=paths)
            except LedgerError:
                continue  # Its name is refused, before anything is read.
            dated = [replace(d, month=d.month or Month(EXTRACT_MONTH)) for d in found]
            refused[malformed.name] = dated, str(caught.value)
    every = [delivery for found, _ in refused.values() for delivery in found]
    files = StagedFiles(Tasks(spark, tmp_path), every)
    files.scan(every)
    told = {name: str(InputRefused(files.problems(found))) for name, (found, _) in refused.items()}
    assert told == {name: text for name, (_, text) in refused.items()}
    assert len(told) > 100


@pytest.mark.parametrize("options", [{}, {"allow_gap": True}])
def test_a_gap_is_refused_or_allowed(twins: Twins, data: Path, options: dict[str, Any]) -> None:
    write_data_folder(data, [EXTRACT, MARCH])
    write_data_folder(data, [small_file("agents", 202505, ("add", "A1"))])
    if options:
        assert twins.ingest(data, **options)[-1].missing_months
        return
    with pytest.raises(SequenceBroken):
        twins.ingest(data)
    assert len(twins.lake.records().batches) == 2


def test_a_late_file_is_refused_or_allowed(twins: Twins, data: Path) -> None:
    write_data_folder(data, [EXTRACT, FEBRUARY, MARCH])
    twins.ingest(data)
    write_data_folder(data, [small_file("agents", 202502, ("add", "A1"))])
    with pytest.raises(SequenceBroken):
        twins.ingest(data)
    assert twins.ingest(data, late=True)[1].restates


def test_a_correction_is_refused_with_what_it_would_change_or_allowed(
    twins: Twins, data: Path
) -> None:
    rows = [("add", "CC3", "Denver"), ("update", "CC3", "x"), ("delete", "CC2")]
    write_data_folder(data, [EXTRACT, small_file("contact_centers", 202502, *rows), MARCH])
    twins.ingest(data)
    other = [("add", "CC3", "Denver"), ("update", "CC3", ""), ("add", "CC4"), ("add", "cc3")]
    before = write_data_folder(data, [small_file("contact_centers", 202502, *other)])
    with pytest.raises(SequenceBroken, match="2 added, 1 changed, 1 removed"):
        twins.ingest(data)
    months = twins.ingest(data, correct="sent anew")
    assert months[1].files[0].difference is not None
    # And the first bytes again.
    assert before[0].exists()
    write_data_folder(data, [small_file("contact_centers", 202502, *rows)])
    with pytest.raises(SequenceBroken, match="superseded in batch"):
        twins.ingest(data)
    assert twins.ingest(data, correct="was right")[1].files[0].restores


def test_a_correction_without_rows_differs_by_all_of_them(twins: Twins, data: Path) -> None:
    write_data_folder(data, [EXTRACT, FEBRUARY])
    twins.ingest(data)
    write_data_folder(data, [small_file("contact_centers", 202502)])
    twins.ingest(data, correct="was none")
    write_data_folder(data, [FEBRUARY])
    twins.ingest(data, correct="was one")


def test_the_number_of_rows_expected_is_held_to(twins: Twins, data: Path) -> None:
    write_data_folder(data, [EXTRACT, FEBRUARY])
    with pytest.raises(WrongUsage):
        twins.ingest(data, expect_rows={"contact_centers": 2})
    twins.ingest(data, months=["202501"])
    with pytest.raises(InputRefused):
        twins.ingest(data, expect_rows={"contact_centers": 2})
    twins.ingest(data, expect_rows={"contact_centers": 1})


def test_findings_cannot_be_refused(twins: Twins, data: Path) -> None:
    write_data_folder(data, [EXTRACT, FEBRUARY])
    with pytest.raises(WrongUsage, match="--strict"):
        [*spark_ingest(twins.session, twins.lake, data, refuse=frozenset({"bad-date"}))]


# What may go wrong -------------------------------------------------------------------------------


def test_a_file_that_changes_while_it_is_read_is_refused(
    twins: Twins, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger.engines.spark.staged_files import StagedFiles

    write_data_folder(data, [EXTRACT, FEBRUARY])
    scan = StagedFiles.scan

    def and_change(files: StagedFiles, some: Sequence[Delivery]) -> None:
        scan(files, some)
        write_data_folder(data, [small_file("contact_centers", 202502, ("delete", "CC1"))])

    monkeypatch.setattr(StagedFiles, "scan", and_change)
    done, error = _outcome(spark_ingest(twins.session, twins.lake, data))
    assert [problem.code for problem in getattr(error, "problems", ())] == ["changed-file"]
    assert [str(month.month) for month in done] == ["202501"]
    monkeypatch.undo()
    twins.catch_up(data)


def test_a_month_whose_commit_fails_can_be_recorded_again(
    twins: Twins, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_data_folder(data, [EXTRACT, FEBRUARY])
    commit = type(twins.lake).commit

    def failing(lake: Layout, draft: Path, content: Any, staged: Any) -> None:
        if content.batch.batch == 2:
            raise OSError(28, "No space left on device")
        commit(lake, draft, content, staged)

    monkeypatch.setattr(type(twins.lake), "commit", failing)
    done, error = _outcome(spark_ingest(twins.session, twins.lake, data))
    assert isinstance(error, RecordingFailed)
    assert error.recorded is False
    assert "No space left" in str(error)
    assert [str(month.month) for month in done] == ["202501"]
    assert len(twins.lake.records().batches) == 1
    monkeypatch.undo()
    twins.catch_up(data)


def test_a_month_that_was_committed_all_the_same_is_told(
    twins: Twins, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_data_folder(data, [EXTRACT, FEBRUARY])
    commit = type(twins.lake).commit

    def failing(lake: Layout, draft: Path, content: Any, staged: Any) -> None:
        commit(lake, draft, content, staged)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(type(twins.lake), "commit", failing)
    done, error = _outcome(spark_ingest(twins.session, twins.lake, data))
    assert isinstance(error, RecordingFailed)
    assert error.recorded
    assert [str(month.month) for month in done] == ["202501"]


INGEST = """
import sys
from pathlib import Path

from ledger.datasets.support.description import SUPPORT
from ledger.delivery.discovery import find_deliveries
from ledger.engines.spark.ingest import ingest_to_lake
from ledger.engines.spark.session import spark_session
from ledger.lake.folder import open_lake
from ledger.recording.ingest_options import IngestOptions

lake, data, how, where = sys.argv[1:]
with spark_session(**{how: where}) as session:
    found = find_deliveries(Path(data), SUPPORT)
    options = IngestOptions(late=True)
    list(ingest_to_lake(session, open_lake(Path(lake), SUPPORT), found, options))
"""


@contextmanager
def ingesting(
    twins: Twins, data: Path, how: str, where: str, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that records a folder in the lake, until its first draft of events is begun."""
    command = [sys.executable, "-c", INGEST, str(twins.lake.root), str(data), how, where]
    process = subprocess.Popen(
        command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: drafts_of(twins.lake) or process.poll() is not None, "a draft of events")
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def drafts_of(lake: Layout) -> list[Path]:
    return [*lake.root.glob(".ledger-draft-*/*.events")]


@needs_linux
def test_who_is_killed_while_events_are_written_leaves_the_lake_and_drafts_that_go(
    twins: Twins, data: Path
) -> None:
    write_data_folder(data, [EXTRACT, FEBRUARY])
    twins.ingest(data)
    before = contents(twins.lake)
    write_many_rows(data)
    with ingesting(twins, data, "master", "local[1]", {**os.environ}) as process:
        assert process.poll() is None
    assert drafts_of(twins.lake)
    assert contents(twins.lake) == before
    twins.ingest(data, late=True)


def test_workers_with_another_version_are_refused(
    twins: Twins, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_data_folder(data, [EXTRACT, FEBRUARY])
    monkeypatch.setattr("ledger.engines.spark.tasks.__version__", "99.0")
    with pytest.raises(WrongUsage, match=r"has ledger .* and this is 99\.0"):
        [*spark_ingest(twins.session, twins.lake, data)]


def test_a_worker_that_does_not_see_the_lake_is_told(
    twins: Twins, tmp_path: Path, data: Path
) -> None:
    from ledger.engines.spark.tasks import Tasks

    write_data_folder(data, [EXTRACT, FEBRUARY])
    dated = with_months_of(data)
    tasks = Tasks(twins.session, tmp_path / "elsewhere")
    with pytest.raises(WrongUsage, match="does not have the folder"):
        tasks.run("scan", tasks.jobs(dated))


def with_months_of(data: Path) -> list[Delivery]:
    found = find_deliveries(data, SUPPORT)
    return dated_deliveries(Records((), (), ()), SUPPORT, found, IngestOptions())
