"""Values: periods, tables, digests. Nothing here reads or writes a file."""
