"""Verdicts as they are printed: JSON-able, with what each rests on, and one sentence in English and in Chinese."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from .attribution import Judged, Verdict
from .doubt import Doubt
from .evidence import Rules
from .identity import CONTACT, DOCUMENT
from .replay import Replay
from .rules import RULES_VERSION, Claim, Tie
from .signings import JudgedSigning
from .timeline import next_close
from .words import Place, Said, say

State = Literal["intercepted", "valid", "late", "withdrawn", "lapsed", "not considered"]  # of a referral
Link = Literal["template", "ambiguous template", "pass", "document", "contact"]  # from a visitor id to a person
TiedBy = Literal["contact", "masked contact"]

type Json = str | int | float | bool | list[Json] | dict[str, Json] | None


def output(found: Replay, rules: Rules) -> dict[str, Json]:
    """A replay, ready for `json.dumps`."""
    return {
        "rules_version": RULES_VERSION,
        "visits": [visit_row(visit, rules) for visit in found.visits],
        "signings": [signing_row(signing, rules) for signing in found.signings],
        "daily": [
            {
                "date": day.day.isoformat(),
                "unregistered": day.unregistered,
                "natural": day.natural,
                "channel": day.channel,
                "undetermined": day.undetermined,
            }
            for day in found.daily
        ],
    }


def visit_row(visit: Judged, rules: Rules) -> dict[str, Json]:
    """A visit with its verdict."""
    return {
        "person": visit.name,
        "start": local(visit.stay.start, rules),
        "end": local(visit.stay.end, rules),
        "attribution": visit.verdict.attribution,
        "partner": visit.verdict.partner,
        "rule": visit.verdict.rule,
        "returning": visit.returning,
        "risks": [*visit.facts.risks],
        "needs_review": visit.verdict.attribution == "undetermined" or bool(visit.facts.risks),
        "reviewed": visit.review is not None,
        "explanation": explanation(visit, rules),
    }


def signing_row(signed: JudgedSigning, rules: Rules) -> dict[str, Json]:
    """A signing with its verdict."""
    why = Said("why", "signed", {"start": local(signed.visit.stay.start, rules)})
    if signed.verdict != signed.visit.verdict:
        why = Said("why", "co_signers_differ")
    return {
        "id": signed.signing.signing,
        "attribution": signed.verdict.attribution,
        "partner": signed.verdict.partner,
        "rule": signed.verdict.rule,
        "risks": [*signed.risks],
        "explanation": {
            **_sentence(why),
            "at": local(signed.signing.at, rules),
            "visit": {
                "person": signed.visit.name,
                "start": local(signed.visit.stay.start, rules),
                **_verdict(signed.visit.verdict),
            },
            "co_signers": [{"visitor": one.visitor, **_verdict(one.verdict)} for one in signed.co_signers],
        },
    }


def why(visit: Judged, rules: Rules) -> Said:
    """What decided a visit's verdict, as one sentence."""
    said = _why(visit, rules)
    return Said("why", "erased", {"why": said}) if _erased(visit) else said


def explanation(visit: Judged, rules: Rules) -> dict[str, Json]:
    """What a visit's verdict rests on."""
    found: dict[str, Json] = {
        **_sentence(why(visit, rules)),
        "inputs": {
            "start_error": visit.stay.error,
            "presence": _presence(visit),
            "referrals": [*_referrals(visit, rules)],
            "protected_by": visit.facts.protected_by,
        },
        "links": [*_links(visit)],
        "uncertainty": [_doubt(doubt, rules) for doubt in visit.doubts],
        "returning": {"visits": visit.returning, "last": _last(visit, rules)},
    }
    if visit.ambiguous or not visit.stay.certain:
        found["identity"] = "ambiguous"
    if visit.review is not None:
        found["review"] = {
            "at": local(visit.review.at, rules),
            "reason": visit.review.reason,
            "rules_say": _verdict(visit.computed),
        }
    if _erased(visit):
        found["evidence_erased"] = True
        found["replayed"] = False
    return found


def moments(visit: Judged, rules: Rules) -> list[Json]:
    """Each presence that a visit is made of, the earliest first: when, how far its clock may be off, and how it was noticed."""
    return [
        {
            "at": local(one.at, rules),
            "error": one.error,
            "kind": one.kind,
            "certain": one.certain,
            "score": one.score,
        }
        for one in visit.stay.moments
    ]


def local(at: float, rules: Rules) -> str:
    """A time as the site's clocks show it, with its offset."""
    return datetime.fromtimestamp(at, rules.at(at).timezone).isoformat()


# --- helpers ------------------------------------------------------------------------------------------------------


def _erased(visit: Judged) -> bool:
    return visit.stay.erased_at < float("inf")


def _sentence(said: Said) -> dict[str, Json]:
    return {"why": say(said, "en"), "why_zh": say(said, "zh-Hans")}


def _why(visit: Judged, rules: Rules) -> Said:
    facts, rule = visit.facts, visit.verdict.rule
    places: dict[str, Place] = {}
    match rule:
        case "referral_valid":
            won = next((tie.claim for tie in visit.ties if tie.claim.referral == visit.referral), None)
            if won is None:
                partners = [Said("part", "partner", {"partner": partner}) for partner in visit.partners]
                return Said("why", "winner_open", {"partners": partners})
            places = {"referral": won.referral, "partner": won.partner, "declared": local(won.declared, rules)}
        case "undetermined":
            return _why_undetermined(visit)
        case "channel_protected":
            places = {"partner": visit.verdict.partner or ""}
        case "natural_protected":
            places = {"claims": _named(facts.intercepted)}
        case "late_referral":
            places = {"claims": _named(facts.late)}
    return Said("why", rule, places)


def _why_undetermined(visit: Judged) -> Said:
    if not visit.stay.certain:
        return Said("why", "below_the_bar")
    if visit.ambiguous:
        return Said("why", "whose")
    doubts = [Said("doubt", what) for what in dict.fromkeys(doubt.what for doubt in visit.doubts)]
    return Said("why", "doubts", {"doubts": doubts})


def _named(claims: tuple[Claim, ...]) -> Place:
    named = [Said("part", "claim", {"referral": claim.referral, "partner": claim.partner}) for claim in claims]
    return named or Said("part", "some_claim")


def _verdict(verdict: Verdict) -> dict[str, Json]:
    return {"attribution": verdict.attribution, "partner": verdict.partner, "rule": verdict.rule}


def _last(visit: Judged, rules: Rules) -> Json:
    if visit.last is None:
        return None
    start, verdict = visit.last
    return {"start": local(start, rules), **_verdict(verdict)}


def _doubt(doubt: Doubt, rules: Rules) -> Json:
    found: dict[str, Json] = {"what": doubt.what}
    about = doubt.about
    if doubt.what in {"earlier_visit", "protection"} and isinstance(about, tuple):
        found["visit"] = local(about[0], rules)
    elif isinstance(about, str):
        found["referral"] = about
    elif isinstance(about, tuple) and isinstance(about[0], str):
        found |= {"referral": about[0], "visit": local(about[1], rules)}
    if doubt.error is not None and doubt.difference is not None:
        found |= {"difference": round(doubt.difference, 6), "error": round(doubt.error, 6)}
    return found


def _presence(visit: Judged) -> Json:
    moments = visit.stay.moments
    kinds: dict[str, Json] = {}
    for kind in ("sighting", "pass", "check_in", "signing"):
        if count := sum(one.kind == kind for one in moments):
            kinds[kind] = count
    if ambiguous := sum(not one.certain for one in moments):
        kinds["ambiguous"] = ambiguous
    best = max((one for one in moments if one.score is not None), key=lambda one: one.score or 0.0, default=None)
    if best is not None:
        kinds |= {"score": best.score, "margin": best.margin}
    return kinds


def _links(visit: Judged) -> Iterator[Json]:
    """How each visitor id on this visit is known to be the person."""
    ways: dict[str, set[Link]] = {}
    for one in visit.stay.moments:
        by = ways.setdefault(one.node, set())
        if one.kind == "sighting":
            by.add("template" if one.certain else "ambiguous template")
        elif one.kind == "pass":
            by.add("pass")
        elif one.proven:
            by.add("document")
        if one.contact is not None:
            by.add("contact")
    for node, by in sorted(ways.items()):
        yield {"visitor": None if node.startswith((CONTACT, DOCUMENT)) else node, "by": [*sorted(by)]}


def _referrals(visit: Judged, rules: Rules) -> Iterator[Json]:
    """The referrals that this visit leads to and that came to something, or had not long lapsed."""
    start = visit.stay.start
    settings = rules.at(start)
    low = start - settings.validity - settings.protection
    high = max(visit.stay.end, next_close(start, rules))
    first = bisect_left(visit.ties, low, key=lambda tie: tie.claim.declared)
    last = bisect_right(visit.ties, high, key=lambda tie: tie.claim.declared)
    for tie in visit.ties[first:last]:
        tied_by: TiedBy = "contact" if tie.claim.contact.full is not None else "masked contact"
        yield {
            "id": tie.claim.referral,
            "partner": tie.claim.partner,
            "declared": local(tie.claim.declared, rules),
            "tied_by": tied_by,
            "state": _state(tie, visit, rules),
        }


def _state(tie: Tie, visit: Judged, rules: Rules) -> State:
    claim, facts = tie.claim, visit.facts
    if claim in facts.intercepted:
        return "intercepted"
    if claim in facts.valid:
        return "valid"
    if claim in facts.late:
        return "late"
    if claim.withdrawn < visit.stay.start:
        return "withdrawn"
    return "lapsed" if claim.declared + rules.at(visit.stay.start).validity < visit.stay.start else "not considered"
