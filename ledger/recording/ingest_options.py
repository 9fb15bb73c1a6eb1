"""What the caller of ingest asks for and allows, as one value."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ledger.delivery.discovery import Delivery, find_deliveries, read_names
from ledger.lineage.findings import chosen_codes
from ledger.model.dataset import DataSet
from ledger.model.periods import Month
from ledger.recording.corrections import given_reason

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """Which files are recorded, and what the caller allows of their sequence and contents.

    Attributes:
        data: a folder with `initial/<table>.csv` and `delta/<table>_delta_<YYYYMM>.csv`.
        files: single files of such names, in the place of a folder.
        months: only these; none for all. The initial extract comes first on an empty ledger.
        initial_month: at whose end the initial extract was made; by default the month before the
            earliest delta.
        allow_gap: a month before a delivered one may be missing.
        late: a file may belong to a month before the latest recorded one.
        correct: why a file may come in the place of a recorded one of its table and month, whose
            events then no longer count; None where it may not.
        refuse: the codes of findings that refuse a month; `any` for all of them.
        expect_rows: by table, how many rows its new file must have.
        dry_run: read and check everything, and record nothing.
    """

    data: PathLike = "data"
    files: Sequence[PathLike] = ()
    months: Sequence[Month] = ()
    initial_month: Month | None = None
    allow_gap: bool = False
    late: bool = False
    correct: str | None = None
    refuse: Collection[str] = ()
    expect_rows: Mapping[str, int] = field(default_factory=dict)
    dry_run: bool = False

    def checked(self, dataset: DataSet) -> IngestOptions:
        """The same with the reason stripped, and all codes and tables as the data set names them.

        Raises:
            WrongUsage: the reason is blank, or no such code or table exists.
        """
        rows = {dataset.table(name).name: count for name, count in self.expect_rows.items()}
        return replace(
            self,
            correct=None if self.correct is None else given_reason(self.correct),
            refuse=chosen_codes(dataset, self.refuse),
            expect_rows=rows,
        )

    def deliveries(
        self, dataset: DataSet, path: Callable[[PathLike], Path] = Path
    ) -> list[Delivery]:
        """The files that are delivered, in the order in which they are recorded.

        Args:
            dataset: the tables.
            path: gives the path of a folder or file as the caller named it.

        Raises:
            WrongUsage: nothing can be ingested.
            InputRefused: a name fits no table, or a folder cannot be read.
        """
        if self.files:
            return read_names([path(file) for file in self.files], dataset)
        return find_deliveries(path(self.data), dataset)
