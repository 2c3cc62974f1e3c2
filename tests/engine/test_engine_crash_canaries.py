"""A planted name, number, document, reason and template: in nothing that a real engine process says, shows or keeps, and in
nothing that it leaves behind when it crashes, before an erasure and after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from engine_process import EngineProcess
from engine_site import Person

from nvr_bridge.client import Client
from nvr_bridge.consent.loose_keys import open_keys
from nvr_bridge.consent.sealed_rows import sealed_rows
from nvr_bridge.consent.traces import Traces
from nvr_bridge.errors import BridgeError

pytestmark = [pytest.mark.needs_models, pytest.mark.timeout(240)]

NAME, NUMBER, DOCUMENT, REASON = "Canary Chen", "13912345678", "D-CANARY-77", "her aunt Canary brought her"
# Not `case/get`, `referral/list` and `subject/get`: they give their readers the reason and the broker, on purpose.
ASKED = {
    "admin": ("visit/list", "sighting/list", "signing/list", "consent/list", "case/list", "token/list", "camera/list",
              "partner/list", "staff/list", "receipt/list", "retention/status", "assessment/list", "ledger/verify",
              "engine/status"),
    "hub": ("engine/status", "case/list", "camera/list", "retention/get", "retention/status"),
}  # fmt: skip
PAGES = (
    "/metrics",
    "/notice/desk",
    "/notice/desk/state",
    "/visit/desk",
    "/visit/desk/state",
    "/partner",
    "/me",
    "/me/data",
)


@pytest.fixture
async def engine(tmp_path: Path, models_dir: Path) -> AsyncIterator[EngineProcess]:
    """One that runs, whose assessment is acknowledged."""
    made = EngineProcess(tmp_path / "site", models_dir)
    try:
        await made.start()
        async with made.admin() as admin:
            await admin.call("assessment/acknowledge", by="Ada", ground="test")
        yield made
    finally:
        await made.close()


class Listener:
    """A hub that writes down all that it is told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def listen(self, hub: Client) -> None:
        self.heard.append(await hub.subscribe(0))
        with contextlib.suppress(BridgeError):  # until the engine is gone
            async for push in hub.pushes():
                self.heard.append(push)


async def plant(engine: EngineProcess, person: Person) -> str:
    """Everything that a desk gives the engine of one visitor, right and wrong → their alias."""
    async with engine.hub(), engine.admin() as admin:
        terms = {"zone": "desk", "notice_hash": engine.notice_hash, "purpose": "returns", "language": "en"}
        granted = await admin.call("consent/grant", **terms, expires_in_days=30, photo=person.photo)
        alias = str(granted["alias"])
        await admin.call("partner/add", partner="acme", name="Acme Homes")
        await admin.call("referral/add", partner="acme", contact=NUMBER, broker=NAME)
        await admin.call("visit/check_in", zone="desk", contact=NUMBER, alias=alias)
        [case] = await admin.call("case/list")
        await admin.call("case/change", case=case["case"], attribution="staff", reason=REASON)
        await admin.call("signing/add", zone="desk", document=DOCUMENT, contact=NUMBER, alias=alias)
        for command, wrong in (
            ("visit/check_in", {"zone": "desk", "contact": f"{NUMBER}x"}),
            ("visit/check_in", {"zone": "desk", "contact": NUMBER, "source": NUMBER}),
            ("visit/check_in", {"zone": "desk", "contact": NUMBER, "code": DOCUMENT}),
            ("visit/check_in", {"zone": NAME, "contact": NUMBER}),
            ("signing/add", {"zone": "desk", "document": DOCUMENT * 20}),
            ("referral/add", {"partner": "acme", "contact": NUMBER, "broker": NAME}),  # again
            ("referral/import", {"csv": f"partner,contact,broker\nacme,{NUMBER}0,{NAME}\n"}),
            ("case/change", {"case": case["case"], "attribution": "staff", "reason": REASON, "partner": "acme"}),
            ("consent/grant", {**terms, "expires_in_days": 30, "photo": DOCUMENT}),
            (f"{NAME}/{NUMBER}", {"document": DOCUMENT}),
        ):
            with contextlib.suppress(BridgeError):
                await admin.call(command, **wrong)
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(f"{engine.url}/ws") as socket:
            await socket.receive_json()
            await socket.send_str(json.dumps({"type": "auth", "token": NUMBER, "name": NAME}) + DOCUMENT)
        for path in (f"/visit/{NUMBER}", f"/me/data?name={NAME}", f"/{DOCUMENT}"):
            async with http.get(engine.url + path, headers={"Authorization": f"Bearer {NUMBER}"}) as answer:
                assert answer.status in {401, 404}
    return alias


def planted(engine: EngineProcess) -> Traces:
    """What to look for. The template is what the store has, opened with the site's keys."""
    canaries = Traces()
    for what, text in (("name", NAME), ("number", NUMBER), ("document", DOCUMENT), ("reason", REASON)):
        canaries.text(what, text)
    keys = open_keys(engine.data / "keys", None)
    with closing(sqlite3.connect(engine.data / "bridge.db")) as store:
        [sealed] = [each for each in sealed_rows(store) if each.what == "template"]
    content = keys.opens(sealed.key, sealed.content, sealed.aad)
    assert content is not None
    canaries.template(np.frombuffer(content, "<f4").astype(np.float32))
    assert canaries.found_in(content) == {"template f32"}
    return canaries


async def everything(engine: EngineProcess, listener: Listener) -> dict[str, bytes]:
    """What the engine tells its clients, serves, writes, and lets be backed up."""
    said: dict[str, Any] = {"pushes": listener.heard}
    async with engine.admin() as admin, engine.hub() as hub:
        for role, client in (("admin", admin), ("hub", hub)):
            said |= {f"{role}: {command}": await client.call(command) for command in ASKED[role]}
        for case in said["admin: case/list"]:
            said["pack"] = await admin.call("case/export", case=case["case"])
    token = (await asyncio.to_thread((engine.data / "admin.token").read_text)).strip()
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        for path in PAGES:
            async with http.get(engine.url + path) as answer:
                said[path] = [answer.status, dict(answer.headers), await answer.text()]
    assert said["/metrics"][0] == said["/visit/desk"][0] == 200
    told = {place: json.dumps(each, ensure_ascii=False, default=str).encode() for place, each in said.items()}
    return told | await asyncio.to_thread(files, engine)


def files(engine: EngineProcess) -> dict[str, bytes]:
    """Every file but the keys themselves: the store, the log, the key backup, and what a crash leaves."""
    found = (path for path in engine.folder.rglob("*") if path.is_file() and "keys" not in path.parts)
    return {path.relative_to(engine.folder).as_posix(): path.read_bytes() for path in found}


async def crash(engine: EngineProcess, number: int) -> str:
    """End it in the middle of things → what it wrote while it died. It leaves no core, although it was allowed to."""
    before = engine.log.stat().st_size
    status = await engine.end(number)
    assert os.WTERMSIG(status) == number
    assert not os.WCOREDUMP(status)
    assert await asyncio.to_thread(lambda: [*(engine.folder / "run").iterdir()]) == []
    return (await asyncio.to_thread(engine.log.read_bytes))[before:].decode()


async def test_nothing_planted_is_anywhere_before_or_after_an_erasure_whatever_crashes(
    engine: EngineProcess, people: dict[str, Person]
) -> None:
    listener, told = Listener(), list[dict[str, bytes]]()
    async with engine.hub() as hub:
        listening = asyncio.create_task(listener.listen(hub))
        alias = await plant(engine, people["mei"])
        canaries = await asyncio.to_thread(planted, engine)
        told.append(await everything(engine, listener))
        dying = await crash(engine, signal.SIGSEGV)
        assert "Fatal Python error: Segmentation fault" in dying
        assert 'File "' in dying  # where it was, and not what it held
        await listening
    await engine.start()
    async with engine.hub() as hub:
        listening = asyncio.create_task(listener.listen(hub))
        told.append(await everything(engine, listener))
        async with engine.admin() as admin:
            await admin.call("consent/withdraw", alias=alias)
        told.append(await everything(engine, listener))
        assert "Fatal Python error: Aborted" in await crash(engine, signal.SIGABRT)
        await listening
    await engine.start()
    told.append(await everything(engine, listener))
    assert {"alias": alias in json.dumps(listener.heard), "forget": '"forget"' in json.dumps(listener.heard)} == {
        "alias": True,
        "forget": True,
    }
    for each in told:
        assert len(each["engine.log"]) > 1000
        assert {"data/bridge.db", "safe/keys.backup"} <= each.keys()
        assert {place: found for place, content in each.items() if (found := canaries.found_in(content))} == {}
        kept = [place for place in ("engine.log", "data/bridge.db", "/metrics") if alias.encode() in each[place]]
        assert kept == []


async def test_it_takes_itself_the_leave_to_write_a_core(engine: EngineProcess) -> None:
    limits = await asyncio.to_thread(Path(f"/proc/{engine.pid}/limits").read_text)
    [line] = [line for line in limits.splitlines() if line.startswith("Max core file size")]
    assert line.split()[4:6] == ["0", "0"]
