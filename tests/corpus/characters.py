"""Rules on bytes and characters: what is no UTF-8, NULs, carriage returns."""

from __future__ import annotations

from collections.abc import Iterator

from tests.corpus.malformed import Malformed, Told
from tests.corpus.sound import HEADER, LINES, ROW_PLACES, Sound, every_sound

NOT_UTF_8 = {
    "a letter in Latin-1": b"Ren\xe9e",
    "quotes of Windows-1252": b"\x93Ana\x94",
    "a letter in Shift JIS": b"\x83\x65",
    "an overlong slash": b"\xc0\xaf",
    "an overlong NUL": b"\xc0\x80",
    "an overlong letter of three bytes": b"\xe0\x81\x81",
    "an overlong letter of four bytes": b"\xf0\x80\x81\x81",
    "a lone high surrogate": b"\xed\xa0\x80",
    "a lone low surrogate": b"\xed\xbf\xbf",
    "a pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    "a lone continuation": b"\x80",
    "two bytes, the second missing": b"\xc3",
    "three bytes, the third missing": b"\xe2\x82",
    "four bytes, the fourth missing": b"\xf0\x9f\x98",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
    "a lead of five bytes": b"\xf8\x88\x80\x80\x80",
    "a lead of six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "0xFE": b"\xfe",
    "0xFF": b"\xff",
}
NULS = {"in a text": b"A\0na", "alone in a cell": b"\0", "in quotes": b'"A\0na"'}
CARRIAGE_RETURNS = {
    "in a text": b"A\rna",
    "at the start of a cell": b"\rAna",
    "in quotes": b'"A\rna"',
    "after a line feed": b'"A\n\rna"',
}
GROUP = "characters"


def deliveries() -> Iterator[Malformed]:
    """Every delivery of these rules."""
    for base in every_sound():
        for place, number in {"header": HEADER, **ROW_PLACES}.items():
            yield from _in_a_cell(base, place, number)
        yield from _at_the_end(base)


def _in_a_cell(base: Sound, place: str, number: int) -> Iterator[Malformed]:
    line, cells = LINES[number], base.written(number)
    for rule, bad in NOT_UTF_8.items():
        before = b",".join([cells[0], cells[1] + bad])
        content = base.instead(number, b",".join([before, *cells[2:]]))
        offset = content.index(before) + len(before) - len(bad) + _first_high(bad)
        says = f"byte {offset} is not UTF-8"
        told = Told("invalid-utf-8", line)
        yield _malformed(base, f"not UTF-8: {rule}", place, content, told, says)
    if number == HEADER:
        content = base.instead(number, b",".join([cells[0] + b"\0", *cells[1:]]))
        yield _malformed(base, "a NUL in the header", place, content, Told("nul", 1))
        content = base.instead(number, b",".join([cells[0] + b"\r", *cells[1:]]))
        yield _malformed(base, "a lone CR in the header", place, content, Told("lone-cr", 1))
        return
    for rule, cell in NULS.items():
        content = base.instead(number, b",".join([cells[0], cell, *cells[2:]]))
        yield _malformed(base, f"a NUL {rule}", place, content, Told("nul", line))
    content = base.instead(number, b",".join([b"\0" + cells[0], *cells[1:]]))
    yield _malformed(base, "a NUL in the key", place, content, Told("nul", line))
    for rule, cell in CARRIAGE_RETURNS.items():
        content = base.instead(number, b",".join([cells[0], cell, *cells[2:]]))
        at = line + cell.count(b"\n")
        yield _malformed(base, f"a lone CR {rule}", place, content, Told("lone-cr", at))
    content = base.instead(number, b",".join(cells) + b"\r\r")
    yield _malformed(base, "two CRs at the end of a row", place, content, Told("lone-cr", line))


def _at_the_end(base: Sound) -> Iterator[Malformed]:
    content, place = base.content(), "end of the file"
    for size, cut in (("two", b"\xc3"), ("three", b"\xe2\x82"), ("four", b"\xf0\x9f\x98")):
        rule = f"not UTF-8: the file ends within a character of {size} bytes"
        says = f"byte {len(content)} is not UTF-8"
        yield _malformed(base, rule, place, content + cut, Told("invalid-utf-8", 8), says)
    rule = "a lone CR as the end of the file"
    ended = content.removesuffix(base.newline) + b"\r"
    yield _malformed(base, rule, place, ended, Told("lone-cr", LINES[5]))
    nuls = content + b"\0" * 512
    yield Malformed(
        GROUP, "padded with NULs", _variant(base, place), {base.name: nuls},
        (Told("nul", 8),), more=True,
    )  # fmt: skip


def _malformed(
    base: Sound, rule: str, place: str, content: bytes, told: Told, says: str = ""
) -> Malformed:
    variant = _variant(base, place)
    return Malformed(GROUP, rule, variant, {base.name: content}, (told,), says=says)


def _variant(base: Sound, place: str) -> str:
    return f"{base.table}, {base.kind}, {base.newline!r}, {place}"


def _first_high(some: bytes) -> int:
    return next(place for place, byte in enumerate(some) if byte > 0x7F)
