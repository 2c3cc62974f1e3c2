"""Who read what: the first at once, what follows soon together, and nothing forgotten."""

from __future__ import annotations

import asyncio

import pytest
from store_site import NOW, Site

from nvr_bridge.consent.readings import TOGETHER, Readings
from nvr_bridge.errors import RetryError


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def readings(site: Site, clock: Clock) -> Readings:
    return Readings(site.ledger, clock)


async def written(site: Site) -> list[tuple[object, ...]]:
    return [(entry.act, *entry.data.values()) for entry in await site.ledger.since(0)]


async def test_a_reading_names_the_client_and_how_much_it_was_given(site: Site, readings: Readings) -> None:
    await readings.read("read_visits", "viewer", "t1", 12)
    (entry,) = await site.ledger.since(0)
    assert (entry.act, entry.zone_id, entry.subject) == ("read_visits", None, None)
    assert entry.data == {"role": "viewer", "token": "t1", "rows": 12}


async def test_what_users_of_one_hub_read_is_told_apart(site: Site, readings: Readings) -> None:
    for user in ("u1", "u2", None, "u1"):
        await readings.read("read_referrals", "hub", "t1", 3, user)
    await readings.close()
    assert [(entry.data["rows"], entry.data.get("user")) for entry in await site.ledger.since(0)] == [
        (3, "u1"),
        (3, "u2"),
        (3, None),
        (3, "u1"),
    ]


async def test_what_is_read_again_soon_is_one_entry(site: Site, readings: Readings, clock: Clock) -> None:
    for _ in range(5):
        await readings.read("read_visits", "viewer", "t1", 12)
    assert len(await written(site)) == 1
    clock.now += TOGETHER - 1
    await readings.flush()
    assert len(await written(site)) == 1
    clock.now += 1
    await readings.flush()
    await readings.flush()
    assert await written(site) == [
        ("read_visits", "viewer", "t1", 12),
        ("read_visits", "viewer", "t1", 48, 4),
    ]


async def test_what_is_read_after_that_begins_anew(site: Site, readings: Readings, clock: Clock) -> None:
    await readings.read("read_visits", "viewer", "t1", 1)
    await readings.read("read_visits", "viewer", "t1", 2)
    clock.now += TOGETHER
    await readings.read("read_visits", "viewer", "t1", 3)
    clock.now += TOGETHER
    await readings.flush()
    assert [row[3:] for row in await written(site)] == [(1,), (2, 1), (3,)]


async def test_others_and_other_things_are_entries_of_their_own(site: Site, readings: Readings) -> None:
    await readings.read("read_visits", "viewer", "t1", 1)
    await readings.read("read_visits", "viewer", "t2", 1)
    await readings.read("read_sightings", "viewer", "t1", 1)
    assert len(await written(site)) == 3


async def test_at_the_end_nothing_is_left_unwritten(site: Site, readings: Readings) -> None:
    await asyncio.gather(*(readings.read("read_visits", "viewer", "t1", 2) for _ in range(7)))
    await readings.close()
    await readings.close()
    rows = await written(site)
    assert sum(int(str(row[3])) for row in rows) == 14
    assert sum(int(str(row[4])) if len(row) > 4 else 1 for row in rows) == 7


async def test_a_clock_that_was_set_back_does_not_hold_anything_back(
    site: Site, readings: Readings, clock: Clock
) -> None:
    await readings.read("read_visits", "viewer", "t1", 1)
    clock.now -= 86400
    await readings.read("read_visits", "viewer", "t1", 1)
    assert len(await written(site)) == 2


async def test_what_cannot_be_written_is_refused_and_what_was_counted_is_kept(
    site: Site, readings: Readings, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await readings.read("read_visits", "viewer", "t1", 1)
    await readings.read("read_visits", "viewer", "t1", 5)
    clock.now += TOGETHER
    async with site.db.write():  # held by a transaction that does not end
        reading = asyncio.create_task(readings.read("read_visits", "viewer", "t1", 1))
        await asyncio.sleep(0.05)
        assert not reading.done()
    await reading
    assert [row[3:] for row in await written(site)] == [(1,), (5, 1), (1,)]
    await site.db.close()
    await readings.read("read_visits", "viewer", "t1", 1)  # counted: it was told a moment ago
    with pytest.raises(RetryError):
        await readings.read("read_visits", "viewer", "t2", 1)
    await readings.close()
    assert "is not in it" in caplog.text
