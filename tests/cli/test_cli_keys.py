"""Keys on the command line: passphrases come from a file, the environment or a prompt, never from an argument."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from command import Shell

from nvr_bridge.consent.master import Kind, kind
from nvr_bridge.consent.vault import Vault
from nvr_bridge.errors import AskError
from nvr_bridge.store.database import Database

PHRASE, OTHER = "correct horse battery", "staple in a haystack"


@pytest.fixture
async def keys(shell: Shell) -> Path:
    """The keys of a site whose engine ran once."""
    db = await Database.open(shell.folder / "data")
    await Vault.open(shell.folder / "data" / "keys", fresh=True)
    await db.close()
    return shell.folder / "data" / "keys"


async def test_what_opens_them_is_shown(shell: Shell, keys: Path) -> None:
    assert (await shell("keys", "show", "--json")).json == {"by": "file", "backup": None}
    assert "A key file opens the keys." in (await shell("keys", "show")).out


async def test_before_the_first_start_there_are_none(shell: Shell) -> None:
    assert "No keys yet" in (await shell("keys", "show")).out
    assert "does not exist; start the engine once" in (await shell("keys", "rotate")).complaint


async def test_they_are_rotated_to_a_passphrase_and_back(shell: Shell, keys: Path) -> None:
    (shell.folder / "phrase").write_text(PHRASE + "\n")
    ran = await shell("keys", "rotate", "--to", "passphrase", "--new-passphrase-file", "phrase")
    assert "the new passphrase opens the keys" in ran.out
    assert await asyncio.to_thread(kind, keys) is Kind.PASSPHRASE
    with pytest.raises(AskError):
        await Vault.open(keys, fresh=False)
    await Vault.open(keys, fresh=False, passphrase=PHRASE)
    assert "a passphrase opens this site" in (await shell("keys", "rotate", NVR_BRIDGE_NEW_PASSPHRASE=OTHER)).complaint
    ran = await shell("keys", "rotate", NVR_BRIDGE_PASSPHRASE=PHRASE, NVR_BRIDGE_NEW_PASSPHRASE=OTHER)
    assert ran.code == 0
    assert (
        "passphrase is wrong" in (await shell("keys", "rotate", "--to", "file", NVR_BRIDGE_PASSPHRASE=PHRASE)).complaint
    )
    assert (await shell("keys", "rotate", "--to", "file", "--json", NVR_BRIDGE_PASSPHRASE=OTHER)).json == {"by": "file"}
    await Vault.open(keys, fresh=False)


@pytest.mark.filterwarnings("ignore:Can not control echo on the terminal")
async def test_a_new_passphrase_is_asked_for_twice(shell: Shell, keys: Path) -> None:
    ran = await shell("keys", "rotate", "--to", "passphrase", stdin=f"{PHRASE}\n{PHRASE}\n")
    assert ran.code == 0, ran.err
    assert PHRASE not in ran.out + ran.err
    await Vault.open(keys, fresh=False, passphrase=PHRASE)


async def test_the_engine_must_be_stopped(shell: Shell, keys: Path) -> None:
    db = await Database.open(shell.folder / "data")
    assert "in use by a running engine" in (await shell("keys", "rotate")).complaint
    assert "in use by a running engine" in (await shell("keys", "restore", "none")).complaint
    assert (await shell("keys", "backup", str(shell.folder / "backup"))).code == 0
    await db.close()


async def test_they_are_backed_up_and_restored(shell: Shell, keys: Path) -> None:
    made = await shell("keys", "backup", "backup", "--json")
    assert made.json == {"backup": "backup"}
    assert "nothing was restored" in (await shell("keys", "restore", "backup")).complaint
    (keys / "site.key").unlink()
    ran = await shell("keys", "restore", "backup")
    assert "Restored data.key, site.key from" in ran.out
    await Vault.open(keys, fresh=False)


async def test_a_backup_can_be_locked(shell: Shell, keys: Path) -> None:
    assert (await shell("keys", "backup", "backup", "--locked", NVR_BRIDGE_NEW_PASSPHRASE=PHRASE)).code == 0
    for name in ("site.key", "data.key"):
        (keys / name).unlink()
    assert "a passphrase opens this backup" in (await shell("keys", "restore", "backup")).complaint
    assert (await shell("keys", "restore", "backup", NVR_BRIDGE_PASSPHRASE=PHRASE)).code == 0
    await Vault.open(keys, fresh=False, passphrase=PHRASE)


async def test_serving_with_a_wrong_passphrase_is_refused_in_one_line(shell: Shell, keys: Path) -> None:
    assert (await shell("keys", "rotate", "--to", "passphrase", NVR_BRIDGE_NEW_PASSPHRASE=PHRASE)).code == 0
    ran = await shell.process("serve", NVR_BRIDGE_PASSPHRASE=OTHER)
    assert "the passphrase is wrong" in ran.complaint
    assert OTHER not in ran.err
