"""Contracts, staff and corrections in a whole engine that recognises nobody: they decide, and no number is anywhere in clear."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from engine_site import Site, spoken, until

from nvr_bridge.config import Config
from nvr_bridge.errors import BridgeError, ConflictError, InvalidError, NotFoundError

PAPER, NUMBER, OTHER_NUMBER = "D-7712345X", "13912345678", "13987654321"


@pytest.fixture
def config(config: Config) -> Config:
    """The profile in which the embedder is not even loaded."""
    return replace(config, profile="no_biometrics")


@pytest.fixture
async def site(start: Callable[[], Any]) -> Any:
    """That engine, and a partner whose client comes."""
    async with start() as site:
        await site.admin.call("partner/add", partner="acme", name="Acme Homes")
        await site.admin.call("referral/add", partner="acme", contact=NUMBER, declared=ago(hours=1))
        yield site


def ago(**time: float) -> str:
    """A time that has passed."""
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


async def issue(site: Site) -> str:
    """A new pass → the alias of whoever holds it."""
    alias: str = (await site.admin.call("pass/issue"))["alias"]
    return alias


async def rules(site: Site) -> dict[str | None, str]:
    """The rule that decided, by alias."""
    return {visit["alias"]: visit["rule"] for visit in await site.admin.call("visit/list")}


async def test_a_contract_is_registered_like_a_check_in_and_has_a_verdict(site: Site) -> None:
    alias = await issue(site)
    signed = await site.admin.call("signing/add", zone="desk", document=PAPER, contact=NUMBER, alias=alias)
    assert (signed["alias"], signed["returning"]) == (alias, False)
    again = await site.admin.call("signing/add", zone="desk", document=f" {PAPER.lower()} ")
    assert (set(again), again["visit"]) == ({"signing", "at", "visit"}, signed["visit"])
    assert site.zone("desk")["visits_today"] == 1
    (visit,) = await site.admin.call("visit/list")
    assert (visit["rule"], visit["partner"], visit["risks"]) == ("referral_valid", "acme", [])
    newest, oldest = await site.admin.call("signing/list", zone="desk")
    assert (newest["signing"], oldest["signing"]) == (again["signing"], signed["signing"])
    assert (newest["alias"], oldest["alias"], oldest["visit"]) == (None, alias, visit["visit"])
    assert {(row["attribution"], row["partner"], row["rule"]) for row in (newest, oldest)} == {
        ("channel", "acme", "referral_valid")
    }
    assert await site.admin.call("signing/list", until=ago(hours=1)) == []
    today = datetime.now(site.service.config.timezone).date().isoformat()
    replayed = await site.admin.call("attribution/replay", **{"from": today, "to": today})
    assert [row["signing"] for row in replayed["signings"]] == [oldest["signing"], newest["signing"]]
    changed = await site.admin.call(
        "attribution/replay", **{"from": today, "to": today}, settings="settings: {lead_time: 2h}"
    )
    assert [row["would_be"]["rule"] for row in changed["signings"]] == ["late_referral"] * 2


async def test_who_signs_together_stays_two_people_and_a_co_signer_who_stands_otherwise_is_told(site: Site) -> None:
    alias, other = await issue(site), await issue(site)
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBER, alias=alias)
    await site.admin.call("signing/add", zone="desk", alias=alias, co_signers=[other])
    (row,) = await site.admin.call("signing/list")
    assert (row["attribution"], row["risks"], row["needs_review"]) == ("undetermined", ["co_signers_differ"], True)
    with pytest.raises(ConflictError, match="signed one contract together"):
        await site.admin.call("identity/merge", aliases=[alias, other])


async def test_an_open_visit_under_a_number_goes_on_when_its_owner_signs(site: Site) -> None:
    came = await site.admin.call("visit/check_in", zone="desk", contact=NUMBER)
    signed = await site.admin.call("signing/add", zone="desk", document=PAPER, contact=NUMBER)
    left = await site.admin.call("signing/add", zone="desk", document=PAPER)
    assert came["visit"] == signed["visit"] == left["visit"]


async def test_staff_are_nobodys_clients_for_as_long_as_they_are_staff(site: Site) -> None:
    alias = await issue(site)
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBER, alias=alias)
    marked = await site.admin.call("staff/mark", alias=alias)
    assert (marked["alias"], marked["until"], marked["current"]) == (alias, None, True)
    assert await rules(site) == {alias: "staff"}
    with pytest.raises(ConflictError, match="is staff then already"):
        await site.admin.call("staff/mark", alias=alias)
    ended = await site.admin.call("staff/end", alias=alias)
    assert (ended["current"], await site.admin.call("staff/list")) == (False, [ended])
    assert await rules(site) == {alias: "staff"}


async def test_corrections_join_and_part_visitors(site: Site) -> None:
    alias, other = await issue(site), await issue(site)
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBER, alias=alias)
    await site.admin.call("visit/check_in", zone="desk", contact=OTHER_NUMBER, alias=other)
    assert await rules(site) == {alias: "referral_valid", other: "natural"}
    merged = await site.admin.call("identity/merge", aliases=[alias, other])
    assert merged["kind"] == "merge"
    assert await rules(site) == {alias: "referral_valid", other: "referral_valid"}
    await site.admin.call("identity/split", aliases=[other, alias.upper()])
    assert await rules(site) == {alias: "referral_valid", other: "natural"}


@pytest.mark.parametrize(
    ("command", "args", "kind", "words"),
    [
        ("signing/add", {"zone": "desk"}, InvalidError, "alias: is missing"),
        ("signing/add", {"zone": "den", "document": PAPER}, NotFoundError, "zone: 'den' does not exist"),
        ("signing/add", {"zone": "desk", "contact": "139****5678"}, InvalidError, "contact: is masked"),
        ("signing/add", {"zone": "desk", "contact": f"{NUMBER}x"}, InvalidError, "contact: neither a telephone"),
        ("signing/add", {"zone": "desk", "alias": "no one 1"}, NotFoundError, "alias: no visitor"),
        ("signing/add", {"zone": "desk", "code": "0000"}, NotFoundError, "code: no pass of this site"),
        ("signing/add", {"zone": "desk", "alias": "{}", "code": "0"}, InvalidError, "give alias or code, not both"),
        ("signing/add", {"zone": "desk", "alias": "{}", "co_signers": ["{}"]}, InvalidError, "the one who signs"),
        ("signing/add", {"zone": "desk", "document": PAPER, "co_signers": ["{}", "{}"]}, InvalidError, "named twice"),
        ("signing/add", {"zone": "desk", "document": PAPER, "co_signers": ["no one 1"]}, NotFoundError, "number 1 of"),
        ("signing/add", {"zone": "desk", "document": PAPER, "co_signers": ["a"] * 21}, InvalidError, "0 to 20"),
        ("staff/mark", {"alias": "no one 1"}, NotFoundError, "alias: no visitor"),
        ("staff/mark", {"alias": "{}", "until": ago(hours=1)}, InvalidError, "until: is not after from"),
        ("staff/end", {"alias": "{}"}, NotFoundError, "is not staff then"),
        ("identity/split", {"aliases": ["{}"]}, InvalidError, "aliases: must be a list of 2 to 20"),
        ("identity/merge", {"aliases": ["{}", "{}"]}, InvalidError, "aliases: number 2 is named twice"),
        ("identity/merge", {"aliases": ["{}", "no one 1"]}, NotFoundError, "aliases: no visitor has number 2"),
    ],
)
async def test_what_is_refused_says_why_and_changes_nothing(
    site: Site, command: str, args: dict[str, Any], kind: type[BridgeError], words: str
) -> None:
    alias = await issue(site)
    entries = len(await site.service._parts.ledger.since(0))
    named = {
        key: [one.format(alias) for one in value] if isinstance(value, list) else value.format(alias)
        for key, value in args.items()
    }
    with pytest.raises(kind, match=words) as caught:
        await site.admin.call(command, **named)
    assert not any(secret in str(caught.value) for secret in (PAPER, NUMBER))
    assert [await site.admin.call("visit/list"), await site.admin.call("signing/list")] == [[], []]
    assert await site.admin.call("staff/list") == []
    assert len(await site.service._parts.ledger.since(0)) == entries


def told(site: Site) -> list[str]:
    """The kinds of the events that the hub was told."""
    return [push["event"]["kind"] for push in site.pushes if push["type"] == "event"]


async def test_documents_and_numbers_are_in_no_file_no_log_and_nothing_that_the_hub_hears(
    site: Site, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    alias, other = await issue(site), await issue(site)
    await site.admin.call("signing/add", zone="desk", document=PAPER, contact=OTHER_NUMBER, alias=alias)
    await site.admin.call("signing/add", zone="desk", document=PAPER, contact=NUMBER)
    await site.admin.call("signing/add", zone="desk", alias=other, co_signers=[alias])
    with pytest.raises(InvalidError):
        await site.admin.call("signing/add", zone="desk", document=PAPER, contact=f"{NUMBER}x")
    listed = await site.admin.call("signing/list")
    kinds = ["first_visit", "first_visit"]
    await until(lambda: [kind for kind in told(site) if kind != "verdict"] == kinds and "verdict" in told(site))
    secrets = (PAPER, PAPER.lower(), NUMBER, OTHER_NUMBER)
    for text in (spoken(site.pushes), caplog.text, str(listed)):
        assert not [secret for secret in secrets if secret in text]
    for path in config.data_dir.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not [secret for secret in secrets if secret.encode() in content], path


async def test_a_signing_outlives_who_signed_and_what_was_open_under_their_number_ends(site: Site) -> None:
    came = await site.admin.call("visit/check_in", zone="desk", contact=NUMBER)
    alias = await issue(site)
    signed = await site.admin.call("signing/add", zone="desk", document=PAPER, contact=NUMBER, alias=alias)
    await site.admin.call("consent/withdraw", alias=alias)
    (row,) = await site.admin.call("signing/list")
    assert (row["signing"], row["alias"], row["rule"]) == (signed["signing"], None, "referral_valid")
    assert row["evidence_erased"] is True
    visits = {visit["visit"]: visit for visit in await site.admin.call("visit/list")}
    assert set(visits) == {came["visit"], signed["visit"]}
    assert all(visit["ended_at"] and visit["rule"] == "referral_valid" for visit in visits.values())
    forgotten = [push["visits"] for push in site.pushes if push["type"] == "forget"]
    assert [sorted(visits) for visits in forgotten] == [sorted(visits)]
    new = await site.admin.call("visit/check_in", zone="desk", contact=NUMBER)
    assert new["visit"] not in visits
