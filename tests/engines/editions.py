"""What an edition gives, from a ledger and from a lake of the same events, to be held together.

Values are compared as they are written in Python: `1` is not `1.0`, nor `0.0` `-0.0`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ledger import Ledger, WrongUsage
from ledger.datasets.support.answers import answer_questions, asked_quarter
from ledger.datasets.support.description import SUPPORT
from ledger.datasets.support.measures import NAMED
from ledger.datasets.support.report import read_report
from ledger.engines.base import Engine
from ledger.engines.lake_replay import LakeReplay
from ledger.lake.folder import open_lake
from ledger.lake.records import known_records, records_store
from ledger.model.dataset import SecondsBetween, Summary, Table, Type
from ledger.model.presentation import plain
from ledger.outputs.manifest import MANIFEST
from ledger.replay.incremental import EXACT
from ledger.replay.labels import Names
from ledger.replay.projection import build_temp_projection
from ledger.replay.replay import Replay
from ledger.replay.statements import projected_columns
from ledger.store.event_store import Store
from tests.chronicle import Chronicle, Plan, chronicle_of
from tests.replays import replay_of
from tests.strategies import COLUMNS, DeliveredFile, Deliveries, small_file

Found = dict[str, Any]
"""By the name of a table, a summary or a result, all that is in it."""

ZONES = ("UTC", "America/New_York", "Asia/Kathmandu")
"""Of the machine or the session; that of the data set is New York's."""

ROWS = "SELECT {columns} FROM {source} AS {table} ORDER BY {key}"


class LakeOfEditions:
    """A lake, looked at once: of a small one that takes longer than what is then done with it."""

    def __init__(self, root: Path) -> None:
        """Look at a lake that nobody adds to."""
        self._layout = open_lake(root, SUPPORT)
        self._records = known_records(self._layout)

    @contextmanager
    def replaying(self, engine: Engine, as_of: int, batch: int) -> Iterator[LakeReplay]:
        """The replay of an edition."""
        with records_store(self._records) as store:
            yield LakeReplay(engine, self._layout, replay_of(store, as_of, batch))


def rows_sql(table: Table, source: str) -> str:
    """The query that gives all projected columns of a table, in the order of its key."""
    columns = ", ".join(projected_columns(table))
    return ROWS.format(columns=columns, source=source, table=table.name, key=table.key)


INEXACT = "inexact"
"""What is found in the place of summaries whose sums depend on their order."""


def found_in_ledger(ledger: Ledger, as_of: int, batch: int) -> Found:
    """What SQLite gives of an edition, replayed from the events."""
    with Store.for_reading(ledger.path) as store, store.snapshot():
        replay = replay_of(store, as_of, batch)
        build_temp_projection(replay)
        tables = {
            table.name: written(store.rows(rows_sql(table, table.name))) for table in SUPPORT.tables
        }
        if any(_is_inexact(store, summary) for summary in SUPPORT.summaries):
            return {**tables, INEXACT: True}
        return {**tables, **_results(replay)}


def _is_inexact(store: Store, summary: Summary) -> bool:
    """Whether sums of a summary depend on their order: as of a call that ends in the year 9999."""
    ((most,),) = store.rows(f"SELECT max({summary.magnitude}) FROM {summary.name}")
    return most is not None and most > EXACT


def found_in_replay(replay: LakeReplay) -> Found:
    """What an engine gives of an edition."""
    tables = {
        table.name: written(replay.engine.rows(rows_sql(table, f"({replay.replayed(table)})")))
        for table in SUPPORT.tables
    }
    return {**tables, **summed_up(replay)}


def summed_up(replay: LakeReplay) -> Found:
    """The summaries of a replay, and what comes of them; or that they are refused as inexact."""
    try:
        replay.fill_summaries(SUPPORT)
    except WrongUsage as refused:
        if "depend on the order" not in str(refused):
            raise
        return {INEXACT: True}
    replay.fill_named(NAMED, SUPPORT)
    return _results(replay.of_records)


def written(rows: Iterable[tuple[Any, ...]]) -> list[str]:
    """Rows as Python writes them."""
    return [repr(tuple(row)) for row in rows]


def _results(replay: Replay) -> Found:
    found: Found = {"edition": replay.edition}
    for summary in SUPPORT.summaries:
        found[summary.name] = sorted(written(replay.rows(f"SELECT * FROM {summary.name}")))
    for names in Names:
        report = read_report(replay, names)
        found[f"report {names}"] = (repr(report.rows), report.notes)
        quarter = asked_quarter(None, replay.edition)
        answers = answer_questions(replay, quarter, names, sensitivity=True)
        found[f"answers {names}"] = repr(answers), json.dumps(plain(answers))
    return found


def exported(source: Ledger, folder: Path, **options: Any) -> dict[str, bytes]:
    """What is exported of a ledger, by the names of the tables; parts are joined."""
    _export(source, folder, **options)
    return {path.name: content(path) for path in folder.iterdir() if path.name != MANIFEST}


def content(path: Path) -> bytes:
    """The bytes of a file, or of the parts in a folder, one after the other."""
    if path.is_file():
        return path.read_bytes()
    return b"".join(part.read_bytes() for part in sorted(path.glob("part-*")))


def _export(source: Ledger, folder: Path, **options: Any) -> None:
    edition = {name: options.pop(name, None) for name in ("as_of", "known_at")}
    source.at(**edition).export(folder, **options)


def parquet_rows(path: Path) -> list[str]:
    """The values in a file of Parquet, or in the files of a folder in order, and their types."""
    import pyarrow.parquet as pq

    paths = [path] if path.is_file() else sorted(path.glob("part-*"))
    tables = [pq.ParquetFile(part).read() for part in paths]
    rows = [row for table in tables for row in written(map(tuple, _values(table)))]
    return [*sorted({str(table.schema.remove_metadata()) for table in tables}), *rows]


def _values(table: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.to_pylist() for column in table.columns), strict=True)


def assert_exported_alike(ledger: Ledger, lake: Ledger, folder: Path, **options: Any) -> None:
    """Hold what is exported of a lake to what is exported of the ledger, in every format.

    Args:
        ledger: of the events.
        lake: the ledger in a lake of them.
        folder: that is not there yet.
        options: of both, of what edition they are.
    """
    for format in ("csv", "json"):
        wanted = exported(ledger, folder / f"ledger-{format}", format=format, **options)
        assert exported(lake, folder / f"lake-{format}", format=format, **options) == wanted
    for source, place in ((ledger, "ledger"), (lake, "lake")):
        _export(source, folder / place, format="parquet", **options)
    for path in (folder / "ledger").glob("*.parquet"):
        assert parquet_rows(folder / "lake" / path.name) == parquet_rows(path), path.name


@contextmanager
def published(plan: Plan) -> Iterator[tuple[Chronicle, Path]]:
    """Carry out a plan, and publish the ledger to a lake."""
    with chronicle_of(plan) as chronicle:
        lake = chronicle.folder / "lake"
        chronicle.ledger.publish(lake)
        yield chronicle, lake


def interaction(key: str, **cells: str) -> tuple[str, ...]:
    """The cells of an interaction by phone: what is not named is blank."""
    named = {"interaction_id": key, "channel": "phone", **cells}
    return tuple(named.get(column, "") for column in COLUMNS["interactions"])


ODD_TEXTS = (
    'the "old" one',
    "two\nlines",
    "a\r\nb",
    "back\\slash \\n \\' \\",
    "$name ${name} %s {0}",
    "\x01\x1e\x1f\x7f",
    "\U0001f600 \u2028 \u2029 \u0085",
    "'; --",
    "\u00e9 e\u0301 \u0130 \u00df",
    "\ufeffbom",
    "=1+1",
    ",",
    "NULL",
)
"""Texts that one form or another has to write in its own way."""

ODD_KEYS = ("007", "7", "INT1", "int1", "Int 1", "\U0001f600", "\ufffd", "a\nb", 'q"', "-1", "$1")
"""Keys of which some engine could make one, or another order: the last two of Unicode's planes."""

NEAR_THE_MIDDLE = (
    *("0.0000005", "0.00000049999999999999994", "4.9999999999999994e-7", "0.0000015", "1e-7"),
    *("-0.0000005", "-0.0000015", "-0.0000004", "-0", "-0.0", "0", "2.5000005", "1.0000015"),
    *("0.0000025", "1e300", "-1e300", "1e-300", "4.15", "936.500788", "123456.0000005"),
    *("0.1234565", "0.30000000000000004", "33.3333335", "99999999.9999995", "8.0000005"),
)
"""Minutes close to the middle between two millionths, and others that are hard to round.

No double times a million is 0.49999999999999994, which alone engines round differently.
"""


def odd_plan() -> Plan:
    """Two months, a correction, a late file and a retraction, of what is odd in every way."""
    times = ("2025-03-09T06:59:59Z", "2025-03-09T07:00:00.5Z", "2025-02-01T04:59:59Z", "tomorrow")
    numbered = [
        interaction(
            f"N{number:02}",
            call_duration_minutes=minutes,
            satisfaction_rating=minutes,
            contact_center_id=f"CC{number % 3}",
            category_id="CAT1",
            interaction_start=times[number % 4],
            agent_resolution_timestamp="2025-03-09T07:00:00.000001Z",
            interaction_end=times[(number + 1) % 4],
            timestamp="2025-02-01T06:30:00+02:00",
        )
        for number, minutes in enumerate(NEAR_THE_MIDDLE)
    ]
    keyed = [interaction(key, contact_center_id="CC1", category_id="CAT1") for key in ODD_KEYS]
    first = (
        small_file("interactions", None, *numbered, *keyed),
        small_file("contact_centers", None, *((f"CC{n}", t, t) for n, t in enumerate(ODD_TEXTS))),
        small_file("service_categories", None),
        small_file(
            "interactions",
            202502,
            ("delete", "N00"),
            ("update", *interaction("N01", call_duration_minutes="14")),
            ("add", *interaction("N00", interaction_start="2025-02-05T13:00:00Z")),
        ),
    )
    then: tuple[DeliveredFile | tuple[str, int], ...] = (
        small_file("service_categories", 202503, ("add", "CAT1", *ODD_TEXTS[:2])),
        small_file("contact_centers", 202502, ("update", "CC1", *ODD_TEXTS[2:4])),
        small_file("interactions", 202502, ("delete", "int1"), ("delete", "007")),
        ("interactions", 202502),
    )
    return Plan(Deliveries(202501, first), then)


def nothing_plan() -> Plan:
    """A file without rows, a table of which all is deleted, and tables that never came."""
    first = (
        small_file("agents", None),
        small_file("interactions", None, interaction("INT1", call_duration_minutes="1")),
        small_file("interactions", 202502, ("delete", "INT1")),
    )
    return Plan(Deliveries(202501, first), (("agents", 202501), ("interactions", 202501)))


def huge_plan() -> Plan:
    """A month of plain calls, then one of which no double holds every sum."""
    calls = [interaction(f"INT{n}", call_duration_minutes=f"{n}") for n in range(3)]
    most = ("9000000000000000000", "0.000001", "-9e18")
    huge = [interaction(f"H{n}", call_duration_minutes=m) for n, m in enumerate(most)]
    first = (
        small_file("interactions", None, *calls),
        small_file("interactions", 202502, *(("add", *row) for row in huge)),
    )
    return Plan(Deliveries(202501, first), ())


def column_types(ledger: Ledger, table: Table) -> list[tuple[str, str]]:
    """The columns of a projected table in the ledger, and their types: `TEXT` or `REAL`."""
    with Store.for_reading(ledger.path) as store:
        info = store.rows(f"SELECT name, type FROM pragma_table_info('{table.name}')")
        return [(name, type) for name, type in info]


def united_sql(replay: LakeReplay) -> str:
    """One query for all tables of a replay, for where each query costs: `united_rows` reads it."""
    texts, numbers = 12, 5
    selects = []
    for table in SUPPORT.tables:
        shown = _by_type(table)
        cells = [
            cell
            for names, most, type in ((shown[0], texts, "STRING"), (shown[1], numbers, "DOUBLE"))
            for cell in [*names, *[f"CAST(NULL AS {type})"] * (most - len(names))]
        ]
        source = f"({replay.replayed(table)}) AS replayed"
        selects.append(f"SELECT '{table.name}', {', '.join(cells)} FROM {source}")
    return " UNION ALL ".join(selects)


def united_rows(rows: Iterable[tuple[Any, ...]]) -> Found:
    """The rows of all tables, as `found_in_ledger` has them."""
    cells: dict[str, list[dict[str, Any]]] = {table.name: [] for table in SUPPORT.tables}
    for name, *values in rows:
        texts, numbers = _by_type(SUPPORT.table(name))
        shown = [*texts, *[""] * (12 - len(texts)), *numbers]
        cells[name].append(dict(zip(shown, values, strict=False)))
    found = {}
    for table in SUPPORT.tables:
        of_table = sorted(cells[table.name], key=lambda row: row[table.key].encode())
        columns = projected_columns(table)
        found[table.name] = written(tuple(row[name] for name in columns) for row in of_table)
    return found


def _by_type(table: Table) -> tuple[list[str], list[str]]:
    """The columns of a table that hold texts, and those that hold numbers."""
    numbers = [c.name for c in table.columns if c.type is Type.NUMBER]
    numbers += [column.name for column in table.derived if isinstance(column, SecondsBetween)]
    return [name for name in projected_columns(table) if name not in numbers], numbers
