"""`kill -9` at any moment of a rotation: the old master opens the site, or the new one, never both and never neither."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

from killable import killer
from store_site import files, open_site

from nvr_bridge.consent.master import Kind, kind, unlock
from nvr_bridge.consent.vault import Vault
from nvr_bridge.errors import AskError

WORKER = Path(__file__).with_name("rotate_worker.py")
FIRST, SECOND = "the first passphrase", "the second passphrase"
ROUND = [None, None, FIRST, SECOND]  # file → file → passphrase → passphrase → file


async def test_killed_at_any_moment_one_master_opens_it(tmp_path: Path) -> None:
    async with open_site(tmp_path) as site:
        await site.grant(1)
        sealed = site.vault.seal_site(b"a camera's password")
    keys, chance, at = tmp_path / "keys", random.Random(3), 0
    async with killer(WORKER) as workers:
        for _ in range(12):
            _, said = await workers.run(str(keys), ROUND, at, after="open", seconds=chance.uniform(0.0, 0.08))
            lasts = [words for words in said if words[0] in {"rotating", "rotated"}]
            at = lasts[-1][1] if lasts else at
            # What was begun has happened, or it has not.
            steps = (0, 1) if lasts and lasts[-1][0] == "rotating" else (0,)
            found = []
            for step in steps:
                phrase = ROUND[(at + step) % len(ROUND)]
                if (await asyncio.to_thread(kind, keys) is Kind.FILE) != (phrase is None):
                    continue
                try:
                    await asyncio.to_thread(unlock, keys, fresh=False, passphrase=phrase)
                except AskError:
                    continue
                found.append(step)
            assert found, said
            at += found[0]
            assert len(json.loads(files(keys)["data.key"])["wraps"]) == 1
    phrase = ROUND[at % len(ROUND)]
    vault = await Vault.open(keys, fresh=False, passphrase=phrase)
    assert vault.unseal_site(sealed) == b"a camera's password"
    assert len(vault.visitors) == 1
    assert at > 12
