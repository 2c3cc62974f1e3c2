"""The switches of people's own hands, on the command line."""

from __future__ import annotations

from command import Shell
from small_engine import Site


async def test_it_is_switched_on_the_site_in_a_zone_or_by_a_camera(shell: Shell, site: Site) -> None:
    said = [
        (await shell("recognition", "off")).out,
        (await shell("recognition", "on", "--zone", "lane")).out,
        (await shell("recognition", "off", "--camera", "front")).out,
    ]
    assert said == [
        "Recognition on the whole site is switched off.\n",
        "Recognition in zone lane is switched on.\n",
        "Recognition by camera front is switched off.\n",
    ]
    assert [asked[:2] for asked in site.engine.asked] == [
        ("recognition", {"on": False}),
        ("recognition", {"on": True, "zone": "lane"}),
        ("camera_recognition", {"camera": "front", "on": False}),
    ]


async def test_of_a_zone_and_a_camera_only_one_is_meant(shell: Shell, site: Site) -> None:
    refused = await shell("recognition", "off", "--zone", "lane", "--camera", "front")
    assert "--zone, --camera: give one of them" in refused.complaint
    assert site.engine.asked == []


async def test_it_answers_a_script(shell: Shell, site: Site) -> None:
    assert (await shell("recognition", "off", "--json")).json == {"recognition": False}
