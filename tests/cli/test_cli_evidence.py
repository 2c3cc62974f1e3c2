"""`nvr-bridge evidence verify` and `key`: anywhere, without an engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Shell
from evidence_packs import Material
from small_engine import Site
from store_site import open_site

from nvr_bridge.evidence.checkpoint import fingerprint

KEY = fingerprint(Material().signer.public)


@pytest.fixture
def pack(shell: Shell) -> Path:
    """A pack, in the folder where the command is run."""
    path = shell.folder / "case.html"
    path.write_bytes(Material().write())
    return path


def alter(pack: Path) -> int:
    """Give the case to another partner → the line of the file that says so."""
    content = pack.read_bytes()
    pack.write_bytes(content.replace(b'"partner":"acme"', b'"partner":"best"', 1))
    return content.count(b"\n", 0, content.index(b'"partner":"acme"')) + 1


async def test_an_intact_pack(shell: Shell, pack: Path) -> None:
    ran = await shell("evidence", "verify", "case.html")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "intact: case K7QF-2M9D of Riverside <sales> & more, made 2026-09-21",
        "5 of 5 facts are proved by the site's ledger",
        f"Signed by: {KEY}",
        "Compare this with the fingerprint that the site gave you, or use --key.",
    ]
    told = (await shell("evidence", "verify", "case.html", "--json")).json
    assert (told["intact"], told["key"], told["faults"], told["proved"]) == (True, KEY, [], 5)
    assert told["about"]["case"] == "K7QF-2M9D"


async def test_the_sites_key_may_be_named_however_it_was_written(shell: Shell, pack: Path) -> None:
    spaced = " ".join(KEY[at : at + 8] for at in range(0, 64, 8)).upper()
    ran = await shell("evidence", "verify", "case.html", "--key", spaced)
    assert ran.out.splitlines()[-1] == f"Signed by the key that you named: {KEY}"
    other = await shell("evidence", "verify", "case.html", "--key", "0" * 64)
    assert other.code == 1
    assert f"signed by another key: {KEY}" in other.out
    for wrong in ("abc", "g" * 64):
        assert "--key: must be the 64" in (await shell("evidence", "verify", "case.html", "--key", wrong)).complaint


async def test_an_altered_pack(shell: Shell, pack: Path) -> None:
    line = alter(pack)
    ran = await shell("evidence", "verify", "case.html")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        f"section case, line 2 (line {line} of the file): was changed",
        "NOT intact: do not rely on this pack; ask the site for it again",
    ]
    ran = await shell("evidence", "verify", "case.html", "--json")
    assert ran.code == 1
    (fault,) = json.loads(ran.out)["faults"]
    assert fault == {"section": "case", "line": 2, "line_in_file": line, "problem": "was changed"}


async def test_what_cannot_be_read_is_one_line(shell: Shell) -> None:
    assert "cannot be read (No such file" in (await shell("evidence", "verify", "nothing.html")).complaint
    with (shell.folder / "huge.html").open("wb") as file:
        file.truncate(60_000_000)
    assert "larger than any evidence pack" in (await shell("evidence", "verify", "huge.html")).complaint


async def test_checking_a_pack_loads_no_engine(shell: Shell, pack: Path) -> None:
    before = (
        "import sys\n"
        "for name in ('sqlalchemy', 'numpy', 'av', 'onnxruntime', 'cv2', 'aiosqlite', 'usearch'): sys.modules[name] = None"
    )
    ran = await shell.process("evidence", "verify", "case.html", "--json", before=before)
    assert ran.json["intact"]
    ran = await shell.process(
        "evidence", "verify", "case.html", before="import sys; sys.modules['cryptography'] = None"
    )
    assert "install nvr-bridge[verify]" in ran.complaint


async def test_a_pack_is_written_and_never_over_another(shell: Shell, site: Site) -> None:
    ran = await shell("evidence", "export", "K7QF-2M9D")
    assert ran.out.splitlines() == [
        "Written: case-K7QF-2M9D.html",
        f"Signed by: {'ab' * 32}",
        "Give the fingerprint by another way than the file.",
    ]
    assert (shell.folder / "case-K7QF-2M9D.html").read_text(encoding="utf-8") == "<!DOCTYPE html>\n判定\n"
    assert site.engine.notary.exported == [({"case": "K7QF-2M9D", "reasons": False}, "admin", "admin")]
    assert "case-K7QF-2M9D.html exists already" in (await shell("evidence", "export", "K7QF-2M9D")).complaint
    ran = await shell("evidence", "export", "K7QF-2M9D", "--out", "again.html", "--with-reasons", "--json")
    assert ran.json == {"case": "K7QF-2M9D", "file": "again.html", "fingerprint": "ab" * 32}
    assert site.engine.notary.exported[-1][0]["reasons"]
    nowhere = ("evidence", "export", "K7QF-2M9D", "--out", "nowhere/pack.html")
    assert "cannot be written (No such file" in (await shell(*nowhere)).complaint


async def test_the_sites_key(shell: Shell) -> None:
    assert (
        "signing.key is missing; the engine makes it when it first starts" in (await shell("evidence", "key")).complaint
    )
    async with open_site(shell.folder / "data") as site:
        key = site.checkpoints.key
    assert (await shell("evidence", "key")).out == f"{key.fingerprint}\n"
    told = (await shell("evidence", "key", "--json")).json
    assert told == {"fingerprint": key.fingerprint, "public_key": key.public.hex()}
