"""The evening list, what people say to it, and counts, as they are typed and printed."""

from __future__ import annotations

import csv
import io

from command import Shell
from small_cases import CASE
from small_engine import Site


async def test_the_evening_list_is_one_command(shell: Shell, site: Site) -> None:
    assert (await shell("cases", "list", "--json")).json == [CASE]
    assert site.engine.asked.pop() == ("cases", {"limit": 1000})
    shown = (await shell("cases", "list")).out
    for word in ("K7QF-2M9D", "Amber Finch 12", "channel", "acme", "late_referral", "proposed", "yes"):
        assert word in shown


async def test_the_list_takes_days_and_what_to_keep(shell: Shell, site: Site) -> None:
    days = ("--from", "2026-03-02", "--to", "2026-03-08")
    await shell("cases", "list", *days, "--state", "appealed", "--needs-review", "--limit", "5")
    (_, asked) = site.engine.asked.pop()
    assert {key: str(value) for key, value in asked.items()} == {
        "from": "2026-03-02",
        "to": "2026-03-08",
        "state": "appealed",
        "needs_review": "True",
        "limit": "5",
    }
    assert (
        "state: 'lost' is not known; choose one of proposed"
        in (await shell("cases", "list", "--state", "lost")).complaint
    )


async def test_a_case_is_shown_with_its_reason_and_its_history(shell: Shell, site: Site) -> None:
    shown = (await shell("cases", "show", "K7QF-2M9D")).out
    for words in (
        "K7QF-2M9D  Amber Finch 12",
        "channel acme (referral_valid)  risks: late_referral, contact_changed  proposed",
        "Referral r1 of acme was declared in time.",
        "a change to natural waits for a second person",
        "change natural  by Ann: she came by bus",
    ):
        assert words in shown


async def test_a_verdict_is_confirmed_as_it_was_seen(shell: Shell, site: Site) -> None:
    ran = await shell("cases", "confirm", "K7QF-2M9D", "--seen", "0a1b2c3d")
    assert ran.out.rstrip().endswith("confirmed")
    assert site.engine.asked == [("confirm", {"case": "K7QF-2M9D", "seen": "0a1b2c3d"}, "admin")]


async def test_whoever_gives_no_version_is_shown_the_verdict_and_asked(shell: Shell, site: Site) -> None:
    ran = await shell("cases", "confirm", "K7QF-2M9D", stdin="n\n")
    assert ran.code == 1
    assert "channel acme" in ran.err
    assert [asked[0] for asked in site.engine.asked] == ["case"]
    assert (await shell("cases", "confirm", "K7QF-2M9D", stdin="y\n")).code == 0
    assert site.engine.asked[-1] == ("confirm", {"case": "K7QF-2M9D", "seen": "0a1b2c3d"}, "admin")


async def test_a_verdict_is_changed_seconded_and_sent_back(shell: Shell, site: Site) -> None:
    channel = ("channel", "--partner", "acme", "--reason", "she named them")
    assert (await shell("cases", "change", "K7QF-2M9D", *channel, "--json")).json["state"] == "changed"
    assert (await shell("cases", "second", "K7QF-2M9D", "--refuse", "--reason", "no")).code == 0
    assert (await shell("cases", "send-back", "K7QF-2M9D", "--reason", "ask")).code == 0
    case = {"case": "K7QF-2M9D"}
    change = {**case, "attribution": "channel", "partner": "acme", "reason": "she named them"}
    assert site.engine.asked == [
        ("change", change, "admin"),
        ("second", {**case, "agree": False, "reason": "no"}, "admin"),
        ("send_back", {**case, "reason": "ask"}, "admin"),
    ]
    assert "Missing option '--reason'" in (await shell("cases", "change", "K7QF-2M9D", "staff")).err
    assert (await shell("cases", "second", "K7QF-2M9D")).code == 2


async def test_a_report_is_a_table_json_or_csv(shell: Shell, site: Site) -> None:
    asked = ("report", "--from", "2026-03-02", "--to", "2026-03-08", "--by", "zone")
    rows = (await shell(*asked, "--json")).json
    assert rows[0]["visits"] == 3
    (row,) = csv.DictReader(io.StringIO((await shell(*asked, "--csv")).out))
    assert (row["zone"], row["visits"], row["reviewed"]) == ("2026-03-02", "3", "2")
    assert list(row) == list(rows[0])
    shown = (await shell(*asked)).out
    for word in ("Zone", "Undetermined", "Reviewed", "2026-03-02"):
        assert word in shown
    assert "give --csv or --json, not both" in (await shell(*asked, "--csv", "--json")).complaint
    assert "by: 'moon' is not known" in (await shell(*asked[:5], "--by", "moon")).complaint
