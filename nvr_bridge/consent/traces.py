"""What an erased visitor could have left behind, as byte patterns, and looking for it in files of any kind.

Of a template every piece of 24 bytes is found, wherever it lies: in a database page that was freed, in a log, in a file cut off
in the middle. Text is found in any capitals, as UTF-8 and as UTF-16.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..models import Embedding

_CHUNK = 1 << 22
_OVERLAP = 4096  # longer than anything that is looked for
_WORD = 8
_PIECE = 16
_VARIED = 4  # different bytes that a word needs: runs of zeros are everywhere


class Traces:
    """What to look for. Each thing has a word for it, which findings name."""

    def __init__(self) -> None:
        self._texts: dict[bytes, str] = {}
        self._pieces: dict[bytes, str] = {}  # of `_PIECE` bytes, by what they begin with below
        self._words = np.zeros(0, np.uint64)  # what pieces begin with, in order
        self._begins = np.zeros(1 << 16, bool)

    def __len__(self) -> int:
        return len(self._texts) + len(self._pieces)

    def template(self, vector: Embedding) -> None:
        """A template, as every number format in which an index or a cache may hold it, and as text."""
        unit = vector.astype(np.float64)
        raw = vector.astype("<f4").tobytes()
        largest = float(np.abs(unit).max()) or 1.0
        self._bytes("template f32", raw)
        self._bytes("template f16", vector.astype("<f2").tobytes())
        for scaled in (unit * 127, unit * 127 / largest):
            for whole in (np.rint(scaled), np.trunc(scaled)):
                self._bytes("template i8", np.clip(whole, -127, 127).astype("i1").tobytes())
        self._bytes("template in hexadecimal", raw.hex().encode())
        for start in range(3):
            self._bytes("template in base64", base64.b64encode(raw[start:])[:-4])

    def sealed(self, what: str, content: bytes) -> None:
        """Something encrypted, of which not even a piece is to be left."""
        self._bytes(what, content)

    def text(self, what: str, *spellings: str) -> None:
        """Something that can be read or spoken."""
        for spelling in spellings:
            for encoded in (spelling.lower().encode(), spelling.lower().encode("utf-16-le")):
                self._texts[encoded] = what

    def found_in(self, content: bytes) -> set[str]:
        """What of it is in these bytes."""
        low = content.lower()
        found = {what for text, what in self._texts.items() if text in low}
        return found | {self._pieces[piece] for piece in self._candidates(content)}

    def found_in_file(self, path: Path) -> set[str]:
        """What of it is in this file, its name included. Reads it piece by piece. Raises `OSError`."""
        found = self.found_in(path.name.encode())
        kept = b""
        with path.open("rb") as file:
            while content := file.read(_CHUNK):
                found |= self.found_in(kept + content)
                kept = content[-_OVERLAP:]
        return found

    def _bytes(self, what: str, content: bytes) -> None:
        added = []
        for start in range(0, len(content) - _PIECE + 1, _WORD):
            piece = content[start : start + _PIECE]
            if len(set(piece[:_WORD])) >= _VARIED:
                self._pieces[piece] = what
                added.append(piece[:_WORD])
        words = np.frombuffer(b"".join(added), "<u8")
        self._words = np.union1d(self._words, words)
        self._begins[words & np.uint64(0xFFFF)] = True

    def _candidates(self, content: bytes) -> Iterator[bytes]:
        for start in range(_WORD):
            count = (len(content) - start) // _WORD
            if count <= 0 or not self._pieces:
                return
            words = np.frombuffer(content, "<u8", count, start)
            likely = np.flatnonzero(self._begins[words & np.uint64(0xFFFF)])
            nearest = np.searchsorted(self._words[:-1], words[likely])  # what is beyond the last: the last
            for place in likely[self._words[nearest] == words[likely]]:
                at = start + int(place) * _WORD
                piece = content[at : at + _PIECE]
                if piece in self._pieces:
                    yield piece


def files_below(folders: Iterable[Path]) -> Iterator[Path]:
    """Every file in these folders, and every one that is named itself."""
    for folder in folders:
        if folder.is_file():
            yield folder
        else:
            yield from sorted(path for path in folder.rglob("*") if path.is_file())
