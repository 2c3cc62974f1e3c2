"""Somebody who comes is told of once, and it is not told who."""

from __future__ import annotations

import time
from typing import Any

import pytest
from engine_site import Lens, Person, Site, until

pytestmark = pytest.mark.needs_models


def approaches(site: Site) -> list[dict[str, Any]]:
    """What the hub was told of them."""
    events = [push["event"] for push in site.pushes if "event" in push]
    return [event for event in events if event["kind"] == "person_approaching"]


async def test_the_first_face_after_a_quiet_while_is_told_once(site: Site, people: dict[str, Person]) -> None:
    lens, at = Lens(site, "entrance"), time.time()
    for later in (0.0, 10.0, 39.0, 80.0):  # each stays for a second; 30 s without anybody count as quiet
        tracks = await lens.sees(people["mei"], people["vera"], at=at + later, frames=6)
        await lens.loses(tracks)
    await until(lambda: len(approaches(site)) == 2)
    told = approaches(site)
    assert [event["data"]["frame_at"] for event in told] == [at, at + 80.0]
    assert {(event["zone"], event["alias"], event["visit"]) for event in told} == {("entrance", None, None)}
    assert site.engine["embeddings"] == 0


async def test_a_lane_was_chosen_already(site: Site, people: dict[str, Person]) -> None:
    await Lens(site, "lane").sees(people["mei"], at=time.time(), frames=2)
    await Lens(site, "desk").sees(people["vera"], at=time.time(), frames=2)
    await until(lambda: bool(approaches(site)))
    assert [event["zone"] for event in approaches(site)] == ["desk"]
