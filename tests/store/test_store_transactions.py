"""Transactions: whole or not at all, one writer at a time, readers beside it, and no harm from a cancelled task."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, text
from store_site import NOW, Site

from nvr_bridge.errors import ConflictError
from nvr_bridge.models import EventKind
from nvr_bridge.store.schema import SettingRow


async def test_an_error_undoes_the_transaction_and_its_events(site: Site) -> None:
    async def fail_halfway() -> None:
        async with site.db.write() as session:
            session.add(SettingRow(key="half", value=1))
            await site.log.append(session, kind=EventKind.FIRST_VISIT, occurred_at=NOW, zone_id="lane")
            raise ConflictError("something else went wrong")

    with pytest.raises(ConflictError):
        await fail_halfway()
    assert site.log.latest() == 0
    assert await site.log.since(0) == []
    async with site.db.read() as session:
        assert await session.get(SettingRow, "half") is None


async def test_writers_take_turns(site: Site) -> None:
    async def count_up() -> None:
        async with site.db.write() as session:
            row = await session.get(SettingRow, "count") or SettingRow(key="count", value=0)
            await asyncio.sleep(0)
            row.value += 1
            session.add(row)

    await asyncio.gather(*(count_up() for _ in range(30)))
    async with site.db.read() as session:
        row = await session.get(SettingRow, "count")
        assert row is not None
        assert row.value == 30


async def test_a_reader_sees_what_is_committed_and_never_waits_for_a_writer(site: Site) -> None:
    async with site.db.write() as writing:
        writing.add(SettingRow(key="pending", value=1))
        await writing.flush()
        async with asyncio.timeout(5), site.db.read() as reading:
            assert await reading.get(SettingRow, "pending") is None
    async with site.db.read() as reading:
        assert await reading.get(SettingRow, "pending") is not None


async def test_a_reader_keeps_its_snapshot(site: Site) -> None:
    keys = select(SettingRow.key).where(SettingRow.key == "later")
    async with site.db.read() as session:
        assert (await session.scalars(keys)).all() == []
        async with site.db.write() as writing:
            writing.add(SettingRow(key="later", value=1))
        assert (await session.scalars(keys)).all() == []


async def test_cancelled_writers_leave_whole_transactions_and_a_store_that_works(site: Site) -> None:
    async def write_pair(number: int) -> None:
        async with site.db.write() as session:
            session.add(SettingRow(key=f"{number} left", value=1))
            await session.flush()
            session.add(SettingRow(key=f"{number} right", value=1))

    for number in range(60):
        task = asyncio.create_task(write_pair(number))
        for _ in range(number):  # reaches another step of the transaction each time
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    await write_pair(1000)
    async with site.db.read() as session:
        keys = set(await session.scalars(select(SettingRow.key).where(SettingRow.key.like("% %"))))
    assert {"1000 left", "1000 right"} <= keys
    for number in range(60):
        assert (f"{number} left" in keys) == (f"{number} right" in keys)


async def test_cancelled_readers_leave_a_store_that_works(site: Site) -> None:
    for steps in range(40):
        task = asyncio.create_task(site.log.since(0))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    assert await site.log.since(0) == []
    await site.db.checkpoint()


async def test_an_error_does_not_say_what_the_row_held(site: Site) -> None:
    row = {"visitor_id": "canary-visitor", "alias_tag": "canary-tag", "alias_sealed": b"canary-sealed"}
    insert = text("INSERT INTO visitors VALUES (:visitor_id, :alias_tag, :alias_sealed)")

    async def write_twice() -> None:
        async with site.db.write() as session:
            await session.execute(insert, row)
            await session.execute(insert, row)

    with pytest.raises(Exception, match="UNIQUE") as caught:
        await write_twice()
    assert "canary" not in repr(caught.value)
    assert "canary" not in str(caught.value)


async def test_deleted_content_is_overwritten_and_commits_are_synchronous(site: Site) -> None:
    async with site.db.write() as session:
        for pragma, value in (("secure_delete", 1), ("synchronous", 2), ("foreign_keys", 1), ("journal_mode", "wal")):
            assert (await session.execute(text(f"PRAGMA {pragma}"))).scalar_one() == value
