"""Whatever a user does, and in whatever order: the ledger is what a small model says it is."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger import InputRefused, Ledger, SequenceBroken, WrongUsage
from tests import oracle
from tests.strategies import DeliveredFile, Deliveries, deliveries, write_data_folder


class Deliverer(RuleBasedStateMachine):
    """Delivers files in any order, sound and broken, and projects and exports in between.

    The model is the set of files recorded so far: what follows on it is told by `_may_follow`,
    and the state at any month by the fold over it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.root = Path(self._folder.name)
        self.ledger = Ledger(self.root / "ledger.db")
        self.recorded: list[DeliveredFile] = []
        self.projected: oracle.State | None = None
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
        self.recorded.append(extract)

    @rule(count=st.integers(1, 3))
    def ingest_the_next_months(self, count: int) -> None:
        """In order, as one does every month; a month without any file is passed over."""
        latest = max(self._month(file) for file in self.recorded)
        months = [month for month in self.came.months if month > latest][:count]
        if months:
            self._ingest(months=months, allow_gap=True)
            self.recorded += [file for file in self._new if self._month(file) in months]

    @rule(data=st.data(), late=st.booleans(), allow_gap=st.booleans())
    def ingest_any_new_file(self, data: st.DataObject, late: bool, allow_gap: bool) -> None:
        if not self._new:
            return
        file = data.draw(st.sampled_from(self._new), label="file")
        if self._may_follow(file, late, allow_gap):
            self._ingest(files=[file], late=late, allow_gap=allow_gap)
            self.recorded.append(file)
        else:
            before = self._snapshot()
            with pytest.raises(SequenceBroken):
                self._ingest(files=[file], late=late, allow_gap=allow_gap)
            assert self._snapshot() == before

    @rule(data=st.data())
    def deliver_a_malformed_file(self, data: st.DataObject) -> None:
        if not self._new:
            return
        file = data.draw(st.sampled_from(self._new), label="file")
        before = self._snapshot()
        with pytest.raises(InputRefused):
            self._ingest_bytes(file, file.content() + b"\ncut off in the mid")
        assert self._snapshot() == before

    @rule(data=st.data())
    def deliver_other_bytes_of_a_recorded_file(self, data: st.DataObject) -> None:
        file = data.draw(st.sampled_from(self.recorded), label="file")
        before = self._snapshot()
        with pytest.raises(SequenceBroken, match="other bytes are recorded"):
            self._ingest_bytes(file, file.content() + b"\n\n\n")
        assert self._snapshot() == before

    @rule()
    def ingest_again_what_is_recorded(self) -> None:
        before = self._snapshot()
        self._ingest(files=self.recorded[::-1])
        assert self._snapshot() == before

    @rule(data=st.data())
    def project(self, data: st.DataObject) -> None:
        months = [self._month(file) for file in self.recorded]
        span = [n for n in range(min(months), max(months) + 1) if _is_month(n)]
        as_of = data.draw(st.sampled_from(span), label="as of")
        self.ledger.project(str(as_of))
        self.projected = self._fold(as_of)

    @rule()
    def project_a_month_outside_of_what_is_recorded(self) -> None:
        months = {self._month(file) for file in self.recorded}
        before = self._snapshot()
        for month in (min(months) - 100, max(months) + 100):
            with pytest.raises(WrongUsage):
                self.ledger.project(str(month))
        assert self._snapshot() == before

    @rule()
    def export_and_report(self) -> None:
        before = self._snapshot()
        latest = max(self._month(file) for file in self.recorded)
        expected = self._fold(latest)
        export = self.ledger.export(self.root / "output")
        rows = {file.path.stem.removesuffix("_final"): file.rows for file in export.files}
        assert rows == {name: len(keyed) for name, keyed in expected.tables.items()}
        assert [tuple(row) for row in self.ledger.report().sheet.rows] == expected.report
        assert self._snapshot() == before

    @invariant()
    def the_stored_projection_is_the_fold_over_what_was_recorded_by_then(self) -> None:
        if self.projected is not None:
            with closing(sqlite3.connect(self.ledger.path)) as connection:
                assert oracle.state_of(connection) == self.projected

    @invariant()
    def no_head_changes_and_events_only_grow(self) -> None:
        batches = [entry.batch for entry in self.ledger.log()]
        heads = [batch.head for batch in batches]
        assert heads[: len(self.heads)] == self.heads
        with closing(sqlite3.connect(self.ledger.path)) as connection:
            (events,) = connection.execute("SELECT count(*) FROM events").fetchone()
        assert events == sum(batch.events for batch in batches) >= self.events
        self.heads, self.events = heads, events

    @invariant()
    def exactly_the_accepted_files_are_recorded(self) -> None:
        names = [file.name for entry in self.ledger.log() for file in entry.files]
        assert sorted(names) == sorted(file.name for file in self.recorded)

    @property
    def _new(self) -> list[DeliveredFile]:
        return [file for file in self.came.files if file not in self.recorded]

    def _month(self, file: DeliveredFile) -> int:
        return file.month or self.initial_month

    def _may_follow(self, file: DeliveredFile, late: bool, allow_gap: bool) -> bool:
        """Whether a file that is not recorded may be, by the rules of the design."""
        months = {self._month(other) for other in self.recorded}
        month = self._month(file)
        if month > max(months):
            between = range(max(months) + 1, month)
            return allow_gap or not any(_is_month(number) for number in between)
        return late or month == max(months) or month not in months

    def _ingest(
        self,
        *,
        files: list[DeliveredFile] | None = None,
        months: list[int] | None = None,
        late: bool = False,
        allow_gap: bool = False,
    ) -> None:
        self.ledger.ingest(
            self.root,
            files=[self.root / file.name for file in files or ()],
            months=[str(month) for month in months or ()],
            initial_month=str(self.initial_month),
            late=late,
            allow_gap=allow_gap,
        )

    def _ingest_bytes(self, file: DeliveredFile, content: bytes) -> None:
        path = self.root / "odd" / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        try:
            self.ledger.ingest(
                files=[path], initial_month=str(self.initial_month), late=True, allow_gap=True
            )
        finally:
            path.unlink()

    def _fold(self, as_of: int) -> oracle.State:
        paths = [self.root / file.name for file in self.recorded]
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
    max_examples=50,
    stateful_step_count=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
