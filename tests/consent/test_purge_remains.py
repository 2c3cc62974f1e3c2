"""Who is erased because their time was up is in no page of the store any more, and neither is a consent that ended so."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

from keeper_site import Kept, kept_site
from sqlalchemy import text
from store_site import NOW, Site, open_site

from nvr_bridge.store.database import Database
from nvr_bridge.store.files import DATABASE
from nvr_bridge.store.remains import empty_log, stands

ROUNDS = 100
ABOUT = 60  # rows that each round adds


async def index(db: Database) -> None:
    """Something that is kept by whose it is, as visits and events are."""
    async with db.write() as session:
        await session.execute(text("CREATE TABLE rows (number INTEGER PRIMARY KEY, who TEXT)"))
        await session.execute(text("CREATE INDEX rows_who ON rows (who)"))


async def more_of(db: Database, there: Sequence[str], chance: random.Random) -> None:
    async with db.write() as session:
        about = [{"who": chance.choice(there)} for _ in range(ABOUT)]
        await session.execute(text("INSERT INTO rows (who) VALUES (:who)"), about)


async def no_more_of(db: Database, gone: str) -> None:
    async with db.write() as session:
        await session.execute(text("UPDATE rows SET who = NULL WHERE who = :who"), {"who": gone})


async def until_a_consent_stays(site: Site) -> str:
    """People agree, more is written, and one consent after the other ends: until one is still to be read."""
    chance, there = random.Random(7), list[tuple[str, str]]()
    await index(site.db)
    for person in range(ROUNDS):
        consent = (await site.grant(person)).consent
        there.append((consent.visitor_id, consent.consent_id))
        await more_of(site.db, [consent_id for _, consent_id in there], chance)
        if len(there) < 7:
            continue
        visitor_id, gone = there.pop(chance.randrange(len(there)))
        await no_more_of(site.db, gone)
        await site.records.lapse(visitor_id, NOW)
        assert await asyncio.to_thread(empty_log, site.data_dir / DATABASE, 1.0)
        if await asyncio.to_thread(stands, site.data_dir / DATABASE, [gone]):
            return gone
    raise AssertionError("SQLite left nothing of any consent: this needs another way to make it")


async def test_a_consent_that_ended_by_age_is_in_no_page_after_the_log_is_cut(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data") as site:
        gone = await until_a_consent_stays(site)
        await site.db.checkpoint()
        assert [name for name, content in site.files().items() if gone.encode() in content] == []


async def test_nor_after_a_crash_before_that(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data") as site:
        gone = await until_a_consent_stays(site)
    async with open_site(tmp_path / "data") as site:
        assert [name for name, content in site.files().items() if gone.encode() in content] == []


async def until_a_visitor_stays(kept: Kept) -> str:
    """People get passes, more is written, and of one after the other it goes: until more is to be read than of a pass."""
    chance, there, store = random.Random(7), dict[str, int](), kept.site.data_dir / DATABASE
    await index(kept.site.db)
    for _ in range(ROUNDS):
        visitor_id = await kept.pass_for()
        there[visitor_id] = await asyncio.to_thread(read_in, store, visitor_id)
        await more_of(kept.site.db, [*there], chance)
        if len(there) < 7:
            continue
        gone = chance.choice([*there])
        of_pass = there.pop(gone)
        await no_more_of(kept.site.db, gone)
        if await asyncio.to_thread(read_in, store, gone) > of_pass:
            return gone
    raise AssertionError("SQLite left nothing of any visitor: this needs another way to make it")


def read_in(store: Path, word: str) -> int:
    """How often it is to be read in the store's file."""
    assert empty_log(store, 1.0)
    return store.read_bytes().count(word.encode())


async def test_a_visitor_of_whom_all_went_by_age_is_in_no_page(tmp_path: Path) -> None:
    async with kept_site(tmp_path) as kept:
        gone = await until_a_visitor_stays(kept)
        kept.on_day(366)
        report = await kept.keeper.purge()
        assert report.removed["visitors"] >= 7
        assert not kept.site.vault.visitors
        assert [name for name, content in kept.site.files().items() if gone.encode() in content] == []
