"""The master: a key file or a passphrase opens the data key, a rotation changes that and nothing else."""

from __future__ import annotations

import asyncio
import json
import secrets
from pathlib import Path

import pytest
from store_site import files

from nvr_bridge.consent.master import Kind, kind, rotate, unlock
from nvr_bridge.consent.sealing import derive, seal
from nvr_bridge.consent.vault import Vault
from nvr_bridge.consent.visitor_keys import document, wrap
from nvr_bridge.errors import AskError, InvalidError

PHRASE, OTHER = "correct horse battery", "staple in a haystack"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder for keys."""
    (tmp_path / "keys").mkdir(mode=0o700)
    return tmp_path / "keys"


def opens(keys: Path, passphrase: str | None = None) -> bytes:
    return unlock(keys, fresh=False, passphrase=passphrase).data_key


def test_a_key_file_opens_a_new_site_unless_a_passphrase_is_given(keys: Path, tmp_path: Path) -> None:
    made = unlock(keys, fresh=True, passphrase=None)
    assert (made.by, kind(keys), set(files(keys))) == (Kind.FILE, Kind.FILE, {"site.key", "data.key"})
    assert opens(keys) == made.data_key
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    assert kind(other) is None
    locked = unlock(other, fresh=True, passphrase=PHRASE)
    assert (locked.by, kind(other), set(files(other))) == (Kind.PASSPHRASE, Kind.PASSPHRASE, {"data.key"})
    assert opens(other, PHRASE) == locked.data_key


def test_the_data_key_lies_nowhere(keys: Path) -> None:
    made = unlock(keys, fresh=True, passphrase=None)
    assert all(made.data_key not in content for content in files(keys).values())
    assert "data_key" not in repr(made)


def test_a_passphrase_that_is_missing_wrong_or_not_wanted_is_said(keys: Path) -> None:
    unlock(keys, fresh=True, passphrase=PHRASE)
    with pytest.raises(AskError, match="a passphrase opens this site; give it with --passphrase-file"):
        opens(keys)
    with pytest.raises(AskError, match="the passphrase is wrong"):
        opens(keys, OTHER)
    rotate(keys, PHRASE, None)
    with pytest.raises(AskError, match=r"a passphrase was given, but .*site\.key opens this site"):
        opens(keys, PHRASE)


def test_however_a_passphrase_is_written_it_is_the_same(keys: Path) -> None:
    made = unlock(keys, fresh=True, passphrase="pässwörd für alle".replace("ä", "a\u0308"))
    assert opens(keys, "pässwörd für alle") == made.data_key


def test_a_passphrase_that_is_too_short_is_refused_and_nothing_is_changed(keys: Path) -> None:
    unlock(keys, fresh=True, passphrase=None)
    before = files(keys)
    with pytest.raises(InvalidError, match="too short; give at least 12"):
        rotate(keys, None, "eleven char")
    assert files(keys) == before


@pytest.mark.parametrize(
    ("first", "then"), [(None, None), (None, PHRASE), (PHRASE, None), (PHRASE, OTHER)], ids=lambda each: str(each)[:4]
)
def test_after_a_rotation_only_the_new_master_opens_and_to_the_same_data_key(
    keys: Path, first: str | None, then: str | None
) -> None:
    made = unlock(keys, fresh=True, passphrase=first)
    before = files(keys)
    turned = rotate(keys, first, then)
    assert opens(keys, then) == made.data_key
    assert unlock(keys, fresh=False, passphrase=then).master_id == turned.master_id != made.master_id
    assert len(json.loads(files(keys)["data.key"])["wraps"]) == 1
    assert ("site.key" in files(keys)) == (then is None)
    if first is None:
        (keys / "site.key").write_bytes(before["site.key"])
        with pytest.raises(AskError):
            opens(keys)
    else:
        with pytest.raises(AskError):
            opens(keys, first)


async def test_what_was_sealed_hashed_and_tagged_survives_a_rotation(keys: Path) -> None:
    vault = await Vault.open(keys, fresh=True)
    await vault.new_key("ann")
    sealed, login = vault.seal("ann", b"a face", b"t"), vault.seal_site(b"password")
    tag, hashed, subject = vault.tag("pass", "CODE"), vault.hash_key("contact"), vault.subject("ann")(7)
    await asyncio.to_thread(rotate, keys, None, PHRASE)
    again = await Vault.open(keys, fresh=False, passphrase=PHRASE)
    assert again.unseal("ann", sealed, b"t") == b"a face"
    assert again.unseal_site(login) == b"password"
    assert (again.tag("pass", "CODE"), again.hash_key("contact"), again.subject("ann")(7)) == (tag, hashed, subject)


async def test_the_keys_of_an_older_version_are_taken_over(keys: Path) -> None:
    site_key = secrets.token_bytes(32)  # was the data key then
    (keys / "site.key").write_bytes(site_key)
    (keys / "visitors.json").write_bytes(document(site_key, {"ann": wrap(site_key, "ann", b"k" * 32)}))
    for name in ("site.key", "visitors.json"):
        (keys / name).chmod(0o600)
    login = seal(derive(site_key, "seal"), b"password", b"site")
    for _ in range(2):
        vault = await Vault.open(keys, fresh=False)
        assert vault.visitors == {"ann"}
        assert vault.unseal_site(login) == b"password"
    await asyncio.to_thread(rotate, keys, None, None)
    assert (keys / "site.key").read_bytes() != site_key
    assert (await Vault.open(keys, fresh=False)).unseal_site(login) == b"password"


@pytest.mark.parametrize("name", ["", "site.key", "data.key", "visitors.json"])
async def test_keys_that_are_open_to_others_are_refused(keys: Path, name: str) -> None:
    await Vault.open(keys, fresh=True)
    path = keys / name if name else keys
    path.chmod(0o750 if not name else 0o640)
    with pytest.raises(AskError, match=r"is open to others \((750|640)\); run `chmod (700|600) .*keys rotate"):
        await Vault.open(keys, fresh=False)
    path.chmod(0o700 if not name else 0o600)
    await Vault.open(keys, fresh=False)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b'{"wraps": []}', b'{"wraps": [{}]}'),
        b'{"wraps": [{"by": "file", "master_id": "a", "sealed": "AQ=="}]}',
        b'{"wraps": [{"by": "passphrase", "master_id": "a", "sealed": "AQ==", "scrypt": {"salt": "AA==", "n": 1073741824, '
        b'"r": 8, "p": 1}}]}',
    ],
)
def test_a_damaged_data_key_is_refused_and_left(keys: Path, content: bytes) -> None:
    unlock(keys, fresh=True, passphrase=None)
    (keys / "data.key").write_bytes(content)
    with pytest.raises(AskError, match=r"data\.key"):
        opens(keys)
    assert (keys / "data.key").read_bytes() == content
