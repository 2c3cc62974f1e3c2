"""Arguments with which every command can be given, for tests that walk them all. One that needs some has them here."""

from __future__ import annotations

from typing import Any

from nvr_bridge.protocol import Command

HASH = "0" * 64
ARGUMENTS: dict[Command, dict[str, Any]] = {
    Command.RECOGNITION: {"on": False},
    Command.SIGN: {"zone": "lane", "on": True, "notice_hash": HASH},
    Command.ACT: {"zone": "lane"},
    Command.CONSENT_GRANT: {
        "zone": "lane",
        "notice_hash": HASH,
        "purpose": "introductions",
        "language": "en",
        "expires_in_days": 30,
    },
    Command.CONSENT_RENEW: {
        "zone": "desk",
        "notice_hash": HASH,
        "purpose": "introductions",
        "language": "en",
        "expires_in_days": 30,
        "code": "ABCD-EFGH-JKMN-PQRS",
    },
    Command.CONSENT_WITHDRAW: {"alias": "Amber Finch 12"},
    Command.SUBJECT_GET: {"alias": "Amber Finch 12"},
    Command.VISIT_CHECK_IN: {"zone": "lane", "contact": "13800000001"},
    Command.PASS_SCAN: {"zone": "lane", "code": "ABCD-EFGH-JKMN-PQRS"},
    Command.SIGNING_ADD: {"zone": "lane", "document": "D-77", "alias": "Amber Finch 12"},
    Command.STAFF_MARK: {"alias": "Amber Finch 12"},
    Command.STAFF_END: {"alias": "Amber Finch 12"},
    Command.IDENTITY_SPLIT: {"aliases": ["Amber Finch 12", "Birch Heron 7"]},
    Command.IDENTITY_MERGE: {"aliases": ["Amber Finch 12", "Birch Heron 7"]},
    Command.PARTNER_ADD: {"partner": "acme", "name": "Acme Homes"},
    Command.PARTNER_LINK: {"partner": "acme"},
    Command.REFERRAL_ADD: {"partner": "acme", "contact": "138****0001"},
    Command.REFERRAL_IMPORT: {"csv": "partner,contact"},
    Command.REFERRAL_WITHDRAW: {"referral": "r1"},
    Command.CLAIM_APPEAL: {"referral": "r1", "text": "She is our client."},
    Command.ATTRIBUTION_REPLAY: {"from": "2026-03-02", "to": "2026-03-08"},
    Command.CASE_GET: {"case": "K7QF-2M9D"},
    Command.CASE_CONFIRM: {"case": "K7QF-2M9D", "seen": "0a1b2c3d"},
    Command.CASE_CHANGE: {"case": "K7QF-2M9D", "attribution": "natural", "reason": "she came by bus"},
    Command.CASE_SECOND: {"case": "K7QF-2M9D", "agree": True},
    Command.CASE_SEND_BACK: {"case": "K7QF-2M9D", "reason": "ask the desk"},
    Command.CASE_EXPORT: {"case": "K7QF-2M9D"},
    Command.REPORT_VISITS: {"from": "2026-03-02", "to": "2026-03-08"},
    Command.CAMERA_ADD: {"address": "127.0.0.1:9", "zone": "lane"},  # where nothing answers
    Command.CAMERA_RECOGNITION: {"camera": "front", "on": False},
    Command.CAMERA_REMOVE: {"camera": "front"},
    Command.TOKEN_REVOKE: {"token_id": "nobody"},
    Command.ASSESSMENT_ACKNOWLEDGE: {"by": "R. Tan", "ground": "consent"},
    Command.RECEIPT_TAKE: {"number": 7},
    Command.RETENTION_SET: {"visits": 90},
    Command.SETTINGS_SET: {"key": "retention_visits", "value": 90},
}


def arguments(command: Command) -> dict[str, Any]:
    """What `command` can be given with."""
    return dict(ARGUMENTS.get(command, {}))
