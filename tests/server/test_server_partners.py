"""A partner's link: it stands for one partner whatever it says, ends when it is told to, and has its limits."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSCloseCode
from small_engine import Site, Wire, served

from nvr_bridge.config import Config, load_config
from nvr_bridge.errors import InvalidError
from nvr_bridge.protocol import Role

CSV = "contact\n138****0001\n"
OWN = {"partner": "acme"}
NAMING = [("referral/add", {"contact": "138****0001"}), ("referral/list", {})]
DONE = [
    *NAMING,
    ("referral/import", {"csv": CSV}),
    ("referral/withdraw", {"referral": "r1"}),
    ("claim/list", {}),
    ("claim/appeal", {"referral": "r1", "text": "She is our client."}),
]


@pytest.mark.parametrize(("command", "arguments"), DONE)
async def test_whose_it_is_follows_from_the_token(site: Site, command: str, arguments: dict[str, Any]) -> None:
    for partner in ("acme", "best"):
        client = await site.let_in(Role.PARTNER, partner)
        assert (await client.ask(1, command, **arguments))["success"]
        assert site.engine.asked[-1][1]["partner"] == partner


@pytest.mark.parametrize(("command", "arguments"), NAMING)
async def test_naming_another_is_refused_whether_or_not_there_is_one(
    site: Site, command: str, arguments: dict[str, Any]
) -> None:
    client = await site.let_in(Role.PARTNER)
    await site.engine.partner("best")
    answers = [await client.ask(1, command, partner=other, **arguments) for other in ("best", "nobody")]
    assert answers[0] == answers[1]
    assert answers[0]["error"]["code"] == "unauthorized"
    assert site.engine.asked == []
    assert (await client.ask(2, command, **arguments, **OWN))["success"]


async def test_a_partner_cannot_say_that_it_told_earlier(site: Site) -> None:
    client = await site.let_in(Role.PARTNER)
    answer = await client.ask(1, "referral/add", contact="138****0001", declared="2026-03-02T09:00:00Z")
    assert answer["error"]["message"].startswith("declared: a partner's referral counts from when it is filed")
    assert site.engine.asked == []


async def test_an_operator_names_the_partner(site: Site) -> None:
    reviewer = await site.let_in(Role.REVIEWER)
    answer = await reviewer.ask(1, "referral/add", contact="138****0001")
    assert answer["error"] == {"code": "invalid", "message": "referral/add: partner: is missing; add it"}
    assert (await reviewer.ask(2, "referral/add", contact="138****0001", partner="best"))["success"]
    assert (await reviewer.ask(3, "referral/withdraw", referral="r1"))["success"]
    assert "partner" not in site.engine.asked[-1][1]


async def test_a_link_holds_the_token_where_no_server_sees_it(site: Site) -> None:
    await site.engine.partner("acme")
    reviewer = await site.let_in(Role.REVIEWER)
    made = (await reviewer.ask(1, "partner/link", partner="acme", name="Lin", expires_in_days=2))["result"]
    address, token = made["url"].split("#")
    assert address == f"{site.url}/partner"
    client = await site.enter(token)
    assert (await client.ask(1, "referral/list"))["success"]
    listed = [row for row in (await _admin(site, "token/list")) if row["role"] == "partner"]
    assert [(row["token_id"], row["name"], row["partner"]) for row in listed] == [(made["token_id"], "Lin", "acme")]
    assert listed[0]["expires_at"] == made["expires_at"]
    assert token not in str(listed)


async def test_a_link_has_the_address_that_the_site_is_known_by(config: Config) -> None:
    async with served(replace(config, public_url="https://visits.example.com")) as site:
        await site.engine.partner("acme")
        admin = await site.let_in(Role.ADMIN)
        made = (await admin.ask(1, "partner/link", partner="acme"))["result"]
        assert made["url"].startswith("https://visits.example.com/partner#")


@pytest.mark.parametrize("host", ["0.0.0.0"])  # noqa: S104 - what a site may write
async def test_a_site_that_listens_everywhere_is_not_linked_to_as_everywhere(config: Config, host: str) -> None:
    async with served(replace(config, host=host)) as site:
        await site.engine.partner("acme")
        admin = await site.let_in(Role.ADMIN)
        url = (await admin.ask(1, "partner/link", partner="acme"))["result"]["url"]
        assert url.startswith("http://")
        assert host not in url


async def test_nobody_gets_a_link_for_a_partner_that_there_is_not(site: Site) -> None:
    admin = await site.let_in(Role.ADMIN)
    answer = await admin.ask(1, "partner/link", partner="nobody")
    assert answer["error"]["code"] == "not_found"
    assert await site.engine.tokens.all() == []


async def test_a_link_that_expires_ends_its_connection(site: Site) -> None:
    token = await site.token(Role.PARTNER, expires_at=time.time() + 0.5)
    client = await site.enter(token)
    assert await client.closing() == WSCloseCode.POLICY_VIOLATION
    late = await site.connect()
    await late.hear()
    await late.say(type="auth", schema=1, token=token)
    assert (await late.hear())["code"] == "unauthorized"


async def test_a_link_that_is_taken_back_ends_its_connection(site: Site) -> None:
    client = await site.let_in(Role.PARTNER)
    (listed,) = [row for row in await _admin(site, "token/list") if row["role"] == "partner"]
    assert await _admin(site, "token/revoke", token_id=listed["token_id"]) == {"revoked": True}
    assert await client.closing() == WSCloseCode.POLICY_VIOLATION


async def test_one_link_files_so_many_referrals_and_another_is_not_held_up(site: Site) -> None:
    greedy, other = await site.let_in(Role.PARTNER), await site.let_in(Role.PARTNER)
    rows = "".join(f"138****{number:04}\n" for number in range(999))
    assert (await greedy.ask(1, "referral/import", csv=f"contact\n{rows}", dry_run=True))["success"]
    assert (await greedy.ask(2, "referral/import", csv=f"contact\n{rows}"))["success"]
    assert (await greedy.ask(3, "referral/add", contact="138****0001"))["success"]
    refused = await greedy.ask(4, "referral/add", contact="138****0001")
    assert refused["error"] == {
        "code": "rate_limited",
        "message": "referrals: at most 1000 in 24 h; try again in 24 h",
    }
    assert (await greedy.ask(5, "referral/list"))["success"]
    assert (await other.ask(1, "referral/add", contact="138****0001"))["success"]


async def test_one_link_appeals_so_often(site: Site) -> None:
    client = await site.let_in(Role.PARTNER)
    answers = [await client.ask(number, "claim/appeal", referral="r1", text="ours") for number in range(1, 22)]
    assert [answer["success"] for answer in answers] == [True] * 20 + [False]
    assert answers[-1]["error"]["code"] == "rate_limited"
    token = site.engine.asked[-1][2]
    assert token in {stored.token_id for stored in await site.engine.tokens.all()}
    assert (await client.ask(22, "claim/list"))["success"]


async def test_one_link_gives_so_many_commands(site: Site) -> None:
    client = await site.let_in(Role.PARTNER)
    answers = [await client.ask(number, "referral/list") for number in range(1, 122)]
    assert [answer["success"] for answer in answers] == [True] * 120 + [False]
    assert answers[-1]["error"]["code"] == "rate_limited"
    await _may_go_on(await site.let_in(Role.REVIEWER))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://visits.example.com", "https://visits.example.com"),
        ("http://192.0.2.7:8645/", "http://192.0.2.7:8645"),
        ("https://visits.example.com:8443", "https://visits.example.com:8443"),
    ],
)
def test_a_site_says_where_it_is_known(tmp_path: Path, written: str, kept: str) -> None:
    assert load_config(_site(tmp_path, written)).public_url == kept


@pytest.mark.parametrize(
    "written", ["visits.example.com", "ftp://visits.example.com", "https://a b", "https://a/x", "https://a/#x"]
)
def test_what_is_no_address_of_a_page_is_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(InvalidError, match=r"public_url: .+ is no address of a page"):
        load_config(_site(tmp_path, written))


# --- helpers ------------------------------------------------------------------------------------------------------


async def _admin(site: Site, command: str, **arguments: Any) -> Any:
    answer = await (await site.let_in(Role.ADMIN)).ask(1, command, **arguments)
    assert answer["success"], answer
    return answer["result"]


async def _may_go_on(client: Wire) -> None:
    for number in range(1, 130):
        assert (await client.ask(number, "referral/list"))["success"]


def _site(folder: Path, public_url: str) -> Path:
    path = folder / "bridge.yaml"
    path.write_text(f"name: Office\npublic_url: '{public_url}'\nzones: {{desk: {{name: Desk, kind: observe}}}}\n")
    return path
