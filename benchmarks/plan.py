"""What is measured: each thing, who does it, and the goal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Contender, Measure, Step
from benchmarks.peers.delivered import REPORT
from benchmarks.place import Place

PARQUET_MIB = 300


@dataclass(frozen=True)
class Plan:
    """Builds the measures for a number of events.

    Attributes:
        place: the files.
        peers_python: the interpreter of the peers.
        peers: the names of those that are there.
    """

    place: Place
    peers_python: str
    peers: frozenset[str]

    def cold(self) -> Iterator[Measure]:
        """Everything from the files, by one command."""
        place = self.place
        out = str(place.work / "cold")
        argv = self._ledger(
            *("run", "--data-dir", str(place.data), "--db", str(place.work / "cold.db")),
            *("--out-dir", out, "--report-dir", out),
        )
        ours = Contender("ledger", (Step("run", argv),), place.clearing("cold.db", "cold"))
        peers = [
            self._job("pandas", place.data, out, 0.25, 0.25),
            self._job("duckdb", place.data, out, 4, 0.25),
            self._job("polars", place.data, out),
        ]
        yield Measure("cold: all from the files", ours, self._there(*peers))

    def month(self) -> Iterator[Measure]:
        """The month after the last, on a ledger with all before it and their projection."""
        place = self.place
        db, out = str(place.work / "month.db"), str(place.work / "month")

        def prepare() -> None:
            place.copy(place.projected, "month.db")
            place.fresh("month")

        commands = (
            ("ingest", "--data-dir", str(place.data / "next")),
            ("project",),
            ("report", "--out-dir", out),
            ("answers",),
        )
        steps = tuple(Step(name, self._ledger(name, *rest, "--db", db)) for name, *rest in commands)
        again = self._job("duckdb", place.grown, out, 0.1, only=REPORT)
        yield Measure(
            "new month: ingest, project, report, answers",
            Contender("ledger", steps, prepare),
            self._there(again),
            growth_goal=0.2,
        )
        run = self._ledger(
            *("run", "--data-dir", str(place.grown), "--db", db),
            *("--out-dir", out, "--report-dir", out),
        )
        yield Measure(
            "new month: run, with the whole folder and all exports",
            Contender("ledger", (Step("run", run),), prepare),
            self._there(self._job("duckdb", place.grown, out)),
        )

    def ingest(self) -> Iterator[Measure]:
        """Recording the files."""
        place = self.place
        db = str(place.work / "ingested.db")
        argv = self._ledger("ingest", "--data-dir", str(place.data), "--db", db)
        peers = []
        if "shell" in self.peers:
            events = place.script("events", place.recorded)
            raw = place.script("raw", place.data)
            new, text = place.work / "imported.db", place.work / "imported-text.db"
            check = (place.python, "-m", "benchmarks.peers.shell", "check", db, str(new))
            peers = [
                self._shell("sqlite3 .import, same tables", new, events, 1.3, check),
                self._shell("sqlite3 .import, plain text", text, raw),
            ]
        ours = Contender("ledger", (Step("ingest", argv),), place.clearing("ingested.db"))
        yield Measure("ingest", ours, self._there(*peers))

    def replay(self) -> Iterator[Measure]:
        """Reading the interactions as of a month, nothing stored."""
        for name, month in self._chosen_months():
            for stream, goal in (("replay", 1.7), ("typed", None)):
                step = Step(stream, self._stream(stream, month), tells_seconds=True)
                ours = Contender("ledger", (step,))
                what = "replay, streamed" if goal else "replay, typed, in local time"
                yield Measure(f"{what}: {name}", ours, (self._scan(month, goal),))

    def report(self) -> Iterator[Measure]:
        """The report as of a month, nothing stored."""
        for name, month in self._chosen_months():
            argv = self._ledger(
                *("report", "--as-of", month, "--db", str(self.place.recorded)),
                *("--out-dir", str(self.place.work / "report")),
            )
            ours = Contender("ledger", (Step("report", argv),))
            peers = (self._scan(month, 2.3),)
            yield Measure(f"report, not stored: {name}", ours, peers, seconds_goal=3)

    def export(self) -> Iterator[Measure]:
        """Writing the projected tables as files."""
        ours, theirs = (str(self.place.work / name) for name in ("export-csv", "shell-csv"))
        csv = self._shell_csv(1.5, self._check(ours, theirs, "interactions_final.csv"))
        yield Measure("export, CSV", self._export("csv"), self._there(*csv))
        yield Measure("export, JSON", self._export("json"), self._there(*self._shell_csv(1.8)))
        peers = []
        if "adbc" in self.peers:
            out = str(self.place.work / "adbc")
            argv = (
                self.peers_python,
                "-m",
                "benchmarks.peers.adbc",
                str(self.place.projected),
                out,
            )
            step = Step("export", argv)
            peers = [Contender("ADBC and pyarrow", (step,), self.place.clearing("adbc"),
                               time_goal=1.3)]  # fmt: skip
        parquet = self._export("parquet")
        yield Measure("export, Parquet", parquet, self._there(*peers), mib_goal=PARQUET_MIB)

    def verify(self) -> Iterator[Measure]:
        """Verifying a ledger with a projection."""
        yield self._alone("verify", "verify", seconds_goal=12)
        yield self._alone("verify --quick", "verify", "--quick", seconds_goal=5)

    def startup(self) -> Iterator[Measure]:
        """Commands of which one expects that they answer at once, and those that tell more."""
        last, before = self.place.months[-1], self.place.months[-2]
        help_step = Step("help", self._ledger("--help"))
        yield Measure("--help", Contender("ledger", (help_step,)), seconds_goal=0.2)
        yield self._alone("status", "status", seconds_goal=0.4)
        yield self._alone("answers, stored", "answers", seconds_goal=0.4)
        yield self._alone("history", "history", "interactions", self.place.key)
        yield self._alone("check", "check")
        yield self._alone("diff of two months", "diff", before, last)

    def _alone(self, name: str, *arguments: str, seconds_goal: float | None = None) -> Measure:
        argv = self._ledger(*arguments, "--db", str(self.place.projected))
        step = Step(arguments[0], argv)
        return Measure(name, Contender("ledger", (step,)), seconds_goal=seconds_goal)

    def _chosen_months(self) -> list[tuple[str, str]]:
        months = self.place.months
        middle = months[len(months) // 2]
        return [("last month", months[-1]), ("a middle month", middle), ("first month", months[0])]

    def _ledger(self, *arguments: str) -> tuple[str, ...]:
        return (self.place.python, "-m", "ledger", *arguments)

    def _stream(self, what: str, month: str) -> tuple[str, ...]:
        place = self.place
        return (place.python, "-m", "benchmarks.streams", what, str(place.recorded), month)

    def _scan(self, month: str, goal: float | None) -> Contender:
        step = Step("scan", self._stream("scan", month), tells_seconds=True)
        return Contender("plain scan", (step,), time_goal=goal)

    def _job(
        self,
        peer: str,
        data: Path,
        ours: str,
        time_goal: float | None = None,
        memory_goal: float | None = None,
        *,
        only: str | None = None,
    ) -> Contender:
        """The whole job by a peer, held to what the ledger wrote to the folder `ours`."""
        out = f"{peer}-out"
        theirs = str(self.place.work / out)
        step = Step("job", (self.peers_python, "-m", f"benchmarks.peers.{peer}", str(data), theirs))
        check = self._check(ours, theirs, only)
        return Contender(peer, (step,), self.place.clearing(out), (check,), time_goal, memory_goal)

    def _shell(
        self,
        name: str,
        new: Path,
        script: Path,
        goal: float | None = None,
        *checks: tuple[str, ...],
    ) -> Contender:
        step = Step("import", ("sqlite3", "-batch", "-bail", str(new), f".read '{script}'"))
        return Contender(name, (step,), self.place.clearing(new.name), checks, goal)

    def _check(self, ours: str, theirs: str, only: str | None) -> tuple[str, ...]:
        files = ("--only", only) if only else ()
        return (self.place.python, "-m", "benchmarks.peers.check", *files, ours, theirs)

    def _shell_csv(self, goal: float, *checks: tuple[str, ...]) -> list[Contender]:
        if "shell" not in self.peers:
            return []
        script = self.place.script("csv")
        argv = ("sqlite3", "-batch", "-bail", "-readonly", str(self.place.projected))
        step = Step("export", (*argv, f".read '{script}'"))
        return [Contender("sqlite3 shell, CSV", (step,), checks=checks, time_goal=goal)]

    def _export(self, format: str) -> Contender:
        name = f"export-{format}"
        argv = self._ledger(
            *("export", "--table", "interactions", "--format", format),
            *("--db", str(self.place.projected), "--out-dir", str(self.place.work / name)),
        )
        return Contender("ledger", (Step("export", argv),), self.place.clearing(name))

    def _there(self, *contenders: Contender) -> tuple[Contender, ...]:
        """Those whose programs are there; the shell and ADBC are looked for before."""
        jobs = {"pandas", "duckdb", "polars"}
        return tuple(one for one in contenders if one.name not in jobs or one.name in self.peers)


PARTS: dict[str, Callable[[Plan], Iterator[Measure]]] = {
    "cold": Plan.cold,
    "month": Plan.month,
    "ingest": Plan.ingest,
    "replay": Plan.replay,
    "report": Plan.report,
    "export": Plan.export,
    "verify": Plan.verify,
    "startup": Plan.startup,
}
