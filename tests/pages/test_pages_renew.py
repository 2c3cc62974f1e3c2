"""Who agreed before agrees again at the tablet: because the notice changed, or because the time is nearly over."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from browser import Tab
from engine_site import Person, Site, until
from installed import Installed, installed, lit, scene
from test_pages_access import UNTRANSLATED, press
from visit import Tablet, expect, paired

from nvr_bridge.config import Config
from nvr_bridge.models import Channel

pytestmark = [pytest.mark.needs_models, pytest.mark.needs_chromium]

CHANGED = {"en": "We changed our mind about something.", "zh-Hans": "我们改变了一些想法。"}
GREETING = {"en": "Hello, {}", "zh-Hans": "您好，{}"}
THANKS = {"en": "Thank you, {}", "zh-Hans": "谢谢您，{}"}


async def agreed(site: Site, person: Person, days: float = 30) -> dict[str, str]:
    """Somebody agreed at the desk, and has a pass → their alias and code."""
    await site.sign("desk")
    about = {"zone": "desk", "notice_hash": site.service.config.notice_hash, "purpose": "return visits"}
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400))
    made = await site.admin.call("consent/grant", **about, language="en", expires_at=expires, photo=person.photo)
    code = (await site.admin.call("pass/issue", alias=made["alias"]))["code"]
    return {"alias": made["alias"], "code": code}


async def shows_pass(tablet: Tablet, code: str) -> None:
    """Type the code of a pass."""
    await tablet.wake_to_tap("#have_pass")
    await tablet.page.locator("#pass_code").fill(code)
    await tablet.tap("#pass_enter")


async def in_force(site: Site) -> dict[str, Any]:
    """The only consent."""
    [consent] = await site.admin.call("consent/list")
    return dict(consent)


async def comes(site: Site, camera: Installed, person: Person) -> None:
    """Somebody comes to stand before the desk's camera."""
    camera.picture = scene()
    await until(lambda: site.zone("desk")["people_present"] == 0)
    camera.picture = scene(person)
    await until(lambda: site.zone("desk")["people_present"] == 1)


@pytest.mark.needs_axe
@pytest.mark.parametrize("language", ["en", "zh-Hans"])
async def test_a_changed_notice_is_agreed_to_by_the_pass(
    start: Callable[..., Any],
    config: Config,
    visitor: Tab,
    people: dict[str, Person],
    language: str,
) -> None:
    async with start() as site:
        await site.admin.call("assessment/acknowledge", by="Ada", ground="test")
        mine = await agreed(site, people["mei"])
        first = await in_force(site)
    async with start(replace(config, notices=CHANGED)) as site, lit(site, "desk"), installed(site, "desk") as camera:
        tablet = await paired(site, visitor, language=language)
        await comes(site, camera, people["mei"])
        if language == "en":
            await tablet.tap("#back")  # by the old text nobody is compared, so nobody is known
            await tablet.at("sorry")
            await expect(tablet.page.locator("#sorry_text")).to_contain_text("show your pass")
            await tablet.tap(".done")
        embedded = site.engine["embeddings"]
        await shows_pass(tablet, mine["code"])
        await tablet.at("renew")
        await expect(tablet.page.locator("#renew_title")).to_have_text(GREETING[language].format(mine["alias"]))
        await expect(tablet.page.locator('[data-step="renew"] .notice')).to_contain_text(CHANGED[language])
        assert await visitor.obstacles() == []
        assert language == "en" or await visitor.page.evaluate(UNTRANSLATED) == []
        await visitor.shot(f"renew-{language}")
        assert site.engine["embeddings"] == embedded, "a pass is no agreement to another text"

        await tablet.tap("#renew_not")
        await tablet.at("hello")
        assert (await in_force(site))["to_renew"]
        await tablet.tap(".done")
        await shows_pass(tablet, mine["code"])
        await tablet.tap("#renew")
        await tablet.tap("#age_enough")
        await tablet.at("hello")
        await expect(tablet.page.locator("#hello_title")).to_have_text(THANKS[language].format(mine["alias"]))
        now = await in_force(site)
        assert (now["alias"], now["to_renew"], now["channel"]) == (mine["alias"], False, Channel.KIOSK)
        assert (now["language"], now["notice_hash"]) == (language, site.service.config.notice_hash)
        assert now["consent_id"] != first["consent_id"]
        assert now["zones"] == first["zones"]
        if language != "en":  # the pass was an act, and now permits something, unless the face was looked at before
            await until(lambda: site.engine["embeddings"] > embedded)
        await tablet.tap(".done")
        await comes(site, camera, people["mei"])
        await tablet.wake_to_tap("#back")
        await tablet.at("hello")
        await expect(tablet.page.locator("#hello_title")).to_have_text(GREETING[language].format(mine["alias"]))
        assert site.engine["embeddings_without_permit"] == 0


async def test_before_the_end_who_is_recognised_is_asked_whether_to_go_on(
    site: Site, visitor: Tab, people: dict[str, Person]
) -> None:
    mine = await agreed(site, people["mei"], days=16)
    visits = site.service.kiosk
    visits._clock = lambda: time.time() + 10 * 86400
    async with lit(site, "desk"), installed(site, "desk") as camera:
        tablet = await paired(site, visitor)
        await comes(site, camera, people["mei"])
        before = await in_force(site)
        await tablet.tap("#back")
        await tablet.at("renew")
        await expect(tablet.page.locator("#renew_text")).to_have_text(re.compile(r"until .+\. May we go on\?"))
        await press(tablet, "#renew")
        await tablet.at("age")
        await press(tablet, "#age_under")
        await tablet.at("guardian")
        await press(tablet, "#guardian_agrees")
        await tablet.at("hello")
        await expect(tablet.page.locator("#hello_title")).to_have_text(THANKS["en"].format(mine["alias"]))
        await expect(tablet.button("#mine")).to_have_count(0)  # a face opens no page, however often somebody agrees
        now = await in_force(site)
        assert now["expires_at"] > before["expires_at"]
        assert now["guardian"]
        await press(tablet, ".done")
        await tablet.at("rest")


async def test_who_is_asked_too_late_is_not_renewed(site: Site, visitor: Tab, people: dict[str, Person]) -> None:
    mine = await agreed(site, people["mei"], days=16)
    ahead = 10 * 86400.0
    site.service.kiosk._clock = lambda: time.time() + ahead
    async with lit(site, "desk"):
        tablet = await paired(site, visitor)
        before = await in_force(site)
        await shows_pass(tablet, mine["code"])
        await tablet.at("renew")
        await tablet.tap("#renew")
        ahead += 61  # they went, and somebody else taps
        await tablet.tap("#age_enough")
        await tablet.at("sorry")
        assert await in_force(site) == before


async def test_nobody_is_asked_long_before_the_end_or_where_the_sign_is_off(
    site: Site, visitor: Tab, people: dict[str, Person]
) -> None:
    mine = await agreed(site, people["mei"])
    async with lit(site, "desk") as sign:
        tablet = await paired(site, visitor)
        await shows_pass(tablet, mine["code"])
        await tablet.at("hello")
        await tablet.tap(".done")
        site.service.kiosk._clock = lambda: time.time() + 28 * 86400
        await shows_pass(tablet, mine["code"])
        await tablet.at("renew")
        sign(False)
        await expect(tablet.page.locator("#renew_off")).to_be_visible()
        await expect(tablet.button("#renew")).to_have_attribute("aria-disabled", "true")
        await tablet.tap("#renew_not")
        await tablet.at("hello")
