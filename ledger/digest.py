"""Digests that bind what is recorded; pure functions of contents.

    leaf   of an event   SHA-256(0x00 ‖ JSON of event_id, table, file, line, action, cells)
    root   of a batch    the Merkle tree of its leaves in order of event_id (RFC 6962, 2.1)
    head   of a ledger   SHA-256(head before ‖ SHA-256 of the JSON of batch, files, root)
    seal                 SHA-256(seal before ‖ head ‖ JSON of recording time and file names)

The head covers contents only, so whoever records the same files in the same order gets the same
head; the seal binds the time and the names as well. JSON is written without blanks, in UTF-8, and
names a version, so that no two contents share an encoding.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from hashlib import sha256

VERSION = "ledger-1"
GENESIS = "0" * 64
"""The head and the seal of a ledger without batches."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class FileContents:
    """What the head binds of a file: all of its record but the name.

    Attributes:
        file: its number in the ledger.
        table: whose rows it holds.
        month: YYYYMM as a number.
        kind: `initial`, `delta` or `retraction`.
        sha256: of its bytes; None for a retraction.
        bytes: its size.
        rows: how many events it gave.
        first_event: the `event_id` of the first, or None.
        last_event: the `event_id` of the last, or None.
        supersedes: the number of the file that it takes out of force, or None.
    """

    file: int
    table: str
    month: int
    kind: str
    sha256: str | None
    bytes: int
    rows: int
    first_event: int | None
    last_event: int | None
    supersedes: int | None


@dataclass(frozen=True, slots=True)
class BatchContents:
    """What the head binds of a batch besides its files and events.

    Attributes:
        batch: its number in the ledger.
        month: YYYYMM as a number.
        reason: given by the user, or None.
        gap: recorded although a month before it is missing.
        late: recorded for an earlier month on purpose.
        correction: recorded in the place of a file that was there.
    """

    batch: int
    month: int
    reason: str | None
    gap: bool
    late: bool
    correction: bool


class MerkleTree:
    """The root over leaves that come one by one; holds one hash per level."""

    def __init__(self) -> None:
        """Start without leaves."""
        self.count = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Append the hash of a leaf."""
        size = self.count = self.count + 1
        while size % 2 == 0:
            leaf = sha256(b"\x01" + self._peaks.pop() + leaf).digest()
            size //= 2
        self._peaks.append(leaf)

    def root(self) -> bytes:
        """The root over the leaves so far; of none, the hash of nothing."""
        if not self._peaks:
            return sha256(b"").digest()
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = sha256(b"\x01" + peak + root).digest()
        return root


def leaf(
    event_id: int, table: str, file: int, line: int, action: str, cells: Sequence[str | None]
) -> bytes:
    """The hash of an event, 32 bytes."""
    return sha256(b"\0" + _encode([event_id, table, file, line, action, *cells]).encode()).digest()


def next_head(
    head: str, batch: BatchContents, files: Sequence[FileContents], events: int, root: bytes
) -> str:
    """The head after a batch, 64 hexadecimal digits, from the head before it.

    Args:
        head: the head before it.
        batch: the batch.
        files: its files, in order.
        events: how many events they gave.
        root: the root of the Merkle tree over those.
    """
    records = [astuple(file) for file in files]
    contents = _encode([VERSION, "batch", astuple(batch), records, events, root.hex()])
    digest = sha256(contents.encode()).digest()
    return sha256(bytes.fromhex(head) + digest).hexdigest()


def next_seal(seal: str, head: str, recorded_at: str, names: Sequence[str]) -> str:
    """The seal after a batch, 64 hexadecimal digits, from the seal before it."""
    record = _encode([VERSION, "seal", recorded_at, list(names)]).encode()
    return sha256(bytes.fromhex(seal) + bytes.fromhex(head) + record).hexdigest()
