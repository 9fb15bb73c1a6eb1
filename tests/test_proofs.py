"""Proofs of events: of every event, with every later receipt, and with nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from ledger import Ledger, LedgerError, VerificationFailed, WrongUsage, verify_proof, verify_report
from ledger.datasets.support.description import SUPPORT
from ledger.integrity.proofs import EventProof, check_event_proof, prove_event
from ledger.model.receipt import Receipt
from ledger.store.event_store import Store
from tests.attacks.scene import PROVEN, Scene, prepare, read, write
from tests.chronicle import Plan, beginning, carry_out, few_examples, plans


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return prepare(tmp_path_factory.mktemp("scene"))


def proofs_of(path: Path) -> list[EventProof]:
    """The proofs of all events of a ledger, those out of force too."""
    with Store.for_reading(path) as store, store.snapshot():
        return [
            prove_event(store, SUPPORT, table, event)
            for table in SUPPORT.tables
            for (event,) in list(store.rows(f"SELECT event_id FROM {table.events}"))
        ]


@given(plans(most=2))
@settings(few_examples, max_examples=12)
def test_every_event_is_proved_by_every_later_receipt(plan: Plan) -> None:
    with beginning(plan) as chronicle:
        receipts: dict[int, Receipt] = {}
        for done in carry_out(plan, chronicle):
            receipts |= {m.batch.batch: m.receipt for m in done if m.batch and m.receipt}
            receipts[chronicle.batches] = chronicle.ledger.receipt()
        proofs = proofs_of(chronicle.ledger.path)
        for proof in proofs:
            for batch, receipt in receipts.items():
                if batch >= proof.batch.batch:
                    check_event_proof(proof, receipt, SUPPORT)
                else:
                    with pytest.raises(WrongUsage, match="take a receipt of one of these"):
                        check_event_proof(proof, receipt, SUPPORT)


def test_a_proof_holds_what_was_delivered(scene: Scene) -> None:
    proof = verify_proof(scene.proof, scene.receipt)
    table, key = PROVEN
    assert (proof.event.table, proof.event.cells["interaction_id"]) == (table, key)
    # As delivered, in whatever way it was read.
    assert proof.event.cells["interaction_start"] == "2025-01-20T10:00:00+02:00"
    assert (proof.event.line, proof.file.kind) == (3, "initial")


def test_an_earlier_state_is_proved(scene: Scene) -> None:
    ledger = Ledger(scene.ledger)
    assert ledger.at(known_at=3).prove("interactions", "I4").event.cells[
        "call_duration_minutes"
    ] == "7.5"  # fmt: skip
    assert ledger.at().prove("interactions", "I4").event.cells["call_duration_minutes"] == "8"
    assert ledger.at("202502").prove("interactions", "I3").event.action == "delete"


def test_the_path_is_as_long_as_the_batch_is_deep(scene: Scene) -> None:
    assert len(read(scene.proof)["path"]) in (3, 4)
    assert read(scene.proof)["events"] == 9


def places(document: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all values of a document that hold no others."""
    if isinstance(document, dict | list):
        steps = document.items() if isinstance(document, dict) else enumerate(document)
        return [found for step, part in steps for found in places(part, (*place, step))]
    return [place]


def other_values(value: Any) -> list[Any]:
    return {
        int: [value, -1, 0, 10**30, "1", None, 1.5],
        str: ["", "x", value[::-1] if isinstance(value, str) else "", 1, None],
    }.get(type(value), ["x", 1])


def test_no_other_value_stands_anywhere_in_a_proof(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    original = read(scene.proof)
    tried = 0
    for *steps, last in places(original):
        for value in other_values(_part(original, steps)[last]):
            document = read(scene.proof)
            part = _part(document, steps)
            if part[last] == value and type(part[last]) is type(value):
                continue
            part[last] = value
            write(path, document)
            with pytest.raises((VerificationFailed, WrongUsage)):
                verify_proof(path, scene.receipt)
            tried += 1
    assert tried > 200


def _part(document: Any, steps: list[Any]) -> Any:
    for step in steps:
        document = document[step]
    return document


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"\xff", b"[" * 99_999, b'{"document": "ledger-event-proof-1"}', b'"\\ud800"'],
)
def test_what_is_no_proof_is_refused(scene: Scene, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "proof.json"
    path.write_bytes(content)
    for verify in (
        lambda: verify_proof(path, scene.receipt),
        lambda: verify_proof(scene.proof, path),
        lambda: verify_report(scene.report(), path),
    ):
        with pytest.raises(WrongUsage, match=r"document: .*; name another file"):
            verify()


def test_a_field_missing_or_added_anywhere_is_refused(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    for inner in ((), ("event",), ("batch",), ("files", 0)):
        for name in _part(read(scene.proof), list(inner)):
            document = read(scene.proof)
            del _part(document, list(inner))[name]
            write(path, document)
            with pytest.raises(WrongUsage):
                verify_proof(path, scene.receipt)
        document = read(scene.proof)
        _part(document, list(inner))["note"] = "audited"
        write(path, document)
        with pytest.raises(WrongUsage):
            verify_proof(path, scene.receipt)


def test_missing_files_are_told(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be read: No such file"):
        verify_proof(tmp_path / "none.json", scene.receipt)


def test_a_proof_is_json_that_others_read(scene: Scene) -> None:
    assert json.loads(scene.proof.read_text(encoding="utf-8"))["document"] == "ledger-event-proof-1"
