"""What the ledger keeps when the machine fails: kills, failing disks, power cuts, company.

`python -m tests.faults` runs all of it, `tests/test_faults.py` a little of each. The claim that
every trial is held to stands in `claim.py`; `altered.py` breaks the ledger on purpose, to show that
a trial notices.
"""
