"""Staff marks and corrections: only ever added to, provable, refused where they change nothing, gone with their visitors."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from store_site import NOW, Site

from nvr_bridge.errors import ConflictError, InvalidError, NotFoundError
from nvr_bridge.store import proof
from nvr_bridge.store.schema_evidence import CorrectedRow, CorrectionRow
from nvr_bridge.store.signings import NewSigning
from nvr_bridge.store.staff import StoredMark, in_force

DAY = 86400.0


def day_start(at: float) -> float:
    """Days that begin with NOW."""
    return at - (at - NOW) % DAY


async def visitors(site: Site, count: int) -> list[str]:
    """So many with a pass."""
    return [await site.passes.holder((await site.passes.issue(NOW))[0]) for _ in range(count)]


async def sign(site: Site, who: str, *others: str, paper: str) -> None:
    _, also = site.signings.sign(NewSigning("desk", NOW, who, paper * 64, None, None, others))
    await site.visits.begin(who, "desk", NOW, also=also)


async def held(site: Site) -> list[tuple[float, float | None]]:
    """From when until when each mark holds."""
    return [(mark.from_at, mark.until_at) for mark in in_force(await site.staff.all())]


async def test_a_mark_holds_until_it_is_ended_and_what_was_told_stays(site: Site) -> None:
    (one,) = await visitors(site, 1)
    first = await site.staff.mark(one, NOW, None, NOW)
    assert await held(site) == [(NOW, None)]
    last = await site.staff.end(one, NOW + 5 * DAY, NOW + 6 * DAY, day_start)
    assert await held(site) == [(NOW, NOW + 5 * DAY)]
    assert await site.staff.all() == [first, last]
    assert last == StoredMark(last.mark_id, one, NOW, NOW + 5 * DAY, NOW + 6 * DAY)
    assert [entry.act for entry in await site.ledger.about(one)][-2:] == ["staff_marked", "staff_ended"]
    assert (await site.ledger.about(one))[-1].data == {"from": NOW, "until": NOW + 5 * DAY}


async def test_a_mark_that_was_a_mistake_is_ended_where_it_began(site: Site) -> None:
    (one,) = await visitors(site, 1)
    await site.staff.mark(one, NOW + 3600, None, NOW + 3600)
    with pytest.raises(InvalidError, match="before the day on which they became staff"):
        await site.staff.end(one, NOW - 1, NOW + DAY, day_start)
    await site.staff.end(one, NOW, NOW + DAY, day_start)
    assert await held(site) == [(NOW + 3600, NOW)]
    await site.staff.mark(one, NOW + 3600, NOW + DAY, NOW + DAY)


async def test_nobody_is_staff_twice_or_ends_what_they_are_not(site: Site) -> None:
    one, other = await visitors(site, 2)
    await site.staff.mark(one, NOW, NOW + DAY, NOW)
    for since, until in ((NOW - DAY, None), (NOW + 1, NOW + 2), (NOW - 5, NOW + 5)):
        with pytest.raises(ConflictError, match="is staff then already"):
            await site.staff.mark(one, since, until, NOW)
    await site.staff.mark(one, NOW + DAY, None, NOW)
    with pytest.raises(NotFoundError, match="is not staff then"):
        await site.staff.end(other, NOW, NOW, day_start)
    await site.records.withdraw(other, NOW)
    with pytest.raises(NotFoundError):
        await site.staff.mark(other, NOW, None, NOW)
    assert len(await site.staff.all()) == 2


async def test_a_correction_names_its_visitors_and_each_of_them_can_prove_it(site: Site) -> None:
    names = sorted(await visitors(site, 3))
    await site.corrections.correct("merge", [*reversed(names)], NOW)
    await site.corrections.correct("split", names[:2], NOW + 1)
    assert [(each.kind, each.at, each.visitors) for each in await site.corrections.all()] == [
        ("merge", NOW, tuple(names)),
        ("split", NOW + 1, tuple(names[:2])),
    ]
    async with site.db.read() as session:
        rows = {(row.visitor_id, row.correction_id): row for row in await session.scalars(select(CorrectedRow))}
        corrections = {row.correction_id: row for row in await session.scalars(select(CorrectionRow))}
    for name in names[:2]:
        merged, split = (await site.ledger.about(name))[-2:]
        assert (merged.act, split.act) == ("identity_merged", "identity_split")
        for entry, number in ((merged, 1), (split, 2)):
            assert rows[name, number].ledger == entry.number
            row = rows[name, number]
            assert entry.data == {"proof": proof.of(proof.corrected(row, corrections[number]), row.salt)}
    # Nothing joins one visitor's entry to the other's.
    assert len({row.salt for row in rows.values()}) == len(rows)


async def test_what_would_change_nothing_is_refused(site: Site) -> None:
    one, other, third, fourth = await visitors(site, 4)
    await sign(site, one, other, third, paper="d")
    await sign(site, fourth, paper="d")
    for pair in ((one, other), (other, third), (fourth, third, one)):
        with pytest.raises(ConflictError, match="signed one contract together"):
            await site.corrections.correct("merge", pair, NOW)
    with pytest.raises(ConflictError, match="signed with the same document"):
        await site.corrections.correct("split", (one, fourth), NOW)
    with pytest.raises(NotFoundError, match="one of them is no visitor's"):
        await site.corrections.correct("split", (one, "nobody"), NOW)
    assert await site.corrections.all() == []
    await site.corrections.correct("split", (one, other), NOW)
    await site.corrections.correct("merge", (fourth, third), NOW)


async def test_a_withdrawal_takes_the_visitor_out_of_every_mark_and_correction(site: Site) -> None:
    one, other, third = await visitors(site, 3)
    await site.staff.mark(one, NOW, None, NOW)
    await site.corrections.correct("merge", (one, other, third), NOW)
    await site.corrections.correct("split", (one, other), NOW)
    await site.records.withdraw(one, NOW + 1)
    assert await site.staff.all() == []
    (kept,) = await site.corrections.all()
    assert (kept.kind, kept.visitors) == ("merge", tuple(sorted((other, third))))
    assert all(one.encode() not in content for content in site.files().values())
