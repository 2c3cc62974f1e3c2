"""What the ledger holds of a row: shown the row with its salt, anybody can check it; without the row it says nothing."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

from .schema import CheckInRow, ReferralRow
from .schema_cases import ReviewRow
from .schema_evidence import CorrectedRow, CorrectionRow, CoSignerRow, SigningRow


def new_salt() -> str:
    """What keeps a proof from being guessed. It is erased with its row."""
    return secrets.token_hex(32)


def of_referral(row: ReferralRow) -> str:
    """The `proof` of entry `row.ledger`, a `referral_filed`."""
    contact = (row.contact_full, row.contact_mask)
    times = (row.declared_at, row.filed_at, row.expected_at)
    return _proof(row.salt, row.referral_id, row.partner_id, *contact, *times)


def of_check_in(row: CheckInRow) -> str:
    """The `proof` of entry `row.ledger`, a `checked_in`."""
    return _proof(row.salt, row.contact_full, row.contact_mask, row.source, row.zone_id, row.at, row.visit_id)


def of_signing(row: SigningRow) -> str:
    """The `proof` of entry `row.ledger`, a `signed`."""
    contact = (row.contact_full, row.contact_mask)
    return _proof(row.salt, row.signing_id, row.document, *contact, row.zone_id, row.at, row.visit_id)


def of_co_signer(row: CoSignerRow) -> str:
    """The `proof` of entry `row.ledger`, a `co_signed`."""
    return _proof(row.salt, row.signing_id)


def of_corrected(row: CorrectedRow, correction: CorrectionRow) -> str:
    """The `proof` of entry `row.ledger`, an `identity_split` or `identity_merged`."""
    return _proof(row.salt, correction.correction_id, correction.kind, correction.at)


def of_review(row: ReviewRow) -> str:
    """The `proof` of entry `row.ledger`, a `case_` and the review's act."""
    answer = (row.attribution, row.partner, row.seen)
    who = (row.token_id, row.token_name, row.user_id)
    reason = None if row.reason_sealed is None else hashlib.sha256(row.reason_sealed).hexdigest()
    return _proof(row.salt, row.case_id, row.act, row.state, row.at, *answer, *who, row.referral_id, reason)


def _proof(*content: str | float | dict[str, Any] | None) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
