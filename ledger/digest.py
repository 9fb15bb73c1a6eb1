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
from typing import Annotated, NamedTuple

from msgspec import Meta
from msgspec.json import Encoder

VERSION = "ledger-1"

Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
"""A SHA-256 as 64 hexadecimal digits."""

GENESIS = "0" * 64
"""The head and the seals of a ledger without batches or tags."""

MARK_BYTES = 8

_NODE = b"\x01"

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


class MerkleTree:
    """The root over leaves that come one by one; holds one hash per level."""

    def __init__(self) -> None:
        """Start without leaves."""
        self.count = 0
        self._peaks: list[bytes] = []

    def add(self, leaves: Sequence[bytes]) -> None:
        """Append the hashes of leaves; many at once are much faster than one by one."""
        size, nodes = self.count, leaves
        self.count += len(leaves)
        peaks = []
        # Level by level: where the nodes so far were odd in number, the last of them waits for its
        # neighbour, and is the last of the peaks.
        while nodes or size:
            if size % 2:
                nodes = [self._peaks.pop(), *nodes]
            if len(nodes) % 2:
                *nodes, peak = nodes
                peaks.append(peak)
            pairs = zip(nodes[::2], nodes[1::2], strict=True)
            nodes = [sha256(_NODE + left + right).digest() for left, right in pairs]
            size //= 2
        self._peaks = peaks[::-1]

    def root(self) -> bytes:
        """The root over the leaves so far; of none, the hash of nothing."""
        if not self._peaks:
            return sha256(b"").digest()
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = sha256(_NODE + peak + root).digest()
        return root


class Subtree(NamedTuple):
    """A node of the tree of a batch over 2^level leaves, from the leaf `place` · 2^level on.

    Attributes:
        level: 0 for a leaf.
        place: among the nodes of its level, from 0.
        root: its hash.
    """

    level: int
    place: int
    root: bytes


class Subtrees:
    """The largest subtrees over a stretch of the leaves of a tree; holds two hashes per level.

    So whoever knows where a stretch begins hashes it without the leaves before and after it.
    """

    def __init__(self, start: int) -> None:
        """Begin with the leaf of this number, from 0."""
        self._next = start
        # Those whose left neighbour is before the stretch; those that wait for their right one.
        self._first: list[Subtree] = []
        self._waiting: dict[int, Subtree] = {}

    def add(self, leaves: Sequence[bytes]) -> None:
        """Append the hashes of leaves; many at once are much faster than one by one."""
        nodes, index, level = list(leaves), self._next, 0
        self._next += len(nodes)
        while nodes:
            if index % 2:
                left = self._waiting.pop(level, None)
                if left:
                    nodes.insert(0, left.root)
                    index -= 1
                else:
                    self._first.append(Subtree(level, index, nodes.pop(0)))
                    index += 1
            if len(nodes) % 2:
                self._waiting[level] = Subtree(level, index + len(nodes) - 1, nodes.pop())
            pairs = zip(nodes[::2], nodes[1::2], strict=True)
            nodes = [sha256(_NODE + left + right).digest() for left, right in pairs]
            index, level = index // 2, level + 1

    def nodes(self) -> list[Subtree]:
        """The subtrees over the leaves so far, in order of these."""
        waiting = [self._waiting[level] for level in sorted(self._waiting, reverse=True)]
        return [*self._first, *waiting]


def root_of_subtrees(nodes: Iterable[Subtree]) -> bytes:
    """The root over all leaves; of none, the hash of nothing.

    Args:
        nodes: subtrees over all leaves, in order of these, each leaf under one of them.
    """
    peaks: list[Subtree] = []
    for node in nodes:
        peak = node
        while peak.place % 2:
            left = peaks.pop()
            root = sha256(_NODE + left.root + peak.root).digest()
            peak = Subtree(peak.level + 1, peak.place // 2, root)
        peaks.append(peak)
    if not peaks:
        return sha256(b"").digest()
    *others, last = peaks
    root = last.root
    for peak in reversed(others):
        root = sha256(_NODE + peak.root + root).digest()
    return root


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


def audit_path(leaves: Iterable[bytes], index: int) -> list[bytes]:
    """The hashes that lead from a leaf to the root (RFC 6962, 2.1.1), the nearest one first.

    Args:
        leaves: the hashes of all leaves, in order; they are read once and not kept.
        index: the leaf's place, from 0.
    """
    path: list[bytes] = []
    # Each peak with whether the leaf lies under it.
    peaks: list[tuple[bytes, bool]] = []

    def join(left: tuple[bytes, bool], right: tuple[bytes, bool]) -> tuple[bytes, bool]:
        if left[1] or right[1]:
            path.append(right[0] if left[1] else left[0])
        return sha256(_NODE + left[0] + right[0]).digest(), left[1] or right[1]

    for place, one in enumerate(leaves):
        peak, size = (one, place == index), place + 1
        while size % 2 == 0:
            peak = join(peaks.pop(), peak)
            size //= 2
        peaks.append(peak)
    while len(peaks) > 1:
        right = peaks.pop()
        peaks.append(join(peaks.pop(), right))
    return path


def root_over(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """The root to which an audit path leads (RFC 9162, 2.1.3.2); None where it fits no tree.

    Args:
        leaf: the hash of the leaf.
        index: its place among the leaves, from 0.
        count: how many leaves there are.
        path: as `audit_path` gives it.
    """
    if not 0 <= index < count:
        return None
    root, last = leaf, count - 1
    for sibling in path:
        if last == 0:
            return None
        if index % 2 or index == last:
            root = sha256(_NODE + sibling + root).digest()
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            root = sha256(_NODE + root + sibling).digest()
        index, last = index // 2, last // 2
    return root if last == 0 else None


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
