"""What is kept about one visitor, whoever asks for it: the same, in full, and never unrecorded."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from engine_site import Site, until

from nvr_bridge.config import Config
from nvr_bridge.errors import InvalidError, NotFoundError

NUMBER, DOCUMENT, REASON = "13912345678", "D-77-1234", "the desk knew her by her aunt"
MOVING = ("read_at", "acts")  # each reading adds one


@pytest.fixture
def config(config: Config) -> Config:
    """A site without biometrics: nothing here needs a face."""
    return replace(config, profile="no_biometrics")


@pytest.fixture
async def site(start: Callable[[], Any]) -> AsyncIterator[Site]:
    """That engine."""
    async with start() as site:
        yield site


@pytest.fixture
async def alias(site: Site) -> str:
    """Somebody who came with a pass, gave a number and signed, and whose case was sent back; beside somebody else."""
    for name in ("other", "hers"):
        made = await site.admin.call("pass/issue")
        await site.admin.call("pass/scan", zone="desk", code=made["code"])
        [case] = [each for each in await site.admin.call("case/list") if each["alias"] == made["alias"]]
        await site.admin.call("case/send_back", case=case["case"], reason=REASON if name == "hers" else "others only")
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBER, alias=made["alias"])
    await site.admin.call("signing/add", zone="desk", document=DOCUMENT, alias=made["alias"])

    async def noted() -> bool:
        found = await site.admin.call("case/get", case=case["case"])
        return "sign" in [step["act"] for step in found["history"]]

    await until(noted)  # with the verdicts that it may change, which the engine looks at by itself
    return str(made["alias"])


async def own(site: Site, visitor_id: str) -> dict[str, Any]:
    """What the visitor's own page is given."""
    token = await site.service._parts.links.issue(visitor_id, time.time())
    bearer = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=bearer) as http,
        http.get(f"http://127.0.0.1:{site.port}/me/data") as answer,
    ):
        assert answer.status == 200
        return dict(await answer.json())


def still(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key not in MOVING}


async def test_everything_is_given_the_same_to_all_who_may_ask(site: Site, alias: str) -> None:
    visitor_id = await site.service._parts.records.visitor_for(alias)
    assert visitor_id
    page = await own(site, visitor_id)
    by_alias = await site.admin.call("subject/get", alias=alias.upper())
    by_id = await site.hub.call("subject/get", visitor=visitor_id, by="user-7")
    assert still(by_alias) == still(by_id) == still(page)
    counted = {key: len(value) for key, value in still(page).items() if isinstance(value, list)}
    expected = {"visits": 1, "passes": 1, "pass_scans": 1, "check_ins": 1, "signings": 1, "links": 1, "reviews": 2}
    assert {key: counted[key] for key in expected} == expected
    sent_back, signed = page["reviews"]
    assert (sent_back["act"], sent_back["reason"], signed["act"]) == ("send_back", REASON, "sign")
    assert not [word for word in (NUMBER, DOCUMENT, "others only") if word in json.dumps(page)]


async def test_each_reading_is_an_act_that_names_its_reader_and_subject(site: Site, alias: str) -> None:
    ledger = site.service._parts.ledger
    visitor_id = await site.service._parts.records.visitor_for(alias)
    assert visitor_id
    await own(site, visitor_id)
    await site.admin.call("subject/get", alias=alias)
    found = await site.hub.call("subject/get", alias=alias, by="user-7")
    read = [entry for entry in await ledger.about(visitor_id) if entry.act == "subject_read"]
    assert [(entry.data.get("role"), entry.data.get("user")) for entry in read] == [
        (None, None),
        ("admin", None),
        ("hub", "user-7"),
    ]
    assert [act["act"] for act in found["acts"]].count("subject_read") == 3
    tokens = {token["token_id"]: token["role"] for token in await site.admin.call("token/list")}
    assert tokens[read[2].data["token"]] == "hub"


async def test_only_a_hub_says_for_which_of_its_users(site: Site, alias: str) -> None:
    with pytest.raises(InvalidError, match="by: is for a hub"):
        await site.admin.call("subject/get", alias=alias, by="user-7")
    with pytest.raises(InvalidError, match="give alias or visitor"):
        await site.admin.call("subject/get")


async def test_who_withdrew_is_nobody(site: Site, alias: str) -> None:
    visitor_id = await site.service._parts.records.visitor_for(alias)
    await site.admin.call("consent/withdraw", alias=alias)
    for named in ({"alias": alias}, {"visitor": visitor_id}, {"visitor": "f" * 32}):
        with pytest.raises(NotFoundError, match="nobody here has it"):
            await site.hub.call("subject/get", **named)


async def test_who_withdrew_while_they_were_looked_up_is_said_to_be_gone_with_the_remedy(
    site: Site, alias: str
) -> None:
    visitor_id = await site.service._parts.records.visitor_for(alias)
    assert visitor_id
    await site.admin.call("consent/withdraw", alias=alias)
    gone = r"^visitor: is not remembered any more, .*; `nvr-bridge erasure list` has the receipt"
    with pytest.raises(NotFoundError, match=gone):
        await site.service.subjects.about(visitor_id)
    with pytest.raises(NotFoundError, match=r"^visitor: is not remembered any more, .*; ask them to agree again"):
        await site.service._parts.links.issue(visitor_id, time.time())
