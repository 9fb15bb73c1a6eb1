"""Receipts: those of any earlier state agree, and what is none is refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from ledger import Ledger, WrongUsage
from ledger.integrity.documents import read_document, write_document
from ledger.model.receipt import Receipt
from tests.chronicle import Plan, beginning, carry_out, few_examples, plans
from tests.commands import run_ledger
from tests.strategies import small_file, write_data_folder

DIGEST = "0123456789abcdef" * 4
RECEIPT = {
    "document": "ledger-receipt-1",
    "batch": 1,
    "events": 1,
    "head": DIGEST,
    "seal": DIGEST,
    "tags": 0,
    "tag_seal": DIGEST,
}


def changed(**fields: Any) -> bytes:
    return json.dumps({**RECEIPT, **fields}).encode()


NO_RECEIPTS = {
    "nothing": b"",
    "garbage": b"\x00\x01garbage",
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"7",
    "not UTF-8": changed().replace(b"0123", b"\xff123"),
    "UTF-16": changed().decode().encode("utf-16"),
    "a lone surrogate": changed().replace(b"0123", b"\\ud800"),
    "deeply nested": b"[" * 100_000,
    "deeply nested objects": b'{"a":' * 100_000,
    "deeply nested within": changed(note=1).replace(b"1}", b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "a name twice": changed().replace(b"{", b'{"batch": 1, ', 1),
    "a name twice, written otherwise": changed().replace(b"{", b'{"b\\u0061tch": 1, ', 1),
    "a name twice within": changed(note=1).replace(b"1}", b'[{"a": {"b": 1, "b": 1}}]}'),
    "another kind": changed(document="ledger-event-proof-1"),
    "no kind": json.dumps({k: v for k, v in RECEIPT.items() if k != "document"}).encode(),
    "a later version": changed(document="ledger-receipt-2"),
    "a field too many": changed(note="audited"),
    "a field too few": json.dumps({k: v for k, v in RECEIPT.items() if k != "seal"}).encode(),
    "a text for a number": changed(batch="1"),
    "a fraction": changed(batch=1.5),
    "a negative number": changed(events=-1),
    "batch 0": changed(batch=0),
    "null": changed(head=None),
    "a short digest": changed(head=DIGEST[1:]),
    "a digest and a newline": changed(head=f"{DIGEST}\n"),
    "a digest in capitals": changed(head=DIGEST.upper()),
    "a number without an end": changed().replace(b": 1,", b": 1" + b"0" * 9999 + b",", 1),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    files = write_data_folder(folder, [small_file("agents", None, ["A1", "Ann"])])
    Ledger(folder / "ledger.db").ingest(files=files, initial_month="202501")
    return folder


@pytest.mark.parametrize("content", NO_RECEIPTS.values(), ids=NO_RECEIPTS.keys())
def test_what_is_no_receipt_is_refused(folder: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "receipt.json"
    path.write_bytes(content)
    with pytest.raises(WrongUsage, match=r"is no ledger-receipt-1 document: .*; name another file"):
        Ledger(folder / "ledger.db").verify(receipts=[path])


def test_a_receipt_of_a_huge_number_is_of_another_ledger(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    for number in (2**63, 10**30):
        path.write_bytes(changed(batch=number, tags=number))
        (fault, *_) = Ledger(folder / "ledger.db").verify(receipts=[path]).faults
        assert "and the ledger ends with 1" in fault.message
        path.write_bytes(changed(events=number, tags=number))
        assert len(Ledger(folder / "ledger.db").verify(receipts=[path]).faults) == 2


def test_a_receipt_that_is_missing_or_a_folder_is_told(folder: Path, tmp_path: Path) -> None:
    ledger = Ledger(folder / "ledger.db")
    for path, message in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(WrongUsage, match=rf"cannot be read: {message}"):
            ledger.verify(receipts=[path])


def test_the_command_line_refuses_it_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "receipt.json").write_bytes(NO_RECEIPTS["not UTF-8"])
    ran = run_ledger(
        "verify", "--db", folder / "ledger.db", "--receipt", "receipt.json", cwd=tmp_path
    )
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("Error: receipt.json is no ledger-receipt-1 document: ")


def test_a_receipt_may_be_written_otherwise(folder: Path, tmp_path: Path) -> None:
    ledger, path = Ledger(folder / "ledger.db"), tmp_path / "receipt.json"
    receipt = ledger.receipt()
    path.write_text(json.dumps(dict(reversed(receipt.data().items()))), encoding="utf-8")
    assert read_document(path, Receipt) == receipt
    assert ledger.verify(receipts=[path]).anchored == 1


def test_a_ledger_in_which_nothing_is_recorded_gives_no_receipt(tmp_path: Path) -> None:
    ran = run_ledger("receipt", cwd=tmp_path)
    assert ran.code == 2
    assert "there is no ledger ledger.db" in ran.err


@given(plans())
@settings(few_examples, max_examples=12)
def test_a_receipt_of_any_earlier_state_still_agrees(plan: Plan) -> None:
    with beginning(plan) as chronicle:
        ledger, kept = chronicle.ledger, list[Path]()
        for _ in carry_out(plan, chronicle):
            kept.append(chronicle.folder / f"{len(kept)}.json")
            write_document(kept[-1], ledger.receipt())
            if chronicle.in_force(chronicle.batches):
                ledger.tag(f"tag-{len(kept)}")
        result = ledger.verify(receipts=kept, quick=True)
        assert (result.faults, result.anchored) == ((), chronicle.batches)
