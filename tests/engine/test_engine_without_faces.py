"""The demo's story told by passes and telephone numbers comes to the verdicts that it comes to by faces."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from engine_site import Person, Site, until

from demo.engine import noon_zone
from demo.timeline import ExpectedVerdict, Step
from demo.timeline import load as load_story
from nvr_bridge.config import Config

LEAD = 0.2  # seconds; whoever comes waits for so long first, so that what was filed before counts
GAP = 0.3
STORY = load_story()
CHANGED = {verdict.person for verdict in STORY.verdicts if "contact_changed" in verdict.risks}


@pytest.fixture
def config(config: Config) -> Config:
    """It is about noon, as in the demo: no day closes meanwhile."""
    zone = ZoneInfo(noon_zone(datetime.now(UTC).hour))
    rules = replace(config.rules, visit_gap=GAP, lead_time=LEAD, timezone=zone)
    return replace(config, visit_gap=GAP, rules=rules, timezone=zone)


class Desk:
    """The story's people come one after the other, show a pass or leave a number, and leave."""

    def __init__(self, site: Site, again: Callable[[], Awaitable[dict[str, Any]]] | None = None) -> None:
        """`again`: what somebody does who comes back and is not known by the old pass any more."""
        self._call = site.admin.call
        self._again = again
        self._passes: dict[str, dict[str, Any]] = {}
        self._contacts: dict[str, str] = {}
        self._visits: dict[str, tuple[str, int]] = {}  # the engine's → the story's

    async def play(self, people: Collection[str]) -> list[ExpectedVerdict]:
        """The story of some people in its order, however long that takes → what each visit came to."""
        for partner, name in STORY.partners.items():
            await self._call("partner/add", partner=partner, name=name)
        for step in STORY.steps:
            if step.do == "referral":
                await self._call("referral/add", partner=step.partner, contact=step.contact)
            elif step.person in people:
                await self._perform(step, step.person)
        rows = await self._call("case/list")
        assert [row["earlier"] for row in rows] == [self._visits[row["visit"]][1] - 1 for row in rows]
        return in_order(
            ExpectedVerdict(
                *self._visits[row["visit"]],
                row["attribution"],
                row["partner"],
                row["rule"],
                tuple(row["risks"]),
                row["state"],
            )
            for row in rows
        )

    async def _perform(self, step: Step, person: str) -> None:
        match step.do:
            case "consent" | "pass":
                self._passes[person] = await self._call("pass/issue")
            case "check_in" | "scan":
                await self._come(step, person)
            case "withdraw":
                await self._call("consent/withdraw", alias=self._passes[person]["alias"])
            case "confirm":
                await self._confirm(self._passes[person]["alias"])

    async def _come(self, step: Step, person: str) -> None:
        await until(self._nobody_is_here)
        await asyncio.sleep(LEAD)
        number = 1 + sum(who == person for who, _ in self._visits.values())
        contact = step.contact
        if self._again is not None and number > 1:
            self._passes[person] = await self._again()
            contact = self._contacts[person]
        if contact is None:
            came = await self._call("pass/scan", zone=step.zone, code=self._passes[person]["code"])
        else:
            self._contacts[person] = contact
            alias = self._passes[person]["alias"]
            came = await self._call("visit/check_in", zone=step.zone, contact=contact, alias=alias)
        self._visits[came["visit"]] = (person, number)

    async def _confirm(self, alias: str) -> None:
        newest = next(case for case in await self._call("case/list") if case["alias"] == alias)
        await self._call("case/confirm", case=newest["case"], seen=newest["version"])

    async def _nobody_is_here(self) -> bool:
        return all(visit["ended_at"] for visit in await self._call("visit/list"))


def expected(people: Collection[str]) -> list[ExpectedVerdict]:
    """The story's verdicts for some people."""
    return in_order(verdict for verdict in STORY.verdicts if verdict.person in people)


def in_order(verdicts: Iterable[ExpectedVerdict]) -> list[ExpectedVerdict]:
    """By person, and by visit."""
    return sorted(verdicts, key=lambda verdict: (verdict.person, verdict.visit))


async def test_a_pass_for_everybody(start: Callable[..., Any], config: Config) -> None:
    async with start(replace(config, profile="no_biometrics")) as site:
        assert await Desk(site).play(STORY.people) == expected(STORY.people)
        assert site.engine["embeddings"] == 0


async def test_a_new_pass_every_time_where_the_number_is_the_same(start: Callable[..., Any], config: Config) -> None:
    same = STORY.people.keys() - CHANGED
    async with start(replace(config, profile="no_biometrics")) as site:
        assert await Desk(site, lambda: site.admin.call("pass/issue")).play(same) == expected(same)


async def test_declined_first_and_agreed_later_where_the_number_is_the_same(
    site: Site, people: dict[str, Person]
) -> None:
    async def agree() -> dict[str, Any]:
        await site.sign("desk")
        granted = await site.admin.call(
            "consent/grant",
            zone="desk",
            notice_hash=site.service.config.notice_hash,
            purpose="return visits",
            language="en",
            expires_in_days=30,
            photo=people["rosa"].photo,
        )
        return dict(granted)

    assert await Desk(site, agree).play({"rosa"}) == expected({"rosa"})
