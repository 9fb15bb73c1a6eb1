"""The group of all commands, with the help under `ledger --help`."""

from __future__ import annotations

import click

from ledger import __version__
from ledger.cli.commands.answers import answers
from ledger.cli.commands.backup import backup
from ledger.cli.commands.bridge import bridge
from ledger.cli.commands.check import check
from ledger.cli.commands.diff import diff
from ledger.cli.commands.doctor import doctor
from ledger.cli.commands.editions import editions
from ledger.cli.commands.explain import explain
from ledger.cli.commands.export import export
from ledger.cli.commands.history import history
from ledger.cli.commands.ingest import ingest
from ledger.cli.commands.init import init
from ledger.cli.commands.log import log
from ledger.cli.commands.project import project
from ledger.cli.commands.prove import prove
from ledger.cli.commands.publish import publish
from ledger.cli.commands.query import query
from ledger.cli.commands.receipt import receipt
from ledger.cli.commands.report import report
from ledger.cli.commands.retract import retract
from ledger.cli.commands.run import run
from ledger.cli.commands.serve import serve
from ledger.cli.commands.status import status
from ledger.cli.commands.tag import tag
from ledger.cli.commands.verify import verify
from ledger.cli.commands.verify_proof import verify_proof
from ledger.cli.commands.verify_report import verify_report
from ledger.cli.group import LedgerGroup


@click.group(
    cls=LedgerGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "LEDGER",
        "max_content_width": 100,
    },
)
@click.version_option(__version__, prog_name="ledger")
def main() -> None:
    """Keep monthly CSV deliveries as immutable events, and compute reports from them.

    \b
    A first run, in a folder with data/initial and data/delta:
      ledger init                       lay out an empty one, where there is none
      ledger ingest                     record every delivered row
      ledger project --as-of 202503     replay the events up to March 2025
      ledger export --format json       write the tables as files
      ledger report                     the support report
      ledger answers                    the business questions
      ledger explain --month 2025-01    the rows that make a figure

    Every option can be set in the environment: LEDGER_DB and LEDGER_DATA_DIR for all commands,
    LEDGER_<COMMAND>_<OPTION> for the others. Results go to standard output, all else to standard
    error. What is wrong where something does not work: ledger doctor.

    \b
    Exit codes: 0 done, 1 a bug, 2 wrong usage, 3 the input is refused or has
    findings to fail on, 4 the ledger is busy, 5 the storage failed,
    6 verification failed, 7 the sequence of deliveries is broken,
    130 interrupted, 141 the reader of the output went away.
    """


main.add_sections(
    {
        "Record what is delivered": (init, ingest, retract, tag),
        "Compute": (project, export, report, answers, run),
        "Look": (status, log, query, serve),
        "Trace a figure to its sources": (history, explain, diff, bridge, check, editions),
        "Show that nothing was changed": (verify, receipt, prove, verify_proof, verify_report),
        "Look after the ledger": (doctor, backup, publish),
    }
)
