"""Merges the parts that tasks wrote into one table: their order, its beginning and its end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from ledger.engines.spark.parts import Part, PartWriter
from ledger.outputs.formats import FileOptions
from ledger.outputs.json import OBJECT_END
from ledger.outputs.manifest import ExportedFile
from ledger.outputs.table_files import table_writer


def joined(writer: PartWriter, found: Sequence[Part]) -> list[ExportedFile]:
    """Name the parts of a table by their order, and add its beginning and its end.

    Args:
        writer: that the tasks used. Other files in its folder, left by failed attempts, are
            removed.
        found: the parts that tasks wrote.

    Returns:
        the parts in order. In CSV and JSON, their concatenation is a single file.
    """
    folder, format = Path(writer.folder), writer.format
    in_order = sorted(found)
    kept = {part.name for part in in_order}
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink()
    begin, end = _ends(writer, is_empty=not found)
    parts: list[ExportedFile] = []

    def place() -> Path:
        return folder / f"part-{len(parts):05}.{format}"

    def add(content: bytes) -> None:
        if content:
            path = place()
            path.write_bytes(content)
            parts.append(ExportedFile(path, 0, len(content), hashlib.sha256(content).hexdigest()))

    add(begin)
    for part in in_order:
        if format == "json" and part is in_order[-1]:
            part = _without_comma(folder, part)
        path = (folder / part.name).rename(place())
        parts.append(ExportedFile(path, part.rows, part.bytes, part.sha256))
    add(end)
    return parts


def _ends(writer: PartWriter, *, is_empty: bool) -> tuple[bytes, bytes]:
    """The bytes before the rows of a table, and after them."""
    if writer.format == "json" and not is_empty:
        return b"[\n", b"\n]\n"
    if writer.format == "parquet" and not is_empty:
        return b"", b""
    empty = BytesIO()
    write = table_writer(FileOptions(writer.format), writer.zone)
    write(empty, writer.columns, ())
    return empty.getvalue(), b""


def _without_comma(folder: Path, part: Part) -> Part:
    size = part.bytes - len(OBJECT_END)
    with open(folder / part.name, "r+b") as file:
        file.truncate(size)
    return part._replace(bytes=size, sha256=part.sha256_as_last)
