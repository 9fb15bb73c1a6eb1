"""The group of all commands: their help, and what becomes of the errors that they raise."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from itertools import chain
from typing import Any

import click

from ledger.cli import console
from ledger.errors import InputRefused, LedgerError
from ledger.model.presentation import Styled
from ledger.text import visible


class LedgerGroup(click.Group):
    """Turns what the ledger raises into a message and an exit code, for every command.

    Attributes:
        sections: the names of the commands under each heading of the help.
    """

    sections: Mapping[str, Sequence[str]] = {}

    def add_sections(self, sections: Mapping[str, Sequence[click.Command]]) -> None:
        """Add commands under headings, in the order in which one needs them."""
        for command in chain(*sections.values()):
            self.add_command(command)
        self.sections = {
            heading: [str(command.name) for command in commands]
            for heading, commands in sections.items()
        }

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands into the help, heading by heading, in columns of one width."""
        width = max(map(len, self.commands))
        room = formatter.width - width - 6
        for heading, names in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [(n.ljust(width), self.commands[n].get_short_help_str(room)) for n in names]
                )

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which one needs them."""
        return list(self.commands)

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                # A name that the terminal's encoding lacks is shown as an escape, not as an error.
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before the command."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name
            options = (o for c in self.commands.values() for p in c.params for o in p.opts)
            if name not in options:
                raise
            message = f"{name} stands after the command: ledger COMMAND {name} …"
            raise click.UsageError(message, ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
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
            console.write_error(
                "Interrupted. What was not finished is undone; what is recorded: ledger log"
            )
            ctx.exit(130)


def _tell_error(error: LedgerError) -> None:
    """Print what is wrong; problems of files first, each on a line of its own."""
    message = str(error)
    if isinstance(error, InputRefused):
        message = error.summary
        for problem in error.problems:
            console.write_error(visible(str(problem)))
    console.write_error(Styled("Error:", "error"), f" {message}")


def _forget_output() -> None:
    """Drop what could not be written, so that Python does not try again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
