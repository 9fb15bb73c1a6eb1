"""Records deliveries, month by month: what may follow on what, and how a month becomes a batch.

A month's files are recorded in one transaction: all of them, or none and every problem told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from ledger.dataset import DataSet, Kind, Table
from ledger.deliveries import Delivery, OpenDelivery, digest_of, earliest_delta
from ledger.digest import BatchContents, FileContents, MerkleTree, leaf
from ledger.errors import InputRefused, Problem, Problems, SequenceBroken, WrongUsage
from ledger.findings import Finding, file_findings
from ledger.months import Month, clock_rows, spans
from ledger.readings import CellReader
from ledger.rows import Row, read_rows
from ledger.store import Batch, File, Store

FINDINGS_KEPT = 100
READINGS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class FileIngest:
    """What became of one delivered file.

    Attributes:
        file: its record in the ledger.
        recorded: whether it was recorded just now; else it was there already.
        actions: how many events of each action it gave; empty where it was there already.
    """

    file: File
    recorded: bool
    actions: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class MonthIngest:
    """What became of the files of one month.

    Attributes:
        month: the month.
        files: in the order of the data set's tables.
        batch: the batch that was recorded; None where every file was there already.
        findings: how many findings of each code the new files gave.
        first_findings: the first hundred of them.
        restates: the recorded months after this one, which new events of it restate.
        missing_months: the months before it that are missing, passed over on request.
    """

    month: Month
    files: tuple[FileIngest, ...]
    batch: Batch | None = None
    findings: Counter[str] = field(default_factory=Counter)
    first_findings: tuple[Finding, ...] = ()
    restates: tuple[Month, ...] = ()
    missing_months: tuple[Month, ...] = ()


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the user allows of a sequence.

    Attributes:
        allow_gap: a month before the delivered one may be missing.
        late: a file may belong to a month before the latest recorded one.
    """

    allow_gap: bool = False
    late: bool = False


def ingest_months(
    store: Store, dataset: DataSet, deliveries: Sequence[Delivery], allowed: Permissions
) -> Iterator[MonthIngest]:
    """Record what is new among deliveries, and yield each month when it is done.

    Args:
        store: open for writing.
        dataset: the tables.
        deliveries: each with its month; see `with_months`.
        allowed: what the user allows.

    Raises:
        InputRefused: files of a month are malformed; nothing of it was recorded, the months
            yielded before stay.
        SequenceBroken: a file does not follow on what is recorded; likewise.
    """
    places = {table.name: place for place, table in enumerate(dataset.tables)}
    in_order = sorted(deliveries, key=lambda d: (_month(d), places[d.table.name]))
    for month, group in groupby(in_order, key=_month):
        files = list(group)
        recorded = in_force(store.files())
        if all(_stands_in(recorded, d) for d in files):
            yield MonthIngest(month, _already(files, recorded))
            continue
        with store.transaction():
            result = _ingest_month(store, dataset, month, files, allowed)
        yield result


def with_months(
    store: Store,
    dataset: DataSet,
    deliveries: Sequence[Delivery],
    initial_month: Month | None,
    months: Collection[Month],
) -> list[Delivery]:
    """Give the initial extract its month, and leave out the months not asked for.

    The extract is of the month before the earliest delta in its folder, unless one is recorded
    already or the user names another.

    Args:
        store: what is recorded.
        dataset: the tables.
        deliveries: all that was found.
        initial_month: the user's word on the extract's month, or None.
        months: those asked for; none for all.

    Raises:
        WrongUsage: the extract's month cannot be told; or a month asked for has no file.
        SequenceBroken: the month named is not the one that is recorded, or is not before the
            earliest delta.
    """
    recorded = _initial_month(store.files())
    earliest = earliest_delta(deliveries, dataset)
    if initial_month and recorded and initial_month != recorded:
        raise SequenceBroken(f"the initial extract is recorded as of {recorded}; that is fixed")
    if initial_month and earliest and initial_month >= earliest:
        raise SequenceBroken(
            f"the initial extract must be of a month before the earliest delta, {earliest}"
        )
    known = recorded or initial_month or (earliest.previous if earliest else None)
    if known is None and any(d.kind is Kind.INITIAL for d in deliveries):
        raise WrongUsage(
            "there is no delta to tell the month of the initial extract; "
            "name the month at whose end it was made with --initial-month YYYYMM"
        )
    dated = [replace(d, month=d.month or known) for d in deliveries]
    absent = set(months) - {_month(d) for d in dated}
    if absent:
        raise WrongUsage(f"no file is delivered for {', '.join(map(str, sorted(absent)))}")
    with_extract = recorded is None
    return [
        d
        for d in dated
        if not months or d.month in months or (with_extract and d.kind is Kind.INITIAL)
    ]


def in_force(files: Iterable[File]) -> dict[tuple[str, Month], File]:
    """The one file that counts for each table and month."""
    known = list(files)
    superseded = {file.supersedes for file in known}
    return {
        (file.table_name, file.month): file
        for file in known
        if file.file not in superseded and file.kind in set(Kind)
    }


def _month(delivery: Delivery) -> Month:
    if delivery.month is None:
        raise ValueError(f"{delivery.path} has no month")
    return delivery.month


def _stands_in(recorded: dict[tuple[str, Month], File], delivery: Delivery) -> bool:
    """Whether a file of the delivery's kind, table and month is recorded, with any bytes."""
    file = recorded.get((delivery.table.name, _month(delivery)))
    return file is not None and file.kind == delivery.kind


def _initial_month(files: Iterable[File]) -> Month | None:
    return next((file.month for file in files if file.kind == Kind.INITIAL), None)


def _already(
    deliveries: Iterable[Delivery], recorded: dict[tuple[str, Month], File]
) -> tuple[FileIngest, ...]:
    """Hold files to those recorded for the same table and month.

    Raises:
        SequenceBroken: one has other bytes.
    """
    results = []
    for delivery in deliveries:
        file = recorded[delivery.table.name, _month(delivery)]
        digest = digest_of(delivery.path)
        if digest != file.sha256:
            raise SequenceBroken(
                f"{delivery.path}: other bytes are recorded for {file.table_name} {file.month} "
                f"in batch {file.batch}\n"
                f"  recorded   SHA-256 {file.sha256}, {file.rows} rows\n"
                f"  delivered  SHA-256 {digest}\n"
                "What is recorded never changes: put the difference into the next month's delta"
            )
        results.append(FileIngest(file, recorded=False))
    return tuple(results)


def _ingest_month(
    store: Store,
    dataset: DataSet,
    month: Month,
    deliveries: Sequence[Delivery],
    allowed: Permissions,
) -> MonthIngest:
    """Record the new files of a month; to be called within a transaction."""
    files = store.files()
    recorded = in_force(files)
    old = [d for d in deliveries if _stands_in(recorded, d)]
    new = [d for d in deliveries if not _stands_in(recorded, d)]
    already = _already(old, recorded)
    if not new:
        return MonthIngest(month, already)
    months = {file.month for file in files}
    missing, restates = _place_in_sequence(months, _initial_month(files), month, new, allowed)
    recorder = _Recorder(store, dataset, month)
    results = recorder.record(new, gap=bool(missing), late=bool(restates))
    findings: Counter[str] = Counter()
    first: list[Finding] = []
    for result in results:
        for finding in file_findings(store, dataset, result.file):
            findings[finding.code] += 1
            if len(first) < FINDINGS_KEPT:
                first.append(finding)
    batch = store.batches()[-1]
    places = {table.name: place for place, table in enumerate(dataset.tables)}
    everything = sorted((*already, *results), key=lambda result: places[result.file.table_name])
    return MonthIngest(month, tuple(everything), batch, findings, tuple(first), restates, missing)


def _place_in_sequence(
    months: set[Month],
    initial: Month | None,
    month: Month,
    new: Sequence[Delivery],
    allowed: Permissions,
) -> tuple[tuple[Month, ...], tuple[Month, ...]]:
    """Say which months are missing before new files, and which recorded ones they restate.

    Raises:
        SequenceBroken: they do not follow on what is recorded.
    """
    delta = next((d for d in new if d.kind is Kind.DELTA), None)
    if delta and initial is None:
        raise SequenceBroken(
            f"{delta.path}: a delta before any initial extract; ingest the extract first"
        )
    if delta and initial and month <= initial:
        raise SequenceBroken(
            f"{delta.path}: a delta of {month}, but the initial extract is of {initial}; "
            "only deltas of later months can follow"
        )
    if not months:
        return (), ()
    latest = max(months)
    if month > latest:
        missing = tuple(m for m in latest.next.until(month) if m < month)
        if missing and not allowed.allow_gap:
            raise SequenceBroken(
                f"{new[0].path}: nothing is recorded for {spans(missing)}, between the latest "
                f"recorded month {latest} and {month}; ingest that first, or say --allow-gap"
            )
        return missing, ()
    restates = tuple(sorted(m for m in months if m > month))
    if restates and month in months and not allowed.late:
        raise SequenceBroken(
            f"{new[0].path}: a file for {month}, but {latest} is recorded already; it would "
            f"restate {spans(restates)}. To record it nevertheless, say --late"
        )
    return (), restates


class _Recorder:
    """Records the files of one month as a batch."""

    def __init__(self, store: Store, dataset: DataSet, month: Month) -> None:
        self._store = store
        self._dataset = dataset
        self._month = month
        self._problems = Problems()
        self._tree = MerkleTree()
        self._next_event = store.next_event(month)
        self._readings: list[tuple[int, str, str | float | None, str]] = []

    def record(self, deliveries: Sequence[Delivery], *, gap: bool, late: bool) -> list[FileIngest]:
        """Record files, and the batch that they make.

        Raises:
            InputRefused: with the problems of all of them.
        """
        number = self._store.next_file()
        read = [self._read(d, file) for file, d in enumerate(deliveries, start=number)]
        if self._problems:
            raise InputRefused(self._problems)
        contents = BatchContents(
            batch=len(self._store.batches()) + 1,
            month=self._month.number,
            reason=None,
            gap=gap,
            late=late,
            correction=False,
        )
        files, actions = zip(*read, strict=True)
        names = [delivery.name for delivery in deliveries]
        self._store.append_batch(contents, files, names, self._tree.count, self._tree.root())
        recorded = self._store.files()[-len(files) :]
        return [
            FileIngest(file, recorded=True, actions=counts)
            for file, counts in zip(recorded, actions, strict=True)
        ]

    def _read(self, delivery: Delivery, number: int) -> tuple[FileContents, Counter[str]]:
        """Append the events of one file."""
        source = OpenDelivery(delivery.path)
        reader = CellReader(delivery.table)
        counts: Counter[str] = Counter()
        first = self._next_event
        rows = read_rows(
            source.chunks(), delivery.table, delivery.kind, str(delivery.path), self._problems
        )
        try:
            events = self._events(rows, delivery.table, number, reader, counts)
            self._store.append_events(delivery.table, events)
        except InputRefused as refused:
            for problem in refused.problems:
                self._problems.add(problem)
        self._keep_readings()
        self._keep_clock(reader.utc_days)
        if delivery.kind is Kind.INITIAL:
            self._check_keys(delivery, first)
        count = self._next_event - first
        contents = FileContents(
            file=number,
            table=delivery.table.name,
            month=self._month.number,
            kind=delivery.kind.value,
            sha256=source.sha256,
            bytes=source.size,
            rows=count,
            first_event=first if count else None,
            last_event=self._next_event - 1 if count else None,
            supersedes=None,
        )
        return contents, counts

    def _events(
        self,
        rows: Iterable[Row],
        table: Table,
        file: int,
        reader: CellReader,
        counts: Counter[str],
    ) -> Iterator[tuple[object, ...]]:
        name, add_leaf = table.name, self._tree.add
        for line, action, cells in rows:
            event = self._next_event
            self._next_event = event + 1
            counts[action] += 1
            for reading in reader.irregular(cells):
                self._readings.append((event, *reading))
            if len(self._readings) > READINGS_AT_ONCE:
                self._keep_readings()
            add_leaf(leaf(event, name, file, line, action, cells))
            yield (event, file, line, action, *cells)

    def _keep_readings(self) -> None:
        self._store.add_readings(self._readings)
        self._readings.clear()

    def _keep_clock(self, days: set[str]) -> None:
        for day in sorted(days - self._store.clock_days()):
            self._store.add_clock(clock_rows(day, self._dataset.zone))

    def _check_keys(self, delivery: Delivery, first_event: int) -> None:
        """Tell keys that stand twice in an initial extract."""
        span = (first_event, self._next_event - 1)
        sql = _REPEATED_KEYS.format(events=delivery.table.events, key=delivery.table.key)
        for line, key, first_line in self._store.rows(sql, span * 2):
            message = f"this key stands on line {first_line} already"
            problem = Problem(
                str(delivery.path), "duplicate-key", message, line, delivery.table.key, key
            )
            self._problems.add(problem)


_REPEATED_KEYS = """
SELECT again.line, again.{key}, first.line
FROM (SELECT {key}, min(event_id) AS event_id FROM {events}
      WHERE event_id BETWEEN ? AND ? GROUP BY {key} HAVING count(*) > 1) AS repeated
JOIN {events} AS first ON first.event_id = repeated.event_id
JOIN {events} AS again ON again.{key} = repeated.{key} AND again.event_id > repeated.event_id
WHERE again.event_id BETWEEN ? AND ?
ORDER BY again.event_id
"""
