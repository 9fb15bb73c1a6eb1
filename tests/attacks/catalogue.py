"""All attacks, by what they are made on."""

from __future__ import annotations

from tests.attacks.attack import Attack
from tests.attacks.on_chain import CHAIN_ATTACKS
from tests.attacks.on_derived import DERIVED_ATTACKS
from tests.attacks.on_documents import PROOF_ATTACKS, RECEIPT_ATTACKS, REPORT_ATTACKS
from tests.attacks.on_events import EVENT_ATTACKS
from tests.attacks.on_records import RECORD_ATTACKS
from tests.attacks.on_schema import SCHEMA_ATTACKS

CATALOGUE: dict[str, list[Attack]] = {
    "events": EVENT_ATTACKS,
    "records": RECORD_ATTACKS,
    "computed": DERIVED_ATTACKS,
    "file and schema": SCHEMA_ATTACKS,
    "all digests computed anew": CHAIN_ATTACKS,
    "receipts": RECEIPT_ATTACKS,
    "proofs of events": PROOF_ATTACKS,
    "reports and their proofs": REPORT_ATTACKS,
}

ATTACKS = [attack for attacks in CATALOGUE.values() for attack in attacks]
