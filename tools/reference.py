"""Writes the reference of all commands from the commands themselves: Markdown and a man page.

    python -m tools.reference

A test tells when the files are not what this writes.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click

from ledger import __version__
from ledger.cli import main
from ledger.cli.group import LedgerGroup
from ledger.errors import LedgerError

DOCS = Path(__file__).parent.parent / "docs"
MARKDOWN = "reference.md"
MAN_PAGE = "ledger.1"
COMMAND = "python -m tools.reference"
MADE = f"Made from the commands; do not edit, but run: {COMMAND}"

EVERYWHERE = {
    "-q, --quiet": "Tell nothing but the result and errors.",
    "-v, --verbose": "Tell more on standard error.",
    "-h, --help": "Show what the command does, and its options.",
}
"""The options that every command has; they are described once."""

ENVIRONMENT = {
    "LEDGER_DB": "The ledger's file, for every command that has to do with one.",
    "LEDGER_DATA_DIR": "The data folder, for every command that records.",
    "LEDGER_<COMMAND>_<OPTION>": "Any other option of a command, such as LEDGER_EXPORT_FORMAT.",
}
FILES = {
    "ledger.db": "The ledger, where --db says nothing else: an SQLite database.",
    "data/initial/<table>.csv": "An extract, as delivered.",
    "data/delta/<table>_delta_<YYYYMM>.csv": "The changes of a month, as delivered.",
    "output/": "What ledger export writes.",
    "report/": "What ledger report writes.",
}
OTHER_CODES = {
    0: "What was asked for is done.",
    1: "A bug of the ledger itself.",
    130: "It was interrupted; what was not finished is undone.",
    141: "Whoever read the output went away, as in ledger log | head -1.",
}


@dataclass(frozen=True)
class Block:
    """A paragraph of a help, or lines that stay as they are, such as examples."""

    text: str
    literal: bool


@dataclass(frozen=True)
class Option:
    """An option: how it is written, what it does, its default, and where it is set beforehand."""

    names: str
    help: str
    default: str
    variable: str


@dataclass(frozen=True)
class Command:
    """A command with all that there is to say of it."""

    name: str
    summary: str
    usage: str
    blocks: tuple[Block, ...]
    options: tuple[Option, ...]


def pages() -> dict[str, str]:
    """The text of each file of the reference, by its name."""
    return {MARKDOWN: as_markdown(main), MAN_PAGE: as_man_page(main)}


def sections(group: LedgerGroup) -> Iterator[tuple[str, list[Command]]]:
    """The commands under each heading of the help."""
    parent = group.make_context("ledger", [], resilient_parsing=True)
    for heading, names in group.sections.items():
        yield heading, [_command(group.commands[name], parent) for name in names]


def _command(command: click.Command, parent: click.Context) -> Command:
    ctx = click.Context(command, parent, command.name)
    usage = " ".join(["ledger", str(command.name), *command.collect_usage_pieces(ctx)])
    options = [
        _option(option, ctx)
        for option in command.get_params(ctx)
        if isinstance(option, click.Option) and ", ".join(option.opts) not in EVERYWHERE
    ]
    summary, *blocks = _blocks(command.help or "")
    return Command(str(command.name), summary.text, usage, tuple(blocks), tuple(options))


def _blocks(help: str) -> list[Block]:
    blocks = []
    for text in inspect.cleandoc(help).split("\n\n"):
        literal = text.startswith("\b\n")
        text = textwrap.dedent(text[2:]) if literal else " ".join(text.split())
        blocks.append(Block(text, literal))
    return blocks


def _option(option: click.Option, ctx: click.Context) -> Option:
    names, text = option.get_help_record(ctx) or ("", "")
    help, _, extra = text.partition("  [")
    default = extra.removesuffix("]")
    variable = "" if option.is_flag and option.flag_value == "json" else _variable(option, ctx)
    return Option(names, help, default, variable)


def _variable(option: click.Option, ctx: click.Context) -> str:
    own = option.envvar
    return own if isinstance(own, str) else f"{ctx.auto_envvar_prefix}_{option.name}".upper()


def exit_codes() -> dict[str, str]:
    """What each exit code means, as the errors say it."""
    codes = {code: [meaning] for code, meaning in OTHER_CODES.items()}
    for kind in LedgerError.__subclasses__():
        codes.setdefault(kind.exit_code, []).append((kind.__doc__ or "").splitlines()[0])
    return {str(code): " Or: ".join(meanings) for code, meanings in sorted(codes.items())}


def as_markdown(group: LedgerGroup) -> str:
    """The reference as Markdown."""
    lines = [
        f"<!-- {MADE} -->",
        "# Reference",
        "",
        "Every command with its options, and the variables that set these beforehand. More on what",
        "they do is in [commands.md](commands.md). The same as a man page: `man ledger` where the",
        "ledger is installed, `man docs/ledger.1` in the checkout.",
        "",
        "Every command takes these:",
        "",
        *_table(("option", "does"), EVERYWHERE),
    ]
    for heading, commands in sections(group):
        lines += ["", f"## {heading}"]
        for command in commands:
            lines += _command_as_markdown(command)
    lines += ["", "## Environment variables", "", *_table(("variable", "sets"), ENVIRONMENT)]
    lines += ["", "## Exit codes", "", *_table(("code", "means"), exit_codes())]
    return "\n".join([*lines, ""])


def _command_as_markdown(command: Command) -> Iterator[str]:
    yield from ("", f"### ledger {command.name}", "", command.summary)
    yield from ("", f"    {command.usage}")
    for block in command.blocks:
        yield ""
        yield textwrap.indent(block.text, "    ") if block.literal else _cell(block.text)
    if command.options:
        yield from ("", "| option | does | | variable |", "|---|---|---|---|")
    for option in command.options:
        cells = (f"`{option.names}`", option.help, option.default, f"`{option.variable}`")
        yield f"| {' | '.join(_cell(cell) if cell != '``' else '' for cell in cells)} |"


def _cell(text: str) -> str:
    """A text that Markdown shows as it is: `<`, `>` and `|` are marks outside of code."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [part.replace("<", "&lt;").replace(">", "&gt;") for part in parts[::2]]
    return "".join(parts).replace("|", r"\|")


def _table(columns: tuple[str, str], rows: dict[str, str]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|---|---|"
    for name, text in rows.items():
        yield f"| `{name}` | {_cell(text)} |"


def as_man_page(group: LedgerGroup) -> str:
    """The reference as a man page, in the macros that every `man` reads."""
    summary, *blocks = _blocks(group.help or "")
    examples, prose = (
        [b for b in blocks if b.literal is literal and not b.text.startswith("Exit codes")]
        for literal in (True, False)
    )
    lines = [
        r"'\" -*- coding: utf-8 -*-",
        rf".\" {MADE}",
        f'.TH LEDGER 1 "" "ledger {__version__}" "User Commands"',
        *(".SH NAME", rf"ledger \- {_roff(summary.text[0].lower() + summary.text[1:-1])}"),
        *(".SH SYNOPSIS", ".B ledger [OPTIONS] COMMAND [ARGS]..."),
        ".SH DESCRIPTION",
        _roff(summary.text),
        *_blocks_as_roff(prose),
        ".SH OPTIONS OF EVERY COMMAND",
        *_items({**EVERYWHERE, "--version": "Before a command: show the version."}),
    ]  # fmt: skip
    for heading, commands in sections(group):
        lines.append(f".SH {_roff(heading).upper()}")
        for command in commands:
            lines += _command_as_roff(command)
    lists = {"ENVIRONMENT": ENVIRONMENT, "FILES": FILES, "EXIT STATUS": exit_codes()}
    for heading, items in lists.items():
        lines += [f".SH {heading}", *_items(items)]
    lines += [".SH EXAMPLES", *islice(_blocks_as_roff(examples), 1, None)]
    return "\n".join([*lines, ""])


def _command_as_roff(command: Command) -> Iterator[str]:
    yield f".SS ledger {_roff(command.name)}"
    yield _roff(command.summary)
    yield from (".PP", f".B {_roff(command.usage)}")
    yield from _blocks_as_roff(command.blocks)
    for option in command.options:
        yield from (".TP", f".B {_roff(option.names)}", _roff(option.help))
        if option.default:
            yield _roff(f"[{option.default}]")


def _blocks_as_roff(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        if block.literal:
            yield from (".PP", ".RS 4", ".nf", *map(_roff, block.text.splitlines()), ".fi", ".RE")
        else:
            yield from (".PP", _roff(block.text))


def _items(items: dict[str, str]) -> Iterator[str]:
    for name, text in items.items():
        yield from (".TP", f".B {_roff(name)}", _roff(text))


def _roff(text: str) -> str:
    """A text as it is: no escape, no macro, and hyphens that can be copied."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("`", "")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8", newline="\n")
