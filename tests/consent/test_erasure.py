"""Withdrawal: the key, the rows and the log's remains are gone, whoever reads meanwhile and wherever a crash falls."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from store_site import NOW, Site, face, files, open_site

from nvr_bridge.consent.erasure import Withdrawn
from nvr_bridge.consent.records import Granted
from nvr_bridge.consent.vault import Vault, consent_key
from nvr_bridge.errors import AskError, ErasureOwedError, NotFoundError, RetryError
from nvr_bridge.models import EventKind, Known, Sighting
from nvr_bridge.store import database


async def busy_visitor(site: Site, person: int = 1) -> Granted:
    """A visitor of whom there is something in every table that names visitors."""
    granted = await site.grant(person, looks=3)
    for number in range(3):
        visit, _ = await site.visits.begin(granted.consent.visitor_id, "lane", NOW + number)
        who = Known(granted.consent.visitor_id, 0.6, 0.2)
        await site.sightings.add(Sighting("lane-1", "lane", person * 100 + number, NOW, NOW, who), visit.visit_id)
        await site.visits.end(visit.visit_id, NOW + number)
    return granted


def remains(granted: Granted, before: dict[str, bytes]) -> list[bytes]:
    """Every trace to look for: plain, sealed, and by name."""
    person = [template.embedding for template in granted.templates]
    plain = [vector.astype(kind).tobytes()[:24] for vector in person for kind in ("<f4", "<f2")]
    wrapped = json.loads(before["keys/visitors.json"])["keys"][granted.consent.visitor_id]
    named = [granted.consent.visitor_id, granted.consent.consent_id, granted.alias, wrapped]
    return plain + [name.encode() for name in named]


def sealed_templates(data_dir: Path, visitor_id: str) -> list[bytes]:
    connection = sqlite3.connect(data_dir / "bridge.db")
    rows = connection.execute("SELECT sealed FROM templates WHERE visitor_id = ?", [visitor_id]).fetchall()
    connection.close()
    return [row[0] for row in rows]


async def test_nothing_of_the_visitor_remains_in_any_file(site: Site, tmp_path: Path) -> None:
    granted = await busy_visitor(site)
    other = await busy_visitor(site, person=2)
    visitor_id = granted.consent.visitor_id
    before = site.files()
    shutil.copytree(site.data_dir, tmp_path / "copy")
    blobs = sealed_templates(tmp_path / "copy", visitor_id)
    assert len(blobs) == 3
    assert all(any(blob[:24] in content for content in before.values()) for blob in blobs)
    assert any(visitor_id.encode() in content for content in before.values())

    await site.records.withdraw(visitor_id, NOW)

    traces = remains(granted, before) + [blob[at : at + 24] for blob in blobs for at in range(0, len(blob) - 24, 24)]
    for name, content in site.files().items():
        assert not [trace for trace in traces if trace in content], name
    log = site.data_dir / "bridge.db-wal"
    assert not log.exists() or log.stat().st_size == 0
    assert [template.visitor_id for template in await site.records.templates()] == [other.consent.visitor_id] * 3


async def test_a_copy_of_the_data_from_before_is_killed_with_the_key(site: Site, tmp_path: Path) -> None:
    granted = await busy_visitor(site)
    visitor_id = granted.consent.visitor_id
    place = f"template {granted.consent.consent_id} default".encode()
    shutil.copytree(site.data_dir, tmp_path / "copy", ignore=shutil.ignore_patterns("keys", "lock"))
    (blob, *_) = sealed_templates(tmp_path / "copy", visitor_id)
    keys = (consent_key(granted.consent.consent_id), visitor_id)
    assert site.vault.unseal(keys[0], blob, place) == face(1).tobytes()

    await site.records.withdraw(visitor_id, NOW)
    await site.db.close()

    vault = await Vault.open(site.data_dir / "keys", fresh=False)
    for key in keys:
        with pytest.raises(NotFoundError):
            vault.unseal(key, blob, place)
    with pytest.raises(AskError):
        vault.unseal_site(blob)
    for window in key_candidates(site.data_dir):
        with pytest.raises(InvalidTag):
            AESGCM(window).decrypt(blob[1:13], blob[13:], place)
    # The copy, restored under the keys of today, remembers nobody.
    shutil.copytree(site.data_dir / "keys", tmp_path / "copy" / "keys")
    async with open_site(tmp_path / "copy") as restored:
        assert restored.records.subjects == 0
        assert await restored.records.templates() == []
        assert [event.kind for event in await restored.log.since(granted.event.sequence)][-1] == "consent_withdrawn"
        assert all(visitor_id.encode() not in content for content in restored.files().values())


def key_candidates(data_dir: Path) -> list[bytes]:
    """All 32 bytes in a row of every key file."""
    keys = [content for name, content in files(data_dir).items() if name.startswith("keys/")]
    return [content[at : at + 32] for content in keys for at in range(max(0, len(content) - 31))]


async def test_what_was_counted_stays_counted_as_nobodys(site: Site) -> None:
    granted = await busy_visitor(site)
    withdrawn = await site.records.withdraw(granted.consent.visitor_id, NOW + 60)
    visits = await site.visits.list(None, None, None, 10)
    assert set(withdrawn.visit_ids) == {visit.visit_id for visit in visits}
    assert len(visits) == 3
    assert {visit.visitor_id for visit in visits} == {None}
    assert [(visit.zone_id, visit.returning) for visit in visits] == [("lane", True), ("lane", True), ("lane", False)]
    assert {(row.visitor_id, row.score, row.margin) for row in await site.sightings.list(None, None, 10)} == {
        (None, None, None)
    }
    assert {event.visitor_id for event in await site.log.since(0)} == {None}


async def test_it_is_told_and_the_alias_means_nobody(site: Site) -> None:
    granted = await site.grant(1)
    visitor_id = granted.consent.visitor_id
    withdrawn = await site.records.withdraw(visitor_id, NOW + 60)
    assert withdrawn.alias == granted.alias
    assert (await site.log.since(granted.event.sequence)) == [withdrawn.event]
    assert (withdrawn.event.kind, withdrawn.event.zone_id) == (EventKind.CONSENT_WITHDRAWN, "desk")
    assert withdrawn.event.data == {"expired": False}
    assert site.records.alias(visitor_id) is None
    assert await site.records.visitor_for(granted.alias) is None
    assert await site.records.consents() == []
    assert site.records.subjects == 0
    with pytest.raises(NotFoundError):
        await site.records.withdraw(visitor_id, NOW + 61)
    with pytest.raises(NotFoundError):
        await site.visits.begin(visitor_id, "lane", NOW + 61)


async def test_it_works_while_everybody_reads_and_writes(site: Site) -> None:
    people = [await busy_visitor(site, person) for person in range(1, 5)]
    stop = asyncio.Event()

    async def keep_reading() -> None:
        while not stop.is_set():
            for template in await site.records.templates():
                assert site.records.alias(template.visitor_id) or not site.vault.has_key(template.visitor_id)
            await site.log.since(0)

    async def keep_writing() -> None:
        while not stop.is_set():
            await site.visits.begin(people[-1].consent.visitor_id, "lane", NOW)

    others = [asyncio.create_task(work()) for work in (keep_reading, keep_reading, keep_reading, keep_writing)]
    await asyncio.gather(*(site.records.withdraw(each.consent.visitor_id, NOW) for each in people[:3]))
    gone = [each.consent.visitor_id.encode() for each in people[:3]]
    contents = site.files()
    stop.set()
    await asyncio.gather(*others)
    for name, content in contents.items():
        assert not [visitor_id for visitor_id in gone if visitor_id in content], name
    assert {template.visitor_id for template in await site.records.templates()} == {people[3].consent.visitor_id}


async def test_two_withdrawals_of_one_visitor_are_one(site: Site) -> None:
    visitor_id = (await site.grant(1)).consent.visitor_id
    results = await asyncio.gather(*(site.records.withdraw(visitor_id, NOW) for _ in range(3)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["NotFoundError", "NotFoundError", "Withdrawn"]
    assert [event.kind for event in await site.log.since(0)] == ["consent_granted", "consent_withdrawn"]


async def test_a_cancelled_withdrawal_is_finished_first(site: Site) -> None:
    for steps in range(0, 40, 4):
        granted = await site.grant(1)
        visitor_id = granted.consent.visitor_id
        task = asyncio.create_task(site.records.withdraw(visitor_id, NOW))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        rows = sealed_templates(site.data_dir, visitor_id)
        assert bool(rows) == site.vault.has_key(visitor_id) == (site.records.alias(visitor_id) is not None)


async def test_a_crash_between_key_and_rows_is_finished_at_the_next_start(site: Site) -> None:
    granted, other = await busy_visitor(site), await busy_visitor(site, person=2)
    visitor_id, before = granted.consent.visitor_id, site.files()
    await site.vault.destroy_key(visitor_id)  # and then the power fails
    assert [template.visitor_id for template in await site.records.templates()] == [other.consent.visitor_id] * 3
    await site.db.close()
    async with open_site(site.data_dir) as again:
        assert again.records.subjects == 1
        assert again.records.alias(visitor_id) is None
        assert await again.records.visitor_for(granted.alias) is None
        assert [event.kind for event in await again.log.since(0)][-1] == "consent_withdrawn"
        assert [entry.act for entry in await again.ledger.since(0)][-1] == "consent_withdrawn"
        assert {visit.visitor_id for visit in await again.visits.list(None, None, None, 9)} == {
            None,
            other.consent.visitor_id,
        }
        traces = remains(granted, before)
        for name, content in again.files().items():
            assert not [trace for trace in traces if trace in content], name


async def test_a_crash_between_key_and_consent_leaves_no_key(site: Site) -> None:
    kept = await site.grant(1)
    await site.vault.new_key("somebody who had not yet agreed")
    await site.db.close()
    async with open_site(site.data_dir) as again:
        assert again.vault.visitors == {kept.consent.visitor_id}


async def test_a_disk_that_refuses_the_key_file_changes_nothing_and_it_can_be_repeated(site: Site) -> None:
    visitor_id = (await site.grant(1)).consent.visitor_id
    blocked = site.data_dir / "keys" / "visitors.json.new"
    blocked.mkdir()
    with pytest.raises(RetryError, match="cannot be written"):
        await site.records.withdraw(visitor_id, NOW)
    assert site.vault.has_key(visitor_id)
    assert len(await site.records.templates()) == 1
    blocked.rmdir()
    await site.records.withdraw(visitor_id, NOW)
    assert await site.records.templates() == []


async def test_a_store_that_refuses_leaves_it_unreadable_and_it_can_be_repeated(site: Site) -> None:
    granted = await site.grant(1)
    visitor_id = granted.consent.visitor_id
    spoil = "CREATE TRIGGER spoil BEFORE DELETE ON visitors BEGIN SELECT RAISE(FAIL, 'no space'); END"
    run(site.data_dir, spoil)
    with pytest.raises(Exception, match="no space"):
        await site.records.withdraw(visitor_id, NOW)
    assert await site.records.templates() == []
    assert not site.vault.has_key(visitor_id)
    run(site.data_dir, "DROP TRIGGER spoil")
    assert (await site.records.withdraw(visitor_id, NOW)).alias == granted.alias
    assert sealed_templates(site.data_dir, visitor_id) == []


def run(data_dir: Path, statement: str) -> None:
    connection = sqlite3.connect(data_dir / "bridge.db", isolation_level=None)
    connection.execute(statement)
    connection.close()


async def test_a_log_that_another_program_keeps_from_being_cut_is_an_error_that_says_what_is_done(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "TRUNCATE_SECONDS", 0.2)
    granted = await busy_visitor(site)
    visitor_id, before = granted.consent.visitor_id, site.files()
    reader = sqlite3.connect(site.data_dir / "bridge.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchone()
    told: list[Withdrawn] = []
    with pytest.raises(ErasureOwedError, match="end that program"):
        await site.records.withdraw(visitor_id, NOW, told.append)
    assert [withdrawn.alias for withdrawn in told] == [granted.alias]
    assert len(told[0].visit_ids) == 3
    assert not site.vault.has_key(visitor_id)
    assert site.records.subjects == 0
    reader.close()
    await site.grant(2)  # whatever is written next pays the debt
    traces = remains(granted, before)
    for name, content in site.files().items():
        assert not [trace for trace in traces if trace in content], name


async def test_a_withdrawal_is_told_before_anything_that_is_written_after_it(site: Site) -> None:
    granted, other = await busy_visitor(site), await site.grant(2)
    told: list[int] = []

    async def visits() -> None:
        for number in range(20):
            _, event = await site.visits.begin(other.consent.visitor_id, "lane", NOW + number)
            told.append(event.sequence)

    visiting = asyncio.create_task(visits())
    await asyncio.sleep(0.01)
    async with site.db.read():  # a reader that the cutting of the log waits for
        withdrawing = asyncio.create_task(
            site.records.withdraw(granted.consent.visitor_id, NOW, lambda gone: told.append(gone.event.sequence))
        )
        await asyncio.sleep(0.1)
    await asyncio.gather(visiting, withdrawing)
    assert told == sorted(told)
