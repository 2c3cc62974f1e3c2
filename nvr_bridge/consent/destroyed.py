"""The list of keys that were destroyed: none is ever used again, whatever backup it comes back from.

A key stands in it as a hash of its wrapped form, which is random: the list joins to nothing but a file that has the key.
It lies with the keys and is in their backup, and where two lists meet, all of both are destroyed.

An entry is needed for as long as any backup has the key, and how long somebody keeps one is not known here. So the list only
grows, by 720 kB for 10,000 erasures of a visitor and their consent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import AskError

DESTROYED = "destroyed.json"
_TAG = 32  # hexadecimal digits of the hash


def tag(wrapped: str) -> str:
    """What stands for a key, as `visitors.json` has it, in the list."""
    return hashlib.sha256(wrapped.encode()).hexdigest()[:_TAG]


def returned(wrapped: Mapping[str, str], destroyed: frozenset[str]) -> frozenset[str]:
    """The names of those keys that were destroyed before."""
    return frozenset(name for name, each in wrapped.items() if tag(each) in destroyed) if destroyed else frozenset()


def document(destroyed: Iterable[str]) -> bytes:
    """The file's content. It is sorted, so that nobody sees which was when."""
    return json.dumps({"version": 1, "destroyed": sorted(destroyed)}).encode()


def read(content: bytes, where: str) -> frozenset[str]:
    """The list. Raises `AskError` for what is none: an empty one would let keys come back."""
    try:
        destroyed = frozenset(json.loads(content)["destroyed"])
        if all(len(bytes.fromhex(each)) * 2 == _TAG for each in destroyed):
            return destroyed
    except (ValueError, KeyError, TypeError):
        pass
    raise AskError(
        f"keys: {where} is damaged; restore it with `nvr-bridge keys restore`, or remove it: a backup from before an "
        "erasure could then bring the visitor back"
    )


def held(keys_dir: Path) -> frozenset[str]:
    """The list in that folder; nothing where there is none. Blocks. Raises `AskError` for a damaged one."""
    path = keys_dir / DESTROYED
    try:
        return read(path.read_bytes(), str(path))
    except FileNotFoundError:
        return frozenset()
