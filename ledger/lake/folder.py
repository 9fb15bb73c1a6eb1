"""The folder of a lake: made, opened, and recognised by its marker."""

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
        WrongUsage: the URI is not that of a folder.
    """
    text = str(place)
    parts = urlsplit(text)
    # One letter is a drive of Windows; `Path` reduces two slashes to one.
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
        WrongUsage: the folder has no lake, or one of another data set, or the layout needs a
            package that is not installed.
        StorageFailed: the lake cannot be read, or was made by a newer version.
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
            f"{root / MARKER} is not the marker of a lake: {error}; restore it"
        ) from error
    if version != VERSION or layout not in LAYOUTS:
        raise StorageFailed(f"{root} was made by a newer version of ledger; install that version")
    if name != dataset.name:
        raise WrongUsage(f"{root} is a lake of {name}, not of {dataset.name}; name another")
    return _layout(layout, root, dataset)


def make_lake(root: Path, dataset: DataSet, layout: str | None = None) -> Layout:
    """The lake of a folder, made if it does not exist.

    Args:
        root: made if it does not exist; a folder with other files is left alone.
        dataset: whose events the lake is to contain.
        layout: `parquet` or `delta`; by default that of the existing lake, or `parquet`.

    Raises:
        WrongUsage: the folder has other files, or its lake has another layout.
        StorageFailed: the lake cannot be made.
    """
    if layout is not None and layout not in LAYOUTS:
        raise WrongUsage(f"unknown layout {layout!r}; choose one of: {', '.join(LAYOUTS)}")
    made = None
    # Not `Path.exists`, which raises without permission to read the folder.
    if not os.path.exists(root / MARKER):
        made = _layout(layout or "parquet", root, dataset)
        _mark(made)
    lake = open_lake(root, dataset)
    if layout not in (None, lake.name):
        raise WrongUsage(
            f"{root} is a lake of the layout {lake.name}; name another folder for {layout}"
        )
    return lake


def discard_if_empty(lake: Layout) -> None:
    """Remove a lake in which nothing was ever recorded, such as one made for a refused file.

    A lake to which another process writes meanwhile is kept.
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
            raise WrongUsage(f"{lake.root} has other files and is no lake; name another folder")
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
