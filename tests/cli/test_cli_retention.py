"""How long data is kept, shown and changed on the command line."""

from __future__ import annotations

from command import Shell
from small_engine import Site


async def test_it_is_shown_with_whose_word_it_is(shell: Shell, site: Site) -> None:
    shown = await shell("retention", "show")
    assert shown.code == 0
    assert [word for word in ("visits", "90", "set", "36", "1095") if word not in shown.out] == []
    assert (await shell("retention", "show", "--json")).json["classes"][0]["days"] == 90.0


async def test_it_is_set_and_taken_back(shell: Shell, site: Site) -> None:
    assert (await shell("retention", "set", "--visits", "90", "--events", "default")).code == 0
    assert site.engine.asked == [("retention_set", {"visits": 90.0, "events": None})]


async def test_what_is_no_number_of_days_is_refused_in_one_line(shell: Shell, site: Site) -> None:
    assert "--visits: 'soon' is not a number of days" in (await shell("retention", "set", "--visits", "soon")).complaint
    assert "give at least one" in (await shell("retention", "set")).complaint
    assert "visits: -1.0 is not a number" in (await shell("retention", "set", "--visits", "-1")).complaint
    assert site.engine.asked == []


async def test_a_purge_says_what_it_removed_and_what_is_due(shell: Shell, site: Site) -> None:
    shown = await shell("retention", "purge")
    assert shown.out.splitlines() == ["Removed: 1 visitors, 3 visits"]
    await shell("retention", "purge", "--the-clock-is-right")
    assert site.engine.asked == [("retention_purge", {"clock_is_right": right}) for right in (False, True)]


async def test_the_last_purge_and_the_next_one_are_shown(shell: Shell, site: Site) -> None:
    assert (await shell("retention", "status")).out.splitlines() == [
        "Removed 2030-01-01T00:00:00.000+00:00: 1 visitors, 3 visits",
        "Next of visits: 2030-02-01T00:00:00.000+00:00",
        "Next purge: 2030-01-01T01:00:00.000+00:00",
    ]
    assert (await shell("retention", "status", "--json")).json["log_cut"] is True
