"""What may follow on what: pure functions over the records and the delivered files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ledger.delivery.discovery import Delivery
from ledger.errors import SequenceBroken, WrongUsage
from ledger.model.dataset import DataSet, Kind
from ledger.model.periods import Month, spans
from ledger.model.records import File, Records
from ledger.recording.ingest_options import IngestOptions

Digest = Callable[[Delivery], str]
"""Gives the SHA-256 of a delivered file; raises InputRefused if it cannot be read."""

_KINDS = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class MonthFiles:
    """The delivered files of a month, by their relation to what is recorded.

    Attributes:
        recorded: the records of those that are recorded with the same bytes.
        chosen: those that are to be recorded, in order.
        new: of the chosen, those of a table and month for which nothing counts.
        corrections: of the chosen, those with other bytes than those that count, or with bytes that
            were superseded.
        superseded: by table, the record in whose place a file comes: a file or a retraction.
    """

    recorded: tuple[File, ...]
    chosen: tuple[Delivery, ...]
    new: tuple[Delivery, ...]
    corrections: tuple[Delivery, ...]
    superseded: dict[str, File]


@dataclass(frozen=True, slots=True)
class Place:
    """Where new files of a month come in the sequence.

    Attributes:
        missing: the months before it of which nothing is recorded.
        restates: the later recorded months, which its events restate.
    """

    missing: tuple[Month, ...] = ()
    restates: tuple[Month, ...] = ()


def month_of(delivery: Delivery) -> Month:
    """The month of a delivery that has one; see `with_months`."""
    if delivery.month is None:
        raise ValueError(f"{delivery.path} has no month")
    return delivery.month


def in_order(dataset: DataSet, deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Deliveries in the order in which they are recorded, each with its month."""
    return sorted(deliveries, key=lambda d: (month_of(d), dataset.place(d.table.name)))


def with_months(
    records: Records,
    deliveries: Sequence[Delivery],
    earliest: Month | None,
    options: IngestOptions,
) -> list[Delivery]:
    """Give the initial extract its month, and leave out the months not asked for.

    The extract is of the month before the earliest delta, unless one is recorded already or the
    caller names another.

    Args:
        records: all that is recorded.
        deliveries: all that was found.
        earliest: the month of the earliest delta; see `earliest_delta`.
        options: the months asked for, and that of the extract.

    Raises:
        WrongUsage: the month of the extract is unknown; or a month asked for has no file.
        SequenceBroken: the month named is not the one that is recorded, or is not before the
            earliest delta.
    """
    recorded, named = initial_month(records), options.initial_month
    if named and recorded and named != recorded:
        raise SequenceBroken(
            f"the initial extract is recorded as of {recorded}; that is fixed: "
            "leave out --initial-month"
        )
    if named and earliest and named >= earliest:
        raise SequenceBroken(
            f"the initial extract must be of a month before the earliest delta, {earliest}"
        )
    month = recorded or named or (earliest.previous if earliest else None)
    if month is None and any(d.kind is Kind.INITIAL for d in deliveries):
        raise WrongUsage(
            "no delta is delivered, so that the month of the initial extract is unknown; "
            "name the month at whose end it was made with --initial-month YYYYMM"
        )
    dated = [replace(d, month=d.month or month) for d in deliveries]
    absent = set(options.months) - {month_of(d) for d in dated}
    if absent:
        delivered = ", ".join(map(str, sorted({month_of(d) for d in dated})))
        raise WrongUsage(
            f"no file is delivered for {', '.join(map(str, sorted(absent)))}, but for {delivered}"
        )
    with_extract = recorded is None
    return [
        d
        for d in dated
        if not options.months
        or d.month in options.months
        or (with_extract and d.kind is Kind.INITIAL)
    ]


def initial_month(records: Records) -> Month | None:
    """The month of the initial extract, or None where none is recorded."""
    return next((file.month for file in records.files if file.kind == Kind.INITIAL), None)


def classify(records: Records, deliveries: Iterable[Delivery], digest: Digest) -> MonthFiles:
    """Compare delivered files with those recorded for the same table and month.

    Raises:
        InputRefused: one cannot be read.
    """
    last = records.last()
    recorded: list[File] = []
    chosen: list[Delivery] = []
    corrections: list[Delivery] = []
    superseded: dict[str, File] = {}
    for delivery in deliveries:
        file = last.get((delivery.table.name, month_of(delivery)))
        if file is None or _is_of_other_kind(file, delivery):
            chosen.append(delivery)
            continue
        sha256 = digest(delivery)
        if file.sha256 == sha256:
            recorded.append(file)
            continue
        chosen.append(delivery)
        superseded[delivery.table.name] = file
        if file.kind in _KINDS or _was_recorded(records, file, sha256):
            corrections.append(delivery)
    new = tuple(delivery for delivery in chosen if delivery not in corrections)
    return MonthFiles(tuple(recorded), tuple(chosen), new, tuple(corrections), superseded)


def _is_of_other_kind(file: File, delivery: Delivery) -> bool:
    """Whether one is an extract and the other a delta, which their sequence forbids."""
    return {file.kind, delivery.kind} == _KINDS


def _was_recorded(records: Records, file: File, sha256: str) -> bool:
    """Whether a file of these bytes was ever recorded for the table and month of another."""
    place = (file.table_name, file.month, sha256)
    return place in ((f.table_name, f.month, f.sha256) for f in records.files)


def place_in_sequence(
    records: Records, month: Month, new: Sequence[Delivery], options: IngestOptions
) -> Place:
    """Find the months that are missing before new files of a month, and those that they restate.

    Raises:
        SequenceBroken: they do not follow on what is recorded.
    """
    delta = next((d for d in new if d.kind is Kind.DELTA), None)
    if delta:
        _check_delta(delta, month, initial_month(records))
    months = records.months()
    if not months or not new:
        return Place()
    latest = max(months)
    if month > latest:
        missing = tuple(m for m in latest.next.until(month) if m < month)
        if missing and not options.allow_gap:
            raise SequenceBroken(
                f"{new[0].path}: nothing is recorded for {spans(missing)}, between the latest "
                f"recorded month {latest} and {month}; ingest that first, or say --allow-gap"
            )
        return Place(missing=missing)
    restates = tuple(sorted(m for m in months if m > month))
    if restates and month in months and not options.late:
        raise SequenceBroken(
            f"{new[0].path}: a file for {month}, but {latest} is recorded already; it would "
            f"restate {spans((month, *restates))}. To record it nevertheless, say --late"
        )
    return Place(restates=restates)


def _check_delta(delta: Delivery, month: Month, initial: Month | None) -> None:
    if initial is None:
        raise SequenceBroken(
            f"{delta.path}: a delta before any initial extract; ingest the extract first"
        )
    if month <= initial:
        raise SequenceBroken(
            f"{delta.path}: a delta of {month}, but the initial extract is of {initial}; "
            "only deltas of later months can follow: leave this one out"
        )


def restated(records: Records, month: Month, files: MonthFiles, place: Place) -> tuple[Month, ...]:
    """The recorded months, this one or later ones, that recording files of a month restates."""
    months = records.months()
    if month in months or files.superseded:
        return tuple(sorted(m for m in {*months, month} if m >= month))
    return place.restates


def check_expectation(
    records: Records, table: str, deliveries: Sequence[Delivery], digest: Digest
) -> None:
    """Check that the number of rows expected of a table can be that of one new file alone.

    Args:
        records: all that is recorded.
        table: of which rows are expected.
        deliveries: the files of all months.
        digest: gives the SHA-256 of a file.

    Raises:
        WrongUsage: no file of the table is delivered, or several are new.
        InputRefused: one cannot be read.
    """
    files = [delivery for delivery in deliveries if delivery.table.name == table]
    if not files:
        raise WrongUsage(
            f"rows of {table} are expected, but no file of it is delivered; "
            "expect none, or deliver one"
        )
    new = [month_of(delivery) for delivery in classify(records, files, digest).chosen]
    if len(new) > 1:
        raise WrongUsage(
            f"files of {table} for {', '.join(map(str, new))} are new, and the rows expected can "
            "be those of one alone; ingest it by itself"
        )
