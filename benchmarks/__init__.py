"""Measures of the ledger beside other tools; each package says what it needs and how it is run."""
