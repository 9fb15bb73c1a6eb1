"""An event-sourced SQLite ledger for monthly deliveries of operational data.

Every delivered row is an immutable event; the state as of a month is the events replayed up to
it, and every figure is computed from such a projection:

    from ledger import Ledger

    with Ledger.open("ledger.db") as ledger:
        ledger.ingest("data")
        ledger.project("202503")
        ledger.export("output", format="parquet")
        for row in ledger.report().rows:
            print(row.month, row.contact_center_name, row.total_interactions)
"""

from ledger.book import Export, Ledger, LogEntry, Projected, Status
from ledger.errors import (
    InputRefused,
    LedgerBusy,
    LedgerError,
    NoLedger,
    Problem,
    SequenceBroken,
    StorageFailed,
    WrongUsage,
)
from ledger.ingest import MonthIngest
from ledger.months import Month, Quarter
from ledger.projection import Edition
from ledger.store import Batch, File
from ledger.support.answers import Answers
from ledger.support.report import Report

__all__ = [
    "Answers",
    "Batch",
    "Edition",
    "Export",
    "File",
    "InputRefused",
    "Ledger",
    "LedgerBusy",
    "LedgerError",
    "LogEntry",
    "Month",
    "MonthIngest",
    "NoLedger",
    "Problem",
    "Projected",
    "Quarter",
    "Report",
    "SequenceBroken",
    "Status",
    "StorageFailed",
    "WrongUsage",
]

__version__ = "0.1.0"
