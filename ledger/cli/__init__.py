"""The command line: each command parses, calls `Ledger`, and prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple
from io import TextIOWrapper
from pathlib import Path
from typing import Any, TypeVar

import click

from ledger import __version__
from ledger.book import Ledger
from ledger.dataset import Action
from ledger.errors import InputRefused, LedgerError
from ledger.ingest import MonthIngest
from ledger.months import spans
from ledger.printing import (
    QUIET,
    ROW_FORMATS,
    VERBOSE,
    emit,
    emit_data,
    is_verbose,
    note,
    print_json,
    print_rows,
    table,
)
from ledger.projection import Edition
from ledger.support.answers import Answers
from ledger.support.report import Report
from ledger.words import counted, visible

Command = TypeVar("Command", bound=Callable[..., Any])

FILE_FORMATS = ("csv", "json", "parquet")


class LedgerGroup(click.Group):
    """Turns what the ledger raises into a message and an exit code, for every command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which one needs them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        if isinstance(sys.stdout, TextIOWrapper):
            # A name that the terminal's encoding lacks is shown as an escape, not as an error.
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except LedgerError as error:
            _forget_output()
            _tell_error(error)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            # As for a program that the signal ends: whoever read the output has had enough.
            _forget_output()
            ctx.exit(141)
        except KeyboardInterrupt:
            click.echo("Interrupted; nothing more was recorded or written.", err=True)
            ctx.exit(130)


def _tell_error(error: LedgerError) -> None:
    """Print what is wrong; problems of files first, each on a line of its own."""
    message = str(error)
    if isinstance(error, InputRefused):
        message = error.summary
        for problem in error.problems:
            click.echo(problem, err=True)
    click.echo(f"Error: {message}", err=True)


def _forget_output() -> None:
    """Drop what could not be written, so that Python does not try again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _remember(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def callback(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        ctx.meta[name] = value or ctx.meta.get(name, False)

    return callback


def common(command: Command) -> Command:
    """The options that stand on every command."""
    for option in (
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=_remember(VERBOSE),
            help="Tell more on standard error.",
        ),
        click.option(
            "-q",
            "--quiet",
            is_flag=True,
            expose_value=False,
            callback=_remember(QUIET),
            help="Tell nothing but the result and errors.",
        ),
        click.option(
            "--db",
            envvar="LEDGER_DB",
            default="ledger.db",
            show_default=True,
            type=click.Path(path_type=Path),
            help="The ledger's file.",
        ),
    ):
        command = option(command)
    return command


def formats(*names: str, help: str = "How to print the result.") -> Callable[[Command], Command]:
    """`--format` with these names, and `--json` as a short way to say one of them."""

    def decorate(command: Command) -> Command:
        command = click.option(
            "--json", "format", flag_value="json", help="The same as --format json."
        )(command)
        return click.option(
            "--format",
            type=click.Choice(names),
            default="table",
            show_default=True,
            help=help,
        )(command)

    return decorate


as_of_option = click.option(
    "--as-of", metavar="YYYYMM", help="The month to replay to.  [default: the latest recorded]"
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would happen, and change nothing."
)


def folder_option(name: str, default: str, help: str) -> Callable[[Command], Command]:
    """An option that names a folder."""
    kind = click.Path(file_okay=False, path_type=Path)
    return click.option(name, default=default, show_default=True, type=kind, help=help)


def data_options(command: Command) -> Command:
    """The options of the commands that ingest."""
    for option in (
        click.option(
            "--late",
            is_flag=True,
            help="Record files of a month before the latest recorded one.",
        ),
        click.option(
            "--allow-gap", is_flag=True, help="Record a month though one before it is missing."
        ),
        click.option(
            "--initial-month",
            metavar="YYYYMM",
            help="At whose end the initial extract was made.  "
            "[default: the month before the earliest delta]",
        ),
        click.option(
            "--data-dir",
            envvar="LEDGER_DATA_DIR",
            default="data",
            show_default=True,
            type=click.Path(file_okay=False, path_type=Path),
            help="The folder with initial/ and delta/.",
        ),
    ):
        command = option(command)
    return command


@click.group(
    cls=LedgerGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "LEDGER",
        "max_content_width": 100,
    },
)
@click.version_option(__version__, prog_name="ledger")
def main() -> None:
    """Keep monthly CSV deliveries as immutable events, and compute reports from them.

    \b
    A first run, in a folder with data/initial and data/delta:
      ledger ingest                     record every delivered row
      ledger project --as-of 202503     replay the events up to March 2025
      ledger export --format json       write the tables as files
      ledger report                     the support report
      ledger answers                    the business questions

    Every option can be set in the environment: LEDGER_DB and LEDGER_DATA_DIR for all commands,
    LEDGER_<COMMAND>_<OPTION> for the others. Results go to standard output, all else to standard
    error.

    \b
    Exit codes: 0 done, 1 a bug, 2 wrong usage, 3 the input is refused,
    4 the ledger is busy, 5 the storage failed, 7 the sequence of deliveries is
    broken, 130 interrupted, 141 the reader of the output went away.
    """


@main.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@data_options
@click.option("--months", metavar="YYYYMM,…", help="Only the files of these months.")
@formats("table", "json")
@dry_run_option
@common
def ingest(
    files: tuple[Path, ...],
    data_dir: Path,
    months: str | None,
    initial_month: str | None,
    allow_gap: bool,
    late: bool,
    format: str,
    dry_run: bool,
    db: Path,
) -> None:
    """Record what is new in the data folder, month by month.

    A month is recorded whole or not at all, and a file once: running it again records nothing and
    is no error. FILES, named as in a data folder, are recorded in its place.

    \b
      ledger ingest
      ledger ingest --months 202502,202503
      ledger ingest inbox/agents_delta_202504.csv
    """
    with Ledger.open(db) as ledger, _printed(format, dry_run) as done:
        for month in ledger.ingest_months(
            data_dir,
            files=files,
            months=[] if months is None else [month.strip() for month in months.split(",")],
            initial_month=initial_month,
            allow_gap=allow_gap,
            late=late,
            dry_run=dry_run,
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
        elif done:
            _print_months(done, dry_run)


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
    if not dry_run:
        emit(f"head {batches[-1].head}")


def _tell_month(month: MonthIngest) -> None:
    if month.missing_months:
        note(f"{month.month}: nothing is recorded for {spans(month.missing_months)} before it")
    if month.restates:
        note(f"{month.month}: restates {spans(month.restates)}")
    total = sum(month.findings.values())
    if total:
        counts = ", ".join(f"{count} {code}" for code, count in sorted(month.findings.items()))
        note(f"{month.month}: {counted(total, 'finding')}: {counts}")
    if is_verbose():
        for finding in month.first_findings:
            note(f"  {finding}")
        if total > len(month.first_findings):
            note(f"  … and {total - len(month.first_findings)} more")


@main.command()
@as_of_option
@formats("table", "json")
@dry_run_option
@common
def project(as_of: str | None, format: str, dry_run: bool, db: Path) -> None:
    """Store the state as of a month in the ledger, as typed tables.

    The tables agents, contact_centers, service_categories and interactions and the view
    support_report are then there for any SQLite client. What was projected before is replaced.
    """
    with Ledger.open(db) as ledger:
        done = ledger.project(as_of, dry_run=dry_run)
    if dry_run:
        note("Dry run: the stored projection is left as it is.")
    _tell_edition(done.edition)
    if format == "json":
        print_json(done)
    else:
        print_rows(format, ("table", "rows"), list(done.rows.items()))


@main.command()
@as_of_option
@click.option(
    "--format",
    type=click.Choice(FILE_FORMATS),
    default="csv",
    show_default=True,
    help="The format of the files.",
)
@folder_option("--out-dir", "output", "The folder to write to.")
@click.option(
    "--table",
    "tables",
    envvar="LEDGER_EXPORT_TABLE",
    multiple=True,
    help="Only this table; may be repeated.",
)
@dry_run_option
@common
def export(
    as_of: str | None, format: str, out_dir: Path, tables: tuple[str, ...], dry_run: bool, db: Path
) -> None:
    """Write the tables as of a month as files, with a manifest.

    Writes <table>_final.<format> for each table, in the order of its key, and datapackage.json
    with the schema, rows and digests of these files. Files that are there are replaced when all are
    complete.
    """
    with Ledger.open(db) as ledger:
        done = ledger.export(out_dir, format=format, as_of=as_of, tables=tables, dry_run=dry_run)
        _tell_reading(ledger, done.edition, as_of)
    if dry_run:
        note("Dry run: nothing is written.")
    rows = [(file.path, file.rows, file.bytes, file.sha256[:12]) for file in done.files]
    print_rows("table", ("file", "rows", "bytes", "SHA-256"), rows)


@main.command()
@as_of_option
@formats("table", *FILE_FORMATS, help="Of the file and of what is printed; table writes CSV.")
@folder_option("--out-dir", "report", "The folder to write to.")
@dry_run_option
@common
def report(as_of: str | None, format: str, out_dir: Path, dry_run: bool, db: Path) -> None:
    """Write and print the support report as of a month.

    Interactions, calls and minutes of calls by local month, contact centre and department, as
    support_report.csv or in the format asked for. Names are those of the as-of month.
    """
    with Ledger.open(db) as ledger:
        result = ledger.report(as_of)
        _tell_reading(ledger, result.edition, as_of)
        if not dry_run:
            file_format = "csv" if format == "table" else format
            written = ledger.write_report(result, out_dir, format=file_format)
            note(f"written to {written.path}")
    _print_report(result, "table" if format == "parquet" else format)


def _print_report(result: Report, format: str) -> None:
    columns = [column.name for column in result.sheet.columns]
    print_rows(format, columns, [astuple(row) for row in result.rows])
    for text in result.notes:
        note(f"Note: {text}.")


@main.command()
@as_of_option
@click.option("--period", metavar="YYYYQn", help="The quarter.  [default: that of the as-of month]")
@formats("table", "json", "markdown")
@common
def answers(as_of: str | None, period: str | None, format: str, db: Path) -> None:
    """Answer the business questions, with the evidence.

    How many interactions each contact centre had, which month was the highest, which centre has
    the longest average call, why, and which measure to use instead.
    """
    with Ledger.open(db) as ledger:
        result = ledger.answers(period, as_of=as_of)
        _tell_reading(ledger, result.edition, as_of)
    _print_answers(result, format)


def _print_answers(result: Answers, format: str) -> None:
    if format == "json":
        print_json(result)
        return
    markdown = format == "markdown"
    for answer in result.answers:
        evidence = table(answer.columns, answer.evidence, decimals=2, markdown=markdown)
        notes = [f"Note: {visible(text)}" for text in answer.notes]
        heading = f"{'## ' if markdown else ''}{answer.number}. {visible(answer.question)}"
        text = "\n\n".join([heading, visible(answer.answer), evidence, *notes])
        if markdown:
            emit_data(f"{text}\n\n")
        else:
            emit(f"{text}\n")


@main.command()
@formats(*ROW_FORMATS)
@common
def log(format: str, db: Path) -> None:
    """List the recorded batches and their files, the first one first."""
    with Ledger.open(db) as ledger:
        entries = ledger.log()
    short = 12 if format == "table" else None
    rows = [
        (file.batch, entry.batch.recorded_at[: 19 if short else None] + ("Z" if short else ""),
         entry.batch.month, file.name, file.rows, (file.sha256 or "")[:short],
         " ".join(flag for flag in ("gap", "late", "correction") if getattr(entry.batch, flag)),
         entry.batch.head[:short])
        for entry in entries
        for file in entry.files
    ]  # fmt: skip
    columns = ("batch", "recorded_at", "month", "file", "rows", "sha256", "flags", "head")
    print_rows(format, columns, rows)


@main.command()
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
    stored = result.projection
    rows: list[tuple[str, object]] = [
        ("ledger", f"{result.path} ({result.bytes:,} bytes)"),
        ("batches", str(result.batches)),
        ("months", f"{result.first_month} to {result.latest_month}" if result.batches else "none"),
        ("missing months", spans(result.missing_months) or "none"),
        ("events", str(sum(result.events.values()))),
        *((f"events of {name}", str(count)) for name, count in result.events.items()),
        ("projection", f"as of {stored.as_of}, batch {stored.batch}" if stored else "none"),
        ("head", result.head or "none"),
    ]
    emit(table((), rows))


@main.command()
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
        note(f"{blank}== ledger {command.name}")
        ctx.invoke(command, **arguments)


def _tell_reading(ledger: Ledger, edition: Edition, as_of: str | None) -> None:
    """Say of what the result speaks, and where the stored projection speaks of something else."""
    _tell_edition(edition)
    stored = ledger.stored_edition()
    if as_of is None and stored and stored != edition:
        note(
            f"The stored projection is another: as of {stored.as_of}, batch {stored.batch}. "
            "To renew it: ledger project"
        )


def _tell_edition(edition: Edition) -> None:
    head = edition.head if is_verbose() else edition.head[:12]
    note(f"As of {edition.as_of}, batch {edition.batch}, head {head}")
    if edition.missing:
        note(f"Nothing is recorded for {spans(edition.missing)}: a gap")
