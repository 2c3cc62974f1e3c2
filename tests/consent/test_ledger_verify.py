"""Verifying the ledger: whatever is changed in the store, in whatever column, is found, and said where."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from store_site import NOW, Site, files, open_site

from nvr_bridge.consent.folder import verify_folder
from nvr_bridge.consent.walk import Verdict
from nvr_bridge.errors import AskError
from nvr_bridge.evidence.chain import digest_of

ENTRY_COLUMNS = ("number", "at", "act", "zone_id", "subject", "data", "previous", "digest")
CHECKPOINT_COLUMNS = ("number", "entries", "root", "at", "signature")


async def written(site: Site, entries: int = 12, every: int = 5) -> None:
    """A ledger of all sorts of entries, with a checkpoint after every few and none after the last."""
    visitor_id = (await site.grant(1)).consent.visitor_id
    for number in range(2, entries + 1):
        async with site.db.write() as session:
            await site.ledger.append(
                session,
                ("armed", "compared", "recognised")[number % 3],
                at=NOW + number / 8,
                zone_id="lane" if number % 4 else None,
                visitor_id=visitor_id if number % 3 == 2 else None,
                data={"runs": number, "why": "招牌", "fine": 0.25, "sure": True, "none": None},
            )
        if number % every == 0:
            await site.checkpoints.make()


@contextmanager
def opened(data_dir: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(data_dir / "bridge.db", isolation_level=None)) as connection:
        yield connection


def tamper(data_dir: Path, *statements: str) -> None:
    with opened(data_dir) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement


def flipped(value: object, chance: random.Random) -> tuple[str, object]:
    """The value with one bit flipped: (how SQL takes it, what it is given)."""
    match value:
        case None:
            return "CAST(? AS TEXT)", b""
        case int():
            return "?", struct.unpack("<q", _flip(struct.pack("<q", value), chance))[0]
        case float():
            return "?", struct.unpack("<d", _flip(struct.pack("<d", value), chance))[0]
        case str():
            return "CAST(? AS TEXT)", _flip(value.encode(), chance)
        case bytes():
            return "?", _flip(value, chance)
    raise TypeError(value)


def _flip(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize("column", ENTRY_COLUMNS)
async def test_a_flipped_bit_in_an_entry_is_found_and_located(site: Site, column: str) -> None:
    await written(site)
    await _flip_and_find(site, "ledger", column, 12)


@pytest.mark.parametrize("column", CHECKPOINT_COLUMNS)
async def test_a_flipped_bit_in_a_checkpoint_is_found_and_located(site: Site, column: str) -> None:
    await written(site, entries=16)
    await _flip_and_find(site, "checkpoints", column, 3)


async def _flip_and_find(site: Site, table: str, column: str, rows: int) -> None:
    what = "entry" if table == "ledger" else "checkpoint"
    chance = random.Random(f"{table}.{column}")
    with opened(site.data_dir) as connection:
        for _ in range(60):
            number = chance.randrange(1, rows + 1)
            (value,) = connection.execute(f"SELECT {column} FROM {table} WHERE number = ?", [number]).fetchone()  # noqa: S608
            how, changed = flipped(value, chance)
            moved = changed if column == "number" else number
            assert isinstance(moved, int)
            if column == "number" and 1 <= moved <= rows:
                continue  # there is such a row already
            update = f"UPDATE {table} SET {column} = {{}} WHERE number = ?"  # noqa: S608
            connection.execute(update.format(how), [changed, number])
            verdict = await site.checkpoints.verify()
            said = f"seed {table}.{column}: {value!r} -> {changed!r}: {verdict}"
            assert verdict.faults, said
            assert verdict.faults[0].what == what, said
            assert verdict.faults[0].number == (number if moved > 0 else moved), said
            assert verdict.faults[0].problem, said
            if isinstance(value, str):
                connection.execute(update.format("CAST(? AS TEXT)"), [value.encode(), moved])
            else:
                connection.execute(update.format("?"), [value, moved])
        assert (await site.checkpoints.verify()).intact


async def test_an_empty_ledger_is_intact(site: Site) -> None:
    assert await site.checkpoints.make() is None
    assert await site.checkpoints.verify() == Verdict(0, 0, 0)


async def test_what_a_verdict_says_of_an_intact_ledger(site: Site) -> None:
    await written(site)
    assert await site.checkpoints.verify() == Verdict(entries=12, checkpoints=2, sealed=10)


@pytest.mark.parametrize(
    ("statement", "number", "words"),
    [
        ("UPDATE ledger SET act = 'approved' WHERE number = 2", 2, "its content and its digest do not fit"),
        ("UPDATE ledger SET at = at - 60 WHERE number = 1", 1, "do not fit"),
        ("UPDATE ledger SET zone_id = NULL WHERE number = 3", 3, "do not fit"),
        ("UPDATE ledger SET data = '{}' WHERE number = 2", 2, "do not fit"),
        ("UPDATE ledger SET data = '{' WHERE number = 2", 2, "data: is not JSON"),
        ("UPDATE ledger SET data = '[1]' WHERE number = 2", 2, "data: is not written as this program writes it"),
        ("UPDATE ledger SET data = replace(data, ' ', '') WHERE number = 2", 2, "data: is not written as"),
        ("UPDATE ledger SET data = replace('[%]', '%', data) WHERE number = 2", 2, "data: is not written as"),
        ("UPDATE ledger SET data = 5 WHERE number = 2", 2, "data: is no text"),
        ("UPDATE ledger SET act = x'ff' WHERE number = 2", 2, "act: is no text"),
        ("UPDATE ledger SET act = CAST(x'ff' AS TEXT) WHERE number = 2", 2, "act: is no text: it is not UTF-8"),
        ("UPDATE ledger SET at = 'noon' WHERE number = 2", 2, "at: is not a time"),
        ("UPDATE ledger SET subject = 'somebody' WHERE number = 4", 4, "do not fit"),
        ("DELETE FROM ledger WHERE number = 1", 1, "is missing"),
        ("DELETE FROM ledger WHERE number = 2", 2, "is missing"),
        ("UPDATE ledger SET digest = previous WHERE number = 3", 3, "do not fit"),
        ("UPDATE ledger SET number = 40 WHERE number = 12", 12, "is missing"),
        ("UPDATE ledger SET number = -3 WHERE number = 12", -3, "has a number that no entry has"),
        ("DELETE FROM ledger WHERE number > 7", 8, "was cut off: checkpoint 2 covers 10 entries, and 7 are left"),
        ("DELETE FROM ledger", 1, "was cut off: checkpoint 2 covers 10 entries, and 0 are left"),
    ],
)
async def test_what_is_said_of_a_change(site: Site, statement: str, number: int, words: str) -> None:
    await written(site)
    tamper(site.data_dir, statement)
    verdict = await site.checkpoints.verify()
    assert not verdict.intact
    assert verdict.broken_at == number
    assert words in verdict.faults[0].problem
    assert verdict.entries == max(number - 1, 0)


async def test_entries_that_changed_places_are_found(site: Site) -> None:
    await written(site)
    tamper(
        site.data_dir,
        "UPDATE ledger SET number = 99 WHERE number = 4",
        "UPDATE ledger SET number = 4 WHERE number = 7",
        "UPDATE ledger SET number = 7 WHERE number = 99",
    )
    assert (await site.checkpoints.verify()).broken_at == 4


@pytest.mark.parametrize(
    ("statement", "number", "words"),
    [
        ("DELETE FROM checkpoints WHERE number = 2", 2, "is missing"),
        ("DELETE FROM checkpoints WHERE number = 1", 1, "is missing"),
        ("UPDATE checkpoints SET number = 0 WHERE number = 1", 0, "its signature does not fit"),
        ("UPDATE checkpoints SET entries = 6 WHERE number = 1", 1, "its signature does not fit"),
        ("UPDATE checkpoints SET signature = 'x' WHERE number = 3", 3, "signature: is not one"),
        ("UPDATE checkpoints SET signature = zeroblob(64) WHERE number = 3", 3, "its signature does not fit"),
        ("UPDATE checkpoints SET signature = zeroblob(6) WHERE number = 3", 3, "its signature does not fit"),
        ("UPDATE checkpoints SET entries = 'all' WHERE number = 3", 3, "entries: is not a number of entries"),
        ("UPDATE checkpoints SET at = 'noon' WHERE number = 3", 3, "at: is not a time"),
        ("UPDATE checkpoints SET root = x'00' WHERE number = 3", 3, "root: is no text"),
    ],
)
async def test_what_is_said_of_a_change_to_a_checkpoint(site: Site, statement: str, number: int, words: str) -> None:
    await written(site, entries=16)
    tamper(site.data_dir, statement)
    verdict = await site.checkpoints.verify()
    assert [fault.what for fault in verdict.faults] == ["checkpoint"] * len(verdict.faults)
    assert words in next(fault for fault in verdict.faults if fault.number == number).problem
    assert verdict.entries == 16
    assert verdict.broken_at is None


def rewrite(connection: sqlite3.Connection, change: Callable[[list[object]], None], number: int) -> None:
    """Change an entry, and chain it and all that follow anew, as somebody would who knows how."""
    rows = [list(row) for row in connection.execute("SELECT * FROM ledger ORDER BY number")]
    change(rows[number - 1])
    previous = "0" * 64
    for row in rows:
        row[6] = previous
        previous = row[7] = digest_of(*row[:5], json.loads(row[5]), row[6])
    connection.executemany("REPLACE INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)


async def test_a_ledger_that_was_chained_anew_contradicts_its_checkpoints(site: Site) -> None:
    await written(site)
    with opened(site.data_dir) as connection:
        rewrite(connection, lambda row: row.__setitem__(2, "approved"), 7)
    verdict = await site.checkpoints.verify()
    assert verdict.broken_at == 6  # the first that the broken checkpoint covers and no earlier one does
    assert str(verdict.faults[0]) == (
        "entry 6: it, or one of those up to 10, was replaced and chained anew: checkpoint 2 signed others"
    )
    assert (verdict.entries, verdict.checkpoints, verdict.sealed) == (5, 1, 5)


async def test_one_entry_chained_anew_no_longer_joins_the_next(site: Site) -> None:
    await written(site)
    row = (await site.ledger.since(10, 1))[0]
    digest = digest_of(11, row.at, "approved", row.zone_id, row.subject, row.data, row.previous)
    with opened(site.data_dir) as connection:
        connection.execute("UPDATE ledger SET act = 'approved', digest = ? WHERE number = 11", [digest])
    verdict = await site.checkpoints.verify()
    assert (verdict.broken_at, verdict.faults[0].problem) == (
        12,
        "does not follow entry 11: one of the two was replaced",
    )


async def test_a_long_ledger_is_walked_whole(site: Site) -> None:
    async with site.db.write() as session:
        await site.ledger.append_all(session, "armed", NOW, [{"n": number} for number in range(2100)])
    await site.checkpoints.make()
    assert await site.checkpoints.verify() == Verdict(2100, 1, 2100)
    tamper(site.data_dir, "UPDATE ledger SET act = 'x' WHERE number = 2050")
    assert (await site.checkpoints.verify()).broken_at == 2050


# --- checkpoints that somebody else kept ---------------------------------------------------------------------------


async def test_a_checkpoint_that_was_kept_is_one_of_the_stores_own(site: Site) -> None:
    await written(site)
    kept = await site.checkpoints.make()
    assert kept is not None
    assert await site.checkpoints.verify([kept]) == Verdict(12, 3, 12)
    await site.ledger.record("armed", "lane")
    assert (await site.checkpoints.verify([kept])).intact


async def test_cutting_the_ledger_and_its_checkpoints_off_shows_in_one_that_was_kept(site: Site) -> None:
    await written(site)
    kept = await site.checkpoints.make()
    assert kept is not None
    tamper(site.data_dir, "DELETE FROM ledger WHERE number > 10", "DELETE FROM checkpoints WHERE number > 2")
    assert (await site.checkpoints.verify()).intact  # nothing in the store tells
    verdict = await site.checkpoints.verify([kept])
    assert [str(fault) for fault in verdict.faults] == [
        "entry 11: was cut off: checkpoint 3 covers 12 entries, and 10 are left",
        "checkpoint 3: is missing: it was removed, and the one given is genuine",
    ]


async def test_a_ledger_written_anew_shows_in_a_checkpoint_that_was_kept(tmp_path: Path) -> None:
    """Whoever has the keys can sign another history, but not the one that somebody else has a checkpoint of."""
    async with open_site(tmp_path) as site:
        await written(site)
        kept = await site.checkpoints.make()
    assert kept is not None
    with opened(tmp_path) as connection:
        connection.execute("DELETE FROM checkpoints")
        rewrite(connection, lambda row: row.__setitem__(2, "approved"), 3)
    key = (tmp_path / "keys" / "signing.key").read_bytes()
    async with open_site(tmp_path) as site:
        assert (tmp_path / "keys" / "signing.key").read_bytes() == key
        for _ in range(3):
            await site.ledger.record("armed", "lane")
            assert await site.checkpoints.make() is not None
        assert (await site.checkpoints.verify()).intact
        verdict = await site.checkpoints.verify([kept])
    assert verdict.broken_at == 1
    assert [fault.problem for fault in verdict.faults[1:]] == ["is not the one given"]


async def test_a_checkpoint_of_another_engine_or_key_says_nothing_about_this_ledger(site: Site, tmp_path: Path) -> None:
    await written(site)
    async with open_site(tmp_path / "other") as other:
        await written(other)
        theirs = await other.checkpoints.make()
    ours = await site.checkpoints.make()
    assert ours is not None
    assert theirs is not None
    for kept in (theirs, replace(ours, entries=11), replace(ours, engine_id="e" * 32)):
        verdict = await site.checkpoints.verify([kept])
        assert [fault.problem for fault in verdict.faults] == ["the one given is another engine's, or of another key"]
        assert verdict.entries == 12


# --- a folder without an engine -----------------------------------------------------------------------------------


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """What an engine left behind."""
    async with open_site(tmp_path / "left") as site:
        await written(site)
    return tmp_path / "left"


async def test_a_folder_is_verified_without_an_engine_and_nothing_is_written(folder: Path) -> None:
    before = files(folder)
    verdict, key = await asyncio.to_thread(verify_folder, folder)
    assert verdict == Verdict(12, 2, 10)
    assert len(key) == 32
    assert files(folder) == before
    tamper(folder, "UPDATE ledger SET data = CAST(x'80' AS TEXT) WHERE number = 9")
    verdict, _ = await asyncio.to_thread(verify_folder, folder)
    assert (verdict.broken_at, verdict.faults[0].problem) == (9, "data: is no text: it is not UTF-8")


async def test_a_folder_is_verified_while_its_engine_runs(site: Site) -> None:
    await written(site)
    assert (await asyncio.to_thread(verify_folder, site.data_dir))[0] == Verdict(12, 2, 10)
    kept = await site.checkpoints.make()
    assert kept is not None
    assert (await asyncio.to_thread(verify_folder, site.data_dir, [kept]))[0] == Verdict(12, 3, 12)


async def test_bits_flipped_in_the_file_itself_are_found(folder: Path, tmp_path: Path) -> None:
    original = (folder / "bridge.db").read_bytes()
    with opened(folder) as connection:
        contents = [row[0].encode() for row in connection.execute("SELECT data FROM ledger WHERE number > 1")]
        contents += [row[0].encode() for row in connection.execute("SELECT digest FROM ledger")]
    chance = random.Random(12)
    for _ in range(60):
        content = chance.choice(contents)
        at = original.rindex(content) + chance.randrange(len(content))
        changed = bytearray(original)
        changed[at] ^= 1 << chance.randrange(8)
        (folder / "bridge.db").write_bytes(bytes(changed))
        verdict, _ = await asyncio.to_thread(verify_folder, folder)
        assert verdict.broken_at is not None, (at, verdict)
    (folder / "bridge.db").write_bytes(original)
    assert (await asyncio.to_thread(verify_folder, folder))[0].intact


async def test_a_file_with_a_ruined_page_is_said_in_one_line(folder: Path) -> None:
    with opened(folder) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ledger'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content = bytearray((folder / "bridge.db").read_bytes())
    content[(page - 1) * size : page * size] = b"\xa5" * size
    (folder / "bridge.db").write_bytes(bytes(content))
    verdict, _ = await asyncio.to_thread(verify_folder, folder)
    assert verdict.broken_at == 1
    assert "cannot be read from the store" in verdict.faults[0].problem


async def test_what_is_no_store_is_refused(folder: Path, tmp_path: Path) -> None:
    await asyncio.to_thread(_refused, folder, tmp_path)


def _refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(AskError, match=r"holds no bridge\.db"):
        verify_folder(tmp_path)
    (folder / "keys" / "signing.key").rename(tmp_path / "aside")
    with pytest.raises(AskError, match=r"signing\.key is missing"):
        verify_folder(folder)
    (tmp_path / "aside").rename(folder / "keys" / "signing.key")
    tamper(folder, "UPDATE settings SET value = '{' WHERE key = 'engine_id'")
    with pytest.raises(AskError, match="does not say which engine's it is"):
        verify_folder(folder)
    (folder / "bridge.db").write_bytes(b"SQLite format 3\0 but no more")
    with pytest.raises(AskError, match="cannot be read"):
        verify_folder(folder)


async def test_another_engines_checkpoints_are_not_taken_for_its_own(folder: Path, tmp_path: Path) -> None:
    async with open_site(tmp_path / "other") as other:
        await written(other)
    shutil.copy(tmp_path / "other" / "keys" / "signing.key", folder / "keys" / "signing.key")
    verdict, _ = await asyncio.to_thread(verify_folder, folder)
    assert [(fault.what, fault.number) for fault in verdict.faults] == [("checkpoint", 1), ("checkpoint", 2)]
    assert verdict.sealed == 0
