"""Leaves out one check of the verification at a time, and looks which attacks then go through."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.attacks.scene import Scene
from tests.commands import ROOT, environment


@dataclass(frozen=True)
class Mutant:
    """The verification without one of its checks.

    Attributes:
        name: of what is left out.
        path: of the source, below `ledger/`.
        before: a part of it, there once.
        after: what stands in its place.
        through: an attack that then goes through, or is called by another name.
    """

    name: str
    path: str
    before: str
    after: str
    through: str


CONTENTS, DERIVED = "integrity/checks/contents.py", "integrity/checks/derived.py"
STRUCTURE, RECORDS, RECEIPTS = (
    "integrity/checks/schema.py",
    "integrity/checks/records.py",
    "integrity/receipts.py",
)
ORIGINALS, PROOFS, CHAIN = (
    "integrity/checks/delivered.py",
    "integrity/proofs.py",
    "integrity/chain.py",
)
REBUILDING, REPORTS, STORE = (
    "integrity/rebuild.py",
    "datasets/support/report_proof.py",
    "store/event_store.py",
)
VERIFICATION, DOCUMENTS, EXPORT = (
    "integrity/verify.py",
    "integrity/documents.py",
    "outputs/read_back.py",
)

TIMEOUT = 1200

MUTANTS = [
    Mutant("objects of the schema that are missing", STRUCTURE,
           'yield _fault(made, "it is missing")', "pass", "a trigger dropped"),
    Mutant("the text of objects of the schema", STRUCTURE,
           "elif found[key] != made:", "elif False:", "a view redefined"),
    Mutant("objects that do not belong to a ledger", STRUCTURE,
           "if key not in expected:", "if False:", "a trigger planted that drops what is recorded"),
    Mutant("sound tables before anything is read", STRUCTURE,
           'return all(made in found for made in expected_schema() if made.type == "table")',
           "return bool(found)", "a view without an end in the place of a table"),
    Mutant("SQLite's own check of pages, indexes and types", STRUCTURE,
           'if message != "ok":', "if False:", "the contents of two indexes exchanged"),
    Mutant("the journal", "store/database.py",
           "if error.sqlite_errorcode == sqlite3.SQLITE_CANTOPEN:", "if False:",
           "the write-ahead log switched on"),
    Mutant("foreign keys", STRUCTURE, 'yield Fault(FaultKind.STORAGE, f"table {table}", message)',
           "pass", "a tag of no batch"),
    Mutant("the types of records", STORE, "_BOOLS.get(row[name])", "bool(row[name])",
           "a flag made 5, which is as true as 1"),
    Mutant("the head", CONTENTS, "if next_head(before[0], digest) != batch.head:", "if False:",
           "`reason` of `batches` edited"),
    Mutant("the seal", CONTENTS, ") != (batch.seal):", ") is None:", "`seal` of `batches` edited"),
    Mutant("the root of a batch", CONTENTS, "if not events and root != batch.root:", "if False:",
           "`root` of `batches` edited"),
    Mutant("the number of events of a batch", CONTENTS,
           "if not events and batch.events != tree.count:", "if False:",
           "a batch with another number of events"),
    Mutant("the digests of files' records", CONTENTS,
           "if file_digest(file.contents, file.name) != file.digest", "if False",
           "`digest` of `files` edited"),
    Mutant("events that are missing", CONTENTS,
           "if event_id != expected + place:", "if False:", "an event deleted"),
    Mutant("events missing at the end of a file", CONTENTS,
           "if fault is None and expected <= file.last_event:", "if False:",
           "the last event of a file deleted"),
    Mutant("the marks of events", CONTENTS,
           "if hashed[:MARK_BYTES] != marks[place * MARK_BYTES : (place + 1) * MARK_BYTES]:",
           "if False:",
           "a mark of an event edited"),
    Mutant("cells that are no text", CONTENTS,
           "if types <= _TEXT and set(files) == {file.file}:", "if set(files) == {file.file}:",
           "a blob in the place of a time"),
    Mutant("the file of an event", CONTENTS,
           "if types <= _TEXT and set(files) == {file.file}:", "if types <= _TEXT:",
           "an event said to be of another file"),
    Mutant("events of no file", CONTENTS,
           'yield Fault(FaultKind.EVENT, f"{table.events} {message}", "no file delivered it")',
           "pass", "an event added at the highest number there is"),
    Mutant("marks of no event", CONTENTS,
           "if next(subject.store.rows(sql)) != (subject.events, True):", "if False:",
           "a stretch of no marks added"),
    Mutant("the tables of files", RECORDS, "elif file.table_name not in tables:", "elif False:",
           "a file of a table that there is not"),
    Mutant("tags", CONTENTS, "if next_tag_seal(seal, head, *named) != tag.seal:", "if False:",
           "`tagged_at` of `tags` edited"),
    Mutant("the order of tags", RECORDS, "if tag.tag != number:", "if False:",
           "a blank number of a tag"),
    Mutant("the order of batches", RECORDS, "if batch.batch != number:", "if False:",
           "a blank number of a batch"),
    Mutant("the order of times", RECORDS, "if batch.recorded_at <= before:", "if False:",
           "a batch recorded before the one before it"),
    Mutant("the order of files", RECORDS, "if file.file != number:", "if False:",
           "a blank number of a file"),
    Mutant("the months of files", RECORDS, "elif months.get(file.batch) != file.month:",
           "elif False:", "a batch of another month than its file"),
    Mutant("what supersedes what", RECORDS, "elif file.supersedes != last_file.get(place):",
           "elif False:", "a correction that takes nothing out of force"),
    Mutant("the numbers of events", RECORDS,
           "elif (file.first_event, file.last_event) != _span(first, file.rows):", "elif False:",
           "a gap in the numbers of events"),
    Mutant("readings", DERIVED,
           "if self._fault is None and repr(next(self._stored, None)) != repr(expected):",
           "if repr(next(self._stored, None)) == '':", "`code` of `readings` edited"),
    Mutant("readings of regular cells", DERIVED, "for event_id, *_ in self._stored:",
           "for event_id in []:", "a reading of a regular cell added"),
    Mutant("readings of no event", DERIVED,
           'if next(store.rows("SELECT count(*) FROM readings")) != (self._count,) '
           "and not self.faults:", "if False:", "a reading of no event added"),
    Mutant("local time", DERIVED, "if next(stored, None) != tuple(row):",
           "if next(stored, None) == ():", "local time edited where nothing happened"),
    Mutant("local time of other days", DERIVED, "for hour, *_ in stored:", "for hour in []:",
           "a day of local time added"),
    Mutant("a projection of no edition", DERIVED,
           'yield Fault(FaultKind.DERIVED, "projection_of", str(error))', "pass",
           "the projection called one of no month"),
    Mutant("a second projection", DERIVED, "if place != 1:", "if False:",
           "the projection called one of another month besides"),
    Mutant("rows where no projection is stored", DERIVED,
           'if any(store.rows(f"SELECT 1 FROM {store.schema}.{name} LIMIT 1")):', "if False:",
           "the projection called none"),
    Mutant("rows that the replay gives", DERIVED,
           "if different:", "if False:",
           "`agents`: a row changed"),
    Mutant("rows that no replay gives", DERIVED,
           "if count > replayed:", "if False:", "`agents`: a row added"),
    Mutant("how many rows a projected table has", DERIVED,
           'if dict(store.rows("SELECT table_name, rows FROM projection_rows")) != rows:',
           "if False:", "the rows of a projected table not counted"),
    Mutant("summaries", DERIVED, "if any(store.rows(sql)):", "if False:",
           "`support_totals`: a row changed"),
    Mutant("how often a row of a summary is there", DERIVED,
           "WITH stored AS (SELECT {columns}, count(*) FROM {stored} GROUP BY {columns}),",
           "WITH stored AS (SELECT {columns}, max(1) FROM {stored} GROUP BY {columns}),",
           "`support_totals`: a row twice"),
    Mutant("a receipt of a later batch", RECEIPTS, "if receipt.batch > len(recorded.batches):",
           "if receipt.batch > len(recorded.batches):\n        return\n    if False:",
           "the last batch, a retraction, cut off"),
    Mutant("the head of a receipt", RECEIPTS, "if batch.head != receipt.head:", "if False:",
           "the reason of a batch edited"),
    Mutant("the events of a receipt", RECEIPTS, "elif events != receipt.events:", "elif False:",
           "the events of a receipt edited"),
    Mutant("the seal of a receipt", RECEIPTS, "elif batch.seal != receipt.seal:", "elif False:",
           "the name of a file edited"),
    Mutant("the tags of a receipt", RECEIPTS,
           "if receipt.tags >= len(seals) or seals[receipt.tags] != receipt.tag_seal:",
           "if False:", "a tag moved"),
    Mutant("rows of the sources", ORIGINALS, "if row != event:", "if False:",
           "a cell edited, and all digests"),
    Mutant("the size of the sources", ORIGINALS, "if source.size != file.bytes:", "if False:",
           "the size of a file edited"),
    Mutant("files that the sources lack", ORIGINALS, "elif file.file in counting:", "elif False:",
           "a forged delta recorded"),
    Mutant("sources that are not recorded", ORIGINALS,
           'yield Fault(FaultKind.SOURCE, str(delivery.path), "it is not recorded")', "pass",
           "an old copy put back"),
    Mutant("the columns of a proof", PROOFS,
           "if list(event.cells) != list(table.column_names):", "if False:",
           "columns of a proof renamed"),
    Mutant("the file of a proof", PROOFS,
           "if (file.file, file.table) == (event.file, event.table):", "if True:",
           "another file of the batch in a proof"),
    Mutant("the path of a proof", PROOFS, "if root is None:\n", "if root is None:\n        return\n"
           "    if False:\n", "the path shortened"),
    Mutant("the head of a proof", PROOFS, "if head != receipt.head:", "if False:",
           "a cell of a proof edited"),
    Mutant("the batches that a proof leads to", PROOFS,
           "if not proof.batch.batch <= receipt.batch <= last:", "if False:",
           "the later batches of a proof taken out"),
    Mutant("fields that do not belong in a document", DOCUMENTS,
           "if msgspec.json.decode(document.line()) == msgspec.json.decode(content):", "if True:",
           "a field added within a proof"),
    Mutant("the batches of the proof of a report", CHAIN,
           "if not needed <= receipt.batch <= len(batches):", "if False:",
           "a correction taken out of the proof of a report"),
    Mutant("the head of the proof of a report", CHAIN, "if batch.head != receipt.head:",
           "if False:", "a flag in the proof of a report edited"),
    Mutant("the events of a receipt for the proof of a report", CHAIN,
           "if events != receipt.events:", "if False:",
           "the events of a receipt for a report edited"),
    Mutant("the events of a receipt for a proof", PROOFS, "if receipt.events < proof.events or",
           "if False and", "the events of a receipt for a proof edited"),
    Mutant("the order of the records of a proof", CHAIN, "for fault in check_records(chain):",
           "for fault in ():", "the events of a file claimed behind the receipt"),
    Mutant("the events of a batch of a proof", CHAIN,
           "if link.events != sum(file.contents.rows for file in link.files):", "if False:",
           "the events of a link in the proof of a report edited"),
    Mutant("the rows of the proof of a report", REPORTS,
           "for claimed in _compared(proof.rows, rows, by):", "for claimed in ():",
           "a figure of the proof of a report edited"),
    Mutant("figures that nothing binds", REPORTS, "compared is not None and not differences",
           "not differences", "a figure of a report and of its proof edited"),
    Mutant("the seal of the proof of a report", CHAIN, "if batch.seal != receipt.seal:",
           "if False:", "a time in the proof of a report edited"),
    Mutant("the month of a document", CHAIN, 'return Month.parse(f"{number:06}")',
           "return Month(number)", "a report called one of no month"),
    Mutant("the batch of a report", REPORTS, "if proof.batch > len(batches):", "if False:",
           "a report called one of no batch"),
    Mutant("the cells of a report", REPORTS, "if cell != right:", "if False:",
           "a figure of a report edited"),
    Mutant("rows added to a report", REPORTS,
           'yield f"row {place} ({\', \'.join(row[:IDENTITY])}) is not there by {by}"', "pass",
           "a row of a report added"),
    Mutant("rows taken out of a report", REPORTS,
           'yield f"the row {\', \'.join(row)} is missing by {by}"', "pass",
           "a row of a report taken out"),
    Mutant("the order of a report", REPORTS,
           "differences = [*_differences(published, expected, by)]",
           "return [*_differences(published, expected, by)]\n    differences = list[str]()",
           "two rows of a report exchanged"),
    Mutant("the columns of a report", EXPORT, "if header != names and (rows or header):",
           "if False:", "a column of a report renamed"),
    Mutant("the number of cells of a report", EXPORT, "if len(row) != len(names):", "if False:",
           "a cell added to a report"),
    Mutant("the types of a report", EXPORT, "if reader is not _read_csv:", "if False:",
           "a figure of a report in JSON made a text"),
    Mutant("names twice", DOCUMENTS, "if name in found:", "if False:",
           "a figure in JSON given twice"),
    Mutant("files that a report lacks", REBUILDING, "if delivery is None:",
           "if delivery is None:\n        return\n    if False:",
           "the SHA-256 of a file in the proof of a report edited"),
    Mutant("the records of the files of a report", REBUILDING, "if contents != file.contents:",
           "if False:", "the size of a file in the proof of a report edited"),
]  # fmt: skip


def mutate(mutant: Mutant, folder: Path) -> None:
    """Put the project with a mutant into a folder."""
    for name in ("ledger", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "corpus")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    path = folder / "ledger" / mutant.path
    source = path.read_text(encoding="utf-8")
    assert source.count(mutant.before) == 1, f"{mutant.name}: not once in {mutant.path}"
    path.write_text(source.replace(mutant.before, mutant.after), encoding="utf-8")


def let_through(
    mutant: Mutant, scene: Scene, folder: Path, names: Sequence[str] = ()
) -> list[list[str]]:
    """What a mutant lets through, or calls by another name.

    Args:
        mutant: is put into a folder, and tried by a process of its own.
        scene: to be attacked.
        folder: to work in; must not be there.
        names: of the attacks to be tried; none for all of them.

    Returns:
        the name of each attack, the setting, and what came out.
    """
    mutate(mutant, folder)
    command = [sys.executable, "-m", "tests.attacks.through", str(scene.folder), *names]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment(),
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return [[mutant.through, "no anchor", "it did not end"]]
    finally:
        shutil.rmtree(folder)
    found: list[list[str]] = json.loads(done.stdout)
    return found


def passed(outcome: str) -> bool:
    """Whether what came out is that nothing was found."""
    return "and came: 0, " in outcome


def told(found: Iterable[Sequence[str]]) -> list[str]:
    """The names of the attacks, each once."""
    return list(dict.fromkeys(name for name, *_ in found))
