"""Pages: strict headers on everything that is answered, the reader's language, and words that are never markup."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from small_engine import Site, served

from nvr_bridge.config import Config
from nvr_bridge.errors import FaceError, InvalidError, NotFoundError, PermitError, RateLimitedError, RetryError
from nvr_bridge.server.guard import answering, read_json
from nvr_bridge.server.pages import HEADERS, PAGE_LANGUAGES, Pages

FOLDER = Path(__file__).parents[2] / "nvr_bridge" / "server" / "pages"
PAGES = sorted(path.stem for path in FOLDER.glob("*.html") if path.stem != "frame")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/notice/entrance", 200),
        ("GET", "/notice/nowhere", 404),
        ("GET", "/notice/entrance/state", 200),
        ("GET", "/notice/nowhere/state", 404),
        ("POST", "/notice/entrance", 405),
        ("GET", "/pages/frame.js", 200),
        ("GET", "/pages/frame.html", 404),
        ("GET", "/pages/..%2f__init__.py", 404),
        ("GET", "/", 404),
        ("GET", "/ws", 400),
        ("GET", "/metrics", 401),
    ],
)
async def test_every_answer_has_the_headers(site: Site, method: str, path: str, status: int) -> None:
    async with aiohttp.ClientSession() as session, session.request(method, site.url + path) as answer:
        assert answer.status == status
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Python" not in str(answer.headers)


async def test_a_bug_has_the_headers_too_and_tells_nothing() -> None:
    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError("planted secret")

    async with small_app(broken) as (url, session), session.get(f"{url}/it") as answer:
        assert (answer.status, answer.headers["Content-Security-Policy"]) == (500, POLICY)
        assert "planted secret" not in await answer.text()


@pytest.mark.parametrize(
    ("query", "accepts", "language"),
    [
        ("", None, "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("", "de-DE, fr;q=0.9", "en"),
        ("", "de, zh;q=0.2, en;q=0.1", "zh-Hans"),
        ("", "zh;q=0, en;q=0.1", "en"),
        ("", "en;q=0.5, zh-Hans", "zh-Hans"),
        ("", "zh;q=much;q=1", "en"),
        ("", "," * 5000, "en"),
        ("?lang=zh-Hans", "en", "zh-Hans"),
        ("?lang=zh", "en", "zh-Hans"),
        ("?lang=en", "zh", "en"),
        ("?lang=tlh", "zh", "zh-Hans"),
        ("?lang=%22%3E%3Cscript%3E", None, "en"),
    ],
)
async def test_the_language_is_the_readers(site: Site, query: str, accepts: str | None, language: str) -> None:
    headers = {"Accept-Language": accepts} if accepts else {}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{site.url}/notice/entrance{query}", headers=headers) as answer,
    ):
        text = await answer.text()
    assert re.findall(r'<html lang="([^"]*)"', text) == [language]


async def test_what_a_site_wrote_is_text_and_never_markup(config: Config) -> None:
    planted = "</script><script>alert(1)</script>&amp;{{site}}"
    hostile = replace(config, name=planted, notices={'x"><b>': planted, "en": "plain"})
    async with (
        served(hostile) as site,
        aiohttp.ClientSession() as session,
        session.get(f"{site.url}/notice/entrance") as answer,
    ):
        text = await answer.text()
    assert "<script>alert" not in text
    assert "<b>" not in text
    assert text.count("&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;{{site}}") == 2
    (island,) = re.findall(r'id="island">(.*?)</script>', text)
    assert json.loads(island)["notice_hash"] == hostile.notice_hash


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_all_that_it_names(page: str) -> None:
    pages = Pages.load()
    assert {f"{page}.css", f"{page}.js"} <= pages.assets.keys()
    source = pages.bodies["frame"] + pages.bodies[page] + (FOLDER / f"{page}.js").read_text(encoding="utf-8")
    said = set(re.findall(r'word\("(\w+)"', source))
    for language in PAGE_LANGUAGES:
        assert said <= {**pages.words["frame", language], **pages.words[page, language]}.keys()


def test_no_page_asks_anybody_else_for_anything() -> None:
    foreign = [
        f"{path.name}: {found}"
        for path in FOLDER.rglob("*")
        if path.is_file()
        for found in re.findall(
            r"(?i)(?:https?:)?//[\w.-]+\.\w+|<style|\sstyle=|\son\w+=|<form|eval\(", path.read_text()
        )
    ]
    assert foreign == []


# --- what pages post -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, b'{"a": 1}', None),
        ({"Origin": ""}, b"{}", "unauthorized"),
        ({"Origin": "null"}, b"{}", "unauthorized"),
        ({"Origin": "http://elsewhere.test"}, b"{}", "unauthorized"),
        ({"Content-Type": "text/plain"}, b"{}", "invalid"),
        ({}, b"", "invalid"),
        ({}, b"[]", "invalid"),
        ({}, b"{", "invalid"),
        ({}, b"\xff", "invalid"),
        ({}, b'{"a": "\\ud800"}', "invalid"),
        ({}, b"[" * 15_000, "invalid"),
        ({}, b'{"a": "' + b"x" * 20_000 + b'"}', "invalid"),
    ],
)
async def test_only_our_own_small_json_is_read(headers: dict[str, str], body: bytes, code: str | None) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.json_response(dict(await read_json(request)))

    async with small_app(answering(echo)) as (url, session):
        sent = {"Content-Type": "application/json", "Origin": url, **headers}
        for data in (body, pieces(body)):  # with its length said, and without
            async with session.post(f"{url}/it", headers=sent, data=data) as answer:
                said = await answer.json()
                assert said.get("error", {}).get("code") == code
                assert code or said == {"a": 1}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidError("x"), 400),
        (NotFoundError("x"), 404),
        (FaceError("x"), 422),
        (RateLimitedError("x"), 429),
        (RetryError("x"), 503),
        (PermitError("planted secret"), 500),
    ],
)
async def test_a_refusal_is_told_and_a_bug_is_not(error: Exception, status: int) -> None:
    async def refuse(_request: web.Request) -> web.Response:
        raise error

    async with small_app(answering(refuse)) as (url, session), session.get(f"{url}/it") as answer:
        assert answer.status == status
        assert ("planted secret" in await answer.text()) is False


async def pieces(body: bytes) -> Any:
    """A body whose length is not said."""
    yield body


def small_app(handler: Any) -> Any:
    """A server with the pages and one route, and a client."""

    @asynccontextmanager
    async def run() -> Any:
        app = web.Application()
        (await asyncio.to_thread(Pages.load)).add_to(app)
        app.router.add_route("*", "/it", handler)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            async with aiohttp.ClientSession() as session:
                yield f"http://127.0.0.1:{runner.addresses[0][1]}", session
        finally:
            await runner.cleanup()

    return run()
