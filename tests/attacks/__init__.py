"""Whoever has an SQLite shell and the source of `ledger`, and what verification says of it.

`python -m tests.attacks` tries every attack in every setting and prints a table; with `--without`
it leaves out one check of the verification at a time, and prints which attacks then go through;
with `--bits N` it flips N bits of a ledger, one at a time.
"""
