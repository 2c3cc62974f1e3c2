"""Cases in a whole engine: verdicts reach the hub by themselves, people settle them, and nobody decides what they did not see."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from engine_site import Site, spoken, until

from nvr_bridge.client import Client, pair
from nvr_bridge.config import Config
from nvr_bridge.errors import ConflictError, InvalidError, NotFoundError, UnauthorizedError
from nvr_bridge.office.cases import CaseDesk

NUMBER = "13912345678"
SECRET = "she named Mr Lin of Best"


@pytest.fixture
def config(config: Config) -> Config:
    """The profile without biometrics, and a second person for what moves money. The day never closes meanwhile."""
    rules = replace(config.rules, visit_gap=0.3, close_of_day=(datetime.now(UTC) - timedelta(hours=1)).time())
    return replace(config, profile="no_biometrics", visit_gap=0.3, rules=rules, second_person=True)


@pytest.fixture
async def site(start: Callable[[], Any]) -> Any:
    """That engine, and two partners."""
    async with start() as site:
        for partner in ("acme", "best"):
            await site.admin.call("partner/add", partner=partner, name=partner)
        yield site


async def claim(site: Site, partner: str, hours: float) -> None:
    """A referral that was declared so many hours ago."""
    declared = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    await site.admin.call("referral/add", partner=partner, contact=NUMBER, declared=declared)


async def come(site: Site) -> str:
    """Somebody new shows a pass and leaves the number → their alias."""
    made = await site.admin.call("pass/issue")
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBER, code=made["code"])
    return str(made["alias"])


def verdicts(site: Site) -> list[dict[str, Any]]:
    """The verdicts that the hub was told, the oldest first."""
    events = [push["event"] for push in site.pushes if push["type"] == "event"]
    return [event for event in events if event["kind"] == "verdict"]


def waiting(site: Site) -> int | None:
    """How many cases wait for somebody, as the hub was told last; None before it was."""
    pushed = [push["engine"]["cases_waiting"] for push in site.pushes if push["type"] == "state" and "engine" in push]
    return pushed[-1] if pushed else None


async def told(site: Site, **wanted: Any) -> dict[str, Any]:
    """The hub is told, as the last thing, a verdict with these data."""
    await until(lambda: bool(verdicts(site)) and wanted.items() <= verdicts(site)[-1]["data"].items())
    return verdicts(site)[-1]


async def only(site: Site) -> dict[str, Any]:
    """The one case of today."""
    (row,) = await site.admin.call("case/list")
    return dict(row)


async def test_a_visit_is_settled_from_its_first_verdict_to_the_last_word(site: Site) -> None:
    await claim(site, "acme", 1)
    alias = await come(site)
    event = await told(site, attribution="channel", partner="acme", state="proposed", needs_review=False)
    assert (event["alias"], event["zone"], event["data"]["rule"]) == (alias, "desk", "referral_valid")
    row = await only(site)
    said = {key: value for key, value in event["data"].items() if not key.startswith("new_")}
    assert {**said, "risks": []}.items() <= {**row, "returning": row["earlier"]}.items()
    assert (event["data"]["new_answer"], event["data"]["new_risks"]) == (True, "")
    assert (await site.hub.call("engine/status"))["cases_waiting"] == 0
    assert (row["alias"], row["visit"]) == (alias, event["visit"])

    # What the reviewer looked at changes under their hands.
    await claim(site, "best", 2)
    with pytest.raises(ConflictError, match="seen: the verdict changed meanwhile and is channel best now"):
        await site.hub.call("case/confirm", case=row["case"], seen=row["version"], by="u1")
    event = await told(site, partner="best", risks="competing_referrals", needs_review=True)
    assert (event["data"]["new_answer"], event["data"]["new_risks"]) == (True, "competing_referrals")
    await until(lambda: waiting(site) == 1)
    assert [one["case"] for one in await site.hub.call("case/list", needs_review=True)] == [row["case"]]
    confirmed = await site.hub.call("case/confirm", case=row["case"], seen=event["data"]["version"], by="u1")
    assert (confirmed["state"], confirmed["rule"], confirmed["needs_review"]) == ("confirmed", "review", False)
    event = await told(site, state="confirmed", partner="best", rule="review")
    assert (event["data"]["new_answer"], event["data"]["new_risks"]) == (False, "")
    await until(lambda: waiting(site) == 0)
    assert await site.hub.call("case/list", needs_review=True) == []

    # A change of partner needs two people, and one button has many users.
    change = {"case": row["case"], "attribution": "channel", "partner": "acme", "reason": SECRET}
    assert (await site.hub.call("case/change", **change, by="u1"))["state"] == "awaiting_second"
    await told(site, state="awaiting_second", partner="best", needs_review=True)
    for same in ({"by": "u1"}, {}):
        with pytest.raises(ConflictError, match="waits for a second person"):
            await site.hub.call("case/second", case=row["case"], agree=True, **same)
    assert (await site.hub.call("case/second", case=row["case"], agree=True, by="u2"))["state"] == "changed"
    await told(site, state="changed", partner="acme")

    found = await site.admin.call("case/get", case=row["case"].lower())
    assert [(step["act"], step["user"]) for step in found["history"]] == [
        ("confirm", "u1"),
        ("change", "u1"),
        ("agree", "u2"),
    ]
    assert [step["reason"] for step in found["history"]] == [None, SECRET, None]
    assert found["explanation"]["review"]["rules_say"]["partner"] == "best"
    assert found["waiting"] is None
    seen = [(one["kind"], one["certain"], one["error"]) for one in found["moments"]]
    assert seen == [("check_in", True, 0.0)]
    began, at = (datetime.fromisoformat(text) for text in (found["started_at"], found["moments"][0]["at"]))
    assert abs(at - began) < timedelta(milliseconds=1)


async def test_what_comes_up_later_opens_a_case_again_and_only_that_case(site: Site) -> None:
    await come(site)
    event = await told(site, attribution="natural")
    case = event["data"]["case"]
    await site.admin.call("case/confirm", case=case, seen=event["data"]["version"])
    await told(site, state="confirmed")
    await claim(site, "acme", 1)
    event = await told(site, state="proposed", attribution="natural", risks="evidence_changed", needs_review=True)
    assert (await only(site))["state"] == "proposed"
    await site.admin.call("case/send_back", case=case, reason="ask the desk")
    await told(site, state="sent_back")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    assert await site.admin.call("case/list", day=tomorrow) == []
    assert [row["state"] for row in await site.admin.call("case/list", state="sent_back")] == ["sent_back"]
    assert await site.admin.call("case/list", state="appealed") == []
    event = verdicts(site)[-1]
    assert (await site.admin.call("case/confirm", case=case, seen=event["data"]["version"]))["risks"] == []


async def test_somebody_with_a_new_pass_every_time_returns_and_the_zone_shows_it(site: Site) -> None:
    await come(site)
    await told(site, returning=0)
    await until(lambda: any(push.get("event", {}).get("kind") == "visit_ended" for push in site.pushes))
    await come(site)
    await told(site, returning=1)
    await until(lambda: site.zone("desk")["returning_today"] == 1)
    assert (await site.admin.call("visit/list"))[0]["returning"] is True
    rows = await site.admin.call("report/visits", **today(site), by="zone")
    row = next(row for row in rows if row["zone"] == "desk")
    assert row == {"zone": "desk"} | counts(visits=2, natural=2, returning=1)
    assert await site.admin.call("report/visits", by="zone") == rows  # of today, unless a day is given
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    [row] = await site.admin.call("report/visits", day=yesterday)
    assert row == {"day": yesterday} | counts()


async def test_nothing_is_told_twice_and_nothing_again_of_somebody_who_withdrew(
    start: Callable[[], Any], site: Site
) -> None:
    alias = await come(site)
    event = await told(site, attribution="natural")
    await site.admin.call("case/confirm", case=event["data"]["case"], seen=event["data"]["version"])
    await told(site, state="confirmed")
    await site.hub.call("consent/withdraw", alias=alias)
    before = len(verdicts(site))
    await claim(site, "acme", 1)
    row = await only(site)
    assert (row["alias"], row["rule"], row["state"], row["evidence_erased"]) == (None, "review", "confirmed", True)
    found = await site.admin.call("case/get", case=row["case"])
    assert (found["explanation"], [step["reason"] for step in found["history"]]) == (None, [None])
    assert found["moments"] == []
    with pytest.raises(ConflictError, match="its evidence was erased, so its verdict stays as it is"):
        await site.admin.call("case/change", case=row["case"], attribution="staff", reason="no")
    assert len(verdicts(site)) == before


async def test_after_a_restart_the_same_verdicts_stand_and_none_is_told_again(start: Callable[[], Any]) -> None:
    async with start() as site:
        await site.admin.call("partner/add", partner="acme", name="Acme")
        await claim(site, "acme", 1)
        await come(site)
        await told(site, partner="acme")
        row = await only(site)
    async with start() as site:
        assert {**await only(site), "ended_at": row["ended_at"]} == row
        # All that a restart looks at again is told before what is said now.
        await site.admin.call("case/send_back", case=row["case"], reason="ask the desk")
        events = [event["data"] for event in await site.service.events_since(0) if event["kind"] == "verdict"]
        assert [(data["case"], data["state"]) for data in events] == [
            (row["case"], "proposed"),
            (row["case"], "sent_back"),
        ]


async def test_an_appeal_opens_a_case_again_and_it_waits_on_whatever_day(site: Site) -> None:
    await come(site)
    await told(site, attribution="natural")
    filed = await site.admin.call("referral/add", partner="acme", contact=NUMBER)
    event = await told(site, risks="late_referral")
    case = event["data"]["case"]
    await site.admin.call("case/confirm", case=case, seen=event["data"]["version"])
    await told(site, state="confirmed", needs_review=False)
    async with AsyncExitStack() as stack:
        link = await site.admin.call("partner/link", partner="acme")
        address = f"127.0.0.1:{site.port}"
        acme = await stack.enter_async_context(Client.connect(address, token=link["url"].split("#")[1]))
        (claim_of_acme,) = (await acme.call("claim/list"))["claims"]
        assert (claim_of_acme["outcome"], claim_of_acme["appeal"]) == ("declared_late", None)
        await acme.call("claim/appeal", referral=filed["referral"], text="We called before she came.")
    await told(site, state="appealed", needs_review=True)
    parts = site.service.cases
    tomorrow = CaseDesk(
        *(parts._config, parts._store, parts._records, parts._casebook, parts._verdicts, parts._unjudged),
        parts._changed,
        parts._today,
        clock=lambda: time.time() + 86400,
    )
    listed = await tomorrow.listed({"limit": 10, "needs_review": True})
    assert [(row["case"], row["state"]) for row in listed] == [(case, "appealed")]
    found = await site.admin.call("case/get", case=case)
    assert [(step["act"], step["by"], step["reason"]) for step in found["history"]][-1] == (
        *("appeal", "acme", "We called before she came."),
    )
    await site.admin.call("case/confirm", case=case, seen=found["version"])
    assert await tomorrow.listed({"limit": 10}) == []


async def test_who_may_do_what_and_what_makes_no_sense(site: Site) -> None:
    await come(site)
    event = await told(site, attribution="natural")
    case, seen = event["data"]["case"], event["data"]["version"]
    for command, args, kind, words in (
        ("case/get", {"case": "ZZZZ-ZZZZ"}, NotFoundError, "case: 'ZZZZ-ZZZZ' does not exist"),
        ("case/confirm", {"case": case, "seen": "00000000"}, ConflictError, "is natural now; look at the case again"),
        ("case/confirm", {"case": case, "seen": seen, "by": "me"}, InvalidError, "by: is for a hub"),
        ("case/change", {"case": case, "attribution": "natural", "reason": "x"}, InvalidError, "is that already"),
        ("case/change", {"case": case, "attribution": "channel", "reason": "x"}, InvalidError, "channel needs one"),
        (
            "case/change",
            {"case": case, "attribution": "channel", "partner": "no", "reason": "x"},
            NotFoundError,
            "partner: 'no' is not registered",
        ),
        ("case/change", {"case": case, "attribution": "staff"}, InvalidError, "reason: is missing"),
        ("case/second", {"case": case, "agree": True}, ConflictError, "nobody can agree it"),
        ("case/list", {"day": "2026-03-02", "from": "2026-03-02"}, InvalidError, "day: give a day, or from and to"),
        ("case/list", {"from": "2026-03-03", "to": "2026-03-02"}, InvalidError, "from: is after to"),
        ("report/visits", {"from": "2006-03-03", "to": "2026-03-02"}, InvalidError, "shorter period"),
    ):
        with pytest.raises(kind, match=words):
            await site.admin.call(command, **args)
    with pytest.raises(UnauthorizedError):
        await site.hub.call("case/export", case=case)
    assert (await only(site))["state"] == "proposed"


async def test_reading_a_case_is_written_down_and_no_reason_is_anywhere_in_clear(
    site: Site, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    await come(site)
    event = await told(site, attribution="natural")
    await site.hub.call("case/send_back", case=event["data"]["case"], reason=SECRET, by="u1")
    await told(site, state="sent_back")
    async with AsyncExitStack() as stack:
        code = (await site.admin.call("pair/create", role="reviewer", name="Ann"))["code"]
        address = f"127.0.0.1:{site.port}"
        token = await pair(address, code, "Ann")
        ann = await stack.enter_async_context(Client.connect(address, token=token.token))
        assert (await ann.call("case/get", case=event["data"]["case"]))["history"][0]["reason"] == SECRET
    entries = await site.service._parts.ledger.since(0)
    assert [entry.act for entry in entries][-2:] == ["case_send_back", "read_case"]
    assert entries[-1].data == {"token": token.token_id}
    assert all(event["data"]["case"] not in json.dumps(entry.data) for entry in entries)
    assert not [text for text in (spoken(site.pushes), caplog.text) if SECRET in text or NUMBER in text]
    for path in config.data_dir.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


def today(site: Site) -> dict[str, str]:
    """The site's day."""
    day = datetime.now(site.service.config.timezone).date().isoformat()
    return {"from": day, "to": day}


def counts(**some: int) -> dict[str, int]:
    """A row of a report."""
    names = ("visits", "natural", "channel", "staff", "undetermined", "unregistered", "returning", "reviewed")
    return dict.fromkeys(names, 0) | some
