"""Rules on the header: its columns, what separates them, and files that have none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.corpus.malformed import Malformed, Told
from tests.corpus.sound import DELTA, Sound, every_sound

BOM = b"\xef\xbb\xbf"
DELIMITERS = {"semicolons": ";", "tabs": "\t", "bars": "|"}

Names = list[str]
Faults = Iterator[tuple[str, Names, list[Told]]]


def deliveries() -> Iterator[Malformed]:
    """Every delivery of these rules."""
    for base in every_sound():
        for bom in (b"", BOM):
            yield from _columns(base, bom)
            yield from _delimiters(base, bom)
            yield from _lines_before(base, bom)
        yield from _empty(base)


def column_faults(kind: str, names: Names) -> Faults:
    """What can be wrong with the columns, the header that has it, and what is told."""
    key, second, *others = names
    yield "two columns of a name", [*names, second], [_told("duplicate", second)]
    yield (
        "two columns of a name, another missing",
        [key, second, second, *others[1:]],
        [_told("duplicate", second), _told("missing", others[0])],
    )
    yield "a column without a name", [*names, ""], [_told("blank")]
    yield "a blank before the first column", ["", *names], [_told("blank")]
    yield (
        "a column whose name is gone",
        [key, " ", *others],
        [_told("blank"), _told("missing", second)],
    )
    yield "a column is missing", [key, *others], [_told("missing", second)]
    yield "the key is missing", [second, *others], [_told("missing", key)]
    yield "all but the key are missing", [key], [_told("missing", n) for n in names[1:]]
    yield "a column too many", [*names, "colour"], [_told("extra", "colour")]
    yield "a column too many, first", ["row", *names], [_told("extra", "row")]
    yield (
        "a column of another name",
        [key, f"{second}s", *others],
        [_told("extra", f"{second}s"), _told("missing", second)],
    )
    yield (
        "a blank instead of an underscore",
        [key.replace("_", " "), second, *others],
        [_told("extra", key.replace("_", " ")), _told("missing", key)],
    )
    yield "capitals", [name.upper() for name in names], [_told("case", n.upper()) for n in names]
    yield "a capital", [key.title(), second, *others], [_told("case", key.title())]
    yield "a name with and without capitals", [*names, key.upper()], [_told("case", key.upper())]
    yield (
        "a character of no width in a name",
        [key, f"{second}\u200b", *others],
        [_told("extra", f"{second}\u200b"), _told("missing", second)],
    )
    yield (
        "a letter of another alphabet",
        [key, second.replace("e", "\u0435"), *others],
        [_told("extra", second.replace("e", "\u0435")), _told("missing", second)],
    )
    if kind == DELTA:
        yield "no action", names[:-1], [_told("missing", "action")]
        yield "a delta with two actions", [*names, "action"], [_told("duplicate", "action")]
    else:
        yield "an extract with an action", [*names, "action"], [_told("extra", "action")]


def _told(what: str, column: str | None = None) -> Told:
    return Told(f"column-{what}", 1, column)


def _columns(base: Sound, bom: bytes) -> Iterator[Malformed]:
    for rule, names, told in column_faults(base.kind, list(base.records[0])):
        content = bom + base.instead(0, ",".join(names).encode())
        yield _malformed(base, bom, "columns", rule, content, told)
    quoted = (
        ("a quote in a name", "stray-quote", b'agent"id'),
        ("text after a closing quote", "text-after-quote", b'"agent"_id'),
    )
    for rule, code, name in quoted:
        content = bom + base.instead(0, b",".join([name, *base.written(0)[1:]]))
        yield _malformed(base, bom, "columns", rule, content, [Told(code, 1)])
    content = bom + base.instead(0, b'"' + b",".join(base.written(0)))
    # It is closed by the quote of the second row.
    yield _malformed(
        base, bom, "columns", "a quote never closed", content, [Told("text-after-quote", 1)]
    )


def _delimiters(base: Sound, bom: bytes) -> Iterator[Malformed]:
    writings: dict[str, Callable[[str], str]] = {
        "": str,
        ", every cell in quotes": lambda cell: cell if '"' in cell else f'"{cell}"',
    }
    for rule, delimiter in DELIMITERS.items():
        for quoted, write in writings.items():
            records = [delimiter.join(write(c) for c in record).encode() for record in base.records]
            content = bom + base.joined(records)
            told = [Told("delimiter", 1)]
            yield _malformed(base, bom, "delimiters", f"{rule}{quoted}", content, told)


def _lines_before(base: Sound, bom: bytes) -> Iterator[Malformed]:
    names = base.records[0]
    missing = [_told("missing", name) for name in names]
    for rule, line, told in (
        ("a blank line", "", [Told("blank-line", 1)]),
        ("a line of blanks", " \t", [Told("blank-line", 1)]),
        ("a line of commas", "," * (len(names) - 1), [Told("blank-line", 1)]),
        ("a comment", "# of March", [_told("extra", "# of March"), *missing]),
        ("a title", "Report", [_told("extra", "Report"), *missing]),
        ("a word for a spreadsheet", "sep=,", [_told("extra", "sep="), _told("blank"), *missing]),
    ):
        content = bom + line.encode() + base.newline + base.content()
        yield _malformed(base, bom, "columns", f"{rule} before the header", content, told)
    first = base.content().partition(base.newline)[2]
    told = [_told("extra", base.records[1][0])]
    yield _malformed(base, bom, "columns", "no header", bom + first, told, more=True)


def _empty(base: Sound) -> Iterator[Malformed]:
    for rule, content, told in (
        ("an empty file", b"", Told("empty-file")),
        ("a byte order mark alone", BOM, Told("empty-file")),
        ("a line end alone", base.newline, Told("blank-line", 1)),
        ("line ends alone", base.newline * 5, Told("blank-line", 1)),
        ("blanks alone", b" \t ", Told("blank-line", 1)),
        ("blanks and line ends alone", b" " + base.newline + b"\t", Told("blank-line", 1)),
        ("a byte order mark and a line end", BOM + base.newline, Told("blank-line", 1)),
    ):
        yield _malformed(base, b"", "empty files", rule, content, [told])
    key = base.records[0][0]
    twice = [_told("extra", f"\ufeff{key}"), _told("missing", key)]
    content = BOM + BOM + base.content()
    yield _malformed(base, b"", "columns", "two byte order marks", content, twice)


def _malformed(
    base: Sound, bom: bytes, group: str, rule: str, content: bytes, told: list[Told],
    *, more: bool = False,
) -> Malformed:  # fmt: skip
    mark = ", BOM" if bom else ""
    variant = f"{base.table}, {base.kind}, {base.newline!r}{mark}"
    return Malformed(group, rule, variant, {base.name: content}, tuple(told), more=more)
