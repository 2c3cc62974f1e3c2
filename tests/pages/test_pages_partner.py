"""A partner's page in a real browser: what is filed with it, what it shows, and where its token is and is not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser import Tab, tab
from playwright.async_api import Browser, Page, expect
from small_engine import Site, served, until

from nvr_bridge.config import load_config
from nvr_bridge.models import Outcome
from nvr_bridge.protocol import Role

pytestmark = [pytest.mark.needs_chromium]

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
SITE = "name: Riverside sales office\nzones: {desk: {name: Desk, kind: consent_point}}\n"
WORDS = Path(__file__).parents[2] / "nvr_bridge" / "server" / "pages" / "words"


def claim(outcome: Outcome, **more: Any) -> dict[str, Any]:
    """A referral as the engine lists it."""
    return {
        "referral": f"{outcome.value:0<8}0123456789abcdef",
        "partner": "acme",
        "broker": f"Broker {outcome.value}",
        "masked": False,
        "declared_at": "2026-03-02T01:00:00+00:00",
        "filed_at": "2026-03-02T01:00:00+00:00",
        "expected_at": None,
        "valid_until": "2026-03-05T01:00:00+00:00",
        "withdrawn_at": None,
        "outcome": outcome.value,
        "day": "2026-03-03" if outcome is Outcome.GIVEN else None,
        "appeal": None,
        **more,
    }


def words(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((WORDS / f"partner.{language}.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A site with a referral of every outcome."""
    (tmp_path / "bridge.yaml").write_text(SITE)
    async with served(replace(load_config(tmp_path / "bridge.yaml"), port=0)) as site:
        site.engine.portal.claims = [claim(outcome) for outcome in Outcome]
        yield site


async def entered(site: Site, page: Page, language: str = "en") -> str:
    """Open a link → its token."""
    token = await site.token(Role.PARTNER)
    await page.goto(f"{site.url}/partner?lang={language}#{token}")
    await expect(page.locator("#claims > li")).to_have_count(len(site.engine.portal.claims))
    return token


def asked(site: Site, what: str) -> list[Any]:
    return [arguments[0] for name, *arguments in site.engine.asked if name == what]


async def test_a_referral_is_filed_by_keyboard_alone(site: Site, visitor: Tab) -> None:
    page = visitor.page
    await entered(site, page)
    await page.get_by_label(words("en")["contact"]).focus()
    await page.keyboard.type("138****0001")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Lin")
    await page.keyboard.press("Enter")
    await expect(page.locator("#filed")).to_contain_text("valid until Jan 1, 2030")
    assert asked(site, "referral_add") == [{"partner": "acme", "contact": "138****0001", "broker": "Lin"}]
    await expect(page.get_by_label(words("en")["contact"])).to_be_focused()
    await expect(page.get_by_label(words("en")["contact"])).to_have_value("")


async def test_an_expected_time_is_the_readers_own(site: Site, browser: Browser, shots: Path) -> None:
    async with tab(browser, shots, timezone_id="Asia/Shanghai") as visitor:
        await entered(site, visitor.page)
        await visitor.page.locator("#contact").fill("13800000001")
        await visitor.page.locator("#expected").fill("2030-03-02T10:00")
        await visitor.page.locator("#file").click()
        await until(lambda: bool(asked(site, "referral_add")))
        assert asked(site, "referral_add")[0]["expected"] == 1898647200.0


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
async def test_every_outcome_has_its_words(site: Site, visitor: Tab, language: str) -> None:
    said = words(language)
    for outcome in Outcome:
        site.engine.portal.claims = [claim(outcome), claim(outcome, referral="b" * 32, appeal="pending", broker=None)]
        await entered(site, visitor.page, language)
        card = visitor.page.locator("#claims > li").first
        expected = said["outcome_given_on"].split("{")[0] if outcome is Outcome.GIVEN else said[f"outcome_{outcome}"]
        await expect(card.locator(".outcome")).to_contain_text(expected)
        appeals = outcome in {Outcome.NOT_GIVEN, Outcome.DECLARED_LATE}
        await expect(card.get_by_role("button")).to_have_count(1 if appeals or outcome is Outcome.OPEN else 0)
        again = visitor.page.locator("#claims > li").nth(1)
        await expect(again).to_contain_text(said["appeal_pending"])
        await expect(again.get_by_role("button", name=said["appeal"], exact=True)).to_have_count(0)
        await visitor.page.evaluate("sessionStorage.clear()")
        await visitor.page.goto("about:blank")


async def test_an_appeal_says_why(site: Site, visitor: Tab) -> None:
    page, said = visitor.page, words("en")
    site.engine.portal.claims = [claim(Outcome.NOT_GIVEN)]
    await entered(site, page)
    await page.get_by_role("button", name=said["appeal"], exact=True).press("Enter")
    await expect(page.get_by_label(said["appeal_why"])).to_be_focused()
    await page.keyboard.type("She came with Lin. <b>Ask her</b>")
    site.engine.portal.claims = [claim(Outcome.NOT_GIVEN, appeal="pending")]
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#done")).to_have_text(said["appealed"])
    await expect(page.locator("#claims > li")).to_contain_text(said["appeal_pending"])
    referral = claim(Outcome.NOT_GIVEN)["referral"]
    expected = {"partner": "acme", "referral": referral, "text": "She came with Lin. <b>Ask her</b>"}
    assert asked(site, "claim_appeal") == [expected]


async def test_taking_back_asks_first(site: Site, visitor: Tab) -> None:
    page, said = visitor.page, words("en")
    site.engine.portal.claims = [claim(Outcome.OPEN)]
    await entered(site, page)
    begin = page.get_by_role("button", name=said["withdraw"], exact=True)
    await begin.click()
    await page.get_by_role("button", name=said["cancel"]).click()
    await expect(begin).to_be_focused()
    assert asked(site, "referral_withdraw") == []
    await begin.click()
    await expect(page.get_by_text(said["withdraw_really"])).to_be_visible()
    await begin.click()
    await expect(page.locator("#done")).to_have_text(said["withdrawn"])
    assert asked(site, "referral_withdraw") == [{"partner": "acme", "referral": claim(Outcome.OPEN)["referral"]}]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
async def test_a_list_is_looked_at_before_it_is_filed(site: Site, visitor: Tab, tmp_path: Path, encoding: str) -> None:
    page = visitor.page
    await entered(site, page)
    await page.locator("summary").click()
    rows = "contact,broker\n138****0001,林\n138****0002,林\n"
    for name, text in (("bad.csv", rows.replace("林", "bad")), ("good.csv", rows)):
        (tmp_path / name).write_bytes(text.encode(encoding))
        await page.locator("#list").set_input_files(tmp_path / name)
        if name == "bad.csv":
            await expect(page.locator("#checked")).to_contain_text("Line 3: This is no telephone number.")
            await expect(page.locator("#import")).to_be_hidden()
    await expect(page.locator("#checked")).to_have_text("2 referrals; nothing is wrong with them.")
    await page.locator("#import").click()
    await expect(page.locator("#checked")).to_have_text("2 referrals were filed.")
    expected = {"partner": "acme", "csv": rows.strip()}
    assert asked(site, "referral_import")[-2:] == [{**expected, "dry_run": True}, {**expected, "dry_run": False}]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
async def test_a_refusal_is_in_the_readers_words(site: Site, visitor: Tab, language: str) -> None:
    page, said = visitor.page, words(language)
    await entered(site, page, language)
    await page.locator("#file").click()
    await expect(page.locator("#filed")).to_have_text(said["bad_contact"])
    await expect(page.locator("#contact")).to_have_attribute("aria-invalid", "true")
    assert asked(site, "referral_add") == []


async def test_the_token_is_in_this_tab_alone_and_in_no_request(site: Site, visitor: Tab) -> None:
    page = visitor.page
    requests: list[str] = []
    page.on("request", lambda request: requests.append(f"{request.url} {request.headers} {request.post_data}"))
    token = await entered(site, page)
    assert len(requests) >= 4
    assert token not in " ".join(requests)
    assert page.url == f"{site.url}/partner?lang=en"
    kept = "[sessionStorage, localStorage].map((store) => Object.values(store)).concat([[document.cookie]])"
    assert await page.evaluate(kept) == [[token], [], [""]]
    assert token not in await page.content()
    await page.get_by_role("link", name="简体中文").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(words("zh-Hans")["heading"])
    await expect(page.locator("#claims > li")).to_have_count(len(Outcome))
    await page.reload()
    await expect(page.locator("#claims > li")).to_have_count(len(Outcome))


async def test_who_comes_back_to_the_page_sees_what_was_decided_meanwhile(site: Site, visitor: Tab) -> None:
    page, said = visitor.page, words("en")
    site.engine.portal.claims = [claim(Outcome.OPEN)]
    await entered(site, page)
    site.engine.portal.claims = [claim(Outcome.NOT_GIVEN)]
    back = "document.dispatchEvent(new Event('visibilitychange'))"
    await page.evaluate(back)
    await expect(page.locator("#claims .outcome")).to_have_text(said["outcome_not_given"])
    await page.get_by_role("button", name=said["appeal"], exact=True).click()
    await page.get_by_label(said["appeal_why"]).fill("She came with")
    site.engine.portal.claims = []
    await page.evaluate(back)
    await page.keyboard.type(" Lin")
    await expect(page.get_by_label(said["appeal_why"])).to_have_value("She came with Lin")


async def test_another_link_in_the_same_tab_is_another_partner(site: Site, visitor: Tab) -> None:
    page = visitor.page
    await entered(site, page)
    await expect(page.locator("#name")).to_have_text("Acme")
    other = await site.token(Role.PARTNER, "best")
    await page.goto(f"{site.url}/partner?lang=en#{other}")
    await expect(page.locator("#name")).to_have_text("Best")


async def test_a_link_that_opens_nothing_says_what_to_do(site: Site, visitor: Tab) -> None:
    page, said = visitor.page, words("en")
    for fragment in ("", "#wrong"):
        await page.goto("about:blank")
        await page.goto(f"{site.url}/partner?lang=en{fragment}")
        await expect(page.get_by_role("heading", level=1)).to_have_text(said["ended_heading"])
    assert await page.evaluate("sessionStorage.length") == 0


async def test_a_link_that_is_taken_back_ends_while_it_is_open(site: Site, visitor: Tab) -> None:
    page, said = visitor.page, words("en")
    await entered(site, page)
    (token,) = await site.engine.tokens.all()
    await (await site.let_in(Role.ADMIN)).ask(1, "token/revoke", token_id=token.token_id)
    await expect(page.get_by_role("heading", level=1)).to_have_text(said["ended_heading"])
    await expect(page.get_by_text("Broker given")).to_be_hidden()
    assert await page.evaluate("sessionStorage.length") == 0


async def test_a_connection_that_is_lost_is_tried_again(site: Site, visitor: Tab) -> None:
    page = visitor.page
    await entered(site, page)
    await page.context.set_offline(True)
    for connection in list(site.server._clients.everyone):
        connection._abort()
    await expect(page.locator("#lost")).to_be_visible()
    await page.locator("#contact").fill("13800000001")
    await page.locator("#file").click()
    await expect(page.locator("#filed")).to_contain_text("No answer from the site")
    await page.context.set_offline(False)
    await expect(page.locator("#lost")).to_be_hidden()
    await page.locator("#file").click()
    await expect(page.locator("#filed")).to_contain_text("Filed.")


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
async def test_it_reads_on_a_telephone(site: Site, browser: Browser, shots: Path, language: str) -> None:
    async with tab(browser, shots, **PHONE) as phone:
        await entered(site, phone.page, language)
        await phone.shot(f"partner-phone-{language}")
        wide = await phone.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide


@pytest.mark.needs_axe
@pytest.mark.parametrize("language", ["en", "zh-Hans"])
async def test_nobody_is_kept_out(site: Site, visitor: Tab, language: str) -> None:
    site.engine.portal.claims = [claim(outcome) for outcome in (Outcome.OPEN, Outcome.NOT_GIVEN)]
    page, said = visitor.page, words(language)
    await entered(site, page, language)
    await page.locator("summary").click()
    await page.get_by_role("button", name=said["appeal"], exact=True).click()
    assert await visitor.obstacles() == []
    await visitor.shot(f"partner-{language}")


async def test_many_referrals_are_shown_some_at_a_time(site: Site, visitor: Tab) -> None:
    site.engine.portal.claims = [claim(Outcome.LAPSED, referral=f"{number:032}") for number in range(70)]
    page = visitor.page
    await page.goto(f"{site.url}/partner?lang=en#{await site.token(Role.PARTNER)}")
    for count in (30, 60, 70):
        await expect(page.locator("#claims > li")).to_have_count(count)
        if count < 70:
            await page.get_by_role("button", name=words("en")["more"]).click()
    await expect(page.locator("#more")).to_be_hidden()
