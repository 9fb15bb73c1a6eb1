"""Turns what the ledger raises into a message and an exit code, for every command."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Any

import click

from ledger.errors import InputRefused, LedgerError
from ledger.printing import tell
from ledger.words import visible


class LedgerGroup(click.Group):
    """Turns what the ledger raises into a message and an exit code, for every command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which one needs them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        if isinstance(sys.stdout, TextIOWrapper):
            # A name that the terminal's encoding lacks is shown as an escape, not as an error.
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except LedgerError as error:
            _forget_output()
            _tell_error(error)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            # As for a program that the signal ends: whoever read the output has had enough.
            _forget_output()
            ctx.exit(141)
        except KeyboardInterrupt:
            # A commit that was under way is carried out, so this does not say what is recorded.
            tell("Interrupted. What was not finished is undone; what is recorded: ledger log")
            ctx.exit(130)


def _tell_error(error: LedgerError) -> None:
    """Print what is wrong; problems of files first, each on a line of its own."""
    message = str(error)
    if isinstance(error, InputRefused):
        message = error.summary
        for problem in error.problems:
            tell(visible(str(problem)))
    tell(f"Error: {message}")


def _forget_output() -> None:
    """Drop what could not be written, so that Python does not try again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
