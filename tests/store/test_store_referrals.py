"""Referrals: what is refused and why, that no refusal depends on anybody else, and what the ledger can prove."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from store_site import NOW, VALIDITY, Site

from nvr_bridge.errors import AskError, ConflictError, InvalidError, NotFoundError
from nvr_bridge.store import proof
from nvr_bridge.store.referrals import Filing
from nvr_bridge.store.schema import ReferralRow

FULL = Filing("acme", "f" * 64, "a" * 64, broker="Lin")
MASKED = replace(FULL, full=None)


@pytest.fixture(autouse=True)
async def partners(site: Site) -> None:
    """Two partners."""
    await site.partners.add("acme", "Acme Homes", NOW)
    await site.partners.add("best", "Best Homes", NOW)


async def test_partners_are_listed_and_an_id_is_taken_once(site: Site) -> None:
    with pytest.raises(ConflictError, match="'acme' is registered already"):
        await site.partners.add("acme", "Other", NOW)
    assert [(partner.partner_id, partner.name) for partner in await site.partners.all()] == [
        ("acme", "Acme Homes"),
        ("best", "Best Homes"),
    ]


async def test_a_referral_is_kept_as_it_was_filed(site: Site) -> None:
    filed = await site.referrals.file(replace(FULL, declared=NOW - 60, expected=NOW + 60), NOW)
    assert await site.referrals.list(None, None) == [filed]
    assert (filed.partner, filed.broker, filed.full, filed.mask) == ("acme", "Lin", "f" * 64, "a" * 64)
    assert (filed.declared_at, filed.filed_at, filed.expected_at) == (NOW - 60, NOW, NOW + 60)
    assert (await site.referrals.file(MASKED, NOW)).declared_at == NOW


@pytest.mark.parametrize(
    ("filing", "kind", "words"),
    [
        (replace(FULL, partner="nobody"), NotFoundError, "partner: 'nobody' is not registered"),
        (replace(FULL, expected=NOW - 1), InvalidError, "expected: is before the filing"),
        (replace(FULL, declared=NOW - 9, expected=NOW - 10), InvalidError, "expected: is before the filing"),
        (replace(FULL, declared=NOW + 3600), InvalidError, "declared: is in the future"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason(
    site: Site, filing: Filing, kind: type[AskError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        await site.referrals.file(filing, NOW)
    assert await site.referrals.list(None, None) == []
    assert [entry.act for entry in await site.ledger.since(0)] == ["partner_added", "partner_added"]


async def test_an_expected_time_at_the_filing_is_not_before_it(site: Site) -> None:
    await site.referrals.file(replace(FULL, expected=NOW), NOW)


@pytest.mark.parametrize("filing", [FULL, MASKED])
async def test_a_partners_own_live_duplicate_is_refused_until_it_lapses(site: Site, filing: Filing) -> None:
    await site.referrals.file(filing, NOW)
    for later in (0.0, 1.0, VALIDITY):
        with pytest.raises(ConflictError, match="this partner has a live one of the same contact"):
            await site.referrals.file(filing, NOW + later)
    renewed = await site.referrals.file(filing, NOW + VALIDITY + 1)
    assert renewed.declared_at == NOW + VALIDITY + 1


async def test_a_referral_that_was_withdrawn_is_no_duplicate(site: Site) -> None:
    filed = await site.referrals.file(FULL, NOW)
    await site.referrals.withdraw(filed.referral_id, NOW + 5)
    again = await site.referrals.file(FULL, NOW + 10)
    assert await site.referrals.list("acme", NOW + 10) == [again]
    with pytest.raises(ConflictError, match="was withdrawn already"):
        await site.referrals.withdraw(filed.referral_id, NOW + 15)
    with pytest.raises(NotFoundError, match="'r9' does not exist"):
        await site.referrals.withdraw("r9", NOW)


async def test_for_a_partner_anothers_referral_does_not_exist(site: Site) -> None:
    theirs = await site.referrals.file(replace(FULL, partner="best"), NOW)
    refusals = []
    for referral_id in (theirs.referral_id, "f" * 32):
        with pytest.raises(NotFoundError) as refused:
            await site.referrals.withdraw(referral_id, NOW, "acme")
        refusals.append(str(refused.value).replace(referral_id, "ID"))
    assert refusals[0] == refusals[1]
    assert await site.referrals.list("best", NOW) == [theirs]
    await site.referrals.withdraw(theirs.referral_id, NOW, "best")
    with pytest.raises(NotFoundError, match="does not exist"):  # nor does it become known by being withdrawn
        await site.referrals.withdraw(theirs.referral_id, NOW, "acme")


async def test_no_refusal_depends_on_another_partner(site: Site) -> None:
    await site.referrals.file(FULL, NOW)
    assert (await site.referrals.file(replace(FULL, partner="best"), NOW)).partner == "best"
    with pytest.raises(ConflictError):
        await site.referrals.file(replace(FULL, partner="best"), NOW)


async def test_the_same_mask_may_be_another_person(site: Site) -> None:
    await site.referrals.file(MASKED, NOW)
    await site.referrals.file(FULL, NOW)
    await site.referrals.file(replace(FULL, full="e" * 64), NOW)
    assert len(await site.referrals.list("acme", NOW)) == 3


async def test_many_are_filed_whole_or_not_at_all(site: Site) -> None:
    filings = [FULL, replace(FULL, full="e" * 64), FULL, replace(FULL, partner="nobody")]
    expected = [None, None, "referral: this partner has a live one", "partner: 'nobody'"]
    for refusals in (await site.referrals.refusals(filings, NOW), (await site.referrals.file_all(filings, NOW))[0]):
        assert [
            refusal and str(refusal)[: len(words or "")] for refusal, words in zip(refusals, expected, strict=True)
        ] == (expected)
    assert await site.referrals.list(None, None) == []
    refusals, kept = await site.referrals.file_all(filings[:2], NOW)
    assert not any(refusals)
    assert [filed.full for filed in kept] == ["f" * 64, "e" * 64]
    assert list(await site.referrals.arrived()) == [replace(filed, broker=None) for filed in kept]


async def test_the_ledger_proves_a_referral_to_whoever_is_shown_its_row(site: Site) -> None:
    filed = await site.referrals.file(FULL, NOW)
    entry = (await site.ledger.since(0))[-1]
    assert (entry.act, entry.subject, entry.data["partner"]) == ("referral_filed", None, "acme")
    await site.referrals.withdraw(filed.referral_id, NOW + 60)
    taken_back = (await site.ledger.since(0))[-1]
    async with site.db.read() as session:
        row = (await session.scalars(select(ReferralRow))).one()
    assert (row.ledger, row.withdrawn_ledger) == (entry.number, taken_back.number)
    assert entry.data["proof"] == proof.of(proof.referral(row), row.salt)
    assert taken_back.data["proof"] == proof.of(proof.withdrawal(row), row.salt)
    row.declared_at -= 1
    row.withdrawn_at = NOW + 61
    assert entry.data["proof"] != proof.of(proof.referral(row), row.salt)
    assert taken_back.data["proof"] != proof.of(proof.withdrawal(row), row.salt)
    assert (await site.checkpoints.verify()).intact


async def test_a_brokers_name_lies_sealed(site: Site) -> None:
    await site.referrals.file(replace(FULL, broker="Lin Xiaoming 9731"), NOW)
    assert all(b"9731" not in content for content in site.files().values())
