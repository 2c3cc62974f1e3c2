"""The consent page: `/visit/ZONE`, for a tablet that was paired as a kiosk.

A browser that is not paired is asked for a code. The token that it gets for one is a cookie that no script can read, and
that is worth nothing once it is revoked. Everything that the page does is a POST from this very origin.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import voluptuous as vol
from aiohttp import hdrs, web

from ..arguments import NOTICE_HASH, PHOTO_LIMIT
from ..errors import InvalidError, NotFoundError, UnauthorizedError
from ..protocol import Role
from ..values import explain, one_of, text
from .api import EngineApi
from .auth import Authority, Identity
from .guard import BODY_LIMIT, answering, origin_of, read_json
from .limits import Allowance
from .pages import PAGE_LANGUAGES, Pages, language_of
from .qr import qr

COOKIE = "nvr_bridge_kiosk"
COOKIE_SECONDS = 10 * 365 * 86400
CODES = 10  # pairing codes that one address may try in a minute
STEPS = 90  # what one tablet may ask for in a minute: one person after the other

_WHO: dict[Any, Any] = {
    vol.Required("language"): one_of(*PAGE_LANGUAGES),
    vol.Required("notice_hash"): NOTICE_HASH,
    vol.Optional("age", default=None): vol.Any(None, "enough", "guardian"),
}
_CAPTURE = vol.Schema({**_WHO, vol.Optional("photo"): vol.All(str, vol.Length(min=1, max=PHOTO_LIMIT))})
_AGREE = vol.Schema({**_WHO, vol.Required("capture"): text(64)})
_RENEW = vol.Schema(_WHO)
_PAIR = vol.Schema({vol.Required("code"): text(32)})
_PASS = vol.Schema({vol.Optional("code"): text(80)})
_NOTHING = vol.Schema({})


class VisitPage:
    """The page of every zone, and what it posts."""

    def __init__(self, api: EngineApi, authority: Authority, pages: Pages) -> None:
        self._api = api
        self._authority = authority
        self._pages = pages
        self._codes = Allowance("code", CODES, 60.0)
        self._steps = Allowance("visit", STEPS, 60.0)

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        here = "/visit/{zone}"
        app.router.add_get(here, self._page)
        app.router.add_get(here + "/state", answering(self._state))
        app.router.add_get(here + "/pass", answering(self._pass_state))
        for path, handler in {
            "/pair": self._pair,
            "/capture": self._capture,
            "/agree": self._agree,
            "/decline": self._decline,
            "/cancel": self._cancel,
            "/back": self._back,
            "/pass": self._pass,
            "/renew": self._renew,
            "/mine": self._mine,
        }.items():
            app.router.add_post(here + path, answering(handler))

    # --- the page ---

    async def _page(self, request: web.Request) -> web.Response:
        config, zone_id = self._api.config, request.match_info["zone"]
        zone = config.zones.get(zone_id)
        if zone is None:
            raise web.HTTPNotFound(text="there is no such zone\n")
        try:
            await self._kiosk(request)
        except UnauthorizedError:
            paired = False
        else:
            paired = True
        terms = self._api.kiosk.terms(zone_id, language_of(request))
        facts = {
            "site": config.name,
            "zone": zone.name,
            **{key: terms[key] for key in ("who", "why", "notice", "notice_language")},
            **{key: f"{terms[key]:g}" for key in ("days", "looks_seconds")},
            "guardian_under": str(terms["guardian_under"]),
        }
        data = {
            "zone": zone_id,
            "paired": paired,
            "can_agree": terms["can_agree"],
            "looks_seconds": terms["looks_seconds"],
            "asks_age": terms["guardian_under"] is not None,
            "notice_hash": terms["notice_hash"],
            "reachable": config.public_url is not None,
        }
        return self._pages.page(request, "visit", facts, data=data)

    async def _pair(self, request: web.Request) -> web.Response:
        self._codes.spend(request.remote or "?")
        args = await self._read(request, _PAIR)
        name = f"Tablet at {self._zone(request)}"
        _, token = await self._authority.pair(args["code"], name, role=Role.KIOSK)
        answer = web.json_response({"paired": True})
        secure = urlsplit(request.headers[hdrs.ORIGIN]).scheme == "https"
        answer.set_cookie(
            COOKIE, token, max_age=COOKIE_SECONDS, path="/visit", secure=secure, httponly=True, samesite="Strict"
        )
        return answer

    # --- what it asks for ---

    async def _state(self, request: web.Request) -> web.Response:
        await self._kiosk(request)
        return web.json_response(self._api.kiosk.state(self._zone(request)))

    async def _capture(self, request: web.Request) -> web.Response:
        args = await self._step(request, _CAPTURE, limit=PHOTO_LIMIT + BODY_LIMIT)
        photo = None
        if (sent := args.pop("photo", None)) is not None:
            if not _private(request):
                raise InvalidError("photo: may only be sent over HTTPS; use the installed camera")
            photo = _bytes(sent)
        found = await self._api.kiosk.capture(self._zone(request), args, photo)
        crop = "data:image/jpeg;base64," + base64.b64encode(found["crop"]).decode()
        return web.json_response({**found, "crop": crop})

    async def _agree(self, request: web.Request) -> web.Response:
        args = await self._step(request, _AGREE)
        return _receipt(await self._api.kiosk.agree(self._zone(request), args.pop("capture"), args))

    async def _decline(self, request: web.Request) -> web.Response:
        await self._step(request, _NOTHING)
        return _receipt(await self._api.kiosk.decline(self._zone(request)))

    async def _cancel(self, request: web.Request) -> web.Response:
        await self._step(request, _NOTHING)
        self._api.kiosk.cancel(self._zone(request))
        return web.json_response({})

    async def _back(self, request: web.Request) -> web.Response:
        await self._step(request, _NOTHING)
        return web.json_response(await self._api.kiosk.back(self._zone(request)))

    async def _pass(self, request: web.Request) -> web.Response:
        args = await self._step(request, _PASS)
        if "code" in args:
            return web.json_response(await self._api.kiosk.show_pass(self._zone(request), args["code"]))
        self._api.kiosk.open_pass(self._zone(request))
        return web.json_response({})

    async def _renew(self, request: web.Request) -> web.Response:
        args = await self._step(request, _RENEW)
        return web.json_response(await self._api.kiosk.renew(self._zone(request), args))

    async def _pass_state(self, request: web.Request) -> web.Response:
        await self._kiosk(request)
        return web.json_response(self._api.kiosk.pass_state(self._zone(request)))

    async def _mine(self, request: web.Request) -> web.Response:
        await self._step(request, _NOTHING)
        return web.json_response(await self._api.kiosk.own_page(self._zone(request)))

    # --- who asks, and what ---

    async def _kiosk(self, request: web.Request) -> Identity:
        """The tablet. Raises `UnauthorizedError` for anybody else."""
        identity = await self._authority.authenticate(request.cookies.get(COOKIE, ""))
        if identity.role is not Role.KIOSK:
            raise UnauthorizedError(
                "token: this page takes one of a kiosk; `nvr-bridge pair --role kiosk` gives a code"
            )
        return identity

    async def _step(self, request: web.Request, schema: vol.Schema, *, limit: int = BODY_LIMIT) -> dict[str, Any]:
        identity = await self._kiosk(request)
        self._steps.spend(identity.token_id)
        return await self._read(request, schema, limit=limit)

    async def _read(self, request: web.Request, schema: vol.Schema, *, limit: int = BODY_LIMIT) -> dict[str, Any]:
        body: Mapping[str, Any] = await read_json(request, limit=limit, origin=origin_of(self._api.config.public_url))
        try:
            checked: dict[str, Any] = schema(dict(body))
        except vol.Invalid as err:
            raise InvalidError(explain(err, schema)) from err
        return checked

    def _zone(self, request: web.Request) -> str:
        zone_id = request.match_info["zone"]
        if zone_id not in self._api.config.zones:
            raise NotFoundError("zone: there is no such zone")
        return zone_id


def _receipt(given: dict[str, Any]) -> web.Response:
    """What the visitor takes along, with the pictures that a telephone can read."""
    link = given["link"]
    pictures = {"code_qr": qr(given["code"]), "link_qr": None if link is None else qr(link)}
    return web.json_response({**given, **pictures})


def _private(request: web.Request) -> bool:
    """Whether nobody on the way can look at what this page sends: browsers give a page a camera only then."""
    named = urlsplit(request.headers.get(hdrs.ORIGIN, ""))
    return named.scheme == "https" or named.hostname in {"localhost", "127.0.0.1", "::1"}


def _bytes(sent: str) -> bytes:
    try:
        return base64.b64decode(sent, validate=True)
    except binascii.Error:
        raise InvalidError("photo: not base64") from None
