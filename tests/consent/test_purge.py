"""A purge on a real store: what goes, what stays, what it says, and that verdicts outlive their evidence."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from keeper_site import DAY, START, Kept, kept_site
from store_site import face

from nvr_bridge.errors import InvalidError, NotFoundError, RetryError
from nvr_bridge.events import Forget, Told
from nvr_bridge.models import EventKind, Known, Unknown
from nvr_bridge.store import database

PARTNER = "acme"
NUMBER = "13800000001"


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    """An empty site under the profile `cn`: templates 180 days, sightings and events 30, visits and referrals 365."""
    async with kept_site(tmp_path) as opened:
        await opened.site.partners.add(PARTNER, "Acme", START)
        yield opened


def rows(kept: Kept, table: str) -> int:
    connection = sqlite3.connect(kept.site.data_dir / "bridge.db")
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - a table's name
    connection.close()
    return int(count)


async def acts(kept: Kept) -> list[tuple[str, object, object]]:
    entries = await kept.site.ledger.since(0)
    return [(one.act, one.data.get("class"), one.data.get("removed")) for one in entries if one.act == "purged"]


async def test_a_visitor_of_whom_nothing_is_to_be_kept_is_erased_whole(kept: Kept) -> None:
    ann, bo = await kept.agree(1), await kept.agree(2, day=300)
    for day in (1, 2):
        await kept.visit(ann, day, seen=0.6)
    alias = kept.site.records.alias(ann)
    before = kept.site.files()
    assert any(ann.encode() in content for content in before.values())
    kept.on_day(2 + 366)
    report = await kept.keeper.purge()
    assert (report.removed["visitors"], report.removed["visits"]) == (1, 2)
    assert not kept.site.vault.has_key(ann)
    assert kept.site.vault.has_key(bo)
    assert await kept.match(1) == Unknown(reason=(await kept.match(99)).reason)  # type: ignore[union-attr]
    assert isinstance(await kept.match(2), Known)
    (forget,) = [push for push in kept.told if isinstance(push, Forget)]
    assert (forget.alias, len(forget.visits)) == (alias, 2)
    (told,) = [push.event for push in kept.told if isinstance(push, Told)]
    assert (told.kind, told.data) == (EventKind.CONSENT_WITHDRAWN, {"expired": False, "lapsed": True})
    for name, content in kept.site.files().items():
        assert ann.encode() not in content, name
    assert await kept.site.visits.all() == []


async def test_templates_end_before_the_visits_and_no_copy_of_them_can_be_read(kept: Kept, tmp_path: Path) -> None:
    ann = await kept.agree(1)
    visit = await kept.visit(ann, 10, seen=0.6)
    held = kept.site.files()["keys/visitors.json"]
    kept.on_day(10 + 181)
    report = await kept.keeper.purge()
    assert (report.removed["visitors"], report.removed["templates"], report.removed["visits"]) == (0, 3, 0)
    assert isinstance(await kept.match(1), Unknown)
    assert await kept.site.records.templates() == []
    assert await kept.site.records.consents() == []
    assert kept.site.records.subjects == 0
    assert kept.site.vault.consents == frozenset()
    assert held != kept.site.files()["keys/visitors.json"]
    assert [each.visitor_id for each in await kept.site.visits.of(ann)] == [ann]
    assert kept.site.records.alias(ann)
    assert (await kept.verdicts())[visit.visit_id]["attribution"] == "natural"
    plain = face(1).tobytes()[:24]
    assert all(plain not in content for content in kept.site.files().values())


async def test_who_lapsed_may_agree_again(kept: Kept) -> None:
    await kept.visit(await kept.agree(1), 1)
    kept.on_day(1 + 181)
    await kept.keeper.purge()
    again = await kept.agree(1, day=182)
    found = await kept.match(1)
    assert isinstance(found, Known)
    assert found.visitor_id == again


async def test_who_comes_back_is_kept_from_then(kept: Kept) -> None:
    ann = await kept.agree(1)
    await kept.visit(ann, 170)
    kept.on_day(181)
    assert (await kept.keeper.purge()).removed["templates"] == 0
    kept.on_day(170 + 181)
    assert (await kept.keeper.purge()).removed["templates"] == 3


async def test_what_is_nobodys_goes_by_its_own_age_and_in_batches(kept: Kept) -> None:
    for number in range(450):
        await kept.passer_by(number / 1000)
    await kept.passer_by(20)
    kept.on_day(31.5)
    report = await kept.keeper.purge()
    assert (report.removed["sightings"], rows(kept, "sightings")) == (450, 1)
    assert await acts(kept) == [("purged", "sightings", count) for count in (200, 200, 50)]
    kept.on_day(51)
    assert (await kept.keeper.purge()).removed["sightings"] == 1


async def test_events_go_and_their_numbers_are_not_given_again(kept: Kept) -> None:
    ann = await kept.agree(1)
    for day in range(0, 40, 10):
        await kept.visit(ann, day)
    last = kept.site.log.latest()
    kept.on_day(45)
    await kept.keeper.purge()
    left = [event.sequence for event in await kept.site.log.since(0)]
    assert left == list(range(last - 3, last + 1))  # of the visits on the days 20 and 30
    assert await kept.site.log.since(1) == await kept.site.log.since(0)
    kept.on_day(400)
    await kept.keeper.purge()
    await kept.visit(await kept.pass_for(400), 400)
    assert min(event.sequence for event in await kept.site.log.since(0)) > last


async def test_a_verdict_stays_when_the_referral_that_decided_it_goes(kept: Kept) -> None:
    await kept.keeper.retention_set({"referrals": 40.0}, "admin")
    ann, bo = await kept.pass_for(), await kept.pass_for()
    await kept.refer(PARTNER, NUMBER, 0)
    brought = await kept.visit(ann, 1, number=NUMBER)
    natural = await kept.visit(bo, 1, scan=True)
    before = await kept.verdicts()
    assert before[brought.visit_id]["partner"] == PARTNER
    kept.on_day(41)
    report = await kept.keeper.purge()
    assert (report.removed["referrals"], rows(kept, "referrals")) == (1, 0)
    after = await kept.verdicts()
    assert after[brought.visit_id] == {**before[brought.visit_id], "evidence_erased": True}
    assert after[natural.visit_id] == before[natural.visit_id]  # nothing of its evidence went


async def test_a_referral_is_kept_while_it_protects(kept: Kept) -> None:
    with pytest.raises(InvalidError, match="referrals: 35 days are fewer than the 36 for which it can decide"):
        await kept.keeper.retention_set({"referrals": 35.0}, "admin")
    await kept.keeper.retention_set({"referrals": 36.0}, "admin")
    ann = await kept.pass_for()
    await kept.refer(PARTNER, NUMBER, 0)
    await kept.visit(ann, 2.9, number=NUMBER)
    kept.on_day(32.8)
    await kept.keeper.purge()
    protected = await kept.visit(ann, 32.8, scan=True)
    assert (await kept.verdicts())[protected.visit_id]["rule"] == "channel_protected"


async def test_a_verdict_stays_when_the_earlier_visit_that_decided_it_goes(kept: Kept) -> None:
    await kept.keeper.retention_set({"visits": 40.0}, "admin")
    first, second = await kept.pass_for(), await kept.pass_for(20)
    await kept.refer(PARTNER, NUMBER, 0)
    await kept.visit(first, 1, number=NUMBER)
    later = await kept.visit(second, 20, number=NUMBER)  # a new pass, the same number
    before = (await kept.verdicts())[later.visit_id]
    assert (before["rule"], before["partner"]) == ("channel_protected", PARTNER)
    kept.on_day(42)
    assert (await kept.keeper.purge()).removed["visits"] == 1
    assert await kept.verdicts() == {later.visit_id: {**before, "evidence_erased": True}}


async def test_a_visit_keeps_its_verdict_when_its_sightings_go(kept: Kept) -> None:
    ann, bo = await kept.agree(1), await kept.agree(2)
    clear, unclear = await kept.visit(ann, 1, seen=0.6), await kept.visit(bo, 1, seen=0.4)
    before = await kept.verdicts()
    assert before[unclear.visit_id]["attribution"] == "undetermined"
    kept.on_day(32)
    assert (await kept.keeper.purge()).removed["sightings"] == 2
    after = await kept.verdicts()
    assert after[clear.visit_id] == before[clear.visit_id]
    assert after[unclear.visit_id] == {**before[unclear.visit_id], "evidence_erased": True}


async def test_a_visit_takes_with_it_what_belongs_to_it(kept: Kept) -> None:
    ann = await kept.pass_for()
    await kept.visit(ann, 1, scan=True)
    await kept.visit(ann, 2, number=NUMBER)
    await kept.visit(None, 2, number="13900000002")
    kept.on_day(2 + 366)
    report = await kept.keeper.purge()
    assert (report.removed["visitors"], report.removed["visits"]) == (1, 3)
    for table in ("visits", "pass_scans", "check_ins", "passes", "cases", "visitors"):
        assert rows(kept, table) == 0, table


async def test_a_pass_that_is_shown_lives_on_and_old_ones_go_alone(kept: Kept) -> None:
    ann = await kept.agree(1, day=360)
    await kept.site.passes.issue_again(ann, START)
    await kept.visit(ann, 1)
    kept.on_day(367)
    report = await kept.keeper.purge()
    assert (report.removed["visitors"], rows(kept, "passes"), rows(kept, "visits")) == (0, 0, 0)
    assert isinstance(await kept.match(1), Known)


async def test_it_says_what_it_removed_and_what_is_due(kept: Kept) -> None:
    assert await kept.keeper.retention_status() == {
        "last": None,
        "due": dict.fromkeys(("templates", "sightings", "visits", "referrals", "images", "events")),
        "next_purge": "2026-09-21T14:13:20.000+00:00",
        "log_cut": True,
    }
    await kept.agree(1)
    await kept.passer_by(0)
    kept.on_day(31)
    done = await kept.keeper.retention_purge({"clock_is_right": True}, "admin")
    assert {kind: count for kind, count in done["removed"].items() if count} == {"sightings": 1, "events": 1}
    assert done["due"]["templates"] == "2027-03-20T14:13:20.000+00:00"
    status = await kept.keeper.retention_status()
    assert (status["last"]["removed"], status["due"]) == (done["removed"], done["due"])
    assert status["next_purge"] == "2026-10-22T15:13:20.000+00:00"


async def test_it_runs_at_start_and_every_hour(kept: Kept) -> None:
    runs = []
    for minutes in range(0, 181, 30):
        kept.clock[0] = START + minutes * 60
        await kept.keeper.keep()
        runs.append((await kept.keeper.retention_status())["last"]["at"][11:16])
    assert runs == ["14:13", "14:13", "15:13", "15:13", "16:13", "16:13", "17:13"]
    kept.clock[0] = START - 30 * DAY  # the clock is set back
    await kept.keeper.keep()
    assert (await kept.keeper.retention_status())["last"]["at"].startswith("2026-08-22")


async def test_the_log_is_cut_and_where_that_is_impossible_it_is_owed_and_said(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "TRUNCATE_SECONDS", 0.2)
    await kept.visit(await kept.pass_for(), 1, number=NUMBER)
    kept.on_day(400)
    reader = sqlite3.connect(kept.site.data_dir / "bridge.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM visits").fetchone()
    with pytest.raises(RetryError, match="end that program"):
        await kept.keeper.purge()
    assert (await kept.keeper.retention_status())["log_cut"] is False
    reader.close()
    await kept.keeper.purge()
    assert (await kept.keeper.retention_status())["log_cut"] is True
    assert rows(kept, "visits") == rows(kept, "visitors") == 0


async def test_two_purges_at_once_are_one_after_the_other(kept: Kept) -> None:
    for number in range(300):
        await kept.passer_by(number / 1000)
    kept.on_day(60)
    reports = await asyncio.gather(kept.keeper.purge(), kept.keeper.purge())
    assert sorted(report.removed["sightings"] for report in reports) == [0, 300]


async def test_who_withdraws_while_a_purge_runs_is_gone_once(kept: Kept) -> None:
    ann, bo = await kept.agree(1), await kept.agree(2)
    kept.on_day(400)
    done = await asyncio.gather(kept.keeper.purge(), kept.leaving.erase(ann), return_exceptions=True)
    assert [type(each) for each in done[1:]] in ([NotFoundError], [int])
    assert kept.site.vault.visitors == frozenset()
    assert len([push for push in kept.told if isinstance(push, Forget)]) == 2
    assert not kept.site.vault.has_key(bo)


async def test_what_a_run_removed_that_then_failed_is_cut_from_the_log_by_the_next(kept: Kept) -> None:
    ann = await kept.agree(1)
    await kept.visit(None, 1, number=NUMBER)
    await kept.visit(ann, 360)
    kept.on_day(368)
    spoil = "CREATE TRIGGER spoil BEFORE DELETE ON events BEGIN SELECT RAISE(FAIL, 'no space'); END"
    run(kept, spoil)
    with pytest.raises(Exception, match="no space"):
        await kept.keeper.purge()
    assert rows(kept, "check_ins") == 0
    log = kept.site.data_dir / "bridge.db-wal"
    assert log.stat().st_size
    run(kept, "DROP TRIGGER spoil")
    run(kept, "DELETE FROM events")
    await kept.keeper.purge()
    assert not log.exists() or not log.stat().st_size


def run(kept: Kept, statement: str) -> None:
    connection = sqlite3.connect(kept.site.data_dir / "bridge.db", isolation_level=None)
    connection.execute(statement)
    connection.close()


async def test_who_is_half_erased_stops_no_purge(kept: Kept) -> None:
    ann, bo = await kept.agree(1), await kept.agree(2)
    await kept.visit(ann, 1, seen=0.6)
    await kept.visit(bo, 1, seen=0.6)
    await kept.site.vault.destroy_key(ann)  # and then the disk was full
    kept.on_day(1 + 181)
    report = await kept.keeper.purge()
    assert (report.removed["templates"], report.removed["sightings"]) == (6, 2)
    purged = [entry for entry in await kept.site.ledger.since(0) if entry.act == "purged"]
    named = [entry.subject is not None for entry in purged if entry.data["class"] in ("templates", "sightings")]
    assert sorted(named) == [False, False, True, True]
