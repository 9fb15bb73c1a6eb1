"""The formats of files, and the options that each of them has."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.errors import WrongUsage
from ledger.extras import needed

WORKBOOK = "xlsx"
PAGE = "html"


@dataclass(frozen=True, slots=True)
class FileOptions:
    """The options of the files that tables are written to.

    Attributes:
        format: a name of `FORMATS`, or `html` for a page.
        spreadsheet_safe: whether an apostrophe is put before each text that a spreadsheet would
            run as a formula; see `ledger.outputs.csv.SafeRows`.
        bom: whether each file begins with a byte order mark, by which Excel recognises UTF-8.
        dry_run: whether the files are written to a folder that is deleted.
    """

    format: str = "csv"
    spreadsheet_safe: bool = False
    bom: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """A format of files.

    Attributes:
        media_type: as registered.
        encoding: of a format that is text; None for a binary one.
        for_spreadsheets: whether it has the options `spreadsheet_safe` and `bom`.
        extra: the optional packages that it needs, a name of `ledger.extras`; None for none.
    """

    media_type: str
    encoding: str | None = None
    for_spreadsheets: bool = False
    extra: str | None = None


FORMATS = {
    "csv": Format("text/csv", "utf-8", for_spreadsheets=True),
    "json": Format("application/json", "utf-8"),
    "parquet": Format("application/vnd.apache.parquet"),
    WORKBOOK: Format(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", extra="excel"
    ),
}
"""The formats of tables, by the suffix of their files. A workbook has all tables in one file."""

_PAGE = Format("text/html", "utf-8", extra="page")


def check_format(options: FileOptions, *, page: bool = False) -> None:
    """Refuse options that no file can have, before anything is read or written.

    Args:
        options: of the files to be written.
        page: whether they can be a page.

    Raises:
        WrongUsage: the format does not exist, needs a package that is not installed, or does not
            have one of the options.
    """
    name = options.format
    formats = {**FORMATS, PAGE: _PAGE} if page else FORMATS
    format = formats.get(name)
    if format is None:
        raise WrongUsage(f"unknown format {name!r}; choose one of: {', '.join(formats)}")
    if options.spreadsheet_safe and not format.for_spreadsheets:
        why = ", where no text is run as a formula" if name == WORKBOOK else ""
        raise WrongUsage(f"texts are made safe for spreadsheets in csv alone, not in {name}{why}")
    if options.bom and not format.for_spreadsheets:
        raise WrongUsage(f"a byte order mark is for csv alone, not for {name}")
    if format.extra:
        needed(format.extra)
