"""Agreeing again at a whole engine, and a notice that changed between two starts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from engine_site import Person, Site, running
from test_engine_recognition import grant, passage

from nvr_bridge.client import Client, pair
from nvr_bridge.config import Config
from nvr_bridge.consent.permit import OfflineGate
from nvr_bridge.errors import BridgeError, NotArmedError
from nvr_bridge.store.settings import SettingsTable

pytestmark = pytest.mark.needs_models


def terms(site: Site, **more: Any) -> dict[str, Any]:
    notice = site.service.config.notice_hash
    about = {"zone": "desk", "notice_hash": notice, "language": "en", "purpose": "to be greeted", "expires_in_days": 20}
    return {**about, **more}


async def listed(site: Site) -> dict[str, Any]:
    [consent] = await site.admin.call("consent/list")
    return dict(consent)


async def test_who_is_remembered_agrees_again_by_face_and_alias(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    first = await grant(site, people["mei"])
    with pytest.raises(BridgeError, match="remembered already; give their alias to renew"):
        await site.admin.call("consent/grant", **terms(site, photo=people["mei"].photo))
    again = await site.admin.call("consent/grant", **terms(site, photo=people["mei"].photo, alias=first["alias"]))
    assert (again["alias"], again["visitor"]) == (first["alias"], first["visitor"])
    consent = await listed(site)
    assert (consent["consent_id"], consent["channel"], consent["zones"]) == (
        again["consent_id"],
        "desk",
        ["lane", "desk"],
    )
    assert not consent["to_renew"]
    [sighting] = await passage(site, people["mei"])
    assert sighting["alias"] == first["alias"]
    assert site.engine["embeddings_without_permit"] == 0


async def test_nobody_agrees_again_where_the_sign_went_off_while_they_waited(
    site: Site, people: dict[str, Person]
) -> None:
    await site.sign("desk")
    first = await grant(site, people["mei"])
    before = await listed(site)
    async with site.service._parts.enrolment._lock:  # somebody else is being looked at
        agreeing = asyncio.create_task(
            site.service.consents.renew({**terms(site), "alias": first["alias"], "guardian": False})
        )
        await asyncio.sleep(0.2)
        await site.sign("desk", on=False)
    with pytest.raises(NotArmedError, match="sign_off"):
        await agreeing
    assert await listed(site) == before


async def test_another_face_does_not_take_somebodys_alias(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    mei, vera = await grant(site, people["mei"]), await grant(site, people["vera"])
    for person, alias in (("vera", mei["alias"]), ("lin", vera["alias"])):
        with pytest.raises(BridgeError, match="is not known to be that of this alias"):
            await site.admin.call("consent/grant", **terms(site, photo=people[person].photo, alias=alias))
    with pytest.raises(BridgeError, match="alias: no visitor has it"):
        await site.admin.call("consent/grant", **terms(site, photo=people["lin"].photo, alias="no such bird"))


async def test_a_consent_covers_the_zones_that_it_names(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    with pytest.raises(BridgeError, match="zones: nobody is recognised in 'entrance'; choose among lane, desk"):
        await site.admin.call("consent/grant", **terms(site, photo=people["mei"].photo, zones=["entrance"]))
    made = await site.admin.call("consent/grant", **terms(site, photo=people["mei"].photo, zones=["desk"]))
    [sighting] = await passage(site, people["mei"])
    assert (sighting["who"], sighting["reason"]) == ("unknown", "no_match")
    await site.sign("desk")
    await site.admin.call("consent/renew", **terms(site, alias=made["alias"]))
    [sighting, *_] = await passage(site, people["mei"])
    assert sighting["alias"] == made["alias"]


async def test_a_kiosk_renews_by_a_pass_and_says_how_it_was_given(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    made = await grant(site, people["mei"])
    code = (await site.admin.call("pass/issue", alias=made["alias"]))["code"]
    paired_code = (await site.admin.call("pair/create", role="kiosk"))["code"]
    paired = await pair(f"127.0.0.1:{site.port}", paired_code, "tablet")
    async with Client.connect(f"127.0.0.1:{site.port}", token=paired.token) as kiosk:
        with pytest.raises(BridgeError, match="a kiosk renews by a pass"):
            await kiosk.call("consent/renew", **terms(site, alias=made["alias"]))
        with pytest.raises(BridgeError, match="a kiosk is no desk"):
            await kiosk.call("consent/renew", **terms(site, code=code, channel="desk"))
        again = await kiosk.call("consent/renew", **terms(site, code=code, guardian=True))
    consent = await listed(site)
    assert (consent["consent_id"], consent["channel"], consent["guardian"]) == (again["consent_id"], "kiosk", True)
    with pytest.raises(BridgeError, match="give alias or code"):
        await site.admin.call("consent/renew", **terms(site))


async def test_nobody_renews_where_the_sign_is_off(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    made = await grant(site, people["mei"])
    await site.sign("desk", on=False)
    with pytest.raises(BridgeError, match="is not armed"):
        await site.admin.call("consent/renew", **terms(site, alias=made["alias"]))


async def test_a_changed_notice_asks_again_and_until_then_nobody_is_compared(
    config: Config, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OfflineGate, "_online", False)
    async with running(config) as site:
        await site.admin.call("assessment/acknowledge", by="Ada", ground="test")
        await site.sign("desk")
        made = await grant(site, people["mei"])
    changed = replace(config, notices={**config.notices, "en": "We changed our mind about something."})
    async with running(changed) as site:
        await site.sign("desk")
        parts = site.service._parts
        [act] = [entry for entry in await parts.ledger.since(0) if entry.act == "notice_changed"]
        assert act.data == {"notice_hash": changed.notice_hash, "before": config.notice_hash}
        texts = SettingsTable(parts.database)
        assert (await texts.get(f"notice:{config.notice_hash}"))["texts"] == config.notices
        consent = await listed(site)
        assert consent["to_renew"]
        assert consent["alias"] == made["alias"]
        [sighting] = await passage(site, people["mei"])
        assert sighting["reason"] == "no_match"
        await site.sign("desk")
        await site.admin.call("consent/renew", **terms(site, alias=made["alias"]))
        assert not (await listed(site))["to_renew"]
        sightings = await passage(site, people["mei"])
        assert made["alias"] in {each["alias"] for each in sightings}


async def test_assessments_have_a_history_and_hold_for_their_profile(
    start: Callable[[], Any], config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start() as site:
        await site.admin.call("assessment/acknowledge", by="Ada", ground="first")
        now = time.time()
        for expires in (now - 60, now + 366 * 86400):
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires))
            with pytest.raises(BridgeError, match="within the profile's limit of 365 days"):
                await site.admin.call("assessment/acknowledge", by="Ada", ground="x", expires_at=moment)
        await site.admin.call("assessment/acknowledge", by="Bo", ground="second")
        found = await site.admin.call("assessment/list")
        assert [(one["by"], one["ground"], one["profile"], one["in_force"]) for one in found] == [
            ("Bo", "second", "demo", True),
            ("Ada", "first", "demo", False),
        ]
        assert found[1]["ended_at"] == found[0]["acknowledged_at"]
    async with running(replace(config, profile="cn")) as site:
        assert site.zone("desk")["reasons"] == ["assessment_missing", "sign_unknown"]
        assert not any(one["in_force"] for one in await site.admin.call("assessment/list"))


async def test_who_agreed_for_zones_that_recognise_no_more_agrees_for_the_one_they_stand_in(
    config: Config, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OfflineGate, "_online", False)
    async with running(config) as site:
        await site.admin.call("assessment/acknowledge", by="Ada", ground="test")
        await site.sign("desk")
        made = await site.admin.call("consent/grant", **terms(site, photo=people["mei"].photo, zones=["lane"]))
        code = (await site.admin.call("pass/issue", alias=made["alias"]))["code"]
    zones = {key: zone for key, zone in config.zones.items() if key != "lane"}
    zones["walk"] = replace(config.zones["lane"], zone_id="walk")
    notices = {**config.notices, "en": "We changed our mind about something."}
    async with running(replace(config, zones=zones, notices=notices)) as site:
        await site.sign("desk")
        kiosk = site.service.kiosk
        assert (await kiosk.show_pass("desk", code))["renew"] == "notice"
        await kiosk.renew("desk", {"notice_hash": site.service.config.notice_hash, "language": "en", "age": "adult"})
        assert (await listed(site))["zones"] == ["desk"]
