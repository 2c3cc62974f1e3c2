"""The visitor's own page, `/me#TOKEN`. The token stands after the `#`, which browsers send to nobody; its script sends
it as a header, so that no log on the way ever has it.
"""

from __future__ import annotations

from aiohttp import hdrs, web

from ..errors import InvalidError, UnauthorizedError
from .api import EngineApi
from .guard import answering, origin_of, read_json
from .limits import Allowance
from .pages import Pages

READS = 60  # what one address may ask for in a minute


class MinePage:
    """The page, and what it asks for."""

    def __init__(self, api: EngineApi, pages: Pages) -> None:
        self._api = api
        self._pages = pages
        self._reads = Allowance("link", READS, 60.0)

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get("/me", self._page)
        app.router.add_get("/me/data", answering(self._data))
        app.router.add_post("/me/withdraw", answering(self._withdraw))

    async def _page(self, request: web.Request) -> web.Response:
        return self._pages.page(request, "me", {"site": self._api.config.name, "who": self._api.config.consent.who})

    async def _data(self, request: web.Request) -> web.Response:
        return web.json_response(await self._api.mine.read(self._token(request)))

    async def _withdraw(self, request: web.Request) -> web.Response:
        token = self._token(request)
        if await read_json(request, origin=origin_of(self._api.config.public_url)):
            raise InvalidError("body: takes nothing")
        return web.json_response(await self._api.mine.withdraw(token))

    def _token(self, request: web.Request) -> str:
        self._reads.spend(request.remote or "?")
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer" or not token.isascii():
            raise UnauthorizedError("link: opens nothing; it is not whole")
        return token
