"""Names for what a row refers to: those of the as-of state, or those of the month of the row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ledger.errors import WrongUsage
from ledger.model.dataset import Column, DataSet, Table, Type
from ledger.replay.editions import counts, last_events
from ledger.store.sql import part

# After any month and before the end of a name that has no end; see `labels.sql`.
_NO_MONTH = "none"


class Names(StrEnum):
    """Which names to give: of the as-of state, or of the end of the row's own month."""

    AS_IS = "as-is"
    AS_WAS = "as-was"


def parse_names(text: str) -> Names:
    """Read `as-is` or `as-was`.

    Raises:
        WrongUsage: the text is neither.
    """
    try:
        return Names(text)
    except ValueError:
        raise WrongUsage(f"names are {' or '.join(Names)}, not {text!r}") from None


@dataclass(frozen=True, slots=True)
class Labels:
    """The relations `<table>_as_is` or `<table>_as_was`, as a replay or an engine has them.

    Their columns are `event_id` (of the row that gives the name), the key, the texts, and
    `from_month` and `until_month`, between which it applies; see `labels.sql`.

    Attributes:
        names: which names they give.
    """

    names: Names

    def relation(self, table: Table) -> str:
        """The name of the relation of a table."""
        return f"{table.name}_{self.names.name.lower()}"

    def join(self, table: Table, alias: str, key: str, month: str) -> str:
        """The SQL that joins the names of a table.

        Args:
            table: one of those named.
            alias: of its row.
            key: the column, with its table, that has its key.
            month: the column, with its table, that has the month of the row to be named.
        """
        return (
            f"LEFT JOIN {self.relation(table)} AS {alias} ON {alias}.{table.key} = {key} "
            f"AND {alias}.from_month <= {month} AND {month} < {alias}.until_month"
        )


def labels_select(table: Table, names: Names) -> str:
    """The query that gives the rows of a relation of `Labels`."""
    return part(
        "replay/labels.sql",
        names.value,
        key=table.key,
        texts=", ".join(_texts(table)),
        events=table.events,
        counts=counts("event"),
        last_events=last_events(table),
    )


def labels_columns(table: Table) -> tuple[str, ...]:
    """The columns of a relation of `Labels`."""
    return ("event_id", table.key, *_texts(table), "from_month", "until_month")


def _texts(table: Table) -> list[str]:
    return [column.name for column in table.columns[1:] if column.type is Type.TEXT]


def labelled_columns(table: Table, names: Names | None) -> tuple[Column, ...]:
    """The columns of a projected table with its labels; None for `names` leaves them out."""
    labels = table.labels if names else ()
    return (*table.columns, *(Column(label.name, label.description) for label in labels))


def labelled_select(
    dataset: DataSet, table: Table, labels: Labels | None, rows: str, hint: str = "MATERIALIZED"
) -> str:
    """The query that gives the columns of `labelled_columns`, in the order of the key.

    Args:
        dataset: of the table.
        table: whose rows they are.
        labels: the names to give; None for none.
        rows: a query that gives the projected rows.
        hint: to the planner that these come first; some engines have none.
    """
    shown = [f"{table.name}.{name}" for name in table.column_names]
    joins = []
    if labels:
        month = f"coalesce({table.name}.{table.month}, '{_NO_MONTH}')"
        for name, other in labelling(dataset, table).items():
            joins.append(labels.join(other, f"{name}_names", f"{table.name}.{name}", month))
        shown += [
            f"{label.reference}_names.{label.column} AS {label.name}" for label in table.labels
        ]
        # Without this, the planner may join the names before it has chosen the events.
        page, source = f"WITH page AS {hint} ({rows})", "page"
    else:
        # Here it would copy and sort stored rows that are in order already.
        page, source = "", f"({rows})"
    return f"""
        {page}
        SELECT {", ".join(shown)}
        FROM {source} AS {table.name} {" ".join(joins)}
        ORDER BY {table.name}.{table.key}
    """


def labelling(dataset: DataSet, table: Table) -> dict[str, Table]:
    """The tables that give labels, by the columns that refer to them."""
    references = dict.fromkeys(label.reference for label in table.labels)
    return {name: dataset.referenced(table, name) for name in references}
