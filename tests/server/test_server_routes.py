"""Every route with every role: one without a decision here fails."""

from __future__ import annotations

import time

import aiohttp
import pytest
from small_engine import Site
from small_visit import STEP_BODIES

from nvr_bridge.protocol import ALLOWED, Command, Role

type Route = tuple[str, str]

PUBLIC = frozenset({*Role, None})  # None: without a token
# Who may ask for what, with a token in the header.
ROUTES: dict[Route, frozenset[Role | None]] = {
    ("GET", "/metrics"): frozenset({*ALLOWED[Command.STATUS]}),
    ("GET", "/pages/{name}"): PUBLIC,
    ("GET", "/notice/{zone}"): PUBLIC,
    ("GET", "/notice/{zone}/state"): PUBLIC,
    ("GET", "/partner"): PUBLIC,
    ("GET", "/visit/{zone}"): PUBLIC,
    ("GET", "/me"): PUBLIC,
    # These take no role's token in a header: a kiosk's cookie (`test_server_visit.py`), or a visitor's own link.
    ("GET", "/visit/{zone}/state"): frozenset(),
    ("GET", "/visit/{zone}/pass"): frozenset(),
    **{("POST", f"/visit/{{zone}}/{step}"): frozenset() for step in ("pair", *STEP_BODIES)},
    ("GET", "/me/data"): frozenset(),
    ("POST", "/me/withdraw"): frozenset(),
}
# Who may do what is decided here by what is said once the connection is made.
SOCKET: Route = ("GET", "/ws")
PLACES = {"name": "frame.js", "zone": "lane"}


def test_every_route_has_its_decision(site: Site) -> None:
    assert site.server._runner is not None
    assert site.server._runner.app is not None
    served = {
        (route.method, route.resource.canonical)
        for route in site.server._runner.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert served == {*ROUTES, SOCKET}


@pytest.mark.parametrize("role", [*Role, None])
async def test_each_role_may_ask_for_its_routes_and_no_other(site: Site, role: Role | None) -> None:
    bearer = None if role is None else await site.token(role)
    answered = {route: (await ask(site, route, bearer))[0] for route in ROUTES}
    assert answered == {route: 200 if role in allowed else 401 for route, allowed in ROUTES.items()}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_tokens_that_have_expired_or_were_revoked_open_no_more_than_none(site: Site, role: Role) -> None:
    revoked = await site.token(role)
    (stored,) = await site.engine.tokens.all()
    await site.server.authority.revoke(stored.token_id)
    for bad in (revoked, await site.token(role, expires_at=time.time() - 1), "wrong", ""):
        for route, allowed in ROUTES.items():
            assert (await ask(site, route, bad))[0] == (200 if None in allowed else 401), (route, bad)


async def test_what_is_public_is_the_same_for_everybody(site: Site) -> None:
    bearers = [None, *[await site.token(role) for role in Role]]
    for route, allowed in ROUTES.items():
        if allowed == PUBLIC:
            assert len({(await ask(site, route, bearer))[1] for bearer in bearers}) == 1, route


# --- helpers ------------------------------------------------------------------------------------------------------


async def ask(site: Site, route: Route, bearer: str | None) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    method, path = route
    headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
    url = site.url + path.format(**PLACES)
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers) as answer:
        return answer.status, await answer.read()
