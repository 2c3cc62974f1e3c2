"""What reviewers do with cases. Who acted follows from the caller's token; a hub may add which of its users it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import UnauthorizedError

if TYPE_CHECKING:
    from .commands import Caller, Context, Request


async def listed(request: Request, _caller: Caller, context: Context) -> Any:
    """The evening list."""
    return await context.api.cases.listed(request.args)


async def get(request: Request, caller: Caller, context: Context) -> Any:
    """One case, with all that its verdict rests on."""
    return await context.api.cases.get(request.args, acting(caller))


async def confirm(request: Request, caller: Caller, context: Context) -> Any:
    """The verdict is right."""
    return await context.api.cases.confirm(request.args, acting(caller))


async def change(request: Request, caller: Caller, context: Context) -> Any:
    """The verdict is another one."""
    return await context.api.cases.change(request.args, acting(caller))


async def second(request: Request, caller: Caller, context: Context) -> Any:
    """A second person agrees to a change, or refuses it."""
    return await context.api.cases.second(request.args, acting(caller))


async def send_back(request: Request, caller: Caller, context: Context) -> Any:
    """Somebody has to find out more."""
    return await context.api.cases.send_back(request.args, acting(caller))


async def report(request: Request, _caller: Caller, context: Context) -> Any:
    """Counts of visits."""
    return await context.api.cases.report(request.args)


def acting(caller: Caller) -> str:
    """The token that acts."""
    if caller.token_id is None:
        raise UnauthorizedError("nobody has authenticated on this connection")
    return caller.token_id
