"""Attacks on what the ledger gave: receipts, proofs of events, published reports."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ledger import Ledger
from ledger.integrity.documents import write_document
from tests.attacks.attack import (
    Attack,
    Door,
    NotProved,
    Outcome,
    Refused,
    Seen,
    Unseen,
    anywhere,
    verify,
    verify_proof,
    verify_report,
)
from tests.attacks.scene import Scene, read, write

Change = Callable[[Any], object]

OTHER_LEDGER = "the proof leads to the head"
NO_ANCHOR = Unseen("nothing anchors the ledger", told="not anchored")
CSV, JSON, PARQUET = (verify_report(format) for format in ("csv", "json", "parquet"))


def put(path: str, value: object) -> Change:
    """Put a value at a place: `batch.reason`, `files.0.sha256`."""

    def change(document: Any) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in steps:
            document = document[step]
        document[last] = value

    return change


def repeat_name(path: Path, name: str) -> None:
    """Put a name into a document a second time, right behind the first one, and with a digest."""
    text = path.read_text(encoding="utf-8")
    start = text.index(f'"{name}"')
    forged = f'"{name}": "{"0" * 64}", '
    path.write_text(f"{text[:start]}{forged}{text[start:]}", encoding="utf-8")


def twice(
    what: str,
    name: str,
    document: Callable[[Scene], Path],
    door: Door,
    alone: Outcome | None = None,
    sources: Outcome | None = None,
) -> Attack:
    """A name that stands twice in an object of a document: readers take one or the other."""

    def act(scene: Scene) -> None:
        repeat_name(document(scene), name)

    refused = Refused(2, f"an object of it has the name '{name}' twice")
    return Attack(what, act, alone or refused, refused, sources or refused, door)


def on_receipt(name: str, change: Change) -> Attack:
    """An edited receipt; the ledger is as it was."""

    return Attack(
        name,
        partial(edit_receipt, change),
        NO_ANCHOR,
        Seen("receipt receipt.json", "receipts"),
        _NO_RECEIPT,
        verify,
    )


def edit_receipt(change: Change, scene: Scene) -> None:
    """Change a receipt."""
    document = read(scene.receipt)
    change(document)
    write(scene.receipt, document)


_NO_RECEIPT = Unseen("the ledger is what was delivered")


def receipt_of_another(scene: Scene) -> None:
    shutil.copy(scene.folder / "other-receipt.json", scene.receipt)


def on_proof(name: str, change: Change, outcome: Outcome) -> Attack:
    """An edited proof of an event."""

    def act(scene: Scene) -> None:
        document = read(scene.proof)
        change(document)
        write(scene.proof, document)

    return Attack(name, act, outcome, outcome, outcome, verify_proof)


def rename_columns(document: Any) -> None:
    cells = document["event"]["cells"]
    renamed = {"centre" if name == "contact_center_id" else name: cells[name] for name in cells}
    document["event"]["cells"] = renamed


def exchange_columns(document: Any) -> None:
    cells = document["event"]["cells"]
    values = [*cells.items()]
    values[3], values[5] = values[5], values[3]
    document["event"]["cells"] = dict(values)


def of_another_table(document: Any) -> None:
    document["event"]["table"] = "agents"
    names = ("agent_id", "full_name", "contact_center_id", "hire_date", "category_id")
    document["event"]["cells"] = dict.fromkeys(names, "A1")


def inner_node_as_event(document: Any) -> None:
    """Leave out the leaf's own step: what is over it is taken for an event."""
    document["path"] = document["path"][1:]


PROOF = Seen(OTHER_LEDGER)
PATH = Seen("the path of the proof does not lead")

PROOF_ATTACKS: list[Attack] = [
    on_proof("a cell of a proof edited", put("event.cells.contact_center_id", "C1"), PROOF),
    on_proof("a blank cell of a proof filled", put("event.cells.satisfaction_rating", "5"), PROOF),
    on_proof("a key of a proof edited", put("event.cells.interaction_id", "I9"), PROOF),
    on_proof("an action of a proof edited", put("event.action", "delete"), PROOF),
    on_proof("a line of a proof edited", put("event.line", 9), PROOF),
    on_proof("another event of the batch in a proof", put("event.event_id", 202501000000009), PATH),
    on_proof("an event before all in a proof", put("event.event_id", 1), PATH),
    on_proof(
        "another file of the batch in a proof",
        put("event.file", 3),
        Seen("the proof has no file 3 of interactions"),
    ),
    on_proof(
        "another table in a proof", of_another_table, Seen("the proof has no file 4 of agents")
    ),
    on_proof(
        "a table that there is not in a proof",
        put("event.table", "payments"),
        Refused(2, "payments"),
    ),
    on_proof(
        "columns of a proof renamed",
        rename_columns,
        Seen("the cells of the proof are not the columns of interactions"),
    ),
    on_proof(
        "columns of a proof exchanged",
        exchange_columns,
        Seen("the cells of the proof are not the columns of interactions"),
    ),
    on_proof("a hash of the path edited", put("path.0", "0" * 64), PROOF),
    on_proof("the path shortened", inner_node_as_event, PATH),
    on_proof("the path made longer", lambda d: d["path"].append("0" * 64), PATH),
    on_proof("the path turned round", lambda d: d["path"].reverse(), PROOF),
    on_proof("the number of events of a proof edited", put("events", 10), PROOF),
    on_proof("the SHA-256 of a file of a proof edited", put("files.3.sha256", "0" * 64), PROOF),
    on_proof("a file of a proof taken out", lambda d: d["files"].pop(0), PROOF),
    on_proof("the month of the batch of a proof edited", put("batch.month", 202502), PROOF),
    on_proof("the number of the batch of a proof edited", put("batch.batch", 2), PROOF),
    on_proof("the head before of a proof edited", put("head_before", "1" * 64), PROOF),
    on_proof("a later batch of a proof edited", put("later.0", "1" * 64), PROOF),
    on_proof(
        "the later batches of a proof taken out",
        put("later", []),
        Refused(2, "the proof leads from batch 1 to batch 1, and the receipt is of batch 6"),
    ),
    on_proof("a field added to a proof", put("note", "audited"), Refused(2, "unknown field")),
    on_proof(
        "a field added within a proof",
        put("batch.note", "audited"),
        Refused(2, "it has a field that does not belong there"),
    ),
    Attack(
        "a receipt of another ledger for a proof",
        receipt_of_another,
        PROOF,
        PROOF,
        PROOF,
        verify_proof,
    ),
    twice("a name twice in a proof", "head_before", attrgetter("proof"), verify_proof),
    twice("a name twice within a proof", "sha256", attrgetter("proof"), verify_proof),
    twice("a name twice in a receipt for a proof", "seal", attrgetter("receipt"), verify_proof),
    anywhere(
        "the events of a receipt for a proof edited",
        partial(edit_receipt, put("events", 8)),
        "the receipt has 8 events",
        door=verify_proof,
    ),
]

RECEIPT_ATTACKS: list[Attack] = [
    Attack(
        "a receipt of another ledger",
        receipt_of_another,
        NO_ANCHOR,
        Seen("receipt receipt.json", "receipts"),
        _NO_RECEIPT,
        verify,
    ),
    on_receipt("a receipt of a later batch", put("batch", 9)),
    on_receipt("the batch of a receipt edited", put("batch", 5)),
    on_receipt("the events of a receipt edited", put("events", 5)),
    on_receipt("the head of a receipt edited", put("head", "1" * 64)),
    on_receipt("the seal of a receipt edited", put("seal", "1" * 64)),
    on_receipt("the tags of a receipt edited", put("tags", 9)),
    on_receipt("the seal of the tags of a receipt edited", put("tag_seal", "1" * 64)),
    twice(
        "a name twice in a receipt", "head", attrgetter("receipt"), verify, NO_ANCHOR, _NO_RECEIPT
    ),
]


def on_report(name: str, change: Change, proof: Outcome, sources: Outcome | None = None) -> Attack:
    """An edited report, as CSV; `change` gets its rows as lists of texts, the header first."""

    def act(scene: Scene) -> None:
        with open(scene.report(), encoding="utf-8", newline="") as file:
            rows = [*csv.reader(file)]
        change(rows)
        with open(scene.report(), "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)

    return Attack(name, act, proof, proof, sources or proof, CSV)


def on_json(name: str, before: bytes, after: bytes, outcome: Outcome) -> Attack:
    """An edited report, as JSON."""

    def act(scene: Scene) -> None:
        path = scene.report("json")
        content = path.read_bytes()
        assert before in content
        path.write_bytes(content.replace(before, after, 1))

    return Attack(name, act, outcome, outcome, outcome, JSON)


def on_parquet(scene: Scene) -> None:
    """Change a figure of the report, as Parquet."""
    path = scene.report("parquet")
    table = pq.read_table(path)
    place = table.column_names.index("total_calls")
    values = [9, *table.column(place).to_pylist()[1:]]
    column = pa.array(values, table.schema.field(place).type)
    pq.write_table(table.set_column(place, table.schema.field(place), column), path)


def with_proof(
    name: str, change: Change, receipt: Outcome, sources: Outcome, alone: Outcome | None = None
) -> Attack:
    """A report and its proof, edited so that they agree; `change` gets rows and proof."""

    def act(scene: Scene) -> None:
        proof = read(scene.report_proof)
        change(proof)
        write(scene.report_proof, proof)
        with open(scene.report(), encoding="utf-8", newline="") as file:
            header = next(csv.reader(file))
        rows = [
            [int(c) if isinstance(c, float) and c.is_integer() else c for c in row]
            for row in proof["rows"]
        ]
        with open(scene.report(), "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])

    return Attack(name, act, alone or BOTH, receipt, sources, CSV)


BOTH = NotProved("nothing binds a proof without the delivered files")
NO_ROWS = NotProved("a receipt binds the events, not the rows")
BY_FILES = NotProved("the proof leaves out a delivered file, and a receipt alone binds that")
REWRITTEN = Seen("the proof is not of the ledger that the receipt is of")


def first_figure(proof: Any) -> None:
    proof["rows"][0][4] = 9


def edit_figure_of_proof(scene: Scene) -> None:
    proof = read(scene.report_proof)
    first_figure(proof)
    write(scene.report_proof, proof)


def link_behind(proof: Any, **fields: Any) -> None:
    """Append a link of one invented file of interactions, as a correction of the last batch."""
    link = deepcopy(proof["chain"][3])
    last, (file,) = proof["chain"][-1], link["files"]
    link["contents"]["batch"] = last["contents"]["batch"] + 1
    link["recorded_at"] = "2999-01-01T00:00:00.000000Z"
    following = last["files"][-1]["contents"]["file"] + 1
    file["contents"].update({"file": following, "sha256": "0" * 64, **fields})
    proof["chain"].append(link)


def claim_events(proof: Any) -> None:
    """Claim the events of another file; taken at its word, a call would count no more."""
    link_behind(proof, supersedes=None)


def supersede(proof: Any) -> None:
    """Supersede a file as a correction does, by a file that nobody delivered."""
    link_behind(proof, supersedes=10, first_event=202502000000010, last_event=202502000000013)


def supersede_and_edit(proof: Any) -> None:
    supersede(proof)
    first_figure(proof)


def of_batch_behind(proof: Any) -> None:
    supersede(proof)
    proof["batch"] = 7


def delay_extract(proof: Any) -> None:
    """Say that the extract is of the month of the last deltas, which it would then replace."""
    link = proof["chain"][0]
    link["contents"]["month"] = 202503
    for contents in (file["contents"] for file in link["files"]):
        contents["month"] = 202503
        contents["first_event"] += 2 * 10**9
        contents["last_event"] += 2 * 10**9


def invent_retraction(scene: Scene) -> None:
    """Publish a report without calls that were delivered, with a proof that fits it."""
    ledger = Ledger(scene.ledger)
    ledger.retract("interactions", "202503", "invented")
    snapshot = ledger.at()
    report = snapshot.report()
    write_document(scene.report_proof, snapshot.prove_report(report))
    snapshot.write_report(report, scene.folder / "report")


OF_PROOF = Refused(6, "row 1, total_calls: ")
AS_NONE = "the proof has records that no ledger has: "

REPORT_ATTACKS: list[Attack] = [
    on_report(
        "a figure of a report edited",
        lambda rows: put("4", "9")(rows[1]),
        Seen("row 1, total_calls: '9', by"),
    ),
    on_report(
        "a sum of a report written otherwise",
        lambda rows: put("5", f"{rows[1][5]}.0")(rows[1]),
        Seen("row 1, total_call_duration:"),
    ),
    on_report(
        "a label of a report edited",
        lambda rows: put("1", "Paris")(rows[1]),
        Seen("row 1, contact_center_name: 'Paris', by "),
    ),
    on_report(
        "the labels of two rows of a report exchanged",
        lambda rows: (put("1", rows[4][1])(rows[3]), put("1", "Austin South")(rows[4])),
        Seen("row"),
    ),
    on_report("a row of a report taken out", lambda rows: rows.pop(1), Seen("the row")),
    on_report(
        "a row of a report added",
        lambda rows: rows.append(["2025-09", "X", "Y", 1, 1, 1]),
        Seen("row 5 (2025-09, X, Y) is not there by"),
    ),
    on_report("a row of a report twice", lambda rows: rows.append(rows[1]), Seen("row 5 (")),
    on_report(
        "two rows of a report exchanged",
        lambda rows: rows.insert(1, rows.pop(2)),
        Seen("its rows are in another order than by"),
    ),
    on_report(
        "a column of a report renamed",
        lambda rows: put("4", "calls")(rows[0]),
        Seen("report/support_report.csv has the columns"),
    ),
    on_report(
        "two columns of a report exchanged",
        lambda rows: [row.insert(3, row.pop(4)) for row in rows],
        Seen("report/support_report.csv has the columns"),
    ),
    on_report(
        "a cell added to a report",
        lambda rows: rows[1].append("9"),
        Seen("row 1 of report/support_report.csv has 7 cells, not 6"),
    ),
    on_report(
        "all rows of a report taken out",
        lambda rows: rows.clear(),
        Seen("report/support_report.csv cannot be read"),
    ),
    on_json(
        "a figure of a report in JSON edited",
        b'"total_calls": 1',
        b'"total_calls": 9',
        Seen("row 1, total_calls: '9', by "),
    ),
    on_json(
        "a figure of a report in JSON made a text",
        b'"total_calls": 1',
        b'"total_calls": "1"',
        Seen("row 1 of report/support_report.json, total_calls: '1' is no integer"),
    ),
    on_json(
        "a figure in JSON given twice",
        b'"total_calls": 1',
        b'"total_calls": 9, "total_calls": 1',
        Seen("report/support_report.json cannot be read as what it is called: an object"),
    ),
    on_json(
        "a column of a report in JSON renamed",
        b'"total_calls": 1',
        b'"calls": 0',
        Seen("report/support_report.json cannot be read"),
    ),
    Attack(
        "a figure of a report in Parquet edited",
        on_parquet,
        Seen("row 1, total_calls: '9'"),
        Seen("row 1, total_calls: '9'"),
        Seen("row 1, total_calls: '9'"),
        PARQUET,
    ),
    with_proof(
        "a figure of a report and of its proof edited",
        first_figure,
        NO_ROWS,
        Seen("row 1, total_calls: '9', by the delivered files '1'"),
    ),
    with_proof(
        "the SHA-256 of a file in the proof of a report edited",
        put("chain.0.files.3.contents.sha256", "0" * 64),
        REWRITTEN,
        Seen("no file of the bytes of initial/interactions.csv is in sources"),
    ),
    with_proof(
        "the size of a file in the proof of a report edited",
        put("chain.0.files.3.contents.bytes", 7),
        REWRITTEN,
        Seen("sources/initial/interactions.csv is not what the record"),
    ),
    with_proof(
        "a correction taken out of the proof of a report",
        lambda proof: (
            proof["chain"].pop(),
            proof["chain"].pop(),
            proof["chain"].pop(),
            put("batch", 3)(proof),
        ),
        Refused(2, "the proof is of batch 3"),
        Seen("row "),
    ),
    with_proof(
        "a flag in the proof of a report edited",
        put("chain.3.contents.correction", False),
        REWRITTEN,
        BY_FILES,
    ),
    with_proof(
        "a time in the proof of a report edited",
        put("chain.5.recorded_at", "2999-01-01T00:00:00.000000Z"),
        REWRITTEN,
        BY_FILES,
    ),
    with_proof(
        "the name of a file in the proof of a report edited",
        put("chain.3.files.0.name", "delta/other.csv"),
        REWRITTEN,
        BY_FILES,
    ),
    with_proof("a report called one of another month", put("as_of", 202502), NO_ROWS, Seen("row ")),
    with_proof(
        "a report called one of a month that was not recorded",
        put("as_of", 202612),
        NO_ROWS,
        Seen("the proof is of no edition: as of 202612"),
    ),
    with_proof(
        "a report called one of no month",
        put("as_of", 202599),
        *[Refused(2, "'202599' is not a month")] * 3,
    ),
    with_proof("a report called one of another batch", put("batch", 3), NO_ROWS, Seen("row ")),
    with_proof(
        "a report called one of no batch",
        put("batch", 99),
        *[Seen("the proof has no batch 99")] * 3,
    ),
    with_proof("a report said to have other names", put("names", "as-was"), NO_ROWS, Seen("row ")),
    with_proof(
        "the events of a file claimed behind the receipt",
        claim_events,
        *[Seen(f"{AS_NONE}file delta/interactions_delta_202502.csv (batch 7)")] * 3,
    ),
    with_proof("a file superseded behind the receipt", supersede, NO_ROWS, BY_FILES),
    with_proof(
        "a file superseded behind the receipt, and a figure edited",
        supersede_and_edit,
        NO_ROWS,
        Seen("row 1, total_calls: '9', by the delivered files '1'"),
    ),
    with_proof(
        "a report called one of a batch behind the receipt",
        of_batch_behind,
        Refused(2, "the proof is of batch 7"),
        Seen("no file of the bytes of delta/interactions_delta_202502.csv is in sources"),
    ),
    with_proof(
        "the number of a link in the proof of a report edited",
        put("chain.5.contents.batch", 7),
        *[Seen(f"{AS_NONE}batch 7")] * 3,
    ),
    with_proof(
        "the month of a link in the proof of a report edited",
        put("chain.4.contents.month", 202503),
        *[Seen(f"{AS_NONE}file ")] * 3,
    ),
    with_proof(
        "what a file supersedes in the proof of a report edited",
        put("chain.3.files.0.contents.supersedes", None),
        *[Seen(f"{AS_NONE}file ")] * 3,
    ),
    with_proof(
        "the time of a link in the proof of a report before that of the one before it",
        put("chain.3.recorded_at", "2000-01-01T00:00:00.000000Z"),
        *[Seen(f"{AS_NONE}batch 4")] * 3,
    ),
    with_proof(
        "the events of a link in the proof of a report edited",
        put("chain.3.events", 9),
        *[Seen("batch 4 of the proof has another number of events than its files")] * 3,
    ),
    with_proof(
        "the extract in the proof of a report called one of a later month",
        delay_extract,
        *[Seen(f"{AS_NONE}file delta/agents_delta_202502.csv (batch 2)")] * 3,
    ),
    Attack(
        "a retraction invented for the proof of a report",
        invent_retraction,
        BOTH,
        Refused(2, "the proof is of batch 7"),
        BY_FILES,
        CSV,
    ),
    Attack(
        "a figure of the proof of a report edited",
        edit_figure_of_proof,
        OF_PROOF,
        OF_PROOF,
        OF_PROOF,
        CSV,
    ),
    Attack(
        "the events of a receipt for a report edited",
        partial(edit_receipt, put("events", 8)),
        BOTH,
        REWRITTEN,
        BY_FILES,
        CSV,
    ),
    twice("a name twice in the proof of a report", "as_of", attrgetter("report_proof"), CSV),
    twice("a name twice within the proof of a report", "sha256", attrgetter("report_proof"), CSV),
    twice(
        "a name twice in a receipt for a report", "head", attrgetter("receipt"), CSV, BOTH, BY_FILES
    ),
]
