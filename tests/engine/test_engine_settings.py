"""Attribution settings that are changed while a whole engine runs: every place that tells a verdict tells the same one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from engine_site import Site, until

from nvr_bridge.config import Config
from nvr_bridge.evidence.verify import verify

pytestmark = pytest.mark.needs_models
NUMBERS = ("13912345678", "13887654321")


@pytest.fixture
def config(config: Config) -> Config:
    """No face is needed for what is told at the desk."""
    return replace(config, profile="no_biometrics")


async def come(site: Site, number: str) -> str:
    """A client comes whom a partner named a quarter of an hour ago → the visit."""
    declared = (datetime.now(UTC) - timedelta(minutes=15)).isoformat()
    await site.admin.call("referral/add", partner="acme", contact=number, declared=declared)
    return str((await site.admin.call("visit/check_in", zone="desk", contact=number))["visit"])


async def settings_shown(site: Site, case: str) -> dict[str, Any]:
    """What the case's evidence pack says of the settings."""
    pack = await site.admin.call("case/export", case=case)
    content = pack["content"]
    assert verify(content.encode(), pack["fingerprint"]).intact
    lines = re.search(r"^== settings ==\n(.*?)^== ", content, re.MULTILINE | re.DOTALL)
    assert lines
    return {line["name"]: line["value"] for line in map(json.loads, lines[1].splitlines())}


async def test_a_change_holds_for_who_comes_after_it_and_everything_agrees(start: Callable[[], Any]) -> None:
    async with start() as site:
        await site.admin.call("partner/add", partner="acme", name="Acme Homes")
        early = await come(site, NUMBERS[0])

        await until(lambda: any(push.get("event", {}).get("kind") == "verdict" for push in site.pushes))
        changed = await site.hub.call("settings/set", key="attribution_lead_time", value=10, by="user 7")
        assert {one["key"]: one["value"] for one in changed}["attribution_lead_time"] == 10.0
        late = await come(site, NUMBERS[1])
        expected = {early: ("natural", "late_referral"), late: ("channel", "referral_valid")}
        await until_same(site, expected)
    async with start() as site:  # and after a restart
        await until_same(site, expected)
        today = datetime.now(site.service.config.timezone).date().isoformat()
        days = {"from": today, "to": today}
        other = await site.admin.call("attribution/replay", settings="settings: {lead_time: 1h}", **days)
        assert [(one["visit"], one["would_be"]["rule"]) for one in other["visits"]] == [(late, "late_referral")]
        kept = await site.admin.call("attribution/replay", settings="settings: {winner: undetermined}", **days)
        assert kept["visits"] == []  # what it leaves out is as the site had it when each visit began
        history = await site.admin.call("settings/history")
        assert [(one["key"], one["old"], one["new"], one["user"]) for one in history if one["at"]] == [
            ("attribution_lead_time", 1800.0, 600.0, "user 7")
        ]


async def until_same(site: Site, expected: dict[str, tuple[str, str]]) -> None:
    """Lists, cases, the replay and the packs say what is expected of each visit."""

    async def listed() -> bool:
        rows = await site.admin.call("case/list")
        return {row["visit"]: (row["attribution"], row["rule"]) for row in rows} == expected

    await until(listed)
    visits = await site.admin.call("visit/list")
    assert {row["visit"]: (row["attribution"], row["rule"]) for row in visits} == expected
    today = datetime.now(site.service.config.timezone).date().isoformat()
    replayed = await site.admin.call("attribution/replay", **{"from": today, "to": today})
    assert {row["visit"]: (row["attribution"], row["rule"]) for row in replayed["visits"]} == expected
    for row in await site.admin.call("case/list"):
        found = await site.admin.call("case/get", case=row["case"])
        held = (await settings_shown(site, row["case"]))["lead_time"]
        assert ("came too late" in found["explanation"]["why"]) == (held == 1800.0) == (row["rule"] == "late_referral")
