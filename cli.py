"""Run the command line from a checkout: ``python cli.py ...``."""

from ledger.cli import main

if __name__ == "__main__":
    main()
