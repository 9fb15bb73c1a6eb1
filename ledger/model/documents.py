"""Documents that leave the ledger and come back as evidence, as strict JSON."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]


Number = Annotated[int, msgspec.Meta(ge=1)]


NAME_SHOWN = 80


class Document(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="document"
):
    """A document of some kind, which stands in its first field."""

    def text(self) -> str:
        """The document as it is written, on several lines."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode() + "\n"

    def line(self) -> str:
        """The same on one line."""
        return msgspec.json.encode(self).decode()

    def data(self) -> Any:
        """The same as dictionaries and lists."""
        return msgspec.to_builtins(self)


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object within a document."""


def parse_json(text: str | bytes) -> Any:
    """Parse JSON in which no object has a name twice, at whatever depth.

    Raises:
        ValueError: it is no such JSON, or is nested too deeply.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"an object of it has the name {name[:NAME_SHOWN]!r} twice")
        found[name] = value
    return found
