"""A small ledger in which everything occurs, with its deliveries and what was given out of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger import Ledger
from ledger.integrity.documents import write_document
from tests.strategies import DeliveredFile, small_file, write_data_folder

START = "2025-02-{}T1{}:00:00Z"
PROVEN = ("interactions", "I2")


def call(key: str, day: str, hour: int, category: str, center: str, minutes: str) -> list[str]:
    """An interaction by phone that is resolved after five minutes."""
    start = START.format(day, hour)
    resolved = start.replace(":00:00", ":05:00")
    end = start.replace(":00:00", ":09:00")
    return [key, start, "phone", category, "A1", center, start, resolved, end, minutes, ""]


INITIAL = [
    small_file("agents", None, ["A1", "Ann", "C1", "2021-03-15", "K1"], ["A2", "Bob", "C2"]),
    small_file("contact_centers", None, ["C1", "Boston", "MA"], ["C2", "Austin", "TX"]),
    small_file("service_categories", None, ["K1", "Bills", "Money"], ["K2", "Plans", "Sales"]),
    small_file(
        "interactions",
        None,
        call("I1", "03", 1, "K1", "C1", "12"),
        ["I2", "2025-01-20T10:00:00+02:00", "phone", "K2", "A2", "C2", "2025-01-20T10:00:00+02:00"],
        ["I3", "2025-01-21T10:00:00Z", "email", "K1", "A1", "C1", "yesterday", "", "", "1,000"],
    ),
]
FEBRUARY = [
    small_file("agents", 202502, ["update", "A2", "Bob B.", "C1", "2020-02-29", "K2"]),
    small_file(
        "interactions",
        202502,
        ["add", *call("I4", "10", 2, "K1", "C2", "7.5")],
        ["update", *call("I1", "03", 1, "K2", "C1", "13")],
        ["delete", "I3"],
    ),
]
MARCH = [
    small_file("agents", 202503, ["add", "A3", "Cy", "C2", "", "K1"]),
    small_file("contact_centers", 202503, ["update", "C2", "Austin South", "TX"]),
    small_file(
        "interactions",
        202503,
        ["add", *call("I5", "28", 3, "K2", "C1", "9")],
        ["add", *call("I6", "28", 4, "K1", "C2", "5.25")],
    ),
]
CORRECTED = small_file(
    "interactions",
    202502,
    ["add", *call("I4", "10", 2, "K1", "C2", "8")],
    ["update", *call("I1", "03", 1, "K2", "C1", "13")],
    ["delete", "I3"],
    ["add", *call("I7", "11", 5, "K2", "C2", "4")],
)
LATE = small_file("service_categories", 202502, ["update", "K2", "Plans", "Growth"])
APRIL = small_file("interactions", 202504, ["add", *call("I8", "28", 6, "K2", "C1", "3")])
CORRECTED_AGAIN = small_file("contact_centers", 202503, ["update", "C2", "Austin North", "TX"])


@dataclass(frozen=True)
class Scene:
    """A folder with all that an attack can lay hands on.

    Attributes:
        folder: with the ledger, its sources, receipts, proofs and reports.
    """

    folder: Path

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.folder / "ledger.db"

    @property
    def sources(self) -> Path:
        """The delivered files, those out of force too."""
        return self.folder / "sources"

    @property
    def receipt(self) -> Path:
        """The receipt of the ledger as it is."""
        return self.folder / "receipt.json"

    @property
    def proof(self) -> Path:
        """The proof of an event."""
        return self.folder / "proof.json"

    @property
    def report_proof(self) -> Path:
        """The proof of the report."""
        return self.folder / "report-proof.json"

    def report(self, format: str = "csv") -> Path:
        """The report, as it was published."""
        return self.folder / "report" / f"support_report.{format}"

    def copy(self, folder: Path) -> Scene:
        """The same, in another folder that is not there yet."""
        shutil.copytree(self.folder, folder)
        return Scene(folder)


def prepare(folder: Path) -> Scene:
    """Make a scene in an empty folder."""
    scene = Scene(folder)
    sources, earlier = scene.sources, scene.sources / "earlier"
    ledger = Ledger(scene.ledger)
    ledger.ingest(files=write_data_folder(sources, INITIAL), initial_month="202501")
    write_data_folder(earlier, FEBRUARY[1:])
    ledger.ingest(files=write_data_folder(sources, FEBRUARY))
    ledger.ingest(files=write_data_folder(sources, MARCH))
    ledger.tag("first")
    shutil.copy(scene.ledger, folder / "old.db")
    give_receipt(scene.ledger, folder / "old-receipt.json")
    ledger.ingest(files=write_data_folder(sources, [CORRECTED]), correct="a call was missing")
    ledger.ingest(files=write_data_folder(sources, [LATE]), late=True)
    ledger.retract("agents", "202503", "it was not meant for us")
    ledger.tag("signed")
    ledger.project()
    give_receipt(scene.ledger, scene.receipt)
    write_document(scene.proof, ledger.at().prove(*PROVEN))
    report = ledger.at().report()
    write_document(scene.report_proof, ledger.at(report.edition.name).prove_report(report))
    for format in ("csv", "json", "parquet"):
        ledger.at(report.edition.name).write_report(report, folder / "report", format=format)
    other = [*INITIAL[:3], small_file("interactions", None, call("J1", "03", 1, "K1", "C1", "1"))]
    rebuild(folder / "other.db", folder / "elsewhere", other)
    give_receipt(folder / "other.db", folder / "other-receipt.json")
    return scene


def rebuild(ledger: Path, folder: Path, files: list[DeliveredFile]) -> None:
    """Make a ledger of an initial extract and deltas, which are written into a folder."""
    Ledger(ledger).ingest(files=write_data_folder(folder, files), initial_month="202501")


def give_receipt(ledger: Path, path: Path) -> None:
    """Write the receipt of a ledger."""
    write_document(path, Ledger(ledger).receipt())


def read(path: Path) -> Any:
    """The contents of a document."""
    return json.loads(path.read_bytes())


def write(path: Path, contents: Any) -> None:
    """Put other contents in the place of a document."""
    path.write_text(json.dumps(contents), encoding="utf-8")
