"""What Datasette is told of the ledger: titles, descriptions, facets, queries, charts, settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ledger.datasets.support.report import REPORT_COLUMNS
from ledger.model.dataset import DataSet, Derived, LocalMonth, SecondsBetween, Table
from ledger.store.sql import packaged_text
from ledger.web.canned_queries import questions
from ledger.web.limits import QUERY_SECONDS

DATABASE = "ledger"
"""Under which name the file is served, whatever its own."""

EVENTS = "events"
RECORDS = ("batches", "files", "tags")
ROWS_SHOWN = 10_000

SETTINGS = {
    "sql_time_limit_ms": QUERY_SECONDS * 1000,
    "facet_time_limit_ms": QUERY_SECONDS * 1000,
    # Each suggestion costs a look at all rows; the facets that serve are named below.
    "suggest_facets": False,
    "default_facet_size": 120,
    "max_returned_rows": ROWS_SHOWN,
    # A streamed CSV that reached a limit would end there, and look complete.
    "max_csv_mb": 0,
    # The file is copied while nobody writes, and verified, by `ledger backup`.
    "allow_download": False,
    # What was recorded a moment ago is shown.
    "default_cache_ttl": 0,
}

_RECORDED = {
    "batches": ("Batches", "What was recorded together: in the ledger whole or not at all."),
    "files": ("Files", "The delivered files, and retractions of them."),
    "tags": ("Tags", "Names of editions: a month as it was known after a batch."),
}
_INTERNAL = {
    "event_marks": "Where an event was altered: eight bytes of the hash of each.",
    "readings": "Cells that are not plainly of their column's type, and how they were read.",
    "clock": "Local time, for the days that occur.",
    "projection_of": "Of which edition the stored projection is.",
    "projection_rows": "How many rows each of its tables has.",
}
_EVENT_COLUMNS = {
    "event_id": "The place in replay order: YYYYMM · 10⁹ + n.",
    "month": "Of the file, as YYYYMM.",
    "action": "add, update or delete.",
    "file": "The number of the file, in files.",
    "line": "The physical line in the file.",
}


def metadata(dataset: DataSet) -> dict[str, Any]:
    """The metadata of Datasette, made from the description of the data set."""
    queries = {
        question.name: {
            "title": question.title,
            "description": question.description,
            "sql": question.sql,
            "params": [field.name for field in question.fields],
            "hide_sql": True,
        }
        for question in questions(dataset)
    }
    database = {
        "title": dataset.title,
        "description": "All that is recorded and computed. SQL of your own can only read.",
        "tables": dict(_tables(dataset)),
        "queries": queries,
    }
    return {
        "title": "Ledger",
        "databases": {DATABASE: database},
        "extra_css_urls": ["/ledger-static/web.css"],
        "plugins": {"datasette-dashboards": _dashboards()},
    }


def _tables(dataset: DataSet) -> Iterator[tuple[str, dict[str, Any]]]:
    for view in dataset.views:
        yield (
            view.name,
            {
                "title": "The report",
                "description": "Of the stored projection.",
                "columns": {column.name: column.description for column in REPORT_COLUMNS},
                "facets": list(view.identity),
            },
        )
    for table in dataset.tables:
        yield (
            table.name,
            _table(
                f"{_title(table)} as they stand",
                "Of the stored projection.",
                {**_columns(table), **{c.name: _derived(c) for c in table.derived}},
            ),
        )
        yield (
            table.events,
            _table(
                f"Events of {table.name}",
                "Every row as delivered; those of superseded files too.",
                {**_EVENT_COLUMNS, **_columns(table)},
                ("month", "action"),
            ),
        )
    yield (
        EVENTS,
        _table(
            "All events",
            "Of all tables, without their cells.",
            {**_EVENT_COLUMNS, "table_name": "Whose event it is.", "key": "Of the record."},
            ("table_name", "month", "action"),
        ),
    )
    for name, (title, description) in _RECORDED.items():
        yield name, _table(title, description, {})
    internal = {**_INTERNAL, **{s.name: f"Sums of {s.table}." for s in dataset.summaries}}
    for name, description in internal.items():
        yield name, {"title": name, "description": description, "hidden": True}


def _table(
    title: str, description: str, columns: dict[str, str], facets: Sequence[str] = ()
) -> dict[str, Any]:
    return {
        "title": title,
        "description": description,
        "columns": columns,
        **({"facets": list(facets)} if facets else {}),
    }


def _title(table: Table) -> str:
    return table.name.replace("_", " ").capitalize()


def _columns(table: Table) -> dict[str, str]:
    return {column.name: column.description for column in table.columns}


def _derived(column: Derived) -> str:
    if isinstance(column, SecondsBetween):
        return f"Seconds from {column.start} to {column.end}."
    zone = "local" if isinstance(column, LocalMonth) else "UTC"
    return f"The {zone} month of {column.timestamp}."


def _dashboards() -> dict[str, Any]:
    return {
        "report": {
            "title": "The ledger in charts",
            "description": "The report of the stored projection, and all events by month.",
            "layout": [["volume"], ["events"]],
            "charts": {
                "volume": _bars(
                    "Interactions by month and contact centre",
                    "volume",
                    ("month", "interactions", "contact_center_name", "contact centre"),
                ),
                "events": _bars(
                    "Events by month and action", "events", ("month", "events", "action", "action")
                ),
            },
        }
    }


def _bars(title: str, query: str, names: tuple[str, str, str, str]) -> dict[str, Any]:
    """Stacked bars: of a column by another, in the colours of a third one, which has a title."""
    across, up, colour, legend = names
    return {
        "title": title,
        "db": DATABASE,
        "library": "vega-lite",
        "query": packaged_text(f"web/queries/{query}.sql"),
        "display": {
            # Else the page names a version of the form, and another one of it warns.
            "$schema": None,
            "mark": {"type": "bar", "tooltip": True},
            "encoding": {
                "x": {"field": across, "type": "ordinal", "title": across},
                "y": {"field": up, "type": "quantitative", "title": up},
                "color": {
                    "field": colour,
                    "type": "nominal",
                    "title": legend,
                    "legend": {"orient": "bottom", "columns": 2},
                },
            },
            "height": 260,
            # To show a chart in an editor on the web would send the figures there.
            "usermeta": {"embedOptions": {"actions": False}},
        },
    }
