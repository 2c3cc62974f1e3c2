"""Commitments: what is shown can be checked, what is kept back says nothing, and nothing can be shown that was not meant."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from dataclasses import replace

import pytest

from nvr_bridge.evidence.commitment import Shown, commit, show

SALT = "5a" * 32
VALUES = {"at": 1790000000.25, "zone": "lane", "score": 0.61, "ended_at": None, "partner": "渠道", "sure": True}


def test_the_formula() -> None:
    def salt(name: str) -> str:
        return hmac.new(SALT.encode(), name.encode(), hashlib.sha256).hexdigest()

    def compact(value: object) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()

    hashes = {name: hashlib.sha256(compact([salt(name), name, value])).hexdigest() for name, value in VALUES.items()}
    assert commit(VALUES, SALT) == hashlib.sha256(compact(hashes)).hexdigest()


@pytest.mark.parametrize("names", [[], ["zone"], ["at", "partner"], [*VALUES]])
def test_whatever_part_is_shown_leads_to_the_commitment(names: list[str]) -> None:
    shown = show(VALUES, SALT, names)
    assert set(shown.values) == set(names)
    assert {name: value for name, (_, value) in shown.values.items()} == {name: VALUES[name] for name in names}
    assert set(shown.hidden) == set(VALUES) - set(names)
    assert shown.commitment == commit(VALUES, SALT)


def test_a_changed_value_salt_or_hash_no_longer_leads_there() -> None:
    shown, right = show(VALUES, SALT, ["at", "zone", "ended_at"]), commit(VALUES, SALT)
    for name, (salt, value) in shown.values.items():
        for changed in ((salt, "other"), (salt[:-1] + "x", value)):
            assert replace(shown, values={**shown.values, name: changed}).commitment != right
        assert Shown({key: one for key, one in shown.values.items() if key != name}, shown.hidden).commitment != right
    for name, hashed in shown.hidden.items():
        assert replace(shown, hidden={**shown.hidden, name: hashed[:-1] + "x"}).commitment != right
    assert replace(shown, hidden={**shown.hidden, "more": "0" * 64}).commitment != right


def test_what_is_kept_back_cannot_be_searched_for() -> None:
    chance = random.Random(7)
    numbers = [f"138{chance.randrange(10**8):08}" for _ in range(200)]
    secret = numbers[123]
    hidden = show({"contact": secret, "at": 1.0}, SALT, ["at"])
    salt, _ = hidden.values["at"]
    tried = {hashlib.sha256(json.dumps([salt, "contact", number]).encode()).hexdigest() for number in numbers}
    tried |= {hashlib.sha256(f'["{salt}","contact","{number}"]'.encode()).hexdigest() for number in numbers}
    assert hidden.hidden["contact"] not in tried
    assert secret not in repr(hidden)
    assert commit({"contact": secret}, SALT) != commit({"contact": secret}, "5b" * 32)
