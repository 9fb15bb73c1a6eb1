"""Tests of a lake: what is published, what becomes of it when that fails, what is found in it."""
