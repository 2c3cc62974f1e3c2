"""Passes: a code that stands for a visitor without biometrics, and leaves nothing when the visitor withdraws."""

from __future__ import annotations

import re

import pytest
from store_site import NOW, Site, open_site

from nvr_bridge.errors import NotFoundError
from nvr_bridge.models import Visit
from nvr_bridge.store.settled import Settled


async def pass_visitor(site: Site) -> tuple[str, str, str]:
    """(code, alias, visitor id) of somebody new."""
    code, alias = await site.passes.issue(NOW)
    return code, alias, await site.passes.holder(code)


async def check_in(site: Site, visitor_id: str | None, contact: str, at: float = NOW) -> Visit:
    """A visit in which the contact was given."""
    also = site.registrations.check_in(visitor_id, contact * 64, "0" * 64, "friend", "desk", at)
    visit, _ = await site.visits.begin(visitor_id, "desk", at, names=[contact * 64], also=also)
    return visit


async def test_a_pass_stands_for_a_visitor_who_is_nobodys_subject(site: Site) -> None:
    code, alias, visitor_id = await pass_visitor(site)
    assert re.fullmatch(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", code)
    assert site.records.alias(visitor_id) == alias
    assert await site.records.visitor_for(alias) == visitor_id
    assert site.records.subjects == 0
    assert await site.records.consents() == []
    assert await site.records.templates() == []
    assert await site.records.expired(NOW * 2) == []
    assert [entry.act for entry in await site.ledger.about(visitor_id)] == ["pass_issued"]


async def test_a_code_is_read_however_it_is_typed(site: Site) -> None:
    code, _, visitor_id = await pass_visitor(site)
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert await site.passes.holder(typed) == visitor_id
    for wrong in ("", "0000-0000-0000-0000", code[:-1]):
        with pytest.raises(NotFoundError, match="no pass of this site has it"):
            await site.passes.holder(wrong)


async def test_a_visitor_may_hold_several_passes_and_a_template(site: Site) -> None:
    granted = await site.grant(1)
    codes = [await site.passes.issue_again(granted.consent.visitor_id, NOW) for _ in range(2)]
    assert {await site.passes.holder(code) for code in codes} == {granted.consent.visitor_id}
    assert site.records.subjects == 1
    await site.records.withdraw(granted.consent.visitor_id, NOW)
    with pytest.raises(NotFoundError):
        await site.passes.holder(codes[0])
    with pytest.raises(NotFoundError, match="no visitor has it"):
        await site.passes.issue_again(granted.consent.visitor_id, NOW)


async def test_the_code_is_in_no_file(site: Site) -> None:
    code, *_ = await pass_visitor(site)
    for name, content in site.files().items():
        assert code.encode() not in content, name
        assert code.replace("-", "").encode() not in content, name


async def test_passes_survive_a_restart(site: Site) -> None:
    code, alias, visitor_id = await pass_visitor(site)
    await site.db.close()
    async with open_site(site.data_dir) as again:
        assert await again.passes.holder(code) == visitor_id
        assert again.records.alias(visitor_id) == alias
        assert again.records.subjects == 0


async def test_a_withdrawal_leaves_nothing_of_the_visitor_in_any_file(site: Site) -> None:
    code, alias, visitor_id = await pass_visitor(site)
    also = site.registrations.scan(visitor_id, "desk", NOW)
    visit, _ = await site.visits.begin(visitor_id, "desk", NOW, also=also)
    await check_in(site, visitor_id, "c")
    await check_in(site, None, "c")
    before = site.files()
    tag = site.passes._tag(code)
    traces = [visitor_id.encode(), ("c" * 64).encode(), tag.encode()]
    assert all(any(trace in content for content in before.values()) for trace in traces)
    withdrawn = await site.records.withdraw(
        visitor_id, NOW + 1, settled=Settled({visit.visit_id: {"attribution": "natural"}})
    )
    assert withdrawn.alias == alias
    for name, content in site.files().items():
        assert not [trace for trace in traces if trace in content], name
    assert [await site.registrations.scans(), await site.registrations.check_ins()] == [[], []]
    kept = {each.visit_id: each.settled for each in await site.visits.list(None, None, None, 9)}
    assert kept.pop(visit.visit_id) == {"attribution": "natural"}
    assert set(kept.values()) == {None}


async def test_a_crash_after_the_key_is_gone_is_finished_at_the_next_start(site: Site) -> None:
    code, _, visitor_id = await pass_visitor(site)
    await check_in(site, visitor_id, "c")
    await site.vault.destroy_key(visitor_id)
    with pytest.raises(NotFoundError):
        await site.passes.holder(code)
    await site.db.close()
    async with open_site(site.data_dir) as again:
        assert await again.registrations.check_ins() == []
        assert all(visitor_id.encode() not in content for content in again.files().values())


async def test_what_another_visitor_told_under_the_same_contact_stays_theirs(site: Site) -> None:
    *_, one = await pass_visitor(site)
    *_, other = await pass_visitor(site)
    for visitor_id in (one, other, None):
        await check_in(site, visitor_id, "c")
    await site.records.withdraw(one, NOW)
    assert [stored.visitor_id for stored in await site.registrations.check_ins()] == [other, None]


async def test_a_contact_has_one_owner_or_none(site: Site) -> None:
    *_, one = await pass_visitor(site)
    *_, other = await pass_visitor(site)
    assert await site.registrations.owner("c" * 64) is None
    await check_in(site, None, "c")
    assert await site.registrations.owner("c" * 64) is None
    await check_in(site, one, "c", NOW + 1)
    assert await site.registrations.owner("c" * 64) == one
    await check_in(site, other, "d", NOW + 2)
    await check_in(site, other, "c", NOW + 3)  # a later contact only claims
    assert await site.registrations.owner("c" * 64) == one
    *_, third = await pass_visitor(site)
    await check_in(site, third, "c", NOW + 4)
    assert await site.registrations.owner("c" * 64) is None


async def test_whoever_gives_the_same_contact_alone_is_returning(site: Site) -> None:
    first = await check_in(site, None, "c")
    second = await check_in(site, None, "c", NOW + 9999)
    stranger = await check_in(site, None, "d", NOW + 9999)
    assert [first.earlier, second.earlier, stranger.earlier] == [0, 1, 0]
    assert await site.visits.open_unnamed() == {
        first.visit_id: ["c" * 64],
        second.visit_id: ["c" * 64],
        stranger.visit_id: ["d" * 64],
    }
