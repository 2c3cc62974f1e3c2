"""Presence becomes visits, visits become events, and a restart takes over what was open."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from nvr_bridge.consent.ledger import Ledger
from nvr_bridge.consent.records import Records
from nvr_bridge.consent.vault import Vault
from nvr_bridge.errors import NotFoundError, RetryError
from nvr_bridge.events import Bus, EventLog, Push, Told
from nvr_bridge.models import EventKind, Known, Visit
from nvr_bridge.store import prepare
from nvr_bridge.store.database import Database
from nvr_bridge.store.registrations import RegistrationTable
from nvr_bridge.store.visits import VisitTable
from nvr_bridge.visits.attendance import Attendance
from nvr_bridge.visits.evidence import Settings
from nvr_bridge.visits.sessions import confidence_band
from nvr_bridge.visits.unjudged import Unjudged

GAP = 10.0


class Site:
    """A store with one visitor, and attendance over it with a clock that the test turns."""

    def __init__(self, database: Database, records: Records, log: EventLog, visitor_id: str) -> None:
        self.database = database
        self.records = records
        self.log = log
        self.visits = VisitTable(database, log)
        self.known = Known(visitor_id, 0.71234, 0.3)
        self.now = 1000.0
        self.told: list[Push] = []
        self.attendance = self.restarted()

    def restarted(self) -> Attendance:
        bus = Bus()
        bus.attach(self.told.append)
        return Attendance(
            self.visits, bus, Unjudged(), lambda _: GAP, partial(confidence_band, settings=Settings()), lambda: self.now
        )

    @property
    def kinds(self) -> list[EventKind]:
        return [push.event.kind for push in self.told if isinstance(push, Told)]


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr(prepare, "BUSY_SECONDS", 0.05)
    database = await Database.open(tmp_path)
    vault = await Vault.open(tmp_path / "keys", fresh=database.fresh)
    log = EventLog(database)
    records = await Records.open(database, vault, Ledger(database, vault), log)
    granted = await records.grant(
        zone_id="desk",
        notice_hash="a" * 64,
        language="en",
        purpose="return visits",
        expires_at=1e6,
        guardian=False,
        embeddings=[np.eye(512, dtype=np.float32)[0]],
        now=900.0,
    )
    yield Site(database, records, log, granted.consent.visitor_id)
    await database.close()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another program keeps the store from being written."""
    connection = sqlite3.connect(folder / "bridge.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.close()


async def test_the_first_visit_is_first_and_the_next_is_a_return(site: Site) -> None:
    visit = await site.attendance.present(site.known, "desk", 1000.0)
    assert not visit.returning
    site.now = 1011.0
    await site.attendance.sweep()
    again = await site.attendance.present(site.known, "lane", 1020.0)
    assert (again.earlier, again.zone_id) == (1, "lane")
    assert site.kinds == [EventKind.FIRST_VISIT, EventKind.VISIT_ENDED, EventKind.RETURNING_VISIT]


async def test_presence_up_to_the_gap_is_the_same_visit(site: Site) -> None:
    first = await site.attendance.present(site.known, "desk", 1000.0)
    site.now = 1010.0
    await site.attendance.sweep()
    assert (await site.attendance.present(site.known, "lane", 1010.0)).visit_id == first.visit_id
    assert site.kinds == [EventKind.FIRST_VISIT]


async def test_presence_after_the_gap_ends_the_old_visit_without_waiting_for_the_sweep(site: Site) -> None:
    first = await site.attendance.present(site.known, "desk", 1000.0)
    site.now = 1010.5
    second = await site.attendance.present(site.known, "lane", 1010.5)
    assert second.visit_id != first.visit_id
    assert site.kinds == [EventKind.FIRST_VISIT, EventKind.VISIT_ENDED, EventKind.RETURNING_VISIT]


@pytest.mark.parametrize(
    ("score", "margin", "band"),
    [(0.712, 0.3, "high"), (0.45, 0.05, "high"), (0.449, 0.3, "low"), (0.712, 0.049, "low")],
)
async def test_an_event_says_how_sure_and_which_frame_decided(
    site: Site, score: float, margin: float, band: str
) -> None:
    await site.attendance.present(replace(site.known, score=score, margin=margin), "desk", 1000.25)
    push = site.told[0]
    assert isinstance(push, Told)
    assert push.event.data == {"frame_at": 1000.25, "confidence": score, "confidence_band": band}
    assert push.event.occurred_at == 1000.25


async def test_a_restart_takes_over_an_open_visit(site: Site) -> None:
    first = await site.attendance.present(site.known, "desk", 1000.0)
    await site.attendance.present(site.known, "desk", 1004.0)
    after = site.restarted()
    await after.load()
    assert (await after.present(site.known, "desk", 1013.0)).visit_id == first.visit_id
    site.now = 1024.0
    await after.sweep()
    assert site.kinds == [EventKind.FIRST_VISIT, EventKind.VISIT_ENDED]


async def test_a_visit_that_cannot_be_closed_now_is_closed_later(site: Site, tmp_path: Path) -> None:
    await site.attendance.present(site.known, "desk", 1000.0)
    site.now = 2000.0
    with locked(tmp_path), pytest.raises(RetryError):
        await site.attendance.sweep()
    with locked(tmp_path), pytest.raises(RetryError):
        await site.attendance.present(site.known, "desk", 2000.0)
    await site.attendance.sweep()
    assert site.kinds == [EventKind.FIRST_VISIT, EventKind.VISIT_ENDED]


async def test_what_was_committed_is_told_though_the_camera_goes(site: Site) -> None:
    for turn in range(20):  # wherever in its writing the cancellation meets it
        task = asyncio.create_task(site.attendance.present(site.known, "desk", site.now))
        await asyncio.sleep(turn / 4000)
        task.cancel()
        await asyncio.wait({task})
        site.now += GAP + 1
        await site.attendance.sweep()
    assert [push.event.sequence for push in site.told if isinstance(push, Told)] == [
        event.sequence for event in await site.log.since(1)
    ]
    assert await site.visits.open_visits() == []


async def test_a_visitor_who_withdrew_opens_no_visit(site: Site) -> None:
    await site.attendance.present(site.known, "desk", 1000.0)
    await site.attendance.forget(site.known.visitor_id)
    await site.records.withdraw(site.known.visitor_id, 1001.0)
    with pytest.raises(NotFoundError):
        await site.attendance.present(site.known, "desk", 1002.0)
    site.now = 2000.0
    await site.attendance.sweep()
    assert site.kinds == [EventKind.FIRST_VISIT]
    [visit] = await site.visits.list(None, None, None, 10)
    assert (visit.visitor_id, visit.ended_at) == (None, 1000.0), "what is nobody's is not still going on"


async def test_a_registration_opens_a_visit_extends_it_and_is_written_with_it(site: Site) -> None:
    written: list[Visit] = []

    async def also(_: AsyncSession, visit: Visit) -> None:
        written.append(visit)

    visitor_id = site.known.visitor_id
    first = await site.attendance.registered(visitor_id, ("c" * 64,), "desk", 1000.0, also)
    seen = await site.attendance.present(site.known, "lane", 1001.0)
    last = await site.attendance.registered(visitor_id, (), "desk", 1001.5, also)
    assert first.visit_id == seen.visit_id == last.visit_id
    assert [visit.last_at for visit in written] == [1000.0, 1001.5]
    assert site.kinds == [EventKind.FIRST_VISIT]


async def test_a_contact_alone_stands_for_a_person_also_after_a_restart(site: Site, tmp_path: Path) -> None:
    ledger = Ledger(site.database, await Vault.open(tmp_path / "keys", fresh=False))
    registrations = RegistrationTable(site.database, ledger)

    async def give(contact: str) -> Visit:
        also = registrations.check_in(None, contact, "0" * 64, None, "desk", site.now)
        return await site.attendance.registered(None, (contact,), "desk", site.now, also)

    first, other = await give("c" * 64), await give("d" * 64)
    assert first.visit_id != other.visit_id
    site.attendance = site.restarted()
    await site.attendance.load()
    site.now += GAP
    assert (await give("c" * 64)).visit_id == first.visit_id
    site.now += GAP + 1
    await site.attendance.sweep()
    again = await give("c" * 64)
    assert (again.earlier, again.visitor_id) == (1, None)
    assert [event.kind for event in await EventLog(site.database).since(0)][1:] == [
        EventKind.FIRST_VISIT,
        EventKind.FIRST_VISIT,
        EventKind.VISIT_ENDED,
        EventKind.VISIT_ENDED,
        EventKind.RETURNING_VISIT,
    ]


async def test_a_visit_that_is_gone_already_is_not_closed_and_stops_nothing(site: Site) -> None:
    await site.attendance.present(site.known, "desk", 1000.0)
    await site.records.withdraw(site.known.visitor_id, 1001.0)
    site.now = 1011.0
    await site.attendance.sweep()
    assert site.kinds == [EventKind.FIRST_VISIT]
    await site.attendance.sweep()
