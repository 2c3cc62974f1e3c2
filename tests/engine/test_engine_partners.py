"""What a partner's link can reach in a whole engine: its own referrals, and nothing that tells of anything else."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from engine_site import Site, running, until
from every_command import arguments
from small_engine import Wire

from nvr_bridge.arguments import validate
from nvr_bridge.config import Config
from nvr_bridge.errors import InvalidError
from nvr_bridge.protocol import ALLOWED, Command, Role

pytestmark = [pytest.mark.needs_models]

NUMBERS = ("13912345678", "13987654321", "13911112222")
CSV = "contact\n139****5678\n"
# What a partner may do, and which argument of it names something that may be another's.
MAY: dict[Command, str | None] = {
    Command.REFERRAL_ADD: "partner",
    Command.REFERRAL_IMPORT: None,  # its rows may name a partner
    Command.REFERRAL_LIST: "partner",
    Command.REFERRAL_WITHDRAW: "referral",
    Command.CLAIM_LIST: None,
    Command.CLAIM_APPEAL: "referral",
}


@pytest.fixture
def config(config: Config) -> Config:
    """A site without biometrics, whose visits end soon: nothing here needs a face."""
    return replace(config, profile="no_biometrics", visit_gap=0.3, rules=replace(config.rules, visit_gap=0.3))


@pytest.fixture
async def site(start: Callable[[], Any]) -> AsyncIterator[Site]:
    """An engine."""
    async with start() as site:
        yield site


@dataclass(frozen=True)
class Mine:
    """What a partner has of its own."""

    token: str
    live: str
    withdrawn: str


async def filed(site: Site) -> Mine:
    """Two partners, and the referrals of one of them."""
    for partner in ("acme", "best"):
        await site.admin.call("partner/add", partner=partner, name=partner.title())
    live, withdrawn = [await site.admin.call("referral/add", partner="acme", contact=each) for each in NUMBERS[:2]]
    await site.admin.call("referral/withdraw", referral=withdrawn["referral"])
    return Mine(await link(site), live["referral"], withdrawn["referral"])


async def others_do(site: Site) -> None:
    """All that a partner must not learn: another's referrals of the same people, and that these are here."""
    for number in NUMBERS:
        await site.admin.call("referral/add", partner="best", contact=number)
    made = await site.admin.call("pass/issue")
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBERS[0], code=made["code"])
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBERS[1])
    await site.admin.call("pair/create", role="viewer")
    await site.admin.call("partner/link", partner="best")

    async def over() -> bool:
        return all(visit["ended_at"] for visit in await site.admin.call("visit/list"))

    await until(over)


async def link(site: Site) -> str:
    """A new link of the partner → its token."""
    url: str = (await site.admin.call("partner/link", partner="acme"))["url"]
    return url.split("#")[1]


def test_what_a_partner_may_do_is_decided() -> None:
    assert set(MAY) == {command for command in Command if Role.PARTNER in ALLOWED[command]}


async def test_what_is_not_for_partners_is_refused_whatever_it_names(site: Site) -> None:
    mine = await filed(site)
    await others_do(site)
    before, there_are = await settled(site), await names(site)
    assert len(there_are) > 12
    async with entered(site, mine.token) as wire:
        for command in set(Command) - set(MAY):
            for given in [arguments(command), *naming(command, there_are)]:
                answer = await said(wire, command, given)
                assert not answer["success"]
                assert answer["error"]["code"] == "unauthorized"
    assert await settled(site) == before


async def test_what_is_for_partners_reaches_nothing_of_others(site: Site) -> None:
    mine = await filed(site)
    await others_do(site)
    foreign = await names(site) - {"acme", mine.live, mine.withdrawn}
    assert "best" in foreign
    tries = [(command, key, name) for command, key in MAY.items() for name in (foreign if key else ())]
    links = [await link(site) for _ in range(len(tries) + 1)]  # one of its own for each: none is limited
    before = await settled(site)
    for (command, key, name), token in zip(tries, links, strict=False):
        async with entered(site, token) as wire:
            answer = await said(wire, command, {**arguments(command), **({key: name} if key else {})})
            assert not answer["success"], (command, name)
    rows = "".join(f"{name},139****5678\n" for name in foreign)
    async with entered(site, links[-1]) as wire:
        answer = await said(wire, Command.REFERRAL_IMPORT, {"csv": f"partner,contact\n{rows}"})
        assert answer["result"]["filed"] == 0
        assert len(answer["result"]["bad"]) == len(foreign)
        for command in (Command.REFERRAL_LIST, Command.CLAIM_LIST):
            listed = json.dumps(await said(wire, command, {}))
            assert mine.live in listed
            assert [name for name in foreign if f'"{name}"' in listed] == []
    assert await settled(site) == before


# --- nothing that tells who is there -------------------------------------------------------------------------------


async def test_no_answer_tells_what_others_did(config: Config, start: Callable[[], Any], tmp_path: Path) -> None:
    async with start() as site:
        mine = await filed(site)
    busy = replace(config, data_dir=tmp_path / "busy")
    await asyncio.to_thread(shutil.copytree, config.data_dir, busy.data_dir)
    async with running(busy) as site:
        await others_do(site)
        theirs = next(iter(await names(site, "referrals.referral_id") - {mine.live, mine.withdrawn}))
    answers = []
    for there in (config, busy):
        async with running(there) as site, entered(site, mine.token) as wire:
            known = {mine.live, mine.withdrawn, theirs}
            answers.append([await said_plainly(wire, *each, known) for each in probes(mine, theirs)])
    assert answers[0] == answers[1]
    assert sum('"success": true' in answer for answer in answers[0]) > 6


def probes(mine: Mine, theirs: str) -> list[tuple[Command, dict[str, Any]]]:
    """Everything that a partner can try, about people who are there, people who are not, and others' referrals."""
    fresh = "13900009999"
    text = {"text": "She is our client."}
    rows = f"partner,contact\nbest,{NUMBERS[2]}\nnobody,{NUMBERS[2]}\nacme,{NUMBERS[0]}\n"
    return [
        *[(Command.REFERRAL_ADD, {"contact": number}) for number in (*NUMBERS, fresh, "139****5678", NUMBERS[2])],
        *[(Command.REFERRAL_ADD, {"contact": fresh, "partner": partner}) for partner in ("best", "nobody")],
        *[(Command.REFERRAL_LIST, {"partner": partner}) for partner in ("acme", "best", "nobody")],
        *[(Command.REFERRAL_IMPORT, {"csv": csv, "dry_run": dry}) for csv in (rows, CSV) for dry in (True, False)],
        *[(Command.REFERRAL_WITHDRAW, {"referral": each}) for each in (mine.withdrawn, theirs, "f" * 32)],
        *[(Command.CLAIM_APPEAL, {"referral": each, **text}) for each in (mine.live, mine.withdrawn, theirs)],
        (Command.REFERRAL_LIST, {"live": True}),
        (Command.REFERRAL_LIST, {}),
        (Command.CLAIM_LIST, {}),
        *[(command, arguments(command)) for command in Command if command not in MAY],
        (Command.REFERRAL_WITHDRAW, {"referral": mine.live}),
        (Command.CLAIM_LIST, {}),
    ]


# --- helpers ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def entered(site: Site, token: str) -> AsyncIterator[Wire]:
    """A client that was let in."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"http://127.0.0.1:{site.port}/ws") as socket:
        wire = Wire(socket)
        await wire.hear()
        await wire.say(type="auth", schema=1, token=token)
        assert (await wire.hear())["type"] == "auth_ok"
        yield wire


async def said(wire: Wire, command: Command, given: dict[str, Any]) -> dict[str, Any]:
    """The answer to a command."""
    return await wire.ask(1, command, **given)


async def said_plainly(wire: Wire, command: Command, given: dict[str, Any], known: set[str]) -> str:
    """The answer as it went over the wire, without what is new with each filing: its id and its times."""
    await wire.say(id=1, type=command, **given)
    answer: str = (await wire.socket.receive(timeout=10)).data
    new = re.compile(r'"(?:([0-9a-f]{32})|\d{4}-\d\d-\d\dT[^"]*)"')
    return new.sub(lambda found: found[0] if found[1] in known else '"…"', answer)


def naming(command: Command, there_are: set[str]) -> list[dict[str, Any]]:
    """The command's arguments with each thing that there is in the place of each argument that can name it."""
    found = []
    for key in arguments(command):
        for name in there_are:
            given = {**arguments(command), key: name}
            try:
                validate(command, given)
            except InvalidError:
                continue
            found.append(given)
    return found


async def names(site: Site, only: str | None = None) -> set[str]:
    """Everything in the store that a command could name: whatever is in a column of ids."""

    def read() -> set[str]:
        with closing(sqlite3.connect(site.service.config.data_dir / "bridge.db")) as store:
            columns = store.execute(
                "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
                " WHERE m.type = 'table' AND c.name LIKE '%\\_id' ESCAPE '\\'"
            ).fetchall()
            wanted = [pair for pair in columns if only in {None, ".".join(pair)}]
            assert wanted
            return {
                value
                for table, column in wanted
                for (value,) in store.execute(f"SELECT {column} FROM {table}")  # noqa: S608 - the store's own names
                if isinstance(value, str)
            }

    return await asyncio.to_thread(read)


async def settled(site: Site) -> str:
    """A digest of everything in the store but its tokens, once nothing is written any more."""

    def read() -> str:
        with closing(sqlite3.connect(site.service.config.data_dir / "bridge.db")) as store:
            lines = [line for line in store.iterdump() if not line.startswith('INSERT INTO "tokens"')]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    found = ""
    for _ in range(50):
        found, before = await asyncio.to_thread(read), found
        if found == before:
            return found
        await asyncio.sleep(0.5)
    raise AssertionError("the store is never at rest")
