"""A clock that jumped removes nothing, ends no consent, and is believed again when it is right or a person says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from keeper_site import SITE, Kept, kept_site

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
    for day in range(0, 400, 10):
        kept.on_day(day)
        await kept.keeper.keep()
    assert await count(kept) == (0, 0, 0)
