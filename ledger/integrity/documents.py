"""Documents by which a ledger is checked later: receipts and proofs, as strict JSON.

A document that is read is checked against the description of its kind: every field, its type, and
nothing else. No object may have a name twice, as readers do not agree on which of the two counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from ledger.errors import WrongUsage
from ledger.files.atomic import replace_file
from ledger.model.documents import Document, parse_json

Kind = TypeVar("Kind", bound=Document)


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
        # msgspec ignores unknown fields in the records of a ledger.
        if msgspec.json.decode(document.line()) == msgspec.json.decode(content):
            return document
        problem = "it has a field that does not belong there"
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}; name another file") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        problem = str(error)
    expected = str(kind.__struct_config__.tag)
    raise WrongUsage(f"{path} is no {expected} document: {problem}; name another file")


def write_document(path: Path, document: Document) -> None:
    """Write a document; the file is whole, or as it was before.

    Raises:
        StorageFailed: it cannot be written.
    """
    replace_file(path, document.text().encode())
