"""The command `ledger serve`: shows the ledger in a browser."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ledger.cli.options import common
from ledger.cli.printing import note
from ledger.ledger import Ledger

PORT = 8001


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Where to listen, on this machine alone; 0 for any port that is free.",
)
@common
def serve(port: int, db: Path) -> None:
    """Show the ledger in a browser, on this machine alone.

    The report, the tables, all events with facets, the history of a record, what makes a figure,
    bridges between editions, findings and charts; each as a page, as JSON and as CSV. The ledger
    is only read, and others can record meanwhile. Until interrupted (Ctrl-C).

    \b
      pip install 'month-ledger[serve]'
      ledger serve
      ledger serve --db other.db --port 0
    """
    from ledger.extras import needed

    status = Ledger(db).status()
    needed("serve")
    from ledger.web.app import serve as serve_ledger

    if status.projection is None:
        note("No projection is stored, so the report and the tables are empty. To store one: "
             f"ledger project --db {db}")  # fmt: skip
    try:
        serve_ledger(db, port, lambda url: note(f"{db} is at {url} (to stop: Ctrl-C)"))
    except KeyboardInterrupt:
        note("Stopped.")
        # Python would wait for the threads of queries, which only read.
        os._exit(130)
