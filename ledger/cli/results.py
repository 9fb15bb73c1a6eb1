"""The commands that compute: the projection, exports, the report, the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledger.cli import completion
from ledger.cli.lakes import lake_options, not_of_a_lake
from ledger.cli.notes import emit_bars, tell_edition, tell_reading, telling_progress
from ledger.cli.options import (
    FILE_FORMATS,
    bom_option,
    common,
    dry_run_option,
    edition_options,
    folder_option,
    formats,
    names_option,
    spreadsheet_option,
)
from ledger.cli.printing import (
    ROW_FORMATS,
    as_markdown,
    emit,
    emit_data,
    note,
    print_json,
    print_rows,
    table,
)
from ledger.errors import WrongUsage
from ledger.ledger import Ledger
from ledger.replay.labels import Names
from ledger.text import counted, visible

if TYPE_CHECKING:
    from ledger.datasets.support.answers import Answers
    from ledger.datasets.support.sensitivity import Sensitivity
    from ledger.engines.lakehouse import Lake
    from ledger.outputs.manifest import ExportedFile
    from ledger.results import LakeProjection, Projected

LONGEST_OUTCOME = 48
PAGE = "html"


@click.command()
@edition_options
@click.option(
    "--rebuild", is_flag=True, help="Replay every event, instead of those alone that moved."
)
@lake_options()
@click.option(
    "--out-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --lake: the folder to write to.",
)
@formats(*ROW_FORMATS)
@dry_run_option
@common
def project(
    as_of: str | None,
    known_at: str | None,
    rebuild: bool,
    lake: Lake | None,
    out_dir: Path | None,
    format: str,
    dry_run: bool,
    db: Path,
) -> None:
    """Store the state as of a month as typed tables.

    The tables agents, contact_centers, service_categories and interactions and the view
    support_report are then there for any SQLite client. What was projected before is brought up to
    date, which gives the same rows as to replay every event.

    With --lake nothing is stored in the ledger: the tables are written to --out-dir as Parquet,
    and with them the report and the answers.
    """
    if lake:
        not_of_a_lake(rebuild=rebuild, dry_run=dry_run)
        _project_lake(lake, as_of, known_at, out_dir, format)
        return
    if out_dir:
        raise WrongUsage("--out-dir goes with --lake; files of a ledger's tables: ledger export")
    with Ledger.open(db) as ledger, telling_progress("project", "steps") as progress:
        done = ledger.project(
            as_of, known_at=known_at, rebuild=rebuild, dry_run=dry_run, progress=progress
        )
    if dry_run:
        note("Dry run: the stored projection is left as it is.")
    _print_projected(done, format)


def _project_lake(
    lake: Lake, as_of: str | None, known_at: str | None, out_dir: Path | None, format: str
) -> None:
    if out_dir is None:
        raise WrongUsage("say where the tables of the lake go: --out-dir FOLDER")
    done = lake.project(out_dir, as_of, known_at=known_at)
    _print_projected(done, format)
    for file in done.files:
        note(f"written to {file}")


def _print_projected(done: Projected | LakeProjection, format: str) -> None:
    tell_edition(done.edition)
    if format == "json":
        print_json(done)
    else:
        print_rows(format, ("table", "rows"), list(done.rows.items()))


@click.command()
@edition_options
@click.option(
    "--format",
    type=click.Choice(FILE_FORMATS),
    default="csv",
    show_default=True,
    help="The format of the files.",
)
@names_option("Name what the keys of interactions refer to, in columns of its own.", None)
@folder_option("--out-dir", "output", "The folder to write to.")
@click.option(
    "--table",
    "tables",
    envvar="LEDGER_EXPORT_TABLE",
    multiple=True,
    shell_complete=completion.tables,
    help="Only this table; may be repeated.",
)
@lake_options()
@spreadsheet_option
@bom_option
@dry_run_option
@common
def export(
    as_of: str | None,
    known_at: str | None,
    names: str | None,
    format: str,
    out_dir: Path,
    tables: tuple[str, ...],
    lake: Lake | None,
    spreadsheet_safe: bool,
    bom: bool,
    dry_run: bool,
    db: Path,
) -> None:
    """Write the tables as of a month as files, with a manifest.

    Writes <table>_final.<format> for each table, in the order of its key, and datapackage.json
    with the schema, rows and digests of these files. Of xlsx, writes one workbook with a sheet for
    each table. Files that are there are replaced when all are complete.

    With --engine spark each table is a folder of parts, in order. Those of csv and json are, one
    after the other, the bytes of the one file: cat part-*.
    """
    chosen: dict[str, Any] = {
        "format": format,
        "as_of": as_of,
        "known_at": known_at,
        "names": names,
        "tables": tables,
        "spreadsheet_safe": spreadsheet_safe,
        "bom": bom,
    }
    if lake:
        not_of_a_lake(dry_run=dry_run)
        done = lake.export(out_dir, **chosen)
        tell_edition(done.edition)
    else:
        with Ledger.open(db) as ledger:
            with telling_progress("export", "rows") as progress:
                done = ledger.export(out_dir, **chosen, dry_run=dry_run, progress=progress)
            tell_reading(ledger, done.edition, as_of, known_at)
    if dry_run:
        note("Dry run: nothing is written.")
    _tell_apostrophes(done.files)
    rows = [(file.path, file.rows, file.bytes, file.sha256[:12]) for file in done.files]
    print_rows("table", ("file", "rows", "bytes", "SHA-256"), rows)


@click.command()
@edition_options
@formats(
    "table",
    *FILE_FORMATS,
    PAGE,
    help="Of the file and of what is printed; table writes CSV, html a page.",
)
@names_option("The names of this edition, or of each row's month.", Names.AS_IS.value)
@folder_option("--out-dir", "report", "The folder to write to.")
@click.option(
    "--proof",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what `ledger verify-report` needs to this file.",
)
@lake_options()
@spreadsheet_option
@bom_option
@dry_run_option
@common
def report(
    as_of: str | None,
    known_at: str | None,
    names: str,
    format: str,
    out_dir: Path,
    proof: Path | None,
    lake: Lake | None,
    spreadsheet_safe: bool,
    bom: bool,
    dry_run: bool,
    db: Path,
) -> None:
    """Write and print the support report as of a month.

    Interactions, calls and minutes of calls by local month, contact centre and department, as
    support_report.csv or in the format asked for. Names are those of the as-of month, or those of
    each row's own month.
    """
    from ledger.integrity.documents import write_document
    from ledger.outputs.csv import SafeRows

    ledger = Ledger.open(db)
    if lake:
        not_of_a_lake(**{"format html": format == PAGE})
        result = lake.report(as_of, known_at=known_at, names=names)
        tell_edition(result.edition)
    else:
        result = ledger.report(as_of, known_at=known_at, names=names)
        tell_reading(ledger, result.edition, as_of, known_at)
    written = ledger.write_report(
        result,
        out_dir,
        format="csv" if format == "table" else format,
        spreadsheet_safe=spreadsheet_safe,
        bom=bom,
        dry_run=dry_run,
    )
    if not dry_run:
        note(f"written to {written.path}")
        if proof:
            write_document(proof, (lake or ledger).prove_report(result))
            note(f"written to {proof}")
    _tell_apostrophes([written])
    sheet = result.sheet
    rows = SafeRows(sheet) if spreadsheet_safe and format == "csv" else sheet.rows
    columns = [column.name for column in sheet.columns]
    print_rows("table" if format in ("parquet", "xlsx", PAGE) else format, columns, rows)
    if format == "table":
        by_month: Counter[str] = Counter()
        for row in result.rows:
            by_month[row.month] += row.total_interactions
        emit_bars("interactions by month", by_month)
    for text in result.notes:
        note(f"Note: {visible(text)}.")


def _tell_apostrophes(files: Iterable[ExportedFile]) -> None:
    """Say how many texts a spreadsheet would have taken for formulas, where one asked for that."""
    counts = [file.apostrophes for file in files if file.apostrophes is not None]
    if counts:
        texts = counted(sum(counts), "text")
        note(f"Safe for spreadsheets: an apostrophe was put before {texts}.")


@click.command()
@edition_options
@click.option("--period", metavar="YYYYQn", help="The quarter.  [default: that of the as-of month]")
@names_option("The names of this edition, or of each month.", Names.AS_IS.value)
@click.option(
    "--sensitivity", is_flag=True, help="Show what comes out under every reading of the data."
)
@lake_options()
@formats("table", "json", "markdown")
@common
def answers(
    as_of: str | None,
    known_at: str | None,
    names: str,
    period: str | None,
    sensitivity: bool,
    lake: Lake | None,
    format: str,
    db: Path,
) -> None:
    """Answer the business questions, with the evidence.

    How many interactions each contact centre had, which month was the highest, which centre has
    the longest average call, why, and which measure to use instead.

    Months may go by interaction_start or by timestamp, in New York's time, in UTC, or in EST all
    year; the length of a call may be its duration, start to end, or start to resolution; centres
    may be named as they are or as they were. An answer that another of these readings would change
    says so.
    """
    ledger = Ledger.open(db)
    result = (lake or ledger).answers(
        period, as_of=as_of, known_at=known_at, names=names, sensitivity=sensitivity
    )
    if lake:
        tell_edition(result.edition)
    else:
        tell_reading(ledger, result.edition, as_of, known_at)
    _print_answers(result, format)


def _print_answers(result: Answers, format: str) -> None:
    if format == "json":
        print_json(result)
        return
    markdown = format == "markdown"
    readings = {found.number: found for found in result.sensitivity}
    shown = as_markdown if markdown else visible
    for answer in result.answers:
        evidence = table(answer.columns, answer.evidence, decimals=2, markdown=markdown)
        notes = [f"Note: {shown(text)}" for text in answer.notes]
        heading = f"{'## ' if markdown else ''}{answer.number}. {shown(answer.question)}"
        parts = [heading, shown(answer.answer), evidence, *notes]
        if answer.number in readings:
            parts += _readings(readings[answer.number], markdown)
        text = "\n\n".join(parts)
        if markdown:
            emit_data(f"{text}\n\n")
        else:
            emit(f"{text}\n")


def _readings(found: Sensitivity, markdown: bool) -> list[str]:
    """A question under all readings: a table, and how many of them flip the answer."""
    from ledger.datasets.support.sensitivity import READING_COLUMNS

    default, *others = found.readings
    columns = [name for name in READING_COLUMNS if getattr(default, name) is not None]
    rows = []
    for reading in found.readings:
        outcome = reading.change or reading.outcome
        if len(outcome) > LONGEST_OUTCOME and not markdown and not reading.flips:
            outcome = "as answered"
        chosen = [getattr(reading, name) for name in columns]
        figure = [reading.figure] if found.figure else []
        rows.append([*chosen, outcome, *figure, "yes" if reading.flips else ""])
    titles = [READING_COLUMNS[name] for name in columns]
    titles += ["outcome", *filter(None, [found.figure]), "flips"]
    flip = "flips" if found.flips <= 1 else "flip"
    return [
        table(titles, rows, decimals=2, markdown=markdown),
        f"{found.flips or 'None'} of {len(others)} other readings {flip} this answer.",
    ]
