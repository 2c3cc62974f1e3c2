"""An evidence pack: one page that anybody can read, the data behind it, and a signature under every line of both.

The file is UTF-8 text in lines. Content lines are the page and, in a `<pre>` within it, sections of data that begin with
`== name ==`; after them come a manifest, with the sha256 of each content line, and the signature, and then the page's end:

    <!DOCTYPE html> …                  page
    == case ==                         sections of data, one JSON value a line
    {"case":"K7QF-2M9D", …}
    == manifest ==
    3f9c… page                         the hash and the section of each content line, in their order
    == signature ==
    key 8d1f…                          the public key, its sha256, and the signature (Ed25519) of the manifest
    fingerprint 77ab…
    signature 02c4…
    </pre> …                           end

So a change of any bit is found, and told by section and line. Pure, standard library only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .chain import canonical

FORMAT = 1
MANIFEST, SIGNATURE = "manifest", "signature"
PAGE, END = "page", "end"
MARKER = b"== signature =="  # what follows the manifest
END_LINES = (b"</pre>", b"</details>", b"</main>", b"</body>", b"</html>")
_NAME = re.compile(rb"== ([a-z]+) ==")
_HASH = re.compile(rb"[0-9a-f]{64} [a-z]+")
_SIGNED = {  # the lines of the signature, in their order
    "key": re.compile(rb"key ([0-9a-f]{64})"),
    "fingerprint": re.compile(rb"fingerprint ([0-9a-f]{64})"),
    "signature": re.compile(rb"signature ([0-9a-f]{128})"),
}

type Json = str | int | float | bool | list[Json] | dict[str, Json] | None


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a pack."""

    at: int  # in the file, counted from 1
    section: str
    line: int  # in the section, counted from 1: the line that names it

    def __str__(self) -> str:
        return f"section {self.section}, line {self.line} (line {self.at} of the file)"


@dataclass(frozen=True, slots=True)
class Written:
    """A pack that is still to be signed."""

    content: tuple[bytes, ...]  # up to the manifest
    manifest: tuple[bytes, ...]

    @property
    def to_sign(self) -> bytes:
        """What the signature is made over."""
        return to_sign(self.manifest)

    def signed(self, key: bytes, signature: bytes) -> bytes:
        """The file."""
        signed = (b"key " + key.hex().encode(), b"fingerprint " + hashlib.sha256(key).hexdigest().encode())
        lines = [*self.content, *self.manifest, MARKER, *signed, b"signature " + signature.hex().encode()]
        return b"\n".join([*lines, *END_LINES]) + b"\n"


def write(page: Iterable[str], sections: Mapping[str, Iterable[Json]]) -> Written:
    """A pack of this page, which ends where the data's `<pre>` begins, and of these sections.

    Raises `ValueError` for a page with a line that would pass for the beginning of a section.
    """
    content = [line.encode() for line in page]
    if any(_NAME.fullmatch(line) or b"\n" in line for line in content):
        raise ValueError("a line of the page is none, or begins a section")
    for name, values in sections.items():
        content += [_marker(name), *(line_of(value) for value in values)]
    content.append(_marker(MANIFEST))
    return Written(tuple(content), manifest_of([*content, MARKER, *END_LINES]))


def line_of(value: Json) -> bytes:
    """A value of a section as its line. Within the page it is shown as it is."""
    line = canonical(value)
    for character in (b"&", b"<", b">"):
        line = line.replace(character, rb"\u00%02x" % ord(character))
    return line


def manifest_of(content: Sequence[bytes]) -> tuple[bytes, ...]:
    """The manifest of these content lines."""
    return tuple(
        f"{hashlib.sha256(line).hexdigest()} {name}".encode()
        for line, name in zip(content, _sections(content), strict=True)
    )


def to_sign(manifest: Sequence[bytes]) -> bytes:
    """What the signature under a manifest is made over."""
    return canonical(["nvr-bridge evidence pack", FORMAT, hashlib.sha256(b"\n".join(manifest)).hexdigest()])


@dataclass(frozen=True, slots=True)
class Parts:
    """A file taken apart, whatever was done to it: each line with its number in the file, counted from 1."""

    content: tuple[tuple[int, bytes], ...]
    manifest: tuple[tuple[int, bytes], ...]
    signed: tuple[tuple[int, bytes], ...]
    complete: bool  # it has a manifest and a signature, where they belong

    @property
    def lines(self) -> tuple[bytes, ...]:
        """The content, as the manifest is about it."""
        return tuple(line for _, line in self.content)

    @property
    def told(self) -> tuple[bytes, ...]:
        """The manifest, as the signature is about it."""
        return tuple(line for _, line in self.manifest)

    def places(self) -> tuple[Place, ...]:
        """Where each content line is."""
        counts: dict[str, int] = {}
        found = []
        for (at, _), name in zip(self.content, _sections(self.lines), strict=True):
            counts[name] = counts.get(name, 0) + 1
            found.append(Place(at, name, counts[name]))
        return tuple(found)


def take_apart(file: bytes) -> Parts:
    """Split a file, as well as that can be done where it was altered."""
    lines = [*enumerate(file.split(b"\n"), 1)]
    if lines[-1][1] == b"":
        lines.pop()
    else:
        lines[-1] = (lines[-1][0], lines[-1][1] + b" (without an end of line)")
    start, stop = _manifest_within([line for _, line in lines])
    if start is None or stop is None:
        return Parts(tuple(lines), (), (), complete=False)
    after = [line for _, line in lines[stop + 1 :]]
    signed = after.index(END_LINES[0]) if END_LINES[0] in after else min(len(_SIGNED), len(after))
    return Parts(
        content=(*lines[:start], *lines[stop : stop + 1], *lines[stop + 1 + signed :]),
        manifest=tuple(lines[start:stop]),
        signed=tuple(lines[stop + 1 : stop + 1 + signed]),
        complete=True,
    )


def signed_by(parts: Parts) -> tuple[dict[str, bytes], list[tuple[Place, str]]]:
    """`key`, `fingerprint` and `signature`, as far as they can be read, and what is wrong with their lines."""
    found: dict[str, bytes] = {}
    wrong = []
    marker = parts.manifest[-1][0] + 1 if parts.manifest else 0
    for number, (name, pattern) in enumerate(_SIGNED.items(), 1):
        if number > len(parts.signed):
            wrong.append((Place(marker + number, SIGNATURE, number + 1), "is missing"))
            break
        at, line = parts.signed[number - 1]
        if (match := pattern.fullmatch(line)) is None:
            wrong.append((Place(at, SIGNATURE, number + 1), "was changed"))
        else:
            found[name] = bytes.fromhex(match[1].decode())
    inserted = parts.signed[len(_SIGNED) :]
    wrong += [(Place(at, SIGNATURE, len(_SIGNED) + 2), "was inserted") for at, _ in inserted]
    return found, wrong


def data_of(parts: Parts) -> Iterator[tuple[Place, bytes]]:
    """The lines of data, without those that name their sections."""
    for place, line in zip(parts.places(), parts.lines, strict=True):
        if place.section not in {PAGE, END, MANIFEST, SIGNATURE} and place.line > 1:
            yield place, line


# --- helpers ------------------------------------------------------------------------------------------------------


def _marker(name: str) -> bytes:
    return f"== {name} ==".encode()


def _sections(content: Sequence[bytes]) -> Iterator[str]:
    """The section of each content line."""
    name = PAGE
    for line in content:
        if (match := _NAME.fullmatch(line)) is not None:
            name = match[1].decode()
        elif name == SIGNATURE:  # its own lines are not content, so this is what follows them
            name = END
        yield name


def _manifest_within(lines: Sequence[bytes]) -> tuple[int | None, int | None]:
    """Between which lines the hashes are: by what surrounds them, or where that was altered by what they look like."""
    hashes = [index for index, line in enumerate(lines) if _HASH.fullmatch(line)]
    if not hashes:
        return None, None
    marked = [index + 1 for index, line in enumerate(lines) if line == _marker(MANIFEST) and index + 1 in hashes]
    start = marked[0] if marked else hashes[0]
    later = [index for index in range(start, len(lines)) if lines[index] == MARKER]
    if later:
        return start, later[0]
    after = [index for index in hashes if index >= start]
    if not after or after[-1] + 1 >= len(lines):
        return None, None
    return start, after[-1] + 1
