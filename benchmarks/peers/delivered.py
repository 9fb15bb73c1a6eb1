"""The files of a data folder, for those who do the job without the ledger."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

KEYS = {
    "agents": "agent_id",
    "contact_centers": "contact_center_id",
    "service_categories": "category_id",
    "interactions": "interaction_id",
}
ZONE = "America/New_York"
REPORT = "support_report.csv"
LABELS = ("month", "contact_center_name", "department")


@dataclass(frozen=True)
class Job:
    """What is to be done.

    Attributes:
        data: the folder of the delivered files.
        out: the folder to write to.
    """

    data: Path
    out: Path

    def initial(self, table: str) -> Path:
        """The extract of a table."""
        return self.data / "initial" / f"{table}.csv"

    def deltas(self, table: str) -> list[Path]:
        """The deltas of a table, by month."""
        return sorted((self.data / "delta").glob(f"{table}_delta_*.csv"))

    def files(self, table: str) -> list[Path]:
        """All files of a table, in order."""
        return [self.initial(table), *self.deltas(table)]

    def final(self, table: str) -> Path:
        """Where its final table goes."""
        return self.out / f"{table}_final.csv"

    @property
    def report(self) -> Path:
        """Where the report goes."""
        return self.out / REPORT


def job() -> Job:
    """The job that the command line names; its folder for output is made."""
    parser = argparse.ArgumentParser(description="Files to final tables as CSV, and the report.")
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("out", type=Path, metavar="OUT")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    return Job(given.data, given.out)
