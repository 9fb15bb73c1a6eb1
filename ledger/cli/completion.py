"""What the shell is offered for an argument that is begun: names of tables, months, tags, codes.

Nothing here fails, waits long or makes a file: where there is no ledger, nothing is offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from ledger.datasets.support.description import SUPPORT
from ledger.errors import LedgerError
from ledger.ledger import Ledger


def tables(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """The names of tables."""
    return _beginning(begun, (table.name for table in SUPPORT.tables))


def months(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """The months of which something is recorded."""
    return _beginning(begun, _recorded_months(ctx))


def tags(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """The names of editions."""
    return _beginning(begun, _tags(ctx))


def editions(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """The months and the names of editions."""
    return _beginning(begun, [*_recorded_months(ctx), *_tags(ctx)])


def codes(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """The codes of findings."""
    from ledger.lineage.findings import ANY, chosen_codes

    return _beginning(begun, [*sorted(chosen_codes(SUPPORT, [ANY])), ANY])


def _beginning(begun: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(begun)]


def _recorded_months(ctx: click.Context) -> list[str]:
    try:
        return [str(month) for month in _ledger(ctx).status().events_by_month]
    except LedgerError:
        return []


def _tags(ctx: click.Context) -> list[str]:
    try:
        return [tag.name for tag in _ledger(ctx).tags()]
    except LedgerError:
        return []


def _ledger(ctx: click.Context) -> Ledger:
    return Ledger(ctx.params.get("db") or Path("ledger.db"))
