"""SQLite, DuckDB and Spark on the same events: seconds, memory, growth, and where they cross."""
