"""Receipts on the command line: written to a new file, or nothing is erased."""

from __future__ import annotations

import asyncio
import json
import shutil

from command import Shell
from small_engine import Site
from store_site import NOW, open_site

from nvr_bridge.consent.receipts import Receipts

RECEIPT = {"kind": "nvr-bridge erasure receipt", "entry": {"number": 7}}


async def test_a_withdrawal_leaves_a_receipt(shell: Shell, site: Site) -> None:
    path = shell.folder / "receipt.json"
    ran = await shell("consent", "withdraw", "Amber Finch 12", "--receipt", str(path))
    assert ran.out.startswith("Withdrawn")
    assert json.loads(path.read_text()) == RECEIPT


async def test_nothing_is_erased_where_the_receipt_has_no_place(shell: Shell, site: Site) -> None:
    path = shell.folder / "receipt.json"
    path.write_text("another")
    ran = await shell("consent", "withdraw", "Amber Finch 12", "--receipt", str(path))
    assert "cannot be made (File exists); name a new file" in ran.complaint
    assert site.engine.asked == []
    assert path.read_text() == "another"


async def test_a_refusal_leaves_no_empty_file(shell: Shell, site: Site) -> None:
    path = shell.folder / "receipt.json"
    assert (await shell("erasure", "take", "0", "--receipt", str(path))).code == 1
    assert not path.exists()


async def test_those_that_wait_are_shown_and_taken(shell: Shell, site: Site) -> None:
    [waiting] = (await shell("erasure", "list", "--json")).json
    assert (waiting["number"], waiting["cause"]) == (7, "expired")
    path = shell.folder / "receipt.json"
    assert (await shell("erasure", "take", "7", "--receipt", str(path))).code == 0
    assert json.loads(path.read_text()) == RECEIPT


async def test_a_receipt_is_verified_where_no_engine_runs(shell: Shell) -> None:
    live, copy, path = shell.folder / "live", shell.folder / "copy", shell.folder / "receipt.json"
    async with open_site(live) as site:
        granted = await site.grant(1)
        await asyncio.to_thread(shutil.copytree, live, copy)
        withdrawn = await site.records.withdraw(granted.consent.visitor_id, NOW)
        receipt = await Receipts(site.db, site.ledger, site.checkpoints).take(withdrawn.receipt)
        path.write_text(json.dumps(receipt.document))
    command = ("erasure", "verify", str(path), "--data-dir", str(live), "--copy", str(copy))
    found = (await shell(*command, "--json")).json
    assert (found["proved"], found["in_copy"]["template"], found["found"]) == (True, 1, [])
    (live / "old.log").write_text(f"hello {granted.alias}")
    ran = await shell(*command)
    assert ran.code == 1
    assert f"FOUND alias: {live / 'old.log'}" in ran.out
    assert ran.out.endswith("NOT proved\n")
    path.write_text("{}")
    assert "is not one, or was damaged" in (await shell(*command)).complaint


async def test_whom_an_old_backup_brought_back_is_erased_again_while_no_engine_runs(shell: Shell) -> None:
    data, copy, path = shell.folder / "data", shell.folder / "copy", shell.folder / "receipt.json"
    async with open_site(data) as site:
        granted = await site.grant(1)
        await asyncio.to_thread(shutil.copytree, data, copy)
        withdrawn = await site.records.withdraw(granted.consent.visitor_id, NOW)
        receipt = await Receipts(site.db, site.ledger, site.checkpoints).take(withdrawn.receipt)
        path.write_text(json.dumps(receipt.document))
        assert "in use by a running engine" in (await shell("erasure", "reapply", str(path))).complaint
    assert "give at least one" in (await shell("erasure", "reapply")).complaint
    assert (await shell("erasure", "reapply", str(path))).out == "None of them is here.\n"
    shutil.rmtree(data)
    shutil.copytree(copy, data)
    assert (await shell("erasure", "reapply", "--from", str(copy), "--json")).json == {"visitors": 0}
    assert "Destroyed the keys of 1 visitors who had come back" in (await shell("erasure", "reapply", str(path))).out
    async with open_site(data) as site:
        assert site.records.alias(granted.consent.visitor_id) is None
