"""The command line: each command parses, calls `Ledger`, and prints."""

from ledger.cli.main import main

__all__ = ["main"]
