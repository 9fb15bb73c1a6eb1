"""Spark: the replay on its engine, and deliveries recorded by its tasks."""
