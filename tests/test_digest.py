"""Digests bind contents: no two share one, and what is digested never changes its form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from hashlib import sha256
from itertools import permutations
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.model.digest import (
    GENESIS,
    BatchContents,
    FileContents,
    batch_digest,
    file_digest,
    leaves,
    next_head,
    next_seal,
    next_tag_seal,
)
from ledger.model.merkle import (
    MerkleTree,
    Subtree,
    Subtrees,
    audit_path,
    root_of_subtrees,
    root_over,
)

MOST_LEAVES = 200
BATCH = BatchContents(batch=3, month=202503, reason=None, gap=False, late=False, correction=False)
FILE = FileContents(
    file=7,
    table="agents",
    month=202503,
    kind="delta",
    sha256="ab" * 32,
    bytes=1234,
    rows=2,
    first_event=202503000000001,
    last_event=202503000000002,
    supersedes=None,
)
EMPTY_FILE = replace(FILE, file=8, rows=0, first_event=None, last_event=None)
ROOT = sha256(b"root").digest()

Event = tuple[int, str, int, int, str, list[str | None]]

# Few and alike, so that what differs differs little: the same text in another place.
cells = st.sampled_from(
    [None, "", "null", "a", "ab", "b", '"', '","', ",", "\\", "1", "é", "e\u0301"]
)
events: st.SearchStrategy[Event] = st.tuples(
    st.integers(1, 12),
    st.sampled_from(["a", "ab", '"', "1"]),
    st.integers(1, 12),
    st.integers(2, 12),
    st.sampled_from(["add", "update", "delete"]),
    st.lists(cells, max_size=3),
)


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash as RFC 6962, section 2.1, defines it, over hashes of leaves."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def leaf(event: Sequence[Any]) -> bytes:
    *others, cells = event
    (hashed,) = leaves([(*others, *cells)])
    return hashed


def root_of(leaves: Sequence[bytes]) -> bytes:
    tree = MerkleTree()
    for one in leaves:
        tree.add([one])
    assert tree.count == len(leaves)
    return tree.root()


def head(
    before: str = GENESIS,
    batch: BatchContents = BATCH,
    files: Sequence[FileContents] = (FILE, EMPTY_FILE),
    count: int = 2,
    root: bytes = ROOT,
) -> str:
    return next_head(before, batch_digest(batch, files, count, root.hex()))


def other(value: object) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return f"{value}x" if isinstance(value, str) else "x"


# The tree ----------------------------------------------------------------------------------------


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=20), st.integers(0, MOST_LEAVES))
@settings(deadline=None)
def test_the_root_is_that_of_rfc_6962(some: list[bytes], count: int) -> None:
    leaves = some + [sha256(bytes([number])).digest() for number in range(count)]
    assert root_of(leaves) == naive_root(leaves)


@given(st.lists(st.integers(0, 40), max_size=12))
@settings(deadline=None)
def test_the_root_is_the_same_however_many_leaves_come_at_once(counts: list[int]) -> None:
    tree, every = MerkleTree(), list[bytes]()
    for count in counts:
        some = [sha256(b"%d" % (len(every) + place)).digest() for place in range(count)]
        tree.add(some)
        every += some
    assert (tree.count, tree.root()) == (len(every), naive_root(every))


def test_the_root_is_right_for_every_number_of_leaves() -> None:
    tree, leaves = MerkleTree(), list[bytes]()
    for number in range(MOST_LEAVES):
        assert tree.root() == naive_root(leaves)
        leaves.append(sha256(bytes([number])).digest())
        tree.add(leaves[-1:])


def test_the_root_is_that_of_the_vectors_of_certificate_transparency() -> None:
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
              "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
    leaves = [sha256(b"\0" + bytes.fromhex(text)).digest() for text in inputs]
    roots = [root_of(leaves[:count]).hex() for count in (0, 1, 2, 3, 8)]
    assert roots == [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]


def test_the_order_of_leaves_counts() -> None:
    leaves = [sha256(bytes([number])).digest() for number in range(4)]
    assert len({root_of(order) for order in permutations(leaves)}) == 24


def test_a_leaf_in_the_place_of_two_is_noticed() -> None:
    leaves = [sha256(bytes([number])).digest() for number in range(4)]
    assert root_of([root_of(leaves[:2]), *leaves[2:]]) != root_of(leaves)


@given(st.lists(st.lists(st.integers(0, 40), max_size=3), max_size=12))
@settings(deadline=None)
def test_stretches_hashed_apart_have_the_root_of_all(stretches: list[list[int]]) -> None:
    every = leaves_of(sum(map(sum, stretches)))
    nodes, start = list[Subtree](), 0
    for counts in stretches:
        part, end = Subtrees(start), start
        for count in counts:
            part.add(every[end : end + count])
            end += count
        made = part.nodes()
        assert len(made) <= 2 * (end - start).bit_length()
        for node in made:
            first, size = node.place << node.level, 1 << node.level
            assert (first, node.root) == (start, naive_root(every[first : first + size]))
            start += size
        assert start == end
        nodes += made
    tree = MerkleTree()
    tree.add(every)
    assert root_of_subtrees(nodes) == tree.root()


# Paths -------------------------------------------------------------------------------------------


def leaves_of(count: int) -> list[bytes]:
    return [sha256(b"%d" % number).digest() for number in range(count)]


@pytest.mark.parametrize("count", range(1, 71))
def test_every_leaf_leads_to_the_root_by_its_path(count: int) -> None:
    leaves = leaves_of(count)
    root = naive_root(leaves)
    for index, one in enumerate(leaves):
        path = audit_path(leaves, index)
        assert root_over(one, index, count, path) == root
        assert len(path) <= (count - 1).bit_length()
        for other_index in range(count):
            if other_index != index:
                assert root_over(one, other_index, count, path) != root
                assert root_over(leaves[other_index], index, count, path) != root


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 64, 65])
def test_no_other_path_leads_to_the_root(count: int) -> None:
    leaves = leaves_of(count)
    root = naive_root(leaves)
    for index, one in enumerate(leaves):
        path = audit_path(leaves, index)
        others = [[*path, root], [bytes(32), *path], [*path, bytes(32)]]
        for place in range(len(path)):
            others.append(path[:place] + path[place + 1 :])
            others.append([*path[:place], bytes(32), *path[place + 1 :]])
        if len(path) > 1:
            others.append(path[::-1])
        for wrong in others:
            assert root_over(one, index, count, wrong) != root


@pytest.mark.parametrize(("index", "count"), [(-1, 4), (4, 4), (9, 4), (0, 0), (2**70, 4)])
def test_there_is_no_root_over_a_leaf_that_is_not_there(index: int, count: int) -> None:
    assert root_over(bytes(32), index, count, [bytes(32)] * 2) is None


def test_an_inner_node_is_no_leaf() -> None:
    leaves = leaves_of(4)
    inner = sha256(b"\x01" + leaves[0] + leaves[1]).digest()
    path = audit_path(leaves, 0)
    # What lies over two leaves has the root of a tree of two: the number of leaves is bound too.
    assert root_over(inner, 0, 2, path[1:]) == naive_root(leaves)
    assert root_over(inner, 0, 4, path[1:]) is None


def test_the_path_of_the_vectors_of_certificate_transparency() -> None:
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
              "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
    leaves = [sha256(b"\0" + bytes.fromhex(text)).digest() for text in inputs]
    assert [one.hex() for one in audit_path(leaves, 0)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


# Events ------------------------------------------------------------------------------------------


@given(st.lists(events, max_size=5))
@settings(deadline=None)
def test_events_hashed_together_have_the_hashes_that_each_has_alone(some: list[Event]) -> None:
    flat: list[tuple[Any, ...]] = [(*others, *cells) for *others, cells in some]
    assert leaves(flat) == [leaf(event) for event in some]


@given(events, events)
@example((1, "a", 1, 2, "add", [None]), (1, "a", 1, 2, "add", ["null"]))
@example((1, "a", 1, 2, "add", [None]), (1, "a", 1, 2, "add", [""]))
@example((1, "a", 1, 2, "add", [None]), (1, "a", 1, 2, "add", []))
@example((1, "a", 1, 2, "add", ["ab", "c"]), (1, "a", 1, 2, "add", ["a", "bc"]))
@example((1, "a", 1, 2, "add", ['a","b']), (1, "a", 1, 2, "add", ["a", "b"]))
@example((1, "a", 1, 2, "add", ["a\\"]), (1, "a", 1, 2, "add", ["a\\\\"]))
@example((1, "a", 1, 2, "add", ["\n"]), (1, "a", 1, 2, "add", ["\\n"]))
@example((1, "a", 1, 2, "add", ["é"]), (1, "a", 1, 2, "add", ["e\u0301"]))
@example((1, "a", 11, 2, "add", []), (1, "a", 1, 12, "add", []))
@settings(deadline=None, max_examples=500)
def test_two_events_share_a_leaf_only_if_they_are_the_same(one: Event, two: Event) -> None:
    assert (leaf(one) == leaf(two)) == (one == two)


@given(events, st.data())
@settings(deadline=None)
def test_an_event_that_differs_anywhere_has_another_leaf(event: Event, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 4))
    changed: list[Any] = list(event)
    changed[place] = other(changed[place])
    assert leaf(changed) != leaf(event)


def test_any_text_can_be_digested() -> None:
    text = "".join(map(chr, range(1, 0x300))) + "\u2028\ufeff😀\U0010ffff"
    assert len(leaf((1, "agents", 1, 2, "add", [text]))) == 32


# Heads and seals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [field.name for field in fields(BatchContents)])
def test_the_head_binds_every_field_of_a_batch(name: str) -> None:
    changed = replace(BATCH, **{name: other(getattr(BATCH, name))})
    assert head(batch=changed) != head()


@pytest.mark.parametrize("name", [field.name for field in fields(FileContents)])
@pytest.mark.parametrize("place", [0, 1])
def test_the_head_binds_every_field_of_a_file(name: str, place: int) -> None:
    files = [FILE, EMPTY_FILE]
    files[place] = replace(files[place], **{name: other(getattr(files[place], name))})
    assert head(files=files) != head()


def test_the_head_binds_what_else_it_is_given() -> None:
    heads = {
        head(),
        head(before="1" * 64),
        head(files=[EMPTY_FILE, FILE]),
        head(files=[FILE]),
        head(files=[]),
        head(count=3),
        head(root=sha256(b"another").digest()),
        head(batch=replace(BATCH, reason="")),
        head(batch=replace(BATCH, reason="null")),
        head(batch=replace(BATCH, gap=True)),
        head(batch=replace(BATCH, late=True)),
    }
    assert len(heads) == 11


@given(st.tuples(st.text(), st.lists(st.text(), max_size=3)),
       st.tuples(st.text(), st.lists(st.text(), max_size=3)))  # fmt: skip
@example(("t", ["a", "b"]), ("t", ['a","b']))
@example(("t", ["a"]), ("ta", []))
@settings(deadline=None)
def test_the_seal_binds_time_and_names(
    one: tuple[str, list[str]], two: tuple[str, list[str]]
) -> None:
    seals = [next_seal(GENESIS, head(), *record) for record in (one, two)]
    assert (seals[0] == seals[1]) == (one == two)


def test_the_seal_binds_the_head_and_the_seal_before() -> None:
    assert len({
        next_seal(GENESIS, head(), "t", ["a"]),
        next_seal("1" * 64, head(), "t", ["a"]),
        next_seal(GENESIS, head(count=3), "t", ["a"]),
    }) == 3  # fmt: skip


@pytest.mark.parametrize("name", [field.name for field in fields(FileContents)])
def test_the_digest_of_a_file_covers_every_field_and_the_name(name: str) -> None:
    changed = replace(FILE, **{name: other(getattr(FILE, name))})
    digests = {file_digest(FILE, "a"), file_digest(changed, "a"), file_digest(FILE, "b")}
    assert len(digests) == 3


def test_the_seal_of_a_tag_binds_all_that_it_is_given() -> None:
    tag: tuple[Any, ...] = (GENESIS, head(), "signed", 202503, 3, "2025-04-01T09:30:00.123456Z")
    seals = {next_tag_seal(*tag)}
    for place in range(len(tag)):
        changed: list[Any] = [*tag]
        changed[place] = "1" * 64 if place < 2 else other(tag[place])
        seals.add(next_tag_seal(*changed))
    assert len(seals) == len(tag) + 1


def test_what_is_digested_keeps_its_form() -> None:
    # A ledger made today must be verified by a later version: these values may never change.
    event = leaf((202503000000001, "agents", 7, 2, "add", ["A1", 'é "x"\n', None]))
    assert event.hex() == "4e041a75c8e57a58b544b86f7d46a7aa872c47b64d280d1305c6e3fe47a063c6"
    assert head() == "3b3a9bdea681aa5d1ae3e9de04de537dd4839ad9f82a4a5370039198a0e44aba"
    assert (
        next_seal(GENESIS, head(), "2025-04-01T09:30:00.123456Z", ["a.csv", "é"])
        == "ca44a5cbfaeb3ddbc4369c7d5cd4c35e40cca5d7a2ff36ee84da45dced312c20"
    )
