"""The site's counts of today: as its visits' verdicts were last told, without reading the store each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from verdict_engine import ZONE, Engine, at, holder, started

from nvr_bridge.errors import RetryError
from nvr_bridge.events import Told
from nvr_bridge.models import Box, CaseState, ReviewAct, Sighting, Track, Unknown, UnknownReason, Visit
from nvr_bridge.site import Site
from nvr_bridge.today import Today
from nvr_bridge.visits.evidence import contact

OTHER = contact("13800000002", b"a site's")


class SlowCases:
    """Cases of which something happens while they are read."""

    def __init__(self, engine: Engine, meanwhile: Callable[[], Any]) -> None:
        self._engine = engine
        self._meanwhile = meanwhile

    async def told_since(self, since: float) -> Sequence[tuple[str, str, int, dict[str, Any] | None]]:
        rows = await self._engine.site.cases.told_since(since)
        await self._meanwhile()
        return rows


class Counting:
    """What counts, told by the engine's bus, and what tells it."""

    def __init__(self, engine: Engine, people: int = 0, cases: Any = None) -> None:
        store = (cases or engine.site.cases, engine.site.sightings)
        self.today = Today(ZONE, ["desk", "lane"], *store, engine.bus, clock=lambda: engine.now)
        self.site = Site("Riverside", self.today, lambda: people, engine.bus)
        self.status = self.site.status

    async def sweep(self) -> None:
        """As the engine does every second."""
        await self.today.sweep()
        self.site.push()


def site_of(engine: Engine, people: int = 0, cases: Any = None) -> Counting:
    """That, of this engine."""
    return Counting(engine, people, cases)


def counts(site: Counting) -> dict[str, Any]:
    """What is not nought."""
    return {key: value for key, value in site.status().items() if value and key not in {"name", "day_started_at"}}


async def comes(engine: Engine, *args: Any) -> Visit:
    """Somebody comes, and it is told."""
    visit = await engine.comes(*args)
    engine.bus.publish(Told((await engine.site.log.since(0))[-1]))
    return visit


async def test_of_a_day_on_which_nobody_came_there_is_no_share(tmp_path: Path) -> None:
    async with started(tmp_path, at("9:00")) as engine:
        site = site_of(engine)
        await site.sweep()
        assert site.status() == {
            "name": "Riverside",
            "day_started_at": "2026-03-01T16:00:00.000+00:00",
            "visits_today": 0,
            "natural_today": 0,
            "channel_today": 0,
            "staff_today": 0,
            "undetermined_today": 0,
            "unregistered_today": 0,
            "returning_share": None,
            "people_present": 0,
        }


async def test_verdicts_are_counted_as_told_and_moved_when_they_change(tmp_path: Path) -> None:
    async with started(tmp_path, at("9:00")) as engine:
        site = site_of(engine, people=3)
        await site.sweep()
        ana = await comes(engine, await holder(engine.site))
        assert counts(site) == {"visits_today": 1, "people_present": 3}
        await engine.after()
        assert counts(site) == {"visits_today": 1, "natural_today": 1, "people_present": 3}
        await comes(engine, None, OTHER)
        await engine.decides(ana, ReviewAct.CHANGE, CaseState.CHANGED, attribution="undetermined", partner=None)
        await engine.after()
        assert counts(site) == {"visits_today": 2, "natural_today": 1, "undetermined_today": 1, "people_present": 3}


async def test_a_restart_counts_the_day_as_it_was_told(tmp_path: Path) -> None:
    async with started(tmp_path, at("9:00")) as engine:
        visitor = await holder(engine.site)
        visit = await engine.comes(visitor)
        await engine.site.visits.end(visit.visit_id, at("9:30"))
        engine.now = at("11:00")
        again = await engine.comes(visitor)
        await engine.decides(again, ReviewAct.CHANGE, CaseState.CHANGED, attribution="staff", partner=None)
        await engine.after()
        await engine.comes(None, OTHER)  # of which nothing was told yet
    async with started(tmp_path, at("12:00")) as engine:
        site = site_of(engine)
        await site.sweep()
        assert counts(site) == {"visits_today": 3, "natural_today": 1, "staff_today": 1, "returning_share": 33.3}


async def test_a_day_begins_at_local_midnight_with_nothing(tmp_path: Path) -> None:
    async with started(tmp_path, at("23:50")) as engine:
        site = site_of(engine)
        await site.sweep()
        late = await comes(engine, await holder(engine.site))
        await engine.after()
        engine.now = at("0:01", day=1)
        await site.sweep()
        assert counts(site) == {}
        assert site.status()["day_started_at"] == "2026-03-02T16:00:00.000+00:00"
        await engine.decides(late, ReviewAct.CHANGE, CaseState.CHANGED, attribution="staff", partner=None)
        await engine.after()
        assert counts(site) == {}, "yesterday's verdicts are yesterday's"


async def test_who_came_just_before_midnight_is_not_counted_after_it(tmp_path: Path) -> None:
    async with started(tmp_path, at("23:59")) as engine:
        site = site_of(engine)
        await site.sweep()
        _, event = await engine.site.visits.begin(await holder(engine.site), "desk", engine.now)
        engine.now = at("0:00", day=1)
        await site.sweep()
        engine.bus.publish(Told(event))  # only now
        await engine.after()
        assert counts(site) == {}


async def test_that_nobody_registered_counts_from_the_close_of_day(tmp_path: Path) -> None:
    async with started(tmp_path, at("15:00")) as engine:
        site = site_of(engine)
        await site.sweep()
        visitor = await holder(engine.site)
        visit, event = await engine.site.visits.begin(visitor, "desk", engine.now)
        engine.bus.publish(Told(event))
        await engine.site.visits.end(visit.visit_id, engine.now)
        engine.unjudged.visit(visit.visit_id)
        await engine.after()
        before = counts(site)
        engine.now = at("20:00")
        await engine.after()
        await engine.after()
        assert (before.get("unregistered_today"), counts(site).get("unregistered_today")) == (None, 1)


async def test_what_happens_while_the_day_is_read_is_not_lost(tmp_path: Path) -> None:
    async with started(tmp_path, at("9:00")) as engine:
        await engine.comes(await holder(engine.site))

        async def meanwhile() -> None:
            await comes(engine, None, OTHER)
            await engine.after()

        site = site_of(engine, cases=SlowCases(engine, meanwhile))
        await site.sweep()
        assert counts(site) == {"visits_today": 2, "natural_today": 2}


async def test_each_zone_counts_its_own_and_everybody_who_was_seen_there(tmp_path: Path) -> None:
    async with started(tmp_path, at("9:00")) as engine:
        today = site_of(engine).today
        for number, zone, when in ((1, "lane", "8:00"), (2, "lane", "8:30"), (3, "desk", "8:30")):
            await engine.site.sightings.add(nobody(number, zone, at(when)))
        await engine.site.sightings.add(nobody(4, "lane", at("23:00", day=-1)))
        await today.sweep()
        visit = await comes(engine, None, OTHER)
        for number, when in ((5, at("9:00")), (6, at("23:59", day=-1))):  # one of them came before midnight
            today.seen(Track("door", "lane", number, when, when + 60, 5, Box(0, 0, 40, 50)))
        assert [today.in_zone(zone, "people") for zone in ("lane", "desk", "pool")] == [3, 1, 0]
        assert [today.in_zone(zone, "visits") for zone in ("lane", "desk")] == [0, 1]
        await engine.after()
        assert today.in_zone("desk", "natural") == 1
        assert visit.zone_id == "desk"


async def test_what_waits_is_counted_today_and_noticed_of_earlier_days(tmp_path: Path) -> None:
    async with started(tmp_path, at("23:00")) as engine:
        today = site_of(engine).today
        await today.sweep()
        visit = await comes(engine, await holder(engine.site))
        await engine.after()
        assert (today.on_site("waiting"), today.older) == (0, 0)
        await engine.decides(visit, ReviewAct.SEND_BACK, CaseState.SENT_BACK)
        await engine.after()
        assert (today.on_site("waiting"), today.older) == (1, 0)
        engine.now = at("0:01", day=1)
        await today.sweep()
        assert (today.on_site("waiting"), today.older) == (0, 0)
        await engine.decides(visit, ReviewAct.CHANGE, CaseState.CHANGED, attribution="staff", partner=None)
        await engine.after()
        assert (today.on_site("waiting"), today.older) == (0, 1)


async def test_a_day_that_could_not_be_read_is_read_again(tmp_path: Path) -> None:
    async with started(tmp_path, at("9:00")) as engine:
        await engine.comes(await holder(engine.site))

        async def meanwhile() -> None:
            if not failed:
                failed.append(True)
                raise RetryError("store: cannot be read now")

        failed: list[bool] = []
        today = site_of(engine, cases=SlowCases(engine, meanwhile)).today
        with pytest.raises(RetryError):
            await today.sweep()
        await today.sweep()
        assert today.on_site("visits") == 1


def nobody(number: int, zone: str, when: float) -> Sighting:
    """Somebody unknown, seen at a door."""
    who = Unknown(UnknownReason.NO_ACT)
    return Sighting("door", zone, number, when, when + 1, who, when + 1)


async def test_what_changed_is_told_once_for_each_sweep(tmp_path: Path) -> None:
    async with started(tmp_path, at("9:00")) as engine:
        site = site_of(engine)

        def told() -> list[Any]:
            return [push.data["visits_today"] for push in engine.heard if getattr(push, "kind", "") == "site"]

        await site.sweep()
        await site.sweep()
        assert told() == [0]
        for contact_given in (OTHER, contact("13800000003", b"a site's")):
            await comes(engine, None, contact_given)
        await site.sweep()
        await site.sweep()
        assert told() == [0, 2]
