"""The pages and links that the ledger adds to Datasette's, as a plugin of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from datasette import hookimpl
from datasette.app import Datasette
from datasette.utils.asgi import Request, Response
from markupsafe import Markup

from ledger.datasets.support.description import SUPPORT
from ledger.ledger import Ledger
from ledger.model.dataset import DataSet
from ledger.model.editions import Edition
from ledger.web.canned_queries import questions
from ledger.web.database import Refused, refusing
from ledger.web.metadata import DATABASE, EVENTS, RECORDS

_KEYS = {table.key: table.name for table in SUPPORT.tables}
"""By the name of a column, whose keys it holds: a key goes by one name wherever it stands."""


@hookimpl
def register_routes() -> list[tuple[str, Callable[..., Awaitable[Response]]]]:
    """Have the start page in the place of Datasette's list of databases."""
    return [(r"^/$", start_page)]


async def start_page(request: Request, datasette: Datasette) -> Response:
    """From where everything is to be found."""
    path = datasette.get_database(DATABASE).path
    with refusing():
        # In a thread for which nothing waits when the server ends.
        loop = asyncio.get_running_loop()
        context = await loop.run_in_executor(datasette.executor, _standing, Ledger(path))
    html = await datasette.render_template("start.html", context, request=request)
    return Response.html(html)


def _standing(ledger: Ledger) -> dict[str, Any]:
    status, log = ledger.status(), ledger.log()
    stored = status.projection
    first, latest = status.first_month, status.latest_month
    return {
        "path": str(ledger.path),
        "status": status,
        "events": sum(status.events.values()),
        "stored": stored,
        "is_latest": stored and _is_latest(stored, len(log), str(latest)),
        "months": [str(month) for month in first.until(latest)] if first and latest else [],
        "known_ats": [
            *(str(entry.batch.batch) for entry in log), *(tag.name for tag in ledger.tags())
        ],
        "records": RECORDS,
        "all_events": EVENTS,
        **_offers(ledger.dataset),
    }  # fmt: skip


def _is_latest(stored: Edition, batches: int, month: str) -> bool:
    return (stored.batch, str(stored.as_of)) == (batches, month)


def _offers(dataset: DataSet) -> dict[str, Any]:
    asked = {question.name: question for question in questions(dataset)}
    states = [asked.pop(f"state_{table.name}") for table in dataset.tables]
    return {
        "database": DATABASE,
        "tables": dataset.tables,
        "views": dataset.views,
        "questions": list(asked.values()),
        "states": states,
        "values": {},
    }


@hookimpl
def render_cell(row: Any, value: Any, column: str, table: str | None) -> Markup | None:
    """Have keys lead to the history of their record, and numbers of files to the file."""
    if value in (None, ""):
        return None
    if column == "file" and isinstance(value, int):
        return _link(f"/{DATABASE}/files/{value}", value)
    name = _KEYS.get(column)
    if column == "key" and "table_name" in row.keys():  # noqa: SIM118 (a row of SQLite's)
        name = row["table_name"]
    return _link(history_path(name, value), value) if name else None


@hookimpl
def extra_template_vars() -> dict[str, Any]:
    """What the templates need of the ledger that stand in the place of Datasette's."""
    return {
        "ledger_tables": tuple(_KEYS.values()),
        "ledger_questions": {question.name: question for question in questions(SUPPORT)},
        "history_path": history_path,
    }


def history_path(table: str, key: object) -> str:
    """The address of the history of a record."""
    return f"/{DATABASE}/history?{urlencode({'table': table, 'key': key})}"


def _link(path: str, value: object) -> Markup:
    return Markup('<a href="{}">{}</a>').format(path, value)


@hookimpl
def handle_exception(
    datasette: Datasette, request: Request, exception: Exception
) -> Callable[[], Awaitable[Response | None]]:
    """Show what the ledger says is wrong, and the form where it was asked for."""

    async def told() -> Response | None:
        if not isinstance(exception, Refused):
            return None
        name, _, format = request.path.rpartition("/")[2].partition(".")
        if format:
            answer = {"ok": False, "error": exception.message, "status": 400, "title": None}
            return Response.json(answer, status=400)
        context = {"message": exception.message, "asked": name, **_asked(request)}
        html = await datasette.render_template("refused.html", context, request=request)
        return Response.html(html, status=400)

    return told


def _asked(request: Request) -> Mapping[str, Any]:
    return {"database": DATABASE, "values": {name: request.args[name] for name in request.args}}
