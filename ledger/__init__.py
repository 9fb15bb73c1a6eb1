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

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.audit.faults import Fault
    from ledger.audit.proofs import EventProof
    from ledger.audit.receipts import Receipt
    from ledger.audit.verification import Verification
    from ledger.book import Ledger
    from ledger.comparison import Comparison
    from ledger.corrections import Retraction
    from ledger.diff import Diff, RowChange
    from ledger.doctor import Diagnosis, Examined
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
        RecoveryNeeded,
        SequenceBroken,
        StorageFailed,
        VerificationFailed,
        WrongUsage,
    )
    from ledger.findings import Finding
    from ledger.history import History
    from ledger.ingest import MonthIngest
    from ledger.lake.publishing import Published
    from ledger.lakehouse import Lake
    from ledger.layout import LaidOut
    from ledger.months import Month, Quarter
    from ledger.names import Names
    from ledger.results import Checked, Export, LakeProjection, LogEntry, Projected, Query, Status
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
    "Diagnosis",
    "Diff",
    "Edition",
    "EventProof",
    "Examined",
    "Explanation",
    "Export",
    "Fault",
    "File",
    "Finding",
    "FindingsFound",
    "History",
    "InputRefused",
    "LaidOut",
    "Lake",
    "LakeProjection",
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
    "Published",
    "Quarter",
    "Query",
    "Receipt",
    "RecordingFailed",
    "RecoveryNeeded",
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

_PLACES = {
    "audit.faults": "Fault",
    "audit.proofs": "EventProof",
    "audit.receipts": "Receipt",
    "audit.verification": "Verification",
    "book": "Ledger",
    "comparison": "Comparison",
    "corrections": "Retraction",
    "diff": "Diff RowChange",
    "doctor": "Diagnosis Examined",
    "editions": "Edition",
    "errors": (
        "FindingsFound InputRefused LedgerBusy LedgerDamaged LedgerError NoLedger Problem "
        "RecordingFailed RecoveryNeeded SequenceBroken StorageFailed VerificationFailed "
        "WrongUsage"
    ),
    "findings": "Finding",
    "history": "History",
    "ingest": "MonthIngest",
    "lake.publishing": "Published",
    "lakehouse": "Lake",
    "layout": "LaidOut",
    "months": "Month Quarter",
    "names": "Names",
    "results": "Checked Export LakeProjection LogEntry Projected Query Status",
    "sources": "Source",
    "store": "Batch File Tag",
    "support.answers": "Answers",
    "support.bridge": "Bridge Cause",
    "support.explain": "Explanation",
    "support.proof": "ReportProof ReportVerification",
    "support.report": "Report",
    "support.restatements": "Restatement",
    "upgrade": "Upgrade",
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: all of it takes time."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"ledger.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
