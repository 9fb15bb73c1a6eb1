"""Makes data folders of any size: the same arguments give the same bytes.

    python -m benchmarks.deliveries --rows 1000000 --months 24 --seed 1 --keys seq OUT

Half of the rows are the initial extract, as of 202212; the rest is spread evenly over monthly
deltas from 202301 on: 80 % adds, 15 % updates, 5 % deletes. With `--next` the delta of the month
after the last is made too, in `OUT/next/delta`, of the same number of rows whatever came before it.

Nothing is held that grows with the rows, not even the keys. Interactions are numbered in the order
in which they come, and all that is known of one is computed from its number. A month's updates,
then its deletes, are a stretch of a permutation of all the numbers before it, so that they hit what
is there; whether a number was deleted is told by its places in the permutations of earlier months.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from math import gcd
from pathlib import Path

from benchmarks.dimensions import (
    AGENTS,
    CENTERS,
    LAST_CATEGORY,
    extract_files,
    month_files,
)

FIRST_YEAR = 2022
NEXT_ROWS = 20_833
ROWS_AT_ONCE = 5_000
HEADER = (
    "interaction_id,timestamp,channel,category_id,agent_id,contact_center_id,interaction_start,"
    "agent_resolution_timestamp,interaction_end,call_duration_minutes,satisfaction_rating"
)

_FIRST_DAY = date(FIRST_YEAR, 1, 1)
_DAY = 86_400
_MASK = 2**64 - 1
_MINUTES = [f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(1440)]
_SECONDS = [f"{second:02}Z" for second in range(60)]
_AGENTS = [f"A{number + 1:04}" for number in range(AGENTS)]
_CENTERS = [f"CC{number + 1:02}" for number in range(CENTERS)]
_CATEGORIES = [f"CAT{number + 1:02}" for number in range(LAST_CATEGORY)]
_CHANNELS = ("phone", "phone", "phone", "phone", "email", "email", "chat", "chat")
_RATINGS = ("1", "2", "3", "4", "5", "4", "5", "3")
# By half minutes, and by how whole ones are written.
_LENGTHS = [
    [f"{half / 2}" if half % 2 or with_point else f"{half // 2}" for half in range(512)]
    for with_point in (True, False)
]


@dataclass(frozen=True)
class Permutation:
    """A permutation of the numbers below `size`: `place` goes to `step · place + shift`."""

    size: int
    step: int
    shift: int
    inverse: int

    def number(self, place: int) -> int:
        """The number at a place."""
        return (self.step * place + self.shift) % self.size

    def place(self, number: int) -> int:
        """The place of a number."""
        return (number - self.shift) * self.inverse % self.size


@dataclass(frozen=True)
class Month:
    """A delivery of interactions: the extract, or a month's delta.

    Attributes:
        number: YYYYMM.
        first: the number of its first add; so many were there before.
        adds: how many rows it adds.
        updates: how many it updates.
        deletes: how many it deletes.
        begin: when it begins, in seconds after the first day of all.
        end: when it ends.
        order: of all the numbers before it; its updates come first in it, then its deletes.
        deleted: the places in that order between which its deletes lie.
    """

    number: int
    first: int
    adds: int
    updates: int
    deletes: int
    begin: int
    end: int
    order: Permutation
    deleted: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        """Of its delta."""
        return f"interactions_delta_{self.number}.csv"


@dataclass(frozen=True)
class Deliveries:
    """What to make.

    Attributes:
        rows: the events of interactions over all, without those of the month after the last.
        months: how many deltas.
        seed: of all that is by chance.
        keys: `seq` for keys in order, `random` for the same in none.
        next_rows: the rows of the month after the last.
    """

    rows: int
    months: int = 24
    seed: int = 1
    keys: str = "seq"
    next_rows: int = NEXT_ROWS

    def key_of(self) -> Callable[[int], str]:
        """The function that gives the key of a number."""
        if self.keys == "seq":
            return lambda number: f"INT{number + 1:09}"
        first, second, third = (mix(self.seed, salt) % 10**9 for salt in (11, 12, 13))

        def scattered(number: int) -> str:
            # Each round is a permutation of nine digits: a step, then the last five come first.
            for shift in (first, second, third):
                high, low = divmod((number * 387_420_489 + shift) % 10**9, 10**5)
                number = low * 10**4 + high
            return f"INT{number:09}"

        return scattered

    def schedule(self) -> list[Month]:
        """The extract, the deltas, and the delta of the month after the last."""
        extract = self.rows // 2
        rest = self.rows - extract
        begin, end = 0, _seconds_until(FIRST_YEAR + 1, 1)
        number = FIRST_YEAR * 100 + 12
        months = [Month(number, 0, extract, 0, 0, begin, end, self._order(0, extract))]
        for place in range(self.months + 1):
            rows = rest * (place + 1) // self.months - rest * place // self.months
            if place == self.months:
                rows = self.next_rows
            before = months[-1]
            first = before.first + before.adds
            updates = min(rows * 15 // 100, first // 4)
            deletes = min(rows * 5 // 100, first // 20)
            year, month = divmod(FIRST_YEAR * 12 + 12 + place, 12)
            following = _seconds_until(*_next(year, month + 1))
            order = self._order(place + 1, first)
            months.append(
                Month(year * 100 + month + 1, first, rows - updates - deletes, updates, deletes,
                      months[-1].end, following, order)
            )  # fmt: skip
        return months

    def _order(self, place: int, size: int) -> Permutation:
        size = max(size, 1)
        step = max(1, size * (300 + mix(self.seed, place, 1) % 400) // 1000)
        while gcd(step, size) != 1:
            step += 1
        shift = mix(self.seed, place, 2) % size
        return Permutation(size, step, shift, pow(step, -1, size))


def mix(*numbers: int) -> int:
    """A number of 64 bits made of others, which looks as if by chance."""
    mixed = 0
    for number in numbers:
        mixed = _mixed(mixed ^ number)
    return mixed


def _mixed(number: int) -> int:
    number = (number * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & _MASK
    number = (number ^ (number >> 32)) * 0xD6E8FEB86659FD93 & _MASK
    return number ^ (number >> 29)


def write_deliveries(wanted: Deliveries, folder: Path, *, with_next: bool = False) -> None:
    """Write a whole data folder, and on request the month after its last in `next`."""
    extract, *deltas, after = wanted.schedule()
    for name in ("initial", "delta", *(["next/delta"] if with_next else [])):
        (folder / name).mkdir(parents=True, exist_ok=True)
    _write(folder / "initial", extract_files(wanted.seed))
    rows = Rows(wanted, [extract, *deltas, after])
    _write_lines(folder / "initial" / "interactions.csv", HEADER, rows.extract())
    for place, delta in enumerate([*deltas, *([after] if with_next else [])], start=1):
        target = folder / ("delta" if delta is not after else "next/delta")
        _write(target, month_files(wanted.seed, place, delta.number))
        _write_lines(target / delta.name, f"{HEADER},action", rows.delta(place))


class Rows:
    """The rows of all deliveries, to be asked for one delivery after another."""

    def __init__(self, wanted: Deliveries, schedule: Sequence[Month]) -> None:
        """Start before the first of them."""
        self._schedule = list(schedule)
        self._key = wanted.key_of()
        self._seed = mix(wanted.seed, 3)
        days = schedule[-1].end // _DAY + 40
        self._days = [(_FIRST_DAY + timedelta(day)).isoformat() for day in range(days)]

    def extract(self) -> Iterator[str]:
        """The rows of the initial extract."""
        yield from self._adds(0)

    def delta(self, place: int) -> Iterator[str]:
        """The rows of a month's delta: updates, deletes, adds. The months before it come first."""
        month = self._schedule[place]
        numbers = self._live(place)
        for _, number in islice(numbers, month.updates):
            yield f"{self._updated(number, month)},update"
        key, blank = self._key, "," * HEADER.count(",")
        places: list[int] = []
        for position, number in islice(numbers, month.deletes):
            places = [*places[:1], position]
            yield f"{key(number)}{blank},delete"
        if places:
            self._schedule[place] = replace(month, deleted=(places[0], places[-1] + 1))
        for row in self._adds(place):
            yield f"{row},add"

    def _live(self, place: int) -> Iterator[tuple[int, int]]:
        """The numbers that are there before a month, in its order, each with its place in it."""
        order = self._schedule[place].order
        before = [month for month in self._schedule[1:place] if month.deletes]
        for position in range(self._schedule[place].first):
            number = order.number(position)
            for month in before:
                begin, end = month.deleted
                if number < month.first and begin <= month.order.place(number) < end:
                    break
            else:
                yield position, number

    def _adds(self, place: int) -> Iterator[str]:
        month = self._schedule[place]
        following = self._schedule[place + 1] if place + 1 < len(self._schedule) else None
        order, completed = (following.order, following.updates) if following else (month.order, 0)
        place_of, row = order.place, self._row
        for number in range(month.first, month.first + month.adds):
            # What the next month's updates hit has no end yet.
            yield row(number, month, is_open=place_of(number) < completed)

    def _row(self, number: int, month: Month, *, is_open: bool) -> str:
        """An interaction as it was added."""
        chance = _mixed(self._seed ^ number)
        start = self._start(number, month, chance)
        agent = (chance >> 8) % AGENTS
        category = (chance >> 20) % (LAST_CATEGORY - 1) if chance >> 54 else LAST_CATEGORY - 1
        channel = _CHANNELS[chance >> 32 & 7]
        begun = self._moment(start)
        rest = ",,,," if is_open else self._ended(start, channel, chance >> 35)
        return (
            f"{self._key(number)},{begun},{channel},{_CATEGORIES[category]},{_AGENTS[agent]},"
            f"{_CENTERS[agent % CENTERS]},{begun}{rest}"
        )

    def _updated(self, number: int, month: Month) -> str:
        """An interaction as a month's update leaves it: completed, some cells with other values."""
        origin = next(one for one in reversed(self._schedule) if one.first <= number and one.adds)
        chance = _mixed(self._seed ^ number)
        anew = mix(chance, month.number)
        start = self._start(number, origin, chance)
        written = self._moment(month.begin + anew % (month.end - month.begin))
        agent = (chance >> 8) % AGENTS
        moved = anew if anew >> 62 == 0 else chance
        category = (moved >> 20) % (LAST_CATEGORY - 1)
        channel = _CHANNELS[chance >> 32 & 7]
        return (
            f"{self._key(number)},{written},{channel},{_CATEGORIES[category]},{_AGENTS[agent]},"
            f"{_CENTERS[agent % CENTERS]},{self._moment(start)}"
            f"{self._ended(start, channel, anew >> 35)}"
        )

    @staticmethod
    def _start(number: int, month: Month, chance: int) -> int:
        """Starts go through the month; some lie a little before it, for they came in late."""
        span = month.end - month.begin
        if month.first and chance & 511 == 0:
            return month.begin - 1 - chance % (3 * _DAY)
        return month.begin + ((number - month.first) * span // month.adds + chance % 7200) % span

    def _ended(self, start: int, channel: str, chance: int) -> str:
        """The cells that say how it ended, each with a comma before it."""
        halves = 4 + chance % 60
        rating = _RATINGS[chance >> 6 & 7] if chance >> 9 & 7 == 0 else ""
        if channel != "phone":
            solved = self._moment(start + halves * (300 if channel == "email" else 30))
            length = "0.0" if channel == "email" else ""
            return f",{solved},{solved},{length},{rating}"
        tail = 5 + (chance >> 12 & 7) if chance >> 16 & 7 == 0 else 0
        solved = self._moment(start + halves * 30)
        ended = self._moment(start + (halves + tail) * 30) if tail else solved
        length = _LENGTHS[chance >> 20 & 1][halves + tail]
        return f",{solved},{ended},{length},{rating}"

    def _moment(self, seconds: int) -> str:
        day, second = divmod(seconds, _DAY)
        return f"{self._days[day]}{_MINUTES[second // 60]}{_SECONDS[second % 60]}"


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content.encode())


def _write_lines(path: Path, header: str, lines: Iterator[str]) -> None:
    with open(path, "w", encoding="ascii", newline="") as file:
        file.write(f"{header}\n")
        while some := list(islice(lines, ROWS_AT_ONCE)):
            some.append("")
            file.write("\n".join(some))


def _next(year: int, month: int) -> tuple[int, int]:
    return (year, month + 1) if month < 12 else (year + 1, 1)


def _seconds_until(year: int, month: int) -> int:
    return (date(year, month, 1) - _FIRST_DAY).days * _DAY


def main() -> None:
    """Make a data folder."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.deliveries",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="events of interactions")
    parser.add_argument("--months", type=int, default=24, help="deltas")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keys", choices=("seq", "random"), default="seq")
    parser.add_argument("--next", action="store_true", help="make the month after the last too")
    parser.add_argument("--next-rows", type=int, default=NEXT_ROWS, help="and so many rows of it")
    parser.add_argument("out", type=Path, metavar="OUT")
    given = parser.parse_args()
    wanted = Deliveries(given.rows, given.months, given.seed, given.keys, given.next_rows)
    write_deliveries(wanted, given.out, with_next=given.next)


if __name__ == "__main__":
    main()
