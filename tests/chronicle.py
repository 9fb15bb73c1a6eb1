"""What came to a ledger, in the order in which it came, and what counts of it at any edition.

Which events count is found here by following the list of arrivals, and their lines by the `csv`
module: no code of the ledger is shared. The state is that of `oracle.fold` over the files that
count.
"""

from __future__ import annotations

import csv
import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ledger import Ledger, MonthIngest
from tests import oracle
from tests.strategies import (
    COLUMNS,
    SEASONS,
    DeliveredFile,
    Deliveries,
    delivered_files,
    deliveries,
    write_data_folder,
)

Place = tuple[str, int]
Rows = dict[str, "Event"]

few_examples = settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass(frozen=True)
class Event:
    """A row of a delivered file.

    Attributes:
        table: of the row.
        month: of the file.
        batch: that recorded the file.
        file: the file's name in a data folder.
        sha256: its digest.
        line: the physical line on which the row begins.
        action: in lower case.
        key: of the row.
        cells: by column, the key too; None where blank.
    """

    table: str
    month: int
    batch: int
    file: str
    sha256: str
    line: int
    action: str
    key: str
    cells: oracle.Cells = field(hash=False)

    @property
    def place(self) -> str:
        """`delta/agents_delta_202502.csv:3`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Arrival:
    """A file that was recorded, or the retraction of one.

    Attributes:
        batch: that recorded it.
        table: of the file.
        month: of the file.
        file: None for a retraction.
    """

    batch: int
    table: str
    month: int
    file: DeliveredFile | None

    @property
    def content(self) -> bytes | None:
        """The bytes of the file."""
        return self.file.content() if self.file else None

    @cached_property
    def events(self) -> list[Event]:
        """The rows of the file, in order."""
        if self.file is None:
            return []
        content = self.file.content()
        sha256 = hashlib.sha256(content).hexdigest()
        found = []
        for line, cells in read_lines(content):
            action = (cells.pop("action", None) or "add").lower()
            key = cells[oracle.KEYS[self.table]] or ""
            where = (self.table, self.month, self.batch, self.file.name, sha256)
            found.append(Event(*where, line, action, key, cells))
        return found


@dataclass(frozen=True)
class Plan:
    """What is to come.

    Attributes:
        first: recorded at once.
        then: one by one afterwards: a file, which may be late, fill a gap or correct another; or a
            table and month to be retracted, where a file of it is in force.
    """

    first: Deliveries
    then: tuple[DeliveredFile | Place, ...]


class Chronicle:
    """A ledger with all that came to it.

    Attributes:
        ledger: to be read.
        folder: all that was delivered lies in it.
        initial_month: of the extract.
        arrivals: in the order in which they were recorded.
    """

    def __init__(self, folder: Path, initial_month: int = 202501) -> None:
        """Begin with an empty ledger."""
        self.folder = folder
        self.ledger = Ledger(folder / "ledger.db")
        self.initial_month = initial_month
        self.arrivals: list[Arrival] = []

    @property
    def batches(self) -> int:
        """How many were recorded."""
        return max((arrival.batch for arrival in self.arrivals), default=0)

    def deliver(self, *files: DeliveredFile, **options: Any) -> list[MonthIngest]:
        """Record files, months in order; those that are recorded already are passed over."""
        done = self.ingest(self.ledger, *files, **options)
        for month in sorted({self._month(file) for file in files}):
            counting, batch = self.in_force(self.batches), self.batches + 1
            for table in COLUMNS:
                for file in files:
                    if (file.table, self._month(file)) == (table, month):
                        before = counting.get((table, month))
                        if before is None or before.content != file.content():
                            self.arrivals.append(Arrival(batch, table, month, file))
        return done

    def ingest(self, ledger: Ledger, *files: DeliveredFile, **options: Any) -> list[MonthIngest]:
        """Record files in a ledger with every permission."""
        data = Path(tempfile.mkdtemp(dir=self.folder, prefix="delivery-"))
        paths = write_data_folder(data, files)
        options = {"late": True, "allow_gap": True, "correct": "it was wrong", **options}
        return ledger.ingest(files=paths, initial_month=str(self.initial_month), **options)

    def retract(self, table: str, month: int) -> None:
        """Take a file out of force."""
        self.ledger.retract(table, str(month), "it was not meant for us")
        self.arrivals.append(Arrival(self.batches + 1, table, month, None))

    def in_force(self, batch: int) -> dict[Place, Arrival]:
        """The files that count, as known after a batch."""
        last = {(a.table, a.month): a for a in self.arrivals if a.batch <= batch}
        return {place: arrival for place, arrival in last.items() if arrival.file}

    def successor(self, event: Event, batch: int) -> Arrival | None:
        """What took an event out of force, as known after a batch."""
        later = [
            arrival
            for arrival in self.arrivals
            if (arrival.table, arrival.month) == (event.table, event.month)
            and event.batch < arrival.batch <= batch
        ]
        return later[0] if later else None

    def events(self, table: str, as_of: int, batch: int) -> list[Event]:
        """All events of a table up to a month that were known after a batch, in replay order."""
        found = [
            event
            for arrival in self.arrivals
            if arrival.table == table and arrival.month <= as_of and arrival.batch <= batch
            for event in arrival.events
        ]
        return sorted(found, key=lambda event: (event.month, event.batch, event.line))

    def counting(self, table: str, as_of: int, batch: int) -> list[Event]:
        """Those of them that count."""
        return [e for e in self.events(table, as_of, batch) if not self.successor(e, batch)]

    def last(self, table: str, as_of: int, batch: int) -> Rows:
        """By key the last event that counts, deletes too."""
        return {event.key: event for event in self.counting(table, as_of, batch)}

    def standing(self, table: str, as_of: int, batch: int) -> Rows:
        """By key the event that gave the row."""
        last = self.last(table, as_of, batch)
        return {key: event for key, event in last.items() if event.action != "delete"}

    def state(self, as_of: int, batch: int) -> oracle.State:
        """The projected state, by the fold over the files that count."""
        with tempfile.TemporaryDirectory() as folder:
            files = [a.file for a in self.in_force(batch).values() if a.file]
            return oracle.fold(write_data_folder(Path(folder), files), self.initial_month, as_of)

    def editions(self) -> list[tuple[int, int]]:
        """Every month and batch of which one can ask; of months in gaps too."""
        found = []
        for batch in range(1, self.batches + 1):
            months = [month for _, month in self.in_force(batch)]
            if months:
                every = range(min(months), max(months) + 1)
                found += [(month, batch) for month in every if 1 <= month % 100 <= 12]
        return found

    def _month(self, file: DeliveredFile) -> int:
        return file.month or self.initial_month


def read_lines(content: bytes) -> Iterator[tuple[int, oracle.Cells]]:
    """The rows of a CSV file by column, trimmed, each with the line on which it begins."""
    reader = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
    header = next(reader)
    line = reader.line_num + 1
    for record in reader:
        if record:
            cells = [cell.strip(" \t") or None for cell in record]
            yield line, dict(zip(header, cells, strict=True))
        line = reader.line_num + 1


def carry_out(plan: Plan, chronicle: Chronicle) -> Iterator[list[MonthIngest]]:
    """Take the steps of a plan, and yield after each what was recorded by it."""
    yield chronicle.deliver(*plan.first.files)
    for step in plan.then:
        if isinstance(step, DeliveredFile):
            yield chronicle.deliver(step)
        elif step in chronicle.in_force(chronicle.batches):
            chronicle.retract(*step)
            yield []
        assert len(chronicle.ledger.log()) == chronicle.batches


@contextmanager
def beginning(plan: Plan) -> Iterator[Chronicle]:
    """The empty ledger of a plan, in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Chronicle(Path(folder), plan.first.initial_month)


@contextmanager
def chronicle_of(plan: Plan) -> Iterator[Chronicle]:
    """Carry out a plan in a folder that is removed afterwards."""
    with beginning(plan) as chronicle:
        for _ in carry_out(plan, chronicle):
            pass
        yield chronicle


@st.composite
def plans(draw: st.DrawFn, most: int = 4) -> Plan:
    """Deliveries, then late files, corrections and retractions."""
    first = draw(deliveries())
    months = next(season for season in SEASONS if season[0] == first.initial_month)
    # Mostly of files that are there, so that they are corrected more than once.
    there = [(file.table, file.month or first.initial_month) for file in first.files]
    places = st.one_of(
        st.sampled_from(there), st.tuples(st.sampled_from([*COLUMNS]), st.sampled_from(months))
    )
    then: list[DeliveredFile | Place] = []
    for _ in range(draw(st.integers(0, most))):
        table, month = draw(places)
        if draw(st.integers(0, 3)):
            of_delta = None if month == first.initial_month else month
            then.append(draw(delivered_files(table, of_delta)))
        else:
            then.append((table, month))
    return Plan(first, tuple(then))
