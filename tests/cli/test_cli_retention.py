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
