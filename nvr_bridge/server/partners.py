"""What channel partners do through their links, and how they get these.

Whose referrals a command is about follows from the caller's token. A partner that names another is refused in the same
way whether or not that other exists, and another's referral is one that does not exist.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..errors import InvalidError, UnauthorizedError
from ..protocol import PARTNER_PATH, Role
from .announce import addresses
from .limits import Allowance

if TYPE_CHECKING:
    from ..config import Config
    from .api import Arguments
    from .commands import Caller, Context, Request

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class PartnerLimits:
    """What one link may do."""

    calls: Allowance = field(default_factory=lambda: Allowance("commands", 120, 60.0))
    filings: Allowance = field(default_factory=lambda: Allowance("referrals", 1000, DAY))
    appeals: Allowance = field(default_factory=lambda: Allowance("appeals", 20, DAY))


async def link(request: Request, _caller: Caller, context: Context) -> Any:
    """A new link for a partner. The token in it is told this once."""
    partner = request.args["partner"]
    expires_at = time.time() + request.args["expires_in_days"] * DAY
    name = request.args.get("name") or partner
    await context.api.portal.linking(partner)
    token_id, token = await context.api.tokens.add(name, Role.PARTNER, partner, expires_at)
    base = await _base(context.api.config, context.port())
    return {
        # In the fragment, which no browser sends to a server, so that it is in nobody's log.
        "url": f"{base}{PARTNER_PATH}#{token}",
        "token_id": token_id,
        "partner": partner,
        "name": name,
        "expires_at": datetime.fromtimestamp(expires_at, UTC).isoformat(timespec="seconds"),
    }


async def referral_add(request: Request, caller: Caller, context: Context) -> Any:
    """File a referral."""
    args = own(request, caller, context)
    if caller.role is Role.PARTNER:
        if "declared" in args:
            raise InvalidError("declared: a partner's referral counts from when it is filed; leave it out")
        context.limits.filings.spend(_token(caller))
    elif "partner" not in args:
        raise InvalidError(f"{request.command}: partner: is missing; add it")
    return await context.api.desk.referral_add(args)


async def referral_import(request: Request, caller: Caller, context: Context) -> Any:
    """File many referrals."""
    args = own(request, caller, context)
    if caller.role is Role.PARTNER and not args["dry_run"]:
        context.limits.filings.spend(_token(caller), max(1, args["csv"].strip().count("\n")))
    return await context.api.desk.referral_import(args)


async def referral_list(request: Request, caller: Caller, context: Context) -> Any:
    """List referrals."""
    return await context.api.desk.referral_list(own(request, caller, context))


async def referral_withdraw(request: Request, caller: Caller, context: Context) -> Any:
    """Take a referral back."""
    return await context.api.desk.referral_withdraw(own(request, caller, context))


async def claim_list(request: Request, caller: Caller, context: Context) -> Any:
    """A partner's referrals, and what became of them."""
    return await context.api.portal.claim_list(own(request, caller, context))


async def claim_appeal(request: Request, caller: Caller, context: Context) -> Any:
    """A partner asks that a decision be looked at again."""
    args = own(request, caller, context)
    context.limits.appeals.spend(_token(caller))
    return await context.api.portal.claim_appeal(args, _token(caller))


def own(request: Request, caller: Caller, context: Context) -> Arguments:
    """The arguments; a partner's with `partner` from its token. Raises `UnauthorizedError` where they name another."""
    args = request.args
    if caller.role is not Role.PARTNER:
        return args
    context.limits.calls.spend(_token(caller))
    if caller.partner is None or args.get("partner", caller.partner) != caller.partner:
        raise UnauthorizedError("partner: this link is for one partner alone; leave it out")
    return {**args, "partner": caller.partner}


# --- helpers ------------------------------------------------------------------------------------------------------


def _token(caller: Caller) -> str:
    if caller.token_id is None:
        raise UnauthorizedError("nobody has authenticated on this connection")
    return caller.token_id


async def _base(config: Config, port: int) -> str:
    """Where a partner finds this engine: as the site says, else by an address of this machine."""
    if config.public_url is not None:
        return config.public_url
    host = config.host
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - asked about, not listened on
        host = (await addresses(host))[0]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
