"""A table as a value: described columns, and rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.errors import WrongUsage
from ledger.model.dataset import Column

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Value = str | int | float | None
"""A value of a cell: dates and timestamps are ISO 8601 texts; None is a missing value."""

Values = Sequence[Value]
"""The values of a row, in the order of its columns."""


@dataclass(frozen=True, slots=True)
class Tabular:
    """A table with described columns, and its rows.

    Whatever returns a table returns one of these, and whatever shows or writes a table takes one,
    and needs to know nothing else of the result.

    Attributes:
        name: of the table: the name of its file or sheet.
        columns: name, description and type of each column, in order.
        rows: the values of each row, in the order of the columns; they may be read only once, if
            they come from a query.
        key: the name of the column whose values identify the rows; None without such a column.
        zone: the time zone in which timestamps are shown where they are no texts.
    """

    name: str
    columns: Sequence[Column]
    rows: Iterable[Values]
    key: str | None = None
    zone: str = "UTC"

    def to_arrow(self) -> pa.Table:
        """Read the rows into a table of Arrow, typed as in an export to Parquet.

        Numbers are doubles, dates are days, timestamps are instants in `zone`.
        """
        from ledger.model.arrow_tables import arrow_table

        return arrow_table(self.columns, self.rows, self.zone)

    def to_pandas(self) -> pd.DataFrame:
        """Read the rows into a data frame of pandas, typed as those of `to_arrow`.

        Raises:
            WrongUsage: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise WrongUsage(
                "a data frame needs the package pandas; install with: pip install pandas"
            ) from None
        return pd.DataFrame(self.to_arrow().to_pandas())


def plain_number(value: Value) -> Value:
    """A whole number without a decimal point, as in every format of text: 14 instead of 14.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
