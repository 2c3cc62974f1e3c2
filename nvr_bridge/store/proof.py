"""What the ledger holds of a row: a commitment to its content, under a salt that is the row's own and dies with it.

Shown some of the content, anybody can check that it is what was recorded; without the row the commitment says nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from ..evidence.commitment import Value, commit
from .schema import CheckInRow, PassScanRow, ReferralRow, SightingRow
from .schema_cases import CaseRow, ReviewRow
from .schema_evidence import CorrectedRow, CorrectionRow, CoSignerRow, SigningRow

type Content = Mapping[str, Value]


def new_salt() -> str:
    """What keeps a proof from being guessed. It is erased with its row."""
    return secrets.token_hex(32)


def of(content: Content, salt: str | None) -> str | None:
    """The `proof` of an entry; None for what has no salt (any more)."""
    return None if salt is None else commit(content, salt)


def sighting(row: SightingRow) -> Content:
    """What entry `row.ledger`, a `recognised`, commits to."""
    return {
        "camera": row.camera_id,
        "zone": row.zone_id,
        "started_at": row.started_at,
        "at": row.at,
        "ended_at": row.ended_at,
        "score": row.score,
        "margin": row.margin,
        "visit": row.visit_id,
    }


def scan(row: PassScanRow) -> Content:
    """What entry `row.ledger`, a `pass_scanned`, commits to."""
    return {"zone": row.zone_id, "at": row.at, "visit": row.visit_id}


def check_in(row: CheckInRow) -> Content:
    """What entry `row.ledger`, a `checked_in`, commits to."""
    contact = {"contact": row.contact_full, "mask": row.contact_mask}
    return {**contact, "source": row.source, "zone": row.zone_id, "at": row.at, "visit": row.visit_id}


def referral(row: ReferralRow) -> Content:
    """What entry `row.ledger`, a `referral_filed`, commits to."""
    contact = {"contact": row.contact_full, "mask": row.contact_mask}
    times = {"declared_at": row.declared_at, "filed_at": row.filed_at, "expected_at": row.expected_at}
    return {"referral": row.referral_id, "partner": row.partner_id, **contact, **times}


def withdrawal(row: ReferralRow) -> Content:
    """What entry `row.withdrawn_ledger`, a `referral_withdrawn`, commits to."""
    return {"referral": row.referral_id, "partner": row.partner_id, "withdrawn_at": row.withdrawn_at}


def signing(row: SigningRow) -> Content:
    """What entry `row.ledger`, a `signed`, commits to."""
    contact = {"contact": row.contact_full, "mask": row.contact_mask}
    where = {"zone": row.zone_id, "at": row.at, "visit": row.visit_id}
    return {"signing": row.signing_id, "document": row.document, **contact, **where}


def co_signer(row: CoSignerRow) -> Content:
    """What entry `row.ledger`, a `co_signed`, commits to."""
    return {"signing": row.signing_id}


def corrected(row: CorrectedRow, correction: CorrectionRow) -> Content:
    """What entry `row.ledger`, an `identity_split` or `identity_merged`, commits to."""
    return {"correction": row.correction_id, "kind": correction.kind, "at": correction.at}


VERDICT = ("attribution", "partner", "rule", "risks")


def verdict(row: CaseRow) -> Content:
    """What entry `row.ledger`, a `verdict_told`, commits to."""
    told = row.told or {}
    found = {key: told.get(key) for key in VERDICT}
    return {"case": row.case_id, "visit": row.visit_id, "at": row.told_at, **found}


def review(row: ReviewRow, reason: str | None) -> Content:
    """What entry `row.ledger`, a `case_` and the review's act, commits to; `reason` is what the row has sealed."""
    return {
        "case": row.case_id,
        "act": row.act,
        "state": row.state,
        "at": row.at,
        "attribution": row.attribution,
        "partner": row.partner,
        "seen": row.seen,
        "token": row.token_id,
        "name": row.token_name,
        "user": row.user_id,
        "referral": row.referral_id,
        "reason": reason,
    }
