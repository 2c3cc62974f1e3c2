"""The same way before a camera that is really pulled: ONVIF, RTSP, H.264."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from browser import Tab
from engine_site import Person, Site, until
from films import recorded
from installed import SIZE, lit, scene
from visit import expect, paired

from demo.camera import OnvifCamera, Stream
from demo.feed import Feed, StoryClock

pytestmark = [pytest.mark.needs_models, pytest.mark.needs_chromium]

FPS = 10
STAYS, AWAY = 25, 4  # seconds


def comes_and_goes(person: Person) -> Iterator[np.ndarray]:
    """Somebody who stands there, swaying a little, and then an empty room."""
    there, empty = scene(person), scene()
    for frame in range(STAYS * FPS):
        yield np.roll(there, round(4 * np.sin(frame / 5)), axis=1)
    for _ in range(AWAY * FPS):
        yield empty


async def test_agree_and_be_recognised_on_return(site: Site, visitor: Tab, people: dict[str, Person]) -> None:
    film = recorded("h264", SIZE, comes_and_goes(people["vera"]), FPS)
    clock = StoryClock()
    clock.begin()
    stream = Stream(Feed(film, clock, loop=True), None)
    async with lit(site, "desk"), OnvifCamera("Welcome desk", [stream]) as device:
        await site.admin.call("camera/add", address=device.address, zone="desk")
        tablet = await paired(site, visitor)
        await until(lambda: people_in_view(site) == 0, seconds=60)  # so that there is time before they go
        await until(lambda: people_in_view(site) == 1, seconds=60)
        await tablet.agree()
        alias = (await tablet.text("#receipt_title")).removeprefix("Thank you, ")
        await tablet.tap(".done")
        await until(lambda: people_in_view(site) == 0, seconds=60)
        await until(lambda: people_in_view(site) == 1, seconds=60)
        await tablet.at("welcome")
        before = site.engine["embeddings"]
        await tablet.tap("#back")
        await tablet.at("hello")
        await expect(tablet.page.locator("#hello_title")).to_have_text(f"Hello, {alias}")
        assert site.engine["embeddings"] > before
        assert site.engine["embeddings_without_permit"] == 0
        await site.admin.call("consent/withdraw", alias=alias)


def people_in_view(site: Site) -> int:
    """At the desk."""
    return int(site.zone("desk")["people_present"])
