"""Writes tables as files: CSV, JSON, Parquet, and the manifest beside them; reads them again.

Rows are streamed. Every file is written under a temporary name, synced and renamed, so an earlier
export is whole until the new one is; nothing is written outside the folder named.
"""

from __future__ import annotations

import codecs
import csv
import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from io import BufferedWriter, BytesIO, RawIOBase
from itertools import islice
from pathlib import Path
from typing import Any

from ledger.errors import StorageFailed, VerificationFailed, WrongUsage
from ledger.extras import needed
from ledger.files.atomic import draft_folder, sync
from ledger.model.dataset import Column, Type
from ledger.model.documents import parse_json
from ledger.model.tabular import Tabular, Values
from ledger.outputs.fast_text import CsvForm, Form, JsonForm
from ledger.replay.paging import Page, PagedRows
from ledger.text import counted

Output = RawIOBase | BytesIO

MANIFEST = "datapackage.json"
ROWS_AT_ONCE = 20_000
_FIELD_TYPES = {Type.TIMESTAMP: "datetime", Type.TEXT: "string"}
_MEDIA_TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file that was written.

    Attributes:
        path: where it is.
        rows: how many rows it holds.
        bytes: its size.
        sha256: the digest of its bytes; empty where it is a folder of parts.
        apostrophes: how many texts have one before them for the sake of a spreadsheet; None where
            all texts are exact.
    """

    path: Path
    rows: int
    bytes: int
    sha256: str
    apostrophes: int | None = None


class SafeRows:
    """The rows of a sheet, with an apostrophe before each text that a spreadsheet would run.

    That is a text which begins, after any blanks, with a mark that may begin a formula, or with a
    tab or an end of a line. Only cells of columns of text are touched, no numbers and no dates.

    Attributes:
        apostrophes: how many were put so far.
    """

    def __init__(self, sheet: Tabular) -> None:
        """Wrap the rows of a sheet."""
        self.apostrophes = 0
        self._rows = sheet.rows
        self._texts = [n for n, column in enumerate(sheet.columns) if column.type is Type.TEXT]

    def __iter__(self) -> Iterator[Values]:
        for row in self._rows:
            cells = list(row)
            for place in self._texts:
                text = cells[place]
                if isinstance(text, str) and _FORMULA.match(text):
                    cells[place] = f"'{text}"
                    self.apostrophes += 1
            yield cells


# The wide forms, U+FF1D and the like, are taken for the marks themselves by spreadsheets.
_FORMULA = re.compile(r"[\t\r\n]|[\s\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]")


def write_csv(file: Output, columns: Sequence[Column], rows: Iterable[Values], zone: str) -> int:
    """Write RFC 4180 in UTF-8 with a header; blank for None. Gives the number of rows."""
    form = CsvForm(columns)
    file.write(form.plain([[column.name for column in columns]]))
    return _write_rows(rows, form, file.write)


def write_json(file: Output, columns: Sequence[Column], rows: Iterable[Values], zone: str) -> int:
    """Write an array of objects, one a line; null for None. Gives the number of rows."""
    before = b"[\n"

    def write(content: bytes) -> None:
        nonlocal before
        file.write(before)
        # A comma comes after every object, and is kept back until there is one more.
        before = content[-2:]
        file.write(memoryview(content)[:-2])

    count = _write_rows(rows, JsonForm(columns), write)
    file.write(b"\n]\n" if count else b"[]\n")
    return count


def write_parquet(
    file: Output, columns: Sequence[Column], rows: Iterable[Values], zone: str
) -> int:
    """Write Parquet with zstd, its columns typed. Gives the number of rows.

    Timestamps are moments to the microsecond, shown in `zone`; numbers doubles; dates days.
    """
    # Slow to import, and of no use to any other command.
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        Type.TEXT: pa.string(),
        Type.DATE: pa.date32(),
        Type.NUMBER: pa.float64(),
        Type.INTEGER: pa.int64(),
        Type.TIMESTAMP: pa.timestamp("us", tz=zone),
    }
    schema = pa.schema([(column.name, types[column.type]) for column in columns])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        if isinstance(rows, PagedRows):
            return _write_rows(rows, CsvForm(columns), writer.write_table, partial(_parse, schema))
        return _write_batches(rows, columns, schema, writer.write_batch)


def _parse(schema: Any, page: bytes) -> Any:
    """Read lines of CSV as a table of Arrow, by the types of its schema: nothing is guessed."""
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    # A mark at the beginning is taken off, which must not be one of the first text.
    content = codecs.BOM_UTF8 + page
    return pa_csv.read_csv(
        pa.BufferReader(content),
        # One block, which no line is longer than. The pages are read beside it by another thread.
        pa_csv.ReadOptions(
            use_threads=False, block_size=len(content) + 1, column_names=schema.names
        ),
        pa_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        pa_csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            timestamp_parsers=[pa_csv.ISO8601],
        ),
    )


def _write_batches(
    rows: Iterable[Values], columns: Sequence[Column], schema: Any, write: Callable[[Any], object]
) -> int:
    import pyarrow as pa

    parse: dict[Type, Callable[[Any], Any]] = {
        Type.DATE: date.fromisoformat,
        Type.TIMESTAMP: datetime.fromisoformat,
    }
    remaining, count = iter(rows), 0
    while some := list(islice(remaining, ROWS_AT_ONCE)):
        arrays = []
        for column, values in zip(columns, zip(*some, strict=True), strict=True):
            read = parse.get(column.type)
            cells = [v if v is None else read(v) for v in values] if read else list(values)
            arrays.append(pa.array(cells, schema.field(column.name).type))
        write(pa.record_batch(arrays, schema=schema))
        count += len(some)
    return count


def _write_rows(
    rows: Iterable[Values],
    form: Form,
    write: Callable[[Any], object],
    prepare: Callable[[bytes], Any] = bytes,
) -> int:
    """Write rows in a form, a page at a time. Gives the number of rows.

    Args:
        rows: to be written.
        form: in which.
        write: is called with each page when it is prepared.
        prepare: makes of the text of a page what is to be written.
    """
    if isinstance(rows, PagedRows):
        return _write_pages(rows, form, write, prepare)
    remaining, count = iter(rows), 0
    while some := list(islice(remaining, ROWS_AT_ONCE)):
        write(prepare(form.plain(some)))
        count += len(some)
    return count


def _write_pages(
    rows: PagedRows, form: Form, write: Callable[[Any], object], prepare: Callable[[bytes], Any]
) -> int:
    """Prepare each page while SQLite makes the text of the next. Gives the number of rows."""
    count = 0
    with ThreadPoolExecutor(max_workers=1) as thread:
        behind = _Behind(thread, form, prepare)
        for page in rows.pages(form.line, behind.start):
            for content in behind.prepared():
                write(content)
            behind.page = page
            count += page.count
        behind.start()
        for content in behind.prepared():
            write(content)
    return count


class _Behind:
    """Prepares one page at a time in another thread, which neither reads nor writes a file.

    Attributes:
        page: the one to be prepared next.
    """

    def __init__(
        self, thread: ThreadPoolExecutor, form: Form, prepare: Callable[[bytes], Any]
    ) -> None:
        self.page: Page | None = None
        self._thread = thread
        self._form = form
        self._prepare = prepare
        self._started: tuple[Page, Future[Any]] | None = None

    def start(self) -> None:
        """Begin to prepare the page."""
        if self.page:
            self._started = self.page, self._thread.submit(self._text_of, self.page)
            self.page = None

    def prepared(self) -> Iterator[Any]:
        """Yield what is to be written of the page that was begun, if any, when it is there."""
        if self._started:
            page, future = self._started
            self._started = None
            content = future.result()
            # Where its text does not do, its values: SQLite is asked by one thread alone.
            yield self._prepare(self._form.plain(page.values())) if content is None else content

    def _text_of(self, page: Page) -> Any:
        content = self._form.written(page)
        return None if content is None else self._prepare(content)


Writer = Callable[[Output, Sequence[Column], Iterable[Values], str], int]

WRITERS: dict[str, Writer] = {"csv": write_csv, "json": write_json, "parquet": write_parquet}

PAGE = "html"
WORKBOOK = "xlsx"
"""The format of which one file holds all tables; see `ledger.outputs.xlsx`."""


def check_format(format: str, *, spreadsheet_safe: bool, bom: bool, page: bool = False) -> None:
    """Refuse what no file can be, before anything is read or written.

    Args:
        format: in which tables are to be written.
        spreadsheet_safe: whether texts are to be made safe for spreadsheets.
        bom: whether files are to begin with a byte order mark.
        page: whether there is a page of them.

    Raises:
        WrongUsage: there is no such format; it needs a package that is not there; or what is asked
            for besides is a matter of CSV.
    """
    formats = (*WRITERS, WORKBOOK, *([PAGE] if page else []))
    if format not in formats:
        raise WrongUsage(f"there is no format {format!r}; there are {', '.join(formats)}")
    if spreadsheet_safe and format != "csv":
        why = ", where no text is taken for a formula" if format == WORKBOOK else ""
        raise WrongUsage(f"texts are made safe for spreadsheets in csv alone, not in {format}{why}")
    if bom and format != "csv":
        raise WrongUsage(f"a byte order mark is for csv alone, not for {format}")
    if format == WORKBOOK:
        needed("excel")
    if format == PAGE:
        needed("page")


def write_sheets(
    folder: Path,
    sheets: Iterable[Tabular],
    format: str,
    zone: str,
    manifest: dict[str, Any] | None = None,
    *,
    spreadsheet_safe: bool = False,
    bom: bool = False,
) -> list[ExportedFile]:
    """Write sheets into a folder, `<name>.<format>` each, and replace what was there.

    Args:
        folder: made where there is none.
        sheets: what to write.
        format: a name of `WRITERS`.
        zone: the time zone of the timestamps, for formats that name one.
        manifest: what `datapackage.json` says besides the files; None writes none.
        spreadsheet_safe: of CSV; see `SafeRows`.
        bom: of CSV; begin with the mark by which a spreadsheet knows UTF-8.

    Raises:
        StorageFailed: the folder cannot be written; what was there before is whole.
    """
    with complete_files(folder) as draft:
        written = write_into(
            draft, sheets, format, zone, manifest, spreadsheet_safe=spreadsheet_safe, bom=bom
        )
    return [replace(file, path=folder / file.path.name) for file in written]


def write_into(
    draft: Path,
    sheets: Iterable[Tabular],
    format: str,
    zone: str,
    manifest: dict[str, Any] | None = None,
    *,
    spreadsheet_safe: bool = False,
    bom: bool = False,
) -> list[ExportedFile]:
    """Write sheets into a folder that is a draft itself; else as `write_sheets`."""
    resources, written = [], []
    for sheet in sheets:
        path = draft / f"{sheet.name}.{format}"
        with _synced(path) as file:
            if bom:
                file.write(codecs.BOM_UTF8)
            safe = SafeRows(sheet) if spreadsheet_safe else None
            rows = WRITERS[format](file, sheet.columns, safe or sheet.rows, zone)
        written.append(
            ExportedFile(
                path=path,
                rows=rows,
                bytes=path.stat().st_size,
                sha256=file.digest.hexdigest(),
                apostrophes=safe.apostrophes if safe else None,
            )
        )
        resources.append(resource(sheet, written[-1], format))
    write_manifest(draft, manifest, resources)
    return written


def write_manifest(
    draft: Path, manifest: dict[str, Any] | None, resources: Sequence[dict[str, Any]]
) -> None:
    """Write `datapackage.json`.

    Args:
        draft: the folder of the files.
        manifest: what it says besides these; None writes none.
        resources: the files, each as `resource` describes it.
    """
    if manifest is not None:
        with _synced(draft / MANIFEST) as file:
            document = {**manifest, "resources": resources}
            file.write(json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n")


def write_text(folder: Path, name: str, text: str, rows: int) -> ExportedFile:
    """Write a text into a folder, in the place of what was there.

    Args:
        folder: made where there is none.
        name: of the file.
        text: written in UTF-8.
        rows: how many rows of a table it shows.

    Raises:
        StorageFailed: the folder cannot be written; what was there before is whole.
    """
    content = text.encode()
    with complete_files(folder) as draft, _synced(draft / name) as file:
        file.write(content)
    return ExportedFile(folder / name, rows, len(content), file.digest.hexdigest())


def read_sheet(path: Path, columns: Sequence[Column]) -> list[Values]:
    """Read a file that was written from a sheet; the cells of CSV as the texts that they are.

    Args:
        path: a file of one of the formats that are written, told by its suffix.
        columns: those that it must have, in order.

    Raises:
        WrongUsage: there is no such file, or it is of another format.
        VerificationFailed: it cannot be read as that, or has other columns.
    """
    readers = {".csv": _read_csv, ".json": _read_json, ".parquet": _read_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise WrongUsage(
            f"{path} ends in none of {', '.join(readers)}; what is to be read again must be one "
            "of these"
        )
    try:
        header, rows = reader(path)
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, csv.Error) as error:
        raise VerificationFailed(f"{path} cannot be read as what it is called: {error}") from error
    names = [column.name for column in columns]
    if header != names and (rows or header):
        raise VerificationFailed(
            f"{path} has the columns {', '.join(header)}, not {', '.join(names)}"
        )
    for place, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise VerificationFailed(
                f"row {place} of {path} has {len(row)} cells, not {len(names)}"
            )
        if reader is not _read_csv:
            _check_types(row, columns, f"row {place} of {path}")
    return rows


def _read_csv(path: Path) -> tuple[list[str], list[Values]]:
    # With a byte order mark or without.
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = [*csv.reader(file, strict=True)]
    if not rows:
        raise ValueError("it is empty")
    return rows[0], [*rows[1:]]


def _read_json(path: Path) -> tuple[list[str], list[Values]]:
    records = parse_json(path.read_bytes())
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise ValueError("it is no array of objects")
    header = [*records[0]] if records else []
    if any([*record] != header for record in records):
        raise ValueError("its objects have different names")
    return header, [tuple(record.values()) for record in records]


def _check_types(row: Values, columns: Sequence[Column], place: str) -> None:
    """Tell a number that was written as a text, and a text that is none."""
    kinds: dict[Type, tuple[type, ...]] = {Type.INTEGER: (int,), Type.NUMBER: (int, float)}
    for column, value in zip(columns, row, strict=True):
        if type(value) not in kinds.get(column.type, (str,)):
            raise VerificationFailed(f"{place}, {column.name}: {value!r} is no {column.type}")


def _read_parquet(path: Path) -> tuple[list[str], list[Values]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = path.read_bytes()
    try:
        table = pq.read_table(BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(str(error)) from error
    return table.column_names, [tuple(record.values()) for record in table.to_pylist()]


@contextmanager
def complete_files(folder: Path) -> Iterator[Path]:
    """A folder for files that move to `folder` when all of them are complete.

    Raises:
        StorageFailed: the folder cannot be written, or an `OSError` came from within.
    """
    moved = 0
    try:
        made = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        with draft_folder(folder) as draft:
            yield draft
            # The manifest last: it must not speak of files that are still those from before.
            finished = sorted(draft.iterdir(), key=lambda path: path.name == MANIFEST)
            for path in finished:
                _check_place(folder / path.name)
            for path in finished:
                path.replace(folder / path.name)
                moved += 1
            # A folder that was just made is itself a name in another one.
            for place in (folder, *(new.parent for new in made)):
                sync(place)
    except OSError as error:
        state = "what was there before is unchanged"
        if moved:
            files = counted(moved, "new file")
            state = f"{files} took the place of what was there before; run the command again"
        raise StorageFailed(f"{folder} cannot be written: {error.strerror}; {state}") from error


def _check_place(path: Path) -> None:
    # Found while renaming, it would leave some files of this export and some of the one before.
    if path.is_dir() and not path.is_symlink():
        raise IsADirectoryError(errno.EISDIR, f"{path.name} is a folder there")


class _DigestedFile(RawIOBase):
    """A file to write to, and the digest of what was written."""

    def __init__(self, file: BufferedWriter) -> None:
        super().__init__()
        self.digest = hashlib.sha256()
        self._file = file

    def writable(self) -> bool:
        """Say that this is for writing."""
        return True

    def write(self, content: Any) -> int:
        """Write all of the content."""
        self.digest.update(content)
        return self._file.write(content)


@contextmanager
def _synced(path: Path) -> Iterator[_DigestedFile]:
    with open(path, "wb") as file:
        yield _DigestedFile(file)
        file.flush()
        os.fsync(file.fileno())


def resource(sheet: Tabular, file: ExportedFile, format: str) -> dict[str, Any]:
    """A file as the Data Package standard describes it (https://datapackage.org)."""
    schema: dict[str, Any] = {
        "fields": [
            {
                "name": column.name,
                "type": _FIELD_TYPES.get(column.type, column.type.value),
                "description": column.description,
            }
            for column in sheet.columns
        ]
    }
    if sheet.key:
        schema["primaryKey"] = [sheet.key]
    described = {
        "name": sheet.name,
        "path": file.path.name,
        "format": format,
        "mediatype": _MEDIA_TYPES[format],
        "bytes": file.bytes,
        "hash": f"sha256:{file.sha256}",
        "rows": file.rows,
        "schema": schema,
    }
    if file.apostrophes is not None:
        described["spreadsheetSafe"] = {"apostrophes": file.apostrophes}
    return {**described, "encoding": "utf-8"} if format in ("csv", "json") else described
