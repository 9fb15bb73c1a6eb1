"""`python -m benchmarks`: measure the ledger beside other tools."""

from __future__ import annotations

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click
import msgspec

from benchmarks.comparison import Inputs, Result, bytes_per_event, measure
from benchmarks.deliveries import MONTHS, SEED, write_deliveries
from benchmarks.measure import floor
from benchmarks.tasks import PLAN, Task, tasks

PARTS = [*dict.fromkeys(task.part for task in PLAN.tasks), "engines"]
PROGRAMS = ("sqlite3", "java")
PATH = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure the ledger beside other tools."""


@main.command()
@click.option("--rows", default=1_000_000, show_default=True, help="Events of interactions.")
@click.option("--months", default=MONTHS, show_default=True, help="Number of deltas.")
@click.option("--seed", default=SEED, show_default=True, help="Of all that is random.")
@click.argument("out", type=PATH)
def deliveries(rows: int, months: int, seed: int, out: Path) -> None:
    """Generate a data folder: the same arguments give the same bytes."""
    write_deliveries(out, rows, months, seed)


@main.command()
@click.option(
    "--size", multiple=True, default=[100_000, 1_000_000], show_default=True, help="Events."
)
@click.option("--repeat", default=3, show_default=True, help="Runs of each command.")
@click.option("--without", multiple=True, help="A package or program whose users are left out.")
@click.option(
    "--folder", type=PATH, default=tempfile.gettempdir(), show_default=True, help="For files."
)
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
def compare(
    parts: tuple[str, ...],
    size: tuple[int, ...],
    repeat: int,
    without: tuple[str, ...],
    folder: Path,
) -> None:
    """Measure the ledger, its engines and its peers on the same files, and print Markdown.

    Without a part all are measured. Where a command fails, what was measured before is printed.
    """
    chosen = [_reduced(task, without) for task in tasks(parts)]
    results: list[Result] = []
    stored: list[list[str]] = []
    smallest = floor()
    try:
        for events in sorted(size):
            with tempfile.TemporaryDirectory(dir=folder) as work:
                inputs = Inputs(events, folder.absolute(), Path(work).absolute())
                for task in chosen:
                    results += measure(task, inputs, events, repeat)
                if "lake" in inputs:
                    stored.append([f"{events:,}", *bytes_per_event(inputs, events)])
    finally:
        # Imported late, so that what is measured is started by a small process.
        from benchmarks.tables import heading, markdown, table

        click.echo(f"{heading()}- {repeat} runs of each, in turn; median seconds, peak memory")
        click.echo(f"- memory of less than {smallest:.0f} MiB cannot be told apart\n")
        click.echo(table(results))
        if stored:
            titles = ["events", "bytes of an event: CSV", "SQLite, with the index", "lake"]
            click.echo(f"\n{markdown(titles, stored, texts=0)}")


def _reduced(task: Task, without: tuple[str, ...]) -> Task:
    """Return a task without the ways that are left out or lack something."""
    ways = []
    for way in task.ways:
        missing = [name for name in way.needs if name in without or not _is_installed(name)]
        if missing:
            click.echo(f"{task.name}: without {way.who} ({', '.join(missing)})", err=True)
        else:
            ways.append(way)
    return msgspec.structs.replace(task, ways=ways)


def _is_installed(name: str) -> bool:
    return bool(shutil.which(name) if name in PROGRAMS else find_spec(name))


@main.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def profile(arguments: tuple[str, ...]) -> None:
    """Run a command of the ledger, and print its longest SQL statements on standard error."""
    from benchmarks.profile import profiled

    profiled(arguments)


@main.command()
@click.option("--rules", is_flag=True, help="Print a line for each rule, not for each group.")
def readers(rules: bool) -> None:
    """Print what readers of CSV make of malformed files, odd texts and odd values."""
    from benchmarks.readers import print_tables

    print_tables(rules)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
