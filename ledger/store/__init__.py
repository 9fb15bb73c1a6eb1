"""The SQLite file: its schema, its records and events, and the only use of sqlite3."""
