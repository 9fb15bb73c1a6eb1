"""The event log as a lake: files of Parquet that any engine reads, and no server."""
