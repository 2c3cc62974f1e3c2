"""The consent page's routes: for a paired kiosk alone, from its own page alone."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from small_engine import Site
from small_visit import STEP_BODIES, WHO

from nvr_bridge.protocol import Role
from nvr_bridge.server.visit import COOKIE, STEPS

PHOTO = base64.b64encode(b"picture").decode()
STRANGERS = [None, "", "nonsense", "ä", Role.HUB, Role.REVIEWER, Role.VIEWER, Role.ADMIN, "revoked"]


class Browser:
    """What a tablet's browser sends."""

    def __init__(self, site: Site, session: aiohttp.ClientSession) -> None:
        self.site = site
        self.session = session
        self.cookie: str | None = None
        self.origin: str | None = site.url

    async def ask(self, path: str, body: Any = None, zone: str = "lane") -> tuple[int, dict[str, Any]]:
        """GET, or POST with a body → (status, answer)."""
        headers = {"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie is not None else {}
        if self.origin:
            headers["Origin"] = self.origin
        method = "GET" if body is None else "POST"
        sent = {} if body is None else {"json": body}
        url = f"{self.site.url}/visit/{zone}/{path}"
        async with self.session.request(method, url, headers=headers, **sent) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[Browser]:
    """A tablet that is not paired."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Browser(site, session)


@pytest.fixture
async def tablet(site: Site, browser: Browser) -> Browser:
    """A tablet that is."""
    browser.cookie = (await site.engine.tokens.add("tablet", Role.KIOSK))[1]
    return browser


async def cookie_of(site: Site, who: Any) -> str | None:
    """What somebody who is no kiosk may have as a cookie."""
    if who is Role.ADMIN:
        return site.admin_token()
    if isinstance(who, Role):
        return (await site.engine.tokens.add("x", who))[1]
    if who == "revoked":
        token_id, token = await site.engine.tokens.add("x", Role.KIOSK)
        await site.server.authority.revoke(token_id)
        return token
    return who


@pytest.mark.parametrize("who", STRANGERS, ids=str)
async def test_nobody_but_a_paired_kiosk_begins_anything(site: Site, browser: Browser, who: Any) -> None:
    browser.cookie = await cookie_of(site, who)
    for path, body in STEP_BODIES.items():
        status, answer = await browser.ask(path, body)
        assert (status, answer["error"]["code"]) == (401, "unauthorized"), path
    for path in ("state", "pass"):
        assert (await browser.ask(path))[0] == 401
    assert site.engine.asked == []


@pytest.mark.parametrize("path", STEP_BODIES)
@pytest.mark.parametrize("origin", [None, "http://elsewhere.test", "null"])
async def test_another_site_cannot_act_for_the_tablet(tablet: Browser, path: str, origin: str | None) -> None:
    tablet.origin = origin
    status, _ = await tablet.ask(path, STEP_BODIES[path])
    assert status == 401
    assert tablet.site.engine.asked == []


@pytest.mark.parametrize("path", STEP_BODIES)
async def test_a_kiosk_may(tablet: Browser, path: str) -> None:
    status, _ = await tablet.ask(path, STEP_BODIES[path])
    assert status == 200
    assert len(tablet.site.engine.asked) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("capture", {}),
        ("capture", {**WHO, "more": 1}),
        ("capture", {**WHO, "language": "tlh"}),
        ("capture", {**WHO, "notice_hash": "x"}),
        ("capture", {**WHO, "age": 12}),
        ("capture", {**WHO, "photo": "not base64!"}),
        ("agree", WHO),
        ("agree", {**WHO, "capture": ["c"]}),
        ("decline", {"zone": "lane"}),
        ("pass", {"code": "x" * 81}),
        ("pass", {"code": 7}),
    ],
)
async def test_what_is_malformed_is_refused(tablet: Browser, path: str, body: dict[str, Any]) -> None:
    status, answer = await tablet.ask(path, body)
    assert (status, answer["error"]["code"]) == (400, "invalid")
    assert tablet.site.engine.asked == []


@pytest.mark.parametrize("path", [*STEP_BODIES, "pair"])
async def test_a_zone_must_exist(tablet: Browser, path: str) -> None:
    body = STEP_BODIES.get(path, {"code": "12345678"})
    assert (await tablet.ask(path, body, zone="nowhere"))[0] == 404


@pytest.mark.parametrize(("origin", "status"), [("https://visits.test", 200), ("http://visits.test", 400)])
async def test_a_photo_comes_over_a_line_that_nobody_reads(tablet: Browser, origin: str, status: int) -> None:
    headers = {"Cookie": f"{COOKIE}={tablet.cookie}", "Origin": origin, "Host": "visits.test"}
    body = {**WHO, "photo": PHOTO}
    async with tablet.session.post(f"{tablet.site.url}/visit/lane/capture", json=body, headers=headers) as answer:
        assert answer.status == status
    asked = [photo for _, _, _, photo in tablet.site.engine.asked]
    assert asked == ([b"picture"] if status == 200 else [])


async def test_one_tablet_asks_only_so_much(tablet: Browser) -> None:
    for _ in range(STEPS):
        assert (await tablet.ask("cancel", {}))[0] == 200
    assert (await tablet.ask("cancel", {}))[0] == 429


# --- pairing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("origin", "secure"), [("http://visits.test", False), ("https://visits.test", True)])
async def test_a_code_becomes_a_cookie_that_no_script_reads(browser: Browser, origin: str, secure: bool) -> None:
    code = str(browser.site.server.authority.pairing_code(Role.KIOSK))
    headers = {"Origin": origin, "Host": "visits.test"}
    url = f"{browser.site.url}/visit/lane/pair"
    async with browser.session.post(url, json={"code": code}, headers=headers) as answer:
        assert await answer.json() == {"paired": True}
        cookie = answer.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/visit")
    assert bool(cookie["secure"]) is secure
    browser.cookie = cookie.value
    assert (await browser.ask("state"))[0] == 200
    assert (await browser.ask("pair", {"code": code}))[0] == 401, "a code is good for one tablet"


@pytest.mark.parametrize("role", [Role.HUB, Role.REVIEWER, Role.VIEWER])
async def test_a_code_for_somebody_else_pairs_no_tablet_and_stays_good(browser: Browser, role: Role) -> None:
    authority = browser.site.server.authority
    code = str(authority.pairing_code(role))
    status, answer = await browser.ask("pair", {"code": code})
    assert (status, answer["error"]["code"]) == (401, "unauthorized")
    assert (await authority.pair(code, "hub"))[0].role is role


async def test_codes_cannot_be_guessed(browser: Browser) -> None:
    tried = [(await browser.ask("pair", {"code": f"{number:08}"}))[0] for number in range(6)]
    assert tried == [401] * 5 + [429]


async def test_a_revoked_tablet_is_asked_to_pair_again(site: Site, tablet: Browser) -> None:
    async def page() -> str:
        headers = {"Cookie": f"{COOKIE}={tablet.cookie}"}
        async with tablet.session.get(f"{site.url}/visit/lane", headers=headers) as answer:
            return await answer.text()

    assert '"paired": true' in await page()
    [token] = await site.engine.tokens.all()
    admin = await site.let_in(Role.ADMIN)
    assert (await admin.ask(1, "token/revoke", token_id=token.token_id))["success"]
    assert '"paired": false' in await page()
    assert (await tablet.ask("decline", {}))[0] == 401


# --- the visitor's own page -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [None, "", "right", "Bearer", "Bearer wrong", "Basic right", "Bearer ä"])
async def test_without_the_token_nothing_is_told_or_erased(site: Site, browser: Browser, header: str | None) -> None:
    headers = {"Origin": site.url} | ({} if header is None else {"Authorization": header})
    async with browser.session.get(f"{site.url}/me/data", headers=headers) as answer:
        assert (answer.status, "Amber" in await answer.text()) == (401, False)
    async with browser.session.post(f"{site.url}/me/withdraw", headers=headers, json={}) as answer:
        assert answer.status == 401
    assert site.engine.mine.token == "right"


async def test_with_it_everything_is_and_then_it_is_worthless(site: Site, browser: Browser) -> None:
    headers = {"Authorization": "Bearer right"}
    async with browser.session.get(f"{site.url}/me/data", headers=headers) as answer:
        assert (await answer.json())["alias"] == "Amber Finch 12"
    async with browser.session.post(f"{site.url}/me/withdraw", headers=headers, json={}) as answer:
        assert answer.status == 401, "another site's page"
    sent = headers | {"Origin": site.url}
    async with browser.session.post(f"{site.url}/me/withdraw", headers=sent, json={"all": True}) as answer:
        assert answer.status == 400
    async with browser.session.post(f"{site.url}/me/withdraw", headers=sent, json={}) as answer:
        assert await answer.json() == {"withdrawn": True, "receipt": None}
    async with browser.session.get(f"{site.url}/me/data", headers=headers) as answer:
        assert answer.status == 401


async def test_links_cannot_be_tried_without_end(site: Site, browser: Browser) -> None:
    statuses = set()
    for number in range(61):
        headers = {"Authorization": f"Bearer {number}"}
        async with browser.session.get(f"{site.url}/me/data", headers=headers) as answer:
            statuses.add(answer.status)
    assert statuses == {401, 429}
