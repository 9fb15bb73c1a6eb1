"""Fixtures that all tests of the engines share."""

from tests.engines.sessions import spark

__all__ = ["spark"]
