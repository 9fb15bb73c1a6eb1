"""The command `ledger status`: says where the ledger stands."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli.notes import emit_bars
from ledger.cli.options import common, formats
from ledger.cli.printing import (
    emit,
    print_json,
    table,
)
from ledger.ledger import Ledger
from ledger.model.periods import spans

MONTHS_SHOWN = 24


@click.command()
@formats("table", "json")
@common
def status(format: str, db: Path) -> None:
    """Tell where the ledger stands.

    Its months, its events, of which month the stored projection is, and its head.
    """
    ledger = Ledger(db)
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
