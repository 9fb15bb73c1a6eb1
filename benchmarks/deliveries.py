"""Generate data folders of any size: the same arguments give the same bytes.

Half of the rows are the initial extract, as of 202212. The others are spread evenly over monthly
deltas from 202301 on: 80 % adds, 15 % updates, 5 % deletes. The delta of the month after the last
goes to the folder `next`; its number of rows does not depend on the history.

Memory does not grow with the rows. Interactions are numbered in the order in which they arrive, and
everything about one follows from its number. The updates of a month, then its deletes, are a
stretch of a permutation of all numbers before it, so that they name existing keys; whether a number
was deleted follows from its places in the permutations of earlier months.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from math import gcd
from pathlib import Path

from benchmarks.dimensions import AGENTS, CENTERS, LAST_CATEGORY, extract_files, month_files

MONTHS = 24
SEED = 1
NEXT_ROWS = 20_833
HEADER = (
    "interaction_id,timestamp,channel,category_id,agent_id,contact_center_id,interaction_start,"
    "agent_resolution_timestamp,interaction_end,call_duration_minutes,satisfaction_rating"
)

_FIRST_DAY = date(2022, 1, 1)
_DAY = 86_400
_MINUTES = [f"T{minute // 60:02}:{minute % 60:02}:" for minute in range(1440)]
_SECONDS = [f"{second:02}Z" for second in range(60)]
_AGENTS = [f"A{number + 1:04}" for number in range(AGENTS)]
_CENTERS = [f"CC{number + 1:02}" for number in range(CENTERS)]
_CATEGORIES = [f"CAT{number + 1:02}" for number in range(LAST_CATEGORY)]
_CHANNELS = ("phone", "phone", "phone", "phone", "email", "email", "chat", "chat")
_RATINGS = ("1", "2", "3", "4", "5", "4", "5", "3")
# By half minutes; whole minutes with a point, and without.
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

    @classmethod
    def of(cls, size: int, *seeds: int) -> Permutation:
        """Choose a permutation by seeds."""
        size = max(size, 1)
        step = max(1, size * (300 + mix(*seeds, 1) % 400) // 1000)
        while gcd(step, size) != 1:
            step += 1
        return cls(size, step, mix(*seeds, 2) % size, pow(step, -1, size))

    def number(self, place: int) -> int:
        """Return the number at a place."""
        return (self.step * place + self.shift) % self.size

    def place(self, number: int) -> int:
        """Return the place of a number."""
        return (number - self.shift) * self.inverse % self.size


@dataclass
class Month:
    """A delivery of interactions: the extract, or the delta of a month.

    Attributes:
        number: YYYYMM.
        begin: when it begins, in seconds after the first day of all; `end` is the next one's begin.
        first: the number of its first add, and how many interactions came before.
        order: a permutation of these; the month's updates come first in it, then its deletes.
        deleted: the places in that order that the deletes took; known once they are written.
    """

    number: int
    begin: int
    end: int
    first: int
    adds: int
    updates: int
    deletes: int
    order: Permutation
    deleted: range = range(0)


def schedule(
    rows: int, months: int = MONTHS, seed: int = SEED, next_rows: int = NEXT_ROWS
) -> list[Month]:
    """Return the extract, the deltas, and the delta of the month after the last."""
    extract = rows // 2
    rest = rows - extract
    found = [Month(202212, 0, _begin(0), 0, extract, 0, 0, Permutation.of(0, seed, 0))]
    for place in range(months + 1):
        size = rest * (place + 1) // months - rest * place // months
        size = next_rows if place == months else size
        first = found[-1].first + found[-1].adds
        updates, deletes = min(size * 15 // 100, first // 4), min(size * 5 // 100, first // 20)
        number = (2023 + place // 12) * 100 + place % 12 + 1
        order = Permutation.of(first, seed, place + 1)
        adds = size - updates - deletes
        span = _begin(place), _begin(place + 1)
        found.append(Month(number, *span, first, adds, updates, deletes, order))
    return found


def _begin(place: int) -> int:
    """Return when a month begins; that of the first delta has the place 0."""
    return (date(2023 + place // 12, place % 12 + 1, 1) - _FIRST_DAY).days * _DAY


def key(number: int) -> str:
    """Return the key of an interaction."""
    return f"INT{number + 1:09}"


def mix(*numbers: int) -> int:
    """Hash numbers to one of 64 bits."""
    mixed = 0
    for number in numbers:
        mixed = _mixed(mixed ^ number)
    return mixed


def _mixed(number: int) -> int:
    mask = 2**64 - 1
    number = (number * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & mask
    number = (number ^ (number >> 32)) * 0xD6E8FEB86659FD93 & mask
    return number ^ (number >> 29)


def write_deliveries(
    folder: Path, rows: int, months: int = MONTHS, seed: int = SEED, next_rows: int = NEXT_ROWS
) -> None:
    """Write a data folder of so many events of interactions, and the month after the last."""
    deliveries = schedule(rows, months, seed, next_rows)
    interactions = Interactions(deliveries, seed)
    for name in ("initial", "delta", "next/delta"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, lines in extract_files(seed).items():
        _write(folder / "initial" / f"{name}.csv", lines)
    _write(folder / "initial" / "interactions.csv", [HEADER], interactions.adds(0))
    for place, month in enumerate(deliveries[1:], start=1):
        target = folder / ("next/delta" if place > months else "delta")
        for name, lines in month_files(seed, place, month.number).items():
            _write(target / f"{name}_delta_{month.number}.csv", lines)
        path = target / f"interactions_delta_{month.number}.csv"
        _write(path, [f"{HEADER},action"], interactions.delta(place))


def _write(path: Path, *parts: Iterable[str]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        for lines in parts:
            file.writelines(f"{line}\n" for line in lines)


class Interactions:
    """Generates the rows of all deliveries, which the caller must ask for in their order."""

    def __init__(self, deliveries: Sequence[Month], seed: int) -> None:
        self._months = deliveries
        self._seed = mix(seed, 3)
        days = deliveries[-1].end // _DAY + 40
        self._days = [(_FIRST_DAY + timedelta(day)).isoformat() for day in range(days)]

    def adds(self, place: int) -> Iterator[str]:
        """Generate the rows that a delivery adds."""
        month, following = self._months[place], self._months[place + 1 : place + 2]
        for number in range(month.first, month.first + month.adds):
            # An interaction that the next month updates has no end yet.
            is_open = any(after.order.place(number) < after.updates for after in following)
            yield self._added(number, month, is_open=is_open)

    def delta(self, place: int) -> Iterator[str]:
        """Generate the rows of a month's delta: updates, deletes, adds."""
        month, existing = self._months[place], self._existing(place)
        for _, number in islice(existing, month.updates):
            yield f"{self._updated(number, month)},update"
        blank = "," * HEADER.count(",")
        for position, number in islice(existing, month.deletes):
            start = month.deleted.start if month.deleted else position
            month.deleted = range(start, position + 1)
            yield f"{key(number)}{blank},delete"
        for row in self.adds(place):
            yield f"{row},add"

    def _existing(self, place: int) -> Iterator[tuple[int, int]]:
        """Generate the numbers that exist before a month, in its order, after their places."""
        order = self._months[place].order
        before = [month for month in self._months[1:place] if month.deletes]
        for position in range(self._months[place].first):
            number = order.number(position)
            for month in before:
                if number < month.first and month.order.place(number) in month.deleted:
                    break
            else:
                yield position, number

    def _added(self, number: int, month: Month, *, is_open: bool) -> str:
        """Return an interaction as it was added."""
        chance = _mixed(self._seed ^ number)
        start = self._start(number, month, chance)
        category = (chance >> 20) % (LAST_CATEGORY - 1) if chance >> 54 else LAST_CATEGORY - 1
        begun = self._moment(start)
        rest = ",,,," if is_open else self._ended(start, chance, chance >> 35)
        return f"{self._row(number, begun, category, chance, begun)}{rest}"

    def _updated(self, number: int, month: Month) -> str:
        """Return an interaction as an update leaves it: completed, some cells changed."""
        origin = next(one for one in reversed(self._months) if one.first <= number and one.adds)
        chance = _mixed(self._seed ^ number)
        anew = mix(chance, month.number)
        start = self._start(number, origin, chance)
        written = self._moment(month.begin + anew % (month.end - month.begin))
        category = ((anew if anew >> 62 == 0 else chance) >> 20) % (LAST_CATEGORY - 1)
        row = self._row(number, written, category, chance, self._moment(start))
        return f"{row}{self._ended(start, chance, anew >> 35)}"

    @staticmethod
    def _row(number: int, written: str, category: int, chance: int, begun: str) -> str:
        """Return the cells up to the start."""
        agent = (chance >> 8) % AGENTS
        return (
            f"{key(number)},{written},{_CHANNELS[chance >> 32 & 7]},{_CATEGORIES[category]},"
            f"{_AGENTS[agent]},{_CENTERS[agent % CENTERS]},{begun}"
        )

    @staticmethod
    def _start(number: int, month: Month, chance: int) -> int:
        """Return a start: spread over the month, a few shortly before it, which arrived late."""
        span = month.end - month.begin
        if month.first and chance & 511 == 0:
            return month.begin - 1 - chance % (3 * _DAY)
        return month.begin + ((number - month.first) * span // month.adds + chance % 7200) % span

    def _ended(self, start: int, chance: int, chance_of_end: int) -> str:
        """Return the cells of the end, each after a comma."""
        channel, chance = _CHANNELS[chance >> 32 & 7], chance_of_end
        halves = 4 + chance % 60
        rating = _RATINGS[chance >> 6 & 7] if chance >> 9 & 7 == 0 else ""
        if channel != "phone":
            solved = self._moment(start + halves * (300 if channel == "email" else 30))
            length = "0.0" if channel == "email" else ""
            return f",{solved},{solved},{length},{rating}"
        tail = 5 + (chance >> 12 & 7) if chance >> 16 & 7 == 0 else 0
        solved, ended = (
            self._moment(start + halves * 30),
            self._moment(start + (halves + tail) * 30),
        )
        return f",{solved},{ended},{_LENGTHS[chance >> 20 & 1][halves + tail]},{rating}"

    def _moment(self, seconds: int) -> str:
        day, second = divmod(seconds, _DAY)
        return f"{self._days[day]}{_MINUTES[second // 60]}{_SECONDS[second % 60]}"
