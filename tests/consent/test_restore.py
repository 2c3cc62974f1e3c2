"""A visitor who was erased does not come back, whatever is restored, as long as anything is left that knows of the erasure.

Real folders are copied, erased from and put back, as an operator does it.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from store_site import NOW, Site, files, open_site
from test_erasure import busy_visitor
from test_receipts import receipts

from nvr_bridge.consent import destroyed
from nvr_bridge.consent.key_backup import back_up, known_destroyed, read_bundle, restore
from nvr_bridge.consent.reapply import reapply
from nvr_bridge.consent.vault import Vault
from nvr_bridge.errors import AskError, ConflictError, InvalidError
from nvr_bridge.evidence.receipt import Receipt
from nvr_bridge.office.keyring import Keyring
from nvr_bridge.store.settings import SettingsTable

PRIVACY = Path(__file__).parents[2] / "docs" / "privacy.md"


class Story:
    """Ann was erased and Bo was not, after everything was copied and the keys were backed up."""

    def __init__(self, tmp_path: Path) -> None:
        self.data = tmp_path / "data"
        self.copy = tmp_path / "copy"  # of the whole folder, from before
        self.newer = tmp_path / "newer"  # and from after
        self.old_keys, self.new_keys = tmp_path / "old.backup", tmp_path / "new.backup"
        self.ann = self.bo = ""
        self.receipt: Receipt

    async def tell(self) -> Story:
        async with open_site(self.data) as site:
            ann, bo = await busy_visitor(site), await busy_visitor(site, person=2)
            self.ann, self.bo = ann.consent.visitor_id, bo.consent.visitor_id
            await site.db.checkpoint()
            await asyncio.to_thread(self._before)
            withdrawn = await site.records.withdraw(self.ann, NOW + 60)
            self.receipt = await receipts(site).take(withdrawn.receipt)
            await asyncio.to_thread(back_up, self.data / "keys", self.new_keys)
        await asyncio.to_thread(shutil.copytree, self.data, self.newer)
        return self

    def _before(self) -> None:
        shutil.copytree(self.data, self.copy)
        back_up(self.data / "keys", self.old_keys)

    def all_back(self) -> None:
        """The whole folder is as it was before the erasure."""
        shutil.rmtree(self.data)
        shutil.copytree(self.copy, self.data)

    def store_back(self) -> None:
        """The data, without the keys."""
        for path in self.data.glob("bridge.db*"):
            path.unlink()
        shutil.copy(self.copy / "bridge.db", self.data / "bridge.db")

    async def is_there(self, who: str, kept: frozenset[str] = frozenset()) -> bool:
        """Whether the next start has them: with rows and key, or with neither."""
        async with open_site(self.data, kept=kept) as site:
            there = site.records.alias(who) is not None
            assert (who in site.vault.visitors) == there == (await in_files(site, who))
            names = {each.visitor_id for each in await site.records.templates()}
            assert (who in names) == there
            return there


async def in_files(site: Site, who: str) -> bool:
    found = await asyncio.to_thread(site.files)
    return any(who.encode() in content for content in found.values())


@pytest.fixture
async def story(tmp_path: Path) -> Story:
    return await Story(tmp_path).tell()


async def test_the_data_alone_restored_is_unreadable_and_erased_again(story: Story) -> None:
    story.store_back()
    assert not await story.is_there(story.ann)
    assert await story.is_there(story.bo)


async def restored(story: Story, source: Path) -> None:
    await asyncio.to_thread(lambda: restore(story.data / "keys", read_bundle(source), None))


async def old_bundle(story: Story) -> None:
    (story.data / "keys" / "visitors.json").unlink()
    await restored(story, story.old_keys)


async def old_file(story: Story) -> None:
    shutil.copy(story.copy / "keys" / "visitors.json", story.data / "keys" / "visitors.json")


async def old_bundle_then_new(story: Story) -> None:
    shutil.rmtree(story.data / "keys")
    await restored(story, story.old_keys)
    (story.data / "keys" / "site.key").unlink()
    await restored(story, story.new_keys)


@pytest.mark.parametrize("keys_back", [old_bundle, old_file, old_bundle_then_new])
async def test_data_and_keys_both_from_before_are_destroyed_again(
    story: Story, keys_back: Callable[[Story], Awaitable[None]]
) -> None:
    story.store_back()
    await keys_back(story)
    assert story.ann.encode() in (story.data / "keys" / "visitors.json").read_bytes()
    assert not await story.is_there(story.ann)
    assert await story.is_there(story.bo)
    async with open_site(story.data) as site:
        assert site.vault.returned == 0  # once is enough
        erased = [entry for entry in await site.ledger.since(0) if entry.act == "consent_withdrawn"]
        assert len(await receipts(site).waiting()) == len(erased) == 1


async def test_a_whole_folder_from_before_is_told_by_the_key_backup_elsewhere(story: Story) -> None:
    story.all_back()
    known = await asyncio.to_thread(known_destroyed, story.new_keys)
    assert not await story.is_there(story.ann, known)
    assert await story.is_there(story.bo)
    await asyncio.to_thread(back_up, story.data / "keys", story.new_keys)
    story.all_back()  # and again: the backup still knows, although it is of that folder now
    assert not await story.is_there(story.ann, await asyncio.to_thread(known_destroyed, story.new_keys))


async def test_without_anything_newer_nobody_can_know(story: Story) -> None:
    story.all_back()
    assert await story.is_there(story.ann)


async def test_a_receipt_erases_its_visitor_again_whenever_it_is_brought(story: Story) -> None:
    story.all_back()
    async with open_site(story.data) as site:  # an engine ran on it, and somebody else agreed
        cy = (await site.grant(3)).consent.visitor_id
    assert await asyncio.to_thread(reapply, story.data, [story.receipt], []) == 1
    assert not await story.is_there(story.ann)
    assert await story.is_there(story.bo)
    assert await story.is_there(cy)
    assert await asyncio.to_thread(reapply, story.data, [story.receipt], []) == 0


@pytest.mark.parametrize("what", ["newer", "newer/bridge.db", "new.backup", "newer/keys/destroyed.json"])
async def test_so_does_whatever_is_newer(story: Story, what: str) -> None:
    story.all_back()
    assert await asyncio.to_thread(reapply, story.data, [], [story.data.parent / what]) == 1
    assert not await story.is_there(story.ann)
    assert await story.is_there(story.bo)


async def test_what_is_no_newer_or_another_sites_erases_nobody(story: Story, tmp_path: Path) -> None:
    async with open_site(tmp_path / "other") as other:
        gone = await other.grant(1)
        theirs = await receipts(other).take((await other.records.withdraw(gone.consent.visitor_id, NOW)).receipt)
    changed = replace(story.receipt, salt="00" * 32)

    async def again(given: list[Receipt], newer: list[Path]) -> int:
        return await asyncio.to_thread(reapply, story.data, given, newer)

    before = files(story.data)
    with pytest.raises(ConflictError, match="does not go on where this one ends"):
        await again([], [story.copy])
    with pytest.raises(InvalidError, match="is another site's store"):
        await again([], [tmp_path / "other"])
    with pytest.raises(InvalidError, match="is another site's; give those"):
        await again([theirs], [])
    with pytest.raises(InvalidError, match="proves nothing"):
        await again([changed], [])
    with pytest.raises(InvalidError, match="is not a key backup"):
        await again([], [story.copy / "keys" / "site.key"])
    (tmp_path / "bad.db").write_bytes(b"no store" * 1000)
    with pytest.raises(InvalidError, match="cannot be read"):
        await again([], [tmp_path / "bad.db"])
    assert files(story.data) == before


async def test_a_key_backup_that_knows_better_is_not_replaced(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    story.all_back()
    kept = story.new_keys.read_bytes()
    with pytest.raises(AskError, match=r"run `nvr-bridge erasure reapply --from .*new\.backup`"):
        await asyncio.to_thread(back_up, story.data / "keys", story.new_keys)
    async with open_site(story.data) as site:
        settings = SettingsTable(site.db)
        keyring = Keyring(site.vault, story.data / "keys", story.new_keys, settings, site.ledger, lambda: NOW)
        for _ in range(2):
            await keyring.back_up()
        assert caplog.text.count("was restored from before an erasure") == 1
    assert story.new_keys.read_bytes() == kept


async def test_that_keys_were_destroyed_again_is_an_act(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    story.store_back()
    await old_file(story)
    async with open_site(story.data) as site:
        keyring = Keyring(site.vault, story.data / "keys", None, SettingsTable(site.db), site.ledger)
        await keyring.note_return()
        [entry] = [entry for entry in await site.ledger.since(0) if entry.act == "keys_destroyed_again"]
        assert entry.data == {"keys": 2}  # the visitor's and their consent's
    assert "2 that were destroyed were there again" in caplog.text


async def test_a_kill_between_list_and_keys_is_finished_by_the_next_start(story: Story) -> None:
    keys = story.data / "keys"
    held = json.loads((keys / "visitors.json").read_bytes())["keys"]
    tags = await asyncio.to_thread(destroyed.held, keys) | {destroyed.tag(held[story.bo])}
    (keys / "destroyed.json").write_bytes(destroyed.document(tags))
    assert not await story.is_there(story.bo)


async def test_a_list_that_is_damaged_or_missing_is_said(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    path = story.data / "keys" / "destroyed.json"
    whole = path.read_bytes()
    for damaged in (b"", b"{}", b'{"destroyed": ["xx"]}', b'{"destroyed": ["ab"]}', b'{"destroyed": 7}'):
        path.write_bytes(damaged)
        with pytest.raises(AskError, match=r"destroyed\.json is damaged; restore it with `nvr-bridge keys restore`"):
            await Vault.open(story.data / "keys", fresh=False)
    await restored(story, story.new_keys)
    assert path.read_bytes() == whole
    await Vault.open(story.data / "keys", fresh=False)
    assert caplog.text == ""
    path.unlink()
    await Vault.open(story.data / "keys", fresh=False)
    assert "destroyed.json is missing; restore it with" in caplog.text


async def test_who_agreed_and_is_only_in_a_newer_backup_is_not_counted_as_destroyed(story: Story) -> None:
    async with open_site(story.data) as site:
        cy = (await site.grant(3)).consent.visitor_id
    await asyncio.to_thread(shutil.copytree, story.data, story.data.parent / "newest")
    story.store_back()
    assert not await story.is_there(cy)  # the store of then does not know them
    shutil.rmtree(story.data)
    shutil.copytree(story.data.parent / "newest", story.data)
    assert await story.is_there(cy)


async def test_the_list_says_nothing_of_anybody(story: Story) -> None:
    written = (story.data / "keys" / "destroyed.json").read_bytes()
    assert len(json.loads(written)["destroyed"]) == 2
    assert story.ann.encode() not in written
    assert json.loads(written)["destroyed"] == sorted(json.loads(written)["destroyed"])


def test_how_much_the_list_grows_is_what_its_words_say() -> None:
    tags = [destroyed.tag(str(number)) for number in range(20_000)]  # a visitor's key and a consent's, for each erasure
    grown = f"{round(len(destroyed.document(tags)), -4) // 1000} kB for 10,000 erasures"
    assert grown in (destroyed.__doc__ or "")
    assert grown in PRIVACY.read_text()
