"""The arguments that every command takes, checked: a mistake becomes one `InvalidError` line with field and remedy."""

from __future__ import annotations

from typing import Any

import voluptuous as vol

from .errors import InvalidError
from .models import ATTRIBUTIONS, CaseState, Channel, RetentionClass
from .protocol import Command, Role
from .values import (
    RETENTION_DAYS,
    day,
    explain,
    identifier,
    interface,
    moment,
    number,
    one_of,
    or_none,
    several,
    text,
    whole,
)

REPORTS = ("day", "partner", "zone", "hour")  # what visits may be counted by
CSV_LIMIT = 1_000_000  # characters, well over 5,000 referrals
SEVERAL = 20  # visitors in one command
KEPT = 100  # checkpoints that a ledger is compared with at once
PHOTO_LIMIT = 8_000_000  # characters of base64, about 6 MB of JPEG


def validate(command: Command, arguments: dict[str, Any]) -> dict[str, Any]:
    """Check a command's arguments (its message without `id` and `type`) and fill in defaults."""
    schema = COMMAND_SCHEMAS[command]
    try:
        checked: dict[str, Any] = schema(arguments)
    except vol.Invalid as err:
        raise InvalidError(f"{command}: {explain(err, schema)}") from err
    return checked


def names_user(command: Command) -> bool:
    """Whether a hub may say in `by` for which of its users it gives the command."""
    schema = COMMAND_SCHEMAS[command].schema
    keys = schema.validators[0] if isinstance(schema, vol.All) else schema
    return keys.get("by") is _BY


def _grant(value: dict[str, Any]) -> dict[str, Any]:
    if ("expires_at" in value) == ("expires_in_days" in value):
        raise vol.Invalid("give exactly one of expires_at and expires_in_days")
    return value


def _named(value: dict[str, Any]) -> dict[str, Any]:
    if not {"alias", "code"} & value.keys():
        raise vol.Invalid("give alias or code: whose consent it is")
    return value


def _subject(value: dict[str, Any]) -> dict[str, Any]:
    if not {"alias", "visitor"} & value.keys():
        raise vol.Invalid("give alias or visitor: whose data it is")
    return value


def _one_device(value: dict[str, Any]) -> dict[str, Any]:
    if {"channel", "username"} & value.keys() and "address" not in value:
        raise vol.Invalid("channel and login are one device's; give its address, too")
    return value


def _source(value: Any) -> str:
    """How the visitor heard of the site. It is shown, so it must not carry a contact."""
    told = text(40)(value)
    if sum(character.isdigit() for character in told) >= 5:
        raise vol.Invalid("holds a number; name a source, such as friend or website, and give a telephone as contact")
    return told


def _value(value: Any) -> float | str:
    """A number, or a word; which of them, and how far it may go, the setting itself says."""
    if isinstance(value, str):
        return text(40)(value)
    return number(-1e9, 1e9)(value)


def _some_class(value: dict[str, Any]) -> dict[str, Any]:
    if not value.keys() - {"by"}:
        raise vol.Invalid(f"give at least one of {', '.join(RetentionClass)}")
    return value


_CASE = text(20)
_CLASSES = {vol.Optional(kind.value): or_none(number(0, RETENTION_DAYS)) for kind in RetentionClass}
_BY = text(255)  # the hub's own id of its user: opaque here
_SEEN = text(20)
_REASON = text(500)
NOTICE_HASH = vol.All(
    str, vol.Match(r"^[0-9a-f]{64}$", msg="must be a sha256 in hexadecimal, as the zone's state shows it")
)
_PHOTO = vol.All(str, vol.Length(min=1, max=PHOTO_LIMIT, msg=f"must be base64 of at most {PHOTO_LIMIT} characters"))

_LOGIN: dict[Any, Any] = {
    vol.Inclusive("username", "login", msg="give username and password together"): text(64),
    vol.Inclusive("password", "login", msg="give username and password together"): str,
}
_AGREEMENT: dict[Any, Any] = {
    vol.Required("zone"): identifier,
    vol.Required("notice_hash"): NOTICE_HASH,
    vol.Required("purpose"): text(200),
    vol.Required("language"): text(35),
    vol.Optional("expires_in_days"): number(0.0001, 3650),
    vol.Optional("expires_at"): moment,
    vol.Optional("guardian", default=False): bool,
    vol.Optional("zones"): vol.All([identifier], vol.Length(min=1, msg="must name at least one")),
    vol.Optional("channel"): one_of(*Channel),
}
_CHECKPOINT = vol.Schema(
    {
        vol.Required("number"): whole(1, 2**53),
        vol.Required("engine"): text(64),
        vol.Required("entries"): whole(1, 2**53),
        vol.Required("root"): vol.All(str, vol.Match(r"^[0-9a-f]{64}$", msg="must be 64 hexadecimal characters")),
        vol.Required("at"): float,
        vol.Required("signature"): vol.All(
            str, vol.Match(r"^[0-9a-f]{128}$", msg="must be 128 hexadecimal characters")
        ),
    }
)

COMMAND_SCHEMAS: dict[Command, vol.Schema] = {
    Command.STATUS: vol.Schema({}),
    Command.RECOGNITION: vol.Schema(
        {vol.Required("on"): bool, vol.Optional("zone"): identifier, vol.Optional("by"): _BY}
    ),
    Command.SUBSCRIBE: vol.Schema({vol.Optional("since"): vol.Any(None, whole(0, 2**53))}),
    Command.SIGN: vol.Schema(
        {
            vol.Required("zone"): identifier,
            vol.Required("on"): vol.Any(bool, None),
            vol.Required("notice_hash"): NOTICE_HASH,
        }
    ),
    Command.ACT: vol.Schema({vol.Required("zone"): identifier}),
    Command.CONSENT_GRANT: vol.Schema(
        vol.All({**_AGREEMENT, vol.Optional("alias"): text(80), vol.Optional("photo"): _PHOTO}, _grant)
    ),
    Command.CONSENT_RENEW: vol.Schema(
        vol.All(
            {
                **_AGREEMENT,
                vol.Exclusive("alias", "who", msg="give alias or code, not both"): text(80),
                vol.Exclusive("code", "who", msg="give alias or code, not both"): text(80),
            },
            _grant,
            _named,
        )
    ),
    Command.CONSENT_WITHDRAW: vol.Schema({vol.Required("alias"): text(80), vol.Optional("by"): _BY}),
    Command.SUBJECT_GET: vol.Schema(
        vol.All(
            {
                vol.Exclusive("alias", "who", msg="give alias or visitor, not both"): text(80),
                vol.Exclusive("visitor", "who", msg="give alias or visitor, not both"): text(64),
                vol.Optional("by"): _BY,
            },
            _subject,
        )
    ),
    Command.CONSENT_LIST: vol.Schema({}),
    Command.VISIT_LIST: vol.Schema(
        {
            vol.Optional("since"): moment,
            vol.Optional("until"): moment,
            vol.Optional("zone"): identifier,
            vol.Optional("limit", default=1000): whole(1, 10_000),
        }
    ),
    Command.VISIT_CHECK_IN: vol.Schema(
        {
            vol.Required("zone"): identifier,
            vol.Required("contact"): text(32),
            vol.Optional("source"): _source,
            vol.Exclusive("alias", "who", msg="give alias or code, not both"): text(80),
            vol.Exclusive("code", "who", msg="give alias or code, not both"): text(80),
            vol.Optional("by"): _BY,
        }
    ),
    Command.SIGNING_ADD: vol.Schema(
        {
            vol.Required("zone"): identifier,
            vol.Optional("document"): text(64),
            vol.Optional("contact"): text(32),
            vol.Exclusive("alias", "who", msg="give alias or code, not both"): text(80),
            vol.Exclusive("code", "who", msg="give alias or code, not both"): text(80),
            vol.Optional("co_signers", default=list): several(text(80), 0, SEVERAL),
        }
    ),
    Command.SIGNING_LIST: vol.Schema(
        {
            vol.Optional("since"): moment,
            vol.Optional("until"): moment,
            vol.Optional("zone"): identifier,
            vol.Optional("limit", default=1000): whole(1, 10_000),
        }
    ),
    Command.STAFF_MARK: vol.Schema(
        {vol.Required("alias"): text(80), vol.Optional("from"): moment, vol.Optional("until"): moment}
    ),
    Command.STAFF_LIST: vol.Schema({}),
    Command.STAFF_END: vol.Schema({vol.Required("alias"): text(80), vol.Optional("until"): moment}),
    Command.IDENTITY_SPLIT: vol.Schema({vol.Required("aliases"): several(text(80), 2, SEVERAL)}),
    Command.IDENTITY_MERGE: vol.Schema({vol.Required("aliases"): several(text(80), 2, SEVERAL)}),
    Command.PASS_ISSUE: vol.Schema({vol.Optional("alias"): text(80)}),
    Command.PASS_SCAN: vol.Schema(
        {vol.Required("zone"): identifier, vol.Required("code"): text(80), vol.Optional("by"): _BY}
    ),
    Command.PARTNER_ADD: vol.Schema(
        {vol.Required("partner"): identifier, vol.Required("name"): text(80), vol.Optional("by"): _BY}
    ),
    Command.PARTNER_LIST: vol.Schema({vol.Optional("by"): _BY}),
    Command.PARTNER_LINK: vol.Schema(
        {
            vol.Required("partner"): text(63),
            vol.Optional("name"): text(80),
            vol.Optional("expires_in_days", default=365): number(0.0001, 3650),
            vol.Optional("by"): _BY,
        }
    ),
    Command.REFERRAL_ADD: vol.Schema(
        {
            vol.Optional("partner"): text(63),
            vol.Required("contact"): text(32),
            vol.Optional("broker"): text(80),
            vol.Optional("declared"): moment,
            vol.Optional("expected"): moment,
            vol.Optional("by"): _BY,
        }
    ),
    Command.REFERRAL_IMPORT: vol.Schema(
        {vol.Required("csv"): text(CSV_LIMIT), vol.Optional("dry_run", default=False): bool}
    ),
    Command.REFERRAL_LIST: vol.Schema(
        {
            vol.Optional("partner"): text(63),
            vol.Optional("live", default=False): bool,
            vol.Optional("limit", default=1000): whole(1, 10_000),
            vol.Optional("by"): _BY,
        }
    ),
    Command.REFERRAL_WITHDRAW: vol.Schema({vol.Required("referral"): text(64), vol.Optional("by"): _BY}),
    Command.CLAIM_LIST: vol.Schema({vol.Optional("limit", default=1000): whole(1, 10_000)}),
    Command.CLAIM_APPEAL: vol.Schema({vol.Required("referral"): text(64), vol.Required("text"): text(2000)}),
    Command.ATTRIBUTION_REPLAY: vol.Schema(
        {vol.Required("from"): day, vol.Required("to"): day, vol.Optional("settings"): text(20_000)}
    ),
    Command.CASE_LIST: vol.Schema(
        {
            vol.Optional("day"): day,
            vol.Optional("from"): day,
            vol.Optional("to"): day,
            vol.Optional("state"): one_of(*CaseState),
            vol.Optional("needs_review"): bool,
            vol.Optional("limit", default=1000): whole(1, 10_000),
            vol.Optional("by"): _BY,
        }
    ),
    Command.CASE_GET: vol.Schema({vol.Required("case"): _CASE, vol.Optional("by"): _BY}),
    Command.CASE_CONFIRM: vol.Schema(
        {vol.Required("case"): _CASE, vol.Required("seen"): _SEEN, vol.Optional("by"): _BY}
    ),
    Command.CASE_CHANGE: vol.Schema(
        {
            vol.Required("case"): _CASE,
            vol.Required("attribution"): one_of(*ATTRIBUTIONS),
            vol.Optional("partner"): vol.Any(None, text(63)),
            vol.Required("reason"): _REASON,
            vol.Optional("seen"): _SEEN,
            vol.Optional("by"): _BY,
        }
    ),
    Command.CASE_SECOND: vol.Schema(
        {
            vol.Required("case"): _CASE,
            vol.Required("agree"): bool,
            vol.Optional("reason"): _REASON,
            vol.Optional("seen"): _SEEN,
            vol.Optional("by"): _BY,
        }
    ),
    Command.CASE_SEND_BACK: vol.Schema(
        {vol.Required("case"): _CASE, vol.Required("reason"): _REASON, vol.Optional("by"): _BY}
    ),
    Command.REPORT_VISITS: vol.Schema(
        {
            vol.Optional("day"): day,
            vol.Optional("from"): day,
            vol.Optional("to"): day,
            vol.Optional("by", default="day"): one_of(*REPORTS),
        }
    ),
    Command.SIGHTING_LIST: vol.Schema(
        {
            vol.Optional("since"): moment,
            vol.Optional("zone"): identifier,
            vol.Optional("limit", default=1000): whole(1, 10_000),
        }
    ),
    Command.CAMERA_LIST: vol.Schema({}),
    Command.CAMERA_DISCOVER: vol.Schema(
        vol.All(
            {
                vol.Optional("address"): text(253),
                vol.Optional("interface"): interface,
                vol.Optional("channel"): text(128),
                **_LOGIN,
            },
            _one_device,
        )
    ),
    Command.CAMERA_ADD: vol.Schema(
        {
            vol.Required("address"): text(253),
            vol.Required("zone"): identifier,
            vol.Optional("channel"): text(128),
            vol.Optional("name"): text(80),
            vol.Optional("by"): _BY,
            **_LOGIN,
        }
    ),
    Command.CAMERA_REMOVE: vol.Schema({vol.Required("camera"): text(64), vol.Optional("by"): _BY}),
    Command.CAMERA_RECOGNITION: vol.Schema(
        {vol.Required("camera"): text(64), vol.Required("on"): bool, vol.Optional("by"): _BY}
    ),
    Command.PAIR_CREATE: vol.Schema(
        {
            vol.Optional("role", default=Role.HUB.value): one_of(Role.HUB, Role.REVIEWER, Role.KIOSK, Role.VIEWER),
            vol.Optional("name"): text(80),
        }
    ),
    Command.TOKEN_LIST: vol.Schema({}),
    Command.TOKEN_REVOKE: vol.Schema({vol.Required("token_id"): text(64)}),
    Command.ASSESSMENT_ACKNOWLEDGE: vol.Schema(
        {vol.Required("by"): text(80), vol.Required("ground"): text(500), vol.Optional("expires_at"): moment}
    ),
    Command.LEDGER_VERIFY: vol.Schema(
        {vol.Optional("checkpoints", default=list): vol.All([_CHECKPOINT], vol.Length(max=KEPT))}
    ),
    Command.CASE_EXPORT: vol.Schema({vol.Required("case"): _CASE, vol.Optional("reasons", default=False): bool}),
    Command.RECEIPT_LIST: vol.Schema({}),
    Command.RECEIPT_TAKE: vol.Schema({vol.Required("number"): whole(1, 2**53)}),
    Command.ASSESSMENT_LIST: vol.Schema({}),
    Command.RETENTION_GET: vol.Schema({}),
    Command.RETENTION_PURGE: vol.Schema({vol.Optional("clock_is_right", default=False): bool, vol.Optional("by"): _BY}),
    Command.RETENTION_STATUS: vol.Schema({}),
    Command.SETTINGS_LIST: vol.Schema({}),
    Command.SETTINGS_HISTORY: vol.Schema({}),
    Command.SETTINGS_SET: vol.Schema(
        {vol.Required("key"): identifier, vol.Required("value"): or_none(_value), vol.Optional("by"): _BY}
    ),
    Command.RETENTION_SET: vol.Schema(vol.All({**_CLASSES, vol.Optional("by"): _BY}, _some_class)),
}
