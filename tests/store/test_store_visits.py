"""Visits: first or returning, extended, ended once, counted, and told in the same transaction."""

from __future__ import annotations

import asyncio

import pytest
from store_site import NOW, Site, open_site

from nvr_bridge.errors import ConflictError, NotFoundError
from nvr_bridge.models import EventKind


async def test_the_second_visit_is_a_return(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    first, told_first = await site.visits.begin(visitor, "desk", NOW, {"confidence": 0.61})
    await site.visits.end(first.visit_id, NOW + 10)
    second, told_second = await site.visits.begin(visitor, "lane", NOW + 100)
    assert (first.earlier, first.returning, told_first.kind) == (0, False, EventKind.FIRST_VISIT)
    assert (second.earlier, second.returning, told_second.kind) == (1, True, EventKind.RETURNING_VISIT)
    assert told_first.data == {"confidence": 0.61}
    assert told_second.zone_id == "lane"
    assert told_second.visit_id == second.visit_id
    assert (await site.log.since(told_first.sequence))[-1] == told_second


async def test_another_visitors_visits_do_not_count(site: Site) -> None:
    one, other = [(await site.grant(person)).consent.visitor_id for person in (1, 2)]
    await site.visits.begin(one, "desk", NOW)
    visit, _ = await site.visits.begin(other, "desk", NOW)
    assert not visit.returning


async def test_two_cameras_at_once_do_not_both_see_the_first_visit(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    begun = await asyncio.gather(*(site.visits.begin(visitor, "lane", NOW + i) for i in range(5)))
    assert sorted(visit.earlier for visit, _ in begun) == [0, 1, 2, 3, 4]
    sequences = [event.sequence for _, event in begun]
    assert len(set(sequences)) == 5


async def test_presence_extends_and_never_shortens(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    visit, _ = await site.visits.begin(visitor, "lane", NOW)
    assert (await site.visits.extend(visit.visit_id, NOW + 5)).last_at == NOW + 5
    assert (await site.visits.extend(visit.visit_id, NOW + 3)).last_at == NOW + 5


async def test_a_visit_ends_once(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    visit, _ = await site.visits.begin(visitor, "lane", NOW)
    ended, event = await site.visits.end(visit.visit_id, NOW + 20, {"seconds": 20})
    assert ended.ended_at == NOW + 20
    assert (event.kind, event.data, event.visitor_id) == (EventKind.VISIT_ENDED, {"seconds": 20}, visitor)
    with pytest.raises(ConflictError):
        await site.visits.end(visit.visit_id, NOW + 21)
    assert site.log.latest() == event.sequence


async def test_a_visitor_who_is_not_remembered_makes_no_visit_and_no_event(site: Site) -> None:
    before = site.log.latest()
    with pytest.raises(NotFoundError, match="withdrawn"):
        await site.visits.begin("nobody", "lane", NOW)
    assert site.log.latest() == before
    with pytest.raises(NotFoundError):
        await site.visits.extend("no such visit", NOW)
    with pytest.raises(NotFoundError):
        await site.visits.end("no such visit", NOW)


async def test_a_visit_id_is_given_once(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    await site.visits.begin(visitor, "lane", NOW, visit_id="mine")
    with pytest.raises(ConflictError, match="exists already"):
        await site.visits.begin(visitor, "lane", NOW, visit_id="mine")


async def test_lists_and_counts(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    made = [(await site.visits.begin(visitor, zone, NOW + at))[0] for at, zone in enumerate(("desk", "lane", "lane"))]
    newest_first = [visit.visit_id for visit in reversed(made)]
    assert [visit.visit_id for visit in await site.visits.list(None, None, None, 10)] == newest_first
    assert [visit.visit_id for visit in await site.visits.list(None, None, None, 2)] == newest_first[:2]
    assert [visit.visit_id for visit in await site.visits.list(NOW + 1, NOW + 2, None, 10)] == [made[1].visit_id]
    assert [visit.visit_id for visit in await site.visits.list(None, None, "desk", 10)] == [made[0].visit_id]
    assert [visit.returning for visit in await site.visits.list(NOW + 1, None, "lane", None)] == [True, True]


async def test_open_visits_are_found_again_after_a_restart(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    ended, _ = await site.visits.begin(visitor, "desk", NOW)
    await site.visits.end(ended.visit_id, NOW + 1)
    still, _ = await site.visits.begin(visitor, "lane", NOW + 60)
    await site.db.close()
    async with open_site(site.data_dir) as again:
        assert list(await again.visits.open_visits()) == [still]
