"""Signings: written with their visits, provable by the ledger, and nobody's once whoever signed withdrew."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from store_site import NOW, Site, open_site

from nvr_bridge.errors import NotFoundError
from nvr_bridge.models import Visit
from nvr_bridge.store import proof
from nvr_bridge.store.schema import CheckInRow, PassScanRow
from nvr_bridge.store.schema_evidence import CoSignerRow, SigningRow
from nvr_bridge.store.settled import Settled
from nvr_bridge.store.signings import NewSigning, StoredSigning

PAPER, NUMBER, MASK = "d" * 64, "c" * 64, "m" * 64


async def visitor(site: Site) -> str:
    """Somebody with a pass."""
    return await site.passes.holder((await site.passes.issue(NOW))[0])


async def sign(
    site: Site, who: str | None, *others: str, paper: str | None = PAPER, number: str | None = NUMBER, at: float = NOW
) -> tuple[str, Visit]:
    """A contract is signed → (its id, the visit)."""
    signing_id, also = site.signings.sign(NewSigning("desk", at, who, paper, number, number and MASK, others))
    names = [name for name in (paper, number) if name] if who is None else []
    visit, _ = await site.visits.begin(who, "desk", at, names=names, also=also)
    return signing_id, visit


async def test_it_is_kept_with_its_visit_and_its_co_signers(site: Site) -> None:
    one, other, third = [await visitor(site) for _ in range(3)]
    signing_id, visit = await sign(site, one, third, other)
    (kept,) = await site.signings.all()
    both = (min(other, third), max(other, third))
    assert kept == StoredSigning(signing_id, one, PAPER, NUMBER, MASK, "desk", NOW, visit.visit_id, None, both)


async def test_everybody_who_signs_has_an_entry_in_the_ledger_and_the_row_proves_it(site: Site) -> None:
    one, other = await visitor(site), await visitor(site)
    await sign(site, one, other)
    mine, theirs = (await site.ledger.about(one))[-1], (await site.ledger.about(other))[-1]
    assert (mine.act, theirs.act) == ("signed", "co_signed")
    async with site.db.read() as session:
        signing = (await session.scalars(select(SigningRow))).one()
        co_signer = (await session.scalars(select(CoSignerRow))).one()
    assert (signing.ledger, mine.data) == (mine.number, {"proof": proof.of(proof.signing(signing), signing.salt)})
    assert (co_signer.ledger, theirs.data) == (
        theirs.number,
        {"proof": proof.of(proof.co_signer(co_signer), co_signer.salt)},
    )
    signing.document = "e" * 64
    assert mine.data != {"proof": proof.of(proof.signing(signing), signing.salt)}


async def test_a_check_in_and_a_pass_scan_know_their_entries_too(site: Site) -> None:
    one = await visitor(site)
    await site.visits.begin(one, "desk", NOW, also=site.registrations.scan(one, "desk", NOW))
    given = site.registrations.check_in(one, NUMBER, MASK, "friend", "desk", NOW + 1)
    await site.visits.begin(one, "desk", NOW + 1, also=given)
    scan, check_in = (await site.ledger.about(one))[-2:]
    async with site.db.read() as session:
        scanned = (await session.execute(select(PassScanRow))).scalar_one()
        checked_in = (await session.execute(select(CheckInRow))).scalar_one()
    assert (scan.act, scan.number, scan.at, scan.zone_id) == ("pass_scanned", scanned.ledger, scanned.at, "desk")
    assert (check_in.act, check_in.number) == ("checked_in", checked_in.ledger)
    assert check_in.data == {"proof": proof.of(proof.check_in(checked_in), checked_in.salt)}


async def test_nothing_is_written_where_a_co_signer_has_withdrawn(site: Site) -> None:
    one, other = await visitor(site), await visitor(site)
    await site.records.withdraw(other, NOW)
    with pytest.raises(NotFoundError):
        await sign(site, one, other)
    assert [await site.signings.all(), await site.visits.all()] == [[], []]


async def test_a_document_leads_to_the_one_visitor_who_signed_with_it(site: Site) -> None:
    one, other = await visitor(site), await visitor(site)
    assert await site.signings.signer(PAPER) is None
    await sign(site, None)
    assert await site.signings.signer(PAPER) is None
    await sign(site, one)
    await sign(site, one, at=NOW + 1)
    assert await site.signings.signer(PAPER) == one
    assert [await site.signings.proven(one), await site.signings.proven(other)] == [True, False]
    await sign(site, other)
    assert await site.signings.signer(PAPER) is None


async def test_a_number_given_when_signing_is_a_first_number_like_any_other(site: Site) -> None:
    one, other = await visitor(site), await visitor(site)
    await sign(site, one, at=NOW + 5)
    assert await site.registrations.owner(NUMBER) == one
    earlier = site.registrations.check_in(one, "e" * 64, MASK, None, "desk", NOW)
    await site.visits.begin(one, "desk", NOW, also=earlier)
    assert await site.registrations.owner(NUMBER) is None
    await sign(site, other, at=NOW + 9)
    assert await site.registrations.owner(NUMBER) == other


async def test_whoever_signs_without_a_name_is_returning_by_document_or_number(site: Site) -> None:
    visits = [
        (await sign(site, None, paper=paper, number=number, at=NOW + at))[1]
        for at, (paper, number) in enumerate([(PAPER, NUMBER), (PAPER, None), (None, NUMBER), ("e" * 64, None)])
    ]
    assert [visit.earlier for visit in visits] == [0, 1, 1, 0]
    assert (await site.visits.open_unnamed())[visits[0].visit_id] == [PAPER, NUMBER]


async def test_a_withdrawal_leaves_when_and_where_and_the_verdict(site: Site) -> None:
    one, other = await visitor(site), await visitor(site)
    first, visit = await sign(site, one, other)
    alone, unnamed = await sign(site, None, number=None, at=NOW + 1)
    known, _ = await sign(site, other, one, paper="e" * 64, number=None, at=NOW + 2)
    traces = [trace.encode() for trace in (one, PAPER, NUMBER, MASK)]
    assert all(any(trace in content for content in site.files().values()) for trace in traces)

    verdict = {"attribution": "natural"}
    gone = await site.records.withdraw(one, NOW + 3, settled=Settled({}, {first: verdict, known: verdict}))

    assert set(gone.visit_ids) == {visit.visit_id, unnamed.visit_id}
    found = {signing.signing_id: signing for signing in await site.signings.all()}
    assert found[first] == StoredSigning(first, None, None, None, None, "desk", NOW, visit.visit_id, verdict, (other,))
    assert (found[alone].erased, found[alone].settled) == (True, None)
    assert (found[known].visitor_id, found[known].co_signers, found[known].settled) == (other, (), verdict)
    for name, content in site.files().items():
        assert not [trace for trace in traces if trace in content], name


async def test_a_document_or_number_that_somebody_else_gave_too_stays_theirs(site: Site) -> None:
    one, other = await visitor(site), await visitor(site)
    await sign(site, one)
    await sign(site, other, at=NOW + 1)
    await sign(site, None, at=NOW + 2)
    await site.records.withdraw(one, NOW + 3)
    assert [(kept.visitor_id, kept.document) for kept in await site.signings.all()] == [
        *((None, None), (other, PAPER), (None, PAPER))
    ]


async def test_a_start_without_keys_is_refused_while_there_is_a_signing(site: Site, tmp_path: Path) -> None:
    await sign(site, None)
    await site.db.close()
    async with open_site(site.data_dir) as again:
        assert again.db.fresh is False
