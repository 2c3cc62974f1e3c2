"""The key backup: one file, one generation; a restore brings back what was lost and nothing that was destroyed."""

from __future__ import annotations

import asyncio
import json
import shutil
import stat
from pathlib import Path

import pytest
from store_site import NOW, Site, files, open_site

from nvr_bridge.consent.key_backup import back_up, read_bundle, restore
from nvr_bridge.consent.master import rotate
from nvr_bridge.consent.vault import Vault
from nvr_bridge.errors import AskError, ConflictError, InvalidError
from nvr_bridge.office.keyring import Keyring
from nvr_bridge.store.settings import SettingsTable

PHRASE = "correct horse battery"


async def do(work, *args, **kwargs):  # type: ignore[no-untyped-def]
    """What blocks, in a thread."""
    return await asyncio.to_thread(work, *args, **kwargs)


async def closed(folder: Path) -> Path:
    """The keys of a site with one visitor, whose engine has stopped."""
    async with open_site(folder) as site:
        await site.grant(1)
    return folder / "keys"


@pytest.mark.parametrize("lost", [["site.key"], ["data.key"], ["visitors.json"], ["signing.key"], ["*"]])
async def test_what_was_lost_comes_back(tmp_path: Path, lost: list[str]) -> None:
    keys = await closed(tmp_path / "data")
    before = files(keys)
    await do(back_up, keys, tmp_path / "backup")
    for name in before if lost == ["*"] else lost:
        (keys / name).unlink()
    done = await do(restore, keys, await do(read_bundle, tmp_path / "backup"), None)
    pair = {"site.key", "data.key"}  # each is worth nothing without the other
    assert set(done.files) == (set(before) if lost == ["*"] else pair if pair & set(lost) else set(lost))
    assert files(keys) == before
    async with open_site(tmp_path / "data") as again:
        assert again.records.subjects == 1
        assert (await again.checkpoints.verify()).intact


@pytest.mark.parametrize("name", ["site.key", "data.key", "visitors.json", "signing.key"])
async def test_what_is_damaged_comes_back(tmp_path: Path, name: str) -> None:
    keys = await closed(tmp_path / "data")
    before = files(keys)
    await do(back_up, keys, tmp_path / "backup")
    (keys / name).write_bytes(b"{}")
    await do(restore, keys, await do(read_bundle, tmp_path / "backup"), None)
    assert files(keys) == before


async def test_a_key_that_was_destroyed_since_does_not_come_back(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data") as site:
        ann, bo = await site.grant(1), await site.grant(2)
        await do(back_up, tmp_path / "data" / "keys", tmp_path / "backup")
        await site.records.withdraw(ann.consent.visitor_id, NOW)
    keys = tmp_path / "data" / "keys"
    (keys / "site.key").unlink()
    done = await do(restore, keys, await do(read_bundle, tmp_path / "backup"), None)
    assert set(done.files) == {"site.key", "data.key"}
    async with open_site(tmp_path / "data") as again:
        assert again.vault.visitors == {bo.consent.visitor_id}
    shutil.rmtree(keys)  # now the visitors' keys are those of the backup, and the store knows who is gone
    await do(restore, keys, await do(read_bundle, tmp_path / "backup"), None)
    async with open_site(tmp_path / "data") as again:
        assert again.vault.visitors == {bo.consent.visitor_id}
        assert len(again.vault.consents) == 1


async def test_nothing_is_replaced_that_is_whole(tmp_path: Path) -> None:
    keys = await closed(tmp_path / "data")
    await do(back_up, keys, tmp_path / "backup")
    bundle = await do(read_bundle, tmp_path / "backup")
    with pytest.raises(ConflictError, match=r"all keys are in .*; nothing was restored"):
        await do(restore, keys, bundle, None)


@pytest.mark.parametrize("lost", [[], ["site.key", "data.key"]])
async def test_another_sites_keys_are_not_replaced(tmp_path: Path, lost: list[str]) -> None:
    await do(back_up, await closed(tmp_path / "data"), tmp_path / "backup")
    other = await closed(tmp_path / "other")
    for name in lost:
        (other / name).unlink()
    held = files(other)
    with pytest.raises(ConflictError, match="is another site's than the backup"):
        await do(restore, other, await do(read_bundle, tmp_path / "backup"), None)
    assert files(other) == held


async def test_there_is_one_generation_for_this_user_alone(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data") as site:
        granted = await site.grant(1)
        keys, target = tmp_path / "data" / "keys", tmp_path / "elsewhere" / "backup"
        target.parent.mkdir()
        await do(back_up, keys, target)
        wrapped = json.loads(files(keys)["visitors.json"])["keys"][granted.consent.visitor_id]
        assert wrapped in (await do(read_bundle, target)).files["visitors.json"].decode()
        await site.records.withdraw(granted.consent.visitor_id, NOW)
        await do(back_up, keys, target)
    assert set(files(target.parent)) == {"backup"}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert wrapped not in (await do(read_bundle, target)).files["visitors.json"].decode()


async def test_a_backup_is_locked_by_a_passphrase_of_its_own_or_of_the_site(tmp_path: Path) -> None:
    keys = await closed(tmp_path / "data")
    before = files(keys)
    await do(back_up, keys, tmp_path / "locked", lock_with=PHRASE)
    assert before["site.key"].hex() not in (tmp_path / "locked").read_bytes().hex()
    bundle = await do(read_bundle, tmp_path / "locked")
    assert "site.key" not in bundle.files
    shutil.rmtree(keys)
    with pytest.raises(AskError, match="a passphrase opens this backup"):
        await do(restore, keys, bundle, None)
    with pytest.raises(AskError, match="the passphrase is wrong"):
        await do(restore, keys, bundle, PHRASE + "?")
    await do(restore, keys, bundle, PHRASE)
    assert len((await Vault.open(keys, fresh=False, passphrase=PHRASE)).visitors) == 1
    with pytest.raises(InvalidError, match="has one already"):
        await do(back_up, keys, tmp_path / "twice", lock_with=PHRASE)
    await do(back_up, keys, tmp_path / "again")
    (keys / "data.key").unlink()
    assert (await do(restore, keys, await do(read_bundle, tmp_path / "again"), PHRASE)).files == ("data.key",)


async def test_an_old_backup_opens_nothing_after_a_rotation_but_for_itself(tmp_path: Path) -> None:
    keys = await closed(tmp_path / "data")
    await do(back_up, keys, tmp_path / "old")
    await do(rotate, keys, None, None)
    with pytest.raises(ConflictError):  # it is of this site, which lost nothing
        await do(restore, keys, await do(read_bundle, tmp_path / "old"), None)
    (keys / "site.key").write_bytes((await do(read_bundle, tmp_path / "old")).files["site.key"])
    with pytest.raises(AskError, match="does not open"):
        await Vault.open(keys, fresh=False)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"files": {}}', b'{"made_at": "x", "files": {"../x": "AA=="}}']
)
async def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(InvalidError, match="is not a key backup"):
        await do(read_bundle, tmp_path / "file")


async def test_damaged_keys_and_places_beside_the_store_are_refused(tmp_path: Path) -> None:
    keys = await closed(tmp_path / "data")
    with pytest.raises(InvalidError, match="is in the data folder"):
        await do(back_up, keys, tmp_path / "data" / "backup")
    (keys / "visitors.json").write_bytes(b"{")
    with pytest.raises(AskError, match=r"visitors\.json is damaged"):
        await do(back_up, keys, tmp_path / "backup")
    (keys / "visitors.json").unlink()
    with pytest.raises(AskError, match=r"visitors\.json is missing; nothing was backed up"):
        await do(back_up, keys, tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


def kept_by(site: Site, target: Path) -> Keyring:
    keys = site.data_dir / "keys"
    return Keyring(site.vault, keys, target, SettingsTable(site.db), site.ledger, lambda: NOW)


async def test_the_engine_keeps_it_at_its_newest_state(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    target = tmp_path / "backup"
    caplog.set_level("INFO")
    async with open_site(tmp_path / "data") as site:
        keyring = kept_by(site, target)
        await keyring.back_up()
        assert keyring.backed_up_at == NOW
        granted = await site.grant(1)
        visitor = granted.consent.visitor_id
        for expected in (True, False):
            await keyring.back_up()
            held = (await do(read_bundle, target)).files["visitors.json"].decode()
            assert (visitor in held) == expected
            if expected:
                await site.records.withdraw(visitor, NOW)
        made = target.stat().st_mtime_ns
        await keyring.back_up()  # nothing changed since
        assert target.stat().st_mtime_ns == made
        target.unlink()
        target.mkdir()  # nothing can be written there
        await site.grant(2)
        for _ in range(2):
            await keyring.back_up()
        assert caplog.text.count("cannot be written") == 1
        target.rmdir()
        await keyring.back_up()
        assert caplog.text.count("is written again") == 1


async def test_a_rotation_is_an_act_of_the_ledger_at_the_next_start(tmp_path: Path) -> None:
    for turn in (False, True, False):
        if turn:
            await do(rotate, tmp_path / "data" / "keys", None, None)
        async with open_site(tmp_path / "data") as site:
            await kept_by(site, tmp_path / "backup").note_rotation()
            acts = [entry.act for entry in await site.ledger.since(0)]
    assert acts == ["keys_rotated"]
