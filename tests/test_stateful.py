"""Whatever a user does, and in whatever order: the ledger is what a small model says it is."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger import InputRefused, Ledger, SequenceBroken, WrongUsage
from tests import oracle
from tests.strategies import (
    DeliveredFile,
    Deliveries,
    delivered_files,
    deliveries,
    write_data_folder,
)

Place = tuple[str, int]
Edition = tuple[int, int]
Exported = dict[str, bytes]
WHY = "it was wrong"


class Deliverer(RuleBasedStateMachine):
    """Delivers files in any order, sound and broken, corrects, retracts, and asks in between.

    The model is a chain for each table and month: the files recorded for it, each with its batch,
    and None where one was retracted. The last link that was known then counts; whether a file may
    follow is told by `_may_follow`; and the state of an edition is the fold over what counts.
    """

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.root = Path(self._folder.name)
        self.ledger = Ledger(self.root / "ledger.db")
        self.chains: dict[Place, list[tuple[int, DeliveredFile | None]]] = {}
        self.batches = 0
        self.tags: dict[str, Edition] = {}
        self.projected: Edition | None = None
        self.exported: dict[Edition, Exported] = {}
        self.heads: list[str] = []
        self.events = 0

    def teardown(self) -> None:
        self._folder.cleanup()

    @initialize(came=deliveries())
    def the_inbox_fills(self, came: Deliveries) -> None:
        self.came = came
        self.initial_month = came.initial_month
        write_data_folder(self.root, came.files)
        extract, *others = came.files
        for file in others:
            if file.month is not None:
                with pytest.raises(SequenceBroken):
                    self._ingest(files=[file])
        assert not self.ledger.path.exists()
        self._ingest(files=[extract])
        self._recorded([extract])

    @rule(count=st.integers(1, 3))
    def ingest_the_next_months(self, count: int) -> None:
        """In order, as one does every month; a month without any file is passed over."""
        latest = max((month for _, month in self._in_force()), default=0)
        months = [month for month in self.came.months if month > latest][:count]
        files = [file for file in self.came.files if self._month(file) in months]
        if files and all(self._place(file) not in self.chains for file in files):
            self._ingest(months=months, allow_gap=True)
            for month in months:
                self._recorded([file for file in files if self._month(file) == month])

    @rule(data=st.data(), late=st.booleans(), allow_gap=st.booleans(), correct=st.booleans())
    def deliver_any_file(
        self, data: st.DataObject, late: bool, allow_gap: bool, correct: bool
    ) -> None:
        """One of the inbox, or another one in its place, or one that was recorded before."""
        file = data.draw(st.sampled_from(self.came.files), label="file")
        before = [old for _, old in self.chains.get(self._place(file), ()) if old]
        another = delivered_files(file.table, file.month)
        file = data.draw(st.one_of(st.just(file), another, *map(st.just, before)), label="version")
        options = {"late": late, "allow_gap": allow_gap, "correct": WHY if correct else None}
        snapshot = self._snapshot()
        if self._standing(file) == file.content():
            self._ingest_bytes(file, file.content(), **options)
        elif self._may_follow(file, late, allow_gap, correct):
            self._ingest_bytes(file, file.content(), **options)
            self._recorded([file])
            return
        else:
            with pytest.raises(SequenceBroken):
                self._ingest_bytes(file, file.content(), **options)
        assert self._snapshot() == snapshot

    @rule(data=st.data(), correct=st.booleans())
    def deliver_a_malformed_file(self, data: st.DataObject, correct: bool) -> None:
        file = data.draw(st.sampled_from(self.came.files), label="file")
        before = self._snapshot()
        with pytest.raises(InputRefused):
            self._ingest_bytes(
                file,
                file.content() + b"\ncut off in the mid",
                late=True,
                allow_gap=True,
                correct=WHY if correct else None,
            )
        assert self._snapshot() == before

    @rule()
    def ingest_again_what_counts(self) -> None:
        before = self._snapshot()
        for file in reversed(self._in_force().values()):
            self._ingest_bytes(file, file.content())
        assert self._snapshot() == before

    @rule(data=st.data())
    def retract(self, data: st.DataObject) -> None:
        files = [*self._in_force().values()]
        # Mostly one that leaves others: much is to be said of a ledger only where there are some.
        if len(files) > 1 or (files and data.draw(st.integers(0, 5), label="even the last") == 0):
            file = data.draw(st.sampled_from(files), label="file")
            self.ledger.retract(file.table, str(self._month(file)), WHY)
            self.batches += 1
            self.chains[self._place(file)].append((self.batches, None))

    @rule(data=st.data())
    def retract_what_does_not_count(self, data: st.DataObject) -> None:
        file = data.draw(st.sampled_from(self.came.files), label="file")
        if self._standing(file) is None:
            before = self._snapshot()
            with pytest.raises(WrongUsage):
                self.ledger.retract(file.table, str(self._month(file)), WHY)
            assert self._snapshot() == before

    @rule(data=st.data(), name=st.sampled_from(("signed", "sent", "Q1.final")))
    def tag(self, data: st.DataObject, name: str) -> None:
        edition = self._draw_edition(data)
        if edition is None:
            return
        as_of, batch = edition
        if self.tags.get(name, edition) == edition:
            self.ledger.tag(name, as_of=str(as_of), known_at=batch)
            self.tags[name] = edition
        else:
            with pytest.raises(WrongUsage):
                self.ledger.tag(name, as_of=str(as_of), known_at=batch)

    @rule(data=st.data())
    def project(self, data: st.DataObject) -> None:
        edition = self._draw_edition(data)
        if edition:
            as_of, batch = edition
            last = batch == self.batches and data.draw(st.booleans(), label="by default")
            self.ledger.project(str(as_of), known_at=None if last else batch)
            self.projected = edition

    @rule(data=st.data())
    def project_a_month_outside_of_what_was_recorded_then(self, data: st.DataObject) -> None:
        batch = data.draw(st.integers(1, self.batches), label="batch")
        months = self._span(batch) or [self.initial_month]
        before = self._snapshot()
        for month in (months[0] - 100, months[-1] + 100):
            with pytest.raises(WrongUsage):
                self.ledger.project(str(month), known_at=batch)
        assert self._snapshot() == before

    @rule(data=st.data())
    def export_and_report(self, data: st.DataObject) -> None:
        """Of any edition: what it says is the fold, and what it said of it before."""
        edition = self._draw_edition(data)
        if edition is None:
            return
        before = self._snapshot()
        as_of, batch = edition
        names = [name for name, tagged in self.tags.items() if tagged == edition]
        asked: dict[str, Any] = {"as_of": str(as_of), "known_at": batch}
        if names:
            asked = {"known_at": data.draw(st.sampled_from(names), label="tag")}
        expected = self._fold(*edition)
        export = self.ledger.at(**asked).export(self.root / "output")
        assert (export.edition.as_of.number, export.edition.batch) == edition
        rows = {file.path.stem.removesuffix("_final"): file.rows for file in export.files}
        assert rows == {name: len(keyed) for name, keyed in expected.tables.items()}
        assert [astuple(row) for row in self.ledger.at(**asked).report().rows] == expected.report
        written = {path.name: path.read_bytes() for path in (self.root / "output").iterdir()}
        assert written == self.exported.setdefault(edition, written)
        assert self._snapshot() == before

    @invariant()
    def the_stored_projection_is_the_fold_over_what_counted_in_its_edition(self) -> None:
        if self.projected is not None:
            with closing(sqlite3.connect(self.ledger.path)) as connection:
                assert oracle.state_of(connection) == self._fold(*self.projected)

    @invariant()
    def no_head_changes_and_events_only_grow(self) -> None:
        batches = [entry.batch for entry in self.ledger.log()]
        heads = [batch.head for batch in batches]
        assert heads[: len(self.heads)] == self.heads
        assert len(set(heads)) == len(heads) == self.batches
        with closing(sqlite3.connect(self.ledger.path)) as connection:
            (events,) = connection.execute("SELECT count(*) FROM events").fetchone()
        assert events == sum(batch.events for batch in batches) >= self.events
        self.heads, self.events = heads, events

    @invariant()
    def exactly_what_was_accepted_is_recorded_and_chained(self) -> None:
        files = [file for entry in self.ledger.log() for file in entry.files]
        chains: dict[Place, list[tuple[int, int | None]]] = {}
        last: dict[Place, int] = {}
        for file in files:
            place = file.table_name, file.month.number
            bytes_ = None if file.kind == "retraction" else file.bytes
            chains.setdefault(place, []).append((file.batch, bytes_))
            assert file.supersedes == last.get(place)
            last[place] = file.file
        assert chains == {
            place: [(batch, file and len(file.content())) for batch, file in chain]
            for place, chain in self.chains.items()
        }

    @invariant()
    def every_tag_is_where_it_was(self) -> None:
        tags = {tag.name: (tag.as_of.number, tag.batch) for tag in self.ledger.tags()}
        assert tags == self.tags

    def _place(self, file: DeliveredFile) -> Place:
        return file.table, self._month(file)

    def _month(self, file: DeliveredFile) -> int:
        return file.month or self.initial_month

    def _recorded(self, files: list[DeliveredFile]) -> None:
        """Add what was recorded as a batch to the model."""
        self.batches += 1
        for file in files:
            self.chains.setdefault(self._place(file), []).append((self.batches, file))

    def _in_force(self, batch: int | None = None) -> dict[Place, DeliveredFile]:
        """What counts, as known after a batch."""
        counting = {}
        for place, chain in self.chains.items():
            known = [file for number, file in chain if number <= (batch or self.batches)]
            if known and known[-1]:
                counting[place] = known[-1]
        return counting

    def _standing(self, file: DeliveredFile) -> bytes | None:
        """The bytes that count in the place of a file."""
        counting = self._in_force().get(self._place(file))
        return counting.content() if counting else None

    def _may_follow(self, file: DeliveredFile, late: bool, allow_gap: bool, correct: bool) -> bool:
        """Whether a file that does not count may be recorded, by the rules of the design."""
        before = [old.content() for _, old in self.chains.get(self._place(file), ()) if old]
        if self._standing(file) is not None or file.content() in before:
            return correct
        months = {month for _, month in self._in_force()}
        month = self._month(file)
        if months and month > max(months):
            between = range(max(months) + 1, month)
            return allow_gap or not any(_is_month(number) for number in between)
        return late or not months or month == max(months) or month not in months

    def _span(self, batch: int) -> list[int]:
        """The months of which one can ask, as known after a batch."""
        months = [month for _, month in self._in_force(batch)]
        return [n for n in range(min(months), max(months) + 1) if _is_month(n)] if months else []

    def _draw_edition(self, data: st.DataObject) -> Edition | None:
        batch = data.draw(
            st.one_of(st.just(self.batches), st.integers(1, self.batches)), label="batch"
        )
        months = self._span(batch)
        return (data.draw(st.sampled_from(months), label="as of"), batch) if months else None

    def _ingest(
        self,
        *,
        files: list[DeliveredFile] | None = None,
        months: list[int] | None = None,
        allow_gap: bool = False,
    ) -> None:
        self.ledger.ingest(
            self.root,
            files=[self.root / file.name for file in files or ()],
            months=[str(month) for month in months or ()],
            initial_month=str(self.initial_month),
            allow_gap=allow_gap,
        )

    def _ingest_bytes(self, file: DeliveredFile, content: bytes, **options: Any) -> None:
        path = self.root / "odd" / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        try:
            self.ledger.ingest(files=[path], initial_month=str(self.initial_month), **options)
        finally:
            path.unlink()

    def _fold(self, as_of: int, batch: int) -> oracle.State:
        with tempfile.TemporaryDirectory() as folder:
            paths = write_data_folder(Path(folder), self._in_force(batch).values())
            return oracle.fold(paths, self.initial_month, as_of)

    def _snapshot(self) -> str:
        """All that the ledger holds, recorded and projected."""
        with closing(sqlite3.connect(self.ledger.path)) as connection:
            tables = (*oracle.RECORDED, "projection_of", *oracle.PROJECTED)
            return oracle.dump(connection, tables)


def _is_month(number: int) -> bool:
    return 1 <= number % 100 <= 12


TestDeliverer = Deliverer.TestCase
TestDeliverer.settings = settings(
    deadline=None,
    max_examples=40,
    stateful_step_count=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
