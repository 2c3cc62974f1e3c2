"""The visitor's way, in a real browser before a zone's camera, with real faces."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from browser import Tab
from engine_site import Person, Site, until
from installed import Installed, installed, lit, scene
from playwright.async_api import Page
from sqlalchemy import select
from visit import expect, paired

from nvr_bridge.config import Config
from nvr_bridge.evidence.receipt import read
from nvr_bridge.store.schema import ConsentRow, TemplateRow

pytestmark = [pytest.mark.needs_models, pytest.mark.needs_chromium]


@pytest.fixture
def config(config: Config) -> Config:
    """A site whose pages telephones can reach."""
    return replace(config, public_url="https://visits.test")


async def qr_picture(page: Page, image: str) -> np.ndarray:
    """A QR code as it is on the screen, once it is painted."""
    shown = page.locator(image)
    await shown.evaluate("image => image.decode()")
    return cv2.imdecode(np.frombuffer(await shown.screenshot(), np.uint8), cv2.IMREAD_COLOR)


async def read_qr(page: Page, image: str) -> str:
    """What it says."""
    return cv2.QRCodeDetector().detectAndDecode(await qr_picture(page, image))[0]


async def leave_and_return(site: Site, camera: Installed, person: Person) -> None:
    """The person goes, and comes again."""
    camera.picture = scene()
    await until(lambda: site.zone("desk")["people_present"] == 0)
    camera.picture = scene(person)
    await until(lambda: site.zone("desk")["people_present"] == 1)


async def own_page(site: Site, page: Page, link: str) -> None:
    """Open the link on a receipt, as a telephone that finds the engine under the site's address."""
    public, _, token = link.partition("/me#")
    assert public == site.service.config.public_url
    await page.goto(f"http://127.0.0.1:{site.port}/me?lang=en#{token}")


async def test_agree_return_see_my_data_withdraw_unknown(
    site: Site, visitor: Tab, people: dict[str, Person], tmp_path: Path
) -> None:
    async with lit(site, "desk"), installed(site, "desk") as camera:
        tablet = await paired(site, visitor)
        camera.picture = scene(people["mei"])
        await tablet.agree()
        alias = (await tablet.text("#receipt_title")).removeprefix("Thank you, ")
        [consent] = await site.admin.call("consent/list")
        assert (consent["alias"], consent["language"], consent["guardian"]) == (alias, "en", False)
        assert consent["notice_hash"] == site.service.config.notice_hash
        assert await read_qr(tablet.page, "#code_qr") == await tablet.text("#code")
        link = await read_qr(tablet.page, "#link_qr")
        await tablet.tap(".done")
        await tablet.at("rest")  # who has answered is not asked again
        await leave_and_return(site, camera, people["mei"])
        await tablet.at("welcome")

        before = site.engine["embeddings"]
        await tablet.tap("#back")
        await tablet.at("hello")
        await expect(tablet.page.locator("#hello_title")).to_have_text(f"Hello, {alias}")
        await expect(tablet.button("#mine")).to_have_count(0)  # a face opens no page: only a pass or a link does
        assert site.engine["embeddings"] > before
        await tablet.tap(".done")

        [case] = await site.admin.call("case/list")
        await site.admin.call("case/send_back", case=case["case"], reason="who sent her?")
        await own_page(site, tablet.page, link)
        await tablet.at("kept")
        await expect(tablet.page.locator("#name")).to_contain_text(alias)
        await expect(tablet.page.locator("#reviews")).to_contain_text("who sent her?")
        async with tablet.page.expect_download() as downloading:
            await tablet.tap("#download")
        await (await downloading.value).save_as(tmp_path / "kept.json")
        kept = json.loads((tmp_path / "kept.json").read_text())
        assert (kept["alias"], kept["consents"][0]["purpose"]) == (alias, consent["purpose"])
        assert {"consent_granted", "pass_issued", "link_issued", "subject_read"} <= {act["act"] for act in kept["acts"]}
        await tablet.tap("#withdraw")
        await tablet.at("erased")
        async with tablet.page.expect_download() as downloading:
            await tablet.tap("#receipt")
        await (await downloading.value).save_as(tmp_path / "erasure-receipt.json")
        receipt = read(json.loads((tmp_path / "erasure-receipt.json").read_text()))
        assert (receipt.problems(), receipt.content["cause"]) == ([], "withdrawn")
        assert receipt.is_about(consent["visitor"])
        await tablet.page.reload()
        await tablet.at("nothing")
        assert await site.admin.call("consent/list") == []

        await tablet.page.goto(tablet.url)
        await leave_and_return(site, camera, people["mei"])
        await tablet.tap("#back")
        await tablet.at("sorry")
        await expect(tablet.page.locator("#sorry_text")).to_contain_text("not recognised")
        assert site.engine["embeddings_without_permit"] == 0


async def test_who_declines_gets_the_same_pass_and_the_same_attribution(
    site: Site, visitor: Tab, people: dict[str, Person]
) -> None:
    async with lit(site, "desk"), installed(site, "desk") as camera:
        tablet = await paired(site, visitor)
        camera.picture = scene(people["mei"])
        await tablet.agree()
        await tablet.tap(".done")
        await leave_and_return(site, camera, people["vera"])
        embedded = site.engine["embeddings"]
        await tablet.tap("#decline")
        await tablet.at("receipt")
        code = await tablet.text("#code")
        alias = (await tablet.text("#receipt_title")).removeprefix("Thank you, ")
        await tablet.tap(".done")
        await tablet.at("rest")
        async with site.service._parts.database.read() as session:
            for table in (TemplateRow, ConsentRow):
                owners = set(await session.scalars(select(table.visitor_id)))
                assert len(owners) == 1, "only of who agreed"
        visits = {visit["alias"]: visit for visit in await site.admin.call("visit/list")}
        declined, [agreed] = visits.pop(alias), visits.values()
        same = ("attribution", "partner", "rule", "risks", "needs_review", "returning")
        assert {key: declined[key] for key in same} == {key: agreed[key] for key in same}

        await until(lambda: closed(site), seconds=40)
        await leave_and_return(site, camera, people["vera"])
        await tablet.at("welcome")
        await tablet.tap("#have_pass")
        await tablet.page.locator("#pass_code").fill(code.lower().replace("-", " "))
        await tablet.page.keyboard.press("Enter")
        await tablet.at("hello")
        await expect(tablet.page.locator("#hello_title")).to_have_text(f"Hello, {alias}")
        await expect(tablet.page.locator("#hello_text")).to_contain_text("Welcome back")
        assert site.engine["embeddings"] == embedded, "a pass permits nobody who declined to be measured"
        await tablet.tap("#mine")
        await tablet.at("kept")
        await expect(tablet.page.locator("#face")).to_contain_text("Nothing is kept of your face")
        await tablet.tap("#withdraw")
        await tablet.at("erased")
        await tablet.tap(".leave")
        await tablet.at("rest")  # who shows a pass is not asked either
        await tablet.tap("#wake")
        await tablet.tap("#have_pass")
        await tablet.page.locator("#pass_code").fill(code)
        await tablet.tap("#pass_enter")
        await expect(tablet.page.locator("#pass_problem")).to_contain_text("No pass of this site")


async def closed(site: Site) -> bool:
    """Whether all visits are over."""
    return all(visit["ended_at"] for visit in await site.admin.call("visit/list"))


async def test_a_pass_held_up_to_the_camera_is_read_and_is_an_act(
    site: Site, visitor: Tab, people: dict[str, Person]
) -> None:
    async with lit(site, "desk"), installed(site, "desk") as camera:
        tablet = await paired(site, visitor)
        camera.picture = scene(people["mei"])
        await tablet.agree()
        code = await qr_picture(tablet.page, "#code_qr")
        alias = (await tablet.text("#receipt_title")).removeprefix("Thank you, ")
        await tablet.tap(".done")
        await leave_and_return(site, camera, people["mei"])
        await until(lambda: site.zone("desk")["people_present"] == 1)
        embedded = site.engine["embeddings"]
        held_up = scene(people["mei"])
        held_up[120:280, 20:180] = cv2.resize(code, (160, 160), interpolation=cv2.INTER_AREA)
        camera.picture = held_up
        assert not site.service._parts.gate.spent > embedded  # nobody reads codes that nobody was asked to show
        await tablet.tap("#have_pass")
        await tablet.at("hello")
        await expect(tablet.page.locator("#hello_title")).to_have_text(f"Hello, {alias}")
        await until(lambda: site.engine["embeddings"] > embedded)
        assert site.engine["embeddings_without_permit"] == 0


async def test_a_guardian_agrees_for_a_child(site: Site, visitor: Tab, people: dict[str, Person]) -> None:
    async with lit(site, "desk"), installed(site, "desk") as camera:
        tablet = await paired(site, visitor)
        camera.picture = scene(people["lin"])
        await tablet.tap("#agree")
        await tablet.at("age")
        await expect(tablet.page.locator('[data-step="age"]')).to_contain_text("14")
        await tablet.tap("#age_under")
        await tablet.at("guardian")
        await visitor.shot("guardian")
        await tablet.tap("#guardian_agrees")
        await tablet.tap("#look")
        await tablet.at("confirm")
        await tablet.tap("#me")
        await tablet.at("receipt")
        [consent] = await site.admin.call("consent/list")
        assert consent["guardian"] is True


async def test_no_age_no_consent(site: Site, visitor: Tab) -> None:
    tablet = await paired(site, visitor)
    body = {"language": "en", "notice_hash": site.service.config.notice_hash}
    answer: Any = await tablet.page.request.post(
        f"http://127.0.0.1:{site.port}/visit/desk/capture",
        data=body,
        headers={"Origin": f"http://127.0.0.1:{site.port}"},
    )
    assert (answer.status, (await answer.json())["error"]["message"][:4]) == (400, "age:")


async def test_what_was_seen_is_gone_when_the_person_thinks_better_of_it(
    site: Site, visitor: Tab, people: dict[str, Person]
) -> None:
    async with lit(site, "desk"), installed(site, "desk") as camera:
        tablet = await paired(site, visitor)
        camera.picture = scene(people["lin"])
        await tablet.tap("#agree")
        await tablet.tap("#age_enough")
        await tablet.tap("#look")
        await tablet.at("confirm")
        held = site.service._parts.enrolment._captures._held
        assert list(held) == ["desk"]
        await tablet.tap(".cancel")
        await tablet.at("welcome")
        await until(lambda: not held)
        assert site.engine["embeddings"] == 0


async def test_the_sign_goes_off_while_somebody_decides(site: Site, visitor: Tab, people: dict[str, Person]) -> None:
    async with lit(site, "desk") as sign, installed(site, "desk") as camera:
        tablet = await paired(site, visitor)
        camera.picture = scene(people["lin"])
        await tablet.tap("#agree")
        await tablet.tap("#age_enough")
        await tablet.tap("#look")
        await tablet.at("confirm")
        sign(False)
        await until(lambda: not site.zone("desk")["armed"])
        await until(lambda: site.service._parts.enrolment._captures._held == {})
        await tablet.tap("#me")
        await tablet.at("sorry")
        await tablet.tap(".done")
        await expect(tablet.page.locator("#off")).to_be_visible()
        await expect(tablet.button("#agree")).to_have_attribute("aria-disabled", "true")
        await tablet.tap("#decline")  # which needs no sign
        await tablet.at("receipt")
        assert site.engine["embeddings"] == 0


async def test_the_receipt_leaves_the_screen_by_itself(site: Site, visitor: Tab) -> None:
    await visitor.page.clock.install()
    tablet = await paired(site, visitor)
    await tablet.tap("#decline")
    await tablet.at("receipt")
    code = await tablet.text("#code")
    await visitor.page.clock.run_for(59_000)
    await tablet.at("receipt")
    await visitor.page.clock.run_for(3_000)
    await tablet.at("welcome")
    assert code not in await visitor.page.content()


async def test_without_an_address_from_outside_the_page_says_how_to_withdraw_before_anybody_agrees(
    config: Config, start: Any, visitor: Tab
) -> None:
    async with start(replace(config, public_url=None)) as site:
        tablet = await paired(site, visitor)
        await expect(tablet.page.locator("#end")).to_contain_text("Show your pass at this tablet, or tell the desk")
        await tablet.tap("#decline")
        await tablet.at("receipt")
        await expect(tablet.page.locator("#link")).to_be_hidden()


async def test_where_nobody_is_recognised_there_is_nothing_to_agree_to(
    config: Config, start: Any, visitor: Tab
) -> None:
    async with start(replace(config, profile="no_biometrics")) as site:
        tablet = await paired(site, visitor)
        await expect(tablet.button("#agree")).to_have_count(0)
        await expect(tablet.button("#back")).to_have_count(0)
        await tablet.tap("#decline")
        await tablet.at("receipt")
