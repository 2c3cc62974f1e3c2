"""Registering visitors and referrals: what must stay private comes from stdin, never from the command line."""

from __future__ import annotations

from datetime import date

import pytest
from command import Shell
from small_engine import Site

CSV = "partner,contact\nacme,138****0001\nacme,13800000002\n"


async def test_a_pass_is_issued_and_scanned(shell: Shell, site: Site) -> None:
    assert "ABCD-EFGH-JKMN-PQRS" in (await shell("passes", "issue")).out
    assert site.engine.asked[-1] == ("pass_issue", {})
    ran = await shell("passes", "scan", "--zone", "lane", "--code-stdin", stdin="abcd efgh jkmn pqrs\n")
    assert "Amber Finch 12: first visit" in ran.out
    assert site.engine.asked[-1] == ("pass_scan", {"zone": "lane", "code": "abcd efgh jkmn pqrs"})


@pytest.mark.parametrize(
    ("options", "lines", "asked", "said"),
    [
        (["--source", "friend"], "13800000001\n", {"source": "friend"}, "Checked in: visit v"),
        (["--alias", "Amber Finch 12"], "13800000001\n", {"alias": "Amber Finch 12"}, "back after 2 earlier"),
        (["--pass"], "13800000001\nABCD\n", {"code": "ABCD"}, "back after 2 earlier"),
    ],
)
async def test_somebody_checks_in(
    shell: Shell, site: Site, options: list[str], lines: str, asked: dict[str, str], said: str
) -> None:
    ran = await shell("visits", "check-in", "--zone", "lane", "--contact-stdin", *options, stdin=lines)
    assert said in ran.out
    assert "13800000001" not in ran.out
    assert site.engine.asked[-1] == ("check_in", {"zone": "lane", "contact": "13800000001", **asked})


async def test_a_number_is_no_source(shell: Shell, site: Site) -> None:
    options = ("--zone", "lane", "--contact-stdin", "--source", "call 13800000001")
    ran = await shell("visits", "check-in", *options, stdin="13800000001\n")
    assert "source: holds a number" in ran.complaint
    assert "13800000001" not in ran.complaint


async def test_partners_are_registered_and_file_referrals(shell: Shell, site: Site) -> None:
    assert "Acme Homes may file" in (await shell("partners", "add", "acme", "--name", "Acme Homes")).out
    assert "No partners" in (await shell("partners", "list")).out
    options = ("--partner", "acme", "--broker", "Lin", "--expected", "2026-03-02T09:00:00Z", "--contact-stdin")
    assert "r1: valid until" in (await shell("referrals", "add", *options, stdin="138****0001\n")).out
    assert site.engine.asked[-1] == (
        "referral_add",
        {"partner": "acme", "contact": "138****0001", "broker": "Lin", "expected": 1772442000.0},
    )
    assert (await shell("referrals", "list", "--live", "--partner", "acme", "--json")).json == []
    assert site.engine.asked[-1] == ("referral_list", {"partner": "acme", "live": True, "limit": 1000})
    assert (await shell("referrals", "withdraw", "r1")).out == "r1: withdrawn\n"


async def test_a_partner_gets_a_link_that_is_told_once_and_can_be_taken_back(shell: Shell, site: Site) -> None:
    await site.engine.partner("acme")
    url, said = (await shell("partners", "link", "acme", "--name", "Lin at Acme", "--days", "30")).out.splitlines()
    address, token = url.split("#")
    assert address == f"{site.url}/partner"
    (made,) = (await shell("tokens", "list", "--json")).json
    assert (made["role"], made["partner"], made["name"]) == ("partner", "acme", "Lin at Acme")
    assert f"`nvr-bridge tokens revoke {made['token_id']}`" in said
    assert made["expires_at"] in said
    assert token not in (await shell("tokens", "list")).out
    assert (await shell("tokens", "revoke", made["token_id"])).code == 0
    assert "'nobody' is not registered" in (await shell("partners", "link", "nobody")).complaint


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
async def test_a_spreadsheet_is_imported_whatever_saved_it(shell: Shell, site: Site, encoding: str) -> None:
    text = "partner,contact,broker\nacme,138****0001,林\n"
    (shell.folder / "referrals.csv").write_bytes(text.encode(encoding))
    assert (await shell("referrals", "import", "referrals.csv")).out == "2 of 2 filed; 0 bad\n"
    assert site.engine.asked[-1] == ("referral_import", {"csv": text.strip(), "dry_run": False})


async def test_a_dry_run_lists_every_bad_row_and_ends_with_code_1(shell: Shell, site: Site) -> None:
    (shell.folder / "bad.csv").write_text(CSV + "bad")
    ran = await shell("referrals", "import", "bad.csv", "--dry-run")
    assert (ran.code, ran.out) == (1, "line 3: contact: is empty; give it\n1 of 2 would be filed; 1 bad\n")
    assert site.engine.asked[-1][1]["dry_run"] is True
    (shell.folder / "none.csv").write_bytes(b"\xff\xff")
    assert "neither UTF-8 nor GB 18030" in (await shell("referrals", "import", "none.csv")).complaint
    assert "cannot be read" in (await shell("referrals", "import", "nowhere.csv")).complaint


async def test_the_engines_own_days_are_replayed(shell: Shell, site: Site) -> None:
    days = ("attribution", "replay", "--from", "2026-03-02", "--to", "2026-03-08")
    shown = (await shell(*days)).out
    assert "Amber Finch 12  natural (natural) risks: unregistered_visit\n" in shown
    assert "signing of somebody  natural (natural)\n" in shown
    assert "3 visits judged; 1 not replayed: their evidence was erased" in shown
    (shell.folder / "other.yaml").write_text("settings: {lead_time: 1h}\n")
    shown = (await shell(*days, "--settings", "other.yaml")).out
    assert "would be  channel acme (referral_valid)" in shown
    assert "3 visits judged, 1 of them would change" in shown
    asked = {"from": date(2026, 3, 2), "to": date(2026, 3, 8), "settings": "settings: {lead_time: 1h}"}
    assert site.engine.asked[-1] == ("attribution_replay", asked)
    assert "give a file, or --from and --to" in (await shell("attribution", "replay")).complaint
    assert "not both" in (await shell(*days, "story.yaml")).complaint
    assert "'soon' is not a date" in (await shell("attribution", "replay", "--from", "soon", "--to", "soon")).complaint
