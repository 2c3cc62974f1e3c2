"""A zone is armed only while the hub says that its sign shows the notice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from engine_site import Site, until

from nvr_bridge.client import Client, pair
from nvr_bridge.config import Config
from nvr_bridge.errors import BridgeError

pytestmark = pytest.mark.needs_models


async def test_the_sign_arms_and_its_going_off_disarms_at_once(site: Site) -> None:
    assert site.zone("lane")["reasons"] == ["sign_unknown"]
    await site.sign("lane")
    assert site.zone("lane")["armed"]
    assert site.engine["armed"]
    await site.sign("lane", on=False)
    assert site.zone("lane")["reasons"] == ["sign_off"]
    assert not site.engine["armed"]


async def test_a_hub_that_looks_at_no_sign_any_more_disarms_at_once(site: Site) -> None:
    await site.sign("lane")
    assert site.zone("lane")["armed"]
    notice = site.service.config.notice_hash
    await site.hub.call("zone/sign", zone="lane", on=None, notice_hash=notice)
    assert site.zone("lane")["reasons"] == ["sign_unknown"]
    assert keys(site.zone("lane")) == ["sign_unknown"]


async def test_a_silent_hub_disarms_by_the_clock(start: Callable[..., Any], config: Config) -> None:
    async with start(replace(config, sign_ttl=1.0)) as site:
        await site.admin.call("assessment/acknowledge", by="Ada", ground="test")
        await site.sign("lane")
        await until(lambda: site.zone("lane")["reasons"] == ["sign_silent"])
        await until(lambda: any(push.get("zone", {}).get("reasons") == ["sign_silent"] for push in site.pushes))


async def test_a_hub_that_goes_takes_its_signs_along(site: Site) -> None:
    code = (await site.admin.call("pair/create", role="hub"))["code"]
    paired = await pair(f"127.0.0.1:{site.port}", code, "second hub")
    async with Client.connect(f"127.0.0.1:{site.port}", token=paired.token) as second:
        await second.call("zone/sign", zone="lane", on=True, notice_hash=site.service.config.notice_hash)
        assert site.zone("lane")["armed"]
    await until(lambda: site.zone("lane")["reasons"] == ["sign_unknown"])


async def test_another_notice_on_the_sign_does_not_arm(site: Site) -> None:
    await site.hub.call("zone/sign", zone="lane", on=True, notice_hash="0" * 64)
    assert site.zone("lane")["reasons"] == ["notice_changed"]


async def test_an_act_where_nothing_is_armed_is_refused(site: Site) -> None:
    with pytest.raises(BridgeError, match="sign_unknown") as caught:
        await site.hub.call("zone/act", zone="lane")
    assert caught.value.code == "not_armed"


async def test_the_ledger_says_when_and_why(site: Site) -> None:
    await site.sign("lane")
    await site.sign("lane", on=False)
    ledger = site.service._parts.ledger

    async def written() -> bool:
        acts = [(entry.act, entry.zone_id, entry.data.get("reasons")) for entry in await ledger.since(0)]
        return ("armed", "lane", "") in acts and ("disarmed", "lane", "sign_off") in acts

    await until(written)
    found = await site.admin.call("ledger/verify")
    assert found["intact"]
    assert found["entries"] >= 2


async def test_an_assessment_is_remembered_over_a_restart(start: Callable[..., Any]) -> None:
    async with start() as site:
        assert site.zone("lane")["reasons"] == ["assessment_missing", "sign_unknown"]
        await site.admin.call("assessment/acknowledge", by="Ada", ground="test")
    await asyncio.sleep(0)
    async with start() as site:
        assert site.zone("lane")["reasons"] == ["sign_unknown"]


def keys(state: dict[str, Any]) -> list[str]:
    """What a person has to do about it."""
    return [problem["key"] for problem in state["problems"]]


def told(site: Site, zone: str) -> list[list[str]]:
    """What the hub was told of that, the newest last."""
    states = [push["zone"] for push in site.pushes if "zone" in push]
    return [keys(state) for state in states if state["id"] == zone]


async def test_what_a_person_has_to_do_is_told_until_it_is_done(start: Callable[..., Any]) -> None:
    async with start() as site:
        assert keys(site.zone("lane")) == ["assessment_missing"]
        soon = (datetime.now(UTC) + timedelta(days=10)).isoformat()
        await site.admin.call("assessment/acknowledge", by="Ada", ground="test", expires_at=soon)
        assert (keys(site.zone("lane")), keys(site.engine)) == (["sign_unknown"], ["assessment_expires"])
        await site.sign("lane", on=False)
        await site.sign("lane")
        assert keys(site.zone("lane")) == []
        await until(lambda: any("engine" in push and keys(push["engine"]) for push in site.pushes))
        await until(lambda: told(site, "lane")[-1:] == [[]])
        changes = [now for now, before in pairwise([*reversed(told(site, "lane")), None]) if now != before]
        assert changes[:3] == [[], ["sign_off"], ["sign_unknown"]]
        await site.admin.call("engine/recognition", on=False)
        assert keys(site.zone("lane")) == []


async def test_a_sign_where_the_profile_recognises_nobody_is_a_problem_while_it_is_reported(
    start: Callable[..., Any], config: Config
) -> None:
    async with start(replace(config, profile="cn", sign_ttl=1.0)) as site:
        assert (site.zone("lane")["reasons"], keys(site.zone("lane"))) == (["policy"], [])
        await site.sign("lane")
        await until(lambda: told(site, "lane")[-1:] == [["policy"]])
        await until(lambda: told(site, "lane")[-1:] == [[]])  # the hub reports it no more
