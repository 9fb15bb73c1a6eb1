"""The options that several commands have, and what the options of lakes choose."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ledger.cli import completion, console
from ledger.errors import WrongUsage
from ledger.model.editions import EditionName
from ledger.model.periods import as_month_or_none
from ledger.replay.labels import Names

if TYPE_CHECKING:
    from ledger.ledger import Ledger

Command = TypeVar("Command", bound=Callable[..., Any])

FILE_FORMATS = ("csv", "json", "parquet", "xlsx")


def _remember(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def callback(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        ctx.meta[name] = value or ctx.meta.get(name, False)

    return callback


def telling(command: Command) -> Command:
    """The options that say how much is told."""
    for option in (
        click.option(
            "-v",
            "--verbose",
            is_flag=True,
            expose_value=False,
            callback=_remember(console.VERBOSE),
            help="Tell more on standard error.",
        ),
        click.option(
            "-q",
            "--quiet",
            is_flag=True,
            expose_value=False,
            callback=_remember(console.QUIET),
            help="Tell nothing but the result and errors.",
        ),
    ):
        command = option(command)
    return command


def common(command: Command) -> Command:
    """The options that stand on every command that has to do with a ledger."""
    return click.option(
        "--db",
        envvar="LEDGER_DB",
        default="ledger.db",
        show_default=True,
        type=click.Path(path_type=Path),
        help="The ledger's file.",
    )(telling(command))


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


def edition_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Of which edition to speak: `--as-of` and `--known-at`, for a command that takes `edition`."""

    @wraps(command)
    def named(*, as_of: str | None, known_at: str | None, **others: Any) -> Any:
        return command(edition=EditionName(as_month_or_none(as_of), known_at), **others)

    for option in (
        click.option(
            "--known-at",
            metavar="BATCH|MOMENT|TAG",
            shell_complete=completion.tags,
            help="Take batches into account up to this one.  [default: the last]",
        ),
        click.option(
            "--as-of",
            metavar="YYYYMM",
            shell_complete=completion.months,
            help="The month to replay to.  [default: the latest known then, or the tag's]",
        ),
    ):
        named = option(named)
    return named


as_of_option = click.option(
    "--as-of",
    metavar="YYYYMM",
    shell_complete=completion.months,
    help="The month to replay to.  [default: the latest recorded]",
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would happen, and change nothing."
)


spreadsheet_option = click.option(
    "--spreadsheet-safe",
    is_flag=True,
    help="In CSV, put an apostrophe before texts that a spreadsheet would take for a formula.",
)
bom_option = click.option(
    "--bom",
    is_flag=True,
    help="Begin files of CSV with a byte order mark, by which Excel knows UTF-8.",
)


def names_option(help: str, default: str | None) -> Callable[[Command], Command]:
    """Which names to give."""
    kind = click.Choice([name.value for name in Names])
    return click.option("--names", type=kind, default=default, show_default=True, help=help)


def folder_option(name: str, default: str, help: str) -> Callable[[Command], Command]:
    """An option that names a folder."""
    kind = click.Path(file_okay=False, path_type=Path)
    return click.option(name, default=default, show_default=True, type=kind, help=help)


def _row_counts(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, int]:
    """Read `TABLE=N`, each table once."""
    counts: dict[str, int] = {}
    for value in values:
        match = re.fullmatch(r"([^=]+)=([0-9]{1,18})", value)
        if not match or match[1] in counts:
            raise click.BadParameter(
                f"{value!r} is no TABLE=N, or the second of its table; "
                "write it as agents=12, each table once"
            )
        counts[match[1]] = int(match[2])
    return counts


def data_options(command: Command) -> Command:
    """The options of the commands that ingest."""
    for option in (
        click.option(
            "--fail-on",
            metavar="CODE",
            shell_complete=completion.codes,
            multiple=True,
            help="Refuse a month with a finding of this code; may be repeated.",
        ),
        click.option(
            "--expect-rows",
            metavar="TABLE=N",
            multiple=True,
            callback=_row_counts,
            help="Refuse a new file of TABLE that has not N rows; only one file of it may be new. "
            "May be repeated.",
        ),
        click.option("--strict", is_flag=True, help="Refuse a month with any finding."),
        click.option("--reason", metavar="TEXT", help="Why, to be kept with the correction."),
        click.option(
            "--correct",
            is_flag=True,
            help="Record files in the place of recorded ones, whose rows then no longer count.",
        ),
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


FILE = click.Path(dir_okay=False, path_type=Path)


FOLDER = click.Path(file_okay=False, path_type=Path)


out_option = click.option(
    "--out", type=FILE, help="The file to write to.  [default: standard output]"
)


sources_option = click.option(
    "--sources", type=FOLDER, help="The folder of the delivered files, to be read again."
)


READ = "Read a lake, in place of the ledger."


def lake_options(
    help: str = READ, without: Sequence[str] = ()
) -> Callable[[Command], Callable[..., Any]]:
    """`--lake` and what goes with it; the command gets a `Ledger`: of the file, or of the lake.

    Args:
        help: of `--lake`.
        without: flags, and options with a value, that are refused before a lake is read.
    """

    def decorate(command: Command) -> Callable[..., Any]:
        return _with_options(_choosing(command, without), help)

    return decorate


def _choosing(command: Command, without: Sequence[str]) -> Callable[..., Any]:
    """The command, given the ledger for the options that name it."""

    @wraps(command)
    def chosen(
        *,
        db: Path,
        lake: str | None,
        engine: str | None,
        master: str | None,
        remote: str | None,
        **others: Any,
    ) -> Any:
        if lake is None and (engine or master or remote):
            raise WrongUsage("--engine, --master and --remote go with --lake: name a lake")
        ledger = named_ledger(db, lake, engine or "duckdb", master=master, remote=remote)
        if lake is not None and without:
            from ledger.engines.lake_backend import not_of_a_lake

            for option in without:
                name, _, value = option.partition(" ")
                not_of_a_lake(**{option: others[name] == (value or True)})
        return command(ledger=ledger, **others)

    return chosen


def named_ledger(
    db: Path,
    lake: str | None,
    engine: str = "duckdb",
    *,
    master: str | None = None,
    remote: str | None = None,
) -> Ledger:
    """The ledger that the options name: the file, or the lake that may be published from it."""
    from ledger.ledger import Ledger

    if lake is None:
        return Ledger(db)
    # A lake that Spark records in has no ledger beside it; a verdict says what was compared.
    origin = db if os.path.lexists(db) else None
    return Ledger.of_lake(lake, engine, master=master, remote=remote, published_from=origin)


def _with_options(command: Callable[..., Any], help: str) -> Callable[..., Any]:
    for option in (
        click.option(
            "--remote", metavar="sc://…", help="A server of Spark Connect, in place of a master."
        ),
        click.option(
            "--master",
            metavar="URL",
            help="Of Spark: local[*], spark://…, yarn, k8s://….  [default: local[*]]",
        ),
        click.option(
            "--engine",
            type=click.Choice(["duckdb", "spark"]),
            help="What works on the lake.  [default: duckdb]",
        ),
        click.option("--lake", metavar="LAKE", help=help),
    ):
        command = option(command)
    return command
