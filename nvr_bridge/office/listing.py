"""Visits, sightings and replays as clients are shown them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ..models import Consent, Outcome, Visit
from ..store.assessments import StoredAssessment
from ..store.cases import StoredCase, StoredReview
from ..store.claims import StoredClaim
from ..store.referrals import StoredReferral
from ..store.sightings import StoredSighting
from ..store.signings import StoredSigning
from ..visits.casebook import Case, Compared, Days
from ..visits.replay import Day
from ..visits.rules import RULES_VERSION
from ..visits.telling import needs_person, version


def visit_row(visit: Visit, case: Case, alias: str | None) -> dict[str, Any]:
    """A visit with its verdict; without one where its evidence is lost."""
    earlier = case.get("earlier", visit.earlier)
    return {
        "visit": visit.visit_id,
        "alias": alias,
        "zone": visit.zone_id,
        "started_at": iso(visit.started_at),
        "last_at": iso(visit.last_at),
        "ended_at": iso(visit.ended_at) if visit.ended_at is not None else None,
        "earlier": earlier,
        "returning": earlier > 0,
        "attribution": case.get("attribution"),
        "partner": case.get("partner"),
        "rule": case.get("rule"),
        "risks": case.get("risks", []),
        "needs_review": case.get("needs_review", False),
        "evidence_erased": case.get("evidence_erased", False),
    }


def referral_row(referral: StoredReferral, validity: float) -> dict[str, Any]:
    """What is told of a referral: never its contact."""
    return {
        "referral": referral.referral_id,
        "partner": referral.partner,
        "broker": referral.broker,
        "masked": referral.full is None,
        "declared_at": iso(referral.declared_at),
        "filed_at": iso(referral.filed_at),
        "expected_at": None if referral.expected_at is None else iso(referral.expected_at),
        "valid_until": iso(referral.declared_at + validity),
        "withdrawn_at": None if referral.withdrawn_at is None else iso(referral.withdrawn_at),
    }


def claim_row(
    referral: StoredReferral, validity: float, outcome: Outcome, decided: StoredClaim | None
) -> dict[str, Any]:
    """What its partner is told of a referral; `decided` is what a person made of it, if somebody did."""
    appeal = None
    if decided is not None and decided.appealed_at is not None:
        appeal = "pending" if decided.appealed_at >= decided.decided_at else "answered"
    return {
        **referral_row(referral, validity),
        "outcome": outcome.value,
        "day": decided.day.isoformat() if decided is not None and outcome is Outcome.GIVEN else None,
        "appeal": appeal,
    }


def case_row(visit: Visit, stored: StoredCase, case: Case | None, alias: str | None) -> dict[str, Any]:
    """A case: its visit, the verdict as it is now, and how far people are with it."""
    return {
        "case": stored.case_id,
        "state": stored.state.value,
        **visit_row(visit, case or {}, alias),
        "needs_review": case is not None and needs_person(case, stored.state),
        "version": None if case is None else version(case),
    }


def review_row(review: StoredReview) -> dict[str, Any]:
    """Something that happened to a case."""
    return {
        "at": iso(review.at),
        "act": review.act.value,
        "state": review.state.value,
        "attribution": review.attribution,
        "partner": review.partner,
        "seen": review.seen,
        "by": review.token_name,  # None: the engine itself
        "token_id": review.token_id,
        "user": review.user_id,
        "referral": review.referral_id,
        "reason": review.reason,
        "ledger": review.ledger,
    }


def sighting_row(row: StoredSighting, alias: str | None) -> dict[str, Any]:
    """A sighting."""
    return {
        "camera": row.camera_id,
        "zone": row.zone_id,
        "track": row.track_id,
        "started_at": iso(row.started_at),
        "at": iso(row.at),
        "ended_at": iso(row.ended_at) if row.ended_at is not None else None,
        "who": "known" if row.reason is None else "unknown",
        "reason": row.reason,
        "alias": alias,
        "score": row.score,
        "margin": row.margin,
        "visit": row.visit_id,
    }


def signing_row(signing: StoredSigning, case: Case, alias: str | None) -> dict[str, Any]:
    """A signing with its verdict."""
    return {
        "signing": signing.signing_id,
        "visit": signing.visit_id,
        "alias": alias,
        "zone": signing.zone_id,
        "at": iso(signing.at),
        "attribution": case.get("attribution"),
        "partner": case.get("partner"),
        "rule": case.get("rule"),
        "risks": case.get("risks", []),
        "needs_review": case.get("needs_review", False),
        "evidence_erased": case.get("evidence_erased", False),
    }


def replay_result(days: Days, alias: Callable[[str], str | None]) -> dict[str, Any]:
    """A replay: every visit and signing; or, where it was replayed under other settings too, those that would change."""
    result = {
        "rules_version": RULES_VERSION,
        "judged": len(days.visits),
        "evidence_erased": days.erased,
        "daily": [_counts(day) for day in days.daily],
        "visits": [{**visit_row(*_shown(one, alias)), **_would_be(one)} for one in days.visits if _wanted(one)],
        "signings": [{**signing_row(*_shown(one, alias)), **_would_be(one)} for one in days.signings if _wanted(one)],
    }
    return {**result, "daily_would_be": [_counts(day) for day in days.other_daily]} if days.compared else result


def consent_row(consent: Consent, alias: str | None, current: bool) -> dict[str, Any]:
    """A consent in force; `current`: it was given under the notice in force."""
    return {
        "consent_id": consent.consent_id,
        "alias": alias,
        "visitor": consent.visitor_id,
        "zone": consent.zone_id,
        "zones": [*consent.zones],
        "notice_hash": consent.notice_hash,
        "to_renew": not current,
        "language": consent.language,
        "purpose": consent.purpose,
        "channel": consent.channel.value,
        "granted_at": iso(consent.granted_at),
        "expires_at": iso(consent.expires_at),
        "guardian": consent.guardian,
    }


def assessment_row(made: StoredAssessment, profile: str, now: float) -> dict[str, Any]:
    """An impact assessment, and whether it still holds, for the site's profile."""
    ended_at = made.ended_at(now)
    return {
        "by": made.by,
        "ground": made.ground,
        "profile": made.profile,
        "acknowledged_at": iso(made.acknowledged_at),
        "expires_at": iso(made.expires_at),
        "in_force": ended_at is None and made.profile in {None, profile},
        "ended_at": None if ended_at is None else iso(ended_at),
    }


def iso(moment: float) -> str:
    """A time as it goes over the wire."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def _counts(day: Day) -> dict[str, Any]:
    return {
        "date": day.day.isoformat(),
        "unregistered": day.unregistered,
        "natural": day.natural,
        "channel": day.channel,
        "undetermined": day.undetermined,
    }


def _shown[T: (Visit, StoredSigning)](
    one: Compared[T], alias: Callable[[str], str | None]
) -> tuple[T, Case, str | None]:
    visitor_id = one.what.visitor_id
    return one.what, one.now, alias(visitor_id) if visitor_id else None


def _wanted(one: Compared[Any]) -> bool:
    return one.other is None or one.other != one.now


def _would_be(one: Compared[Any]) -> dict[str, Any]:
    return {} if one.other is None else {"would_be": one.other}
