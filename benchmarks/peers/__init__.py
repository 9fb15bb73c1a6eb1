"""The same job by other means: from delivered files to four final tables as CSV, and the report.

    python -m benchmarks.peers.pandas DATA OUT        likewise duckdb, polars
    python -m benchmarks.peers.check OURS OUT         whether that is what the ledger gives

Each reads every cell as text, keeps of each key the last row by month and line, leaves out what is
deleted, and writes `<table>_final.csv` in the order of the key, with times as delivered (UTC). The
report goes by local month (New York), the centre's name and the category's department, `Unknown`
where there is none, as `ledger report` does. None of them checks or keeps anything.
"""
