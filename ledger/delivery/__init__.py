"""Delivered files: found, read strictly, and turned into typed rows or into problems."""
