"""The sign on a screen: `/notice/ZONE` shows the notice in force, its hash, and the hash as a QR code.

It needs no token: it says nothing that is not meant for everybody who walks by.
"""

from __future__ import annotations

import html

from aiohttp import web

from .api import EngineApi
from .pages import Pages
from .qr import qr


class NoticePage:
    """The notice page of every zone."""

    def __init__(self, api: EngineApi, pages: Pages) -> None:
        self._api = api
        self._pages = pages

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get("/notice/{zone}", self._page)
        app.router.add_get("/notice/{zone}/state", self._state)

    async def _page(self, request: web.Request) -> web.Response:
        zone = self._api.config.zones.get(request.match_info["zone"])
        if zone is None:
            raise web.HTTPNotFound(text="there is no such zone\n")
        config = self._api.config
        facts = {"site": config.name, "zone": zone.name, "hash": config.notice_hash, "qr": qr(config.notice_hash)}
        data = {"notice_hash": config.notice_hash}
        return self._pages.page(request, "notice", facts, markup={"texts": _texts(config.notices)}, data=data)

    async def _state(self, request: web.Request) -> web.Response:
        if request.match_info["zone"] not in self._api.config.zones:
            raise web.HTTPNotFound(text="there is no such zone\n")
        return web.json_response({"notice_hash": self._api.config.notice_hash})


def _texts(notices: dict[str, str]) -> str:
    """The notice in each of its languages, as the hash covers them all."""
    return "".join(
        f'<p class="notice" lang="{html.escape(language)}">{html.escape(text)}</p>'
        for language, text in notices.items()
    )
