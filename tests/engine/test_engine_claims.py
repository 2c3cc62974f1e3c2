"""What a person's decision tells partners in a whole engine, and how they appeal against it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from engine_site import Site, running, until

from nvr_bridge.client import Client, pair
from nvr_bridge.config import Config
from nvr_bridge.errors import ConflictError, NotFoundError

pytestmark = [pytest.mark.needs_models]

NUMBER, MASKED = "13912345678", "139****5678"
WHY = "Mr Lin drove her there"


@pytest.fixture
def config(config: Config) -> Config:
    """A site without biometrics where a referral counts at once."""
    rules = replace(config.rules, visit_gap=0.3, lead_time=0.0)
    return replace(config, profile="no_biometrics", visit_gap=0.3, rules=rules)


class Story:
    """A site, and two partners with a link each."""

    def __init__(self, site: Site, acme: Client, best: Client) -> None:
        self.site = site
        self.acme = acme
        self.best = best

    async def comes(self) -> str:
        """A client gives the number at the desk, with a pass → the alias."""
        made = await self.site.admin.call("pass/issue")
        await self.site.admin.call("visit/check_in", zone="desk", contact=NUMBER, code=made["code"])
        return str(made["alias"])

    async def case(self, **wanted: Any) -> dict[str, Any]:
        """The one case, once it is as it is wanted."""

        async def there() -> bool:
            (row,) = await self.site.admin.call("case/list")
            return bool(wanted.items() <= row.items())

        await until(there)
        (row,) = await self.site.admin.call("case/list")
        return dict(row)

    async def confirms(self, **wanted: Any) -> str:
        """A reviewer confirms the one case, once its verdict is as wanted → its id."""
        row = await self.case(**wanted)
        await self.site.admin.call("case/confirm", case=row["case"], seen=row["version"])
        return str(row["case"])


async def outcomes(partner: Client) -> list[tuple[str, str | None, str | None]]:
    """(outcome, day, appeal) of each of a partner's referrals, the latest first."""
    listed = await partner.call("claim/list")
    return [(row["outcome"], row["day"], row["appeal"]) for row in listed["claims"]]


@pytest.fixture
async def story(start: Callable[[], Any]) -> AsyncIterator[Story]:
    """An engine with two partners."""
    async with begun(start()) as story:
        yield story


@asynccontextmanager
async def begun(engine: AbstractAsyncContextManager[Site]) -> AsyncIterator[Story]:
    """Two partners at an engine, and a link for each."""
    async with engine as site, AsyncExitStack() as stack:
        clients = []
        for partner in ("acme", "best"):
            await site.admin.call("partner/add", partner=partner, name=partner.title())
            url = (await site.admin.call("partner/link", partner=partner, name=f"Lin at {partner}"))["url"]
            connection = Client.connect(f"127.0.0.1:{site.port}", token=url.split("#")[1])
            clients.append(await stack.enter_async_context(connection))
        yield Story(site, *clients)


async def test_each_partner_is_told_what_a_person_decided_and_not_before(story: Story) -> None:
    acme = (await story.acme.call("referral/add", contact=MASKED))["referral"]
    best = (await story.best.call("referral/add", contact=NUMBER))["referral"]
    await story.comes()
    row = await story.case(attribution="channel", partner="acme", risks=["competing_referrals"])
    for partner, referral in ((story.acme, acme), (story.best, best)):
        assert await outcomes(partner) == [("open", None, None)]
        with pytest.raises(ConflictError, match="nobody has decided anything about it"):
            await partner.call("claim/appeal", referral=referral, text=WHY)
    await story.site.admin.call("case/confirm", case=row["case"], seen=row["version"])
    today = datetime.now(UTC).astimezone(story.site.service.config.timezone).date().isoformat()
    assert await outcomes(story.acme) == [("given", today, None)]
    assert await outcomes(story.best) == [("not_given", None, None)]
    with pytest.raises(ConflictError, match="was given to you"):
        await story.acme.call("claim/appeal", referral=acme, text=WHY)
    with pytest.raises(NotFoundError, match="does not exist"):
        await story.acme.call("claim/appeal", referral=best, text=WHY)


async def test_an_appeal_opens_the_case_and_its_answer_is_told(story: Story) -> None:
    await story.acme.call("referral/add", contact=NUMBER)
    best = (await story.best.call("referral/add", contact=NUMBER))["referral"]
    alias = await story.comes()
    case = await story.confirms(attribution="channel", partner="acme")
    assert await story.best.call("claim/appeal", referral=best, text=WHY) == {"appealed": True}
    assert await outcomes(story.best) == [("not_given", None, "pending")]
    assert (await outcomes(story.acme))[0][0] == "given"
    with pytest.raises(ConflictError, match="appealed against this outcome already"):
        await story.best.call("claim/appeal", referral=best, text="again")

    row = await story.case(state="appealed", needs_review=True)
    found = await story.site.admin.call("case/get", case=case)
    last = found["history"][-1]
    assert (last["act"], last["referral"], last["reason"], last["by"]) == ("appeal", best, WHY, "Lin at best")
    await story.site.admin.call("case/confirm", case=case, seen=row["version"])
    assert await outcomes(story.best) == [("not_given", None, "answered")]
    with pytest.raises(ConflictError, match="appealed against this outcome already"):
        await story.best.call("claim/appeal", referral=best, text="again")

    change = {"attribution": "channel", "partner": "best", "reason": f"{alias} says so"}
    await story.site.admin.call("case/change", case=case, **change)
    assert [outcome for outcome, _, _ in await outcomes(story.best)] == ["given"]
    assert await outcomes(story.acme) == [("not_given", None, None)]


async def test_a_referral_that_came_after_the_client_was_late(story: Story) -> None:
    await story.comes()
    await story.acme.call("referral/add", contact=NUMBER)
    assert await outcomes(story.acme) == [("open", None, None)]
    await story.confirms(attribution="natural", rule="late_referral")
    assert await outcomes(story.acme) == [("declared_late", None, None)]


async def test_a_change_that_waits_for_a_second_person_is_told_when_it_holds(
    config: Config, start: Callable[[], Any]
) -> None:
    async with begun(running(replace(config, second_person=True))) as story:
        await story.acme.call("referral/add", contact=NUMBER)
        await story.comes()
        case = await story.confirms(attribution="channel", partner="acme")
        await story.site.admin.call("case/change", case=case, attribution="natural", reason="a walk-in")
        assert (await outcomes(story.acme))[0][0] == "given"
        code = (await story.site.admin.call("pair/create", role="reviewer"))["code"]
        address = f"127.0.0.1:{story.site.port}"
        paired = await pair(address, code, "Second")
        async with Client.connect(address, token=paired.token) as second:
            await second.call("case/second", case=case, agree=True)
        assert await outcomes(story.acme) == [("not_given", None, None)]


async def test_after_the_client_withdrew_the_outcome_stays_and_cannot_be_appealed(story: Story) -> None:
    await story.acme.call("referral/add", contact=NUMBER)
    best = (await story.best.call("referral/add", contact=NUMBER))["referral"]
    alias = await story.comes()
    await story.confirms(attribution="channel", partner="acme")
    await story.site.admin.call("consent/withdraw", alias=alias)
    assert (await outcomes(story.acme))[0][0] == "given"
    assert await outcomes(story.best) == [("not_given", None, None)]
    with pytest.raises(ConflictError, match="the evidence was erased since, so the outcome stays"):
        await story.best.call("claim/appeal", referral=best, text=WHY)


async def test_of_two_appeals_at_once_one_counts(story: Story) -> None:
    await story.acme.call("referral/add", contact=NUMBER)
    best = (await story.best.call("referral/add", contact=NUMBER))["referral"]
    await story.comes()
    case = await story.confirms(attribution="channel", partner="acme")
    both = [story.best.call("claim/appeal", referral=best, text=WHY) for _ in range(2)]
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(each) for each in done if isinstance(each, Exception)) == [ConflictError]
    history = (await story.site.admin.call("case/get", case=case))["history"]
    assert [step["act"] for step in history] == ["confirm", "appeal"]
