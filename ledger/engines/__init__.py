"""Other engines that run the same replay on a lake: DuckDB and Spark."""
