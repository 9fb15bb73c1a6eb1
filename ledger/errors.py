"""Every error that the ledger raises on purpose, as one tree.

    LedgerError                 root; what is wrong, where, and what to do
    ├── WrongUsage        2     asked for what is not there, or in a way that has no meaning
    │   └── NoLedger      2     the ledger file to be read does not exist
    ├── InputRefused      3     a delivered file is malformed; carries every problem found
    ├── FindingsFound     3     a check found what it was told to fail on
    ├── LedgerBusy        4     another process holds the ledger's lock
    ├── StorageFailed     5     the file, the disk or the medium does not do what was asked
    │   ├── RecordingFailed 5   it failed while recording; carries whether all is recorded
    │   ├── LedgerDamaged 5     the ledger's file holds what no ledger can hold
    │   └── RecoveryNeeded 5    a writer was interrupted, and a reader does not undo that
    ├── VerificationFailed 6    what is recorded and what is computed do not agree
    └── SequenceBroken    7     the file is sound, but does not follow on what is recorded
        └── CorrectionRefused 7 it would replace a recorded one; see `recording.refusals`

The number is the exit code of the command line. `1` is left for a bug of the ledger itself and
`130` for an interruption. Foreign errors (of SQLite, of the operating system) are translated
into this tree where they first appear.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ledger.text import counted, visible

PROBLEMS_KEPT = 100
VALUE_SHOWN = 80


class LedgerError(Exception):
    """The root: whoever catches this catches all that the ledger raises on purpose."""

    exit_code = 1


class WrongUsage(LedgerError):
    """What was asked for is not there, or has no meaning."""

    exit_code = 2


class NoLedger(WrongUsage):
    """There is no ledger at the path that was to be read."""


class FindingsFound(LedgerError):
    """A check found what it was told to fail on."""

    exit_code = 3


class LedgerBusy(LedgerError):
    """Another process is writing, and did not finish within the time allowed."""

    exit_code = 4


class StorageFailed(LedgerError):
    """The ledger's file or an output folder cannot be read or written as asked."""

    exit_code = 5


class RecordingFailed(StorageFailed):
    """The storage failed while something was recorded, and what then stood in the ledger.

    Attributes:
        recorded: whether all of it is recorded, or nothing; None where that could not be found out.
    """

    def __init__(self, cause: str, recorded: bool | None) -> None:
        self.recorded = recorded
        super().__init__(f"{cause}; {_OUTCOMES[recorded]}")


_OUTCOMES = {
    True: "what was to be recorded was recorded all the same, and nothing after it",
    False: "nothing more was recorded. When that is mended, run the same command again",
    None: "whether it was recorded could not be found out. Run the same command again: "
    "what is recorded is known by its SHA-256, and not recorded twice",
}


class LedgerDamaged(StorageFailed):
    """The ledger's file holds what no ledger can hold."""


class RecoveryNeeded(StorageFailed):
    """A journal of an interrupted writer lies beside the ledger, and a reader leaves it there."""


class VerificationFailed(LedgerError):
    """What is recorded and what is computed do not agree."""

    exit_code = 6


class SequenceBroken(LedgerError):
    """A delivery does not follow on what the ledger has recorded."""

    exit_code = 7


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a delivered file.

    Attributes:
        path: the file, as the user named it.
        code: a stable short name, such as `short-row`.
        message: what is wrong, in words.
        line: the physical line, counted from 1, or None where the whole file is meant.
        column: the column's name, or None where none can be named.
        value: the offending text, or None.
    """

    path: str
    code: str
    message: str
    line: int | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(p) for p in (self.path, self.line, self.column) if p is not None)
        text = visible(f"{place}: {self.code}: {self.message}")
        if self.value is None:
            return text
        shown = self.value if len(self.value) <= VALUE_SHOWN else self.value[:VALUE_SHOWN] + "…"
        return f"{text}: {shown!r}"


@dataclass(slots=True)
class Problems:
    """What is wrong with some files: the first hundred problems, and how many there are in all."""

    kept: list[Problem] = field(default_factory=list)
    total: int = 0

    def add(self, problem: Problem) -> None:
        """Count a problem, and keep it if it is among the first hundred."""
        self.total += 1
        if len(self.kept) < PROBLEMS_KEPT:
            self.kept.append(problem)

    def __bool__(self) -> bool:
        return self.total > 0

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.kept)


class InputRefused(LedgerError):
    """One or more delivered files are malformed; nothing of their month was recorded.

    Attributes:
        problems: what is wrong, file by file and line by line.
    """

    exit_code = 3

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        super().__init__("\n".join([*map(str, problems), self.summary]))

    @property
    def summary(self) -> str:
        """How many problems there are, and what to do."""
        total, kept = self.problems.total, len(self.problems.kept)
        shown = f", the first {kept} of them above" if total > kept else ""
        return (
            f"{counted(total, 'problem')}{shown}; nothing more was recorded. "
            "Correct the files and ingest again"
        )
