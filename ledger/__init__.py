"""An event-sourced SQLite ledger for monthly deliveries of operational data.

Every delivered row is an immutable event; the state as of a month is the events replayed up to
it, and every figure is computed from such a projection:

    from ledger import Ledger

    ledger = Ledger("ledger.db")
    ledger.ingest("data")
    ledger.project("202503")
    march = ledger.at("202503")
    march.export("output", format="parquet")
    for row in march.report().rows:
        print(row.month, row.contact_center_name, row.total_interactions)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ledger.version import __version__ as __version__

if TYPE_CHECKING:
    from ledger.datasets.support.answers import Answers
    from ledger.datasets.support.bridge import Bridge, Cause
    from ledger.datasets.support.explain import Explanation
    from ledger.datasets.support.report import Report
    from ledger.datasets.support.report_proof import ReportProof, ReportVerification
    from ledger.datasets.support.restatements import Restatement
    from ledger.delivery.scaffold import DataFolder
    from ledger.engines.projection_files import LakeProjection
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
    from ledger.integrity.doctor import Diagnosis, Examined
    from ledger.integrity.fault import Fault
    from ledger.integrity.proofs import EventProof
    from ledger.integrity.verify import Verification
    from ledger.lake.publish import Published
    from ledger.ledger import Ledger
    from ledger.lineage.diff import Diff, RowChange
    from ledger.lineage.findings import Checked, Finding
    from ledger.lineage.history import History
    from ledger.lineage.sources import Source
    from ledger.model.editions import Edition, EditionName
    from ledger.model.periods import Month, Quarter
    from ledger.model.receipt import Receipt
    from ledger.model.records import Batch, File, LogEntry, Tag
    from ledger.outputs.manifest import Export
    from ledger.recording.corrections import Retraction
    from ledger.recording.ingest import MonthIngest
    from ledger.recording.ingest_options import IngestOptions
    from ledger.recording.refusals import CorrectionRefused
    from ledger.replay.labels import Names
    from ledger.replay.projection import Projected
    from ledger.replay.status import Status
    from ledger.snapshot import Comparison, Snapshot
    from ledger.standalone import lay_out, verify_proof, verify_report
    from ledger.store.user_query import Query

__all__ = [
    "Answers",
    "Batch",
    "Bridge",
    "Cause",
    "Checked",
    "Comparison",
    "CorrectionRefused",
    "DataFolder",
    "Diagnosis",
    "Diff",
    "Edition",
    "EditionName",
    "EventProof",
    "Examined",
    "Explanation",
    "Export",
    "Fault",
    "File",
    "Finding",
    "FindingsFound",
    "History",
    "IngestOptions",
    "InputRefused",
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
    "Snapshot",
    "Source",
    "Status",
    "StorageFailed",
    "Tag",
    "Verification",
    "VerificationFailed",
    "WrongUsage",
    "lay_out",
    "verify_proof",
    "verify_report",
]

_PLACES = {
    "integrity.fault": "Fault",
    "integrity.proofs": "EventProof",
    "model.receipt": "Receipt",
    "integrity.verify": "Verification",
    "ledger": "Ledger",
    "snapshot": "Comparison Snapshot",
    "recording.corrections": "Retraction",
    "lineage.diff": "Diff RowChange",
    "integrity.doctor": "Diagnosis Examined",
    "model.editions": "Edition EditionName",
    "standalone": "lay_out verify_proof verify_report",
    "errors": (
        "FindingsFound InputRefused LedgerBusy LedgerDamaged LedgerError NoLedger Problem "
        "RecordingFailed RecoveryNeeded SequenceBroken StorageFailed VerificationFailed "
        "WrongUsage"
    ),
    "lineage.findings": "Checked Finding",
    "lineage.history": "History",
    "recording.ingest": "MonthIngest",
    "recording.ingest_options": "IngestOptions",
    "recording.refusals": "CorrectionRefused",
    "lake.publish": "Published",
    "delivery.scaffold": "DataFolder",
    "model.periods": "Month Quarter",
    "replay.labels": "Names",
    "outputs.manifest": "Export",
    "engines.projection_files": "LakeProjection",
    "replay.projection": "Projected",
    "replay.status": "Status",
    "store.user_query": "Query",
    "lineage.sources": "Source",
    "model.records": "Batch File LogEntry Tag",
    "datasets.support.answers": "Answers",
    "datasets.support.bridge": "Bridge Cause",
    "datasets.support.explain": "Explanation",
    "datasets.support.report_proof": "ReportProof ReportVerification",
    "datasets.support.report": "Report",
    "datasets.support.restatements": "Restatement",
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
