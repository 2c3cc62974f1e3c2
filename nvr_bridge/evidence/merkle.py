"""The Merkle tree of RFC 6962, section 2.1: one hash that stands for a whole record, and short proofs of what is in it.

A leaf is hashed as sha256(0x00 ‖ input), a node as sha256(0x01 ‖ left ‖ right), so that neither can pass for the other.
Pure, standard library only. Leaves are counted from 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BLOCK = 1024  # leaves
EMPTY = hashlib.sha256(b"").digest()  # the root of no leaves


@dataclass(slots=True)
class _Subtree:
    """A full subtree, and which of the wanted leaves are in it."""

    leaves: int  # a power of two
    top: bytes
    wanted: tuple[int, ...] = ()


class Frontier:
    """A tree that is built leaf by leaf. Holds one hash for each bit of its size, whatever that is."""

    def __init__(self, wanted: Iterable[int] = ()) -> None:
        """`wanted` are the leaves whose audit paths are collected on the way."""
        self.size = 0
        self._paths: dict[int, list[bytes]] = {leaf: [] for leaf in wanted}
        self._subtrees: list[_Subtree] = []

    def add(self, content: bytes) -> None:
        """The next leaf."""
        self.add_top(leaf_hash(content))

    def add_top(self, top: bytes) -> None:
        """What stands for the next leaf, or for the next of several subtrees of one size."""
        wanted = (self.size,) if self.size in self._paths else ()
        last = _Subtree(1, top, wanted)
        self.size += 1
        while self._subtrees and self._subtrees[-1].leaves == last.leaves:
            last = self._joined(self._subtrees.pop(), last, self._paths)
        self._subtrees.append(last)

    def root(self) -> bytes:
        """The hash of all leaves so far."""
        return self._closed({})

    def paths(self) -> dict[int, tuple[bytes, ...]]:
        """The audit path of each wanted leaf that was added, in the tree of all leaves so far."""
        paths = {leaf: [*path] for leaf, path in self._paths.items() if leaf < self.size}
        self._closed(paths)
        return {leaf: tuple(path) for leaf, path in paths.items()}

    def _closed(self, paths: dict[int, list[bytes]]) -> bytes:
        """Join what is open, from the right."""
        if not self._subtrees:
            return EMPTY
        *rest, last = self._subtrees
        for subtree in reversed(rest):
            last = self._joined(subtree, last, paths)
        return last.top

    @staticmethod
    def _joined(left: _Subtree, right: _Subtree, paths: dict[int, list[bytes]]) -> _Subtree:
        for leaf in left.wanted:
            if leaf in paths:
                paths[leaf].append(right.top)
        for leaf in right.wanted:
            if leaf in paths:
                paths[leaf].append(left.top)
        return _Subtree(left.leaves + right.leaves, node_hash(left.top, right.top), left.wanted + right.wanted)


class Blocks:
    """A tree that is built leaf by leaf, and keeps the top of every block of leaves: a path costs one block, not all."""

    def __init__(self) -> None:
        self.size = 0
        self._tops: list[bytes] = []  # of the full ones
        self._last = Frontier()

    def add(self, content: bytes) -> None:
        """The next leaf."""
        self._last.add(content)
        self.size += 1
        if self._last.size == BLOCK:
            self._tops.append(self._last.root())
            self._last = Frontier()

    def root(self) -> bytes:
        """The hash of all leaves so far."""
        return self._upper(()).root()

    def paths(self, number: int, block: Sequence[bytes], leaves: Iterable[int]) -> dict[int, tuple[bytes, ...]]:
        """The audit paths of some leaves of block `number`, given the contents of all its leaves so far.

        Raises `ValueError` where those are not what was added.
        """
        first = number * BLOCK
        lower = Frontier(leaf - first for leaf in leaves)
        for content in block:
            lower.add(content)
        right = self._tops[number] if number < len(self._tops) else self._last.root()
        if lower.root() != right:
            raise ValueError(f"the leaves from {first} on are not those that were added")
        above = self._upper((number,)).paths()[number]
        return {first + leaf: (*path, *above) for leaf, path in lower.paths().items()}

    def _upper(self, wanted: Iterable[int]) -> Frontier:
        """The tree of which the blocks are the leaves: a block is a power of two, so it is part of the same tree."""
        upper = Frontier(wanted)
        for top in self._tops:
            upper.add_top(top)
        if self._last.size:
            upper.add_top(self._last.root())
        return upper


def leaf_hash(content: bytes) -> bytes:
    """What stands for one leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """What stands for two subtrees beside each other."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_by_path(content: bytes, leaf: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that `path` leads to from leaf number `leaf` of `size` (RFC 9162, section 2.1.3.2).

    None if no tree of that size has such a path.
    """
    if not 0 <= leaf < size:
        return None
    place, last, top = leaf, size - 1, leaf_hash(content)
    for sibling in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            top = node_hash(sibling, top)
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            top = node_hash(top, sibling)
        place >>= 1
        last >>= 1
    return top if last == 0 else None
