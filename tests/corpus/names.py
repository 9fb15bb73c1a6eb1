"""Rules on files rather than their contents: names, folders, and what is no file."""

from __future__ import annotations

from collections.abc import Iterator

from tests.corpus.malformed import Content, Link, Malformed, Special, Told
from tests.corpus.sound import DELTA, INITIAL, KINDS, placed, sound
from tests.strategies import COLUMNS

GROUP = "names and places"
NAMES_OF_NO_TABLE = (
    *("{}_delta_20253.csv", "{}_delta_2025-03.csv", "{}_delta_2025_03.csv", "{}_delta.csv"),
    *("{}_delta_202503 (1).csv", "{}_delta_202503_v2.csv", "{}_delta_202503.csv.csv"),
    *("{}_delta_202503.CSV", "{}_delta_Mar2025.csv", "{}_delta_20250331.csv"),
    *("{}-delta-202503.csv", "{}_delta_202503 .csv", " {}_delta_202503.csv", "{}_202503.csv"),
    *("{}_DELTA_202503.csv", "{}_delta_２０２５０３.csv", "{}_delta_٢٠٢٥٠٣.csv"),
    *("{}delta_202503.csv", "{}_delta_+20253.csv"),
    *("{}s_delta_202503.csv", "x{}_delta_202503.csv", "_delta_202503.csv", "new_delta_202503.csv"),
    *("{}_delta_202503.backup.csv", "Copy of {}_delta_202503.csv", "{}\u200b_delta_202503.csv"),
    *("{}.CSV", "{}s.csv", "{} .csv", "{}_initial.csv", "{}(1).csv", "old-{}.csv", "{}\n.csv"),
    *("{}_delta_202503\x1b[31m.csv", "{}_delta_202503\udcff.csv"),
)
BAD_MONTHS = ("202500", "202513", "202599", "000000", "189912", "999999")
NO_FILES: dict[str, tuple[Content, str]] = {
    "a FIFO": (Special("fifo"), "not-a-file"),
    "a folder": (Special("folder"), "not-a-file"),
    "a socket": (Special("socket"), "unreadable-file"),
    "a device": (Link("/dev/null"), "not-a-file"),
    "a device without end": (Link("/dev/zero"), "not-a-file"),
    "a link to a folder": (Link("/"), "not-a-file"),
    "a link to nothing": (Link("nothing.csv"), "unreadable-file"),
}


def deliveries() -> Iterator[Malformed]:
    """Every delivery of these rules."""
    for table in COLUMNS:
        yield from _names(table)
        for kind in KINDS:
            yield from _no_files(table, kind)
        yield from _together(table)
    yield Malformed(
        GROUP, "a folder without a file", "empty", {"initial": Special("folder")}, (),
        exit_code=2, as_folder=True,
    )  # fmt: skip
    for other in ("delta/agents_delta_202503.csv.gz", "delta/.agents_delta_202503.csv", "a.csv"):
        yield Malformed(
            GROUP, "a folder without a file", other, {other: b"x"}, (), exit_code=2, as_folder=True
        )


def _names(table: str) -> Iterator[Malformed]:
    content = sound(table, DELTA).content()
    beside = placed("agents", DELTA, 202504)
    for number, pattern in enumerate(NAMES_OF_NO_TABLE):
        name = pattern.format(table)
        for folder in KINDS:
            file = f"{folder}/{name}"
            files = {file: content, beside: sound("agents", DELTA).content()}
            told = (Told("unknown-file", file=file),)
            variant, rule = f"{table}, {pattern!r} in {folder}", "a name that fits no table"
            singly = bool(number % 2)
            yield Malformed(GROUP, rule, variant, files, told, as_folder=not singly)
    for month in BAD_MONTHS:
        file = f"delta/{table}_delta_{month}.csv"
        told = (Told("unknown-file", file=file),)
        for as_folder in (True, False):
            variant, rule = f"{table}, {month}, {as_folder}", "a month that is none"
            yield Malformed(GROUP, rule, variant, {file: content}, told, as_folder=as_folder)
    for kind, folder in ((INITIAL, "delta"), (DELTA, "initial")):
        file = f"{folder}/{placed(table, kind).partition('/')[2]}"
        files = {file: sound(table, kind).content(), beside: content}
        told = (Told("unknown-file", file=file),)
        variant = f"{table}, {kind}"
        yield Malformed(GROUP, "the wrong folder", variant, files, told, as_folder=True)


def _no_files(table: str, kind: str) -> Iterator[Malformed]:
    for rule, (content, code) in NO_FILES.items():
        file = placed(table, kind)
        for as_folder in (True, False):
            variant = f"{table}, {kind}, {'its folder' if as_folder else 'the file'} named"
            # A file that is named and is not there is told before anything is opened.
            usage = not as_folder and rule == "a link to nothing"
            told = () if usage else (Told(code, file=file),)
            yield Malformed(
                GROUP, rule, variant, {file: content}, told,
                exit_code=2 if usage else 3, as_folder=as_folder,
            )  # fmt: skip
    file = placed(table, kind)
    link = {file: Link(file.partition("/")[2])}
    told = (Told("unreadable-file", file=file),)
    yield Malformed(GROUP, "a link to itself", f"{table}, {kind}", link, told, as_folder=True)


def _together(table: str) -> Iterator[Malformed]:
    """Files that do not go together, and months of which one file of several is malformed."""
    content = sound(table, DELTA).content()
    name = placed(table, DELTA).partition("/")[2]
    files = {f"a/{name}": content, f"b/{name}": content}
    told = (Told("same-delivery", file=f"b/{name}"),)
    yield Malformed(GROUP, "one table and month twice", table, files, told)
    for other in COLUMNS:
        if other != table:
            good = sound(other, DELTA)
            files = {good.name: good.content(), placed(table, DELTA): b""}
            told = (Told("empty-file", file=placed(table, DELTA)),)
            variant = f"{table}, with a sound one of {other}"
            rule = "one of two files is malformed"
            yield Malformed(GROUP, rule, variant, files, told, as_folder=True)
    for_all = {placed(name, DELTA): b"\xff" for name in COLUMNS}
    all_told = tuple(Told("invalid-utf-8", 1, file=placed(name, DELTA)) for name in COLUMNS)
    rule = "every file of the month is malformed"
    yield Malformed(GROUP, rule, table, for_all, all_told, as_folder=True)
