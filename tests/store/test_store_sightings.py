"""Sightings: one row a track, and of somebody unknown only when, where and why."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from sqlalchemy import select
from store_site import NOW, Site

from nvr_bridge.models import Known, Runs, Sighting, Unknown, UnknownReason
from nvr_bridge.store import proof
from nvr_bridge.store.schema import SightingRow

STRANGER = Sighting("lane-1", "lane", 7, NOW, NOW + 2, Unknown(UnknownReason.NO_MATCH), NOW + 3)
RUNS = Runs(3, NOW + 0.4, NOW + 1.23456, NOW + 1.2)


async def test_of_a_stranger_only_when_where_and_why_is_kept(site: Site) -> None:
    await site.sightings.add(STRANGER, "a visit that cannot be theirs")
    connection = sqlite3.connect(site.data_dir / "bridge.db")
    connection.row_factory = sqlite3.Row
    row = dict(connection.execute("SELECT * FROM sightings").fetchone())
    connection.close()
    row.pop("sighting_id")
    assert {key: value for key, value in row.items() if value is not None} == {
        "camera_id": "lane-1",
        "zone_id": "lane",
        "track_id": 7,
        "started_at": NOW,
        "at": NOW + 2,
        "ended_at": NOW + 3,
        "reason": "no_match",
    }


async def test_a_known_visitors_sighting_says_who_and_how_sure(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    await site.sightings.add(replace(STRANGER, who=Known(visitor, 0.61, 0.25)), "visit")
    (row,) = await site.sightings.list(None, None, 10)
    assert (row.visitor_id, row.score, row.margin, row.visit_id, row.reason) == (visitor, 0.61, 0.25, "visit", None)


async def test_an_embedding_is_an_act_whoevers_the_face_was(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    await site.sightings.add(replace(STRANGER, who=Unknown(UnknownReason.NO_ACT)))
    await site.sightings.add(replace(STRANGER, track_id=8), runs=RUNS)
    await site.sightings.add(
        replace(STRANGER, track_id=9, who=Known(visitor, 0.61, 0.25)), "visit", runs=replace(RUNS, count=2)
    )
    compared, recognised = (await site.ledger.since(1))[:2]
    assert (compared.act, compared.zone_id, compared.subject) == ("compared", "lane", None)
    when = {"first_at": round(NOW + 0.4, 3), "last_at": round(NOW + 1.235, 3), "frame_at": round(NOW + 1.2, 3)}
    assert compared.data == {"runs": 3, **when}
    assert (recognised.act, recognised.at, recognised.data["runs"]) == ("recognised", NOW + 2, 2)
    assert [entry.number for entry in await site.ledger.about(visitor)] == [1, recognised.number]
    async with site.db.read() as session:
        rows = list(await session.scalars(select(SightingRow).order_by(SightingRow.track_id)))
    assert [row.ledger for row in rows] == [None, None, recognised.number]
    assert recognised.data["proof"] == proof.of(proof.sighting(rows[2]), rows[2].salt)


async def test_after_an_erasure_no_entry_joins_to_a_sighting(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    await site.sightings.add(replace(STRANGER, who=Known(visitor, 0.61, 0.25)), "visit", runs=replace(RUNS, count=2))
    await site.records.withdraw(visitor, NOW)
    async with site.db.read() as session:
        row = (await session.scalars(select(SightingRow))).one()
    assert (row.visitor_id, row.score, row.margin, row.salt, row.ledger) == (None,) * 5


async def test_an_update_of_a_track_replaces_what_was_kept_of_it(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    await site.sightings.add(replace(STRANGER, who=Known(visitor, 0.61, 0.25), ended_at=None), "visit")
    await site.sightings.add(STRANGER)
    (row,) = await site.sightings.list(None, None, 10)
    assert (row.reason, row.visitor_id, row.score, row.margin, row.visit_id) == ("no_match", None, None, None, None)
    assert row.ended_at == NOW + 3


async def test_a_track_number_that_comes_again_after_a_restart_is_another_track(site: Site) -> None:
    await site.sightings.add(STRANGER)
    await site.sightings.add(replace(STRANGER, started_at=NOW + 60, at=NOW + 61))
    await site.sightings.add(replace(STRANGER, camera_id="lane-2"))
    assert await site.sightings.people("lane", NOW) == 3


async def test_a_visitor_who_withdrew_meanwhile_is_left_out(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    await site.records.withdraw(visitor, NOW)
    await site.sightings.add(replace(STRANGER, who=Known(visitor, 0.61, 0.25)), "visit")
    (row,) = await site.sightings.list(None, None, 10)
    assert (row.reason, row.visitor_id, row.score, row.margin, row.visit_id) == (None, None, None, None, None)


async def test_lists_and_counts(site: Site) -> None:
    for number, zone in enumerate(("lane", "entrance", "lane")):
        await site.sightings.add(replace(STRANGER, zone_id=zone, track_id=number, started_at=NOW + number))
    assert [row.track_id for row in await site.sightings.list(None, None, 10)] == [2, 1, 0]
    assert [row.track_id for row in await site.sightings.list(None, None, 1)] == [2]
    assert [row.track_id for row in await site.sightings.list(NOW + 1, None, 10)] == [2, 1]
    assert [row.track_id for row in await site.sightings.list(None, "lane", 10)] == [2, 0]
    assert await site.sightings.people("lane", NOW) == 2
    assert await site.sightings.people("lane", NOW + 1) == 1
    assert await site.sightings.people("elsewhere", NOW) == 0
