"""Delivers whole files, sound and mutated, and says where the ledger did not do what it must.

Another reader says of each file whether it must be refused, and what its rows are. A file that is
refused must leave the ledger's file as it was, byte for byte; one that is accepted must be there
with exactly those rows. From time to time all that was accepted is replayed by another fold, and
held to what is exported.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from ledger import InputRefused, Ledger, LedgerError
from tests import oracle
from tests.corpus.mutations import Mutant, mutant, mutated_name
from tests.corpus.reader import Faulty, Row, read_delivery
from tests.corpus.sound import INITIAL, KINDS, placed
from tests.strategies import COLUMNS, small_file, write_data_folder

EXTRACT_MONTH = 202501
RECORDED_AT_MOST = 16
"""After so many recorded deliveries a ledger is checked as a whole, and begun anew."""
REHEARSED = 8
"""Every eighth delivery is rehearsed first."""


class Discrepancy(Exception):
    """The ledger did not do what it must."""


@dataclass
class Tally:
    """What became of the deliveries.

    Attributes:
        refused: how many were, by the code of the first problem.
        accepted: how many were, by their number of rows.
        exports: how many times all that was accepted was held to an export.
        discrepancies: what is wrong.
    """

    refused: Counter[str] = field(default_factory=Counter)
    accepted: Counter[int] = field(default_factory=Counter)
    exports: int = 0
    discrepancies: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count another tally in."""
        self.refused += other.refused
        self.accepted += other.accepted
        self.exports += other.exports
        self.discrepancies += other.discrepancies

    def __str__(self) -> str:
        accepted, rows = self.accepted.total(), sum(n * k for n, k in self.accepted.items())
        lines = [
            f"{accepted + self.refused.total()} deliveries: {accepted} accepted with {rows} rows, "
            f"{self.refused.total()} refused; {self.exports} exports compared",
            "refused by first problem: "
            + ", ".join(f"{count} {code}" for code, count in self.refused.most_common()),
        ]
        return "\n".join([*lines, f"{len(self.discrepancies)} discrepancies", *self.discrepancies])


class Bench:
    """Ledgers to deliver to, begun anew when they have grown."""

    def __init__(self, folder: Path) -> None:
        """Prepare them in a folder."""
        self._folder = folder
        self._templates = {
            table: self._prepare(table, [other for other in COLUMNS if other != table])
            for table in COLUMNS
        }
        self._templates[""] = self._prepare("all", [*COLUMNS])
        self._ledger = Ledger(folder / "ledger.db")
        self._extracts = Ledger(folder / "extracts.db")
        self.tally = Tally()
        self.restart()

    def _prepare(self, name: str, tables: list[str]) -> Path:
        data = self._folder / "data"
        write_data_folder(data, [small_file(table, None) for table in tables])
        path = self._folder / "templates" / f"{name}.db"
        path.parent.mkdir(exist_ok=True)
        Ledger(path).ingest(data, initial_month=str(EXTRACT_MONTH))
        shutil.rmtree(data)
        return path

    def restart(self) -> None:
        """Begin with a ledger that knows an extract without rows."""
        shutil.copyfile(self._templates[""], self._ledger.path)
        self._before = self._ledger.path.read_bytes()
        self._month = EXTRACT_MONTH
        self._recorded: list[tuple[str, list[Row]]] = []

    def deliver(self, mutant: Mutant, *, rehearse: bool = False) -> None:
        """Deliver one file, and count what became of it.

        Raises:
            Discrepancy: it is not what must become of it.
        """
        try:
            columns, delta = COLUMNS[mutant.table], mutant.kind != INITIAL
            rows = read_delivery(mutant.content, columns, delta=delta)
        except Faulty as faulty:
            expected: list[Row] | Faulty = faulty
        else:
            expected = rows
        if mutant.kind == INITIAL:
            shutil.copyfile(self._templates[mutant.table], self._extracts.path)
            ledger, before = self._extracts, self._templates[mutant.table].read_bytes()
            month = EXTRACT_MONTH
        else:
            ledger, before, month = self._ledger, self._before, _next(self._month)
        with self._written(placed(mutant.table, mutant.kind, month), mutant.content) as path:
            if rehearse:
                self._rehearse(ledger, path, before, expected)
            outcome = _ingest(ledger, path)
        if isinstance(expected, Faulty):
            self._check_refusal(outcome, expected, ledger, before, mutant.content)
            return
        if outcome is not None:
            raise Discrepancy(f"it is sound, and refused: {outcome}")
        _check_events(ledger, mutant.table, expected)
        self.tally.accepted[len(expected)] += 1
        if ledger is self._ledger:
            self._month, self._before = month, ledger.path.read_bytes()
            self._recorded.append((mutant.table, expected))
            if len(self._recorded) >= RECORDED_AT_MOST:
                self.finish()

    def finish(self) -> None:
        """Hold what the ledger exports to all that it recorded, and begin anew."""
        format = ("csv", "json")[self.tally.exports % 2]
        state = _fold(self._recorded)
        for table, rows in state.items():
            found = _exported(self._ledger, self._folder / "out", table, format)
            if found != rows:
                raise Discrepancy(f"the export of {table} as {format} is not what was recorded")
        self.tally.exports += 1
        self.restart()

    def _rehearse(
        self, ledger: Ledger, path: Path, before: bytes, expected: list[Row] | Faulty
    ) -> None:
        outcome = _ingest(ledger, path, dry_run=True)
        if (outcome is None) != isinstance(expected, list):
            raise Discrepancy(f"rehearsed, it is taken otherwise: {outcome}, {expected}")
        if ledger.path.read_bytes() != before:
            raise Discrepancy("a rehearsal changed the ledger")

    @contextmanager
    def _written(self, name: str, content: bytes) -> Iterator[Path]:
        path = self._folder / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        try:
            yield path
        finally:
            path.unlink()

    def _check_refusal(
        self,
        outcome: InputRefused | None,
        faulty: Faulty,
        ledger: Ledger,
        before: bytes,
        content: bytes,
    ) -> None:
        if outcome is None:
            raise Discrepancy(f"it is accepted, and must be refused: {faulty}")
        if ledger.path.read_bytes() != before:
            raise Discrepancy("it is refused, and changed the ledger")
        beside = [path.name for path in self._folder.iterdir() if path.name.startswith(".")]
        if beside or ledger.path.with_name(f"{ledger.path.name}-journal").exists():
            raise Discrepancy(f"it is refused, and files are left: {beside}")
        lines = content.count(b"\n") + 1
        if not outcome.problems:
            raise Discrepancy("it is refused without a problem")
        for problem in outcome.problems:
            if problem.line is not None and not 1 <= problem.line <= lines:
                raise Discrepancy(f"there is no such line: {problem}")
        self.tally.refused[outcome.problems.kept[0].code] += 1


@contextmanager
def bench() -> Iterator[Bench]:
    """A bench in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Bench(Path(folder))


def fuzz(seed: int, numbers: range, most: int = 10) -> Tally:
    """Deliver the mutants of a seed with these numbers; stop at so many discrepancies."""
    with bench() as to_deliver:
        tally = to_deliver.tally
        for number in numbers:
            try:
                chosen = mutant(Random(f"{seed}:{number}"))
                to_deliver.deliver(chosen, rehearse=number % REHEARSED == 0)
            except Exception as error:
                where = f"{seed}:{number}, {chosen.table} {chosen.kind} {chosen.content!r}"
                tally.discrepancies.append(f"{type(error).__name__}: {error}\n  {where}")
                to_deliver.restart()
            if len(tally.discrepancies) >= most:
                return tally
        to_deliver.finish()
        return tally


def fuzz_cuts(contents: list[Mutant]) -> Tally:
    """Deliver files cut at every byte."""
    with bench() as to_deliver:
        for whole in contents:
            for end in range(len(whole.content) + 1):
                cut = Mutant(whole.table, whole.kind, whole.content[:end])
                try:
                    to_deliver.deliver(cut)
                except Exception as error:
                    text = f"{type(error).__name__}: {error}\n  {cut}"
                    to_deliver.tally.discrepancies.append(text)
                    to_deliver.restart()
        to_deliver.finish()
        return to_deliver.tally


def fuzz_names(seed: int, numbers: range) -> list[str]:
    """Deliver files of odd names in folders; say which were not taken as they must be."""
    discrepancies = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = Ledger(folder / "ledger.db")
        ledger.ingest(
            files=write_data_folder(folder, [small_file(table, None) for table in COLUMNS]),
            initial_month=str(EXTRACT_MONTH),
        )
        before = ledger.path.read_bytes()
        for number in numbers:
            random = Random(f"{seed}:{number}")
            kind, name = random.choice(KINDS), mutated_name(random)
            found, expected = _deliver_name(ledger, folder, kind, name), _fate(kind, name)
            if found != expected or ledger.path.read_bytes() != before:
                discrepancies.append(f"{seed}:{number}, {kind}/{name!r}: {found}, not {expected}")
    return discrepancies


def _deliver_name(ledger: Ledger, folder: Path, kind: str, name: str) -> int:
    """Rehearse a data folder with one file of a name, and give the exit code."""
    data = Path(tempfile.mkdtemp(dir=folder))
    path = data / kind / name
    path.parent.mkdir()
    table, delta, _ = name.removesuffix(".csv").partition("_delta_")
    columns = COLUMNS.get(table, ("x",))
    path.write_text(",".join([*columns, *(["action"] if delta else [])]) + "\n\n")
    try:
        ledger.ingest(data, dry_run=True)
    except LedgerError as error:
        return error.exit_code
    finally:
        shutil.rmtree(data)
    return 0


def _fate(kind: str, name: str) -> int:
    """The exit code for a file of a name, in words of docs/deliveries.md."""
    if name.startswith(".") or not name.lower().endswith(".csv"):
        return 2  # Left alone, and then there is nothing to ingest.
    tables = "|".join(COLUMNS)
    if kind == INITIAL:
        # Other bytes than those recorded.
        return 7 if re.fullmatch(rf"({tables})\.csv", name) else 3
    delta = re.fullmatch(rf"({tables})_delta_([0-9]{{4}})([0-9]{{2}})\.csv", name)
    if not delta or not (int(delta[2]) >= 1900 and 1 <= int(delta[3]) <= 12):
        return 3
    # It must follow on the extract.
    return 0 if int(delta[2] + delta[3]) == EXTRACT_MONTH + 1 else 7


def _next(month: int) -> int:
    return month + 1 if month % 100 < 12 else month + 89


def _ingest(ledger: Ledger, path: Path, *, dry_run: bool = False) -> InputRefused | None:
    """Record a file; whatever is raised but a refusal is a discrepancy."""
    try:
        ledger.ingest(files=[path], dry_run=dry_run)
    except InputRefused as refused:
        return refused
    return None


def _check_events(ledger: Ledger, table: str, expected: list[Row]) -> None:
    columns = COLUMNS[table]
    sql = (
        f"SELECT line, action, {', '.join(columns)} FROM {table}_events "
        "WHERE file = (SELECT max(file) FROM files) ORDER BY event_id"
    )
    with closing(sqlite3.connect(ledger.path)) as connection:
        found = connection.execute(sql).fetchall()
        ((events,),) = connection.execute("SELECT events FROM batches ORDER BY batch DESC LIMIT 1")
    rows = [(row.line, row.action, *(row.cells[name] for name in columns)) for row in expected]
    if found != rows or events != len(rows):
        raise Discrepancy(f"recorded {found}, not {rows}")


def _fold(recorded: list[tuple[str, list[Row]]]) -> dict[str, oracle.Rows]:
    state: dict[str, oracle.Rows] = {table: {} for table in COLUMNS}
    for table, rows in recorded:
        for row in rows:
            key = row.cells[COLUMNS[table][0]] or ""
            if row.action == "delete":
                state[table].pop(key, None)
            else:
                state[table][key] = oracle.typed(row.cells)
    return {
        table: {key: {name: row[name] for name in COLUMNS[table]} for key, row in rows.items()}
        for table, rows in state.items()
    }


def _exported(ledger: Ledger, folder: Path, table: str, format: str) -> oracle.Rows:
    ledger.at().export(folder, format=format, tables=[table])
    content = (folder / f"{table}_final.{format}").read_bytes().decode()
    if format == "json":
        rows = json.loads(content)
    else:
        reader = csv.DictReader(io.StringIO(content, newline=""), strict=True)
        rows = [{name: _read_back(name, cell) for name, cell in row.items()} for row in reader]
    return {row[COLUMNS[table][0]]: row for row in rows}


def _read_back(name: str, cell: str) -> oracle.Value:
    return float(cell) if cell and name in oracle.NUMBERS else cell or None
