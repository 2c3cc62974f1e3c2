"""Decommissioning: everything of the site goes, keys first; what is in use or no data folder is left alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from store_site import files, open_site

from nvr_bridge.errors import AskError, ConflictError, InvalidError
from nvr_bridge.store.wipe import wipe


async def used_folder(path: Path) -> Path:
    async with open_site(path) as site:
        await site.grant(1)
    (path / "admin.token").write_text("secret")
    return path


async def test_nothing_remains(tmp_path: Path) -> None:
    data = await used_folder(tmp_path / "data")
    assert (data / "keys" / "site.key").exists()
    assert await asyncio.to_thread(wipe, data) == ()
    assert not data.exists()


async def test_what_a_crash_left_goes_too(tmp_path: Path) -> None:
    data = await used_folder(tmp_path / "data")
    for name in ("bridge.db-wal", "bridge.db-shm", "keys/visitors.json.new", "keys/site.key.new"):
        (data / name).write_bytes(b"left behind")
    assert await asyncio.to_thread(wipe, data) == ()
    assert not data.exists()


async def test_somebody_elses_files_are_left_and_named(tmp_path: Path) -> None:
    data = await used_folder(tmp_path / "data")
    (data / "holiday.txt").write_text("not ours")
    assert await asyncio.to_thread(wipe, data) == ("holiday.txt",)
    assert files(data) == {"holiday.txt": b"not ours"}


async def test_a_running_engine_is_not_wiped(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data") as site:
        before = set(site.files())
        with pytest.raises(ConflictError, match="stop it first"):
            await asyncio.to_thread(wipe, site.data_dir)
        assert set(site.files()) == before
    assert await asyncio.to_thread(wipe, tmp_path / "data") == ()


async def test_a_folder_that_is_no_data_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "house.key").write_text("front door")
    with pytest.raises(InvalidError, match="nothing was removed"):
        await asyncio.to_thread(wipe, tmp_path)
    with pytest.raises(InvalidError, match="nothing was removed"):
        await asyncio.to_thread(wipe, tmp_path / "absent")
    assert files(tmp_path) == {"keys/house.key": b"front door"}


async def test_keys_behind_a_link_are_not_followed(tmp_path: Path) -> None:
    data = await used_folder(tmp_path / "data")
    (data / "keys").rename(tmp_path / "elsewhere")
    (data / "keys").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidError, match="is a link"):
        await asyncio.to_thread(wipe, data)
    assert (tmp_path / "elsewhere" / "site.key").exists()
    assert (data / "bridge.db").exists()


async def test_the_keys_go_first_and_a_wipe_that_failed_can_be_repeated(tmp_path: Path) -> None:
    data = await used_folder(tmp_path / "data")
    (data / "bridge.db").unlink()
    (data / "bridge.db").mkdir()  # cannot be unlinked, even by root
    with pytest.raises(AskError, match=r"bridge\.db cannot be removed"):
        await asyncio.to_thread(wipe, data)
    assert not (data / "keys").exists()
    (data / "bridge.db").rmdir()
    assert await asyncio.to_thread(wipe, data) == ()


async def test_a_wipe_that_a_crash_interrupted_can_be_repeated(tmp_path: Path) -> None:
    data = await used_folder(tmp_path / "data")
    for name in ("keys/site.key", "keys/visitors.json", "bridge.db"):
        (data / name).unlink()
    assert await asyncio.to_thread(wipe, data) == ()
    assert not data.exists()
