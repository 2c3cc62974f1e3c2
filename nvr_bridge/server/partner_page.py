"""The page of channel partners at `/partner`. It is the same for everybody: what it shows, its script asks over the wire."""

from __future__ import annotations

from aiohttp import web

from ..protocol import PARTNER_PATH
from .api import EngineApi
from .pages import Pages


class PartnerPage:
    """One page for all partners: whose it is, the token after the `#` says, which no request carries."""

    def __init__(self, api: EngineApi, pages: Pages) -> None:
        self._api = api
        self._pages = pages

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get(PARTNER_PATH, self._page)

    async def _page(self, request: web.Request) -> web.Response:
        return self._pages.page(request, "partner", {"site": self._api.config.name})
