"""Cases: written with their visits, found however their id is typed, and never forgetting what happened to them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select
from store_site import NOW, Site

from nvr_bridge.errors import ConflictError, NotFoundError
from nvr_bridge.models import CaseState, ReviewAct, Visit
from nvr_bridge.store import proof
from nvr_bridge.store.cases import Decide, NewReview, StoredReview
from nvr_bridge.store.migrations import migrate
from nvr_bridge.store.schema_cases import CaseRow, ReviewRow

SECRET = "she named Mr Lin of Acme"


def done(act: ReviewAct, state: CaseState, **more: str) -> Decide:
    """What decides that this happens."""
    return lambda _case, _history: NewReview(act, state, NOW, **more)  # type: ignore[arg-type]


async def visit(site: Site) -> Visit:
    """Somebody comes."""
    visitor = (await site.grant(1)).consent.visitor_id
    return (await site.visits.begin(visitor, "desk", NOW))[0]


async def add(site: Site, case_id: str, decide: Decide) -> StoredReview:
    async with site.db.write() as session:
        made = await site.cases.review(session, case_id, decide)
    assert made is not None
    return made


async def test_each_visit_has_a_case_of_its_own_from_the_beginning(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    visits = [(await site.visits.begin(visitor, "desk", NOW + at))[0].visit_id for at in range(30)]
    cases = await site.cases.of(visits)
    assert set(cases) == set(visits)
    assert len({case.case_id for case in cases.values()}) == 30
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", case.case_id) for case in cases.values())
    first = cases[visits[0]]
    assert (first.state, first.told, first.opened_at) == (CaseState.PROPOSED, None, NOW)
    assert await site.cases.of(["no such visit"]) == {}


async def test_a_visit_that_is_not_written_has_no_case(site: Site) -> None:
    with pytest.raises(NotFoundError, match="withdrawn"):
        await site.visits.begin("nobody", "desk", NOW, visit_id="v")
    assert await site.cases.of(["v"]) == {}


async def test_an_id_is_found_however_it_is_typed_and_another_is_not(site: Site) -> None:
    (case,) = (await site.cases.of([(await visit(site)).visit_id])).values()
    for typed in (case.case_id, case.case_id.lower(), case.case_id.replace("-", ""), f" {case.case_id} "):
        assert await site.cases.get(typed) == case
    with pytest.raises(NotFoundError, match="case: 'ZZZZ-ZZZZ' does not exist"):
        await site.cases.get("ZZZZ-ZZZZ")


async def test_a_history_grows_and_the_case_is_as_its_last_review_left_it(site: Site) -> None:
    case_id = (await site.cases.of([(await visit(site)).visit_id])).popitem()[1].case_id
    await add(site, case_id, done(ReviewAct.SEND_BACK, CaseState.SENT_BACK, token_id="t1", reason=SECRET))
    await add(site, case_id, done(ReviewAct.CONFIRM, CaseState.CONFIRMED, attribution="channel", partner="acme"))
    sent_back, confirmed = await site.cases.history(case_id)
    assert (sent_back.act, sent_back.token_id, sent_back.reason) == (ReviewAct.SEND_BACK, "t1", SECRET)
    assert (confirmed.act, confirmed.partner, confirmed.reason) == (ReviewAct.CONFIRM, "acme", None)
    assert (sent_back.decides, confirmed.decides) == (False, True)
    assert (await site.cases.get(case_id)).state is CaseState.CONFIRMED
    assert confirmed.review_id > sent_back.review_id


async def test_what_is_refused_leaves_nothing(site: Site) -> None:
    case_id = (await site.cases.of([(await visit(site)).visit_id])).popitem()[1].case_id
    acts = len(await site.ledger.since(0))

    def refuse(_case: object, _history: object) -> NewReview:
        raise ConflictError("case: no")

    with pytest.raises(ConflictError):
        await add(site, case_id, refuse)
    assert await site.cases.history(case_id) == []
    assert len(await site.ledger.since(0)) == acts


@pytest.mark.parametrize(
    "change", ["act", "state", "at", "attribution", "partner", "seen", "token_id", "user_id", "salt"]
)
async def test_the_ledger_proves_every_word_of_a_review_and_names_no_case(site: Site, change: str) -> None:
    case_id = (await site.cases.of([(await visit(site)).visit_id])).popitem()[1].case_id
    made = await add(site, case_id, done(ReviewAct.CHANGE, CaseState.CHANGED, partner="acme", reason=SECRET))
    entry = (await site.ledger.since(0))[-1]
    assert (entry.number, entry.act) == (made.ledger, "case_change")
    async with site.db.read() as session:
        row = (await session.scalars(select(ReviewRow))).one()
        session.expunge(row)
    assert entry.data == {"proof": proof.of(proof.review(row, SECRET), row.salt)}
    assert entry.data != {"proof": proof.of(proof.review(row, "she named nobody"), row.salt)}
    setattr(row, change, "x")
    assert entry.data != {"proof": proof.of(proof.review(row, SECRET), row.salt)}


async def test_a_case_waits_from_its_day_on_only_if_somebody_put_it_in_question(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    visits = [(await site.visits.begin(visitor, "desk", NOW + at))[0].visit_id for at in range(4)]
    cases = await site.cases.of(visits)
    quiet, risky, sent_back, _untold = (cases[visit_id].case_id for visit_id in visits)
    async with site.db.write() as session:
        for case_id in (quiet, risky, sent_back):
            await site.cases.tell(session, case_id, {"needs_review": case_id != quiet}, NOW)
    await add(site, sent_back, done(ReviewAct.SEND_BACK, CaseState.SENT_BACK))
    await add(site, sent_back, done(ReviewAct.APPEAL, CaseState.APPEALED))
    assert await site.cases.count_waiting(NOW + 10) == 1
    assert await site.cases.count_waiting(NOW + 2) == 0, "that one is of today"
    assert await site.cases.waiting() == {visits[2]}
    assert await site.cases.may_wait(NOW, NOW + 10) == {visits[1], visits[2], visits[3]}
    assert await site.cases.may_wait(NOW + 2, NOW + 3) == {visits[2]}
    told = {visit_id: what for visit_id, _, _, what in await site.cases.told_since(NOW + 1)}
    assert told == {visits[1]: {"needs_review": True}, visits[2]: {"needs_review": True}, visits[3]: None}
    async with site.db.write() as session:
        await site.cases.tell(session, sent_back, {"needs_review": False}, NOW)
    assert await site.cases.count_waiting(NOW + 10) == 0


async def test_an_erasure_takes_the_reasons_and_leaves_the_verdicts(site: Site) -> None:
    theirs = await visit(site)
    assert theirs.visitor_id
    case_id = (await site.cases.of([theirs.visit_id])).popitem()[1].case_id
    await add(site, case_id, done(ReviewAct.CHANGE, CaseState.CHANGED, attribution="natural", reason=SECRET))
    await site.records.withdraw(theirs.visitor_id, NOW)
    (review,) = await site.cases.history(case_id)
    assert (review.attribution, review.reason, review.ledger) == ("natural", None, None)
    async with site.db.read() as session:
        row = (await session.scalars(select(ReviewRow))).one()
    assert (row.reason_sealed, row.salt) == (None, None)


async def test_a_reason_about_a_number_alone_goes_with_the_number(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    named = site.registrations.check_in(visitor, "full", "mask", None, "desk", NOW)
    await site.visits.begin(visitor, "desk", NOW, also=named)
    alone = site.registrations.check_in(None, "full", "mask", None, "desk", NOW)
    nobodys, _ = await site.visits.begin(None, "desk", NOW, names=["full"], also=alone)
    case_id = (await site.cases.of([nobodys.visit_id])).popitem()[1].case_id
    await add(site, case_id, done(ReviewAct.SEND_BACK, CaseState.SENT_BACK, reason=SECRET))
    assert [review.reason for review in await site.cases.history(case_id)] == [SECRET]
    await site.records.withdraw(visitor, NOW)
    assert [review.reason for review in await site.cases.history(case_id)] == [None]


async def test_the_ledger_says_when_a_visit_had_another_verdict(site: Site) -> None:
    theirs = await visit(site)
    case_id = (await site.cases.of([theirs.visit_id])).popitem()[1].case_id
    verdict = {"attribution": "natural", "partner": None, "rule": "natural", "risks": [], "state": "proposed"}
    acts = len(await site.ledger.since(0))
    for at, told in enumerate((verdict, verdict, {**verdict, "state": "confirmed"}, {**verdict, "partner": "acme"})):
        async with site.db.write() as session:
            assert await site.cases.tell(session, case_id, told, NOW + at) is (at != 1)
    first, last = (await site.ledger.since(acts))[-2:]
    assert len(await site.ledger.since(acts)) == 2
    assert (first.act, first.at, last.at, list(last.data)) == ("verdict_told", NOW, NOW + 3, ["proof"])
    assert theirs.visitor_id
    assert last.number in {entry.number for entry in await site.ledger.about(theirs.visitor_id)}
    async with site.db.read() as session:
        row = await session.get(CaseRow, case_id)
    assert row is not None
    assert (row.told_at, row.ledger) == (NOW + 3, last.number)
    assert last.data["proof"] == proof.of(proof.verdict(row), row.salt)
    await site.records.withdraw(theirs.visitor_id, NOW + 9)
    async with site.db.read() as session:
        row = await session.get(CaseRow, case_id)
    assert row is not None
    assert (row.salt, row.ledger) == (None, None)


async def test_a_reason_cannot_be_moved_to_another_case(site: Site) -> None:
    visitor = (await site.grant(1)).consent.visitor_id
    visits = [(await site.visits.begin(visitor, "desk", NOW + at))[0].visit_id for at in range(2)]
    one, other = (case.case_id for case in (await site.cases.of(visits)).values())
    await add(site, one, done(ReviewAct.SEND_BACK, CaseState.SENT_BACK, reason=SECRET))
    async with site.db.write() as session:
        row = (await session.scalars(select(ReviewRow))).one()
        row.case_id = other
    with pytest.raises(Exception, match="sealed content was changed"):
        await site.cases.history(other)


def test_visits_of_an_older_version_get_their_cases(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'bridge.db'}")
    with engine.begin() as connection:
        migrate(connection, "0002")
        for number in range(3):
            values = (f"v{number}", None, "desk", NOW + number, NOW + number, None, 0, None)
            connection.exec_driver_sql("INSERT INTO visits VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    with engine.begin() as connection:
        migrate(connection)
        rows = connection.exec_driver_sql("SELECT visit_id, case_id, state, told, opened_at FROM cases").all()
    engine.dispose()
    assert sorted((row[0], *row[2:]) for row in rows) == [(f"v{n}", "proposed", None, NOW + n) for n in range(3)]
    assert len({row[1] for row in rows}) == 3
