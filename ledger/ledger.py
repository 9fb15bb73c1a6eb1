"""`Ledger`: what a user can do with a ledger, one method each."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.backends.ledger_file import FileBackend, recording
from ledger.datasets.support.description import SUPPORT
from ledger.errors import VerificationFailed, WrongUsage
from ledger.model.editions import EditionName, KnownAt, edition_name
from ledger.model.periods import Month, as_month, as_month_or_none
from ledger.model.records import Tag
from ledger.replay.replay import stored_edition
from ledger.store.event_store import Store
from ledger.store.user_query import Parameters, Query, user_query

if TYPE_CHECKING:
    from ledger.backends.protocols import Backend
    from ledger.datasets.support.restatements import Restatement
    from ledger.integrity.doctor import Diagnosis
    from ledger.integrity.verify import Verification
    from ledger.lake.publish import Published
    from ledger.lake.source import LakeVerification
    from ledger.model.progress import Progress
    from ledger.model.receipt import Receipt
    from ledger.model.records import LogEntry
    from ledger.recording.corrections import Retraction
    from ledger.recording.ingest import MonthIngest
    from ledger.recording.ingest_options import IngestOptions
    from ledger.replay.projection import Projected
    from ledger.replay.status import Status
    from ledger.snapshot import Comparison, Snapshot

PathLike = str | os.PathLike[str]


class Ledger:
    """A ledger and all that can be done with it: one in a file, or one in a lake.

    Months are given as `Month`, or as text: `202503` or `2025-03`. Every method opens the ledger
    for as long as it takes and raises `LedgerError` alone for what is not a bug.
    """

    def __init__(self, path: PathLike) -> None:
        """Name the ledger's file; it is made by the first `ingest`."""
        self._backend: Backend = FileBackend(Path(path), SUPPORT)
        self.dataset = SUPPORT

    @classmethod
    def of_lake(
        cls,
        root: PathLike,
        engine: str = "duckdb",
        *,
        master: str | None = None,
        remote: str | None = None,
        published_from: PathLike | None = None,
    ) -> Ledger:
        """Name a lake, which `publish` makes, in the place of a file.

        `at` gives its editions, with their report, answers, tables and exports; `ingest`, `project`
        and `verify` are there too. What only a file gives raises `WrongUsage`.

        Args:
            root: its folder: a path, or a `file:` URI.
            engine: `duckdb`, or `spark`; each needs the extra of its name. It is started by each
                method that replays.
            master: of Spark: `local[*]`, `spark://…`, `yarn`, `k8s://…`; by default this machine.
            remote: in its place a server of Spark Connect, `sc://…`.
            published_from: the file of the ledger that was published there, for `verify`.

        Raises:
            WrongUsage: there is no such engine, or the folder has a name that engines cannot take.
        """
        from ledger.engines.lake_backend import LakeBackend

        origin = None if published_from is None else Path(published_from)
        lake = LakeBackend(
            root, SUPPORT, engine, master=master, remote=remote, published_from=origin
        )
        ledger = cls(lake.root)
        ledger._backend = lake
        return ledger

    @property
    def path(self) -> Path:
        """The ledger's file.

        Raises:
            WrongUsage: the ledger is in a lake.
        """
        return self._backend.path

    def ingest(
        self,
        data: PathLike = "data",
        *,
        files: Sequence[PathLike] = (),
        months: Sequence[Month | str] = (),
        initial_month: Month | str | None = None,
        allow_gap: bool = False,
        late: bool = False,
        correct: str | None = None,
        refuse: Collection[str] = (),
        expect_rows: Mapping[str, int] | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> list[MonthIngest]:
        """Record what is new in a data folder, month by month.

        Args:
            data: a folder with `initial/<table>.csv` and `delta/<table>_delta_<YYYYMM>.csv`.
            files: single files of such names, in the place of a folder.
            months: only these; the initial extract comes first on an empty ledger.
            initial_month: at whose end the initial extract was made; by default the month
                before the earliest delta.
            allow_gap: a month before a delivered one may be missing.
            late: a file may belong to a month before the latest recorded one.
            correct: a file may come in the place of a recorded one of its table and month, whose
                events then no longer count; the text says why, and is kept with the batch.
            refuse: codes of findings that refuse a month; `any` for all of them.
            expect_rows: by table, how many rows its new file must have; of a table named, no more
                than one file may be new.
            dry_run: only say what would happen.
            progress: is told how many bytes of how many are read.

        Returns:
            what became of each month, in order.

        Raises:
            InputRefused: files are malformed, or have findings that are refused; the months
                before theirs stay recorded.
            SequenceBroken: files do not follow on what is recorded; likewise.
            WrongUsage: there is nothing to ingest; a correction has no reason; or it cannot be
                told which file is to have the number of rows expected.
            LedgerBusy: another process is writing.
            StorageFailed: the ledger cannot be made or written.
        """
        from ledger.recording.ingest_options import IngestOptions

        options = IngestOptions(
            data=data,
            files=files,
            months=[as_month(month) for month in months],
            initial_month=as_month_or_none(initial_month),
            allow_gap=allow_gap,
            late=late,
            correct=correct,
            refuse=refuse,
            expect_rows=expect_rows or {},
            dry_run=dry_run,
        )
        return list(self.ingest_months(options, progress))

    def ingest_months(
        self, options: IngestOptions, progress: Progress | None = None
    ) -> Iterator[MonthIngest]:
        """As `ingest`, but yield each month as soon as it is recorded.

        Raises:
            LedgerError: as of `ingest`.
        """
        return self._backend.ingest_months(options, progress)

    def publish(
        self, lake: PathLike, *, layout: str | None = None, progress: Progress | None = None
    ) -> Published:
        """Add to a lake what is recorded and not there yet: batch by batch, whole or not at all.

        Args:
            lake: its folder, made where there is none: a path, or a `file:` URI.
            layout: `parquet`, or `delta`, which needs the extra `lake`; by default that of the
                lake, or `parquet`.
            progress: is told how many events of how many are written.

        Raises:
            WrongUsage: the folder holds something else, or the lake is of another layout.
            VerificationFailed: the lake holds something else than this ledger.
            LedgerBusy: another process is writing to the lake.
            StorageFailed: the lake cannot be written; the batches in it are whole.
        """
        from ledger.lake.folder import lake_folder, make_lake
        from ledger.lake.publish import publish_store

        with Store.for_reading(self.path) as store, store.snapshot():
            there = make_lake(lake_folder(lake), self.dataset, layout)
            return publish_store(store, self.dataset, there, progress)

    def retract(
        self, table: str, month: Month | str, reason: str, *, dry_run: bool = False
    ) -> Retraction:
        """Take the file of a table and month out of force, with nothing in its place.

        Its events stay, and no longer count.

        Args:
            table: whose file it is.
            month: of the file.
            reason: why, to be kept with the batch.
            dry_run: only say what would happen.

        Raises:
            WrongUsage: there is no such file in force, or the reason is blank.
        """
        from ledger.recording.corrections import given_reason, retract

        chosen = self.dataset.table(table)
        with recording(self.path, dry_run) as store:
            return retract(store, chosen, as_month(month), given_reason(reason))

    def tag(
        self,
        name: str,
        as_of: EditionName | Month | str | None = None,
        *,
        known_at: KnownAt | None = None,
        dry_run: bool = False,
    ) -> Tag:
        """Give an edition a name, which then goes wherever a batch goes. It cannot be moved.

        Args:
            name: letters, digits, `.`, `_` and `-`, a letter first.
            as_of: by default the latest month known then.
            known_at: by default the last batch.
            dry_run: only say what would happen.

        Raises:
            WrongUsage: the name is that of another edition, or cannot be one.
        """
        from ledger.recording.tags import record_tag

        with recording(self.path, dry_run) as store:
            records = store.records()
            edition = records.edition(edition_name(as_of, known_at))
            return record_tag(store, records, name, edition)

    def tags(self) -> list[Tag]:
        """The names of editions, in the order in which they were given."""
        with Store.for_reading(self.path) as store:
            return store.tags()

    def project(
        self,
        as_of: EditionName | Month | str | None = None,
        *,
        known_at: KnownAt | None = None,
        out_dir: PathLike | None = None,
        rebuild: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Projected:
        """Store the projection as of a month in the ledger, in the place of the one before.

        It is brought up to date from that, which gives the same as to replay every event. Of a
        lake, the tables, the report and the answers are written as files, and nothing is stored.

        Args:
            as_of: by default the latest month known then.
            known_at: the batch, moment or tag up to which batches are taken into account; by
                default the last batch.
            out_dir: of a lake, the folder of the files.
            rebuild: replay every event, whatever is stored.
            dry_run: compute it, and leave the stored one as it is.
            progress: is told how many of how many tables and summaries are done; the same again
                and again while one of them takes long.

        Raises:
            WrongUsage: the month lies outside of what is recorded; a folder is named for a file,
                or none, `rebuild` or `dry_run` for a lake.
            LedgerError: as the ledger cannot be read or written.
        """
        return self._backend.project(
            edition_name(as_of, known_at),
            None if out_dir is None else Path(out_dir),
            progress,
            rebuild=rebuild,
            dry_run=dry_run,
        )

    def at(
        self,
        as_of: EditionName | Month | str | None = None,
        *,
        known_at: KnownAt | None = None,
    ) -> Snapshot:
        """The ledger in one edition: all that can be asked of its state.

        Args:
            as_of: a month, `202503`; or the name of an edition: a batch, a timestamp or a tag, or a
                month as it was known then: `2`, `2025-04-01T09:30:00Z`, `signed`, `202503@2`. By
                default the latest month known then.
            known_at: the batch, timestamp or tag up to which batches are taken into account; by
                default the last batch.

        Raises:
            WrongUsage: there is no such edition.
        """
        from ledger.snapshot import Snapshot

        name = edition_name(as_of, known_at)
        return Snapshot(self._backend.at(name), name)

    def compare(
        self, before: EditionName | Month | str, after: EditionName | Month | str
    ) -> Comparison:
        """Put two editions side by side; to be used in a `with` statement, or for one question.

        Args:
            before: the one edition, as for `at`.
            after: the other.

        Raises:
            WrongUsage: there is no such edition.
        """
        from ledger.snapshot import Comparison

        return Comparison(self.path, self.dataset, edition_name(before), edition_name(after))

    def editions(self) -> list[Restatement]:
        """For each batch and each month known after it: whether the report was restated."""
        from ledger.datasets.support.restatements import read_restatements

        with Store.for_reading(self.path) as store, store.snapshot():
            return list(read_restatements(store, store.records()))

    @contextmanager
    def query(self, sql: str, parameters: Parameters = ()) -> Iterator[Query]:
        """Run a query in SQL on the tables of the ledger, to be read within a `with` statement.

        It can read, and nothing else. Who records meanwhile waits until it is left.

        Args:
            sql: one statement, for SQLite.
            parameters: the values for its `?`, or by name those for its `:name`.

        Returns:
            its columns and rows, of which no more than one is held at a time.

        Raises:
            WrongUsage: it is no query, would do more than read, or fails; also while its rows are
                read.
        """
        with Store.for_query(self.path) as store, store.snapshot():
            projection = stored_edition(store, store.records())
            with user_query(store, sql, parameters) as (columns, rows):
                yield Query(columns, rows, projection)

    def log(self) -> list[LogEntry]:
        """All batches with their files, in the order in which they were recorded."""
        with Store.for_reading(self.path) as store, store.snapshot():
            return store.records().log()

    def status(self) -> Status:
        """Where the ledger stands."""
        from ledger.replay.status import read_status

        with Store.for_reading(self.path) as store, store.snapshot():
            return read_status(store, self.dataset)

    def diagnose(self, *, encoding: str | None = None, recover: bool = False) -> Diagnosis:
        """Examine all that the ledger needs: what is installed, and its file.

        Args:
            encoding: of the terminal, to be looked at too.
            recover: first undo what an interrupted writer left beside the file, where a copy on
                which that was done verifies.
        """
        from ledger.integrity.doctor import diagnose
        from ledger.store.recovery import recover_ledger

        def check(copy: Path) -> None:
            found = FileBackend(copy, self.dataset).verify()
            if found.faults:
                raise VerificationFailed(
                    f"{self.path} is not recovered, for of the recovered copy: {found.verdict}; "
                    "restore the ledger from a backup"
                )

        needed = partial(recover_ledger, self.path, check) if recover else None
        return diagnose(self.path, self.dataset, encoding, needed)

    def verify(
        self,
        *,
        receipts: Sequence[PathLike] = (),
        sources: PathLike | None = None,
        quick: bool = False,
        progress: Progress | None = None,
    ) -> Verification | LakeVerification:
        """Verify that the ledger is as it was recorded: its file, every event, every record.

        A lake is compared with the ledger that was published there, if `of_lake` names it.

        Args:
            receipts: files with receipts of it, to hold it to.
            sources: the folder of the delivered files, to be read again and held to the events.
            quick: leave out what is computed from the events: readings, local time, projection.
            progress: is told how many of how many events are done.

        Returns:
            what was found; all is well where it has no faults.

        Raises:
            WrongUsage: a file is no receipt, or there is no such folder; or `sources` or `quick` is
                given for a lake.
            LedgerError: as the ledger or a delivered file cannot be read.
        """
        return self._backend.verify(
            [Path(path) for path in receipts],
            None if sources is None else Path(sources),
            progress,
            quick=quick,
        )

    def receipt(self) -> Receipt:
        """What the ledger holds now, in a few figures to be kept elsewhere.

        Raises:
            WrongUsage: nothing is recorded yet.
        """
        from ledger.model.receipt import receipt_of

        with Store.for_reading(self.path) as store, store.snapshot():
            batches, tags = store.batches(), store.tags()
        if not batches:
            raise WrongUsage(f"nothing is recorded in {self.path}; start with: ledger ingest")
        return receipt_of(batches, tags)

    def backup(self, path: PathLike) -> Verification:
        """Copy the ledger as it is now, and verify the copy before it gets its name.

        Args:
            path: of the copy; there must be no such file.

        Raises:
            WrongUsage: there is one.
            VerificationFailed: the copy is not as it was recorded, as the ledger then.
            StorageFailed: it cannot be written.
        """
        from ledger.store.backup import back_up

        found: list[Verification] = []

        def check(copy: Path) -> None:
            found.append(FileBackend(copy, self.dataset).verify())
            if found[0].faults:
                raise VerificationFailed(
                    f"no backup is made, for {found[0].verdict}; see: ledger verify"
                )

        with Store.for_reading(self.path) as store:
            back_up(store, Path(path), check)
        return replace(found[0], path=Path(path))
