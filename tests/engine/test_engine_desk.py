"""Registered visitors and referrals in a whole engine that recognises nobody: numbers and codes are nowhere in clear."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from engine_site import Site, spoken, until

from nvr_bridge.config import Config
from nvr_bridge.errors import ConflictError, InvalidError, NotFoundError

# Acts of the engine itself: at the start, while a hub listens, and once a verdict is told.
BESIDES = {"armed", "disarmed", "read_events", "notice_changed", "verdict_told"}
NUMBERS = ["13912345678", "13987654321", "13911112222"]
HEADER = "partner,contact,broker,declared,expected\n"


@pytest.fixture
def config(config: Config) -> Config:
    """The profile in which the embedder is not even loaded."""
    return replace(config, profile="no_biometrics", visit_gap=0.3, rules=replace(config.rules, visit_gap=0.3))


@pytest.fixture
async def site(start: Callable[[], Any]) -> Any:
    """That engine."""
    async with start() as site:
        yield site


async def visits(site: Site) -> list[tuple[str | None, bool]]:
    """(alias, returning) of each visit, the oldest first."""
    return [(visit["alias"], visit["returning"]) for visit in reversed(await site.admin.call("visit/list"))]


async def ended(site: Site) -> None:
    """Wait until nobody is on a visit."""

    async def over() -> bool:
        return all(visit["ended_at"] for visit in await site.admin.call("visit/list"))

    await until(over)


def kinds(site: Site) -> list[str]:
    """The events that the hub was told, apart from verdicts."""
    told = [push["event"]["kind"] for push in site.pushes if push["type"] == "event"]
    return [kind for kind in told if kind != "verdict"]


async def test_a_pass_opens_a_visit_extends_it_and_comes_back(site: Site) -> None:
    made = await site.admin.call("pass/issue")
    first = await site.admin.call("pass/scan", zone="desk", code=made["code"])
    assert (first["alias"], first["returning"], first["earlier"]) == (made["alias"], False, 0)
    again = await site.admin.call("pass/scan", zone="entrance", code=made["code"].lower())
    assert again["visit"] == first["visit"]
    assert site.zone("desk")["visits_today"] == 1
    await ended(site)
    second = await site.admin.call("pass/scan", zone="desk", code=made["code"])
    assert (second["visit"] != first["visit"], second["returning"], second["earlier"]) == (True, True, 1)
    assert await visits(site) == [(made["alias"], False), (made["alias"], True)]
    await until(lambda: kinds(site) == ["first_visit", "visit_ended", "returning_visit"])
    assert site.engine["subjects"] == 0


async def test_a_number_without_a_pass_stands_for_the_person_and_tells_nobody_whose_it_is(site: Site) -> None:
    alone = await site.admin.call("visit/check_in", zone="desk", contact=NUMBERS[0], source="friend")
    assert list(alone) == ["visit"]
    same = await site.admin.call("visit/check_in", zone="desk", contact="+86 139-1234-5678")
    assert same == alone
    made = await site.admin.call("pass/issue")
    told = await site.admin.call("visit/check_in", zone="desk", contact=NUMBERS[1], code=made["code"])
    assert told["alias"] == made["alias"]
    theirs = await site.admin.call("visit/check_in", zone="desk", contact=NUMBERS[1])
    assert theirs == {"visit": told["visit"]}
    assert await visits(site) == [(None, False), (made["alias"], False)]
    await ended(site)
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBERS[0])
    assert (await visits(site))[-1] == (None, True)


@pytest.mark.parametrize(
    ("command", "args", "kind", "words"),
    [
        ("visit/check_in", {"zone": "desk", "contact": "139****5678"}, InvalidError, "contact: is masked"),
        ("visit/check_in", {"zone": "desk", "contact": "hello"}, InvalidError, "contact: neither a telephone number"),
        ("visit/check_in", {"zone": "den", "contact": NUMBERS[0]}, NotFoundError, "zone: 'den' does not exist"),
        (
            "visit/check_in",
            {"zone": "desk", "contact": NUMBERS[0], "alias": "no one 1"},
            NotFoundError,
            "alias: no visitor",
        ),
        ("pass/scan", {"zone": "desk", "code": "0000"}, NotFoundError, "code: no pass of this site"),
        ("pass/issue", {"alias": "no one 1"}, NotFoundError, "alias: no visitor"),
        ("referral/add", {"partner": "no", "contact": NUMBERS[0]}, NotFoundError, "partner: 'no' is not registered"),
        ("referral/add", {"partner": "acme", "contact": "1****1"}, InvalidError, "contact: neither a telephone number"),
    ],
)
async def test_what_is_refused_says_why_and_changes_nothing(
    site: Site, command: str, args: dict[str, str], kind: type[Exception], words: str
) -> None:
    await site.admin.call("partner/add", partner="acme", name="Acme Homes")
    with pytest.raises(kind, match=words) as caught:
        await site.admin.call(command, **args)
    assert not any(number in str(caught.value) for number in NUMBERS)
    assert await visits(site) == []
    assert await site.admin.call("referral/list") == []


async def test_referrals_are_filed_listed_and_withdrawn_and_no_other_partner_matters(site: Site) -> None:
    for partner in ("acme", "best"):
        await site.admin.call("partner/add", partner=partner, name=partner)
    soon = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    filed = await site.admin.call("referral/add", partner="acme", contact=NUMBERS[0], broker="Lin", expected=soon)
    assert (filed["masked"], filed["broker"], filed["withdrawn_at"]) == (False, "Lin", None)
    # Whether the client is here already, or another partner's, changes nothing.
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBERS[0])
    other = await site.admin.call("referral/add", partner="best", contact="139****5678")
    assert other["masked"] is True
    with pytest.raises(ConflictError, match="live one of the same contact"):
        await site.admin.call("referral/add", partner="acme", contact=f" {NUMBERS[0][:3]} {NUMBERS[0][3:]}")
    await site.admin.call("referral/withdraw", referral=filed["referral"])
    assert [each["referral"] for each in await site.admin.call("referral/list", live=True)] == [other["referral"]]
    assert len(await site.admin.call("referral/list", partner="acme")) == 1


async def test_an_import_lists_every_bad_row_and_files_all_or_nothing(site: Site) -> None:
    await site.admin.call("partner/add", partner="acme", name="Acme Homes")
    good = f"acme,{NUMBERS[0]},Lin,,2099-01-01T09:00\nacme,138****0001,,2026-03-02T09:00+08:00,\n"
    bad = f'acme,12,,,\nnobody,{NUMBERS[1]},,,\n\nacme,{NUMBERS[0]},,,\nacme,{NUMBERS[2]},,{NUMBERS[2]},\n,"{NUMBERS[1]}",,,\n'
    for dry_run in (True, False):
        result = await site.admin.call("referral/import", csv=HEADER + good + bad, dry_run=dry_run)
        assert (result["rows"], result["filed"]) == (7, 0)
        assert [row["line"] for row in result["bad"]] == [4, 5, 7, 8, 9]
        reasons = [row["reason"].split(":")[0] for row in result["bad"]]
        assert reasons == ["contact", "partner", "referral", "declared", "partner"]
        assert not any(number in json.dumps(result) for number in NUMBERS)
    assert await site.admin.call("referral/list") == []
    assert (await site.admin.call("referral/import", csv=HEADER + good, dry_run=True))["filed"] == 0
    assert await site.admin.call("referral/list") == []
    assert (await site.admin.call("referral/import", csv=HEADER + good))["filed"] == 2
    assert len(await site.admin.call("referral/list")) == 2
    for text, words in (("a,b\n1,2", "the first row must name"), (HEADER, "holds no referrals")):
        with pytest.raises(InvalidError, match=words):
            await site.admin.call("referral/import", csv=text)


async def test_numbers_and_codes_are_in_no_file_no_log_and_nothing_that_the_hub_hears(
    site: Site, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await site.admin.call("partner/add", partner="acme", name="Acme Homes")
    await site.admin.call("referral/add", partner="acme", contact=NUMBERS[0], broker="Lin Xiaoming")
    await site.admin.call("referral/import", csv=f"{HEADER}acme,{NUMBERS[1]},,,\n")
    made = await site.admin.call("pass/issue")
    await site.admin.call("pass/scan", zone="desk", code=made["code"])
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBERS[0], alias=made["alias"])
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBERS[2])
    with pytest.raises(InvalidError):
        await site.admin.call("visit/check_in", zone="desk", contact=f"{NUMBERS[0]}x")
    await until(lambda: kinds(site).count("first_visit") == 2)
    secrets = [*NUMBERS, made["code"], made["code"].replace("-", ""), "Xiaoming"]
    for text in (spoken(site.pushes), caplog.text):
        assert not [secret for secret in secrets if secret in text]
    for path in config.data_dir.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert not [secret for secret in secrets if secret.encode() in content], path
    acts = [entry.act for entry in await site.service._parts.ledger.since(0)]
    assert [act for act in acts if act not in BESIDES] == [
        *(
            "partner_added",
            "referral_filed",
            "referral_filed",
            "pass_issued",
            "pass_scanned",
            "checked_in",
            "checked_in",
        )
    ]


async def test_a_holder_of_a_pass_withdraws_like_anybody_and_the_hub_forgets(site: Site) -> None:
    made = await site.admin.call("pass/issue")
    visit = (await site.admin.call("pass/scan", zone="desk", code=made["code"]))["visit"]
    await site.hub.call("consent/withdraw", alias=made["alias"])
    with pytest.raises(NotFoundError):
        await site.admin.call("pass/scan", zone="desk", code=made["code"])
    forgotten = {"alias": made["alias"], "visits": [visit]}
    await until(lambda: any(push["type"] == "forget" and forgotten.items() <= push.items() for push in site.pushes))
    assert await visits(site) == [(None, False)]


async def test_who_is_registered_survives_a_restart(start: Callable[[], Any]) -> None:
    async with start() as site:
        made = await site.admin.call("pass/issue")
        await site.admin.call("visit/check_in", zone="desk", contact=NUMBERS[0], code=made["code"])
    async with start() as site:
        await ended(site)
        assert (await site.admin.call("pass/scan", zone="desk", code=made["code"]))["earlier"] == 1


async def test_each_visit_is_listed_with_its_verdict_which_outlives_its_evidence(site: Site) -> None:
    await site.admin.call("partner/add", partner="acme", name="Acme Homes")
    earlier = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    await site.admin.call("referral/add", partner="acme", contact=NUMBERS[0], declared=earlier)
    made = await site.admin.call("pass/issue")
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBERS[0], code=made["code"])
    today = datetime.now(site.service.config.timezone).date().isoformat()

    async def verdict() -> dict[str, Any]:
        (visit,) = await site.admin.call("visit/list")
        return {
            key: visit[key] for key in ("attribution", "partner", "rule", "risks", "needs_review", "evidence_erased")
        }

    channel = {
        "attribution": "channel",
        "partner": "acme",
        "rule": "referral_valid",
        "risks": [],
        "needs_review": False,
    }
    assert await verdict() == {**channel, "evidence_erased": False}
    days = {"from": today, "to": today}
    replayed = await site.admin.call("attribution/replay", **days, settings="settings: {lead_time: 2h}")
    (changed,) = replayed["visits"]
    assert (changed["alias"], changed["rule"], changed["would_be"]["rule"]) == (
        *(made["alias"], "referral_valid", "late_referral"),
    )
    assert (replayed["daily"][0]["channel"], replayed["daily_would_be"][0]["channel"]) == (1, 0)
    same = await site.admin.call("attribution/replay", **days, settings="settings: {lead_time: 10m}")
    assert (same["judged"], same["visits"]) == (1, [])
    await site.admin.call("consent/withdraw", alias=made["alias"])
    assert await verdict() == {**channel, "evidence_erased": True}
    assert (await site.admin.call("attribution/replay", **days))["evidence_erased"] == 1
    with pytest.raises(InvalidError, match="from: is after to"):
        await site.admin.call("attribution/replay", **{"from": "2026-03-03", "to": "2026-03-02"})
