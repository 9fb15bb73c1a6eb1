"""Breaks the ledger on purpose, one check at a time: what is never red shows nothing.

Each way is a patch of the ledger's own code while it runs; a process is never used for two.
"""

from __future__ import annotations

import codecs
import re
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import ledger.delivery.cell_values
import ledger.delivery.csv_reader
import ledger.delivery.discovery
import ledger.delivery.line_reader
import ledger.ledger
import ledger.outputs.json
import ledger.recording.recorder
import ledger.store.event_store
from ledger.errors import Problem, Problems
from tests.corpus.checking import Workshop, in_process, workshop
from tests.corpus.collection import sample
from tests.corpus.fuzzing import fuzz
from tests.corpus.malformed import Malformed
from tests.corpus.surviving import changed_texts
from tests.corpus.values import misread_values

OF_EACH_RULE = 2
MOST_MUTANTS = 3000
PER_STEP = 250
NOTHING = "–"

Patch = Callable[[], AbstractContextManager[Any]]

_Reader = ledger.delivery.csv_reader._RowReader
_Lines = ledger.delivery.line_reader.LineReader
_row, _records, _whole_lines = _Reader._row, _Reader._records, _Lines._whole_lines
_check_header, _without_traps = _Reader._check_header, _Lines._without_traps
_utf_8_decode = codecs.utf_8_decode
_add, _kept_blocks = Problems.add, ledger.delivery.csv_reader.read_blocks


def _without(*codes: str) -> Patch:
    """Pass over problems of some codes, as if nobody looked for them."""

    def add(problems: Problems, problem: Problem) -> None:
        if problem.code not in codes:
            _add(problems, problem)

    return lambda: patch.object(Problems, "add", add)


def _pad_rows() -> AbstractContextManager[Any]:
    def row(reader: Any, line: int, record: list[str]) -> Any:
        width = len(reader._names)
        return _row(reader, line, [*record, *[""] * width][:width])

    return patch.object(_Reader, "_row", row)


def _changed_cells(change: Callable[[str], str | None]) -> Patch:
    """Change every cell."""

    def blocks(*arguments: Any) -> Iterator[Any]:
        for block in _kept_blocks(*arguments):
            columns = [[cell and change(cell) for cell in column] for column in block.columns]
            yield block._replace(columns=columns)

    return lambda: patch.object(ledger.recording.recorder, "read_blocks", blocks)


def _split_lines(lines: Any) -> Iterator[str]:
    for block in _whole_lines(lines):
        yield from block.splitlines(keepends=True)


def _replaced(data: bytes, _: str, final: bool) -> tuple[str, int]:
    return _utf_8_decode(data, "replace", final)


def _lenient_header(reader: Any, header: list[str]) -> None:
    reader._header[:] = [name.casefold() for name in header]
    _check_header(reader, reader._header)


def _one_line_on(*arguments: Any) -> Iterator[Any]:
    for block in _kept_blocks(*arguments):
        yield block._replace(lines=[line + 1 for line in block.lines])


def _commit(store: Any) -> AbstractContextManager[None]:
    """A transaction that keeps what a refused batch wrote."""
    manager: AbstractContextManager[None] = store._locked("COMMIT")
    connection = store.connection

    class Kept(AbstractContextManager[None]):
        def __enter__(self) -> None:
            manager.__enter__()

        def __exit__(self, *error: Any) -> None:
            if error[0]:
                connection.execute("COMMIT")
            manager.__exit__(*error)

    return Kept()


def _digits(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


SABOTAGES: dict[str, Patch] = {
    "ragged rows are filled up and cut": _pad_rows,
    "lone carriage returns are let through": _without("lone-cr"),
    "NULs are let through": _without("nul"),
    "blank lines are passed over": _without("blank-line"),
    "what is no UTF-8 is replaced": lambda: patch.object(codecs, "utf_8_decode", _replaced),
    "lines are split as str.splitlines does": lambda: patch.object(
        _Lines, "_whole_lines", _split_lines
    ),
    "the byte order mark is left in": lambda: patch.object(codecs, "BOM_UTF8", b"~~~"),
    "stray quotes are let through": _without("stray-quote", "text-after-quote"),
    "a quote never closed is let through": _without("unbalanced-quote"),
    "cells are trimmed as str.strip does": lambda: patch.object(
        ledger.delivery.csv_reader, "BLANK", " \t\xa0\u2003\u2028\u3000"
    ),
    "cells are not trimmed": lambda: patch.object(ledger.delivery.csv_reader, "BLANK", ""),
    "a cell may be longer": lambda: patch.object(
        ledger.delivery.csv_reader, "FIELD_LIMIT", 4 * 1024 * 1024
    ),
    "the header is read in any case": lambda: patch.object(
        _Reader, "_check_header", _lenient_header
    ),
    "a column too many is let through": _without("column-extra"),
    "a column twice is let through": _without("column-duplicate"),
    "unknown actions are passed over": _without("unknown-action", "empty-action"),
    "rows without a key are passed over": _without("empty-key"),
    "a key may stand twice in an extract": _without("duplicate-key"),
    "names that fit no table are passed over": _without("unknown-file"),
    "rows are counted from the line after": lambda: patch.object(
        ledger.recording.recorder, "read_blocks", _one_line_on
    ),
    "sound rows of a refused file are kept": lambda: patch.object(
        ledger.store.event_store.Store, "transaction", _commit
    ),
    "texts are normalised": _changed_cells(lambda cell: unicodedata.normalize("NFC", cell)),
    "NA means blank": _changed_cells(lambda cell: None if cell == "NA" else cell),
    "digits lose their zeros": _changed_cells(
        lambda cell: str(int(cell)) if cell.isascii() and cell.isdecimal() else cell
    ),
    "an export takes digits for numbers": lambda: patch.object(
        ledger.outputs.json, "plain_number", _digits
    ),
    "numbers may be grouped": lambda: patch.object(
        ledger.delivery.cell_values, "_NUMBER", re.compile(r"[\d.,eE+-]*\d")
    ),
    "a timestamp without an offset is taken for UTC": lambda: patch.object(
        ledger.delivery.cell_values,
        "_TIMESTAMP",
        re.compile(ledger.delivery.cell_values._TIMESTAMP.pattern.removesuffix("?") + "|^$"),
    ),
}


class Found(NamedTuple):
    """What found a sabotage.

    Attributes:
        corpus: of the sample of malformed deliveries, those that are not refused as they must be.
        exact: how many texts and values came back as others.
        fuzzer: within how many mutants the fuzzer found it; none where it did not.
    """

    corpus: int
    exact: int
    fuzzer: str

    def __bool__(self) -> bool:
        return bool(self.corpus or self.exact or self.fuzzer != NOTHING)


def found_by(seed: int, name: str) -> Found:
    """Break the ledger in one way, and see what finds it."""
    with workshop() as ledgers, SABOTAGES[name]():
        refused = sum(_is_noticed(ledgers, delivery) for delivery in sample(OF_EACH_RULE))
        exact = _changed(changed_texts) + _changed(misread_values)
        for end in range(PER_STEP, MOST_MUTANTS + 1, PER_STEP):
            if fuzz(seed, range(end - PER_STEP, end), most=1).discrepancies:
                return Found(refused, exact, str(end))
        return Found(refused, exact, NOTHING)


def _is_noticed(ledgers: Workshop, delivery: Malformed) -> bool:
    try:
        return bool(ledgers.complaints(delivery, in_process))
    except Exception:
        return True


def _changed(check: Callable[[Path], Iterator[str]]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        found = 0
        try:
            for _ in check(Path(folder)):
                found += 1
        except Exception:
            return found + 1
        return found
