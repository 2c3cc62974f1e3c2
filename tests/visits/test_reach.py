"""Reading only what can concern a visit gives the verdicts that reading the whole store gives."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import event
from store_site import open_site
from told_store import RULES, Store, at

from nvr_bridge.errors import ConflictError
from nvr_bridge.store.reach import Around, Reach
from nvr_bridge.visits.casebook import as_it_was, concerned, judge_some
from nvr_bridge.visits.kept import Kept
from nvr_bridge.visits.unjudged import Batch

VISITORS = [f"v{number}" for number in range(40)]
# The number that each usually gives: ten pairs have one mask.
NUMBERS = [f"138{middle}{last:04}" for last in range(10) for middle in ("0000", "1111")]
NUMBERS += [f"139{number:04}{number:04}" for number in range(20)]
PAPERS = [f"D-{number}" for number in range(12)]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store that knows many people."""
    async with open_site(tmp_path / "data") as site:
        for partner in ("acme", "best"):
            await site.partners.add(partner, partner, at("0:00"))
        store = Store(site)
        for name in VISITORS:
            await (store.face_of if name.endswith("3") else store.pass_for)(name)
        yield store


async def happen(store: Store, chance: random.Random, when: float) -> None:
    """Something, of somebody."""
    usual = chance.randrange(len(VISITORS))
    name, number = VISITORS[usual], NUMBERS[usual if chance.random() < 0.8 else chance.randrange(len(NUMBERS))]
    claimed = chance.choice((number, f"{number[:3]}****{number[-4:]}"))
    kind = chance.choice(
        ("scan", "seen", "check_in", "check_in", "nobody", "refer", "refer", "sign", "staff", "correct", "review")
    )
    match kind:
        case "scan":
            await store.scan(name, when)
        case "seen":
            await store.seen(chance.choice(VISITORS[3::10]), when, score=chance.choice((0.6, 0.4)))
        case "check_in":
            await store.check_in(name, number, when)
        case "nobody":
            await store.check_in(None, number, when)
        case "refer":
            with suppress(ConflictError):
                await store.refer(chance.choice(("acme", "best")), claimed, when)
        case "sign":
            others = chance.sample([other for other in VISITORS if other != name], chance.choice((0, 0, 1)))
            paper, given = chance.choice((None, *PAPERS)), chance.choice((None, number))
            signer = chance.choice((None, name)) if paper or given else name
            await store.sign(signer, when, paper, given, *others)
        case "staff":
            with suppress(ConflictError):
                await store.site.staff.mark(store.visitors[name], when, None, when)
        case "review":
            if visits := await store.site.visits.all():
                answer = chance.choice((("natural", None), ("channel", "acme"), ("undetermined", None)))
                await store.review(chance.choice(visits).visit_id, *answer, when)
        case _:
            with suppress(ConflictError):
                await store.correct(chance.choice(("split", "merge")), *chance.sample(VISITORS, 2), when=when)


def rows(found: Around | Kept) -> int:
    """How many were read."""
    return sum(
        len(kind)
        for kind in (
            *(found.referrals, found.scans, found.check_ins, found.signings, found.sightings),
            *(found.marks, found.corrections, found.visits, found.decisions),
        )
    )


@pytest.mark.parametrize("seed", range(3))
async def test_every_visit_is_judged_as_if_all_had_been_read(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    when = at("8:00")
    for _ in range(100):
        when += chance.choice((60.0, 600.0, 3600.0))
        await happen(store, chance, when)
    erased = store.visitors[chance.choice(VISITORS)]
    await store.site.records.withdraw(erased, when + 1, settled=await store.casebook.to_settle(erased))
    visits = await store.site.visits.all()
    assert len(visits) > 30
    whole = await store.casebook._read()
    all_ids = {visit.visit_id for visit in visits}
    judged = judge_some(whole, all_ids, RULES).visits
    judged |= {visit.visit_id: as_it_was(visit.settled) for visit in visits if visit.settled}
    read = 0
    for visit in visits:
        assert await store.casebook.verdicts([visit]) == {
            key: case for key, case in judged.items() if key == visit.visit_id
        }
        read += rows(await Reach(store.site.db).around(visits=[visit.visit_id]))
    assert await store.casebook.verdicts(visits) == judged
    some = Batch(
        frozenset(chance.sample(sorted(all_ids), 5)),
        visitors=frozenset(chance.sample(sorted(store.visitors.values()), 2)),
    )
    near = await store.casebook.concerned(some)
    far = concerned(whole, some, RULES)
    assert (near.cases, near.signings, near.nobodys) == (far.cases, far.signings, far.nobodys)
    assert {visit.visit_id for visit in near.visits} == {visit.visit_id for visit in far.visits}
    assert read / len(visits) < rows(whole) / 2
    assert len({(case["rule"], *case["risks"]) for case in judged.values()}) > 5


async def test_what_is_read_is_in_the_order_in_which_the_whole_store_is(store: Store) -> None:
    chance = random.Random(7)
    for step in range(60):
        await happen(store, chance, at("8:00") + step * 600.0)
    whole = await store.casebook._read()
    referrals = [referral.referral_id for referral in whole.referrals]
    found = await Reach(store.site.db).around(
        visits={visit.visit_id for visit in whole.visits}, referrals=referrals, visitors=store.visitors.values()
    )
    for kind in (
        "referrals",
        "scans",
        "check_ins",
        "signings",
        "sightings",
        "marks",
        "corrections",
        "visits",
        "decisions",
    ):
        assert list(getattr(found, kind)) == list(getattr(whole, kind)), kind


async def test_a_referral_leads_to_whoever_gives_its_number(store: Store) -> None:
    visit = await store.check_in("v1", "13800000001", at("10:00"))
    await store.check_in("v2", "13900000009", at("11:00"))
    for claimed in ("13800000001", "138****0001"):
        referral = await store.refer("acme", claimed, at("12:00"))
        found = await Reach(store.site.db).around(referrals=[referral])
        assert [one.visit_id for one in found.visits] == [visit.visit_id]
        await store.site.referrals.withdraw(referral, at("13:00"))
    stranger = await store.refer("best", "138****0009", at("12:00"))
    assert rows(await Reach(store.site.db).around(referrals=[stranger])) == 1


async def test_nothing_leads_to_nothing(store: Store) -> None:
    assert rows(await Reach(store.site.db).around()) == 0
    assert rows(await Reach(store.site.db).around(visits=["none"], referrals=["none"], visitors=["none"])) == 0


async def test_no_table_is_read_from_end_to_end(store: Store) -> None:
    chance = random.Random(3)
    for step in range(30):
        await happen(store, chance, at("8:00") + step * 600.0)
    asked: list[tuple[str, tuple[object, ...]]] = []
    engine = store.site.db._reader.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *said: asked.append((said[2], said[3])))
    visits = await store.site.visits.all()
    asked.clear()
    await Reach(store.site.db).around(visits=[visit.visit_id for visit in visits])
    reading = [(statement, values) for statement, values in asked if statement.startswith("SELECT")]
    assert len(reading) > 20
    async with store.site.db.read() as session:
        connection = await session.connection()
        for statement, values in reading:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            steps = [row[-1] for row in plan]
            assert not [step for step in steps if step.startswith("SCAN")], (statement, steps)
