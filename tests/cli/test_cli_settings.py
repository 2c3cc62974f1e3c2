"""What may be changed while the engine runs, shown and changed on the command line."""

from __future__ import annotations

from command import Shell
from small_engine import Site


async def test_settings_are_shown_with_whose_word_it_is_and_how_far_they_go(shell: Shell, site: Site) -> None:
    shown = await shell("settings", "list")
    assert shown.code == 0
    (row,) = [line for line in shown.out.splitlines() if "retention_visits" in line]
    assert row.split() == ["retention_visits", "90", "d", "365", "d", "set", "36", "to", "1095", "d"]
    assert (await shell("settings", "list", "--json")).json[0]["value"] == 90.0


async def test_one_is_changed_and_taken_back(shell: Shell, site: Site) -> None:
    assert (await shell("settings", "set", "retention_visits", "60d")).code == 0
    assert (await shell("settings", "set", "retention_visits", "default")).code == 0
    said = [(act, args) for act, args, _ in site.engine.asked]
    assert said == [
        ("settings_set", {"key": "retention_visits", "value": "60d"}),
        ("settings_set", {"key": "retention_visits", "value": None}),
    ]


async def test_what_is_no_key_is_refused_before_the_engine_acts(shell: Shell, site: Site) -> None:
    assert "'Visits!' is not an identifier" in (await shell("settings", "set", "Visits!", "3")).complaint
    assert site.engine.asked == []


async def test_changes_are_shown_with_who_made_them(shell: Shell, site: Site) -> None:
    rows = [line.split() for line in (await shell("settings", "history")).out.splitlines()]
    changed = ["2030-01-01T00:00:00+00:00", "attribution_lead_time", "30", "min", "10", "min", "u7", "of", "t1"]
    began = ["the", "beginning", "attribution_winner", "-", "first_declared", "bridge.yaml"]
    assert [row for row in rows if "attribution" in "".join(row)] == [changed, began]
    assert (await shell("settings", "history", "--json")).json[0]["new"] == 600.0
