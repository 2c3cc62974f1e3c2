"""Evidence packs of a whole engine: they prove what happened, and hold nothing that must not leave the site."""

from __future__ import annotations

import asyncio
import json
import random
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from engine_site import Lens, Person, Site, until

from nvr_bridge.client import Client, pair
from nvr_bridge.config import Config
from nvr_bridge.errors import AskError, InvalidError, NotFoundError
from nvr_bridge.evidence.verify import Checked, verify
from nvr_bridge.visits.evidence import contact, document

NUMBER, PAPER = "13912345678", "D-7712345X"
SECRET = "Mr Lin of Best told me on the telephone"
BROKER = "Lin Xiaoming"


@pytest.fixture
def config(config: Config) -> Config:
    """No face is needed for what is told at the desk; the cameras' times have an error."""
    return replace(config, profile="no_biometrics", rules=replace(config.rules, clock_error=2.0))


@pytest.fixture
async def site(start: Callable[[], Any]) -> Any:
    """That engine, and two partners of whom one brings a client."""
    async with start() as site:
        for partner in ("acme", "best"):
            await site.admin.call("partner/add", partner=partner, name=f"{partner} Homes")
        yield site


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


async def come(site: Site, *, sign: bool = False) -> str:
    """A client of a referral comes, shows a pass, leaves the number, and perhaps signs → their alias."""
    declared = ago(hours=1)
    filed = {"contact": NUMBER, "broker": BROKER, "declared": declared}
    await site.admin.call("referral/add", partner="acme", **filed)
    second = await site.admin.call("referral/add", partner="best", **filed | {"declared": ago(hours=2)})
    await site.admin.call("referral/withdraw", referral=second["referral"])
    made = await site.admin.call("pass/issue")
    await site.admin.call("pass/scan", zone="desk", code=made["code"])
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBER, code=made["code"])
    if sign:
        await site.admin.call("signing/add", zone="desk", document=PAPER, alias=made["alias"])
    return str(made["alias"])


async def case_of(site: Site, alias: str | None) -> dict[str, Any]:
    return next(row for row in await site.admin.call("case/list") if row["alias"] == alias)


async def exported(client: Client, case: str, **also: Any) -> tuple[bytes, Checked]:
    """A pack as it is written, and what checking it says."""
    found = await client.call("case/export", case=case, **also)
    assert found["name"] == f"case-{case}.html"
    content = found["content"].encode()
    return content, verify(content, found["fingerprint"])


def data(content: bytes) -> dict[str, list[Any]]:
    """The sections of a pack."""
    found: dict[str, list[Any]] = {}
    name = ""
    for line in content[content.index(b"== pack ==") : content.index(b"== manifest ==")].decode().splitlines():
        if match := re.fullmatch("== (.*) ==", line):
            name = match[1]
            found[name] = []
        else:
            found[name].append(json.loads(line))
    return found


async def test_a_pack_proves_everything_that_decided(site: Site) -> None:
    alias = await come(site, sign=True)

    async def closed() -> bool:
        return (await case_of(site, alias))["state"] == "closed"

    await until(closed)
    row = await case_of(site, alias)
    content, checked = await exported(site.admin, row["case"])
    assert checked.intact, [str(fault) for fault in checked.faults]
    assert checked.proved == checked.facts > 5
    found = data(content)
    assert [line["kind"] for line in found["presence"]] == ["pass", "check_in", "signing"]
    assert [line["kind"] for line in found["referrals"]] == ["referral", "withdrawal", "referral"]
    judged = {line["facts"]["partner"]: line["judged"] for line in found["referrals"] if line["kind"] == "referral"}
    assert judged == {
        "acme": {"state": "valid", "tied_by": "contact"},
        "best": {"state": "withdrawn", "tied_by": "contact"},
    }
    (verdict,), (told,) = found["verdict"], found["told"]
    assert (verdict["attribution"], verdict["partner"], verdict["rule"]) == ("channel", "acme", "referral_valid")
    assert told["facts"].items() >= {"attribution": "channel", "partner": "acme", "rule": "referral_valid"}.items()
    assert told["recorded"]["act"] == "verdict_told"
    assert (found["case"][0]["alias"], found["case"][0]["zone_name"]) == (alias, site.service.config.zones["desk"].name)
    assert {line["name"]: line["value"] for line in found["settings"]}["lead_time"] == 1800.0
    assert found["checkpoint"][0]["engine"] == site.engine["id"]
    assert (await site.admin.call("ledger/verify"))["intact"]


@pytest.mark.parametrize("sign", [False, True])
async def test_what_must_not_leave_the_site_is_not_in_a_pack(site: Site, sign: bool) -> None:
    alias = await come(site, sign=sign)
    case = (await case_of(site, alias))["case"]
    if not sign:  # a contract closes a case
        await site.admin.call("case/change", case=case, attribution="natural", reason=SECRET)
    content, _ = await exported(site.admin, case)
    vault = site.service._parts.records._vault
    hashed = contact(NUMBER, vault.hash_key("contact"))
    with closing(sqlite3.connect(site.service.config.data_dir / "bridge.db")) as connection:
        stored = [row[0] for row in connection.execute("SELECT contact_full FROM check_ins")]
        salts = [
            salt
            for table in ("referrals", "pass_scans", "check_ins", "signings", "reviews", "cases")
            for (salt,) in connection.execute(f"SELECT salt FROM {table}")  # noqa: S608 - ours
        ]
    assert stored == [hashed.full]
    assert len(salts) > 5
    keyed = [hashed.full, hashed.mask, document(PAPER, vault.hash_key("document"))]
    for secret in (NUMBER, PAPER, BROKER, SECRET, "acme Homes", *vault.visitors, *keyed, *salts):
        assert str(secret).encode() not in content, secret
    if not sign:
        (line,) = data(content)["history"]
        assert (line["by"], set(line["facts"]) & {"reason", "name", "token", "user"}) == (1, set())
        assert {"reason", "name", "token", "user"} <= set(line["recorded"]["hidden"])


async def test_what_reviewers_wrote_is_in_it_only_if_asked_for(site: Site) -> None:
    case = (await case_of(site, await come(site)))["case"]
    await site.admin.call("case/change", case=case, attribution="natural", reason=SECRET)
    content, checked = await exported(site.admin, case, reasons=True)
    assert checked.intact
    assert data(content)["history"][0]["facts"]["reason"] == SECRET
    assert content.count(SECRET.encode()) > 1  # on the page, too


async def test_reviewers_are_numbers_and_the_history_is_whole(site: Site) -> None:
    alias = await come(site)
    case = (await case_of(site, alias))["case"]
    await site.admin.call("case/change", case=case, attribution="natural", reason="x")
    await site.admin.call("case/change", case=case, attribution="channel", partner="best", reason="x")
    made = await site.admin.call("pair/create", role="reviewer", name="Wang Fang")
    address = f"127.0.0.1:{site.port}"
    other = await pair(address, made["code"], "")
    async with Client.connect(address, token=other.token) as client:
        await client.call("case/change", case=case, attribution="natural", reason="y")
        content, checked = await exported(client, case)
    assert checked.intact
    history = data(content)["history"]
    assert [line["by"] for line in history if line["by"] is not None] == [1, 1, 2]
    assert b"Wang Fang" not in content
    assert other.token_id.encode() not in content


async def test_an_export_is_an_act_and_is_recorded_before_it_is_given(site: Site) -> None:
    alias = await come(site)
    case = (await case_of(site, alias))["case"]
    content, _ = await exported(site.admin, case)
    ledger = site.service._parts.ledger
    entries = await ledger.since(0)
    entry = next(entry for entry in entries if entry.act == "case_exported")
    assert entry.data == {"role": "admin", "token": "admin"}
    (visitor,) = site.service._parts.records._vault.visitors
    assert entry.number in {mine.number for mine in await ledger.about(visitor)}
    assert data(content)["checkpoint"][0]["entries"] >= entry.number


async def test_a_visit_of_a_number_alone(site: Site) -> None:
    await site.admin.call("visit/check_in", zone="desk", contact=NUMBER)
    row = await case_of(site, None)
    content, checked = await exported(site.admin, row["case"])
    assert checked.intact
    found = data(content)
    assert (found["case"][0]["alias"], found["links"]) == (None, [{"person": 1, "by": ["contact"]}])
    assert checked.proved == checked.facts > 0


async def test_after_a_withdrawal_the_verdict_is_still_told_and_nothing_else(site: Site) -> None:
    alias = await come(site)
    case = (await case_of(site, alias))["case"]
    await site.admin.call("case/change", case=case, attribution="natural", reason=SECRET)
    await site.admin.call("consent/withdraw", alias=alias)
    content, checked = await exported(site.admin, case, reasons=True)
    assert checked.intact
    found = data(content)
    (verdict,) = found["verdict"]
    assert (verdict["attribution"], verdict["erased"]) == ("natural", True)
    assert found["presence"] == found["referrals"] == found["entries"] == []
    assert [(line["facts"]["act"], line["recorded"]) for line in found["history"]] == [("change", None)]
    assert alias.encode() not in content
    assert SECRET.encode() not in content


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE check_ins SET at = at - 3600", "is not what entry"),
        ("UPDATE referrals SET declared_at = declared_at - 60 WHERE partner_id = 'acme'", "is not what entry"),
        ("UPDATE pass_scans SET ledger = 1", "records something else"),
        ("UPDATE ledger SET at = at - 1 WHERE act = 'checked_in'", "is not what its digest says"),
        (
            "UPDATE ledger SET digest = previous WHERE act = 'armed' OR act = 'disarmed'",
            "was changed while the engine ran",
        ),
    ],
)
async def test_what_was_changed_past_the_engine_is_not_signed(site: Site, statement: str, words: str) -> None:
    alias = await come(site)
    case = (await case_of(site, alias))["case"]
    await exported(site.admin, case)

    def change() -> int:
        with closing(sqlite3.connect(site.service.config.data_dir / "bridge.db", isolation_level=None)) as connection:
            return connection.execute(statement).rowcount

    # In a thread: the engine may be writing just now, and could not go on while its own loop waits for it.
    assert await asyncio.to_thread(change) > 0
    with pytest.raises(AskError, match=words):
        await site.admin.call("case/export", case=case)


async def test_a_case_is_found_however_it_was_typed(site: Site) -> None:
    case = (await case_of(site, await come(site)))["case"]
    found = await site.admin.call("case/export", case=case.lower().replace("-", " "))
    assert (found["case"], found["name"]) == (case, f"case-{case}.html")


async def test_a_case_that_is_not_there(site: Site) -> None:
    with pytest.raises(NotFoundError, match="case: 'K7QF-2M9D' does not exist"):
        await site.admin.call("case/export", case="K7QF-2M9D")
    with pytest.raises(InvalidError):
        await site.admin.call("case/export", case="K7QF-2M9D", resons=True)


async def test_any_bit_of_a_real_pack(site: Site, tmp_path: Path) -> None:
    content, _ = await exported(site.admin, (await case_of(site, await come(site)))["case"])
    chance = random.Random(4)
    for _ in range(100):
        changed, at = bytearray(content), chance.randrange(len(content))
        changed[at] ^= 1 << chance.randrange(8)
        line = content.count(b"\n", 0, at) + 1
        faults = verify(bytes(changed)).faults
        assert any(abs(fault.place.at - line) <= 1 for fault in faults), (line, faults)


@pytest.mark.needs_models
async def test_a_recognised_visitor_has_scores_and_times_with_errors_and_no_embedding(
    start: Callable[..., Any], config: Config, people: dict[str, Person]
) -> None:
    async with start(replace(config, profile="demo")) as site:
        await site.admin.call("assessment/acknowledge", by="Ada", ground="test")
        for zone in ("desk", "lane"):
            await site.sign(zone)
        agreed = {"zone": "desk", "notice_hash": site.service.config.notice_hash, "purpose": "p", "language": "en"}
        granted = await site.admin.call("consent/grant", **agreed, expires_in_days=30, photo=people["mei"].photo)
        lens = Lens(site, "lane")
        await site.sign("lane")
        await site.hub.call("zone/act", zone="lane")
        await lens.loses(await lens.sees(people["mei"], at=datetime.now(UTC).timestamp()))

        async def there() -> bool:
            return bool(await site.admin.call("case/list"))

        await until(there)
        row = await case_of(site, granted["alias"])
        content, checked = await exported(site.admin, row["case"])
        assert checked.intact
        (line,) = data(content)["presence"]
        assert (line["kind"], line["error"], line["recorded"]["act"]) == ("sighting", 2.0, "recognised")
        assert 0.4 < line["facts"]["score"] <= 1.0
        assert data(content)["times"][0]["error"] == 2.0
        assert "± 2 s".encode() in content
        assert granted["visitor"].encode() not in content
        for template in await site.service._parts.records.templates():
            raw = template.embedding.tobytes()
            assert raw not in content
            assert raw.hex().encode() not in content
