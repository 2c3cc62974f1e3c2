"""Checking an evidence pack with nothing but the file: what was altered and where, and whether what it proves holds."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .chain import Entry
from .checkpoint import Checkpoint, fingerprint, is_signed
from .commitment import Shown
from .compare import Found, altered_content, altered_manifest, altered_somewhere
from .merkle import root_by_path
from .pack import (
    END,
    END_LINES,
    FORMAT,
    MANIFEST,
    MARKER,
    PAGE,
    SIGNATURE,
    Parts,
    Place,
    data_of,
    manifest_of,
    signed_by,
    take_apart,
    to_sign,
)

# Which act of the ledger records which kind of fact.
ACTS: Mapping[str, tuple[str, ...]] = {
    "sighting": ("recognised",),
    "pass": ("pass_scanned",),
    "check_in": ("checked_in",),
    "signing": ("signed",),
    "referral": ("referral_filed",),
    "withdrawal": ("referral_withdrawn",),
    "verdict": ("verdict_told",),
    "review": tuple(
        f"case_{act}" for act in ("confirm", "change", "agree", "refuse", "send_back", "appeal", "sign", "reopen")
    ),
}
FACTS = ("told", "presence", "referrals", "history")  # the sections whose lines the ledger may prove

type Values = dict[str, Any]
type Sections = Mapping[str, list[tuple[Place, Values]]]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was signed, or does not prove what it should."""

    place: Place
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking a pack found."""

    faults: tuple[Fault, ...]
    key: str | None = None  # the fingerprint of whoever signed; None if that cannot be told
    about: Values | None = None  # what it is of, if it is intact
    facts: int = 0
    proved: int = 0  # of the facts, by the ledger

    @property
    def intact(self) -> bool:
        """Whether it is as it was signed, and proves what it says."""
        return not self.faults


def verify(file: bytes, key: str | None = None) -> Checked:
    """Check a pack; `key` is the fingerprint of the site's signing key, if it is known from elsewhere."""
    parts = take_apart(file)
    says, altered = _altered(parts)
    signer = says.get("key")
    named = fingerprint(signer) if signer is not None and not altered else None
    if altered or signer is None:
        return Checked(tuple(Fault(place, problem) for place, problem in _sorted(altered)), named)
    if key is not None and key != named:
        other = Fault(_of_signature(parts, 0), f"signed by another key: {named}")
        return Checked((other,), named)
    try:
        return _checked(parts, signer)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        place = Place(1, MANIFEST, 1)
        return Checked((Fault(place, "it is signed, but this program cannot read it; update nvr-bridge"),), named)


# --- what was altered ---------------------------------------------------------------------------------------------


def _altered(parts: Parts) -> tuple[dict[str, bytes], list[Found]]:
    if not parts.complete:
        return {}, [_cut_off(parts)]
    says, wrong = signed_by(parts)
    right = manifest_of(parts.lines)
    key, signature = says.get("key", b""), says.get("signature", b"")
    named = "fingerprint" not in says or says["fingerprint"] == hashlib.sha256(key).digest()
    if is_signed(to_sign(parts.told), signature, key):
        wrong += altered_content(parts) if parts.told != right else []
        if not named:
            wrong.append((_of_signature(parts, 1), "was changed: it is not that of the key"))
    elif is_signed(to_sign(right), signature, key):
        wrong += altered_manifest(parts, right)
        if not named:
            wrong.append((_of_signature(parts, 1), "was changed: it is not that of the key"))
    else:
        wrong += altered_somewhere(parts, right) if parts.told != right else []
        if not named:
            wrong.append((_of_signature(parts, 0), "was changed"))
        elif len(says) == 3:
            fits = "the signature was changed, or is that of another pack or key"
            wrong.append((_of_signature(parts, 2), fits))
    return says, wrong


def _cut_off(parts: Parts) -> Found:
    """There is no manifest, or no signature."""
    places, lines = parts.places(), parts.lines
    if not lines:
        return Place(1, PAGE, 1), "the file ends here: there is nothing in it"
    if lines[0].endswith(b"\r"):
        return places[0], "its line ends were changed, as programs do that take it for a text; send it as a file"
    if lines[-1:] == END_LINES[-1:]:
        marker = lines.index(MARKER) if MARKER in lines else len(lines) - len(END_LINES)
        return Place(max(marker, 0) + 1, MANIFEST, 1), "is missing, and the manifest with it"
    return places[-1], "the file ends here: what follows was cut off, the signature with it"


def _of_signature(parts: Parts, number: int) -> Place:
    return Place(parts.signed[number][0], SIGNATURE, number + 2)


def _sorted(found: list[Found]) -> list[Found]:
    return sorted(dict.fromkeys(found), key=lambda one: (one[0].at, one[0].section == END))


# --- what it proves -----------------------------------------------------------------------------------------------


def _checked(parts: Parts, key: bytes) -> Checked:
    sections: dict[str, list[tuple[Place, Values]]] = defaultdict(list)
    for place, line in data_of(parts):
        sections[place.section].append((place, json.loads(line)))
    ((where, about),) = sections["pack"]
    if about["format"] != FORMAT:
        return Checked((Fault(where, "is of a later version; update nvr-bridge"),), fingerprint(key))
    entries = {value["number"]: value for _, value in sections["entries"]}
    faults = [*_of_checkpoint(sections, about["engine"], key), *_of_facts(sections, entries)]
    facts = [value for name in FACTS for _, value in sections[name]]
    proved = sum(fact["recorded"] is not None for fact in facts)
    ((_, case),) = sections["case"]
    told = {**about, "case": case["case"], "checkpoint": next((value for _, value in sections["checkpoint"]), None)}
    return Checked(tuple(faults), fingerprint(key), told, len(facts), proved)


def _of_checkpoint(sections: Sections, engine_id: str, key: bytes) -> Iterator[Fault]:
    """The checkpoint is this engine's, and every entry is in what it signed."""
    if not sections["checkpoint"] and not sections["entries"]:
        return
    ((where, value),) = sections["checkpoint"]
    checkpoint = Checkpoint.of(value)
    if checkpoint.engine_id != engine_id:
        yield Fault(where, "is a checkpoint of another engine")
    if not is_signed(checkpoint.signed, checkpoint.signature, key):
        yield Fault(where, "is not signed by the key that signed the pack")
    for place, entry in sections["entries"]:
        yield from (Fault(place, problem) for problem in _of_entry(entry, checkpoint))


def _of_entry(value: Values, checkpoint: Checkpoint) -> Iterator[str]:
    names = ("number", "at", "act", "zone", "subject", "data", "previous", "digest")
    entry = Entry(*(value[name] for name in names))
    if not entry.fits:
        yield f"entry {entry.number} is not what its digest says"
    path = [bytes.fromhex(step) for step in value["path"]]
    root = root_by_path(bytes.fromhex(entry.digest), entry.number - 1, checkpoint.entries, path)
    if root is None or root.hex() != checkpoint.root:
        yield f"the proof is not one of entry {entry.number} in checkpoint {checkpoint.number}"


def _of_facts(sections: Sections, entries: Mapping[int, Values]) -> Iterator[Fault]:
    """What is said to be recorded is what the ledger's entry committed to."""
    for name in FACTS:
        for place, fact in sections[name]:
            if fact["recorded"] is not None:
                problem = _of_fact(fact, entries.get(fact["recorded"]["entry"]))
                if problem is not None:
                    yield Fault(place, problem)


def _of_fact(fact: Values, entry: Values | None) -> str | None:
    recorded = fact["recorded"]
    if entry is None:
        return f"entry {recorded['entry']}, which should prove it, is not in the pack"
    if entry["act"] not in ACTS[fact["kind"]]:
        return f"entry {entry['number']} records something else: {entry['act']}"
    values = {name: (salt, fact["facts"][name]) for name, salt in recorded["salts"].items()}
    if Shown(values, recorded["hidden"]).commitment != entry["data"]["proof"]:
        return f"is not what entry {entry['number']} recorded"
    return None
