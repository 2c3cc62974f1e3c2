"""Of who was erased nothing is left in the store's file, also where SQLite leaves copies of cells in a page's unused part."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from store_site import Site, open_site

from nvr_bridge.errors import RetryError
from nvr_bridge.store.database import Database
from nvr_bridge.store.files import DATABASE
from nvr_bridge.store.remains import empty_log, stands


async def until_something_stays(db: Database, data_dir: Path) -> str:
    """People come, more and more is written of them, and one after the other goes: until one is still to be read."""
    chance, there = random.Random(7), list[str]()
    async with db.write() as session:
        await session.execute(text("CREATE TABLE rows (number INTEGER PRIMARY KEY, who TEXT)"))
        await session.execute(text("CREATE INDEX rows_who ON rows (who)"))
    for _ in range(100):
        there.append(f"{chance.getrandbits(128):032x}")
        async with db.write() as session:
            about = [{"who": chance.choice(there)} for _ in range(60)]
            await session.execute(text("INSERT INTO rows (who) VALUES (:who)"), about)
        if len(there) < 7:
            continue
        gone = there.pop(chance.randrange(len(there)))
        async with db.write(erases=[gone]) as session:
            await session.execute(text("UPDATE rows SET who = NULL WHERE who = :who"), {"who": gone})
        assert await asyncio.to_thread(empty_log, data_dir / DATABASE, 1.0)
        if await asyncio.to_thread(stands, data_dir / DATABASE, [gone]):
            return gone
    pytest.fail("SQLite left nothing of anybody: this needs another way to make it")


def marked(data_dir: Path) -> bool:
    connection = sqlite3.connect(data_dir / DATABASE)
    try:
        return bool(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


async def test_who_was_erased_is_in_no_page_after_the_log_is_cut(site: Site) -> None:
    gone = await until_something_stays(site.db, site.data_dir)
    await site.db.checkpoint()
    assert all(gone.encode() not in content for content in site.files().values())
    assert not marked(site.data_dir)
    assert await site.log.since(0) == []


async def test_what_a_crash_left_goes_when_the_store_is_opened(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        gone = await until_something_stays(site.db, site.data_dir)
        assert marked(site.data_dir)
    async with open_site(tmp_path) as site:
        assert not site.db.truncation_owed
        assert all(gone.encode() not in content for content in site.files().values())
        assert not marked(site.data_dir)


async def test_while_another_program_reads_it_is_owed_and_paid_after(site: Site) -> None:
    gone = await until_something_stays(site.db, site.data_dir)
    connection = sqlite3.connect(site.data_dir / DATABASE, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(RetryError, match="another program"):
        await site.db.checkpoint()
    assert site.db.truncation_owed
    connection.close()
    async with site.db.write() as session:
        await session.execute(text("DELETE FROM settings WHERE key = 'nobody'"))
    assert not site.db.truncation_owed
    assert all(gone.encode() not in content for content in site.files().values())
