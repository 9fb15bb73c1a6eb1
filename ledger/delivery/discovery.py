"""Finds the delivered files of a data folder, and opens them.

A data folder holds `initial/<table>.csv` and `delta/<table>_delta_<YYYYMM>.csv`. Hidden files and
files of other suffixes are left alone; a CSV file whose name fits no table is a problem, since to
pass it over would lose data.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ledger.errors import InputRefused, Problem, Problems, WrongUsage
from ledger.model.dataset import DataSet, Kind, Table
from ledger.model.periods import Month

CHUNK = 256 * 1024
# Without O_NONBLOCK, opening a FIFO would wait until another process writes to it.
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_DELTA = re.compile(r"(.+)_delta_(\d{6})\.csv", re.ASCII)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivered file, found and not yet read.

    Attributes:
        path: where it is.
        table: whose rows it holds.
        kind: initial extract or delta.
        month: of a delta, the one in its name; of an initial extract, None until it is known.
    """

    path: Path
    table: Table
    kind: Kind
    month: Month | None

    @property
    def name(self) -> str:
        """Its name in a data folder, `delta/agents_delta_202502.csv`: the same on any machine."""
        return f"{self.kind}/{self.path.name}"

    @property
    def size(self) -> int:
        """How many bytes it has; 0 where that is unknown, which reading it reports."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0


@dataclass(slots=True)
class OpenDelivery:
    """A file being read: once, from start to end.

    Attributes:
        size: the bytes read so far.
    """

    path: Path
    size: int = 0
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def chunks(self) -> Iterator[bytes]:
        """Yield the file's bytes; what is hashed is what is yielded.

        Raises:
            InputRefused: it is no regular file, or cannot be read.
        """
        try:
            handle = os.open(self.path, _OPEN_FLAGS)
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                raise _refused(self.path, "not-a-file", "this is not a regular file")
            with open(handle, "rb", buffering=0) as file:
                while chunk := file.read(CHUNK):
                    self._hash.update(chunk)
                    self.size += len(chunk)
                    yield chunk
        except OSError as error:
            raise _unreadable(self.path, "file", error) from error

    @property
    def sha256(self) -> str:
        """The digest of the bytes read so far, 64 hexadecimal digits."""
        return self._hash.hexdigest()


def digest_of(path: Path, size: int | None = None) -> str:
    """Read a file, or its first `size` bytes, and give the SHA-256.

    Raises:
        InputRefused: it is no regular file, or cannot be read.
    """
    digest, remaining = hashlib.sha256(), size
    for chunk in OpenDelivery(path).chunks():
        digest.update(chunk[:remaining])
        if remaining is not None:
            remaining -= min(remaining, len(chunk))
    return digest.hexdigest()


def find_deliveries(folder: Path, dataset: DataSet) -> list[Delivery]:
    """List the files of a data folder, in the order in which they are recorded.

    Raises:
        WrongUsage: the folder does not exist, or nothing in it can be ingested.
        InputRefused: a CSV file in it has a name that fits no table, or the other folder; or it
            cannot be read.
    """
    if not _is_folder(folder):
        raise WrongUsage(f"there is no folder {folder}; name the data folder with --data-dir")
    paths = [path for kind in Kind for path in _csv_files(folder / kind)]
    if not paths:
        raise WrongUsage(
            f"no CSV files in {folder / 'initial'} or {folder / 'delta'}; "
            "name the data folder with --data-dir"
        )
    return _in_order([_read_placed_name(path, dataset) for path in paths], dataset)


def read_names(paths: Sequence[Path], dataset: DataSet) -> list[Delivery]:
    """Find out from their names what files deliver, in the order in which they are recorded.

    Raises:
        InputRefused: a name fits no table; or two files are of the same table and month.
    """
    return _in_order([_read_name(path, dataset) for path in paths], dataset)


def delivered_files(folder: Path, dataset: DataSet) -> Iterator[Delivery]:
    """Yield every file in and below a folder that has the name of a delivery.

    Raises:
        InputRefused: a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise _unreadable(Path(error.filename), "folder", error)

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        for name in sorted(names):
            delivery = _read_name(Path(parent, name), dataset)
            if isinstance(delivery, Delivery):
                yield delivery


def earliest_delta(deliveries: Sequence[Delivery], dataset: DataSet) -> Month | None:
    """The month of the earliest delta among files and in the data folders that they lie in.

    Args:
        deliveries: the files; of one in an `initial` or `delta` folder, those beside it count too.
        dataset: the tables whose names count.
    """
    months = [delivery.month for delivery in deliveries if delivery.month]
    parents = {delivery.path.absolute().parent for delivery in deliveries}
    for folder in {parent.parent for parent in parents if parent.name in set(Kind)}:
        for path in _csv_files(folder / Kind.DELTA):
            beside = _read_name(path, dataset)
            if isinstance(beside, Delivery) and beside.month:
                months.append(beside.month)
    return min(months, default=None)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise _unreadable(path, "folder", error) from error


def _csv_files(folder: Path) -> list[Path]:
    if not _is_folder(folder):
        return []
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise _unreadable(folder, "folder", error) from error
    return [p for p in paths if p.suffix.lower() == ".csv" and not p.name.startswith(".")]


def _in_order(found: Sequence[Delivery | Problem], dataset: DataSet) -> list[Delivery]:
    """Put deliveries into the order in which they are recorded, each once.

    Raises:
        InputRefused: one is a problem; or two files are of the same table and month.
    """
    problems = Problems()
    chosen: dict[tuple[Kind, Month | None, str], Delivery] = {}
    for delivery in found:
        if isinstance(delivery, Problem):
            problems.add(delivery)
            continue
        path = delivery.path
        same = chosen.setdefault((delivery.kind, delivery.month, delivery.table.name), delivery)
        # Path.resolve() would fail on links that lead to themselves.
        if os.path.realpath(same.path) != os.path.realpath(path):
            message = f"delivers the same table and month as {same.path}"
            problems.add(Problem(str(path), "same-delivery", message))
    if problems:
        raise InputRefused(problems)
    return sorted(chosen.values(), key=lambda d: (d.month or Month(0), dataset.place(d.table.name)))


def _read_placed_name(path: Path, dataset: DataSet) -> Delivery | Problem:
    """Read a name as `_read_name` does, and check it against the folder in which the file lies."""
    delivery = _read_name(path, dataset)
    if isinstance(delivery, Delivery) and delivery.kind != path.parent.name:
        message = f"a file of this name belongs in the folder {delivery.kind}"
        return Problem(str(path), "unknown-file", message)
    return delivery


def _read_name(path: Path, dataset: DataSet) -> Delivery | Problem:
    if path.suffix.lower() != ".csv" and os.path.isdir(path):
        message = "this is a folder; name a data folder with --data-dir"
        return Problem(str(path), "not-a-file", message)
    tables = {table.name: table for table in dataset.tables}
    match = _DELTA.fullmatch(path.name)
    if match and match[1] in tables:
        try:
            return Delivery(path, tables[match[1]], Kind.DELTA, Month.parse(match[2]))
        except WrongUsage as error:
            return Problem(str(path), "unknown-file", str(error))
    if path.name.removesuffix(".csv") in tables and path.name.endswith(".csv"):
        return Delivery(path, tables[path.stem], Kind.INITIAL, None)
    # Any digits are as near as any others.
    written = re.sub(r"\d", "0", path.name.lower())
    names = [f"{name}{end}" for name in tables for end in (".csv", "_delta_000000.csv")]
    nearest = difflib.get_close_matches(written, names, n=1, cutoff=0)[0]
    shown = nearest.replace("_000000.csv", "_YYYYMM.csv")
    message = f"the name fits no table; the nearest is {shown}"
    return Problem(str(path), "unknown-file", message)


def _unreadable(path: Path, what: str, error: OSError) -> InputRefused:
    return _refused(path, f"unreadable-{what}", f"the {what} cannot be read: {error.strerror}")


def _refused(path: Path, code: str, message: str) -> InputRefused:
    problems = Problems()
    problems.add(Problem(str(path), code, message))
    return InputRefused(problems)
