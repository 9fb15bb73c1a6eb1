"""The command `ledger verify-report`: verifies a report against its proof."""

from __future__ import annotations

from pathlib import Path

import click

from ledger import standalone
from ledger.cli import console
from ledger.cli.options import (
    FILE,
    formats,
    sources_option,
    telling,
)
from ledger.errors import VerificationFailed
from ledger.text import visible


@click.command("verify-report")
@click.argument("report", type=FILE)
@click.argument("proof", type=FILE)
@click.option("--receipt", type=FILE, help="A receipt of the ledger.")
@sources_option
@formats("table", "json")
@telling
def verify_report(
    report: Path, proof: Path, receipt: Path | None, sources: Path | None, format: str
) -> None:
    """Verify a published report by its proof.

    The ledger is not read. REPORT is a support_report as `ledger report` wrote it, PROOF what
    --proof wrote with it. With --sources the report is computed again from the delivered files.
    Without them nothing binds its figures, and it is not proved. Which files were recorded, or
    taken back, is bound by --receipt alone: without it, the report is proved only if the proof
    leaves out no delivered file up to its month. Names the cells that were changed. Exits with 6
    where the report is changed or not proved.

    Of a receipt, batch, events, head and seal are checked, and not its tags: a proof has none.
    What the proof has of batches after the receipt is not used.

    \b
      ledger report --proof proof.json
      ledger verify-report report/support_report.csv proof.json --receipt R --sources data
    """
    result = standalone.verify_report(report, proof, receipt=receipt, sources=sources)
    if format == "json" or result.proved:
        console.show(result, format)
    else:
        for difference in result.differences:
            console.write(visible(f"{report}: {difference}"))
    if not result.proved:
        raise VerificationFailed(visible(f"{report}: {result.verdict}"))
