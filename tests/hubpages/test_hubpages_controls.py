"""A whole engine is set and switched by a real hub's entities, and says what it does then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from engine_site import Site, until
from hubsite import Hub

from demo.hub_setup import add_engine, entities
from demo.process import free_port
from nvr_bridge.config import Config

pytestmark = [pytest.mark.needs_hub, pytest.mark.needs_models, pytest.mark.timeout(180)]


@pytest.fixture
def config(config: Config) -> Config:
    """A site that a hub reaches without TLS."""
    return replace(config, port=free_port())


SAID = ("subjects", "next_purge", "embeddings_without_permit", "site_visits_today", "zone_lane_people_today")


def is_known(entity_id: str) -> Callable[[dict[str, dict[str, Any]]], bool]:
    """Whether the hub's states tell of this."""
    return lambda states: states[entity_id]["state"] not in ("unavailable", "unknown")


def setting(site: Site, key: str) -> Any:
    """As the engine has it now."""
    return next(it["value"] for it in site.service.snapshot()["engine"]["settings"] if it["key"] == key)


async def test_what_is_set_and_switched_in_the_hub_is_so_in_the_engine(hub: Hub, site: Site) -> None:
    code = (await site.admin.call("pair/create", role="hub"))["code"]
    await add_engine(hub.client, site.service.config.port, code)
    engine_id = site.service.snapshot()["engine"]["id"]
    known = (await entities(hub.client, engine_id)).by_unique_id
    shown = {key.removeprefix(f"{engine_id}_"): entity_id for key, entity_id in known.items()}

    # Everything that this engine says has its entity, and nothing of it is unknown for want of a field.
    for key in SAID:
        await hub.client.wait_for(key, is_known(shown[key]), 20)

    most = (await hub.client.states())[shown["retention_templates"]]["attributes"]["max"]
    await hub.client.post("/api/services/number/set_value", {"entity_id": shown["retention_templates"], "value": 7})
    await until(lambda: setting(site, "retention_templates") == 7)
    assert most > 7

    winner = {"entity_id": shown["attribution_winner"], "option": "undetermined"}
    await hub.client.post("/api/services/select/select_option", winner)
    await until(lambda: setting(site, "attribution_winner") == "undetermined")

    switch = shown["zone_lane_recognition"]
    await hub.client.act("switch/turn_off", switch)
    await until(lambda: not site.zone("lane")["recognition"])
    assert "disarmed" in site.zone("lane")["reasons"]
    await hub.client.wait_for("the switch", lambda states: states[switch]["state"] == "off", 20)
    await hub.client.act("switch/turn_on", switch)
    await until(lambda: site.zone("lane")["recognition"])

    await hub.client.act("switch/turn_off", shown["recognition"])
    await until(lambda: not site.service.snapshot()["engine"]["recognition"])
    await hub.client.act("switch/turn_on", shown["recognition"])
    await until(lambda: bool(site.service.snapshot()["engine"]["recognition"]))

    before = site.service.snapshot()["engine"]["watch"]["last_purge"]
    await hub.client.act("button/press", shown["purge"])
    await until(lambda: site.service.snapshot()["engine"]["watch"]["last_purge"] != before)
