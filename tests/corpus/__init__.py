"""Bad input: malformed deliveries, odd texts, odd values, a fuzzer, and sabotage of the product.

`python -m tests.corpus` runs all of it in its long form. What is delivered and what must become of
it is made here from named rules, without the ledger's own code.
"""
