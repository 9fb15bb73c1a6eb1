"""The command `ledger ingest`: records what is new in a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.notes import telling_progress
from ledger.cli.options import (
    common,
    data_options,
    dry_run_option,
    formats,
    lake_options,
)
from ledger.cli.printing import (
    ROW_FORMATS,
    emit,
    is_verbose,
    note,
    print_json,
    print_rows,
)
from ledger.errors import InputRefused, LedgerError, WrongUsage
from ledger.ledger import Ledger
from ledger.model.dataset import Action
from ledger.model.periods import spans
from ledger.model.records import File
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

    if reason is not None and not correct:
        raise WrongUsage("--reason goes with --correct: say both, or neither")
    with (
        _printed(format, dry_run) as done,
        telling_progress("ingest", "B") as progress,
    ):
        for month in (lake or Ledger(db)).ingest_months(
            data_dir,
            files=files,
            months=[] if months is None else [month.strip() for month in months.split(",")],
            initial_month=initial_month,
            allow_gap=allow_gap,
            late=late,
            correct=(reason or "") if correct else None,
            refuse=(*fail_on, ANY) if strict else fail_on,
            expect_rows=expect_rows,
            dry_run=dry_run,
            progress=progress,
        ):
            done.append(month)
            _tell_month(month)


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
