"""What other readers of CSV make of malformed deliveries, odd texts and odd values.

In an environment of its own, in a checkout of this project:

    python3 -m venv readers-venv
    readers-venv/bin/pip install -r benchmarks/requirements.txt .
    readers-venv/bin/python -m benchmarks.readers
"""
