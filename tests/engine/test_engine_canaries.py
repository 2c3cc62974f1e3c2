"""A planted name, number, document and template: nowhere but where they belong, before an erasure and after it."""

from __future__ import annotations

import json
import logging
from typing import Any

import aiohttp
import pytest
from engine_site import Person, Site
from test_engine_recognition import grant

from nvr_bridge.client import Client
from nvr_bridge.consent.traces import Traces
from nvr_bridge.errors import BridgeError

NAME, NUMBER, DOCUMENT, REASON = "Canary Chen", "13912345678", "D-CANARY-77", "her aunt Canary brought her"
ASKED = ("visit/list", "sighting/list", "signing/list", "consent/list", "case/list", "token/list", "camera/list")


async def everything(site: Site, caplog: pytest.LogCaptureFixture) -> dict[str, bytes]:
    """What the engine says, shows and keeps, apart from its keys."""
    found: dict[str, Any] = {command: await site.admin.call(command) for command in ASKED}
    found["pushes"] = site.pushes
    found["log"] = caplog.text
    token = (site.service.config.data_dir / "admin.token").read_text().strip()
    async with Client.connect(f"127.0.0.1:{site.port}", token=token) as client:
        found["subscribe"] = await client.call("subscribe", since=0)
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http,
        http.get(f"http://127.0.0.1:{site.port}/metrics") as answer,
    ):
        assert answer.status == 200
        found["metrics"] = await answer.text()
    said = {place: json.dumps(each, ensure_ascii=False, default=str).encode() for place, each in found.items()}
    folder = site.service.config.data_dir
    files = (path for path in folder.rglob("*") if path.is_file() and "keys" not in path.parts)
    return said | {path.name: path.read_bytes() for path in files}


async def test_what_was_planted_is_nowhere(
    site: Site, people: dict[str, Person], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await site.sign("desk")
    granted = await grant(site, people["mei"])
    await site.admin.call("partner/add", partner="acme", name="Acme Homes")
    await site.admin.call("referral/add", partner="acme", contact=NUMBER, broker=NAME)
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBER, alias=granted["alias"])
    [case] = await site.admin.call("case/list")
    await site.admin.call("case/send_back", case=case["case"], reason=REASON)
    await site.admin.call("signing/add", zone="desk", document=DOCUMENT, contact=NUMBER, alias=granted["alias"])
    for wrong in (
        {"contact": f"{NUMBER}x"},
        {"contact": NUMBER, "source": NUMBER},
        {"contact": NUMBER, "code": DOCUMENT},
    ):
        with pytest.raises(BridgeError) as refused:
            await site.admin.call("visit/check_in", zone="desk", **wrong)
        assert NUMBER not in str(refused.value)
        assert DOCUMENT not in str(refused.value)

    canaries = Traces()
    canaries.text("name", NAME)
    canaries.text("number", NUMBER)
    canaries.text("document", DOCUMENT)
    canaries.text("reason", REASON)
    [template] = await site.service._parts.records.templates()
    canaries.template(template.embedding)
    assert canaries.found_in(template.embedding.tobytes()) == {"template f32"}

    before = await everything(site, caplog)
    assert granted["alias"].encode() in before["subscribe"]
    assert b"check_ins" in before["bridge.db"]
    assert len(before["log"]) > 1000
    await site.admin.call("consent/withdraw", alias=granted["alias"])
    for told in (before, await everything(site, caplog)):
        assert {place: found for place, each in told.items() if (found := canaries.found_in(each))} == {}
    kept = ("log", "metrics", "bridge.db", "bridge.db-wal")
    assert [place for place in kept if granted["alias"].encode() in before.get(place, b"")] == []
