"""Documents that leave the ledger and come back as evidence: receipts and proofs, as strict JSON.

What is read is checked against the description of its kind: every field, its type, and nothing
else. No object may have a name twice, for readers do not agree on which of the two counts.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from ledger.drafts import draft_folder
from ledger.errors import StorageFailed, WrongUsage

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


Kind = TypeVar("Kind", bound=Document)


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


def read_document(path: Path, kind: type[Kind]) -> Kind:
    """Read a document of a kind.

    Raises:
        WrongUsage: the file is no document of that kind, or cannot be read.
    """
    try:
        content = path.read_bytes()
        # Of two fields of one name, msgspec takes the last.
        parse_json(content)
        document = msgspec.json.decode(content, type=kind)
        # Within the records of a ledger, unknown fields are passed over.
        if msgspec.json.decode(document.line()) == msgspec.json.decode(content):
            return document
        problem = "it has a field that does not belong there"
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}; name another file") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        problem = str(error)
    wanted = str(kind.__struct_config__.tag)
    raise WrongUsage(f"{path} is no {wanted} document: {problem}; name another file")


def write_document(path: Path, document: Document) -> None:
    """Write a document; the file is there whole or as it was before.

    Raises:
        StorageFailed: it cannot be written.
    """
    try:
        with draft_folder(path.parent) as folder:
            draft = folder / path.name
            with open(draft, "xb") as file:
                file.write(document.text().encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
    except OSError as error:
        raise StorageFailed(
            f"{path} cannot be written: {error.strerror}; what was there before is unchanged"
        ) from error
