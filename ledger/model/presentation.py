"""What a result gives to whatever shows it: JSON, a table for programs, parts for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ledger.model.dataset import Column
from ledger.model.documents import Document
from ledger.model.periods import Month
from ledger.model.tabular import Tabular, plain_number
from ledger.text import visible


class Styled(NamedTuple):
    """A part of a text that is set off where colours are shown.

    Attributes:
        text: without any markup.
        style: what it is: `error`, `note`, `step`, `code` or `bar`.
    """

    text: str
    style: str


class Heading(NamedTuple):
    """The numbered heading of what follows."""

    number: str
    text: str


class Remark(NamedTuple):
    """A sentence on the result, as part of it."""

    text: str


class Line(NamedTuple):
    """A text of which some parts are set off."""

    texts: Sequence[str | Styled]


class Grid(NamedTuple):
    """A table laid out for people.

    Attributes:
        headings: of the columns.
        rows: their values; None for a blank cell.
        decimals: of numbers that are not counts; all that there are by default.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]
    decimals: int | None = None


class Facts(NamedTuple):
    """Names with their values, one below the other."""

    pairs: Sequence[tuple[str, str]]


class Bars(NamedTuple):
    """Figures by name, none below 0, drawn as bars where a picture can be shown."""

    title: str
    figures: Mapping[str, int]


class Note(NamedTuple):
    """A sentence that stands beside the result, and is no part of it."""

    text: str


Part = str | Heading | Remark | Line | Grid | Tabular | Facts | Bars | Note
"""What people see of a result, in order."""


class Result(Protocol):
    """What can be shown in every format."""

    def to_dict(self) -> Any:
        """The result as JSON; an iterator in the last place is read item by item."""

    def tabular(self) -> Tabular:
        """The rows of the result, for programs."""

    def parts(self) -> Iterable[Part]:
        """The result for people."""


class JsonObject:
    """A dataclass that is an object in JSON, with its attributes as names."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The attributes, as JSON has them."""
        return dict(plain(self))


class Verdict(JsonObject):
    """A result with a verdict on something, which comes first in JSON."""

    __slots__ = ()

    @property
    def verdict(self) -> str:
        """The outcome in a sentence, without its full stop."""
        raise NotImplementedError

    @property
    def complaints(self) -> Sequence[str]:
        """What is not as it should be; nothing where all is well."""
        raise NotImplementedError

    @property
    def extent(self) -> str:
        """How much was verified."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The verdict, and the attributes as `result`."""
        return {"verdict": self.verdict, "result": plain(self)}

    def tabular(self) -> Tabular:
        """What is not as it should be."""
        column = Column("complaint", "What is not as it should be, and where.")
        return Tabular("complaints", [column], [(text,) for text in self.complaints])

    def parts(self) -> Iterator[Part]:
        """What is not as it should be, or how much was verified and the verdict."""
        yield from map(visible, self.complaints)
        if not self.complaints:
            yield self.extent
            yield f"{self.verdict}."


@dataclass(frozen=True, slots=True)
class Listing:
    """A table that people see in another form.

    Attributes:
        table: for programs.
        drawing: for people.
    """

    table: Tabular
    drawing: Iterable[Part]

    def to_dict(self) -> list[dict[str, Any]]:
        """The rows as objects."""
        return list(records(self.table))

    def tabular(self) -> Tabular:
        """The table for programs."""
        return self.table

    def parts(self) -> Iterable[Part]:
        """The drawing for people."""
        return self.drawing


def records(table: Tabular) -> Iterator[dict[str, Any]]:
    """Yield each row of a table as an object, with the columns as names."""
    names = [column.name for column in table.columns]
    return (dict(zip(names, map(plain, row), strict=True)) for row in table.rows)


def plain(value: Any) -> Any:
    """Turn a value into what JSON can express: dataclasses to objects, months to `202503`."""
    if is_dataclass(value) and not isinstance(value, type | Month):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Document):
        return value.data()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Month | Path) else plain_number(value)
