"""Writes the results of a replay of a lake: the tables, the report and the answers."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from ledger.datasets.support.answers import answer_questions, asked_quarter
from ledger.datasets.support.measures import NAMED
from ledger.datasets.support.report import read_report
from ledger.engines.lake_replay import LakeReplay
from ledger.errors import WrongUsage
from ledger.files.atomic import complete_files
from ledger.model.dataset import DataSet
from ledger.model.presentation import (
    plain,
)
from ledger.outputs.formats import FileOptions
from ledger.outputs.manifest import Provenance, manifest_of
from ledger.outputs.table_files import write_into
from ledger.replay.projection import Projected


@dataclass(frozen=True, slots=True)
class LakeProjection(Projected):
    """A projection of a lake, written as files.

    Attributes:
        edition: the edition of the projection.
        rows: the number of rows of each table.
        files: that were written: the tables, the report, the answers, and the manifest.
    """

    files: tuple[Path, ...]

    @property
    def written(self) -> tuple[Path, ...]:
        """The files that were written."""
        return self.files


ANSWERS = "support_answers.json"
PROJECTION = "projection.json"


def write_projection(replay: LakeReplay, dataset: DataSet, out_dir: Path) -> LakeProjection:
    """Write the tables, the report and the answers of an edition into a folder.

    Args:
        replay: of the lake.
        dataset: its description.
        out_dir: made if it does not exist.

    Raises:
        WrongUsage: a table exists already as a folder of files, or is to replace a file by one.
        StorageFailed: the folder cannot be written; the former files are unchanged.
    """
    for table in dataset.tables:
        path = out_dir / f"{table.name}.parquet"
        if path.is_dir() or (replay.engine.in_parts and os.path.lexists(path)):
            raise WrongUsage(
                f"{path} exists already, and a folder of parts neither replaces a file nor is "
                "replaced; name another folder with --out-dir"
            )
    with complete_files(out_dir) as draft:
        rows = {
            table.name: replay.engine.write_rows(
                table.name,
                replay.replayed(table),
                table.key,
                draft / f"{table.name}.parquet",
            )
            for table in dataset.tables
        }
        for summary in dataset.summaries:
            replay.fill_summary(summary)
        replay.fill_named(NAMED, dataset)
        _write_results(replay, dataset, draft, rows)
        names = sorted(os.listdir(draft))
    return LakeProjection(replay.edition, rows, tuple(out_dir / name for name in names))


def _write_results(replay: LakeReplay, dataset: DataSet, draft: Path, rows: dict[str, int]) -> None:
    """Write the report, the answers and the manifest."""
    edition, of_records = replay.edition, replay.of_records
    provenance = Provenance(dataset.name, dataset, edition)
    write_into(draft, [read_report(of_records).sheet], provenance, FileOptions())
    answers = answer_questions(of_records, asked_quarter(None, edition))
    manifest = {**manifest_of(provenance), "engine": replay.engine.name, "rows": rows}
    del manifest["$schema"]
    for name, document in ((ANSWERS, answers), (PROJECTION, manifest)):
        text = json.dumps(plain(document), ensure_ascii=False, indent=2) + "\n"
        (draft / name).write_text(text, encoding="utf-8")
