"""Editions: what is described (as-of), and what was known by then (known-at).

Which events count in an edition is decided in `editions.sql`. Which files they are of is told by
`in_force`, for those who ask which months are recorded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ledger.errors import WrongUsage
from ledger.model.dataset import Kind, Table
from ledger.model.local_time import parse_moment
from ledger.model.periods import Month
from ledger.model.records import Batch, File, Tag
from ledger.store.event_store import EVENTS_PER_MONTH, Store
from ledger.store.sql import part

TAG_LENGTH = 80
_BATCH = re.compile(r"\d{1,18}", re.ASCII)
_TAG = re.compile(rf"[A-Za-z][A-Za-z0-9._-]{{0,{TAG_LENGTH - 1}}}", re.ASCII)

_RANGE = ("month_start", "first_event", "last_event")

KnownAt = int | str | datetime
"""A batch's number, or a moment; or as text one of these, or a tag."""


@dataclass(frozen=True, slots=True)
class Edition:
    """Of what a projection speaks.

    Attributes:
        as_of: the month up to which events are replayed.
        batch: known-at, the last batch taken into account.
        head: the head of the ledger after that batch.
        missing: the months up to the as-of month, from the first recorded one on, of which nothing
            was recorded by then: gaps.
    """

    as_of: Month
    batch: int
    head: str
    missing: tuple[Month, ...]

    @property
    def name(self) -> str:
        """As one names it to `diff` and `bridge`: `202503@2`."""
        return f"{self.as_of}@{self.batch}"


def standing(files: Iterable[File], batch: int | None = None) -> dict[tuple[str, Month], File]:
    """The last record of each table and month: a file, or the retraction of one.

    Args:
        files: in order.
        batch: as known after this one; by default after the last.
    """
    return {
        (file.table_name, file.month): file
        for file in files
        if batch is None or file.batch <= batch
    }


def in_force(files: Iterable[File], batch: int | None = None) -> dict[tuple[str, Month], File]:
    """The one file that counts for each table and month, as known after a batch."""
    last = standing(files, batch)
    return {place: file for place, file in last.items() if file.kind in set(Kind)}


def moved_files(files: Iterable[File], before: Edition, after: Edition) -> list[File]:
    """The files whose events count in one of two editions and not in the other."""
    files = list(files)
    first, second = (
        {
            file.file
            for file in in_force(files, edition.batch).values()
            if file.month <= edition.as_of
        }
        for edition in (before, after)
    )
    return [file for file in files if file.rows and file.file in first ^ second]


def choose_edition(
    store: Store, as_of: Month | None = None, known_at: KnownAt | None = None
) -> Edition:
    """The edition as of a month, as known at a batch.

    Args:
        store: open.
        as_of: by default the month of the tag, where `known_at` is one, or else the latest month
            known at the batch.
        known_at: by default the last batch.

    Raises:
        WrongUsage: nothing was recorded by then, or the month lies outside of what was.
    """
    batches = store.batches()
    if not batches:
        raise WrongUsage(f"nothing is recorded in {store.path}; start with: ledger ingest")
    tagged = None
    number = batches[-1].batch
    if known_at is not None:
        tagged = next((tag for tag in store.tags() if tag.name == known_at), None)
        number = tagged.batch if tagged else _batch(store, batches, known_at)
    months = {month for _, month in in_force(store.files(), number)}
    if not months:
        raise WrongUsage(
            f"no file counts at batch {number}: all are retracted. What counted before "
            "is there with --known-at; to put files back in force: ledger ingest --correct"
        )
    first, latest = min(months), max(months)
    chosen = as_of or (tagged.as_of if tagged else latest)
    if not first <= chosen <= latest:
        then = "holds" if known_at is None else f"at batch {number} held"
        raise WrongUsage(
            f"as of {chosen}: the ledger {then} the months {first} to {latest}; choose one of these"
        )
    missing = tuple(month for month in first.until(chosen) if month not in months)
    heads = {batch.batch: batch.head for batch in batches}
    if number not in heads:
        raise WrongUsage(f"there is no batch {number}; see: ledger verify")
    return Edition(chosen, number, heads[number], missing)


def named_edition(store: Store, name: str) -> Edition:
    """The edition of a name: an as-of month, a known-at, or both joined by `@`.

    `202503`, `2`, `signed`, `2025-04-01T09:30:00Z`, `202503@2`, `202503@signed`, `@202503` (the
    batch).

    Raises:
        WrongUsage: there is no such edition.
    """
    month, at, known_at = name.partition("@")
    if at:
        as_of = Month.parse(month) if month else None
        return choose_edition(store, as_of, known_at)
    try:
        as_of = Month.parse(name)
    except WrongUsage:
        return choose_edition(store, None, name)
    return choose_edition(store, as_of)


def previous_edition(store: Store, edition: Edition) -> Edition | None:
    """The edition that was told before: as known before the last batch that concerns this one.

    That batch brought the as-of month, or restated one up to it. None where there was nothing to
    tell before.
    """
    concerned = [
        batch.batch
        for batch in store.batches()
        if batch.batch <= edition.batch and batch.month <= edition.as_of
    ]
    before = concerned[-1] - 1
    months = {month for _, month in in_force(store.files(), before)}
    if not months or min(months) > edition.as_of:
        return None
    return choose_edition(store, min(edition.as_of, max(months)), before)


def stored_edition(store: Store) -> Edition | None:
    """The edition of the projection stored in the ledger, or None."""
    for as_of, batch in store.rows("SELECT as_of, batch FROM projection_of"):
        return choose_edition(store, Month(as_of), batch)
    return None


def give_tag(store: Store, name: str, edition: Edition) -> Tag:
    """Name an edition; to give the same name again changes nothing.

    Raises:
        WrongUsage: the name is that of another edition, or could be taken for a batch or a month.
    """
    if not _TAG.fullmatch(name):
        raise WrongUsage(
            f"{name!r} cannot be a tag: letters, digits, '.', '_' and '-', a letter first, "
            f"{TAG_LENGTH} in all"
        )
    if name not in [tag.name for tag in store.tags()]:
        store.add_tag(name, edition.as_of, edition.batch)
    (tag,) = [tag for tag in store.tags() if tag.name == name]
    if (tag.as_of, tag.batch) != (edition.as_of, edition.batch):
        raise WrongUsage(
            f"{name!r} is the tag of {tag.as_of}@{tag.batch} since {tag.tagged_at}, "
            "and a tag cannot be moved; choose another name"
        )
    return tag


def say_what_counts(store: Store, edition: Edition) -> None:
    """Fill the relations on which `editions.sql` and all that uses it stand."""
    store.execute("DROP TABLE IF EXISTS temp.replay_bound")
    store.execute("DROP TABLE IF EXISTS temp.replay_excluded")
    store.execute("CREATE TEMP TABLE replay_bound (end_event INTEGER, batch INTEGER)")
    store.execute(f"CREATE TEMP TABLE replay_excluded ({', '.join(_RANGE)})")
    store.execute(f"CREATE INDEX temp.replay_excluded_by_month ON replay_excluded ({_RANGE[0]})")
    end = (edition.as_of.number + 1) * EVENTS_PER_MONTH
    store.execute("INSERT INTO replay_bound (end_event, batch) VALUES (?, ?)", (end, edition.batch))
    excluded = part("replay/editions.sql", "excluded")
    store.execute(f"INSERT INTO replay_excluded ({', '.join(_RANGE)}) {excluded}")


def say_keys(store: Store, after: str, until: str) -> None:
    """Fill the relation on which `among_keys` stands.

    Args:
        store: open.
        after: the key before the first; blank, which no key is, is before all of them.
        until: the last key.
    """
    store.execute("CREATE TEMP TABLE IF NOT EXISTS replay_keys (after_key TEXT, until_key TEXT)")
    store.execute("DELETE FROM replay_keys")
    store.execute("INSERT INTO replay_keys (after_key, until_key) VALUES (?, ?)", (after, until))


def known(event: str) -> str:
    """The SQL condition that the event of this alias was known, in whatever month it stands."""
    return part("replay/editions.sql", "known", event=event)


def counts(event: str) -> str:
    """The SQL condition that the event of this alias counts."""
    return part("replay/editions.sql", "counts", event=event, known=known(event))


def last_event(table: Table, value: str, event: str) -> str:
    """The query that gives the `event_id` of the last event of one key, NULL where there is none.

    Args:
        table: whose event it is.
        value: in SQL, the key.
        event: the alias of the event, that of no other table round it.
    """
    names = {"event": event, "events": table.events, "key": table.key}
    return part("replay/editions.sql", "last event", value=value, counts=counts(event), **names)


def last_events(table: Table, *, among: str = "", few: bool = False) -> str:
    """The query that gives the `event_id` of the last event of each key: deletes too.

    Args:
        table: whose events they are.
        among: a condition on the key of `event`, to keep to some keys; by default all.
        few: of all events of the table, few count; see `count_few`.
    """
    names = {"events": table.events, "key": table.key}
    condition = f"{among}\n      AND {counts('event')}" if among else counts("event")
    name = "last events of few" if few else "last events"
    return part("replay/editions.sql", name, counts=condition, **names)


def count_few(store: Store, edition: Edition, table: Table) -> bool:
    """Whether less than half of the events of a table come before the end of the as-of month."""
    rows = [(f.rows, f.month <= edition.as_of) for f in store.files() if f.table_name == table.name]
    return 2 * sum(count for count, is_before in rows if is_before) < sum(
        count for count, _ in rows
    )


def among_keys(table: Table, row: str) -> str:
    """The SQL condition that the row of this alias is of the keys that were said."""
    return part("replay/editions.sql", "among keys", row=row, key=table.key)


def _batch(store: Store, batches: list[Batch], known_at: KnownAt) -> int:
    """The batch that a number or a moment means.

    Raises:
        WrongUsage: there is none.
    """
    if isinstance(known_at, str) and _BATCH.fullmatch(known_at):
        known_at = int(known_at)
    if isinstance(known_at, int):
        if not 1 <= known_at <= len(batches):
            raise WrongUsage(f"there is no batch {known_at}; the ledger holds 1 to {len(batches)}")
        return known_at
    moment = _moment(store, known_at)
    known_by_then = [batch.batch for batch in batches if batch.recorded_at <= moment]
    if not known_by_then:
        raise WrongUsage(
            f"nothing was recorded by {known_at}; the first batch is of {batches[0].recorded_at}"
        )
    return known_by_then[-1]


def _moment(store: Store, known_at: str | datetime) -> str:
    if isinstance(known_at, datetime):
        if known_at.tzinfo is None:
            raise WrongUsage(f"{known_at} has no time zone; give it one")
        known_at = known_at.isoformat(timespec="microseconds")
    try:
        return parse_moment(known_at)
    except WrongUsage:
        if known_at[:1].isdigit():
            raise
        tags = ", ".join(tag.name for tag in store.tags()) or "none"
        raise WrongUsage(
            f"{known_at!r} is no batch, no moment such as 2025-04-01T09:30:00Z, and no tag; "
            f"the tags are: {tags}"
        ) from None
