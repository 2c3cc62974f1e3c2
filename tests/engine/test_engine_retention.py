"""How long data is kept, asked of and told to a whole engine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine_site import running, until

from nvr_bridge.config import Config
from nvr_bridge.consent.permit import OfflineGate
from nvr_bridge.errors import BridgeError, InvalidError
from nvr_bridge.models import RetentionClass

pytestmark = pytest.mark.needs_models


def days(answer: dict) -> dict[str, tuple[float, str]]:  # type: ignore[type-arg]
    return {each["class"]: (each["days"], each["source"]) for each in answer["classes"]}


async def test_it_is_changed_over_the_api_kept_over_a_restart_and_in_the_ledger(start) -> None:  # type: ignore[no-untyped-def]
    async with start() as site:
        assert days(await site.hub.call("retention/get"))["events"] == (7.0, "profile")
        assert days(await site.hub.call("retention/set", events=3, sightings=1))["events"] == (3.0, "set")
        with pytest.raises(BridgeError, match="more than profile demo allows"):
            await site.hub.call("retention/set", events=3000, sightings=2)
    async with start() as site:
        assert days(await site.admin.call("retention/get"))["sightings"] == (1.0, "set")
        assert days(await site.admin.call("retention/set", sightings=None))["sightings"] == (7.0, "profile")
        acts = [each.data for each in await site.service._parts.ledger.since(0) if each.act == "retention_set"]
        first = {"events": 3.0, "sightings": 1.0, "user": None}
        assert [(each | first == each, each["token"] != "") for each in acts[:1]] == [(True, True)]


async def test_it_is_a_setting_that_hubs_are_shown_and_change(start) -> None:  # type: ignore[no-untyped-def]
    async with start() as site:
        snapshot = (await site.hub.call("engine/status"))["settings"]
        assert {setting["key"]: setting["value"] for setting in snapshot}["retention_events"] == 7.0
        await site.hub.call("settings/set", key="retention_events", value=3, by="user 7")
        found = {each["key"]: each for each in (await site.admin.call("engine/status"))["settings"]}
        assert (found["retention_events"]["value"], found["retention_events"]["source"]) == (3.0, "set")
        with pytest.raises(InvalidError, match="by: is for a hub"):
            await site.admin.call("settings/set", key="retention_events", value=3, by="user 7")
        with pytest.raises(InvalidError, match="retention_events: 31 days are more than profile demo allows"):
            await site.hub.call("settings/set", key="retention_events", value=31)


async def test_settings_that_the_profile_forbids_stop_the_start(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OfflineGate, "_online", False)
    with pytest.raises(InvalidError, match=r"retention\.templates: 31 days are more than profile demo allows"):
        async with running(replace(config, retention={RetentionClass.TEMPLATES: 31.0})):
            pass
    with pytest.raises(InvalidError, match=r"policy\.consent_days: 31 is more than"):
        async with running(replace(config, policy={"consent_days": 31.0})):
            pass


async def test_a_purge_runs_at_start_and_when_it_is_asked_for(start) -> None:  # type: ignore[no-untyped-def]
    async with start() as site:

        async def purged() -> bool:
            return (await site.hub.call("retention/status"))["last"] is not None

        await until(purged)
        await site.admin.call("pass/issue")
        assert (await site.hub.call("retention/purge"))["removed"]["visitors"] == 0
        assert (await site.hub.call("retention/status"))["log_cut"]
