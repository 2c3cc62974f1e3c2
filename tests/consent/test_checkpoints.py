"""Checkpoints: made where there is something new, never on top of a change, and proofs of single entries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from store_site import NOW, Site, files, open_site
from test_ledger_verify import tamper, written

from nvr_bridge.consent.checkpoints import Checkpoints
from nvr_bridge.errors import AskError
from nvr_bridge.evidence.checkpoint import is_signed
from nvr_bridge.evidence.merkle import root_by_path


async def reopened(site: Site) -> Checkpoints:
    return await Checkpoints.open(site.db, site.vault, site.data_dir / "keys")


async def test_a_checkpoint_is_made_where_there_is_something_new(site: Site) -> None:
    await written(site, every=100)
    first = await site.checkpoints.make()
    assert first is not None
    assert (first.number, first.entries, first.engine_id) == (1, 12, site.db.engine_id)
    assert is_signed(first.signed, first.signature, site.checkpoints.key.public)
    assert await site.checkpoints.make() == first
    await site.ledger.record("armed", "lane")
    second = await site.checkpoints.make()
    assert second is not None
    assert (second.number, second.entries) == (2, 13)


async def test_after_a_restart_it_goes_on_with_the_same_key_and_the_same_tree(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        await written(site, every=100)
        first = await site.checkpoints.make()
        key = site.checkpoints.key.fingerprint
    async with open_site(tmp_path) as site:
        assert site.checkpoints.key.fingerprint == key
        assert await site.checkpoints.make() == first
        await site.ledger.record("armed", "lane")
        second = await site.checkpoints.make()
        assert second is not None
        assert (second.number, second.entries) == (2, 13)
        assert (await site.checkpoints.verify()).checkpoints == 2


async def test_an_entry_is_proved(site: Site) -> None:
    await written(site)
    sealed = await site.checkpoints.prove([1, 7, 12])
    assert sealed.checkpoint.entries == 12
    entries = {entry.number: entry for entry in await site.ledger.since(0)}
    assert sealed.paths.keys() == {1, 7, 12}
    for number, path in sealed.paths.items():
        digest = bytes.fromhex(entries[number].digest)
        root = root_by_path(digest, number - 1, sealed.checkpoint.entries, path)
        assert root is not None
        assert root.hex() == sealed.checkpoint.root


async def test_what_is_not_there_is_not_proved(site: Site) -> None:
    with pytest.raises(AskError, match="an entry that evidence names is missing"):
        await site.checkpoints.prove([1])
    await written(site)
    for number in (0, 13):
        with pytest.raises(AskError, match="an entry that evidence names is missing"):
            await site.checkpoints.prove([3, number])


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM ledger WHERE number > 8", "is not what checkpoint 2 signed"),
        ("DELETE FROM ledger WHERE number = 4", "entry 4 is missing or damaged"),
        ("UPDATE ledger SET digest = 'x' WHERE number = 4", "entry 4 is missing or damaged"),
        ("UPDATE ledger SET digest = CAST(x'ff' AS TEXT) WHERE number = 12", "entry 12 is missing or damaged"),
        ("UPDATE ledger SET digest = previous WHERE number = 4", "is not what checkpoint 2 signed"),
        ("UPDATE checkpoints SET entries = 9 WHERE number = 2", "its newest checkpoint was changed"),
        ("UPDATE checkpoints SET root = CAST(x'ff' AS TEXT) WHERE number = 2", "its newest checkpoint was changed"),
    ],
)
async def test_nothing_is_signed_on_top_of_a_change(site: Site, statement: str, words: str) -> None:
    await written(site)
    tamper(site.data_dir, statement)
    checkpoints = await reopened(site)
    for _ in range(2):  # also not the second time
        with pytest.raises(AskError, match=words):
            await checkpoints.make()
        with pytest.raises(AskError, match=words):
            await checkpoints.prove([1])


async def test_what_is_changed_while_the_engine_runs_is_not_proved(site: Site) -> None:
    await written(site)
    await site.checkpoints.make()
    tamper(site.data_dir, "UPDATE ledger SET digest = previous WHERE number = 12")
    with pytest.raises(AskError, match="was changed while the engine ran"):
        await site.checkpoints.prove([1])


async def test_the_signing_key_is_sealed_and_only_this_user_can_read_it(site: Site) -> None:
    path = site.data_dir / "keys" / "signing.key"
    assert path.stat().st_mode & 0o777 == 0o600
    document = json.loads(path.read_bytes())
    assert bytes.fromhex(document["public"]) == site.checkpoints.key.public
    private = site.checkpoints.key._private.private_bytes_raw()
    assert all(private not in content and private.hex().encode() not in content for content in site.files().values())


async def test_a_key_that_signed_something_is_asked_for_and_never_made_anew(site: Site, tmp_path: Path) -> None:
    path = site.data_dir / "keys" / "signing.key"
    await written(site)
    path.rename(tmp_path / "aside")
    with pytest.raises(AskError, match=r"signing\.key is missing; restore it from the key backup, or wipe the site"):
        await reopened(site)
    assert not path.exists()
    document = json.loads((tmp_path / "aside").read_bytes())
    for content in (b"", b"[]", b"{}", json.dumps({**document, "public": "00" * 32}).encode(), b'{"public": 5}'):
        path.write_bytes(content)
        with pytest.raises(AskError, match=r"signing\.key is damaged"):
            await reopened(site)
        assert path.read_bytes() == content
    (tmp_path / "aside").rename(path)
    assert (await (await reopened(site)).make()) is not None


async def test_a_key_that_signed_nothing_is_made_anew(site: Site) -> None:
    path = site.data_dir / "keys" / "signing.key"
    first = site.checkpoints.key.fingerprint
    assert (await reopened(site)).key.fingerprint == first
    path.write_bytes(b"")
    second = (await reopened(site)).key.fingerprint
    assert second != first
    path.unlink()
    (path.parent / "signing.key.new").write_bytes(b"half")
    assert (await reopened(site)).key.fingerprint not in {first, second}
    assert "signing.key.new" not in {path.name for path in (site.data_dir / "keys").iterdir()}


async def test_an_erased_visitors_entries_are_still_proved(site: Site) -> None:
    await written(site)
    (visitor_id,) = site.vault.visitors
    await site.records.withdraw(visitor_id, NOW)
    sealed = await site.checkpoints.prove([1, 13])
    assert sealed.checkpoint.entries == 13
    assert (await site.checkpoints.verify()).intact
    assert files(site.data_dir).keys() >= {"keys/signing.key"}
