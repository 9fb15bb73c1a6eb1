"""The ledger in a browser: Datasette over its file, read-only, for this machine alone."""
