"""Rules on files that are something else: other encodings, other formats under a .csv name."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Iterator

from tests.corpus.malformed import Malformed, Told
from tests.corpus.sound import Sound, every_sound

UTF_16_AND_32 = {
    "UTF-16 LE with a byte order mark": (b"\xff\xfe", "utf-16-le"),
    "UTF-16 BE with a byte order mark": (b"\xfe\xff", "utf-16-be"),
    "UTF-16 LE without one": (b"", "utf-16-le"),
    "UTF-16 BE without one": (b"", "utf-16-be"),
    "UTF-32 LE with a byte order mark": (b"\xff\xfe\0\0", "utf-32-le"),
    "UTF-32 BE with a byte order mark": (b"\0\0\xfe\xff", "utf-32-be"),
    "UTF-32 LE without one": (b"", "utf-32-le"),
    "UTF-32 BE without one": (b"", "utf-32-be"),
}
HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>502</body></html>\n"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
# The beginnings that mark them: nothing reads further.
PARQUET = b"PAR1\x15\x04\x15\x20\x15\x24\x4c\x15\x08\x15\x00\x12\x00\x00PAR1"
XLS = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"
SQLITE = b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20" + b"\0" * 76


def deliveries() -> Iterator[Malformed]:
    """Every delivery of these rules."""
    for base in every_sound():
        content = base.content()
        text = content.decode()
        for rule, (mark, encoding) in UTF_16_AND_32.items():
            yield _malformed(base, rule, mark + text.encode(encoding), Told("utf-16", 1))
        yield _malformed(base, "EBCDIC", text.encode("cp500", "replace"), Told("invalid-utf-8", 1))
        for rule, other in (
            ("gzip", gzip.compress(content, mtime=0)),
            ("bzip2", bz2.compress(content)),
            ("xz", lzma.compress(content)),
            ("zip", _zip({"agents.csv": content})),
            ("an xlsx workbook", _zip({"[Content_Types].xml": b"<Types/>"})),
            ("an xls workbook", XLS),
            ("Parquet", PARQUET),
            ("SQLite", SQLITE),
            ("PDF", PDF),
            ("an HTML page", HTML),
            ("XML", b'<?xml version="1.0"?>\n<rows/>\n'),
            ("JSON", json.dumps(_objects(base)).encode()),
            ("JSON, indented", json.dumps(_objects(base), indent=2).encode()),
            ("JSON, one object", json.dumps({"rows": _objects(base)}).encode()),
            ("NDJSON", b"".join(json.dumps(row).encode() + b"\n" for row in _objects(base))),
        ):
            yield _malformed(base, rule, other, Told("not-csv", 1))
        key = Told("column-missing", 1, base.records[0][0])
        extra = Told("column-extra", 1, POINTER.decode().splitlines()[0])
        yield _malformed(base, "a pointer to large storage", POINTER, extra, key)
        cr_alone = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r")
        yield _malformed(base, "every line ends in CR alone", cr_alone, Told("lone-cr", 1))


def _objects(base: Sound) -> list[dict[str, str]]:
    names, *rows = base.records
    return [dict(zip(names, row, strict=True)) for row in rows]


def _zip(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for name, content in files.items():
            opened.writestr(zipfile.ZipInfo(name), content)
    return archive.getvalue()


def _malformed(base: Sound, rule: str, content: bytes, *told: Told) -> Malformed:
    variant = f"{base.table}, {base.kind}, {base.newline!r}"
    return Malformed("other formats", rule, variant, {base.name: content}, told, more=len(told) > 1)
