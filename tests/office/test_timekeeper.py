"""A clock that jumped removes nothing, ends no consent, and is believed again when it is right or a person says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from keeper_site import DAY, SITE, Kept, kept_site

from nvr_bridge.errors import ConflictError
from nvr_bridge.models import Known, Unknown

AS_ASKED = {"clock_is_right": False}
FIFTY_YEARS = 50 * 365.0


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    """A site with a visitor who agreed, and was there; it purged once."""
    async with kept_site(tmp_path) as opened:
        ann = await opened.agree(1)
        await opened.visit(ann, 0, seen=0.6)
        await opened.passer_by(0)
        await opened.keeper.keep()
        yield opened


async def count(kept: Kept) -> tuple[int, int, int]:
    """Visits, sightings and templates that are kept."""
    sightings = await kept.site.sightings.list(None, None, 100)
    return len(await kept.site.visits.all()), len(sightings), len(await kept.site.records.templates())


async def test_a_jump_of_years_removes_nothing_and_says_so_once(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    before = await count(kept)
    for jump in (FIFTY_YEARS, 15):
        kept.on_day(jump)
        for _ in range(2):
            await kept.keeper.keep()
            await kept.keeper.expire()
        assert kept.keeper.clock_doubted()
        with pytest.raises(ConflictError, match=r"the clock shows .* 15 days|the clock shows .* 18250 days"):
            await kept.keeper.retention_purge(AS_ASKED, "token")
    assert await count(kept) == before == (1, 2, 3)
    assert caplog.text.count("so nothing is removed; set the clock right, or if it is, give") == 1
    assert caplog.records[-1].levelname == "ERROR"


async def test_by_a_clock_that_jumped_nobody_is_recognised_whose_consent_would_be_over(kept: Kept) -> None:
    kept.on_day(FIFTY_YEARS)
    await kept.keeper.expire()
    assert isinstance(await kept.match(1), Unknown)
    assert kept.site.records.subjects == 1
    kept.on_day(0.1)
    await kept.keeper.expire()
    assert isinstance(await kept.match(1), Known)
    await kept.keeper.retention_purge(AS_ASKED, "token")


async def test_who_asked_to_be_erased_is_erased_whatever_the_clock_shows(kept: Kept) -> None:
    kept.on_day(FIFTY_YEARS)
    (ann,) = [visit.visitor_id for visit in await kept.site.visits.all()]
    assert ann
    await kept.leaving.erase(ann)
    assert kept.site.records.subjects == 0


async def test_a_person_says_that_it_is_right(kept: Kept) -> None:
    kept.on_day(400)
    done = await kept.keeper.retention_purge({"clock_is_right": True, "by": "user 7"}, "token")
    assert done["removed"]["visitors"] == 1
    assert await count(kept) == (0, 0, 0)
    assert not kept.keeper.clock_doubted()
    acts = [each.data for each in await kept.site.ledger.since(0) if each.act == "clock_confirmed"]
    assert acts == [{"token": "token", "user": "user 7"}]
    kept.on_day(401)
    await kept.keeper.retention_purge({"clock_is_right": True}, "token")  # which nobody doubted
    assert len([each for each in await kept.site.ledger.since(0) if each.act == "clock_confirmed"]) == 1


async def test_a_clock_that_starts_long_ago_is_no_measure_of_the_next_one(kept: Kept, tmp_path: Path) -> None:
    kept.on_day(-FIFTY_YEARS / 2)
    await kept.keeper.keep()
    await kept.keeper.load()  # as after a restart
    kept.on_day(1)
    assert not kept.keeper.clock_doubted()  # it was set
    kept.on_day(FIFTY_YEARS)
    await kept.keeper.retention_purge({"clock_is_right": True}, "token")  # which was a mistake
    for hours in range(26):  # the clock was set right again, and runs
        kept.on_day(2 + hours / 24)
        await kept.keeper.keep()
    kept.on_day(FIFTY_YEARS)
    assert kept.keeper.clock_doubted()


async def test_it_is_known_after_a_restart_when_the_last_purge_was(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as kept:
        await kept.visit(await kept.pass_for(), 0)
        await kept.keeper.keep()
    async with kept_site(tmp_path, SITE, begins=400) as kept:
        await kept.keeper.keep()
        assert (kept.keeper.clock_doubted(), len(await kept.site.visits.all())) == (True, 1)
    async with kept_site(tmp_path, SITE, begins=13) as kept:
        await kept.keeper.keep()
        assert not kept.keeper.clock_doubted()


async def test_a_clock_that_runs_is_believed_however_long_it_runs(kept: Kept) -> None:
    for _ in range(40):
        kept.run_for(10)
        await kept.keeper.keep()
    assert await count(kept) == (0, 0, 0)


async def test_many_jumps_of_which_each_could_be_believed_are_not_in_all(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    before = await count(kept)
    for day in range(0, 400, 10):
        kept.on_day(day)
        await kept.keeper.keep()
        await kept.keeper.expire()
    kept.on_day(20)
    with pytest.raises(ConflictError, match=r", 10 days after .*, and 20 days in all while no engine ran, so nothing"):
        await kept.keeper.retention_purge(AS_ASKED, "token")
    assert await count(kept) == before == (1, 2, 3)
    assert caplog.text.count("so nothing is removed") == 1
    kept.run_for(2)
    assert not kept.keeper.clock_doubted()  # the engine ran, and so did the clock


async def test_nor_in_all_over_restarts(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as kept:
        await kept.visit(await kept.pass_for(), 0)
        await kept.keeper.keep()
    doubted = []
    for begins in range(6, 366, 6):  # each time it is off for six days, and runs for half of one
        async with kept_site(tmp_path, SITE, begins=begins) as kept:
            await kept.keeper.keep()
            kept.run_for(0.5)
            await kept.keeper.keep()
            doubted.append(kept.keeper.clock_doubted())
            assert len(await kept.site.visits.all()) == 1
    assert doubted == [False] * 3 + [True] * 57
    async with kept_site(tmp_path, SITE, begins=begins + 6) as kept:
        await kept.keeper.retention_purge({"clock_is_right": True}, "token")
        assert await kept.site.visits.all() == []
    async with kept_site(tmp_path, SITE, begins=begins + 12) as kept:
        assert not kept.keeper.clock_doubted()


async def test_an_office_that_is_closed_at_night_and_on_weekends_is_never_asked(tmp_path: Path) -> None:
    for day in range(1, 36):
        if day % 7 in (5, 6):
            continue
        async with kept_site(tmp_path, SITE, begins=day) as kept:
            await kept.keeper.keep()
            kept.run_for(10 / 24)
            await kept.keeper.keep()
            assert not kept.keeper.clock_doubted(), day


async def test_a_clock_that_jumps_while_a_purge_is_waited_for_removes_nothing(kept: Kept) -> None:
    before = await count(kept)
    kept.run_for(1)
    async with kept.site.db.write():  # one purge runs, and cannot end
        purges = [asyncio.create_task(kept.keeper.keep()) for _ in range(2)]
        purges.append(asyncio.create_task(kept.keeper.retention_purge(AS_ASKED, "token")))
        await asyncio.sleep(0.1)
        kept.clock[0] += FIFTY_YEARS * DAY
    done = await asyncio.gather(*purges, return_exceptions=True)
    assert [type(each) for each in done] == [type(None), type(None), ConflictError]
    assert await count(kept) == before == (1, 2, 3)
