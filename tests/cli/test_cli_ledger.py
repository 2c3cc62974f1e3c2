"""`nvr-bridge ledger verify`, through the engine and on a folder: one answer, and an exit code for scripts."""

from __future__ import annotations

import json

from command import Shell
from evidence_packs import Material
from small_engine import Site
from store_site import open_site

FAULT = {"what": "entry", "number": 9, "problem": "was changed: its content and its digest do not fit"}


async def test_an_intact_ledger(shell: Shell, site: Site) -> None:
    found = (await shell("ledger", "verify", "--json")).json
    assert found == await site.engine.notary.ledger_verify({"checkpoints": []})
    shown = await shell("ledger", "verify")
    assert shown.code == 0
    assert "Ledger intact: 8 entries as they were written, 2 checkpoints hold; signed up to entry 6" in shown.out
    assert f"Key: {'ab' * 32}" in shown.out


async def test_a_ledger_that_was_changed(shell: Shell, site: Site) -> None:
    site.engine.notary.faults = [FAULT]
    ran = await shell("ledger", "verify", "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["faults"] == [FAULT]
    shown = await shell("ledger", "verify")
    assert shown.code == 1
    assert shown.out.startswith(
        "entry 9: was changed: its content and its digest do not fit\nLedger NOT intact: 8 entries"
    )


async def test_a_pack_is_held_against_the_ledger(shell: Shell, site: Site) -> None:
    material = Material()
    (shell.folder / "case.html").write_bytes(material.write())
    ran = await shell("ledger", "verify", "--pack", "case.html", "--pack", "case.html")
    assert ran.code == 0
    assert site.engine.notary.compared == [material.checkpoint(), material.checkpoint()]
    (shell.folder / "case.html").write_bytes(material.write().replace(b"acme", b"best"))
    assert "case.html is not as it was signed" in (await shell("ledger", "verify", "--pack", "case.html")).complaint


async def test_a_data_folder_without_an_engine(shell: Shell) -> None:
    folder = shell.folder / "copy"
    async with open_site(folder) as site:
        await site.ledger.record("armed", "lane")
        await site.checkpoints.make()
        await site.ledger.record("disarmed", "lane")
        key = site.checkpoints.key.fingerprint
    ran = await shell("ledger", "verify", "--data-dir", str(folder), "--json")
    counts = {"entries": 2, "checkpoints": 1, "sealed": 1}
    assert ran.json == {**counts, "intact": True, "faults": [], "fingerprint": key}
    (shell.folder / "case.html").write_bytes(Material().write())
    other = await shell("ledger", "verify", "--data-dir", str(folder), "--pack", "case.html")
    assert other.code == 1
    assert "checkpoint 3: the one given is another engine's, or of another key" in other.out
    assert "holds no bridge.db" in (await shell("ledger", "verify", "--data-dir", str(shell.folder))).complaint
