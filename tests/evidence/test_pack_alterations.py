"""Whatever is altered in a pack is found, and said where: 200 random alterations, and one of every kind by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import accumulate

import pytest
from evidence_packs import Material

from nvr_bridge.evidence.verify import Checked, verify

SEED = 20260302
FILE = Material().write()


def line_at(content: bytes, offset: int) -> int:
    """The number of the line that the byte is on."""
    return content.count(b"\n", 0, offset) + 1


def flip(chance: random.Random) -> tuple[bytes, list[int]]:
    """One bit."""
    changed, at = bytearray(FILE), chance.randrange(len(FILE))
    changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed), [line_at(FILE, at)]


def delete(chance: random.Random) -> tuple[bytes, list[int]]:
    """A piece taken out."""
    at = chance.randrange(len(FILE))
    end = min(len(FILE), at + chance.choice([1, 2, 40, 400, 4000]))
    return FILE[:at] + FILE[end:], [line_at(FILE, at)]


def insert(chance: random.Random) -> tuple[bytes, list[int]]:
    """A piece put in: nonsense, or a copy of what is elsewhere in the file."""
    at, length = chance.randrange(len(FILE)), chance.choice([1, 2, 40, 400])
    start = chance.randrange(len(FILE) - length)
    piece = chance.choice([chance.randbytes(length), FILE[start : start + length]])
    return FILE[:at] + piece + FILE[at:], [line_at(FILE, at)]


def swap(chance: random.Random) -> tuple[bytes, list[int]]:
    """Two pieces that change places."""
    length = chance.choice([1, 8, 64, 300])
    one, other = sorted(
        (chance.randrange(len(FILE) // 2 - length), chance.randrange(len(FILE) // 2, len(FILE) - length))
    )
    pieces = FILE[one : one + length], FILE[other : other + length]
    altered = FILE[:one] + pieces[1] + FILE[one + length : other] + pieces[0] + FILE[other + length :]
    return altered, [line_at(altered, one), line_at(altered, other)]


def swap_lines(chance: random.Random) -> tuple[bytes, list[int]]:
    """Two lines that change places."""
    lines = FILE.split(b"\n")[:-1]
    one, other = sorted(chance.sample(range(len(lines)), 2))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines) + b"\n", [one + 1, other + 1]


def truncate(chance: random.Random) -> tuple[bytes, list[int]]:
    """The end cut off."""
    at = chance.randrange(len(FILE))
    return FILE[:at], [line_at(FILE, at)]


KINDS: tuple[Callable[[random.Random], tuple[bytes, list[int]]], ...] = (
    *(flip, flip, flip, delete, insert, swap, swap_lines, truncate),
)


def test_the_pack_is_intact_before_it_is_altered() -> None:
    checked = verify(FILE)
    assert checked.intact, [str(fault) for fault in checked.faults]
    assert (checked.facts, checked.proved) == (5, 5)


@pytest.mark.parametrize("number", range(200))
def test_a_random_alteration_is_found_and_located(number: int) -> None:
    chance = random.Random(SEED + number)
    kind = KINDS[number % len(KINDS)]
    altered, lines = kind(chance)
    while altered == FILE:
        altered, lines = kind(chance)
    checked = verify(altered)
    said = f"seed {SEED + number}: {kind.__name__} on lines {lines}: {[str(fault) for fault in checked.faults]}"
    assert not checked.intact, said
    for line in lines:  # what joins or parts lines is on the line or the next
        assert any(abs(fault.place.at - line) <= 1 for fault in checked.faults), said


def test_every_single_bit_of_some_lines() -> None:
    """All bits of the lines that hold the rest together."""
    starts = [0, *accumulate(len(line) + 1 for line in FILE.split(b"\n")[:-1])]
    lines = FILE.split(b"\n")
    wanted = [
        lines.index(b"== manifest =="),
        lines.index(b"== signature =="),
        lines.index(b"== case =="),
        len(lines) - 2,
    ]
    wanted += [lines.index(b"== signature ==") + step for step in (1, 2)]
    for line in wanted:
        for bit in range(8 * (len(lines[line]) + 1)):
            changed = bytearray(FILE)
            changed[starts[line] + bit // 8] ^= 1 << bit % 8
            checked = verify(bytes(changed))
            assert not checked.intact
            assert any(abs(fault.place.at - line - 1) <= 1 for fault in checked.faults), (line, bit, checked)


def told(checked: Checked) -> list[str]:
    return [str(fault) for fault in checked.faults]


def altered(old: bytes, new: bytes, count: int = 1) -> list[str]:
    assert old in FILE
    return told(verify(FILE.replace(old, new, count)))


def test_a_changed_line_is_named_by_section_and_line() -> None:
    at = line_at(FILE, FILE.index(b'"partner":"acme"'))
    (said,) = altered(b'"partner":"acme"', b'"partner":"best"')
    assert said == f"section case, line 2 (line {at} of the file): was changed"
    assert altered(b"<p>Line 7 of", b"<p>Line 8 of") == ["section page, line 8 (line 8 of the file): was changed"]


def test_a_line_taken_out_put_in_or_moved_is_named() -> None:
    line = b"<p>Line 7 of the page: \xe5\x88\xa4\xe5\xae\x9a &amp; evidence</p>\n"
    assert altered(line, b"") == ["section page, line 8 (line 8 of the file): is missing"]
    assert altered(line, line + line) == ["section page, line 8 (line 8 of the file): was inserted"]
    moved = FILE.replace(line, b"").replace(b"<p>Line 20 of", line + b"<p>Line 20 of")
    assert told(verify(moved)) == [
        "section page, line 8 (line 8 of the file): is missing",
        "section page, line 20 (line 20 of the file): was moved here",
    ]


def test_a_changed_manifest_is_told_from_a_changed_page() -> None:
    lines = FILE.split(b"\n")
    first = lines.index(b"== manifest ==") + 1
    changed = lines[first + 4].replace(b" page", b" case")
    said = altered(lines[first + 4] + b"\n", changed + b"\n")
    assert said == [f"section manifest, line 6 (line {first + 5} of the file): was changed"]
    assert altered(lines[first + 4] + b"\n", b"") == [
        f"section manifest, line 6 (line {first + 5} of the file): is missing"
    ]
    assert altered(lines[first] + b"\n", lines[first] + b"\n" + lines[first + 1] + b"\n") == [
        f"section manifest, line 3 (line {first + 2} of the file): was inserted"
    ]


def test_what_is_wrong_with_the_signature_is_named() -> None:
    lines = FILE.split(b"\n")
    at = lines.index(b"== signature ==") + 1
    key, fingerprint, signature = lines[at : at + 3]
    flipped = bytearray(signature)
    flipped[20] = ord("1") if flipped[20] == ord("0") else ord("0")
    assert altered(signature, bytes(flipped)) == [
        f"section signature, line 4 (line {at + 3} of the file): "
        "the signature was changed, or is that of another pack or key"
    ]
    assert altered(fingerprint, b"fingerprint " + b"0" * 64) == [
        f"section signature, line 3 (line {at + 2} of the file): was changed: it is not that of the key"
    ]
    other = b"key " + Material(2).signer.public.hex().encode()
    assert altered(key, other) == [f"section signature, line 2 (line {at + 1} of the file): was changed"]
    assert altered(key, key.upper()) == [f"section signature, line 2 (line {at + 1} of the file): was changed"]
    assert altered(signature + b"\n", b"") == [f"section signature, line 4 (line {at + 3} of the file): is missing"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file ends here"),
        (b"\n", "the file ends here"),
        (b"hello", "the file ends here"),
        (FILE[: FILE.index(b"== manifest ==")], "the file ends here"),
        (FILE[: FILE.index(b"== signature ==")], "the file ends here"),
        (FILE.replace(FILE[FILE.index(b"== manifest ==") : FILE.index(b"== signature ==")], b""), "is missing"),
        (b"\xff\xfe" + FILE.decode().encode("utf-16-le"), "the file ends here"),
        (FILE.replace(b"\n", b"\r\n"), "section page, line 1 (line 1 of the file): its line ends were changed"),
        (b"\xef\xbb\xbf" + FILE, "section page, line 1 (line 1 of the file): was changed"),
        (FILE + b"\n", "was inserted"),
        (FILE[:-1], "section end, line 5"),
    ],
)
def test_what_is_hardly_a_pack_any_more_is_no_traceback(content: bytes, words: str) -> None:
    checked = verify(content)
    assert not checked.intact
    assert words in " ".join(told(checked))
