"""Evidence packs made without an engine: a small ledger, its checkpoint, and facts that its entries record."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nvr_bridge.evidence.chain import GENESIS, Entry, digest_of
from nvr_bridge.evidence.checkpoint import Checkpoint
from nvr_bridge.evidence.commitment import commit, show
from nvr_bridge.evidence.merkle import Frontier
from nvr_bridge.evidence.pack import write

NOW = 1_790_000_000.0
AT = NOW + 0.25
FACTS: tuple[tuple[str, str, str, Mapping[str, Any]], ...] = (
    ("presence", "sighting", "recognised", {"zone": "lane", "at": NOW + 2, "score": 0.61, "visit": "v1"}),
    ("presence", "pass", "pass_scanned", {"zone": "desk", "at": NOW + 60, "visit": "v1"}),
    ("presence", "check_in", "checked_in", {"zone": "desk", "at": NOW + 61, "contact": "secret", "visit": "v1"}),
    ("referrals", "referral", "referral_filed", {"referral": "r1", "partner": "acme", "contact": "secret"}),
    ("history", "review", "case_confirm", {"state": "confirmed", "at": NOW + 900, "name": "secret"}),
)
HIDDEN = {"contact", "name"}


class Signer:
    """A site's key."""

    def __init__(self, seed: int) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self._key.public_key().public_bytes_raw()

    def __call__(self, content: bytes) -> bytes:
        return self._key.sign(content)


class Material:
    """What a pack is made of, to be changed before it is."""

    def __init__(self, seed: int = 1, engine: str = "e" * 32, entries: int = 40) -> None:
        self.signer = Signer(seed)
        self.engine = engine
        self.page = [f"<p>Line {number} of the page: 判定 &amp; evidence</p>" for number in range(30)]
        self.ledger = self._ledger(entries)
        self.sections = self._sections()

    def write(self, signer: Signer | None = None) -> bytes:
        """The pack."""
        signer = signer or self.signer
        written = write(self.page, self.sections)
        return written.signed(signer.public, signer(written.to_sign))

    def checkpoint(self, engine: str | None = None) -> dict[str, Any]:
        """A checkpoint of the whole ledger."""
        made = Checkpoint(3, engine or self.engine, len(self.ledger), self._tree().root().hex(), NOW + 1000)
        made = replace(made, signature=self.signer(made.signed))
        return {
            "number": made.number,
            "engine": made.engine_id,
            "entries": made.entries,
            "root": made.root,
            "at": made.at,
            "signature": made.signature.hex(),
        }

    def entry(self, number: int) -> dict[str, Any]:
        """An entry with its proof."""
        one = self.ledger[number - 1]
        path = self._tree(number - 1).paths()[number - 1]
        return {
            "number": one.number,
            "at": one.at,
            "act": one.act,
            "zone": one.zone_id,
            "subject": one.subject,
            "data": one.data,
            "previous": one.previous,
            "digest": one.digest,
            "path": [step.hex() for step in path],
        }

    def _tree(self, *wanted: int) -> Frontier:
        tree = Frontier(wanted)
        for one in self.ledger:
            tree.add(bytes.fromhex(one.digest))
        return tree

    def _ledger(self, entries: int) -> list[Entry]:
        chance, found, previous = random.Random(entries), [], GENESIS
        acts = {3 + 7 * place: fact for place, fact in enumerate(FACTS)}
        for number in range(1, entries + 1):
            _, _, act, values = acts.get(number, ("", "", "armed", {}))
            data: dict[str, Any] = {"proof": commit(values, f"salt {number}")} if values else {"reasons": ""}
            subject = chance.randbytes(32).hex() if act == "recognised" else None
            columns = (number, NOW + number, act, "lane", subject, data, previous)
            found.append(Entry(*columns, digest_of(*columns)))
            previous = found[-1].digest
        return found

    def _sections(self) -> dict[str, list[Any]]:
        sections: dict[str, list[Any]] = {
            "pack": [{"format": 1, "engine": self.engine, "site": "Riverside <sales> & more", "made": "2026-09-21"}],
            "case": [{"case": "K7QF-2M9D", "attribution": "channel", "partner": "acme"}],
            "presence": [],
            "referrals": [],
            "history": [],
            "settings": [{"name": "lead_time", "value": 1800.0}, {"name": "validity", "value": 259200.0}],
            "entries": [],
            "checkpoint": [self.checkpoint()],
        }
        for place, (section, kind, act, values) in enumerate(FACTS):
            number = 3 + 7 * place
            shown = show(values, f"salt {number}", set(values) - HIDDEN)
            recorded = {
                "act": act,
                "entry": number,
                "salts": {name: salt for name, (salt, _) in shown.values.items()},
                "hidden": dict(shown.hidden),
            }
            facts = {name: value for name, (_, value) in shown.values.items()}
            sections[section].append({"kind": kind, "facts": facts, "recorded": recorded})
            sections["entries"].append(self.entry(number))
        return sections


def recorded(entry: int) -> dict[str, Any]:
    return {"act": "x", "entry": entry, "salts": {}, "hidden": {}}


def told_verdict() -> dict[str, Any]:
    """What the engine told of the case last."""
    facts = {"at": AT + 3, "attribution": "channel", "partner": "acme"}
    return {"kind": "verdict", "facts": facts, "recorded": recorded(14)}


def page_sections(text: str = "Amber Finch 12") -> dict[str, list[dict[str, Any]]]:
    """All that a page can show."""
    sighting = {"at": AT + 30, "started_at": AT, "zone": "lane", "score": 0.6124, "margin": 0.2}
    filed = {"referral": "r1", "partner": "acme", "declared_at": AT - 86400, "filed_at": AT - 86399}
    review = {"at": AT + 900, "act": "confirm", "state": "confirmed", "attribution": "channel", "partner": "acme"}
    return {
        "pack": [{"site": text, "made": "2026-09-21T20:00:00+08:00"}],
        "case": [{"case": "K7QF-2M9D", "state": "confirmed", "alias": text, "zone": "lane", "zone_name": text}],
        "verdict": [
            {
                "attribution": "channel",
                "partner": "acme",
                "rule": "referral_valid",
                "why": text,
                "why_zh": text,
                "risks": ["late_referral", "intercepted"],
                "erased": False,
                "review": {"rules_say": {"attribution": "undetermined", "partner": None}},
                "ambiguous": True,
            }
        ],
        "told": [told_verdict()],
        "times": [{"what": "start", "at": AT, "error": 2.0}, {"what": "end", "at": AT + 60, "error": 0.0}],
        "presence": [
            {"kind": "sighting", "facts": sighting, "error": 2.0, "zone_name": text, "recorded": recorded(12)},
            {"kind": "pass", "facts": {"at": AT + 60}, "error": 0.0, "zone_name": "Desk", "recorded": None},
        ],
        "links": [{"person": 1, "by": ["template", "pass"]}],
        "uncertainty": [
            {"what": "lead_time", "referral": text, "difference": -1.5, "error": 2.0},
            {"what": "earlier_visit"},
        ],
        "returning": [
            {"visits": 2, "last": {"start": "2026-09-01T10:00:00+08:00", "attribution": "natural", "partner": None}}
        ],
        "referrals": [
            {
                "kind": "referral",
                "facts": filed,
                "judged": {"state": "valid", "tied_by": "contact"},
                "recorded": recorded(3),
            },
            {
                "kind": "withdrawal",
                "facts": {"referral": "r1", "withdrawn_at": AT},
                "judged": None,
                "recorded": recorded(4),
            },
        ],
        "history": [
            {"kind": "review", "facts": {**review, "reason": text}, "by": 1, "recorded": recorded(20)},
            {"kind": "review", "facts": {**review, "act": "reopen", "attribution": None}, "by": None, "recorded": None},
        ],
        "settings": [
            {"name": "lead_time", "value": 1800.0, "unit": "s"},
            {"name": "winner", "value": "first_declared", "unit": None},
        ],
        "checkpoint": [{"entries": 40, "at": AT + 1000}],
    }
