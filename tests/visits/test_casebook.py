"""The store's own days get the verdicts that the same evidence gets in a scenario file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from store_site import open_site
from told_store import DAY, RULES, Store, at

from nvr_bridge.errors import InvalidError
from nvr_bridge.visits.kept import body
from nvr_bridge.visits.replay import replay
from nvr_bridge.visits.scenario import read, read_settings


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store, two partners, and somebody with a pass."""
    async with open_site(tmp_path / "data") as site:
        for partner in ("acme", "best"):
            await site.partners.add(partner, partner, at("0:00"))
        store = Store(site)
        await store.pass_for("ann")
        yield store


async def test_a_visit_without_a_claim_is_natural(store: Store) -> None:
    await store.scan("ann", at("10:00"))
    assert await store.cases() == [("natural", None, "natural", [])]


async def test_a_referral_of_the_number_given_at_the_desk_holds_whoever_gives_it(store: Store) -> None:
    await store.refer("acme", "138****0001", at("9:00"))
    await store.check_in("ann", "13800000001", at("10:00"))
    await store.refer("best", "13800000002", at("9:00"))
    await store.check_in(None, "13800000002", at("11:00"))
    await store.pass_for("bob")
    await store.scan("bob", at("12:00"))
    await store.check_in("bob", "13800000003", at("12:05"))
    await store.refer("best", "13800000003", at("12:10"))
    assert await store.cases() == [
        ("channel", "acme", "referral_valid", []),
        ("channel", "best", "referral_valid", []),
        ("natural", None, "late_referral", ["late_referral"]),
    ]


async def test_a_face_and_a_pass_are_judged_alike_and_the_face_alone_is_unregistered(store: Store) -> None:
    await store.face_of("mei")
    await store.seen("mei", at("10:00"))
    await store.refer("acme", "13800000001", at("9:00", 4))
    await store.seen("mei", at("10:00", 4))
    await store.check_in("mei", "13800000001", at("10:01", 4))
    assert await store.cases() == [
        ("natural", None, "natural", ["unregistered_visit"]),
        ("channel", "acme", "referral_valid", []),
    ]


async def test_a_new_pass_every_time_changes_nothing_when_the_number_is_the_same(store: Store) -> None:
    await store.refer("acme", "13800000001", at("9:00"))
    await store.check_in("ann", "13800000001", at("10:00"))
    await store.pass_for("ann again")
    visit = await store.check_in("ann again", "13800000001", at("10:00", 10))
    assert (await store.cases())[1][:3] == ("channel", "acme", "channel_protected")
    assert visit.earlier == 0
    assert (await store.casebook.verdicts([visit]))[visit.visit_id]["earlier"] == 1


async def test_a_referral_that_was_withdrawn_before_does_not_hold(store: Store) -> None:
    referral = await store.refer("acme", "13800000001", at("9:00"))
    await store.site.referrals.withdraw(referral, at("9:30"))
    await store.check_in("ann", "13800000001", at("10:00"))
    assert (await store.cases())[0][:3] == ("natural", None, "natural")


async def test_a_long_track_is_one_visit_and_one_that_goes_on_has_a_verdict_already(store: Store) -> None:
    await store.face_of("mei")
    await store.seen("mei", at("10:00"), seconds=4 * 3600.0)
    await store.site.visits.begin(store.visitors["ann"], "lane", at("10:00"))
    assert [case[0] for case in await store.cases()] == ["natural", "natural"]
    assert len(replay(body(await store.casebook._read(), RULES).events, RULES).visits) == 2


async def test_a_sighting_below_the_bar_decides_nothing(store: Store) -> None:
    await store.face_of("mei")
    await store.seen("mei", at("10:00"), score=0.4)
    assert (await store.cases())[0][0] == "undetermined"


async def test_a_verdict_stays_when_its_evidence_is_erased(store: Store) -> None:
    await store.refer("acme", "13800000001", at("9:00"))
    await store.check_in("ann", "13800000001", at("10:00"))
    await store.pass_for("bob")
    await store.scan("bob", at("12:00"))
    before = await store.cases()
    ann = store.visitors["ann"]
    settled = await store.casebook.to_settle(ann)
    await store.site.records.withdraw(ann, at("13:00"), settled=settled)
    assert await store.cases() == before
    visits = await store.site.visits.all()
    found = await store.casebook.verdicts(visits)
    assert [found[visit.visit_id].get("evidence_erased", False) for visit in visits] == [True, False]
    days = await store.casebook.replay(DAY.date(), DAY.date(), None)
    assert (len(days.visits), days.erased) == (1, 1)


async def test_days_are_replayed_under_other_settings(store: Store) -> None:
    await store.refer("acme", "13800000001", at("9:45"))
    await store.check_in("ann", "13800000001", at("10:00"))
    await store.scan("ann", at("10:00", 7))
    other = read_settings("settings: {lead_time: 10m}", RULES)
    assert other == replace(RULES, lead_time=600.0)
    days = await store.casebook.replay(DAY.date(), DAY.date(), other)
    (compared,) = days.visits
    assert (compared.now["rule"], compared.other and compared.other["rule"]) == ("late_referral", "referral_valid")
    assert [(day.day, day.natural, day.channel) for day in days.daily] == [(DAY.date(), 1, 0)]
    assert [(day.day, day.natural, day.channel) for day in days.other_daily] == [(DAY.date(), 0, 1)]
    week = await store.casebook.replay(DAY.date(), date(2026, 3, 9), other)
    assert [one.other and one.other["rule"] for one in week.visits] == ["referral_valid", "channel_protected"]
    with pytest.raises(InvalidError, match=r"line 1: settings\.lead_time"):
        read_settings("settings: {lead_time: soon}", RULES)


async def test_a_signing_is_presence_and_has_the_verdict_of_its_visit_with_every_risk_so_far(store: Store) -> None:
    await store.refer("acme", "13800000001", at("9:00"))
    await store.check_in("ann", "13800000001", at("10:00"))
    await store.refer("best", "13800000001", at("10:10"))
    signing = await store.sign("ann", at("15:00", 2), "D-77")
    assert await store.cases() == [
        ("channel", "acme", "referral_valid", ["late_referral"]),
        ("channel", "acme", "channel_protected", ["competing_referrals"]),
    ]
    assert await store.signed() == {
        signing: ("channel", "acme", "channel_protected", ["late_referral", "competing_referrals"])
    }


async def test_whoever_signs_without_a_pass_is_known_by_document_or_by_number(store: Store) -> None:
    await store.refer("acme", "13800000001", at("9:00"))
    await store.check_in("ann", "13800000001", at("10:00"))
    await store.sign("ann", at("10:10"), "D-77")
    by_document = await store.sign(None, at("10:00", 5), " ｄ-７７")
    by_number = await store.sign(None, at("10:00", 6), None, "13800000001")
    stranger = await store.sign(None, at("10:00", 7), "D-78", "13800000009")
    found = await store.signed()
    assert found[by_document] == found[by_number] == ("channel", "acme", "channel_protected", [])
    assert found[stranger] == ("natural", None, "natural", [])


async def test_a_co_signer_who_stands_otherwise_is_told(store: Store) -> None:
    await store.refer("acme", "13800000001", at("9:00"))
    await store.check_in("ann", "13800000001", at("10:00"))
    await store.pass_for("bob")
    await store.scan("bob", at("10:00"))
    signing = await store.sign("ann", at("10:20"), "D-77", None, "bob")
    assert (await store.signed())[signing] == ("undetermined", None, "undetermined", ["co_signers_differ"])


async def test_staff_are_staff_from_that_day_until_they_end(store: Store) -> None:
    await store.scan("ann", at("8:00"))
    await store.scan("ann", at("8:00", 1))
    await store.scan("ann", at("8:00", 5))
    ann = store.visitors["ann"]
    await store.site.staff.mark(ann, at("18:00", 1), None, at("18:00", 5))
    assert [case[2] for case in await store.cases()] == ["natural", "staff", "staff"]
    await store.site.staff.end(ann, at("0:00", 4), at("18:00", 6), lambda when: when)
    assert [case[2] for case in await store.cases()] == ["natural", "staff", "natural"]


async def test_people_are_merged_and_split_again(store: Store) -> None:
    await store.refer("acme", "13800000001", at("9:00"))
    await store.check_in("ann", "13800000001", at("10:00"))
    await store.pass_for("bob")
    await store.scan("bob", at("10:00", 1))
    assert (await store.cases())[1][2] == "natural"
    await store.correct("merge", "ann", "bob", when=at("12:00", 1))
    assert (await store.cases())[1] == ("channel", "acme", "channel_protected", [])
    await store.correct("split", "ann", "bob", when=at("13:00", 1))
    assert (await store.cases())[1][2] == "natural"


async def test_whatever_rested_on_erased_evidence_stays_as_it_was(store: Store) -> None:
    await store.refer("acme", "13800000001", at("9:00"))
    await store.check_in(None, "13800000001", at("9:45"))
    await store.check_in("ann", "13800000001", at("11:00"))
    await store.pass_for("bob")
    await store.scan("bob", at("10:00", 1))
    await store.correct("merge", "ann", "bob", when=at("12:00", 1))
    await store.sign("bob", at("10:10", 1), "D-1")
    await store.pass_for("eve")
    await store.scan("eve", at("11:00", 1))
    await store.sign("eve", at("11:10", 1), "D-2", None, "ann")
    await store.sign(None, at("10:20", 2), None, "13800000001")
    before, signed = await store.cases(), await store.signed()
    ann = store.visitors["ann"]
    settled = await store.casebook.to_settle(ann)
    await store.site.records.withdraw(ann, at("13:00", 1), settled=settled)
    assert await store.cases() == before
    assert await store.signed() == signed
    assert [case[2] for case in before] == [
        *("referral_valid", "channel_protected", "channel_protected", "natural", "channel_protected")
    ]
    assert [case[2] for case in signed.values()] == ["channel_protected", "undetermined", "channel_protected"]
    found = await store.casebook.verdicts(await store.site.visits.all())
    assert [row.get("evidence_erased", False) for row in found.values()].count(False) == 1
    (gone,) = [one for one in await store.site.signings.all() if one.at == at("10:20", 2)]
    assert gone.erased
    assert gone.co_signers == ()


REVIEWED = """
settings: {timezone: Asia/Shanghai, clock_error: 2s}
events:
  - {at: "2026-03-02T09:00", referral: {id: r1, partner: acme, contact: "13800000001"}}
  - {at: "2026-03-02T10:00", pass: {visitor: ann}}
  - {at: "2026-03-02T12:00", check_in: {contact: "13800000001"}}
  - {at: "2026-03-02T18:00", review: {visitor: ann, visit_at: "2026-03-02T10:00", attribution: channel, partner: best}}
  - {at: "2026-03-03T10:00", pass: {visitor: ann}}
  - {at: "2026-03-03T12:00", check_in: {visitor: bob, contact: "13800000001"}}
  - {at: "2026-03-03T14:00", review: {visitor: bob, visit_at: "2026-03-02T12:00", attribution: natural}}
  - {at: "2026-03-03T18:00", referral: {id: r2, partner: best, contact: "13800000001"}}
  - {at: "2026-03-04T10:00", review: {visitor: ann, visit_at: "2026-03-02T10:00", attribution: undetermined}}
  - {at: "2026-03-04T11:00", pass: {visitor: bob}}
"""


async def test_what_people_decided_weighs_the_same_in_the_store_and_in_a_file(store: Store) -> None:
    await store.pass_for("bob")
    await store.refer("acme", "13800000001", at("9:00"))
    first = await store.scan("ann", at("10:00"))
    alone = await store.check_in(None, "13800000001", at("12:00"))
    await store.review(first.visit_id, "channel", "best", at("18:00"))
    await store.scan("ann", at("10:00", 1))
    await store.check_in("bob", "13800000001", at("12:00", 1))
    await store.review(alone.visit_id, "natural", None, at("14:00", 1))
    await store.refer("best", "13800000001", at("18:00", 1))
    await store.review(first.visit_id, "undetermined", None, at("10:00", 2))
    await store.scan("bob", at("11:00", 2))
    scenario = read(REVIEWED)
    judged = replay(scenario.events, scenario.settings)
    assert judged.unplaced == ()
    expected = [
        (one.verdict.attribution, one.verdict.partner, one.verdict.rule, [*one.facts.risks]) for one in judged.visits
    ]
    assert await store.cases() == expected
    assert [case[:3] for case in expected] == [
        ("undetermined", None, "review"),
        ("natural", None, "review"),
        ("natural", None, "natural"),
        ("channel", "acme", "referral_valid"),
        ("channel", "acme", "channel_protected"),
    ]


STORY = """
settings: {timezone: Asia/Shanghai, clock_error: 2s}
events:
  - {at: "2026-03-02T09:00", referral: {id: r1, partner: acme, contact: "138****0001"}}
  - {at: "2026-03-02T10:05", sighting: {visitor: mei, score: 0.6, margin: 0.2}}
  - {at: "2026-03-02T10:06", check_in: {visitor: mei, contact: "13800000001"}}
  - {at: "2026-03-02T11:00", pass: {visitor: ann}}
  - {at: "2026-03-02T11:02", check_in: {visitor: ann, contact: "13800000002"}}
  - {at: "2026-03-03T09:00", referral: {id: r2, partner: best, contact: "13800000002"}}
  - {at: "2026-03-03T10:00", pass: {visitor: ann}}
  - {at: "2026-03-05T10:00", sighting: {visitor: mei, score: 0.6, margin: 0.2}}
  - {at: "2026-03-05T12:00", check_in: {contact: "13800000003"}}
  - {at: "2026-03-05T12:10", referral: {id: r3, partner: best, contact: "13800000003"}}
  - {at: "2026-03-06T10:00", check_in: {visitor: ann, contact: "13800000009"}}
"""


async def test_the_same_story_gets_the_same_verdicts_from_the_store_and_from_a_file(store: Store) -> None:
    await store.face_of("mei")
    await store.refer("acme", "138****0001", at("9:00"))
    await store.seen("mei", at("10:05"), seconds=0.0)
    await store.check_in("mei", "13800000001", at("10:06"))
    await store.scan("ann", at("11:00"))
    await store.check_in("ann", "13800000002", at("11:02"))
    await store.refer("best", "13800000002", at("9:00", 1))
    await store.scan("ann", at("10:00", 1))
    await store.seen("mei", at("10:00", 3), seconds=0.0)
    await store.check_in(None, "13800000003", at("12:00", 3))
    await store.refer("best", "13800000003", at("12:10", 3))
    await store.check_in("ann", "13800000009", at("10:00", 4))
    scenario = read(STORY)
    expected = [
        (judged.verdict.attribution, judged.verdict.partner, judged.verdict.rule, [*judged.facts.risks])
        for judged in replay(scenario.events, scenario.settings).visits
    ]
    assert await store.cases() == expected
    assert {case[2] for case in expected} == {
        *("referral_valid", "natural", "natural_protected", "channel_protected", "late_referral")
    }
