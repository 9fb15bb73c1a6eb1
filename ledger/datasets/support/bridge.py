"""Why the report moved from one edition to another, as an accountant reconciles two balances.

Each interaction that is not alike in both is followed from its row in the report before to its row
in the report after, in steps that lead from the one to the other without a gap:

    added or deleted, or else
    moved to another month      with the names that it had
    moved by its keys           another contact centre or category, with the name that this has now
    renamed                     the same keys, of which the names changed, came or went
    changed channel             in the row where it is now
    changed duration            likewise

So for each row of the report, and for all of them, what was there and what the steps add is what is
there now. The two reports are read for themselves, and that nothing remains is held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from ledger.datasets.support.description import CONTACT_CENTERS, INTERACTIONS, SERVICE_CATEGORIES
from ledger.datasets.support.explain import Figures
from ledger.datasets.support.measures import (
    CENTER_LABEL,
    DEPARTMENT_LABEL,
    MEASURES,
    NAMED,
    UNKNOWN,
    StepKind,
)
from ledger.errors import VerificationFailed, WrongUsage
from ledger.lineage.diff import BEFORE
from ledger.lineage.sources import Source, Sources
from ledger.model.dataset import Table
from ledger.model.editions import Edition
from ledger.model.presentation import JsonObject
from ledger.replay.editions import last_event
from ledger.replay.replay import Replay
from ledger.store.event_store import Store
from ledger.store.sql import part
from ledger.text import listed

# Up to here, minutes that were divided by a million give the same millionths again.
_EXACT_MICRO_MINUTES = 2**51


@dataclass(frozen=True, slots=True)
class Step:
    """What one kind of change adds to a figure.

    Attributes:
        kind: of the change.
        figures: what it adds, in all; negative where it takes away.
        interactions: how many it concerned. They may have left and come, and left no trace in the
            figures.
    """

    kind: StepKind
    figures: Figures
    interactions: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """From the figures of one edition to those of another.

    Attributes:
        month: of the row of the report; of a total the month asked for, or None for all.
        contact_center_name: of the row; None for the total.
        department: of the row; None for the total.
        opening: the figures before; zero where the report has no such row.
        steps: those that concerned it, in order.
        closing: the figures after.
    """

    month: str | None
    contact_center_name: str | None
    department: str | None
    opening: Figures
    steps: tuple[Step, ...]
    closing: Figures

    @property
    def remainder(self) -> Figures:
        """What opening and steps leave unexplained of the closing: nothing."""
        explained = _Amount.of(self.opening)
        for step in self.steps:
            explained = explained.plus(_Amount.of(step.figures))
        return _Amount.of(self.closing).plus(explained, -1).figures


@dataclass(frozen=True, slots=True)
class Bridge(JsonObject):
    """Why the report moved between two editions.

    Attributes:
        before: the edition from which.
        after: the edition to which.
        month: of the report, to which it keeps; None for all.
        total: of all rows, or those of the month.
        rows: for each row of either report, in order, and for each that a step passed through.
    """

    before: Edition
    after: Edition
    month: str | None
    total: Reconciliation
    rows: tuple[Reconciliation, ...]


@dataclass(frozen=True, slots=True, order=True)
class ReportKey:
    """What tells a row of the report from the others."""

    month: str
    contact_center_name: str
    department: str


@dataclass(frozen=True, slots=True)
class Cause(JsonObject):
    """An interaction, or a row that gives a name, that is part of a step.

    Attributes:
        step: of which it is part.
        table: `interactions`; of what was renamed, `contact_centers` or `service_categories`.
        key: in that table.
        origin: the row of the report that `figures` leave; None where they were nowhere before.
        target: the row of the report that they come to; None where they are nowhere after.
        figures: of the interactions that it moves; for a change of channel or duration the
            difference, which may be negative.
        before: the event that counted in the edition before, or None.
        after: the event that counts in the edition after, or None. Where it is None the event
            before no longer counts: its file was superseded, or is not part of that edition.
    """

    step: StepKind
    table: str
    key: str
    origin: ReportKey | None
    target: ReportKey | None
    figures: Figures
    before: Source | None
    after: Source | None


class _Amount(NamedTuple):
    """Figures as whole numbers, which add up exactly."""

    interactions: int = 0
    calls: int = 0
    micro_minutes: int = 0

    @classmethod
    def of(cls, figures: Figures) -> _Amount:
        minutes = round(figures.total_call_duration * 10**6)
        return cls(figures.total_interactions, figures.total_calls, minutes)

    @property
    def figures(self) -> Figures:
        return Figures(self.interactions, self.calls, self.micro_minutes / 10**6)

    def plus(self, other: _Amount, sign: int = 1) -> _Amount:
        return _Amount(*(mine + sign * its for mine, its in zip(self, other, strict=True)))


class _Pair(NamedTuple):
    """An interaction in both editions, or some on the same path; see `bridge.sql`."""

    before_month: str | None
    before_center: str | None
    before_department: str | None
    after_month: str | None
    after_center: str | None
    after_department: str | None
    same_center: int
    same_category: int
    interactions: int
    calls: int
    micro_minutes: float
    channel_changes: int
    channel_calls: int
    channel_micro_minutes: float
    duration_changes: int
    duration_micro_minutes: float


_PATH, _SUMS = _Pair._fields[:8], _Pair._fields[8:]


class _Movement(NamedTuple):
    """What a step moves from one row of the report to another, and by which table."""

    kind: StepKind
    table: Table
    origin: ReportKey | None
    target: ReportKey | None
    amount: _Amount
    interactions: int


@dataclass(slots=True)
class _Entry:
    """A step as it adds up."""

    amount: _Amount = field(default_factory=_Amount)
    interactions: int = 0
    gross_micro_minutes: int = 0


_CENTER_MOVED = "same_center = 0 AND before_center <> after_center"
_CATEGORY_MOVED = "same_category = 0 AND before_department <> after_department"
_INTERACTION_STEPS = {
    StepKind.ADDED: "before_month IS NULL",
    StepKind.DELETED: "after_month IS NULL",
    StepKind.MOVED_MONTH: "before_month <> after_month",
    StepKind.MOVED_KEYS: f"({_CENTER_MOVED}) OR ({_CATEGORY_MOVED})",
    StepKind.CHANGED_CHANNEL: "channel_changes > 0",
    StepKind.CHANGED_DURATION: "duration_changes > 0",
}
_CONDITIONS = {
    INTERACTIONS: " OR ".join(f"({step})" for step in _INTERACTION_STEPS.values()),
    CONTACT_CENTERS: "same_center = 1 AND before_center <> after_center",
    SERVICE_CATEGORIES: "same_category = 1 AND before_department <> after_department",
}


def read_bridge(before: Replay, after: Replay, month: str | None = None) -> Bridge:
    """Reconcile the reports of two editions that lie side by side; see `build_side_by_side`.

    Args:
        before: the one from which.
        after: the one to which.
        month: of the report, `2025-01` or `Unknown`, to keep to; by default all.

    Raises:
        WrongUsage: neither report has the month.
        VerificationFailed: the steps do not lead from the one report to the other.
    """
    store = after.store
    opening, closing = _reports(store, month)
    _make_pairs(store)
    groups = part(
        "datasets/support/bridge.sql",
        "groups",
        path=", ".join(_PATH),
        sums=", ".join(f"sum({name})" for name in _SUMS),
    )
    totals, accounts = _add_up((_Pair(*row) for row in store.rows(groups)), month)
    rows = tuple(
        Reconciliation(
            *(row.month, row.contact_center_name, row.department),
            opening.get(row, _Amount()).figures,
            _steps(accounts.get(row, {})),
            closing.get(row, _Amount()).figures,
        )
        for row in sorted({*opening, *closing, *accounts})
    )
    total = Reconciliation(
        month, None, None, _sum(opening).figures, _steps(totals), _sum(closing).figures
    )
    bridge = Bridge(before.edition, after.edition, month, total, rows)
    _check(bridge, sum(entry.gross_micro_minutes for entry in totals.values()))
    return bridge


def read_causes(
    before: Replay, after: Replay, month: str | None = None, most: int | None = None
) -> Generator[Cause, None, None]:
    """Yield what is behind the steps between two editions that lie side by side.

    Step by step, and by key within each. What was renamed is told for each row that gives a name
    and each row of the report; all else for each interaction.

    Args:
        before: the one from which; see `build_side_by_side`.
        after: the one to which.
        month: of the report, `2025-01` or `Unknown`, to keep to; by default all.
        most: so many interactions at the most for each step; by default all.

    Raises:
        WrongUsage: neither report has the month.
    """
    store = after.store
    _reports(store, month)
    _make_pairs(store)
    for table, condition in _CONDITIONS.items():
        _keep_changes(store, table, condition)
    for replay, column in ((before, "before_event"), (after, "after_event")):
        for table in _CONDITIONS:
            _find_events(replay, table, column)
    # As the later of both batches knows the files: what the one counts, it may know as superseded.
    sources = Sources(max(before, after, key=lambda replay: replay.edition.batch))
    for kind in StepKind:
        if kind in _INTERACTION_STEPS:
            yield from _causes(store, sources, kind, INTERACTIONS, month, most)
        else:
            for table in NAMED:
                yield from _causes(store, sources, kind, table, month, None)


def _reports(
    store: Store, month: str | None
) -> tuple[dict[ReportKey, _Amount], dict[ReportKey, _Amount]]:
    """The rows of a month, or all, of both reports.

    Raises:
        WrongUsage: neither has the month.
    """
    reports = [
        {ReportKey(*row[:3]): _Amount.of(Figures(*row[3:])) for row in store.rows(sql)}
        for sql in (_REPORT.format(side=BEFORE), _REPORT.format(side=""))
    ]
    months = sorted({row.month for report in reports for row in report})
    if month not in (None, *months):
        told = f"they have {listed(months)}" if months else "they are empty"
        raise WrongUsage(f"neither report has the month {month}; {told}")
    opening, closing = (
        {row: amount for row, amount in report.items() if month in (None, row.month)}
        for report in reports
    )
    return opening, closing


_REPORT = f"""
SELECT month, contact_center_name, department, {", ".join(MEASURES)}
FROM {{side}}support_report
"""


def _make_pairs(store: Store) -> None:
    """Make the relations of `bridge.sql`, once for two editions that lie side by side."""
    labels = {"center_label": CENTER_LABEL, "department_label": DEPARTMENT_LABEL}
    for name, side in (("bridge_before", BEFORE), ("bridge_after", "")):
        select = part("datasets/support/bridge.sql", "side", side=side, unknown=UNKNOWN, **labels)
        store.execute(f"CREATE TEMP VIEW IF NOT EXISTS {name} AS {select}")
    select = part("datasets/support/bridge.sql", "pairs")
    # A table, for it is read several times, and holds only what differs.
    store.execute(f"CREATE TABLE IF NOT EXISTS main.bridge_pairs AS {select}")


def _movements(pair: _Pair) -> Iterator[_Movement]:
    """The steps that lead from the one edition to the other: the path that the module tells."""
    size = _Amount(pair.interactions, pair.calls, round(pair.micro_minutes))
    whole = (size, pair.interactions)
    before = _row(pair.before_month, pair.before_center, pair.before_department)
    after = _row(pair.after_month, pair.after_center, pair.after_department)
    if before is None or after is None:
        kind = StepKind.ADDED if before is None else StepKind.DELETED
        yield _Movement(kind, INTERACTIONS, before, after, *whole)
        return
    in_month = replace(before, month=after.month)
    by_keys = replace(
        in_month,
        **({} if pair.same_center else {"contact_center_name": after.contact_center_name}),
        **({} if pair.same_category else {"department": after.department}),
    )
    with_center = replace(by_keys, contact_center_name=after.contact_center_name)
    here = before
    for kind, table, there in (
        (StepKind.MOVED_MONTH, INTERACTIONS, in_month),
        (StepKind.MOVED_KEYS, INTERACTIONS, by_keys),
        (StepKind.RENAMED, CONTACT_CENTERS, with_center),
        (StepKind.RENAMED, SERVICE_CATEGORIES, after),
    ):
        if here != there:
            yield _Movement(kind, table, here, there, *whole)
        here = there
    if pair.channel_changes:
        change = _Amount(0, pair.channel_calls, round(pair.channel_micro_minutes))
        concerned = pair.channel_changes
        yield _Movement(StepKind.CHANGED_CHANNEL, INTERACTIONS, None, after, change, concerned)
    if pair.duration_changes:
        change = _Amount(0, 0, round(pair.duration_micro_minutes))
        concerned = pair.duration_changes
        yield _Movement(StepKind.CHANGED_DURATION, INTERACTIONS, None, after, change, concerned)


def _row(month: str | None, center: str | None, department: str | None) -> ReportKey | None:
    if month is None or center is None or department is None:
        return None
    return ReportKey(month, center, department)


_Account = dict[StepKind, _Entry]


def _add_up(
    pairs: Iterable[_Pair], month: str | None
) -> tuple[_Account, dict[ReportKey, _Account]]:
    """The steps of all that is asked for, and of each row of the report."""
    total: _Account = defaultdict(_Entry)
    rows: dict[ReportKey, _Account] = defaultdict(lambda: defaultdict(_Entry))
    for pair in pairs:
        counted: set[tuple[ReportKey | None, StepKind]] = set()
        for movement in _movements(pair):
            for row, sign in ((movement.origin, -1), (movement.target, 1)):
                if row is None or month not in (None, row.month):
                    continue
                for name, account in ((row, rows[row]), (None, total)):
                    entry = account[movement.kind]
                    entry.amount = entry.amount.plus(movement.amount, sign)
                    entry.gross_micro_minutes += abs(movement.amount.micro_minutes)
                    if (name, movement.kind) not in counted:
                        entry.interactions += movement.interactions
                        counted.add((name, movement.kind))
    return total, rows


def _steps(account: _Account) -> tuple[Step, ...]:
    return tuple(
        Step(kind, account[kind].amount.figures, account[kind].interactions)
        for kind in StepKind
        if kind in account
    )


def _sum(report: dict[ReportKey, _Amount]) -> _Amount:
    total = _Amount()
    for amount in report.values():
        total = total.plus(amount)
    return total


def _check(bridge: Bridge, gross_micro_minutes: int) -> None:
    """Hold that nothing remains, of the total and of each row.

    Sums of more millionths than a double holds are no longer exact, in the report itself.

    Raises:
        VerificationFailed: something does.
    """
    total = bridge.total
    for figures in (total.opening, total.closing):
        gross_micro_minutes += abs(_Amount.of(figures).micro_minutes)
    allowed = gross_micro_minutes >> 40 if gross_micro_minutes > _EXACT_MICRO_MINUTES else 0
    for reconciliation in (*bridge.rows, total):
        remainder = _Amount.of(reconciliation.remainder)
        for measure, left, limit in zip(MEASURES, remainder, (0, 0, allowed), strict=True):
            if abs(left) > limit:
                raise _disagreement(bridge, reconciliation, measure)


def _disagreement(bridge: Bridge, wrong: Reconciliation, measure: str) -> VerificationFailed:
    names = (wrong.month, wrong.contact_center_name, wrong.department)
    where = " / ".join(name for name in names if name) or "all rows"
    opening, closing, remainder = (
        getattr(figures, measure) for figures in (wrong.opening, wrong.closing, wrong.remainder)
    )
    return VerificationFailed(
        f"the bridge from {bridge.before.name} to {bridge.after.name} does not close: "
        f"{measure} of {where} is {opening} before and {closing} after, and the steps leave "
        f"{remainder} unexplained, so the projection and the events disagree. "
        "To compute it anew: ledger project --rebuild"
    )


def _keep_changes(store: Store, table: Table, condition: str) -> None:
    """Make a table of what changed by the rows of a table: `bridge_<table>`."""
    keyed = table is not INTERACTIONS
    sums = (f"sum({name})" for name in _SUMS) if keyed else _SUMS
    store.execute(f"DROP TABLE IF EXISTS main.bridge_{table.name}")
    columns = ("key", *_PATH, *_SUMS, "before_event", "after_event")
    store.execute(f"CREATE TABLE main.bridge_{table.name} ({', '.join(columns)})")
    store.execute(
        part(
            "datasets/support/bridge.sql",
            "changes",
            table=table.name,
            columns=", ".join((*_PATH, *_SUMS)),
            key=table.key,
            values=", ".join((*_PATH, *sums)),
            condition=condition,
            grouping=f"GROUP BY {', '.join((table.key, *_PATH))}" if keyed else "",
        )
    )
    name = f"bridge_{table.name}"
    store.execute(f"CREATE INDEX main.{name}_by_key ON {name} (key)")


def _find_events(replay: Replay, table: Table, column: str) -> None:
    """Note the last event that counts of each key that changed, in an edition."""
    replay.execute(
        part(
            "datasets/support/bridge.sql",
            "last event",
            table=table.name,
            column=column,
            last_event=last_event(table, f"bridge_{table.name}.key", "event"),
        )
    )


def _causes(
    store: Store,
    sources: Sources,
    kind: StepKind,
    table: Table,
    month: str | None,
    most: int | None,
) -> Iterator[Cause]:
    """The causes of a step by the rows of a table."""
    months = {
        StepKind.DELETED: "before_month",
        StepKind.MOVED_MONTH: "before_month, after_month",
    }
    sql = part(
        "datasets/support/bridge.sql",
        "causes",
        columns=", ".join((*_PATH, *_SUMS)),
        table=table.name,
        events=table.events,
        condition=_INTERACTION_STEPS.get(kind, "1"),
        months=months.get(kind, "after_month"),
    )
    rows = store.rows(sql, (month, month, -1 if most is None else most))
    for key, some in groupby(rows, key=itemgetter(0)):
        moved: dict[tuple[ReportKey | None, ReportKey | None], _Amount] = {}
        for _, *values in some:
            pair, events = _Pair(*values[:-8]), (values[-8:-4], values[-4:])
            for move in _movements(pair):
                if (move.kind, move.table) == (kind, table):
                    place = (move.origin, move.target)
                    moved[place] = moved.get(place, _Amount()).plus(move.amount)
        found = [None if event[0] is None else sources.source(*event) for event in events]
        for (origin, target), amount in moved.items():
            yield Cause(kind, table.name, key, origin, target, amount.figures, *found)
