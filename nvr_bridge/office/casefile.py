"""What an evidence pack tells of a case: gathered from the store, and stripped of what must not leave the site.

No biometrics, no contact, no document and no name is in it, nor a hash of one; a visitor is a number within the pack.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from .. import __version__
from ..config import Config
from ..consent.records import Records
from ..evidence.commitment import show
from ..evidence.pack import FORMAT
from ..models import Visit
from ..store.cases import StoredCase, StoredReview
from ..store.recorded import Recorded, RecordedFacts
from ..visits.casebook import Case, Casebook
from ..visits.evidence import Settings
from ..visits.rules import RULES_VERSION
from ..visits.telling import by_now
from ..visits.unjudged import Batch
from .cases import Store

# What is shown of each kind of fact; the rest is kept back.
SHOWN: Mapping[str, frozenset[str]] = {
    "sighting": frozenset({"camera", "zone", "started_at", "at", "ended_at", "score", "margin", "visit"}),
    "pass": frozenset({"zone", "at", "visit"}),
    "check_in": frozenset({"zone", "at", "visit"}),
    "signing": frozenset({"signing", "zone", "at", "visit"}),
    "referral": frozenset({"referral", "partner", "declared_at", "filed_at", "expected_at"}),
    "withdrawal": frozenset({"referral", "partner", "withdrawn_at"}),
    "verdict": frozenset({"case", "visit", "at", "attribution", "partner", "rule", "risks"}),
    "review": frozenset({"case", "act", "state", "at", "attribution", "partner", "seen", "referral"}),
}
_ACTS = {
    "sighting": "recognised",
    "pass": "pass_scanned",
    "check_in": "checked_in",
    "signing": "signed",
    "referral": "referral_filed",
    "withdrawal": "referral_withdrawn",
    "verdict": "verdict_told",
}

type Line = dict[str, Any]
type Sections = dict[str, list[Line]]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What is known of a case, ready to be proved and signed."""

    case_id: str
    visit: Visit
    sections: Sections
    entries: frozenset[int]  # of the ledger, that prove facts


class CaseFiles:
    """Gathers them. One for the engine."""

    def __init__(
        self,
        config: Config,
        store: Store,
        records: Records,
        casebook: Casebook,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._store = store
        self._records = records
        self._casebook = casebook
        self._facts = RecordedFacts(store.database)
        self._clock = clock

    async def gather(self, case_id: str, *, reasons: bool) -> CaseFile:
        """Everything about the case of this id; what reviewers wrote only with `reasons`. Raises `NotFoundError`."""
        stored = await self._store.cases.get(case_id)
        visit = await self._store.visits.get(stored.visit_id)
        verdict = await self._verdict(visit)
        explained: Line = {**(await self._casebook.explanation(visit) or {})}
        history = await self._store.cases.history(stored.case_id)
        presence = await self._facts.of_visit(visit.visit_id)
        judged = {line["id"]: line for line in explained.get("inputs", {}).get("referrals", [])}
        named = {*judged, *(review.referral_id for review in history if review.referral_id)}
        referrals = await self._facts.of_referrals(named)
        reviews = await self._facts.of_case(stored.case_id, {one.review_id: one.reason for one in history})
        told = await self._facts.told(stored.case_id)
        earlier = {"visits": (verdict or {}).get("earlier", visit.earlier), "last": None}
        sections: Sections = {
            "pack": [self._pack()],
            "case": [self._case(stored, visit)],
            "verdict": [_verdict(verdict, explained, reasons=reasons)],
            "told": [_fact(one) for one in told],
            "times": self._times(visit, explained, presence),
            "presence": [self._presence(one) for one in presence],
            "links": _links(explained.get("links", [])),
            "uncertainty": explained.get("uncertainty", []),
            "returning": [explained.get("returning", earlier)],
            "referrals": [{**_fact(one), "judged": _judged(judged.get(one.content["referral"]))} for one in referrals],
            "history": _history(reviews, history, reasons=reasons),
            "settings": _settings(await self._casebook.settings_of(visit)),
        }
        facts = (*told, *presence, *referrals, *reviews)
        entries = frozenset(one.ledger for one in facts if one.ledger is not None and one.salt is not None)
        return CaseFile(stored.case_id, visit, sections, entries)

    # --- helpers ---

    async def _verdict(self, visit: Visit) -> Case | None:
        """As it is shown now; None where no evidence is left to say."""
        found = await self._casebook.concerned(Batch(visits=frozenset({visit.visit_id})))
        case, signings = found.cases.get(visit.visit_id), found.signings.get(visit.visit_id, ())
        if case is None:
            return None
        return by_now(case, signings, visit.started_at, self._clock(), self._config.rules)

    def _presence(self, one: Recorded) -> Line:
        return {**_fact(one), "error": self._error(one), "zone_name": self._zone(one.content["zone"])}

    def _pack(self) -> Line:
        made = datetime.fromtimestamp(self._clock(), self._config.timezone).isoformat(timespec="seconds")
        return {
            "format": FORMAT,
            "site": self._config.name,
            "engine": self._store.database.engine_id,
            "version": __version__,
            "rules_version": RULES_VERSION,
            "made": made,
            "timezone": str(self._config.timezone),
        }

    def _case(self, stored: StoredCase, visit: Visit) -> Line:
        return {
            "case": stored.case_id,
            "state": stored.state.value,
            "opened_at": stored.opened_at,
            "visit": visit.visit_id,
            "alias": self._records.alias(visit.visitor_id) if visit.visitor_id else None,
            "zone": visit.zone_id,
            "zone_name": self._zone(visit.zone_id),
        }

    def _times(self, visit: Visit, explained: Line, presence: Sequence[Recorded]) -> list[Line]:
        return [
            {"what": "start", "at": visit.started_at, "error": explained.get("inputs", {}).get("start_error")},
            {"what": "end", "at": visit.last_at, "error": self._error(presence[-1]) if presence else None},
        ]

    def _error(self, fact: Recorded) -> float:
        """Only what a camera saw has an error: the engine's own clock tells all other times."""
        return self._config.rules.clock_error if fact.kind == "sighting" else 0.0

    def _zone(self, zone_id: str) -> str:
        zone = self._config.zones.get(zone_id)
        return zone.name if zone else zone_id


def _settings(rules: Settings) -> list[Line]:
    """The settings that the visit is judged under."""
    units = {"lead_time", "validity", "protection", "natural_protection", "visit_gap", "clock_error"}
    found = []
    for key in (field.name for field in fields(rules)):
        value = getattr(rules, key)
        told = value if isinstance(value, float | str) else str(value)
        found.append({"name": key, "value": told, "unit": "s" if key in units else None})
    return found


def _verdict(verdict: Case | None, explained: Line, *, reasons: bool) -> Line:
    found = verdict or {"attribution": None, "partner": None, "rule": None, "risks": [], "needs_review": False}
    review = explained.get("review")
    if review is not None and not reasons:
        review = {key: value for key, value in review.items() if key != "reason"}
    return {
        **{key: found[key] for key in ("attribution", "partner", "rule", "risks", "needs_review")},
        "why": explained.get("why"),
        "why_zh": explained.get("why_zh"),
        "protected_by": explained.get("inputs", {}).get("protected_by"),
        "ambiguous": explained.get("identity") == "ambiguous",
        "review": review,
        "erased": bool(found.get("evidence_erased")),
    }


def _fact(one: Recorded, also: Iterable[str] = ()) -> Line:
    """A fact as it is shown, with what opens its entry as far as it is."""
    names = SHOWN[one.kind] | frozenset(also)
    facts = {name: value for name, value in one.content.items() if name in names}
    if one.salt is None or one.ledger is None:
        return {"kind": one.kind, "facts": facts, "recorded": None}
    shown = show(one.content, one.salt, names)
    act = _ACTS.get(one.kind) or f"case_{one.content['act']}"
    salts = {name: salt for name, (salt, _) in shown.values.items()}
    recorded = {"act": act, "entry": one.ledger, "salts": salts, "hidden": dict(shown.hidden)}
    return {"kind": one.kind, "facts": facts, "recorded": recorded}


def _judged(line: Line | None) -> Line | None:
    return None if line is None else {"state": line["state"], "tied_by": line["tied_by"]}


def _links(links: Sequence[Line]) -> list[Line]:
    """Visitors are numbered: an id would join this pack to another."""
    return [{"person": number, "by": line["by"]} for number, line in enumerate(links, 1)]


def _history(reviews: Sequence[Recorded], history: Sequence[StoredReview], *, reasons: bool) -> list[Line]:
    """Who acted is numbered, as they come."""
    numbers: dict[tuple[str | None, str | None], int] = {}
    found = []
    by_id = {one.review_id: one for one in history}
    for one in reviews:
        review = by_id[int(one.row)]
        who = (review.token_id, review.user_id)
        by = None if review.token_id is None else numbers.setdefault(who, len(numbers) + 1)
        found.append({**_fact(one, {"reason"} if reasons else ()), "by": by})
    return found
