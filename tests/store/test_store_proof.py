"""The ledger commits to what evidence says: shown any part of a row, anybody can check it; a changed row does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from store_site import NOW, Site

from nvr_bridge.evidence.commitment import show
from nvr_bridge.store import proof
from nvr_bridge.store.schema import CheckInRow, PassScanRow
from nvr_bridge.store.schema_evidence import CoSignerRow, SigningRow
from nvr_bridge.store.signings import NewSigning


async def everything(site: Site) -> None:
    """One visit, with all that the desk can say of it."""
    ann, bo = [(await site.grant(person)).consent.visitor_id for person in (1, 2)]
    scan = site.registrations.scan(ann, "desk", NOW)
    visit, _ = await site.visits.begin(ann, "desk", NOW, also=scan)
    check_in = site.registrations.check_in(ann, "full", "mask", "friend", "desk", NOW + 1)
    await site.visits.extend(visit.visit_id, NOW + 1, check_in)
    signing = NewSigning("desk", NOW + 2, ann, "document", "full", "mask", (bo,))
    await site.visits.extend(visit.visit_id, NOW + 2, site.signings.sign(signing)[1])


@pytest.mark.parametrize(
    ("table", "act", "content", "column"),
    [
        (PassScanRow, "pass_scanned", proof.scan, "at"),
        (CheckInRow, "checked_in", proof.check_in, "contact_full"),
        (SigningRow, "signed", proof.signing, "document"),
        (CoSignerRow, "co_signed", proof.co_signer, "signing_id"),
    ],
)
async def test_a_row_fits_its_entry_as_long_as_nobody_changes_it(
    site: Site, table: Any, act: str, content: Callable[[Any], proof.Content], column: str
) -> None:
    await everything(site)
    async with site.db.read() as session:
        row = (await session.scalars(select(table))).one()
    (entry,) = await site.ledger.entries([row.ledger])
    assert entry.act == act
    assert entry.data == {"proof": proof.of(content(row), row.salt)}
    part = show(content(row), row.salt, [*content(row)][:1])
    assert part.commitment == entry.data["proof"]
    setattr(row, column, "changed")
    assert entry.data != {"proof": proof.of(content(row), row.salt)}


async def test_no_two_entries_commit_alike_and_none_names_a_contact_or_a_visit(site: Site) -> None:
    await everything(site)
    entries = await site.ledger.since(0)
    proofs = [entry.data["proof"] for entry in entries if "proof" in entry.data]
    assert len(set(proofs)) == len(proofs) == 4
    (visit,) = await site.visits.list(None, None, None, 5)
    for secret in ("full", "mask", "document", visit.visit_id):
        assert secret not in repr(entries)


def test_a_row_of_an_older_version_proves_nothing() -> None:
    assert proof.of({"at": NOW}, None) is None
