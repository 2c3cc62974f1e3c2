"""The tree of RFC 6962: its roots are the published ones, and a path proves the leaf it was made for and no other."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

import pytest

from nvr_bridge.evidence.merkle import BLOCK, EMPTY, Blocks, Frontier, root_by_path

# The leaves and roots that Certificate Transparency implementations test themselves with.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, as it is written there."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + mth(leaves[:half]) + mth(leaves[half:])).digest()


def path(leaf: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1, as it is written there."""
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if leaf < half:
        return [*path(leaf, leaves[:half]), mth(leaves[half:])]
    return [*path(leaf - half, leaves[half:]), mth(leaves[:half])]


def grown(leaves: Sequence[bytes], wanted: Sequence[int] = ()) -> Frontier:
    tree = Frontier(wanted)
    for leaf in leaves:
        tree.add(leaf)
    return tree


def test_the_published_roots() -> None:
    tree = Frontier()
    assert tree.root() == EMPTY
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        tree.add(leaf)
        assert tree.root().hex() == root


@pytest.mark.parametrize("size", [*range(1, 18), 31, 32, 33, 100])
def test_paths_are_those_of_the_definition_and_lead_to_the_root(size: int) -> None:
    leaves = [str(number).encode() for number in range(size)]
    tree = grown(leaves, range(size))
    assert tree.root() == mth(leaves)
    paths = tree.paths()
    for number, leaf in enumerate(leaves):
        assert list(paths[number]) == path(number, leaves)
        assert root_by_path(leaf, number, size, paths[number]) == tree.root()


def test_a_tree_goes_on_growing_after_its_root_and_paths_were_asked_for() -> None:
    leaves = [str(number).encode() for number in range(40)]
    tree = Frontier([3, 38])
    for size, leaf in enumerate(leaves, 1):
        tree.add(leaf)
        assert tree.root() == mth(leaves[:size])
        assert all(list(found) == path(number, leaves[:size]) for number, found in tree.paths().items())
    assert set(tree.paths()) == {3, 38}


@pytest.mark.parametrize("size", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 700, 5 * BLOCK + 1])
def test_blocks_are_the_same_tree(size: int) -> None:
    leaves = [str(number).encode() for number in range(size)]
    wanted = sorted({0, size - 1, size // 2, min(BLOCK, size - 1), max(size - BLOCK, 0)})
    whole, blocks = grown(leaves, wanted), Blocks()
    for leaf in leaves:
        blocks.add(leaf)
    assert (blocks.size, blocks.root()) == (size, whole.root())
    paths = whole.paths()
    for leaf in wanted:
        number = leaf // BLOCK
        block = leaves[number * BLOCK : (number + 1) * BLOCK]
        assert blocks.paths(number, block, [leaf]) == {leaf: paths[leaf]}


def test_a_block_that_was_changed_gives_no_path() -> None:
    blocks = Blocks()
    assert blocks.root() == EMPTY
    leaves = [str(number).encode() for number in range(BLOCK + 3)]
    for leaf in leaves:
        blocks.add(leaf)
    for number, block in ((0, leaves[:BLOCK]), (1, leaves[BLOCK:])):
        for changed in (block[:-1], [*block, b""], [b"x", *block[1:]], []):
            with pytest.raises(ValueError, match="are not those that were added"):
                blocks.paths(number, changed, [number * BLOCK])


def test_a_path_proves_nothing_else() -> None:
    chance = random.Random(6962)
    for _ in range(300):
        size = chance.randrange(2, 70)
        leaves = [chance.randbytes(32) for _ in range(size)]
        leaf = chance.randrange(size)
        tree = grown(leaves, [leaf])
        root, found = tree.root(), [*tree.paths()[leaf]]
        other = chance.choice([number for number in range(size) if number != leaf])
        assert root_by_path(leaves[other], leaf, size, found) != root
        assert root_by_path(leaves[leaf], other, size, found) != root
        assert root_by_path(leaves[leaf], leaf, size, found[:-1]) != root
        assert root_by_path(leaves[leaf], leaf, size, [*found, chance.randbytes(32)]) != root
        place = chance.randrange(len(found))
        changed = bytearray(found[place])
        changed[chance.randrange(32)] ^= 1 << chance.randrange(8)
        assert root_by_path(leaves[leaf], leaf, size, [*found[:place], bytes(changed), *found[place + 1 :]]) != root


@pytest.mark.parametrize(("leaf", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_outside_the_tree_has_no_path(leaf: int, size: int) -> None:
    assert root_by_path(b"", leaf, size, []) is None
