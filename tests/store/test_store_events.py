"""The event log and the bus: numbers that grow and never come again, and everybody told in order."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import delete
from store_site import NOW, Site, open_site

from nvr_bridge.events import Bus, Forget, Push, State, Told, shown
from nvr_bridge.models import Event, EventKind
from nvr_bridge.store.schema import Data, EventRow


async def tell(site: Site, **data: int) -> Event:
    async with site.db.write() as session:
        return await site.log.append(
            session, kind=EventKind.FIRST_VISIT, occurred_at=NOW, zone_id="lane", visit_id="v", data=data
        )


async def test_what_was_missed_can_be_asked_for(site: Site) -> None:
    told = [await tell(site, n=n) for n in range(5)]
    assert await site.log.since(0) == told
    assert await site.log.since(told[2].sequence) == told[3:]
    assert await site.log.since(told[-1].sequence) == []
    assert site.log.latest() == told[-1].sequence


async def test_the_latest_is_what_is_committed_not_what_is_pending(site: Site) -> None:
    before = site.log.latest()
    async with site.db.write() as session:
        event = await site.log.append(session, kind=EventKind.FIRST_VISIT, occurred_at=NOW, zone_id="lane")
        assert site.log.latest() == before
    assert site.log.latest() == event.sequence


async def test_numbers_grow_in_the_order_of_commits(site: Site) -> None:
    order: list[int] = []

    async def one(n: int) -> None:
        order.append((await tell(site, n=n)).sequence)

    await asyncio.gather(*(one(n) for n in range(20)))
    assert order == sorted(order)
    assert len(set(order)) == 20


async def test_a_number_is_never_given_again_not_even_when_its_event_is_deleted(site: Site) -> None:
    last = [await tell(site, n=n) for n in range(3)][-1].sequence
    async with site.db.write() as session:
        await session.execute(delete(EventRow))
    await site.db.close()
    async with open_site(site.data_dir) as again:
        assert again.log.latest() == last
        assert (await tell(again)).sequence == last + 1


async def test_the_last_event_of_a_zone_is_its_own(site: Site) -> None:
    assert await site.log.last_of("lane") is None
    told = [await tell(site, n=n) for n in range(3)]
    async with site.db.write() as session:
        await site.log.append(session, kind=EventKind.FIRST_VISIT, occurred_at=NOW, zone_id="desk")
    assert await site.log.last_of("lane") == told[-1]


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        (EventKind.FIRST_VISIT, {}, ["first_visit"]),
        (EventKind.PERSON_APPROACHING, {"frame_at": 1.0}, ["person_approaching"]),
        (EventKind.VERDICT, {"attribution": "natural", "new_answer": True, "new_risks": ""}, ["attribution"]),
        (
            EventKind.VERDICT,
            {"attribution": "channel", "new_answer": True, "new_risks": "late_referral"},
            ["channel_visit", "risk_raised", "attribution"],
        ),
        (EventKind.VERDICT, {"attribution": "channel", "new_answer": False, "new_risks": ""}, ["attribution"]),
    ],
)
def test_the_words_that_a_hub_shows_an_event_by(kind: EventKind, data: Data, words: list[str]) -> None:
    assert shown(Event(1, kind, NOW, "lane", None, None, data)) == words


def test_everybody_attached_is_told_in_order() -> None:
    bus, first, second = Bus(), list[Push](), list[Push]()
    event = Event(1, EventKind.VISIT_ENDED, NOW, "lane", None, None)
    bus.publish(Told(event))
    detach_first = bus.attach(first.append)
    bus.publish(State("engine", {"armed": True}, NOW))
    detach_second = bus.attach(second.append)
    bus.publish(Forget("amber falcon 42", ("v",)))
    detach_first()
    detach_first()
    bus.publish(Told(event))
    detach_second()
    bus.publish(Told(event))
    assert first == [State("engine", {"armed": True}, NOW), Forget("amber falcon 42", ("v",))]
    assert second == [Forget("amber falcon 42", ("v",)), Told(event)]


def test_a_listener_may_leave_while_it_is_told() -> None:
    bus, told = Bus(), list[str]()

    def leave(_: Push) -> None:
        told.append("leaving")
        detach()

    detach = bus.attach(leave)
    bus.attach(lambda _: told.append("staying"))
    bus.publish(Forget("amber falcon 42", ()))
    bus.publish(Forget("amber falcon 42", ()))
    assert told == ["leaving", "staying", "staying"]
