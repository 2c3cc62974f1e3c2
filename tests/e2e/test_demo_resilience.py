"""A camera, the engine and the hub go down in turn while a person walks by: each comes back, and no event is lost or doubled."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from machine import HUB

from demo.evidence import SHOWN_AS, VISIT_KINDS, showings
from demo.hub import act_of
from demo.people import cut_out
from demo.record import Change, change_of
from demo.stage import CACHE, Stage, prepare, running
from demo.timeline import Site, load
from nvr_bridge.errors import BridgeError
from nvr_bridge.models import EventKind

VISIT_GAP = 2.0
WALK = 5.5  # seconds
ACT = 1.6  # seconds into the story, once the face is in view
PATIENCE = 40.0  # seconds within which anything must come about
GONE = ("unavailable", "missing")
LOGGED = (*VISIT_KINDS, EventKind.VERDICT)


@dataclass
class Scene:
    """The running site, and what was seen of the hub: its changes as they were told, and its recorder's rows."""

    stage: Stage
    began: float = field(default_factory=time.time)
    changes: list[Change] = field(default_factory=list)
    there: list[str] = field(default_factory=list)  # the entities that are available while all is well

    def told(self, data: dict[str, Any]) -> None:
        """A `state_changed` of the hub."""
        if data["new_state"] is not None:
            self.changes.append(change_of(data["new_state"]))

    async def passage(self, until: str | None = None) -> None:
        """Mei walks through the lane and presses the button; wait for the hub to be told `until`, or not at all."""
        known = len(self.shown())
        self.stage.clock.begin(time.monotonic() + 0.3)
        await asyncio.sleep(0.3 + ACT)
        lane = self.stage.site.zones["lane"]
        await self.stage.hub.act("input_button/press", act_of("lane", lane.name).entity_id)
        if until is not None:
            await self.until(f"{until} in the hub", lambda: until in self.kinds()[known:])

    def shown(self) -> list[Change]:
        """Every showing of an event in the hub, in order."""
        found = showings(self.changes, [SHOWN_AS[kind] for kind in LOGGED])
        return sorted(found, key=lambda change: change.attributes["sequence"])

    def kinds(self) -> list[str]:
        """What these were."""
        return [change.attributes["event_type"] for change in self.shown()]

    async def read_history(self) -> None:
        """Add what the hub's recorder saw while nobody listened."""
        visits = [self.stage.entities.zone(zone, "visit") for zone in self.stage.site.zones]
        self.changes += [change_of(state) for state in await self.stage.hub.history(visits, self.began)]

    async def until(self, what: str, check: Callable[[], bool]) -> None:
        """Wait for something to come about."""
        deadline = time.monotonic() + PATIENCE
        while not check():
            assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
            await asyncio.sleep(0.05)

    async def engine_log(self) -> list[dict[str, Any]]:
        """What the engine's log tells of visits."""
        async with self.stage.engine.client() as client:
            return [dict(event) for event in (await client.subscribe(0))["events"] if event["kind"] in LOGGED]

    async def hub_shows(self, what: str, check: Callable[[Callable[[str], str]], bool]) -> None:
        """Wait until the hub's states are so; `check` is given a look-up from entity to state."""

        def checked(states: dict[str, dict[str, Any]]) -> bool:
            return check(lambda entity: str(states.get(entity, {}).get("state", "missing")))

        await self.stage.hub.wait_for(what, checked, PATIENCE)

    async def truth(self) -> None:
        """Wait until all is up again and the hub's counts are the engine's."""
        await self.hub_shows("every entity", lambda state: not any(state(name) in GONE for name in self.there))
        await self.stage.online()
        known = self.stage.entities
        async with self.stage.engine.client() as client:
            zones = (await client.subscribe())["snapshot"]["zones"]
        await self.hub_shows(
            "the engine's counts",
            lambda state: all(
                state(known.zone(zone["id"], key)) == str(zone[key])  # type: ignore[literal-required]
                for zone in zones
                for key in ("visits_today", "returning_today", "people_today")
            ),
        )


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    """A site where mei has agreed to be remembered, and everything runs."""
    site = _short_site()
    recordings = await asyncio.to_thread(prepare, site, CACHE / "video-short")
    async with running(site, recordings, folder, HUB, VISIT_GAP) as stage:
        await _enrol(stage)
        states = await stage.hub.states()
        made = Scene(stage, there=[name for name in stage.entities.all() if states[name]["state"] not in GONE])
        ready = asyncio.Event()
        listener = asyncio.create_task(stage.hub.listen(made.told, ready.set))
        try:
            await ready.wait()
            yield made
        finally:
            listener.cancel()
            await asyncio.wait([listener])


@pytest.mark.needs_hub
@pytest.mark.needs_models
@pytest.mark.timeout(400)
async def test_each_part_comes_back_by_itself_and_no_event_is_lost(tmp_path: Path) -> None:
    async with scene(tmp_path) as site:
        await site.passage(until="visit_ended")
        assert site.kinds() == ["first_visit", "attribution", "visit_ended"]
        await _camera_goes_down(site)
        await _engine_goes_down(site, signal.SIGTERM)
        await _engine_goes_down(site, signal.SIGKILL)
        await _hub_goes_down(site, signal.SIGTERM)
        await _hub_goes_down(site, signal.SIGKILL)
        await site.passage(until="visit_ended")
        await _compare(site)
        await _withdrawal_outlasts_a_restart(site)


async def _camera_goes_down(site: Scene) -> None:
    known, device = site.stage.entities, site.stage.cameras.onvif["lane"]
    camera = site.stage.discovered.camera_ids["lane"]
    await site.passage(until="returning_visit")
    await device.stop()
    await site.hub_shows(
        "the camera as down",
        lambda state: (
            state(known.camera(camera, "online")) == "off"
            and state(known.camera(camera, "stream")) in GONE
            and state(known.zone("lane", "people_present")) in GONE
        ),
    )
    await device.start()
    await site.truth()


async def _engine_goes_down(site: Scene, how: signal.Signals) -> None:
    known, process = site.stage.entities, site.stage.engine.process
    await site.passage(until="returning_visit")
    assert process.pid is not None
    os.kill(process.pid, how)  # its supervisor starts it again
    names = [known.zone(zone, "people_today") for zone in site.stage.site.zones] + [known.engine("armed")]
    await site.hub_shows("the engine as down", lambda state: all(state(name) in GONE for name in names))
    told = [change.attributes["sequence"] for change in site.shown()]
    await site.truth()
    logged = [event["sequence"] for event in await site.engine_log()]
    assert set(told) <= set(logged), "the hub was told events that the engine's store does not have"


async def _hub_goes_down(site: Scene, how: signal.Signals) -> None:
    await site.passage(until="returning_visit")
    await site.stage.server.process.stop(how)
    async with site.stage.engine.client() as client:
        lane = next(zone for zone in (await client.subscribe())["snapshot"]["zones"] if zone["id"] == "lane")
    assert not lane["armed"], "recognition goes on without the hub that reports the sign"
    deadline = time.monotonic() + PATIENCE
    while (missed := (await site.engine_log())[-1])["kind"] != "visit_ended":  # it ends while the hub is away
        assert time.monotonic() < deadline, "the visit did not end"
        await asyncio.sleep(0.2)
    await site.stage.server.start()
    await site.truth()
    visit = site.stage.entities.zone(missed["zone"], "visit")
    shown = (await site.stage.hub.states())[visit]["attributes"]
    assert (shown["sequence"], shown["event_type"], shown["replayed"]) == (missed["sequence"], "visit_ended", True)


async def _compare(site: Scene) -> None:
    """By sequence number: all that the engine logged was shown, once. Only what a killed hub repeats may come twice."""
    await asyncio.sleep(2)  # the hub's recorder writes every second
    await site.read_history()
    times = defaultdict[int, list[Change]](list)
    for change in site.shown():
        times[change.attributes["sequence"]].append(change)
    logged = [event["sequence"] for event in await site.engine_log()]
    assert sorted(times) == logged
    repeated = {sequence: shown for sequence, shown in times.items() if len(shown) > 1}
    assert len(repeated) <= 2, f"told twice: {repeated}"  # that a visit began, and what it came to
    for shown in repeated.values():
        assert [change.attributes["replayed"] for change in shown] == [False, True]


async def _withdrawal_outlasts_a_restart(site: Scene) -> None:
    """After it, the same person is nobody, also for an engine that was killed and started again."""
    stage = site.stage
    async with stage.engine.client() as client:
        (consent,) = await client.call("consent/list")
    await stage.hub.post("/api/services/nvr_bridge/withdraw_consent", {"alias": consent["alias"]})
    await stage.engine.process.stop(signal.SIGKILL)
    await stage.engine.start()
    await site.truth()
    events = await site.engine_log()
    began = time.time()
    await site.passage()
    deadline = time.monotonic() + PATIENCE
    seen: list[dict[str, Any]] = []
    while not seen:
        assert time.monotonic() < deadline, "nobody was seen in the lane"
        await asyncio.sleep(0.2)
        async with stage.engine.client() as client:
            seen = await client.call("sighting/list", zone="lane", since=_iso(began))
    assert [sighting["reason"] for sighting in seen] == ["no_match"]
    assert await site.engine_log() == events
    with pytest.raises(BridgeError, match="alias"):
        async with stage.engine.client() as client:
            await client.call("consent/withdraw", alias=consent["alias"])


def _short_site() -> Site:
    """One person, who passes the lane; and a recorder with one channel, where nobody comes."""
    site = load()
    walk = next(walk for walk in site.walks if walk.person == "mei" and walk.camera == "lane" and not walk.look)
    lobby = replace(site.cameras["lobby"], channel="1")
    return replace(
        site,
        length=8.0,
        cameras={"lane": site.cameras["lane"], "lobby": lobby},
        partners={},
        walks=(replace(walk, at=1.0, seconds=WALK),),
        steps=(),
        events=(),
        verdicts=(),
    )


async def _enrol(stage: Stage) -> None:
    """Mei agrees, and hands over a photo."""
    look = stage.site.people["mei"][0]
    async with stage.engine.client() as client:
        zones = (await client.subscribe())["snapshot"]["zones"]
        await client.call(
            "consent/grant",
            zone="desk",
            notice_hash=zones[0]["notice_hash"],
            purpose="to be recognised on the next visit",
            language="en",
            expires_in_days=1,
            photo=await asyncio.to_thread(_portrait, CACHE / "photos" / look.photo, look),
        )


def _portrait(photo: Path, look: Any) -> str:
    """One person on grey, as base64 of a JPEG."""
    image = cv2.imread(str(photo))
    assert image is not None
    figure = cut_out(np.asarray(image, dtype=np.uint8), look)
    alpha = figure.alpha[..., None]
    alone = (figure.image * alpha + 190 * (1 - alpha)).astype(np.uint8)
    return base64.b64encode(cv2.imencode(".jpg", alone)[1].tobytes()).decode()


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(moment))
