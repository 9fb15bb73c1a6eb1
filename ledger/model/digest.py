"""Digests that bind what is recorded; pure functions of contents.

    leaf     of an event   SHA-256(0x00 ‖ JSON of event_id, table, file, line, action, cells)
    root     of a batch    the Merkle tree of its leaves in order of event_id (RFC 6962, 2.1)
    digest   of a batch    SHA-256 of the JSON of its record, its files' records, and the root
    head     of a ledger   SHA-256(head before ‖ digest of the batch)
    seal                   SHA-256(seal before ‖ head ‖ JSON of recording time and file names)
    tag seal               SHA-256(tag seal before ‖ head of the tag's batch ‖ JSON of the tag)

The head covers contents only, so whoever records the same files in the same order gets the same
head; the seal binds the time and the names as well. JSON is written without blanks, in UTF-8, and
names a version, so that no two contents share an encoding.

Two more bind nothing, and serve to find the place where a head does not agree: the mark of an
event, the first bytes of its leaf, and the digest of a file's record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from hashlib import sha256
from typing import Annotated

from msgspec import Meta
from msgspec.json import Encoder

VERSION = "ledger-1"

Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
"""A SHA-256 as 64 hexadecimal digits."""

GENESIS = "0" * 64
"""The head and the seals of a ledger without batches or tags."""

MARK_BYTES = 8


_encoder = Encoder()
_encode = _encoder.encode


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


def leaves(events: Iterable[tuple[int | str | None, ...]]) -> list[bytes]:
    """The hashes of events, 32 bytes each.

    Args:
        events: of each, `event_id`, table, file, line, action, and then the cells.
    """
    # One to a line, and no line ends within one: JSON writes those as `\\n`.
    # From a list: of what else can be iterated, msgspec 0.22 never lets the items go.
    encoded = _encoder.encode_lines(list(events)).split(b"\n")
    encoded.pop()
    return [sha256(b"\0" + event).digest() for event in encoded]


def file_digest(file: FileContents, name: str) -> str:
    """The digest of a file's record, 64 hexadecimal digits."""
    return sha256(_encode([VERSION, "file", *astuple(file), name])).hexdigest()


def batch_digest(
    batch: BatchContents, files: Sequence[FileContents], events: int, root: str
) -> str:
    """The digest of a batch, 64 hexadecimal digits.

    Args:
        batch: the batch.
        files: its files, in order.
        events: how many events they gave.
        root: the root of the Merkle tree over those, 64 hexadecimal digits.
    """
    records = [astuple(file) for file in files]
    contents = _encode([VERSION, "batch", astuple(batch), records, events, root])
    return sha256(contents).hexdigest()


def next_head(head: str, digest: str) -> str:
    """The head after a batch, 64 hexadecimal digits, from the head before it and its digest."""
    return sha256(bytes.fromhex(head) + bytes.fromhex(digest)).hexdigest()


def next_seal(seal: str, head: str, recorded_at: str, names: Sequence[str]) -> str:
    """The seal after a batch, 64 hexadecimal digits, from the seal before it."""
    record = _encode([VERSION, "seal", recorded_at, list(names)])
    return sha256(bytes.fromhex(seal) + bytes.fromhex(head) + record).hexdigest()


def next_tag_seal(seal: str, head: str, name: str, as_of: int, batch: int, tagged_at: str) -> str:
    """The seal after a tag, 64 hexadecimal digits, from the seal before it.

    Args:
        seal: the seal before it.
        head: the head of the batch that the tag names.
        name: of the tag.
        as_of: the month that it names, YYYYMM.
        batch: the batch that it names.
        tagged_at: when it was given.
    """
    record = _encode([VERSION, "tag", name, as_of, batch, tagged_at])
    return sha256(bytes.fromhex(seal) + bytes.fromhex(head) + record).hexdigest()
