"""A lake's folder: made, opened, and known by its marker."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ledger.errors import LedgerDamaged, LedgerError, StorageFailed, WrongUsage
from ledger.extras import needed
from ledger.files.atomic import draft_folder, put
from ledger.lake.layout import MARKER, Layout
from ledger.model.dataset import DataSet
from ledger.model.documents import parse_json

VERSION = 1


def lake_folder(place: str | os.PathLike[str]) -> Path:
    """The folder of a lake or of deliveries, given as a path or a `file:` URI.

    Raises:
        WrongUsage: it is a URI of something else.
    """
    text = str(place)
    parts = urlsplit(text)
    # One letter is a drive of Windows; of two slashes, a path keeps one.
    if len(parts.scheme) <= 1 or not text[len(parts.scheme) :].startswith(":/"):
        return Path(place)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise WrongUsage(
            f"{text}: a folder is named by its path or as file:///…; mount a bucket or HDFS as a "
            "folder that every machine has at the same path"
        )
    return Path(unquote(parts.path))


def open_lake(root: Path, dataset: DataSet) -> Layout:
    """The lake of a folder.

    Raises:
        WrongUsage: there is none, or it is of another data set, or the layout needs a package that
            is not there.
        StorageFailed: it cannot be read, or a newer version made it.
    """
    try:
        text = (root / MARKER).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise WrongUsage(f"there is no lake {root}; make one with: ledger publish {root}") from None
    except (OSError, ValueError) as error:
        raise StorageFailed(f"the lake {root} cannot be read: {error}") from error
    try:
        marker = parse_json(text)
        layout, version, name = marker["layout"], marker["version"], marker["dataset"]
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerDamaged(
            f"{root / MARKER} is not that of a lake: {error}; restore it"
        ) from error
    if version != VERSION or layout not in LAYOUTS:
        raise StorageFailed(f"{root} was made by a newer version of ledger; install that version")
    if name != dataset.name:
        raise WrongUsage(f"{root} is a lake of {name}, not of {dataset.name}; name another")
    return _layout(layout, root, dataset)


def make_lake(root: Path, dataset: DataSet, layout: str | None = None) -> Layout:
    """The lake of a folder, made where there is none.

    Args:
        root: made where it is not there; a folder that holds something else is left alone.
        dataset: whose events it is to hold.
        layout: `parquet` or `delta`; by default that of the lake that is there, or `parquet`.

    Raises:
        WrongUsage: the folder holds something else, or the lake there is of another layout.
        StorageFailed: it cannot be made.
    """
    if layout is not None and layout not in LAYOUTS:
        raise WrongUsage(f"there is no layout {layout!r}; there are {', '.join(LAYOUTS)}")
    made = None
    # Not `Path.exists`, which raises where one may not look.
    if not os.path.exists(root / MARKER):
        made = _layout(layout or "parquet", root, dataset)
        _mark(made)
    there = open_lake(root, dataset)
    if layout not in (None, there.name):
        raise WrongUsage(
            f"{root} is a lake of the layout {there.name}; name another folder for {layout}"
        )
    return there


def discard_if_empty(lake: Layout) -> None:
    """Remove a lake in which nothing was ever recorded, as one just made for a refused file.

    One to which another process writes meanwhile stays.
    """
    with suppress(LedgerError, OSError), lake.writing():
        if not lake.records().batches:
            (lake.root / MARKER).unlink()
            lake.root.rmdir()


def _mark(lake: Layout) -> None:
    marker = {"layout": lake.name, "version": VERSION, "dataset": lake.dataset.name}
    try:
        lake.root.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in lake.root.iterdir()}
        if MARKER not in names and any(not name.startswith(".") for name in names):
            raise WrongUsage(f"{lake.root} holds other files and is no lake; name another folder")
        with draft_folder(lake.root) as folder:
            (folder / MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")
            put(folder / MARKER, lake.root / MARKER)
    except FileExistsError as error:
        # Another process made it meanwhile, or something that is no folder is in the way.
        if not lake.root.is_dir():
            raise StorageFailed(f"{lake.root} is no folder; name another") from error
    except OSError as error:
        raise StorageFailed(f"the lake {lake.root} cannot be made: {error.strerror}") from error


def _layout(name: str, root: Path, dataset: DataSet) -> Layout:
    if name == "delta":
        needed("lake")
        from ledger.lake.delta import DeltaLayout

        return DeltaLayout(root, dataset)
    from ledger.lake.parquet import ParquetLayout

    return ParquetLayout(root, dataset)


LAYOUTS = ("parquet", "delta")
