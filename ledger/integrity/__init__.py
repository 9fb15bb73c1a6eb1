"""Whether a ledger is what it was: verification, receipts, and proofs that need no ledger."""
