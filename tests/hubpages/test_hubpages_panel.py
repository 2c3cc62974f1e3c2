"""The panel in a real hub and a real Chromium, with an engine that speaks the wire."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import evening
import pytest
import pytest_asyncio
from browser import Tab, attached
from fake_engine import CODE, FakeEngine
from hubsite import Hub, complaints, hub_tab, running
from playwright.async_api import Browser, Locator, Page, expect

from demo.hub_setup import add_engine

pytestmark = [
    pytest.mark.needs_hub,
    pytest.mark.needs_chromium,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="module"),  # in which the hub stands
]

LOOKS: dict[str, dict[str, Any]] = {
    "desktop-light-en": {},
    "desktop-dark-zh": {"dark": True, "language": "zh-Hans"},
    "phone-light-zh": {"phone": True, "language": "zh-Hans"},
    "phone-dark-en": {"phone": True, "dark": True},
}
VIEWS = {  # the view's address → something that is there once it is complete
    "review": ".case",
    "review/K7QF-2M9D": "svg.plot .referral",
    "review/P3XW-8C4T": "svg.plot .referral",
    "review/T9DM-4V7J": "ol.steps li",
    "visits": "rect.channel",
    "keeper": "table td",
    "cameras": ".tiles .card",
    "desk": "table td",
}
CANARIES = {"contact": "13800000001", "broker": "Canary Chen", "reason": "her aunt brought her"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hub]:
    """A hub for all of these tests: each adds its engine, and the next one finds none. Starting it takes ten seconds."""
    async with running(tmp_path_factory.mktemp("panel")) as hub:
        yield hub


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(standing: str) -> AsyncIterator[Browser]:
    """The Chromium that stands."""
    async with attached(standing) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def fake() -> AsyncIterator[FakeEngine]:
    """An engine that speaks the wire, at the end of a day."""
    engine = FakeEngine()
    evening.fill(engine)
    await engine.start()
    yield engine
    await engine.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def ready(hub: Hub, fake: FakeEngine) -> AsyncIterator[Hub]:
    """A hub that knows this engine and no other."""
    await add_engine(hub.client, fake.port, CODE)
    yield hub
    await hub.forget_engines()
    assert complaints(hub.log) == []


def panel(page: Page) -> Locator:
    return page.locator("nvr-bridge-panel")


@asynccontextmanager
async def at(browser: Browser, hub: Hub, shots: Path, view: str, **how: Any) -> AsyncIterator[Tab]:
    """A tab that shows a view."""
    async with hub_tab(browser, hub, shots, **how) as tab:
        await tab.page.goto(f"{hub.address}/nvr_bridge/{view}")
        await panel(tab.page).locator(VIEWS[view]).first.wait_for()
        yield tab


@pytest.mark.needs_axe
async def test_every_view_can_be_used_by_everybody(ready: Hub, browser: Browser, shots: Path) -> None:
    for look, how in LOOKS.items():
        async with hub_tab(browser, ready, shots, **how) as tab:
            for view, complete in VIEWS.items():
                await tab.page.goto(f"{ready.address}/nvr_bridge/{view}")
                await panel(tab.page).locator(complete).first.wait_for()
                await tab.shot(f"panel-{look}-{view.replace('/', '-')}")
                assert await tab.page.evaluate("scrollY") == 0, (look, view)  # it begins at its top, with the tabs
                assert await tab.obstacles(panel(tab.page)) == [], (look, view)
                width = await tab.page.evaluate("document.documentElement.scrollWidth")
                assert tab.page.viewport_size, "no screen"
                assert width <= tab.page.viewport_size["width"], (look, view)
            assert [url for url in tab.foreign if "home-assistant" not in url] == []  # those are the frontend's own


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
async def test_cases_are_settled(ready: Hub, fake: FakeEngine, browser: Browser, shots: Path, phone: bool) -> None:
    async with at(browser, ready, shots, "review", phone=phone) as tab:
        page = panel(tab.page)
        await page.get_by_role("button", name="brought by Acme Homes").click()
        await page.get_by_role("button", name="Confirm", exact=True).click()
        await expect(page.get_by_text("Confirmed.")).to_be_visible()
        await expect(page.get_by_role("button", name="Confirm", exact=True)).to_have_count(0)
        [confirmed] = fake.of("case/confirm")
        assert (confirmed["case"], confirmed["seen"]) == ("K7QF-2M9D", "1f0c9a2b")

        await open_case(page, "undetermined", phone)
        await expect(page.get_by_role("button", name="Confirm", exact=True)).to_have_count(
            0
        )  # there is nothing to confirm
        await page.get_by_role("button", name="Change …").click()
        await page.get_by_label("Verdict").select_option("channel")
        await page.get_by_label("Partner").select_option("harbour")
        await page.get_by_label("Reason").fill("She named Lin.")
        await tab.shot(f"panel-change-{'phone' if phone else 'desktop'}")
        await page.get_by_role("button", name="Change …").click()
        await expect(page.get_by_role("heading", name="brought by Harbour Realty")).to_be_visible()
        [changed] = fake.of("case/change")
        answer = (changed["attribution"], changed["partner"], changed["reason"], changed["seen"])
        assert answer == ("channel", "harbour", "She named Lin.", "1f0c9a2b")

        await open_case(page, "natural visit 09:30", phone)
        await page.get_by_role("button", name="Ask for more …").click()
        await page.get_by_label("Reason").fill("Who brought her?")
        await page.get_by_role("button", name="Ask for more …").click()
        await expect(page.get_by_text("Sent back.")).to_be_visible()
        [asked] = fake.of("case/send_back")
        assert asked["reason"] == "Who brought her?"

        await open_case(page, "waits for a second person", phone)
        await page.get_by_role("button", name="Agree to the change").click()
        await expect(page.get_by_text("Agreed to.")).to_be_visible()
        [second] = fake.of("case/second")
        assert (second["agree"], second["by"]) == (True, confirmed["by"])


async def open_case(page: Locator, name: str, phone: bool) -> None:
    if phone:
        await page.get_by_role("button", name="Back to the list").click()
    await page.get_by_role("button", name=name).click()


async def test_a_case_is_settled_by_keyboard_alone(ready: Hub, fake: FakeEngine, browser: Browser, shots: Path) -> None:
    async with at(browser, ready, shots, "review") as tab:
        keys = tab.page.keyboard

        async def reach(name: str) -> None:
            for _ in range(60):
                if name in await tab.page.evaluate(FOCUSED):
                    return
                await keys.press("Tab")
            raise AssertionError(f"{name} cannot be reached")

        async def focused(name: str) -> None:
            await tab.page.wait_for_function(f"name => ({FOCUSED})().includes(name)", arg=name)

        await reach("Review")
        await keys.press("ArrowRight")
        await focused("Visits")
        await keys.press("Home")
        await focused("Review")
        await panel(tab.page).locator(".case").first.wait_for()
        await reach("undetermined")
        await keys.press("Enter")
        await expect(panel(tab.page).get_by_role("heading", name="undetermined")).to_be_focused()
        await reach("Change …")
        await keys.press("Enter")
        await keys.press("n")  # the first letter of a choice
        await reach("Reason")
        await keys.type("Nobody brought her.")
        await keys.press("Tab")
        await keys.press("Enter")
        await expect(panel(tab.page).get_by_text("Changed.")).to_be_visible()
        [changed] = fake.of("case/change")
        assert (changed["attribution"], changed["reason"]) == ("natural", "Nobody brought her.")


FOCUSED = """() => {
    let at = document.activeElement;
    while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return [...(at.labels ?? [])].map((label) => label.textContent).join(" ") || at.ariaLabel || at.textContent;
}"""


async def test_a_refusal_is_told_and_what_was_typed_stays(
    ready: Hub, fake: FakeEngine, browser: Browser, shots: Path
) -> None:
    fake.refuse["case/change"] = ("conflict", "seen: the verdict changed meanwhile; look at the case again")
    for language, told in {"en": "changed meanwhile", "zh-Hans": "在此期间已变化"}.items():
        async with at(browser, ready, shots, "review/K7QF-2M9D", language=language) as tab:
            page = panel(tab.page)
            await page.locator("[data-key=change]").click()
            await page.locator("textarea").fill("A reason")
            await page.locator("form select").first.select_option("natural")
            await page.locator("form button.main").click()
            await expect(page.locator(".toast")).to_contain_text(told)
            await expect(page.locator("textarea")).to_have_value("A reason")


async def test_why_a_camera_is_away_is_told_in_the_readers_language(ready: Hub, browser: Browser, shots: Path) -> None:
    async with at(browser, ready, shots, "cameras", language="zh-Hans") as tab:
        door = panel(tab.page).get_by_role("listitem").filter(has_text="Side door")
        await expect(door.get_by_text("设备没有响应。请检查电源、地址和网络。")).to_be_visible()
        await expect(door.get_by_text("no answer within 10 s")).to_be_visible()  # what the engine says besides
        await door.screenshot(path=shots / "camera-away-zh.png")


async def test_it_follows_the_engine(ready: Hub, fake: FakeEngine, browser: Browser, shots: Path) -> None:
    async with at(browser, ready, shots, "review") as tab:
        page = panel(tab.page)
        asked = len(fake.of("case/list"))
        fake.cases["Z2ZZ-9Q9Q"] = {**fake.cases["B5RN-6H2K"], "case": "Z2ZZ-9Q9Q", "alias": "violet crane 3"}
        await fake.judges(case="Z2ZZ-9Q9Q")
        await expect(page.get_by_role("button", name="violet crane 3")).to_be_visible()
        assert len(fake.of("case/list")) <= asked + 2
        await page.get_by_role("tab", name="Cameras").click()
        await expect(page.get_by_text("3 of 4 cameras are online.")).to_be_visible()
        await expect(page.get_by_text("The device does not answer.")).to_be_visible()
        await fake.camera_is("door", state="online", reason=None, reason_code=None)
        await expect(page.get_by_text("4 of 4 cameras are online.")).to_be_visible()
        await expect(page.get_by_text("The device does not answer.")).to_be_hidden()
        await fake.stop()
        await expect(page.get_by_text("The engine is not connected.")).to_be_visible()
        await fake.start()
        await expect(page.get_by_text("The engine is not connected.")).to_be_hidden()
        await tab.page.go_back()
        await expect(page.get_by_role("button", name="violet crane 3")).to_be_visible()


async def test_a_page_that_stays_open_goes_on_after_the_hub_restarted(
    ready: Hub, fake: FakeEngine, browser: Browser, shots: Path
) -> None:
    async with at(browser, ready, shots, "review") as tab:
        await ready.restart()
        page = panel(tab.page)
        await page.get_by_role("button", name="brought by Acme Homes").click(timeout=60_000)
        await page.get_by_role("button", name="Confirm", exact=True).click()
        await expect(page.get_by_text("Confirmed.")).to_be_visible()


async def test_people_are_typed_in_and_kept_nowhere_in_the_hub(
    tmp_path: Path, fake: FakeEngine, browser: Browser, shots: Path
) -> None:
    async with running(tmp_path, settings={"logger": {"default": "debug"}}) as hub:
        await add_engine(hub.client, fake.port, CODE)
        async with at(browser, hub, shots, "desk") as tab:
            page = panel(tab.page)
            form = page.get_by_role("form", name="Register a referral")
            await form.get_by_label("Partner").select_option("harbour")
            await form.get_by_label("Telephone number").fill(CANARIES["contact"])
            await form.get_by_label("Broker").fill(CANARIES["broker"])
            await form.get_by_role("button", name="Register").click()
            await expect(page.get_by_text("The referral is registered.")).to_be_visible()
            await expect(form.get_by_label("Telephone number")).to_have_value("")
            form = page.get_by_role("form", name="Check in by telephone number")
            await form.get_by_label("Zone").select_option("desk")
            await form.get_by_label("Telephone number").fill(CANARIES["contact"])
            await form.get_by_role("button", name="Check in").click()
            await expect(page.get_by_text("Checked in.")).to_be_visible()
            form = page.get_by_role("form", name="Add a partner")
            await form.get_by_label("Short name").fill("newco")
            await form.get_by_label("Company").fill("Newco")
            await form.get_by_role("button", name="Add").click()
            await expect(page.get_by_text("The partner is added.")).to_be_visible()
            await page.get_by_role("button", name="Make a link Acme Homes").click()
            await expect(page.get_by_label("Link for Acme Homes")).to_have_value("https://engine.example/partner#t0k3n")
            await page.get_by_role("button", name="Take back 8f1c8f").click()
            await expect(page.get_by_text("The referral is taken back.")).to_be_visible()
            form = page.get_by_role("form", name="What is kept about a visitor")
            await form.get_by_label("Alias").fill("amber otter 42")
            await form.get_by_role("button", name="Show").click()
            async with tab.page.expect_download() as download:
                await page.get_by_role("link", name="Download it all").click()
            assert (await download.value).suggested_filename == "amber-otter-42.json"
            await tab.shot("panel-desk-filled")
        referral, arrival = fake.of("referral/add")[0], fake.of("visit/check_in")[0]
        assert (referral["partner"], referral["contact"], referral["broker"]) == (
            "harbour",
            *list(CANARIES.values())[:2],
        )
        assert (arrival["zone"], arrival["contact"]) == ("desk", CANARIES["contact"])
        assert fake.of("referral/withdraw")[0]["referral"] == evening.R81
        assert fake.of("subject/get")[0]["alias"] == "amber otter 42"
        await hub.server.process.stop()
        log, kept = hub.log, everything(hub.server.folder)
    assert "websocket_api.http.connection" in log  # the hub does log what goes over its WebSocket
    for what, canary in [*CANARIES.items(), ("link", "t0k3n")]:
        assert canary not in log, f"{what} in the log"
        assert canary not in kept, f"{what} in what the hub keeps"


def everything(folder: Path) -> str:
    """All that the hub has written: its database, and its files."""
    with closing(sqlite3.connect(folder / "home-assistant_v2.db")) as database:
        recorded = "\n".join(database.iterdump())
    assert "event.desk_visit" in recorded
    files = [path for path in folder.rglob("*") if path.is_file() and "custom_components" not in path.parts]
    return "\n".join([recorded, *(path.read_bytes().decode(errors="replace") for path in files)])


async def test_two_engines_are_told_apart(ready: Hub, fake: FakeEngine, browser: Browser, shots: Path) -> None:
    other = FakeEngine()
    other.engine |= {"id": "f" * 32, "name": "Lakeside"}
    await other.start()
    evening.fill(other)
    other.cases = {}
    try:
        await add_engine(ready.client, other.port, CODE)
        async with at(browser, ready, shots, "review") as tab:
            page = panel(tab.page)
            await page.get_by_label("Engine").select_option(label="Lakeside")
            await expect(page.get_by_text("Today (0)")).to_be_visible()
            await page.get_by_label("Engine").select_option(label="Riverside")
            await expect(page.get_by_text("Today (3)")).to_be_visible()
    finally:
        await other.stop()
