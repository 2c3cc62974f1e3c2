"""Keys: what is sealed opens only where it belongs, a destroyed key is gone for good, and lost keys are never replaced."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from store_site import files

from nvr_bridge.consent.vault import Vault
from nvr_bridge.errors import AskError, ConflictError, NotFoundError, RetryError
from nvr_bridge.store.files import write_durably


async def opened(keys: Path, *people: str) -> Vault:
    vault = await Vault.open(keys, fresh=True)
    for person in people:
        await vault.new_key(person)
    return vault


async def test_what_is_sealed_opens_after_a_restart(tmp_path: Path) -> None:
    vault = await opened(tmp_path / "keys", "ann")
    sealed = vault.seal("ann", b"a face", b"template 1")
    login = vault.seal_site(b"password")
    again = await Vault.open(tmp_path / "keys", fresh=False)
    assert again.unseal("ann", sealed, b"template 1") == b"a face"
    assert again.unseal_site(login) == b"password"
    assert again.tag("alias", "amber falcon 42") == vault.tag("alias", "amber falcon 42")
    assert again.visitors == {"ann"}


async def test_sealing_the_same_twice_shows_nothing_alike(tmp_path: Path) -> None:
    vault = await opened(tmp_path / "keys", "ann")
    one, other = vault.seal("ann", b"a face", b"t"), vault.seal("ann", b"a face", b"t")
    assert one != other
    assert b"a face" not in one


async def test_what_is_sealed_for_one_place_opens_in_no_other(tmp_path: Path) -> None:
    vault = await opened(tmp_path / "keys", "ann", "bo")
    sealed = vault.seal("ann", b"a face", b"template 1")
    wrong: list[Callable[[], bytes]] = [
        lambda: vault.unseal("ann", sealed, b"template 2"),
        lambda: vault.unseal("bo", sealed, b"template 1"),
        lambda: vault.unseal_site(sealed),
        lambda: vault.unseal("ann", vault.seal_site(b"a face"), b"site"),
        lambda: vault.unseal("ann", sealed[:-1] + bytes([sealed[-1] ^ 1]), b"template 1"),
        lambda: vault.unseal("ann", b"\x02" + sealed[1:], b"template 1"),
        lambda: vault.unseal("ann", sealed[:10], b"template 1"),
        lambda: vault.unseal("ann", b"", b"template 1"),
    ]
    for attempt in wrong:
        with pytest.raises(AskError):
            attempt()


async def test_a_destroyed_key_is_gone_from_memory_and_disk(tmp_path: Path) -> None:
    vault = await opened(tmp_path / "keys", "ann", "bo")
    sealed = vault.seal("ann", b"a face", b"t")
    kept = vault.seal("bo", b"another", b"t")
    wrapped = json.loads((tmp_path / "keys" / "visitors.json").read_bytes())["keys"]["ann"]
    await vault.destroy_key("ann")
    for each in (vault, await Vault.open(tmp_path / "keys", fresh=False)):
        assert not each.has_key("ann")
        with pytest.raises(NotFoundError, match="withdrew"):
            each.unseal("ann", sealed, b"t")
        assert each.unseal("bo", kept, b"t") == b"another"
    assert all(wrapped.encode() not in path.read_bytes() for path in (tmp_path / "keys").iterdir())
    await vault.destroy_key("ann")


async def test_files_that_grow_are_put_into_words_off_the_event_loop(tmp_path: Path) -> None:
    vault = await opened(tmp_path, "ann")
    calls: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code in (json.dumps.__code__, write_durably.__code__):
            calls.append(frame.f_code.co_name)

    sys.setprofile(note)  # of this thread alone
    try:
        await vault.destroy_key("ann")
        await vault.new_key("bo")
        assert calls == []
        json.dumps("what would be seen")
    finally:
        sys.setprofile(None)
    assert calls == ["dumps"]
    assert json.loads((tmp_path / "visitors.json").read_bytes())["keys"].keys() == {"bo"}
    assert len(json.loads((tmp_path / "destroyed.json").read_bytes())["destroyed"]) == 1


async def test_a_new_key_for_the_same_visitor_opens_nothing_old(tmp_path: Path) -> None:
    vault = await opened(tmp_path / "keys", "ann")
    sealed = vault.seal("ann", b"a face", b"t")
    with pytest.raises(ConflictError):
        await vault.new_key("ann")
    await vault.destroy_key("ann")
    await vault.new_key("ann")
    with pytest.raises(AskError):
        vault.unseal("ann", sealed, b"t")


async def test_only_this_user_can_read_the_keys(tmp_path: Path) -> None:
    await opened(tmp_path / "keys", "ann")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert modes == {"site.key": 0o600, "data.key": 0o600, "visitors.json": 0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["site.key", "data.key", "visitors.json"])
async def test_missing_keys_of_existing_data_are_asked_for_and_never_made_anew(tmp_path: Path, name: str) -> None:
    await opened(tmp_path, "ann")
    (tmp_path / name).rename(tmp_path / "aside")
    with pytest.raises(AskError, match=rf"{name} is missing; restore it with `nvr-bridge keys restore`, or wipe"):
        await Vault.open(tmp_path, fresh=False)
    assert not (tmp_path / name).exists()
    (tmp_path / "aside").rename(tmp_path / name)
    assert (await Vault.open(tmp_path, fresh=False)).visitors == {"ann"}


@pytest.mark.parametrize("name", ["site.key", "data.key", "visitors.json"])
async def test_a_store_that_holds_nothing_starts_with_new_keys(tmp_path: Path, name: str) -> None:
    await opened(tmp_path)
    (tmp_path / name).unlink()
    vault = await Vault.open(tmp_path, fresh=True)
    await vault.new_key("ann")
    assert (await Vault.open(tmp_path, fresh=False)).visitors == {"ann"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("site.key", r"site\.key does not open data\.key; restore both"),
        ("data.key", r"site\.key does not open data\.key; restore both"),
        ("visitors.json", r"visitors\.json was not made with this site key; restore both"),
    ],
)
async def test_another_sites_key_is_recognised(tmp_path: Path, name: str, words: str) -> None:
    await opened(tmp_path / "here", "ann")
    await opened(tmp_path / "there", "bo")
    (tmp_path / "there" / name).rename(tmp_path / "here" / name)
    with pytest.raises(AskError, match=words):
        await Vault.open(tmp_path / "here", fresh=False)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"keys": {}}', b'{"check": "", "keys": null}', b'{"check": "", "keys": {"ann": 5}}'],
)
async def test_damaged_keys_are_refused(tmp_path: Path, content: bytes) -> None:
    await opened(tmp_path, "ann")
    (tmp_path / "visitors.json").write_bytes(content)
    with pytest.raises(AskError, match=r"visitors\.json"):
        await Vault.open(tmp_path, fresh=False)
    assert (tmp_path / "visitors.json").read_bytes() == content


async def test_one_damaged_key_is_not_mistaken_for_a_withdrawal(tmp_path: Path) -> None:
    await opened(tmp_path, "ann", "bo")
    document = json.loads((tmp_path / "visitors.json").read_bytes())
    document["keys"]["ann"] = document["keys"]["bo"]
    (tmp_path / "visitors.json").write_text(json.dumps(document))
    with pytest.raises(AskError, match="is damaged"):
        await Vault.open(tmp_path, fresh=False)


async def test_a_damaged_site_key_is_refused(tmp_path: Path) -> None:
    await opened(tmp_path, "ann")
    (tmp_path / "site.key").write_bytes(b"short")
    with pytest.raises(AskError, match=r"site\.key is damaged"):
        await Vault.open(tmp_path, fresh=False)


async def test_an_unfinished_file_is_removed_because_it_may_hold_a_key_destroyed_since(tmp_path: Path) -> None:
    vault = await opened(tmp_path, "ann")
    (tmp_path / "visitors.json.new").write_bytes((tmp_path / "visitors.json").read_bytes())
    await vault.destroy_key("ann")
    (tmp_path / "visitors.json.new").write_bytes(b"the key of ann")
    await Vault.open(tmp_path, fresh=False)
    assert set(files(tmp_path)) == {"site.key", "data.key", "visitors.json", "destroyed.json"}


async def test_a_disk_that_refuses_changes_nothing(tmp_path: Path) -> None:
    vault = await opened(tmp_path, "ann")
    (tmp_path / "visitors.json.new").mkdir()  # nothing can be written there, even by root
    with pytest.raises(RetryError, match="cannot be written"):
        await vault.destroy_key("ann")
    with pytest.raises(RetryError, match="cannot be written"):
        await vault.new_key("bo")
    assert vault.visitors == {"ann"}
    (tmp_path / "visitors.json.new").rmdir()
    await vault.destroy_key("ann")
    assert vault.visitors == frozenset()


async def test_changes_at_once_all_take_place(tmp_path: Path) -> None:
    vault = await opened(tmp_path, *(f"old {n}" for n in range(5)))
    await asyncio.gather(
        *(vault.new_key(f"new {n}") for n in range(10)), *(vault.destroy_key(f"old {n}") for n in range(5))
    )
    expected = {f"new {n}" for n in range(10)}
    assert vault.visitors == expected
    assert (await Vault.open(tmp_path, fresh=False)).visitors == expected


async def test_a_cancelled_change_leaves_memory_and_disk_alike(tmp_path: Path) -> None:
    vault = await opened(tmp_path)
    for number in range(12):
        task = asyncio.create_task(vault.new_key(str(number)))
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert (await Vault.open(tmp_path, fresh=False)).visitors == vault.visitors


async def test_a_subject_cannot_be_joined_to_another_entry_without_the_key(tmp_path: Path) -> None:
    vault = await opened(tmp_path, "ann", "bo")
    ann, bo = vault.subject("ann"), vault.subject("bo")
    assert len({ann(1), ann(2), bo(1), bo(2)}) == 4
    await vault.destroy_key("ann")
    with pytest.raises(NotFoundError):
        vault.subject("ann")
