"""The ledger: only added to, and nothing in it leads to a person whose key is gone."""

from __future__ import annotations

import asyncio

import pytest
from store_site import NOW, Site

from nvr_bridge.consent.ledger import on_behalf_of
from nvr_bridge.errors import NotFoundError
from nvr_bridge.evidence.chain import GENESIS


async def three_entries(site: Site) -> None:
    for number, act in enumerate(("armed", "embedded", "disarmed")):
        async with site.db.write() as session:
            await site.ledger.append(session, act, at=NOW + number, zone_id="lane", data={"n": number, "why": "招牌"})


async def test_entries_are_numbered_and_read_as_they_were_written(site: Site) -> None:
    await three_entries(site)
    entries = await site.ledger.since(0)
    assert [(entry.number, entry.act, entry.at, entry.zone_id) for entry in entries] == [
        (1, "armed", NOW, "lane"),
        (2, "embedded", NOW + 1, "lane"),
        (3, "disarmed", NOW + 2, "lane"),
    ]
    assert entries[1].data == {"n": 1, "why": "招牌"}
    assert [entry.number for entry in await site.ledger.since(1, limit=1)] == [2]
    assert [entry.previous for entry in entries] == [GENESIS, entries[0].digest, entries[1].digest]
    assert all(entry.fits for entry in entries)


async def test_what_is_done_for_a_hubs_user_says_so_also_in_what_it_begins(site: Site) -> None:
    with on_behalf_of("u1"):
        await site.ledger.record("partner_added", data={"partner": "acme"})
        begun = asyncio.create_task(site.ledger.record("partner_linked"))
        with on_behalf_of(None):
            await site.ledger.record("armed")
    await begun
    await site.ledger.record("disarmed")
    entries = await site.ledger.since(0)
    assert {entry.act: entry.data for entry in entries} == {
        "partner_added": {"partner": "acme", "user": "u1"},
        "partner_linked": {"user": "u1"},
        "armed": {},
        "disarmed": {},
    }
    assert all(entry.fits for entry in entries)


async def test_an_entry_whose_transaction_fails_was_never_there(site: Site) -> None:
    async def fail() -> None:
        async with site.db.write() as session:
            await site.ledger.append(session, "armed", at=NOW)
            raise NotFoundError("after all")

    with pytest.raises(NotFoundError):
        await fail()
    await site.ledger.record("disarmed", "lane", {"reasons": "sign off"})
    (entry,) = await site.ledger.since(0)
    assert (entry.number, entry.act, entry.data) == (1, "disarmed", {"reasons": "sign off"})
    assert (await site.checkpoints.verify()).intact


async def test_who_holds_the_key_finds_their_entries(site: Site) -> None:
    ann, bo = [(await site.grant(person)).consent.visitor_id for person in (1, 2)]
    for visitor_id, act in ((ann, "matched"), (bo, "matched"), (ann, "exported")):
        async with site.db.write() as session:
            await site.ledger.append(session, act, at=NOW, visitor_id=visitor_id)
    assert [entry.act for entry in await site.ledger.about(ann)] == ["consent_granted", "matched", "exported"]
    assert [entry.act for entry in await site.ledger.about(bo)] == ["consent_granted", "matched"]


async def test_with_the_key_gone_entries_join_to_nothing_and_still_verify(site: Site) -> None:
    granted = await site.grant(1)
    visitor_id = granted.consent.visitor_id
    async with site.db.write() as session:
        await site.ledger.append(session, "matched", at=NOW, visitor_id=visitor_id)
    await site.records.withdraw(visitor_id, NOW)
    entries = await site.ledger.since(0)
    assert [entry.act for entry in entries] == ["consent_granted", "matched", "consent_withdrawn"]
    subjects = [entry.subject for entry in entries]
    assert None not in subjects
    assert len(set(subjects)) == 3  # not even to each other
    for secret in (visitor_id, granted.consent.consent_id, granted.alias):
        assert secret not in repr(entries)
    with pytest.raises(NotFoundError):
        await site.ledger.about(visitor_id)
    with pytest.raises(NotFoundError):
        async with site.db.write() as session:
            await site.ledger.append(session, "matched", at=NOW, visitor_id=visitor_id)
    assert (await site.checkpoints.verify()).intact
