"""The command `ledger ingest`: records what is new in a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli import console
from ledger.cli.options import (
    common,
    data_options,
    dry_run_option,
    formats,
    lake_options,
)
from ledger.errors import InputRefused, LedgerError, WrongUsage
from ledger.ledger import Ledger
from ledger.model.periods import Month, as_month_or_none

if TYPE_CHECKING:
    from ledger.recording.ingest import MonthIngest


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@data_options
@click.option("--months", metavar="YYYYMM,…", help="Only the files of these months.")
@lake_options("Record in a lake, in place of the ledger; with --engine spark.")
@formats(*console.ROW_FORMATS)
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
    ledger: Ledger,
    format: str,
    dry_run: bool,
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
    from ledger.recording.ingest_result import month_notes

    if reason is not None and not correct:
        raise WrongUsage("--reason goes with --correct: say both, or neither")
    with (
        _printed(format, dry_run) as recorded,
        console.progress("ingest", "B") as progress,
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
        for month in ledger.ingest_months(options, progress):
            recorded.append(month)
            for text in month_notes(month, verbose=console.is_verbose()):
                console.note(text)


def _months(text: str | None) -> list[Month]:
    return [] if text is None else [Month.parse(month.strip()) for month in text.split(",")]


@contextmanager
def _printed(format: str, dry_run: bool) -> Iterator[list[MonthIngest]]:
    """Print the months that were ingested, also where a later one was refused."""
    from ledger.recording.ingest_result import Ingested

    months: list[MonthIngest] = []
    refused: dict[str, Any] | None = None
    try:
        yield months
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
        done = Ingested(dry_run, tuple(months), refused)
        if months or format != "table":
            console.show(done, format)
