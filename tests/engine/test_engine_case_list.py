"""A day of very many visits: the list gives what was asked for, and judges no more of the day than that takes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from engine_site import Site
from sqlalchemy import insert

from nvr_bridge.config import Config
from nvr_bridge.office.cases import AT_ONCE, CaseDesk
from nvr_bridge.store.schema import CheckInRow, PartnerRow, ReferralRow, VisitRow
from nvr_bridge.store.schema_cases import CaseRow
from nvr_bridge.visits.casebook import Casebook, Concerned
from nvr_bridge.visits.unjudged import Batch

LATE, PLAIN = AT_ONCE + 20, 40  # visits: those that somebody has to look at are the newest


class Counting(Casebook):
    """Knows what it was asked about."""

    asked: frozenset[str] = frozenset()

    async def concerned(self, batch: Batch) -> Concerned:
        self.asked |= batch.visits
        return await super().concerned(batch)


@pytest.fixture
def config(config: Config) -> Config:
    """A site without biometrics: nothing here needs a face."""
    return replace(config, profile="no_biometrics")


@pytest.fixture
async def site(start: Callable[[], Any]) -> AsyncIterator[Site]:
    """That engine, after a busy morning: of the newest visits a partner filed a referral when they were about to begin."""
    async with start() as site:
        async with site.service._parts.database.write() as session:
            await session.execute(insert(PartnerRow).values(partner_id="acme", name="Acme", added_at=0.0))
            for table, some in _rows(time.time()).items():
                await session.execute(insert(table), some)
        yield site


def _rows(now: float) -> dict[Any, list[dict[str, Any]]]:
    rows: dict[Any, list[dict[str, Any]]] = {VisitRow: [], CaseRow: [], CheckInRow: [], ReferralRow: []}
    for number in range(LATE + PLAIN):
        at, visit, full = now - 7200.0 - number, f"visit-{number:04}", f"{number:032x}"
        visit_row = {"visit_id": visit, "visitor_id": None, "zone_id": "desk", "started_at": at, "last_at": at}
        rows[VisitRow].append({**visit_row, "ended_at": at, "earlier": 0, "settled": None})
        case = {
            "case_id": f"CASE{number:04}",
            "visit_id": visit,
            "state": "confirmed" if number % 9 == 3 else "proposed",
        }
        rows[CaseRow].append({**case, "told": None, "told_at": None, "salt": None, "ledger": None, "opened_at": at})
        given = {"contact_full": full, "contact_mask": f"mask {number}"}
        told = {"visitor_id": None, **given, "source": None, "zone_id": "desk", "at": at, "visit_id": visit}
        rows[CheckInRow].append({**told, "salt": None, "ledger": None})
        if number < LATE:
            filed = {"declared_at": at - 60, "filed_at": at - 60, "expected_at": None, "withdrawn_at": None}
            claim = {"referral_id": f"r{number}", "partner_id": "acme", "broker_sealed": None, **given, **filed}
            rows[ReferralRow].append({**claim, "salt": "s", "ledger": 1000 + number, "withdrawn_ledger": None})
    return rows


@pytest.fixture
def casebook(site: Site) -> Counting:
    """What the desk asks."""
    return Counting(site.service._parts.evidence, site.service._parts.rules.book)


@pytest.fixture
def desk(site: Site, casebook: Counting) -> CaseDesk:
    """The engine's own desk, with that casebook."""
    own = site.service.cases
    kept = (own._verdicts, own._unjudged, own._changed, own._today)
    return CaseDesk(own._config, own._store, own._records, casebook, *kept)


@pytest.mark.parametrize(
    ("wanted", "judged"),
    [
        ({"limit": 1}, 1),
        ({"limit": 30}, 30),
        ({"limit": 10_000}, LATE + PLAIN),
        ({"limit": 7, "state": "confirmed"}, 7),
        ({"limit": 3, "needs_review": False}, AT_ONCE),
        ({"limit": 200, "needs_review": False}, LATE + PLAIN),
        ({"limit": 10, "needs_review": True, "state": "proposed"}, None),
        ({"limit": 300, "needs_review": False, "state": "confirmed"}, None),
    ],
    ids=lambda value: "-".join(f"{key}:{each}" for key, each in value.items()) if isinstance(value, dict) else None,
)
async def test_what_is_given_is_what_the_whole_list_has_of_it(
    site: Site, desk: CaseDesk, casebook: Counting, wanted: dict[str, Any], judged: int | None
) -> None:
    today = datetime.now(site.service.config.timezone).date()
    days = {"from": today - timedelta(days=1), "to": today}  # whatever the hour
    whole = await site.service.cases.listed({**days, "limit": 10_000})
    assert [row["visit"] for row in whole] == [f"visit-{number:04}" for number in range(LATE + PLAIN)]
    assert sum(row["needs_review"] for row in whole) == sum(row["state"] == "proposed" for row in whole[:LATE])
    filters = {key: value for key, value in wanted.items() if key != "limit"}
    fitting = [row for row in whole if filters.items() <= row.items()]
    assert await desk.listed({**days, **wanted}) == fitting[: wanted["limit"]] != []
    if judged is not None:
        assert len(casebook.asked) == judged
