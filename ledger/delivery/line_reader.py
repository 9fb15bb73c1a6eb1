"""From bytes to the physical lines of a text file: encoding, NULs, line ends.

Lines end in LF or CRLF alone; the other characters that `str.splitlines` takes for line ends
(U+2028 and its like) are text.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain

from ledger.errors import Problem, Problems

_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")
_OTHER_FORMATS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"PK\x03\x04": "zip or xlsx",
    b"\xd0\xcf\x11\xe0": "xls",
    b"PAR1": "Parquet",
    b"SQLite format 3": "SQLite",
    b"%PDF": "PDF",
    b"<": "HTML or XML",
    b"{": "JSON",
    b"[": "JSON",
}
_BEGINNING = 32
"""How many bytes show what a file is."""


class UnreadableText(Exception):
    """The rest of the file cannot be read; carries the problem that says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class LineReader:
    """The physical lines of a file in UTF-8, each with its newline; a BOM is taken off.

    They are handed out one by one, and of what is read at once, the rest can be taken as a whole.

    Attributes:
        count: how many lines were handed out so far.
        record: the lines handed out since the reader last cleared it.
        quoted: whether a quotation mark was met so far.
    """

    def __init__(
        self, chunks: Iterable[bytes], path: str, longest: int, problems: Problems
    ) -> None:
        """Read from `chunks`, cut anywhere; a line may be `longest` characters long."""
        self._chunks = chunks
        self._path = path
        self._longest = longest
        self._problems = problems
        self._blocks = self._whole_lines()
        self._block = ""
        self._position = 0
        self._suspicious = False
        self.count = 0
        self.record: list[str] = []
        self.quoted = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """Hand out a line; NULs and lone carriage returns are reported, and taken out.

        Raises:
            UnreadableText: what follows is not UTF-8, or a line without end.
        """
        if not self._has_more():
            raise StopIteration
        end = self._block.find("\n", self._position) + 1 or len(self._block)
        line = self._block[self._position : end]
        if self._suspicious:
            line = self._without_traps(line, self.count + 1)
        self._position = end
        self.count += 1
        self.record.append(line)
        return line

    def rest(self) -> str:
        """What was read and not handed out, whole lines; nothing at the end of the file.

        Raises:
            UnreadableText: as for a line.
        """
        return self._block[self._position :] if self._has_more() else ""

    def skip_rest(self, lines: int) -> None:
        """Take the rest, which has so many lines, as handed out."""
        self._position = len(self._block)
        self.count += lines

    @property
    def is_at_end_of_block(self) -> bool:
        """Whether all that was read was handed out."""
        return self._position == len(self._block)

    def _has_more(self) -> bool:
        """Read on, where all that was read was handed out; whether there was anything to read."""
        if self.is_at_end_of_block:
            self._block, self._position = next(self._blocks, ""), 0
            traps = "\0" in self._block or self._block.count("\r") > self._block.count("\r\n")
            self._suspicious = traps or len(self._block) > self._longest
            self.quoted = self.quoted or '"' in self._block
        return bool(self._block)

    def _whole_lines(self) -> Iterator[str]:
        """Yield the text in blocks of whole lines; the last line may have no newline."""
        tail = ""
        for text, error in self._decoded():
            block, newline, tail = (tail + text).rpartition("\n")
            if newline:
                yield block + newline
            # The lines before it were handed out by now.
            self._check_length(tail, self.count + 1)
            if error:
                raise UnreadableText(error)
        if tail:
            yield tail

    def _decoded(self) -> Iterator[tuple[str, Problem | None]]:
        """Yield the text of each chunk; with a problem where nothing after it can be read."""
        rest, chunks = b"", iter(self._chunks)
        for chunk in chunks:
            rest += chunk
            if len(rest) >= _BEGINNING:
                break
        if other := _something_else(rest):
            yield "", Problem(self._path, *other, 1)
            return
        offset, newlines = len(codecs.BOM_UTF8) if rest.startswith(codecs.BOM_UTF8) else 0, 0
        rest = rest[offset:]
        for chunk in chain([b""], chunks):
            data = rest + chunk
            try:
                text, used = codecs.utf_8_decode(data, "strict", False)
            except UnicodeDecodeError as error:
                sound = data[: error.start].decode()
                yield sound, self._invalid(error, offset, newlines + sound.count("\n"))
                return
            newlines += text.count("\n")
            yield text, None
            offset += used
            rest = data[used:]
        if rest:
            cut = UnicodeDecodeError("utf-8", rest, 0, len(rest), "unexpected end of data")
            yield "", self._invalid(cut, offset, newlines)

    def _invalid(self, error: UnicodeDecodeError, offset: int, newlines: int) -> Problem:
        shown = error.object[error.start : error.end].hex(" ")
        message = f"byte {offset + error.start} is not UTF-8 ({shown}: {error.reason})"
        return Problem(self._path, "invalid-utf-8", message, newlines + 1)

    def _check_length(self, line: str, number: int) -> None:
        if len(line) > self._longest:
            message = f"a line of more than {self._longest} characters"
            raise UnreadableText(Problem(self._path, "field-too-long", message, number))

    def _without_traps(self, line: str, number: int) -> str:
        self._check_length(line.removesuffix("\n"), number)
        if "\0" in line:
            message = "a NUL character; text cannot hold one"
            self._problems.add(Problem(self._path, "nul", message, number))
        body, newline = (line[:-2], "\r\n") if line.endswith("\r\n") else (line, "")
        if "\r" in body:
            message = "a carriage return without a line feed; lines end in LF or CRLF"
            self._problems.add(Problem(self._path, "lone-cr", message, number))
        return body.replace("\0", "").replace("\r", " ") + newline


def _something_else(beginning: bytes) -> tuple[str, str] | None:
    """Recognise by its beginning a file that is no text in UTF-8, and give code and message."""
    # Every other byte, or three of four, is zero where letters are ASCII.
    zeros = b"\0" in beginning[:2] and b"\0" in beginning[2:4]
    if zeros or beginning.startswith(_OTHER_MARKS):
        return "utf-16", "the file is UTF-16 or UTF-32, it seems; deliver it as UTF-8"
    text = beginning.removeprefix(codecs.BOM_UTF8)
    for start, name in _OTHER_FORMATS.items():
        if text.startswith(start):
            return "not-csv", f"the file is {name}, it seems; deliver it as CSV"
    return None
