"""The command `ledger run`: does everything in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ledger.cli.commands.answers import answers
from ledger.cli.commands.export import export
from ledger.cli.commands.ingest import ingest
from ledger.cli.commands.project import project
from ledger.cli.commands.report import report
from ledger.cli.options import as_of_option, common, data_options, folder_option
from ledger.cli.printing import (
    note,
)


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
