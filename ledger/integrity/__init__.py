"""The integrity of a ledger: verification, receipts, and proofs that need no ledger."""
