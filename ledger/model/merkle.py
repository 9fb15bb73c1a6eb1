"""The Merkle tree over the events of a batch (RFC 6962, section 2.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

_NODE = b"\x01"


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
