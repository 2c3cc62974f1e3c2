"""Receipts on the command line: written to a new file, or nothing is erased."""

from __future__ import annotations

import json

from command import Shell
from small_engine import Site

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
