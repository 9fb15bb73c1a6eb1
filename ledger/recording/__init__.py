"""Deliveries recorded as batches, and what may follow on what."""
