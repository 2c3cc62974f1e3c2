"""Which lines were changed, moved, taken out or put in: lines as they are against the hashes of those that were signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from .pack import END, MANIFEST, MARKER, Parts, Place

type Found = tuple[Place, str]


def altered_content(parts: Parts) -> list[Found]:
    """Content lines that are not those of the manifest, which is right."""
    told = [line.decode(errors="replace") for line in parts.told]
    expected = [line.partition(" ")[0] for line in told]
    actual = [hashlib.sha256(line).hexdigest() for line in parts.lines]
    places, counted = parts.places(), _counted(told)
    differences = [*_differences(expected, actual)]
    gone = {hashed for i1, i2, _, _ in differences for hashed in expected[i1:i2]}
    found: list[Found] = []
    for i1, i2, j1, j2 in differences:
        both = min(i2 - i1, j2 - j1)
        found += [(Place(places[j1 + step].at, *counted[i1 + step]), "was changed") for step in range(both)]
        at = places[j2 - 1].at + 1 if j2 else 1
        found += [(Place(at, *counted[index]), "is missing") for index in range(i1 + both, i2)]
        for index in range(j1 + both, j2):
            found.append((places[index], "was moved here" if actual[index] in gone else "was inserted"))
    return found


def altered_manifest(parts: Parts, right: Sequence[bytes]) -> list[Found]:
    """Lines of the manifest that are not what they must be for the content, which is right."""
    numbers = [at for at, _ in parts.manifest]
    after = numbers[-1] + 1 if numbers else next(at for at, line in parts.content if line == MARKER)
    numbers.append(after)
    found: list[Found] = []
    for i1, i2, j1, j2 in _differences([*right], [*parts.told]):
        both = min(i2 - i1, j2 - j1)
        found += [(Place(numbers[j1 + step], MANIFEST, j1 + step + 2), "was changed") for step in range(both)]
        found += [(Place(numbers[j1 + both], MANIFEST, index + 2), "is missing") for index in range(i1 + both, i2)]
        found += [(Place(numbers[index], MANIFEST, index + 2), "was inserted") for index in range(j1 + both, j2)]
    return found


def altered_somewhere(parts: Parts, right: Sequence[bytes]) -> list[Found]:
    """Where content and manifest do not fit each other, and nothing says which of the two is right.

    `right` is what the manifest would be if the content were.
    """
    content, manifest = [at for at, _ in parts.content], [at for at, _ in parts.manifest]
    places = [*parts.places(), Place(content[-1] + 1, END, 1)]
    told = [Place(at, MANIFEST, number) for number, at in enumerate(manifest, 2)]
    told.append(Place(manifest[-1] + 1 if manifest else 1, MANIFEST, len(told) + 2))
    found: list[Found] = []
    for i1, i2, j1, j2 in _differences([*right], [*parts.told]):
        found += [(place, "was changed, or the manifest was") for place in places[i1 : max(i2, i1 + 1)]]
        found += [(place, "was changed, or the content was") for place in told[j1 : max(j2, j1 + 1)]]
    return found


# --- helpers ------------------------------------------------------------------------------------------------------


def _differences[T: (str, bytes)](expected: list[T], actual: list[T]) -> Iterator[tuple[int, int, int, int]]:
    """(from, to) in the one and (from, to) in the other, wherever they differ."""
    matcher = SequenceMatcher(None, expected, actual, autojunk=False)
    return ((i1, i2, j1, j2) for kind, i1, i2, j1, j2 in matcher.get_opcodes() if kind != "equal")


def _counted(manifest: Sequence[str]) -> list[tuple[str, int]]:
    """The section of each content line, and its number in that."""
    counts: dict[str, int] = {}
    found = []
    for line in manifest:
        name = line.partition(" ")[2]
        counts[name] = counts.get(name, 0) + 1
        found.append((name, counts[name]))
    return found
