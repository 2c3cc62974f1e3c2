"""What is kept about one visitor, at a shell."""

from __future__ import annotations

import json
import stat

from command import Shell
from small_engine import Site


async def test_it_is_shown_section_by_section(shell: Shell, site: Site) -> None:
    shown = (await shell("subject", "show", "Amber Finch 12")).out
    assert site.engine.asked[-1][:2] == ("subject_get", {"alias": "Amber Finch 12"})
    assert shown.startswith("Amber Finch 12 at Riverside, as of 2026-03-02T12:00:00.000+00:00\n")
    assert [
        word for word in ("Visits: 1", "Attribution", "natural", "Co signers: 1", "Acts: 0") if word not in shown
    ] == []


async def test_it_is_json_for_a_script_or_in_a_file_of_ones_own(shell: Shell, site: Site) -> None:
    told = (await shell("subject", "show", "Amber Finch 12", "--json")).json
    assert told["visits"][0]["zone_id"] == "Lane"
    assert (await shell("subject", "show", "Amber Finch 12", "--out", "hers.json")).out == "Written: hers.json\n"
    written = shell.folder / "hers.json"
    assert json.loads(written.read_text()) == told
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


async def test_a_file_that_is_there_stays_and_nothing_is_read_for_it(shell: Shell, site: Site) -> None:
    (shell.folder / "hers.json").write_text("mine")
    assert "--out: hers.json is there already" in (await shell("subject", "show", "A", "--out", "hers.json")).complaint
    assert "cannot be written" in (await shell("subject", "show", "A", "--out", "none/hers.json")).complaint
    assert (shell.folder / "hers.json").read_text() == "mine"
    assert [asked[0] for asked in site.engine.asked] == ["subject_get"]
