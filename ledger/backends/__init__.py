"""What keeps the events of a ledger: its file here, a lake in `ledger.engines`."""
