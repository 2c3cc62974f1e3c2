"""What each command does. Which role may give it and what arguments it takes is decided before, in one place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from ..arguments import names_user, validate
from ..consent.ledger import on_behalf_of
from ..errors import InvalidError, UnauthorizedError
from ..models import Channel
from ..protocol import ALLOWED, Command, Role
from . import cases, partners
from .api import Arguments, EngineApi
from .auth import Authority
from .partners import PartnerLimits


class Caller(Protocol):
    """The connection that a command came over."""

    @property
    def connection_id(self) -> str:
        """Names the connection within this process."""

    @property
    def token_id(self) -> str | None:
        """Whose connection it is."""

    @property
    def role(self) -> Role:
        """What the connection may do."""

    @property
    def partner(self) -> str | None:
        """The partner that the connection stands for, if its role is that."""

    async def subscribe(self, message_id: int, since: int | None) -> Any:
        """Start telling the connection what happens."""


@dataclass(frozen=True, slots=True)
class Context:
    """What commands work with."""

    api: EngineApi
    authority: Authority
    revoked: Callable[[str], None]  # ends the live connections of a token id
    port: Callable[[], int]  # that the server listens on
    fingerprint: Callable[[], str | None]  # of the certificate, where HTTPS is spoken
    limits: PartnerLimits = field(default_factory=PartnerLimits)


@dataclass(frozen=True, slots=True)
class Request:
    """One command, allowed and checked."""

    message_id: int
    command: Command
    args: Arguments


def check(message: dict[str, Any], role: Role) -> Request:
    """A client's message as a request. Raises `InvalidError` or `UnauthorizedError`; `id` is the caller's to check."""
    arguments = {key: value for key, value in message.items() if key not in {"id", "type"}}
    try:
        command = Command(message["type"])
    except KeyError:
        raise InvalidError("type: is missing; name a command") from None
    except ValueError:
        raise InvalidError(f"type: {str(message['type'])[:40]!r} is not a command of this engine") from None
    if role not in ALLOWED[command]:
        takes = ", ".join(sorted(ALLOWED[command]))
        raise UnauthorizedError(f"{command}: a {role} token may not do this; it takes one of: {takes}")
    args = validate(command, arguments)
    if "by" in args and names_user(command) and role is not Role.HUB:
        raise InvalidError(f"{command}: by: is for a hub, which says which of its users it was; leave it out")
    return Request(message["id"], command, args)


async def execute(request: Request, caller: Caller, context: Context) -> Any:
    """Do it, and return the result for the wire. What is read of people is recorded before it is given."""
    user = request.args.get("by") if names_user(request.command) else None
    read = context.api.readings.read
    if request.command is Command.SUBSCRIBE:  # answers by itself, and tells aliases from then on
        await read("read_events", caller.role, caller.token_id, 0)
    with on_behalf_of(user):
        result = await _HANDLERS[request.command](request, caller, context)
    act = READS.get(request.command)
    if act is not None and caller.role is not Role.PARTNER:  # a partner reads what it filed itself
        rows = result["visits"] if isinstance(result, dict) else result
        if rows:
            await read(act, caller.role, caller.token_id, len(rows), user)
    return result


# What gives away something about people, and the act that the ledger holds of it. A reader of one person's data, or of a
# case, is recorded by whoever answers, because the entry names its subject.
READS: dict[Command, str] = {
    Command.CONSENT_LIST: "read_consents",
    Command.VISIT_LIST: "read_visits",
    Command.SIGHTING_LIST: "read_sightings",
    Command.SIGNING_LIST: "read_signings",
    Command.REFERRAL_LIST: "read_referrals",  # who the brokers are
    Command.STAFF_LIST: "read_staff",
    Command.ATTRIBUTION_REPLAY: "read_replay",
    Command.CASE_LIST: "read_cases",
}


async def _status(_request: Request, _caller: Caller, context: Context) -> Any:
    return context.api.status()


async def _subscribe(request: Request, caller: Caller, _context: Context) -> Any:
    return await caller.subscribe(request.message_id, request.args.get("since"))


async def _sign(request: Request, caller: Caller, context: Context) -> Any:
    args = request.args
    context.api.sign(caller.connection_id, args["zone"], args["on"], args["notice_hash"])


async def _act(request: Request, _caller: Caller, context: Context) -> Any:
    return await context.api.act(request.args["zone"])


async def _pair_create(request: Request, _caller: Caller, context: Context) -> Any:
    made = context.authority.pairing_code(Role(request.args["role"]), request.args.get("name"))
    fingerprint = context.fingerprint()
    shown = {} if fingerprint is None else {"fingerprint": fingerprint}
    return {"code": made.code, "role": made.role.value, "expires_at": _iso(made.expires_at), **shown}


async def _token_list(_request: Request, _caller: Caller, context: Context) -> Any:
    return [
        {
            "token_id": token.token_id,
            "name": token.name,
            "role": str(token.role),
            "partner": token.partner,
            "created_at": _iso(token.created_at),
            "expires_at": None if token.expires_at is None else _iso(token.expires_at),
        }
        for token in await context.api.tokens.all()
    ]


async def _token_revoke(request: Request, _caller: Caller, context: Context) -> Any:
    token_id = request.args["token_id"]
    await context.authority.revoke(token_id)
    context.revoked(token_id)
    return {"revoked": True}


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


async def _consent_grant(request: Request, caller: Caller, context: Context) -> Any:
    return await context.api.consents.grant({**request.args, "channel": _channel(request, caller)})


async def _consent_renew(request: Request, caller: Caller, context: Context) -> Any:
    if caller.role is Role.KIOSK and "code" not in request.args:
        raise UnauthorizedError("alias: anybody may have heard it, so a kiosk renews by a pass; give its code")
    return await context.api.consents.renew({**request.args, "channel": _channel(request, caller)})


async def _subject_get(request: Request, caller: Caller, context: Context) -> Any:
    return await context.api.subjects.subject_get(request.args, caller.role, caller.token_id)


def _channel(request: Request, caller: Caller) -> str:
    """How the visitor agreed, unless the client says otherwise."""
    kiosk = caller.role is Role.KIOSK
    channel = str(request.args.get("channel", Channel.KIOSK if kiosk else Channel.DESK))
    if kiosk and channel == Channel.DESK:
        raise InvalidError("channel: a kiosk is no desk; say kiosk or tablet")
    return channel


async def _settings_history(_request: Request, _caller: Caller, context: Context) -> Any:
    return context.api.settings.history()


async def _settings_list(_request: Request, _caller: Caller, context: Context) -> Any:
    return context.api.settings.listed()


async def _retention_set(request: Request, caller: Caller, context: Context) -> Any:
    classes = {key: days for key, days in request.args.items() if key != "by"}
    return await context.api.keeper.retention_set(classes, cases.acting(caller), request.args.get("by"))


type Handler = Callable[[Request, Caller, Context], Awaitable[Any]]

_HANDLERS: dict[Command, Handler] = {
    Command.STATUS: _status,
    Command.RECOGNITION: lambda request, caller, context: context.api.arming.recognition(
        request.args, cases.acting(caller)
    ),
    Command.SUBSCRIBE: _subscribe,
    Command.SIGN: _sign,
    Command.ACT: _act,
    Command.CONSENT_GRANT: _consent_grant,
    Command.CONSENT_RENEW: _consent_renew,
    Command.CONSENT_WITHDRAW: lambda request, _, context: context.api.consents.withdraw(request.args),
    Command.CONSENT_LIST: lambda _, __, context: context.api.consents.all(),
    Command.SUBJECT_GET: _subject_get,
    Command.VISIT_LIST: lambda request, _, context: context.api.visit_list(request.args),
    Command.VISIT_CHECK_IN: lambda request, _, context: context.api.desk.check_in(request.args),
    Command.PASS_ISSUE: lambda request, _, context: context.api.desk.pass_issue(request.args),
    Command.PASS_SCAN: lambda request, _, context: context.api.desk.pass_scan(request.args),
    Command.SIGNING_ADD: lambda request, _, context: context.api.signings.signing_add(request.args),
    Command.SIGNING_LIST: lambda request, _, context: context.api.signings.signing_list(request.args),
    Command.STAFF_MARK: lambda request, _, context: context.api.identities.staff_mark(request.args),
    Command.STAFF_LIST: lambda _, __, context: context.api.identities.staff_list(),
    Command.STAFF_END: lambda request, _, context: context.api.identities.staff_end(request.args),
    Command.IDENTITY_SPLIT: lambda request, _, context: context.api.identities.split(request.args),
    Command.IDENTITY_MERGE: lambda request, _, context: context.api.identities.merge(request.args),
    Command.PARTNER_ADD: lambda request, _, context: context.api.desk.partner_add(request.args),
    Command.PARTNER_LIST: lambda _, __, context: context.api.desk.partner_list(),
    Command.PARTNER_LINK: partners.link,
    Command.REFERRAL_ADD: partners.referral_add,
    Command.REFERRAL_IMPORT: partners.referral_import,
    Command.REFERRAL_LIST: partners.referral_list,
    Command.REFERRAL_WITHDRAW: partners.referral_withdraw,
    Command.CLAIM_LIST: partners.claim_list,
    Command.CLAIM_APPEAL: partners.claim_appeal,
    Command.ATTRIBUTION_REPLAY: lambda request, _, context: context.api.attribution_replay(request.args),
    Command.CASE_LIST: cases.listed,
    Command.CASE_GET: cases.get,
    Command.CASE_CONFIRM: cases.confirm,
    Command.CASE_CHANGE: cases.change,
    Command.CASE_SECOND: cases.second,
    Command.CASE_SEND_BACK: cases.send_back,
    Command.REPORT_VISITS: cases.report,
    Command.SIGHTING_LIST: lambda request, _, context: context.api.sighting_list(request.args),
    Command.CAMERA_LIST: lambda _, __, context: context.api.camera_list(),
    Command.CAMERA_DISCOVER: lambda request, _, context: context.api.camera_discover(request.args),
    Command.CAMERA_ADD: lambda request, caller, context: context.api.camera_add(request.args, cases.acting(caller)),
    Command.CAMERA_REMOVE: lambda request, caller, context: context.api.camera_remove(
        request.args, cases.acting(caller)
    ),
    Command.CAMERA_RECOGNITION: lambda request, caller, context: context.api.arming.camera_recognition(
        request.args, cases.acting(caller)
    ),
    Command.PAIR_CREATE: _pair_create,
    Command.TOKEN_LIST: _token_list,
    Command.TOKEN_REVOKE: _token_revoke,
    Command.ASSESSMENT_ACKNOWLEDGE: lambda request, _, context: context.api.arming.assessment_acknowledge(request.args),
    Command.CASE_EXPORT: lambda request, caller, context: context.api.notary.case_export(
        request.args, caller.role, caller.token_id
    ),
    Command.LEDGER_VERIFY: lambda request, _, context: context.api.notary.ledger_verify(request.args),
    Command.RECEIPT_LIST: lambda _, __, context: context.api.receipts.receipt_list(),
    Command.RECEIPT_TAKE: lambda request, _, context: context.api.receipts.receipt_take(request.args),
    Command.ASSESSMENT_LIST: lambda _, __, context: context.api.arming.assessment_list(),
    Command.RETENTION_GET: lambda _, __, context: context.api.keeper.retention_get(),
    Command.RETENTION_SET: _retention_set,
    Command.RETENTION_PURGE: lambda request, caller, context: context.api.keeper.retention_purge(
        request.args, cases.acting(caller)
    ),
    Command.RETENTION_STATUS: lambda _, __, context: context.api.keeper.retention_status(),
    Command.SETTINGS_LIST: _settings_list,
    Command.SETTINGS_HISTORY: _settings_history,
    Command.SETTINGS_SET: lambda request, caller, context: context.api.settings.set(request.args, cases.acting(caller)),
}
