"""What visits came to is told whenever it changes: once, in its own time, and never of somebody who withdrew."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from store_site import open_site
from verdict_engine import NUMBER, RULES, Engine, at, holder, started

from nvr_bridge.errors import RetryError
from nvr_bridge.events import Told
from nvr_bridge.models import CaseState, EventKind, Known, ReviewAct, Sighting
from nvr_bridge.store import prepare
from nvr_bridge.store.referrals import Filing
from nvr_bridge.store.signings import NewSigning
from nvr_bridge.visits.unjudged import LATER, SOON
from nvr_bridge.visits.verdicts import OVERLAP


@pytest.fixture
async def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    """It is ten in the morning, and two partners are registered."""
    monkeypatch.setattr(prepare, "BUSY_SECONDS", 0.05)
    async with started(tmp_path, at("10:00")) as engine:
        for partner in ("acme", "best"):
            await engine.site.partners.add(partner, partner, at("0:00"))
        yield engine


NATURAL = ("natural", None, "", "proposed")
CHANNEL = ("channel", "acme", "", "proposed")


async def test_a_verdict_is_told_a_moment_after_its_evidence_and_not_again(engine: Engine) -> None:
    await engine.claims("acme", at("9:00"))
    visit = await engine.comes(await holder(engine.site))
    assert await engine.after(SOON / 2) == []
    assert await engine.after(SOON) == [CHANNEL]
    (told,) = engine.told()
    case = (await engine.site.cases.of([visit.visit_id]))[visit.visit_id]
    assert told == {
        "case": case.case_id,
        "attribution": "channel",
        "partner": "acme",
        "rule": "referral_valid",
        "risks": "",
        "needs_review": False,
        "returning": 0,
        "state": "proposed",
        "version": told["version"],
        "new_answer": True,
        "new_risks": "",
    }
    engine.unjudged.visit(visit.visit_id)
    assert await engine.after() == []
    assert await engine.after(3600) == []


async def test_the_event_names_visit_visitor_and_zone_and_is_in_the_log(engine: Engine) -> None:
    visit = await engine.comes(await holder(engine.site))
    await engine.after()
    event = (await engine.site.log.since(0))[-1]
    assert (event.kind, event.visit_id, event.visitor_id) == (EventKind.VERDICT, visit.visit_id, visit.visitor_id)
    assert (event.zone_id, event.occurred_at) == ("desk", engine.now)
    assert [push.event for push in engine.heard if isinstance(push, Told)] == [event]


async def test_somebody_who_only_stays_is_judged_later_and_with_all_that_came_meanwhile(engine: Engine) -> None:
    visit = await engine.comes(await holder(engine.site))
    assert await engine.after() == [NATURAL]
    await engine.site.visits.extend(visit.visit_id, engine.now)
    engine.unjudged.visit(visit.visit_id, soon=False)
    filing = Filing("acme", NUMBER.full, NUMBER.mask, declared=at("9:00"))
    await engine.site.referrals.file(filing, engine.now)  # and nobody says that it is to be judged
    assert await engine.after(SOON) == []
    assert await engine.after(LATER) == [CHANNEL]


async def test_a_claim_changes_every_visit_that_it_concerns_and_no_other(engine: Engine) -> None:
    one, other = await holder(engine.site), await holder(engine.site)
    await engine.comes(one)
    await engine.site.visits.begin(
        other, "desk", engine.now, also=engine.site.registrations.scan(other, "desk", engine.now)
    )
    await engine.after()
    engine.now = at("10:30")
    await engine.comes(None)
    assert await engine.after() == [NATURAL]
    await engine.claims("best", at("10:20"))
    assert await engine.after() == [("natural", None, "late_referral", "proposed")] * 2


async def test_a_new_pass_each_time_is_a_return_and_the_zone_counts_it(engine: Engine) -> None:
    await engine.comes(await holder(engine.site))
    await engine.after()
    engine.now = at("11:00")
    again = await engine.comes(await holder(engine.site))
    assert again.earlier == 0
    assert [visit.returning for visit in await engine.site.visits.list(None, None, "desk", None)] == [False, False]
    engine.now += SOON
    assert await engine.verdicts.look() == {"desk"}
    assert engine.told()[-1]["returning"] == 1
    assert (await engine.site.visits.get(again.visit_id)).earlier == 1
    assert [visit.returning for visit in await engine.site.visits.list(None, None, "desk", None)] == [True, False]
    assert await engine.verdicts.look() == set()


async def test_that_nobody_registered_is_told_when_the_day_closes(engine: Engine) -> None:
    mei = (await engine.site.grant(1)).consent.visitor_id
    visit, _ = await engine.site.visits.begin(mei, "lane", engine.now)
    seen = Sighting("lane-1", "lane", 1, engine.now, engine.now + 9, Known(mei, 0.6, 0.2), engine.now + 9)
    await engine.site.sightings.add(seen, visit.visit_id)
    engine.unjudged.visit(visit.visit_id)
    assert await engine.after() == [NATURAL]
    engine.now = at("19:59")
    assert await engine.after() == []
    engine.now = at("20:00")
    assert await engine.after(0) == []
    assert await engine.after() == [("natural", None, "unregistered_visit", "proposed")]
    assert engine.told()[-1]["needs_review"] is True
    engine.now = at("20:00", 1)
    await engine.after(0)
    assert await engine.after() == []


async def test_a_close_that_fell_into_a_pause_is_made_up_for(engine: Engine, tmp_path: Path) -> None:
    mei = (await engine.site.grant(1)).consent.visitor_id
    visit, _ = await engine.site.visits.begin(mei, "lane", engine.now)
    engine.unjudged.visit(visit.visit_id)
    await engine.after()
    await engine.site.db.close()
    async with started(tmp_path, at("8:00", 1)) as again:
        await again.after(0)
        assert await again.after(LATER) == [("natural", None, "unregistered_visit", "proposed")]


async def test_what_a_reviewer_says_is_told_and_is_what_later_visits_rest_on(engine: Engine) -> None:
    ann = await holder(engine.site)
    visit = await engine.comes(ann)
    await engine.after()
    await engine.decides(visit, ReviewAct.CHANGE, CaseState.CHANGED, attribution="channel", partner="best")
    assert await engine.after() == [("channel", "best", "", "changed")]
    assert engine.told()[-1]["rule"] == "review"
    engine.now = at("10:00", 5)
    await engine.comes(ann)
    assert await engine.after() == [("channel", "best", "", "proposed")]
    assert engine.told()[-1]["rule"] == "channel_protected"


async def test_evidence_that_contradicts_a_review_opens_the_case_again_and_changes_nothing_else(engine: Engine) -> None:
    visit = await engine.comes(await holder(engine.site))
    await engine.after()
    await engine.decides(visit, ReviewAct.CONFIRM, CaseState.CONFIRMED, attribution="natural", partner=None)
    assert await engine.after() == [("natural", None, "", "confirmed")]
    await engine.claims("acme", at("9:00"))
    assert await engine.after() == [("natural", None, "evidence_changed", "proposed")]
    assert engine.told()[-1]["needs_review"] is True
    await engine.decides(visit, ReviewAct.CHANGE, CaseState.CHANGED, attribution="channel", partner="acme")
    assert await engine.after() == [("channel", "acme", "", "changed")]
    case = (await engine.site.cases.of([visit.visit_id]))[visit.visit_id]
    acts = [review.act for review in await engine.site.cases.history(case.case_id)]
    assert acts == [ReviewAct.CONFIRM, ReviewAct.REOPEN, ReviewAct.CHANGE]


async def test_more_of_the_same_does_not_open_a_case_again(engine: Engine) -> None:
    ann = await holder(engine.site)
    visit = await engine.comes(ann)
    await engine.after()
    await engine.decides(visit, ReviewAct.CONFIRM, CaseState.CONFIRMED, attribution="natural", partner=None)
    await engine.after()
    also = engine.site.registrations.scan(ann, "desk", engine.now)
    await engine.site.visits.extend(visit.visit_id, engine.now, also)
    engine.unjudged.visit(visit.visit_id)
    assert await engine.after() == []


async def test_a_visit_that_is_confirmed_while_it_lasts_stays_confirmed(engine: Engine) -> None:
    mei = (await engine.site.grant(1)).consent.visitor_id
    visit, _ = await engine.site.visits.begin(mei, "lane", engine.now)
    engine.unjudged.visit(visit.visit_id)
    await engine.after()
    await engine.decides(visit, ReviewAct.CONFIRM, CaseState.CONFIRMED, attribution="natural", partner=None)
    assert await engine.after() == [("natural", None, "", "confirmed")]
    seen = Sighting("lane-1", "lane", 1, at("10:00"), engine.now + 60, Known(mei, 0.6, 0.2), engine.now + 60)
    engine.now += 60
    await engine.site.visits.extend(visit.visit_id, engine.now)
    await engine.site.sightings.add(seen, visit.visit_id)
    engine.unjudged.visit(visit.visit_id)
    assert await engine.after() == []


async def test_a_signing_closes_the_case_and_a_later_risk_opens_it_again(engine: Engine) -> None:
    ann = await holder(engine.site)
    visit = await engine.comes(ann)
    await engine.after()
    _, also = engine.site.signings.sign(NewSigning("desk", engine.now, ann, "paper"))
    await engine.site.visits.extend(visit.visit_id, engine.now, also)
    engine.unjudged.visit(visit.visit_id)
    assert await engine.after() == [("natural", None, "", "closed")]
    engine.unjudged.visit(visit.visit_id)
    assert await engine.after() == []
    await engine.claims("acme", at("9:50"))
    assert await engine.after() == [("natural", None, "late_referral", "proposed")]
    await engine.decides(visit, ReviewAct.CONFIRM, CaseState.CONFIRMED, attribution="natural", partner=None)
    assert await engine.after() == [("natural", None, "late_referral", "confirmed")]
    assert engine.told()[-1]["needs_review"] is False


async def test_a_signing_that_stands_otherwise_for_a_co_signer_closes_nothing(engine: Engine) -> None:
    ann, ben = await holder(engine.site), await holder(engine.site)
    await engine.claims("acme", at("9:00"))
    visit = await engine.comes(ann)
    await engine.after()
    _, also = engine.site.signings.sign(NewSigning("desk", engine.now, ann, "paper", co_signers=(ben,)))
    await engine.site.visits.extend(visit.visit_id, engine.now, also)
    engine.unjudged.visit(visit.visit_id)
    assert await engine.after() == [("channel", "acme", "co_signers_differ", "proposed")]
    assert engine.told()[-1]["needs_review"] is True


async def test_nothing_is_told_of_somebody_who_withdrew_not_even_while_it_is_judged(engine: Engine) -> None:
    ann = await holder(engine.site)
    visit = await engine.comes(ann)
    await engine.after()
    await engine.claims("acme", at("9:00"))
    found = await engine.verdicts._casebook.concerned(engine.unjudged.take(now=True))  # judged, and not yet told
    settled = await engine.site.casebook(RULES).to_settle(ann)
    await engine.site.records.withdraw(ann, engine.now, settled=settled)
    assert await engine.verdicts._tell_all(found, engine.now) == set()
    engine.unjudged.visit(visit.visit_id)
    assert await engine.after() == []
    assert len(engine.told()) == 1
    assert all(event.visitor_id is None for event in await engine.site.log.since(0))


async def test_a_reviewed_verdict_outlives_its_evidence(engine: Engine) -> None:
    ann = await holder(engine.site)
    visit = await engine.comes(ann)
    await engine.after()
    await engine.decides(visit, ReviewAct.CHANGE, CaseState.CHANGED, attribution="channel", partner="best")
    await engine.after()
    settled = await engine.site.casebook(RULES).to_settle(ann)
    await engine.site.records.withdraw(ann, engine.now, settled=settled)
    visit = await engine.site.visits.get(visit.visit_id)
    verdict = (await engine.site.casebook(RULES).verdicts([visit]))[visit.visit_id]
    wanted = {"attribution": "channel", "partner": "best", "rule": "review", "evidence_erased": True}
    assert wanted.items() <= verdict.items()


async def test_what_was_stored_and_not_told_is_told_once_after_a_restart(engine: Engine, tmp_path: Path) -> None:
    ann = await holder(engine.site)
    first = await engine.comes(ann)
    assert await engine.after() == [NATURAL]
    await engine.claims("acme", at("9:00"))
    await engine.site.db.close()  # killed: what was to be judged again was in memory alone
    async with started(tmp_path, at("10:01")) as again:
        assert await again.after(LATER) == [CHANNEL]
        assert again.told()[0]["case"] == (await again.site.cases.of([first.visit_id]))[first.visit_id].case_id
    async with started(tmp_path, at("10:02")) as again:
        assert await again.after(LATER) == []
        kinds = [event.kind for event in await again.site.log.since(0)]
        assert kinds.count(EventKind.VERDICT) == 2


async def test_a_restart_looks_no_further_back_than_it_must(engine: Engine, tmp_path: Path) -> None:
    ann = await holder(engine.site)
    await engine.comes(ann)
    await engine.after()
    engine.now = at("12:00")
    await engine.comes(ann)
    await engine.after()
    await engine.site.db.close()
    async with started(tmp_path, at("12:05")) as again:
        batch = again.unjudged.take(now=True)
        assert len(batch.visits) == 1
        assert at("12:00") - OVERLAP > at("10:00")


async def test_what_cannot_be_told_now_is_told_later(engine: Engine, tmp_path: Path) -> None:
    await engine.comes(await holder(engine.site))
    lock = sqlite3.connect(tmp_path / "data" / "bridge.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with pytest.raises(RetryError):
        await engine.after()
    lock.close()
    assert await engine.after(LATER) == [NATURAL]


async def test_visits_of_before_there_were_verdicts_are_not_told(tmp_path: Path) -> None:
    async with open_site(tmp_path / "data") as site:
        engine = Engine(site, at("10:00"))
        await engine.comes(await holder(site))
    async with started(tmp_path, at("18:00")) as again:
        assert await again.after(LATER) == []


async def test_a_key_that_is_destroyed_meanwhile_stops_nothing(engine: Engine) -> None:
    ann = await holder(engine.site)
    visit = await engine.comes(ann)
    _, also = engine.site.signings.sign(NewSigning("desk", engine.now, ann, "paper"))
    await engine.site.visits.extend(visit.visit_id, engine.now, also)
    engine.unjudged.visit(visit.visit_id)
    acts = await engine.site.ledger.since(0)
    await engine.site.vault.destroy_key(ann)  # the first thing that a withdrawal does
    assert await engine.after() == [("natural", None, "", "closed")]
    told = [(entry.act, entry.subject) for entry in await engine.site.ledger.since(acts[-1].number)]
    assert sorted(told) == [("case_sign", None), ("verdict_told", None)]
    await engine.site.records.withdraw(ann, engine.now, settled=await engine.site.casebook(RULES).to_settle(ann))
    assert [row for row in await engine.site.visits.all() if row.visitor_id] == []
