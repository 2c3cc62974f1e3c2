"""Cameras are added, moved and taken away: each is an act, and none of them switches recognition on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from films import filmed

from demo.camera import OnvifCamera, Stream
from demo.feed import Feed, StoryClock

pytestmark = pytest.mark.needs_models


async def test_a_camera_that_is_added_again_is_as_off_as_somebody_left_it(start: Any) -> None:
    clock = StoryClock()
    clock.begin()
    film = await asyncio.to_thread(filmed, "h264", (640, 360), fps=10)
    async with OnvifCamera("Gate", [Stream(Feed(film, clock, loop=True))]) as device:
        async with start() as site:
            (added,) = await site.hub.call("camera/add", address=device.address, zone="lane", by="u1")
            camera = added["id"]
            await site.hub.call("camera/recognition", camera=camera, on=False, by="u1")
            await site.hub.call("camera/remove", camera=camera, by="u2")
            (added,) = await site.admin.call("camera/add", address=device.address, zone="desk")
            assert added["recognition"] is False
            await site.admin.call("camera/remove", camera=camera)
        async with start() as site:
            (added,) = await site.admin.call("camera/add", address=device.address, zone="lane")
            assert added["recognition"] is False
            await site.admin.call("camera/recognition", camera=camera, on=True)
            await site.admin.call("camera/remove", camera=camera)
            (added,) = await site.admin.call("camera/add", address=device.address, zone="lane")
            assert added["recognition"] is True
            (moved,) = await site.hub.call("camera/add", address=device.address, zone="desk", by="u3")
            assert moved["zone"] == "desk"
            entries = await site.service._parts.ledger.since(0)
            hubs = {row["token_id"] for row in await site.admin.call("token/list") if row["role"] == "hub"}
    told = [entry for entry in entries if entry.act.startswith(("camera_", "recognition_"))]
    assert {entry.data["camera"] for entry in told} == {camera}
    assert {entry.data["token"] in hubs for entry in told if entry.data.get("user")} == {True}
    assert {entry.data["token"] in hubs | {None} for entry in told if not entry.data.get("user")} == {False}
    assert [(entry.act, entry.zone_id, entry.data.get("user")) for entry in told] == [
        ("camera_added", "lane", "u1"),
        ("recognition_off", "lane", "u1"),
        ("camera_removed", "lane", "u2"),
        ("camera_added", "desk", None),
        ("camera_removed", "desk", None),
        ("camera_added", "lane", None),
        ("recognition_on", "lane", None),
        ("camera_removed", "lane", None),
        ("camera_added", "lane", None),
        ("camera_moved", "desk", "u3"),
    ]
