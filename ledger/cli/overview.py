"""The commands that tell where the ledger stands, and the one that does everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli.notes import emit_bars
from ledger.cli.options import as_of_option, common, data_options, folder_option, formats
from ledger.cli.printing import (
    ROW_FORMATS,
    emit,
    note,
    print_json,
    print_rows,
    table,
    to_the_second,
)
from ledger.cli.recording import ingest
from ledger.cli.results import answers, export, project, report
from ledger.ledger import Ledger
from ledger.model.periods import spans
from ledger.model.records import File

if TYPE_CHECKING:
    from ledger.results import LogEntry

MONTHS_SHOWN = 24


@click.command()
@formats(*ROW_FORMATS)
@common
def log(format: str, db: Path) -> None:
    """List the recorded batches and their files."""
    with Ledger.open(db) as ledger:
        entries = ledger.log()
    short, shown = (12, to_the_second) if format == "table" else (None, str)
    batches = {file.file: file.batch for entry in entries for file in entry.files}
    rows = [
        (file.batch, shown(entry.batch.recorded_at),
         entry.batch.month, file.name, file.rows, (file.sha256 or "")[:short],
         " ".join(_flags(entry, file)), batches.get(file.supersedes or 0), entry.batch.reason,
         entry.batch.head[:short])
        for entry in entries
        for file in entry.files
    ]  # fmt: skip
    columns = ("batch", "recorded_at", "month", "file", "rows", "sha256", "flags",
               "supersedes", "reason", "head")  # fmt: skip
    print_rows(format, columns, rows)


def _flags(entry: LogEntry, file: File) -> Iterator[str]:
    """What is to be said of a file: `supersedes` names the batch of the one it stands in for."""
    from ledger.model.records import RETRACTION

    if entry.batch.gap:
        yield "gap"
    if entry.batch.late:
        yield "late"
    if file.kind == RETRACTION:
        yield "retraction"
    elif entry.batch.correction and file.supersedes:
        yield "correction"


@click.command()
@formats("table", "json")
@common
def status(format: str, db: Path) -> None:
    """Tell where the ledger stands.

    Its months, its events, of which month the stored projection is, and its head.
    """
    with Ledger.open(db) as ledger:
        result = ledger.status()
    if format == "json":
        print_json(result)
        return
    stored, first = result.projection, result.first_month
    rows: list[tuple[str, object]] = [
        ("ledger", f"{result.path} ({result.bytes:,} bytes)"),
        ("batches", str(result.batches)),
        ("months", f"{first} to {result.latest_month}" if first else "none"),
        ("missing months", spans(result.missing_months) or "none"),
        ("events", str(sum(result.events.values()))),
        *((f"events of {name}", str(count)) for name, count in result.events.items()),
        ("events superseded", str(result.superseded)),
        ("projection", f"as of {stored.as_of}, batch {stored.batch}" if stored else "none"),
        ("head", result.head or "none"),
    ]
    emit(table((), rows))
    months = [(str(month), events) for month, events in result.events_by_month.items()]
    some = f", the last {MONTHS_SHOWN} of {len(months)}" if len(months) > MONTHS_SHOWN else ""
    emit_bars(f"events by month{some}", dict(months[-MONTHS_SHOWN:]))


@click.command()
@data_options
@as_of_option
@folder_option("--out-dir", "output", "The folder for the tables.")
@folder_option("--report-dir", "report", "The folder for the report.")
@common
@click.pass_context
def run(
    ctx: click.Context, /, db: Path, as_of: str | None, out_dir: Path, report_dir: Path, **data: Any
) -> None:
    """Ingest, project, export, report and answer, in one go."""
    dated = {"db": db, "as_of": as_of}
    steps = (
        (ingest, {"db": db, **data}),
        (project, dated),
        (export, {"out_dir": out_dir, **dated}),
        (report, {"out_dir": report_dir, **dated}),
        (answers, dated),
    )
    for number, (command, arguments) in enumerate(steps):
        blank = "\n" if number else ""
        note(f"{blank}== ledger {command.name}", "step")
        ctx.invoke(command, **arguments)
