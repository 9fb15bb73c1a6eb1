"""What is measured of the engines: each thing, by which command, and what has to come out alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import Contender, Measure, Step
from benchmarks.place import Place

SQLITE = "SQLite"
ENGINES = {"duckdb": "DuckDB", "spark": "Spark"}
REPORT = "support_report.csv"
TABLES = ("agents", "contact_centers", "service_categories", "interactions")


@dataclass(frozen=True)
class Comparison:
    """A thing that is measured on the engines.

    Attributes:
        measure: it.
        outputs: by what was written, where each contender has written it, to be the same bytes.
    """

    measure: Measure
    outputs: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Builds the comparisons for a number of events.

    Attributes:
        place: the files.
        engines: those beside SQLite, `duckdb` or `spark`.
    """

    place: Place
    engines: tuple[str, ...]

    def publish(self) -> Iterator[Comparison]:
        """Making the lake, which the others read, and bringing it up to date."""
        place = self.place
        published = place.work / "published"

        def step(db: Path) -> tuple[Step, ...]:
            return (self._step("publish", str(published), "--db", str(db)),)

        def before() -> None:
            place.copy_folder(place.lake, published.name)

        whole = Contender(SQLITE, step(place.recorded), place.clearing(published.name))
        yield Comparison(Measure("publish: the whole log", whole))
        more = Contender(SQLITE, step(place.grown_ledger), before)
        yield Comparison(Measure("publish: one more month", more))
        nothing = Contender(SQLITE, step(place.recorded), before)
        yield Comparison(Measure("publish: nothing new", nothing))

    def report(self) -> Iterator[Comparison]:
        """The report as of a month, nothing stored."""
        db, lake, months = self.place.recorded, self.place.lake, self.place.months
        for name, month in (("last", months[-1]), ("first", months[0])):
            yield self._report(f"report of the {name} month", db, lake, "--as-of", month)

    def project(self) -> Iterator[Comparison]:
        """All typed tables as Parquet, the report and the answers."""
        place = self.place
        db, ours = place.work / "replayed.db", place.work / f"project-{SQLITE}"

        def prepare() -> None:
            place.copy(place.recorded, db.name)
            place.fresh(ours.name)

        out = ("--out-dir", str(ours))
        commands = (
            ("project", "--rebuild"),
            ("export", "--format", "parquet", *out),
            ("report", *out),
            ("answers",),
        )
        steps = tuple(self._step(*command, "--db", str(db)) for command in commands)
        base = Contender(SQLITE, steps, prepare)
        yield self._compared("project, with Parquet, report, answers", base, "project", place.lake)

    def export(self) -> Iterator[Comparison]:
        """All typed tables as CSV, nothing stored."""
        names = [f"{table}_final.csv" for table in TABLES]
        db = self.place.recorded
        base = self._contender(SQLITE, "export", "--db", str(db))
        yield self._compared("export of CSV", base, "export", self.place.lake, outputs=names)

    def ingest(self) -> Iterator[Comparison]:
        """Recording the files: in a ledger, or by Spark in a lake without one."""
        place = self.place
        db, lake = place.work / "ingested.db", place.work / "ingested"
        data = ("--data-dir", str(place.data))
        outputs = {name: place.work / f"ingest-{name}" for name in (SQLITE, ENGINES["spark"])}

        def check(name: str, *source: str) -> tuple[str, ...]:
            return self._argv("report", *source, "--out-dir", str(outputs[name]))

        base = Contender(
            SQLITE,
            (self._step("ingest", *data, "--db", str(db)),),
            place.clearing(db.name),
            (check(SQLITE, "--db", str(db)),),
        )
        spark = Contender(
            ENGINES["spark"],
            (self._step("ingest", "--engine", "spark", "--lake", str(lake), *data),),
            place.clearing(lake.name),
            (check(ENGINES["spark"], "--lake", str(lake)),),
        )
        reports = {name: folder / REPORT for name, folder in outputs.items()}
        yield Comparison(Measure("ingest", base, (spark,)), {REPORT: reports})

    def start(self, data: Path) -> Comparison:
        """The report of so few events that it takes as long as the engine needs to start.

        Args:
            data: a data folder.
        """
        db, lake = self.place.work / "sample.db", self.place.work / "sample"
        self.place.runner.run(self._step("ingest", "--data-dir", str(data), "--db", str(db)))
        self.place.runner.run(self._step("publish", str(lake), "--db", str(db)))
        return self._report("start: report of the sample data", db, lake)

    def _report(self, name: str, db: Path, lake: Path, *as_of: str) -> Comparison:
        base = self._contender(SQLITE, "report", *as_of, "--db", str(db))
        return self._compared(name, base, "report", lake, *as_of)

    def _compared(
        self,
        name: str,
        base: Contender,
        command: str,
        lake: Path,
        *arguments: str,
        outputs: list[str] | None = None,
    ) -> Comparison:
        """SQLite beside all engines that read the lake with a command."""
        peers = tuple(
            self._contender(
                ENGINES[engine], command, *arguments, "--lake", str(lake), "--engine", engine
            )
            for engine in self.engines
        )
        named = {
            output: {
                one.name: self.place.work / f"{command}-{one.name}" / output
                for one in (base, *peers)
            }
            for output in outputs or [REPORT]
        }
        return Comparison(Measure(name, base, peers), named)

    def _contender(self, name: str, command: str, *arguments: str) -> Contender:
        """One that writes to a folder of its own."""
        folder = f"{command}-{name}"
        step = self._step(command, *arguments, "--out-dir", str(self.place.work / folder))
        return Contender(name, (step,), self.place.clearing(folder))

    def _step(self, command: str, *arguments: str) -> Step:
        return Step(command, self._argv(command, *arguments))

    def _argv(self, *arguments: str) -> tuple[str, ...]:
        return (self.place.python, "-m", "ledger", *arguments)


PARTS: dict[str, Callable[[Plan], Iterator[Comparison]]] = {
    "publish": Plan.publish,
    "report": Plan.report,
    "project": Plan.project,
    "export": Plan.export,
    "ingest": Plan.ingest,
}
