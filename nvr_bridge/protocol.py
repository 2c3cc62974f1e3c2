"""The wire contract between the engine and its clients: one WebSocket, JSON, the server speaks first.

Here is who may ask what; `messages.py` has what is said. `docs/protocol.md` says the same in prose, and a test keeps them alike.
"""

from __future__ import annotations

from enum import StrEnum

SCHEMA = 1  # this engine's schema version
OLDEST_SCHEMA = 1  # the oldest it still speaks
PATH = "/ws"
PARTNER_PATH = "/partner"
DEFAULT_PORT = 8645
DEFAULT_TLS_PORT = 8646  # of HTTPS, where the site has it
ZEROCONF_TYPE = "_nvr-bridge._tcp.local."
OUTBOX_LIMIT = 512  # pending messages after which a slow client is dropped
SIGN_TTL = 5.0  # seconds that a sign's report holds, unless `bridge.yaml` says otherwise


class Role(StrEnum):
    """Who a token stands for."""

    ADMIN = "admin"  # the command line on the engine's own machine
    HUB = "hub"
    REVIEWER = "reviewer"
    KIOSK = "kiosk"
    VIEWER = "viewer"
    PARTNER = "partner"  # one channel partner, by a link; its own referrals and nothing else


class Command(StrEnum):
    """Every command, by its `type` on the wire."""

    STATUS = "engine/status"
    RECOGNITION = "engine/recognition"
    SUBSCRIBE = "subscribe"
    SIGN = "zone/sign"
    ACT = "zone/act"
    CONSENT_GRANT = "consent/grant"
    CONSENT_RENEW = "consent/renew"
    CONSENT_WITHDRAW = "consent/withdraw"
    CONSENT_LIST = "consent/list"
    SUBJECT_GET = "subject/get"
    VISIT_LIST = "visit/list"
    VISIT_CHECK_IN = "visit/check_in"
    PASS_ISSUE = "pass/issue"  # noqa: S105 - a command's name
    PASS_SCAN = "pass/scan"  # noqa: S105 - a command's name
    SIGNING_ADD = "signing/add"
    SIGNING_LIST = "signing/list"
    STAFF_MARK = "staff/mark"
    STAFF_LIST = "staff/list"
    STAFF_END = "staff/end"
    IDENTITY_SPLIT = "identity/split"
    IDENTITY_MERGE = "identity/merge"
    PARTNER_ADD = "partner/add"
    PARTNER_LIST = "partner/list"
    PARTNER_LINK = "partner/link"
    REFERRAL_ADD = "referral/add"
    REFERRAL_IMPORT = "referral/import"
    REFERRAL_LIST = "referral/list"
    REFERRAL_WITHDRAW = "referral/withdraw"
    CLAIM_LIST = "claim/list"
    CLAIM_APPEAL = "claim/appeal"
    ATTRIBUTION_REPLAY = "attribution/replay"
    CASE_LIST = "case/list"
    CASE_GET = "case/get"
    CASE_CONFIRM = "case/confirm"
    CASE_CHANGE = "case/change"
    CASE_SECOND = "case/second"
    CASE_SEND_BACK = "case/send_back"
    REPORT_VISITS = "report/visits"
    SIGHTING_LIST = "sighting/list"
    CAMERA_LIST = "camera/list"
    CAMERA_DISCOVER = "camera/discover"
    CAMERA_ADD = "camera/add"
    CAMERA_REMOVE = "camera/remove"
    CAMERA_RECOGNITION = "camera/recognition"
    PAIR_CREATE = "pair/create"
    TOKEN_LIST = "token/list"  # noqa: S105 - a command's name
    TOKEN_REVOKE = "token/revoke"  # noqa: S105 - a command's name
    ASSESSMENT_ACKNOWLEDGE = "assessment/acknowledge"
    ASSESSMENT_LIST = "assessment/list"
    LEDGER_VERIFY = "ledger/verify"
    CASE_EXPORT = "case/export"
    RECEIPT_LIST = "receipt/list"
    RECEIPT_TAKE = "receipt/take"
    RETENTION_GET = "retention/get"
    RETENTION_SET = "retention/set"
    RETENTION_PURGE = "retention/purge"
    RETENTION_STATUS = "retention/status"
    SETTINGS_LIST = "settings/list"
    SETTINGS_SET = "settings/set"
    SETTINGS_HISTORY = "settings/history"


_OPERATORS = frozenset({Role.ADMIN, Role.REVIEWER})
_FILING = _OPERATORS | {Role.PARTNER}  # a partner for itself alone, whatever its arguments say
_KEEPERS = frozenset({Role.ADMIN, Role.HUB})  # who answers for the data does so at the hub too
_DESK = _OPERATORS | {Role.KIOSK}
_REVIEWERS = _OPERATORS | {Role.HUB}

ALLOWED: dict[Command, frozenset[Role]] = {
    Command.STATUS: frozenset({Role.ADMIN, Role.HUB, Role.REVIEWER, Role.VIEWER}),
    Command.RECOGNITION: _KEEPERS,
    Command.SUBSCRIBE: frozenset({Role.ADMIN, Role.HUB, Role.REVIEWER, Role.VIEWER}),
    Command.SIGN: frozenset({Role.HUB}),  # the sign is the hub's to report, so not even the administrator may
    Command.ACT: frozenset({Role.HUB}),
    Command.CONSENT_GRANT: frozenset({Role.ADMIN, Role.REVIEWER, Role.KIOSK}),
    Command.CONSENT_RENEW: _DESK,  # a kiosk by a pass alone: an alias is no secret
    Command.CONSENT_WITHDRAW: frozenset({Role.ADMIN, Role.HUB, Role.REVIEWER, Role.KIOSK}),
    Command.CONSENT_LIST: _OPERATORS,
    Command.SUBJECT_GET: _REVIEWERS,
    Command.VISIT_LIST: _OPERATORS | {Role.VIEWER},
    # Who gives a contact is at a desk, or at the hub's panel: over its own WebSocket, never as an action's data, which
    # the hub records. No contact is ever told to anybody.
    Command.VISIT_CHECK_IN: _DESK | {Role.HUB},
    Command.PASS_ISSUE: _DESK,  # a new code is for the visitor alone
    Command.PASS_SCAN: _DESK | {Role.HUB},
    Command.SIGNING_ADD: _OPERATORS,
    Command.SIGNING_LIST: _OPERATORS,
    Command.STAFF_MARK: _OPERATORS,
    Command.STAFF_LIST: _OPERATORS,
    Command.STAFF_END: _OPERATORS,
    Command.IDENTITY_SPLIT: _OPERATORS,
    Command.IDENTITY_MERGE: _OPERATORS,
    Command.PARTNER_ADD: _KEEPERS,
    Command.PARTNER_LIST: _REVIEWERS,
    Command.PARTNER_LINK: _REVIEWERS,
    Command.REFERRAL_ADD: _FILING | {Role.HUB},
    Command.REFERRAL_IMPORT: _FILING,
    Command.REFERRAL_LIST: _FILING | {Role.HUB},
    Command.REFERRAL_WITHDRAW: _FILING | {Role.HUB},
    Command.CLAIM_LIST: frozenset({Role.PARTNER}),
    Command.CLAIM_APPEAL: frozenset({Role.PARTNER}),
    Command.ATTRIBUTION_REPLAY: _OPERATORS,
    Command.CASE_LIST: _REVIEWERS,
    Command.CASE_GET: _REVIEWERS,  # at the hub for its panel, which only its administrators open
    Command.CASE_CONFIRM: _REVIEWERS,
    Command.CASE_CHANGE: _REVIEWERS,
    Command.CASE_SECOND: _REVIEWERS,
    Command.CASE_SEND_BACK: _REVIEWERS,
    Command.REPORT_VISITS: _REVIEWERS,
    Command.SIGHTING_LIST: _OPERATORS,
    Command.CAMERA_LIST: frozenset({Role.ADMIN, Role.HUB, Role.REVIEWER, Role.VIEWER}),
    Command.CAMERA_DISCOVER: frozenset({Role.ADMIN, Role.HUB}),
    Command.CAMERA_ADD: frozenset({Role.ADMIN, Role.HUB}),
    Command.CAMERA_REMOVE: frozenset({Role.ADMIN, Role.HUB}),
    Command.CAMERA_RECOGNITION: _KEEPERS,
    Command.PAIR_CREATE: frozenset({Role.ADMIN}),
    Command.TOKEN_LIST: frozenset({Role.ADMIN}),
    Command.TOKEN_REVOKE: frozenset({Role.ADMIN}),
    Command.ASSESSMENT_ACKNOWLEDGE: frozenset({Role.ADMIN}),
    Command.ASSESSMENT_LIST: _OPERATORS,
    Command.LEDGER_VERIFY: _OPERATORS,
    Command.CASE_EXPORT: _OPERATORS,
    Command.RECEIPT_LIST: _OPERATORS,
    Command.RECEIPT_TAKE: _OPERATORS,
    Command.RETENTION_GET: _KEEPERS | {Role.REVIEWER},
    Command.RETENTION_SET: _KEEPERS,
    Command.RETENTION_PURGE: _KEEPERS,
    Command.RETENTION_STATUS: _KEEPERS | {Role.REVIEWER},
    Command.SETTINGS_LIST: _KEEPERS | {Role.REVIEWER},
    Command.SETTINGS_SET: _KEEPERS,
    Command.SETTINGS_HISTORY: _KEEPERS | {Role.REVIEWER},
}
