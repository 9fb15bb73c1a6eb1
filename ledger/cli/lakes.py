"""The event log as a lake: the command that publishes it, and how others read it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ledger.cli.notes import telling_progress
from ledger.cli.options import common, formats
from ledger.cli.printing import emit, print_json
from ledger.errors import WrongUsage
from ledger.ledger import Ledger
from ledger.text import counted

if TYPE_CHECKING:
    from ledger.engines.lakehouse import Lake

Command = TypeVar("Command", bound=Callable[..., Any])

READ = "Read a lake, in place of the ledger."


def lake_options(help: str = READ) -> Callable[[Command], Callable[..., Any]]:
    """`--lake` and what goes with it; the command gets a `Lake`, or None for the ledger."""

    def decorate(command: Command) -> Callable[..., Any]:
        return _with_options(_choosing(command), help)

    return decorate


def _choosing(command: Command) -> Callable[..., Any]:
    """The command, given a lake for the options that name it."""

    @wraps(command)
    def chosen(
        *,
        lake: str | None,
        engine: str | None,
        master: str | None,
        remote: str | None,
        **others: Any,
    ) -> Any:
        return command(lake=_chosen(lake, engine, master, remote), **others)

    return chosen


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


def _chosen(
    lake: str | None, engine: str | None, master: str | None, remote: str | None
) -> Lake | None:
    if lake is None:
        if engine or master or remote:
            raise WrongUsage("--engine, --master and --remote go with --lake: name a lake")
        return None
    from ledger.engines.lakehouse import Lake

    return Lake(lake, engine or "duckdb", master=master, remote=remote)


def not_of_a_lake(**options: object) -> None:
    """Refuse options that have no meaning where a lake is read.

    Args:
        options: by name, whether each was given.

    Raises:
        WrongUsage: one was.
    """
    for name, given in options.items():
        if given:
            raise WrongUsage(f"--{name.replace('_', '-')} is of a ledger, and not of a lake")


@click.command()
@click.argument("lake", type=click.Path(path_type=str))
@click.option(
    "--layout",
    type=click.Choice(["parquet", "delta"]),
    help="Files of Parquet alone, or tables of Delta.  [default: that of the lake, or parquet]",
)
@formats("table", "json")
@common
def publish(lake: str, layout: str | None, format: str, db: Path) -> None:
    """Write the event log to a lake, which other engines read.

    LAKE is a folder of Parquet: for each table <table>_events/month=YYYYMM/, and batches, files,
    readings and clock. Only what is new is written, batch by batch: a reader sees whole batches,
    whenever this is interrupted, and publishing again does no harm.

    \b
      ledger publish lake
      ledger verify --lake lake
      ledger report --lake lake --engine duckdb
    """
    with Ledger.open(db) as ledger, telling_progress("publish", "events") as progress:
        done = ledger.publish(lake, layout=layout, progress=progress)
    if format == "json":
        print_json(done)
        return
    if done.batches:
        what = f"{counted(done.events, 'event')} of {counted(done.files, 'file')}"
        emit(f"{what} written in {counted(len(done.batches), 'batch', 'batches')}.")
    elif not done.tags:
        emit("Nothing new.")
    if done.tags:
        emit(f"{counted(done.tags, 'tag')} written.")
    emit(f"{lake} holds {counted(done.held, 'batch', 'batches')}, head {done.head or 'none'}")
