"""The command `ledger answers`: answers the business questions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.notes import tell_edition, tell_reading
from ledger.cli.options import (
    common,
    edition_options,
    formats,
    lake_options,
    names_option,
)
from ledger.cli.printing import (
    as_markdown,
    emit,
    emit_data,
    print_json,
    table,
)
from ledger.ledger import Ledger
from ledger.model.editions import EditionName
from ledger.replay.labels import Names
from ledger.text import visible

if TYPE_CHECKING:
    from ledger.datasets.support.answers import Answers
    from ledger.datasets.support.sensitivity import Sensitivity
    from ledger.engines.lakehouse import Lake


LONGEST_OUTCOME = 48


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
    edition: EditionName,
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
    if lake:
        result = lake.answers(
            period,
            as_of=edition.as_of,
            known_at=edition.known_at,
            names=names,
            sensitivity=sensitivity,
        )
        tell_edition(result.edition)
    else:
        snapshot = Ledger(db).at(edition)
        result = snapshot.answers(period, names=names, sensitivity=sensitivity)
        tell_reading(snapshot, edition)
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
