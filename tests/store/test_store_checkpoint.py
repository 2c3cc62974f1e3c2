"""Cutting the write-ahead log: for certain, whoever reads, or an error that says why not."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from store_site import Site

from nvr_bridge.errors import RetryError
from nvr_bridge.store import database
from nvr_bridge.store.schema import SettingRow

CANARY = "canary-in-the-log"


def log_of(site: Site) -> bytes:
    path = site.data_dir / "bridge.db-wal"
    return path.read_bytes() if path.exists() else b""


async def write_and_delete_the_canary(site: Site) -> None:
    async with site.db.write() as session:
        session.add(SettingRow(key=CANARY, value=1))
    async with site.db.write() as session:
        await session.execute(text("DELETE FROM settings WHERE key = :key"), {"key": CANARY})
    assert CANARY.encode() in log_of(site)


@contextmanager
def foreign_reader(data_dir: Path) -> Iterator[None]:
    """Another program in the middle of reading the store."""
    connection = sqlite3.connect(data_dir / "bridge.db", isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM settings").fetchone()
    try:
        yield
    finally:
        connection.close()


async def test_the_log_is_cut_to_nothing(site: Site) -> None:
    await write_and_delete_the_canary(site)
    await site.db.checkpoint()
    assert log_of(site) == b""
    assert all(CANARY.encode() not in content for content in site.files().values())


async def test_readers_that_come_and_go_do_not_prevent_it(site: Site) -> None:
    stop = asyncio.Event()

    async def keep_reading() -> int:
        reads = 0
        while not stop.is_set():
            await site.log.since(0)
            reads += 1
        return reads

    readers = [asyncio.create_task(keep_reading()) for _ in range(6)]
    for _ in range(5):
        await write_and_delete_the_canary(site)
        await site.db.checkpoint()
        assert CANARY.encode() not in log_of(site)
    stop.set()
    assert all(reads > 5 for reads in await asyncio.gather(*readers))


async def test_a_reader_that_overstays_is_ended_and_told_to_try_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "READER_GRACE", 0.05)
    reading = asyncio.Event()

    async def overstay() -> None:
        async with site.db.read() as session:
            await session.execute(text("SELECT count(*) FROM settings"))
            reading.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(overstay())
    await reading.wait()
    await write_and_delete_the_canary(site)
    await site.db.checkpoint()
    assert log_of(site) == b""
    with pytest.raises(RetryError, match="try again"):
        await task
    assert await site.log.since(0) == []


async def test_a_timeout_of_the_readers_own_stays_a_timeout(site: Site) -> None:
    async def time_out() -> None:
        async with site.db.read():
            raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await time_out()


async def test_another_program_that_reads_is_named_and_the_debt_is_paid_with_the_next_write(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "TRUNCATE_SECONDS", 0.2)
    await write_and_delete_the_canary(site)
    with foreign_reader(site.data_dir):
        with pytest.raises(RetryError, match=r"another program reads bridge\.db; end that program"):
            await site.db.checkpoint()
        assert site.db.truncation_owed
        async with site.db.write() as session:  # writing goes on meanwhile
            session.add(SettingRow(key="other", value=1))
        assert site.db.truncation_owed
        assert CANARY.encode() in log_of(site)
    async with site.db.write() as session:
        session.add(SettingRow(key="another", value=1))
    assert not site.db.truncation_owed
    assert all(CANARY.encode() not in content for content in site.files().values())


async def test_another_program_that_stops_reading_in_time_does_no_harm(site: Site) -> None:
    await write_and_delete_the_canary(site)
    with foreign_reader(site.data_dir):
        cutting = asyncio.create_task(site.db.checkpoint())
        await asyncio.sleep(0.3)
        assert not cutting.done()
    await cutting
    assert log_of(site) == b""


async def test_a_cancelled_cut_is_finished_first(site: Site) -> None:
    await write_and_delete_the_canary(site)
    cutting = asyncio.create_task(site.db.checkpoint())
    while not site.db.truncation_owed:  # noqa: ASYNC110 - until it has begun, which it tells nobody
        await asyncio.sleep(0)
    cutting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cutting
    assert log_of(site) == b""
    assert not site.db.truncation_owed
    assert await site.log.since(0) == []
