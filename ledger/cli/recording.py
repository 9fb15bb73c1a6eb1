"""The commands that record: what comes, what is corrected, what is retracted, names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli import completion
from ledger.cli.lakes import lake_options
from ledger.cli.notes import telling_progress
from ledger.cli.options import common, data_options, dry_run_option, edition_options, formats
from ledger.cli.printing import (
    ROW_FORMATS,
    emit,
    is_verbose,
    note,
    print_json,
    print_rows,
    to_the_second,
)
from ledger.errors import InputRefused, LedgerError, WrongUsage
from ledger.ledger import Ledger
from ledger.model.dataset import Action
from ledger.model.periods import Month, as_month_or_none, spans
from ledger.model.records import File
from ledger.results import plain
from ledger.text import counted

if TYPE_CHECKING:
    from ledger.engines.lakehouse import Lake
    from ledger.recording.ingest import FileIngest, MonthIngest


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@data_options
@click.option("--months", metavar="YYYYMM,…", help="Only the files of these months.")
@lake_options("Record in a lake, in place of the ledger; with --engine spark.")
@formats(*ROW_FORMATS)
@dry_run_option
@common
def ingest(
    files: tuple[Path, ...],
    data_dir: Path,
    months: str | None,
    initial_month: str | None,
    allow_gap: bool,
    late: bool,
    correct: bool,
    reason: str | None,
    strict: bool,
    fail_on: tuple[str, ...],
    expect_rows: dict[str, int],
    lake: Lake | None,
    format: str,
    dry_run: bool,
    db: Path,
) -> None:
    """Record what is new in the data folder, month by month.

    A month is recorded whole or not at all, and a file once: running it again records nothing and
    is no error. FILES, named as in a data folder, are recorded in its place.

    With --lake and --engine spark, deliveries too large for one machine are recorded in a lake, by
    the same rules; what is odd about their values is then not looked for.

    \b
      ledger ingest
      ledger ingest --months 202502,202503
      ledger ingest inbox/agents_delta_202504.csv
      ledger ingest --correct --reason "sent anew by the centre" inbox/agents_delta_202503.csv
      ledger ingest --engine spark --lake lake --data-dir /mnt/deliveries
    """
    from ledger.lineage.findings import ANY
    from ledger.recording.ingest_options import IngestOptions

    if reason is not None and not correct:
        raise WrongUsage("--reason goes with --correct: say both, or neither")
    with (
        _printed(format, dry_run) as done,
        telling_progress("ingest", "B") as progress,
    ):
        options = IngestOptions(
            data=data_dir,
            files=files,
            months=_months(months),
            initial_month=as_month_or_none(initial_month),
            allow_gap=allow_gap,
            late=late,
            correct=(reason or "") if correct else None,
            refuse=(*fail_on, ANY) if strict else fail_on,
            expect_rows=expect_rows,
            dry_run=dry_run,
        )
        for month in (lake or Ledger.open(db)).ingest_months(options, progress):
            done.append(month)
            _tell_month(month)


def _months(text: str | None) -> list[Month]:
    return [] if text is None else [Month.parse(month.strip()) for month in text.split(",")]


@contextmanager
def _printed(format: str, dry_run: bool) -> Iterator[list[MonthIngest]]:
    """Print the months that were ingested, also where a later one was refused."""
    done: list[MonthIngest] = []
    refused: dict[str, Any] | None = None
    try:
        yield done
    except BaseException as error:
        refused = {"exit_code": 130 if isinstance(error, KeyboardInterrupt) else 1}
        refused["message"] = str(error) or type(error).__name__
        if isinstance(error, LedgerError):
            refused["exit_code"] = error.exit_code
        if isinstance(error, InputRefused):
            refused["problems"] = error.problems.kept
            refused["problems_in_all"] = error.problems.total
        raise
    finally:
        if format == "json":
            print_json({"dry_run": dry_run, "months": done, "error": refused})
        elif format != "table":
            _print_files(done, format)
        elif done:
            _print_months(done, dry_run)


def _print_files(months: list[MonthIngest], format: str) -> None:
    """A line for each file, for programs."""
    rows = [
        (month.month, result.file.name, result.file.rows,
         *(result.actions[action] if result.recorded else None for action in Action),
         result.file.batch, result.recorded)
        for month in months
        for result in month.files
    ]  # fmt: skip
    columns = ("month", "file", "rows", *Action, "batch", "recorded")
    print_rows(format, columns, rows)


def _print_months(months: list[MonthIngest], dry_run: bool) -> None:
    rows = [
        (month.month, result.file.name, result.file.rows,
         *((result.actions[action] for action in Action) if result.recorded else [None] * 3),
         result.file.batch if result.recorded else f"already in {result.file.batch}")
        for month in months
        for result in month.files
    ]  # fmt: skip
    print_rows("table", ("month", "file", "rows", *Action, "batch"), rows)
    batches = [month.batch for month in months if month.batch]
    if not batches:
        emit("Nothing new.")
        return
    events = counted(sum(batch.events for batch in batches), "event")
    where = counted(len(batches), "batch", "batches")
    emit(f"{events} {'would be recorded' if dry_run else 'recorded'} in {where}.")
    (*_, receipt) = (month.receipt for month in months if month.receipt)
    if not dry_run:
        emit(f"receipt {receipt.line()}")


def _superseded(result: FileIngest, before: File) -> str:
    from ledger.model.records import RETRACTION

    if before.kind == RETRACTION:
        return f"{result.file.name} comes after the retraction in batch {before.batch}"
    supersedes = f"supersedes {before.name} of batch {before.batch}: rows {result.difference}"
    if result.restores:
        return f"puts the bytes of batch {result.restores.batch} back in force; {supersedes}"
    return supersedes


def _tell_month(month: MonthIngest) -> None:
    if month.missing_months:
        note(f"{month.month}: nothing is recorded for {spans(month.missing_months)} before it")
    if month.restates:
        note(f"{month.month}: restates {spans(month.restates)}")
    for file in month.files:
        if file.supersedes:
            note(f"{month.month}: {_superseded(file, file.supersedes)}")
    total = sum(month.findings.values())
    if total:
        counts = ", ".join(f"{count} {code}" for code, count in sorted(month.findings.items()))
        note(f"{month.month}: {counted(total, 'finding')}: {counts}")
    if is_verbose():
        for finding in month.first_findings:
            note(f"  {finding}")
        if total > len(month.first_findings):
            note(f"  … and {total - len(month.first_findings)} more")


@click.command()
@click.argument("table", shell_complete=completion.tables)
@click.argument("month", metavar="YYYYMM", shell_complete=completion.months)
@click.option("--reason", metavar="TEXT", required=True, help="Why, to be kept with the batch.")
@formats("table", "json")
@dry_run_option
@common
def retract(table: str, month: str, reason: str, format: str, dry_run: bool, db: Path) -> None:
    """Take a file recorded by mistake out of force.

    The file of TABLE for a month, with nothing in its place: its events stay in the ledger and no
    longer count.

    \b
      ledger retract agents 202503 --reason "was that of another client"
    """
    with Ledger.open(db) as ledger:
        done = ledger.retract(table, month, reason, dry_run=dry_run)
        receipt = None if dry_run else ledger.receipt()
    if format == "json":
        print_json({**plain(done), "receipt": receipt})
        return
    rows = counted(done.file.rows, "row")
    now = "would no longer count" if dry_run else "no longer counts"
    emit(f"{done.file.name} of batch {done.file.batch}, with {rows}, {now}.")
    emit(f"This restates {spans(done.restates)}.")
    if receipt:
        emit(f"batch {done.batch.batch}, head {done.batch.head}")
        emit(f"receipt {receipt.line()}")


@click.command()
@click.argument("name", required=False)
@edition_options
@formats(*ROW_FORMATS)
@dry_run_option
@common
def tag(
    name: str | None,
    as_of: str | None,
    known_at: str | None,
    format: str,
    dry_run: bool,
    db: Path,
) -> None:
    """Name an edition; without a NAME, list the names.

    A name goes wherever a batch goes, and cannot be moved.

    \b
      ledger tag signed-january --as-of 202501
      ledger report --known-at signed-january
    """
    receipt = None
    with Ledger.open(db) as ledger:
        if name is None:
            tags = ledger.tags()
        else:
            tags = [ledger.tag(name, as_of=as_of, known_at=known_at, dry_run=dry_run)]
            receipt = None if dry_run else ledger.receipt()
            if dry_run:
                note("Dry run: no name is given.")
    shown = to_the_second if format == "table" else str
    rows = [(tag.name, tag.as_of, tag.batch, shown(tag.tagged_at)) for tag in tags]
    print_rows(format, ("name", "as_of", "batch", "tagged_at"), rows)
    if receipt and format == "table":
        emit(f"receipt {receipt.line()}")
