"""What a pack proves: forgeries by somebody who can sign something, but not what they would like to."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from evidence_packs import Material

from nvr_bridge.evidence.checkpoint import fingerprint
from nvr_bridge.evidence.commitment import commit
from nvr_bridge.evidence.verify import verify


def faults(material: Material, key: str | None = None) -> list[str]:
    return [
        f"{fault.place.section} {fault.place.line}: {fault.problem}" for fault in verify(material.write(), key).faults
    ]


def test_an_intact_pack_says_what_it_is_of_and_whose_key_signed_it() -> None:
    material = Material()
    named = fingerprint(material.signer.public)
    for key in (None, named):
        checked = verify(material.write(), key)
        assert checked.intact
        assert checked.key == named
        assert checked.about is not None
        assert (checked.about["case"], checked.about["site"]) == ("K7QF-2M9D", "Riverside <sales> & more")
        assert checked.about["checkpoint"]["entries"] == 40


def test_a_pack_that_somebody_else_signed_is_not_the_sites() -> None:
    """All of it: the ledger, its checkpoint, the pack. Only the fingerprint, known from elsewhere, tells."""
    theirs, ours = Material(2), fingerprint(Material(1).signer.public)
    assert faults(theirs) == []
    (said,) = faults(theirs, ours)
    assert said == f"signature 2: signed by another key: {fingerprint(theirs.signer.public)}"


def test_a_pack_signed_anew_does_not_fit_its_checkpoint() -> None:
    material = Material()
    material.sections["case"][0]["partner"] = "best"
    checked = verify(material.write(Material(2).signer))
    assert [fault.problem for fault in checked.faults] == ["is not signed by the key that signed the pack"]


def test_a_checkpoint_of_another_engine_proves_nothing_here() -> None:
    material = Material()
    material.sections["checkpoint"] = [material.checkpoint(engine="f" * 32)]
    assert faults(material) == ["checkpoint 2: is a checkpoint of another engine"]


def test_a_checkpoint_of_another_ledger_proves_nothing_here() -> None:
    material, other = Material(), Material(entries=41)
    material.sections["checkpoint"] = [other.checkpoint()]
    said = faults(material)
    assert len(said) == 5
    assert all("the proof is not one of entry" in one for one in said)


def test_a_proof_of_another_entry_is_refused() -> None:
    material = Material()
    entries = material.sections["entries"]
    entries[1]["path"], entries[2]["path"] = entries[2]["path"], entries[1]["path"]
    assert faults(material) == [
        "entries 3: the proof is not one of entry 10 in checkpoint 3",
        "entries 4: the proof is not one of entry 17 in checkpoint 3",
    ]


def test_a_fact_that_another_entry_records_is_refused() -> None:
    material = Material()
    presence = material.sections["presence"]
    presence[0]["recorded"]["entry"], presence[1]["recorded"]["entry"] = 10, 3
    presence[2]["recorded"]["entry"] = 11
    assert faults(material) == [
        "presence 2: entry 10 records something else: pass_scanned",
        "presence 3: entry 3 records something else: recognised",
        "presence 4: entry 11, which should prove it, is not in the pack",
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda one: one["facts"].update(at=0.0), "presence 2: is not what entry 3 recorded"),
        (lambda one: one["facts"].update(zone="desk"), "presence 2: is not what entry 3 recorded"),
        (lambda one: one["recorded"]["salts"].update(zone="00"), "presence 2: is not what entry 3 recorded"),
        (lambda one: one["recorded"]["hidden"].update(more="00"), "presence 2: is not what entry 3 recorded"),
        (lambda one: one["recorded"]["salts"].pop("zone"), "presence 2: is not what entry 3 recorded"),
    ],
)
def test_a_fact_that_is_not_what_was_recorded_is_refused(change: Callable[[dict], object], expected: str) -> None:  # type: ignore[type-arg]
    material = Material()
    change(material.sections["presence"][0])
    assert faults(material) == [expected]


def test_an_entry_made_up_for_a_fact_is_in_no_checkpoint() -> None:
    material = Material()
    fact, entry = material.sections["presence"][0], material.sections["entries"][0]
    fact["facts"]["score"] = 0.99
    salts = fact["recorded"]["salts"]
    entry["data"] = {"proof": commit({**fact["facts"]}, "salt 3")}
    assert set(salts) == set(fact["facts"])
    assert faults(material) == ["entries 2: entry 3 is not what its digest says"]


def test_facts_without_a_proof_are_counted_as_such() -> None:
    material = Material()
    material.sections["presence"][0]["recorded"] = None
    checked = verify(material.write())
    assert (checked.intact, checked.facts, checked.proved) == (True, 5, 4)


def test_a_pack_without_anything_recorded_is_still_signed() -> None:
    material = Material()
    for name in ("presence", "referrals", "history", "entries", "checkpoint"):
        material.sections[name] = []
    checked = verify(material.write())
    assert (checked.intact, checked.facts, checked.proved) == (True, 0, 0)


def test_a_later_format_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    material = Material()
    material.sections["pack"][0]["format"] = 2
    assert faults(material) == ["pack 2: is of a later version; update nvr-bridge"]


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_signed_is_no_traceback(seed: int) -> None:
    """Somebody with a key signs what no engine would write."""
    chance, material = random.Random(seed), Material()
    odd = [None, 5, "x", [], {}, True, 1e308, "\x00", -1]
    for _ in range(3):
        values = chance.choice([values for values in material.sections.values() if values])
        number = chance.randrange(len(values))
        if isinstance(values[number], dict) and values[number] and chance.random() < 0.8:
            values[number][chance.choice([*values[number]])] = chance.choice(odd)
        else:
            values[number] = chance.choice(odd)
    checked = verify(material.write())
    assert all(fault.problem for fault in checked.faults)
