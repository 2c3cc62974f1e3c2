"""Plays the story: what people of the site do in the hub and at the desk, at the moments that `site.yaml` gives."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from demo.engine import EngineServer
from demo.feed import StoryClock
from demo.hub import act_of, sign_of
from demo.hub_client import HubClient
from demo.process import DemoError, say
from demo.timeline import Site, Step
from nvr_bridge.errors import BridgeError

PURPOSE = "to be recognised on the next visit"
LEAD = 1.0  # seconds from deciding to begin to the beginning, so that every camera begins together


@dataclass
class Played:
    """One time through the story."""

    began: float  # seconds since the epoch
    aliases: dict[str, str] = field(default_factory=dict)  # by person
    passes: dict[str, str] = field(default_factory=dict, repr=False)  # codes, by person
    referrals: list[str] = field(default_factory=list)  # ids
    problems: list[str] = field(default_factory=list)  # what could not be done


class Story:
    """The people of the site. `play` once, or again and again."""

    def __init__(
        self, site: Site, clock: StoryClock, hub: HubClient, engine: EngineServer, links: Mapping[str, str]
    ) -> None:
        """`links`: each partner's own, with which it files its referrals."""
        self._site = site
        self._clock = clock
        self._hub = hub
        self._engine = engine
        self._links = links

    async def play(self, *, tell: bool = True) -> Played:
        """From beginning to end. A step that fails is written down, and the story goes on."""
        self._clock.begin(time.monotonic() + LEAD)
        played = Played(time.time() + LEAD)
        async with asyncio.TaskGroup() as group:
            for step in self._site.steps:
                group.create_task(self._perform(step, played, tell=tell))
            group.create_task(asyncio.sleep(LEAD + self._site.length))
        return played

    async def forget(self, played: Played) -> None:
        """Everybody who is still known withdraws, and every referral is taken back, so that the story can begin again."""
        for alias in played.aliases.values():
            with contextlib.suppress(BridgeError):  # withdrawn within the story, or the engine is being restarted
                await self._ask("consent/withdraw", alias=alias)
        for referral in played.referrals:
            with contextlib.suppress(BridgeError):
                await self._ask("referral/withdraw", referral=referral)

    async def _perform(self, step: Step, played: Played, *, tell: bool) -> None:
        await asyncio.sleep(played.began + step.at - time.time())
        if tell:
            say(f"{step.at:5.1f} s  {_told(step)}")
        try:
            await self._do(step, played)
        except (BridgeError, DemoError, aiohttp.ClientError, OSError) as err:
            played.problems.append(f"{step.at:g} s: {_told(step)}: {err}")

    async def _do(self, step: Step, played: Played) -> None:
        zone = self._site.zones[step.zone] if step.zone else None
        match step.do:
            case "act" if zone:
                await self._hub.act("input_button/press", act_of(zone.zone_id, zone.name).entity_id)
            case "sign" if zone:
                service = "turn_on" if step.lit else "turn_off"
                await self._hub.act(f"input_boolean/{service}", sign_of(zone.zone_id, zone.name).entity_id)
            case "consent" if zone and step.person:
                played.aliases[step.person] = await self._consent(zone.zone_id)
            case "withdraw" if step.person:
                body = {"alias": _known(step.person, played.aliases)}
                await self._hub.post("/api/services/nvr_bridge/withdraw_consent", body)
            case "referral" if step.partner:
                _, _, token = self._links[step.partner].partition("#")
                async with self._engine.client(token) as partner:
                    played.referrals.append((await partner.call("referral/add", contact=step.contact))["referral"])
            case "check_in" if step.person:
                alias = _known(step.person, played.aliases)
                await self._ask("visit/check_in", zone=step.zone, contact=step.contact, alias=alias)
            case "pass" if step.person:
                issued = await self._ask("pass/issue")
                played.passes[step.person], played.aliases[step.person] = issued["code"], issued["alias"]
            case "scan" if step.person:
                await self._ask("pass/scan", zone=step.zone, code=_known(step.person, played.passes))
            case "confirm" if step.person:
                await self._confirm(_known(step.person, played.aliases))
            case _:
                raise DemoError("the story's step names no zone or person")

    async def _ask(self, command: str, **arguments: Any) -> Any:
        """One command to the engine, as the desk gives it."""
        async with self._engine.client() as client:
            return await client.call(command, **arguments)

    async def _confirm(self, alias: str) -> None:
        """The manager has the hub list the cases, and confirms the newest one of this alias as it stands there."""
        answer = await self._hub.post("/api/services/nvr_bridge/list_cases?return_response", {})
        case = next((one for one in answer["service_response"]["cases"] if one["alias"] == alias), None)
        if case is None:
            raise DemoError("the hub lists no case of theirs")
        body = {"case": case["case"], "version": case["version"]}
        await self._hub.post("/api/services/nvr_bridge/confirm_case", body)

    async def _consent(self, zone_id: str) -> str:
        """The one face now at this consent point → its alias."""
        async with self._engine.client() as client:
            zones = (await client.subscribe())["snapshot"]["zones"]
            notice = next(zone["notice_hash"] for zone in zones if zone["id"] == zone_id)
            granted = await client.call(
                "consent/grant", zone=zone_id, notice_hash=notice, purpose=PURPOSE, language="en", expires_in_days=1
            )
            alias: str = granted["alias"]
            return alias


def _known(person: str, by_person: Mapping[str, str]) -> str:
    """The alias or the code of somebody who was given one."""
    if person not in by_person:
        raise DemoError(f"{person} was given none earlier in the story")
    return by_person[person]


def _told(step: Step) -> str:
    where = f" ({step.zone})" if step.zone else ""
    match step.do:
        case "sign":
            return f"the sign goes {'on' if step.lit else 'off'}{where}"
        case "act":
            return f"somebody presses the button{where}"
        case "consent":
            return f"{step.person} agrees to be remembered{where}"
        case "referral":
            return f"{step.partner} files a referral"
        case "check_in":
            return f"{step.person} leaves a telephone number{where}"
        case "pass":
            return f"{step.person} declines, and gets a pass"
        case "scan":
            return f"{step.person} shows the pass{where}"
        case "confirm":
            return f"the manager confirms the verdict on {step.person}"
        case _:
            return f"{step.person} withdraws"
