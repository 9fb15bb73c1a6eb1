"""The command `ledger query`: asks the ledger's tables in SQL."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.notes import note_edition
from ledger.cli.options import common, formats
from ledger.errors import WrongUsage
from ledger.ledger import Ledger
from ledger.model.editions import Edition


def _bound(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Read `NAME=VALUE`, each name once."""
    bound: dict[str, str] = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not (name and equals) or name in bound:
            raise click.BadParameter(f"{value!r} is no NAME=VALUE, or the second of its name")
        bound[name] = text
    return bound


@click.command()
@click.argument("sql")
@click.option(
    "-p",
    "--param",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_bound,
    help="The text for :NAME in the query; may be repeated.",
)
@formats(*console.ROW_FORMATS)
@common
def query(sql: str, parameters: dict[str, str], format: str, db: Path) -> None:
    """Ask the ledger's tables in SQL; nothing is changed.

    SQL is one query, or - to read it from standard input. There are batches, files and tags, the
    events as delivered in <table>_events, and what `ledger project` stored last: agents,
    contact_centers, service_categories, interactions and support_report. Bytes are printed in
    hexadecimal digits.

    \b
      ledger query "SELECT name, sql FROM sqlite_schema"
      ledger query "SELECT * FROM interactions WHERE agent_id = :agent" -p agent=A001
      ledger query --format csv - < query.sql > result.csv
    """
    text = _standard_input() if sql == "-" else sql
    with Ledger(db).query(text, parameters) as found:
        _tell_projection(found.projection)
        if format in ("json", "ndjson"):
            _check_names(found.columns)
        console.show(found, format)


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise WrongUsage("the query on standard input is not text in UTF-8") from None


def _tell_projection(edition: Edition | None) -> None:
    if edition:
        note_edition(edition, "Projection as of")
    else:
        console.note(
            "No projection is stored, so its tables have no rows. To fill them: ledger project"
        )


def _check_names(columns: Sequence[str]) -> None:
    """Refuse columns of which a record in JSON could hold but one."""
    name, count = Counter(columns).most_common(1)[0]
    if count > 1:
        raise WrongUsage(f"{count} columns are named {name!r}; for JSON, name each anew with AS")
