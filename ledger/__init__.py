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

from ledger.audit.faults import Fault
from ledger.audit.proofs import EventProof
from ledger.audit.receipts import Receipt
from ledger.audit.verification import Verification
from ledger.book import Ledger
from ledger.comparison import Comparison
from ledger.corrections import Retraction
from ledger.diff import Diff, RowChange
from ledger.editions import Edition
from ledger.errors import (
    FindingsFound,
    InputRefused,
    LedgerBusy,
    LedgerDamaged,
    LedgerError,
    NoLedger,
    Problem,
    RecordingFailed,
    SequenceBroken,
    StorageFailed,
    VerificationFailed,
    WrongUsage,
)
from ledger.findings import Finding
from ledger.history import History
from ledger.ingest import MonthIngest
from ledger.months import Month, Quarter
from ledger.names import Names
from ledger.results import Checked, Export, LogEntry, Projected, Status
from ledger.sources import Source
from ledger.store import Batch, File, Tag
from ledger.support.answers import Answers
from ledger.support.bridge import Bridge, Cause
from ledger.support.explain import Explanation
from ledger.support.proof import ReportProof, ReportVerification
from ledger.support.report import Report
from ledger.support.restatements import Restatement
from ledger.upgrade import Upgrade

__all__ = [
    "Answers",
    "Batch",
    "Bridge",
    "Cause",
    "Checked",
    "Comparison",
    "Diff",
    "Edition",
    "EventProof",
    "Explanation",
    "Export",
    "Fault",
    "File",
    "Finding",
    "FindingsFound",
    "History",
    "InputRefused",
    "Ledger",
    "LedgerBusy",
    "LedgerDamaged",
    "LedgerError",
    "LogEntry",
    "Month",
    "MonthIngest",
    "Names",
    "NoLedger",
    "Problem",
    "Projected",
    "Quarter",
    "Receipt",
    "RecordingFailed",
    "Report",
    "ReportProof",
    "ReportVerification",
    "Restatement",
    "Retraction",
    "RowChange",
    "SequenceBroken",
    "Source",
    "Status",
    "StorageFailed",
    "Tag",
    "Upgrade",
    "Verification",
    "VerificationFailed",
    "WrongUsage",
]

__version__ = "0.1.0"
