"""A commitment: one hash for a set of named values, each of which can later be shown, or kept back, by itself.

Every value is hashed with a secret salt of its own. Shown are a value and its salt, or in its place its hash, which says
nothing about it. The ledger holds commitments, so that a pack can prove what was recorded without telling the rest.
Pure, standard library only.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from .chain import canonical

type Value = Any  # as JSON has it


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a commitment."""

    values: Mapping[str, tuple[str, Value]]  # name → (salt, value)
    hidden: Mapping[str, str]  # name → hash

    @property
    def commitment(self) -> str:
        """What this is shown of, if nothing of it was changed."""
        hashes = {name: _hashed(name, salt, value) for name, (salt, value) in self.values.items()}
        return _top({**self.hidden, **hashes})


def commit(values: Mapping[str, Value], salt: str) -> str:
    """The commitment to all values, sha256 in hexadecimal. `salt` is secret, and another one each time."""
    return _top({name: _hashed(name, _salt(salt, name), value) for name, value in values.items()})


def show(values: Mapping[str, Value], salt: str, names: Collection[str]) -> Shown:
    """The values called `names`, and the hashes of the others."""
    salts = {name: _salt(salt, name) for name in values}
    return Shown(
        {name: (salts[name], value) for name, value in values.items() if name in names},
        {name: _hashed(name, salts[name], value) for name, value in values.items() if name not in names},
    )


# --- helpers ------------------------------------------------------------------------------------------------------


def _salt(salt: str, name: str) -> str:
    return hmac.new(salt.encode(), name.encode(), hashlib.sha256).hexdigest()


def _hashed(name: str, salt: str, value: Value) -> str:
    return hashlib.sha256(canonical([salt, name, value])).hexdigest()


def _top(hashes: Mapping[str, str]) -> str:
    return hashlib.sha256(canonical(hashes)).hexdigest()
