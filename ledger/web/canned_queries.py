"""The questions that can be asked on a page: canned queries, with the fields of their forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.datasets.support.measures import MEASURES
from ledger.model.dataset import DataSet, Table
from ledger.store.sql import packaged_text
from ledger.web.functions import ENTRIES


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form.

    Attributes:
        name: of the parameter of the query.
        label: what the form calls it.
        hint: what stands for it where it is blank, or an example.
        is_required: nothing can be asked without it.
        options: the only values that it takes; where there are none, any.
    """

    name: str
    label: str
    hint: str = ""
    is_required: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A canned query.

    Attributes:
        name: in its address.
        title: of its page.
        description: what comes out, in one or two sentences.
        sql: of the query.
        fields: for its parameters, in order.
    """

    name: str
    title: str
    description: str
    sql: str
    fields: tuple[Field, ...]


_AS_OF = Field("as_of", "As of", "the latest month")
_KNOWN_AT = Field("known_at", "Known at", "the last batch")
_EDITION = (_AS_OF, _KNOWN_AT)
_SKIP = Field("skip", "Skip", "0")
_STRETCH = f"At most {ENTRIES:,} at once: to go on, skip those seen."


def questions(dataset: DataSet) -> tuple[Question, ...]:
    """All questions that can be asked of a data set, in the order in which they are shown."""
    tables = tuple(table.name for table in dataset.tables)
    return (*_tracing(tables), *map(_state, dataset.tables), *_comparing())


def _tracing(tables: tuple[str, ...]) -> Iterator[Question]:
    yield Question(
        "history",
        "The history of a record",
        "Every event of a key, what came of it, and each cell that it changed, as delivered.",
        packaged_text("web/queries/history.sql"),
        (
            Field("table", "Table", is_required=True, options=tables[::-1]),
            Field("key", "Key", "such as INT1003", is_required=True),
            *_EDITION,
        ),
    )
    yield Question(
        "explain",
        "What makes a figure of the report",
        f"The interactions that add up to it, with file and line, and what gave its names. "
        f"{_STRETCH}",
        packaged_text("web/queries/explain.sql"),
        (
            Field("month", "Month", "2025-02", is_required=True),
            Field("center", "Contact centre", "all"),
            Field("department", "Department", "all"),
            Field("measure", "Measure", "every interaction", options=("", *MEASURES)),
            *_EDITION,
            _SKIP,
        ),
    )
    yield Question(
        "findings",
        "What is odd about the deliveries",
        f"All findings on events that count, or those of one code. {_STRETCH}",
        packaged_text("web/queries/findings.sql"),
        (Field("code", "Code", "all"), *_EDITION, _SKIP),
    )


def _comparing() -> Iterator[Question]:
    fields = (
        Field("from", "From", "202502@2", is_required=True),
        Field("to", "To", "202503", is_required=True),
        Field("month", "Month of the report", "all"),
        _SKIP,
    )
    yield Question(
        "bridge",
        "Why the report moved between two editions",
        "Opening, steps and closing: of the total, then of each row of the report that moved. "
        f"{_STRETCH}",
        packaged_text("web/queries/bridge.sql"),
        fields,
    )
    yield Question(
        "causes",
        "What is behind the steps of a bridge",
        f"Interactions and names, each with the event before and the event after. {_STRETCH}",
        packaged_text("web/queries/causes.sql"),
        fields,
    )


def _state(table: Table) -> Question:
    cells = ",\n       ".join(
        f"json_extract(value, '$[{place}]') AS {name}"
        for place, name in enumerate(table.column_names)
    )
    return Question(
        f"state_{table.name}",
        f"The state of {table.name}",
        "The rows as they stood, replayed where they are not stored, in the order of the key. "
        f"At most {ENTRIES:,} at once: to go on, put the last key into “After”.",
        f"SELECT {cells}\n"
        f"FROM json_each(ledger_state('{table.name}', :as_of, :known_at, :after)) AS row\n"
        "ORDER BY row.key",
        (*_EDITION, Field("after", "After", "the first key")),
    )
