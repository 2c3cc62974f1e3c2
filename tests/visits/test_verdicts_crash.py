"""`kill -9` while verdicts are told: afterwards each is told as it is, and none was told twice."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

from killable import killer
from verdict_engine import RULES, Engine, started

from nvr_bridge.models import EventKind
from nvr_bridge.visits.telling import by_now, event_data, told
from nvr_bridge.visits.unjudged import Batch

WORKER = Path(__file__).with_name("verdict_worker.py")


async def check(engine: Engine) -> int:
    """All that there is was told, as it is, and once → how many visits there are."""
    visits = await engine.site.visits.all()
    found = await engine.site.casebook(RULES).concerned(Batch(frozenset(visit.visit_id for visit in visits)))
    cases = await engine.site.cases.of(found.cases)
    by_case: dict[object, list[dict[str, Any]]] = {}
    for event in await engine.site.log.since(0):
        if event.kind is EventKind.VERDICT:
            by_case.setdefault(event.data["case"], []).append(dict(event.data))
    assert len(visits) == len(cases) == len(by_case)
    for visit in visits:
        stored = cases[visit.visit_id]
        case = by_now(found.cases[visit.visit_id], (), visit.started_at, engine.now, RULES)
        assert stored.told == told(case, stored.state)
        assert visit.earlier == case["earlier"]
        heard = by_case[stored.case_id]
        # Each says what is new since the one before, so a lost or repeated one would show here.
        assert heard == [
            event_data(stored.case_id, _told(data), _told(before) if before else None)
            for before, data in pairwise([None, *heard])
            if data is not None
        ]
        assert _told(heard[-1]) == stored.told
        assert not [one for one, other in pairwise(heard) if _told(one) == _told(other)]
    return len(visits)


def _told(data: dict[str, Any]) -> dict[str, Any]:
    """What was told, of an event's data."""
    kept = {key: value for key, value in data.items() if key not in {"case", "new_answer", "new_risks"}}
    return {**kept, "risks": data["risks"].split(", ") if data["risks"] else []}


async def test_killed_at_any_moment_every_verdict_is_told_and_none_twice(tmp_path: Path) -> None:
    async with started(tmp_path) as engine:
        for partner in ("acme", "best"):
            await engine.site.partners.add(partner, partner, engine.now)
    chance = random.Random(5)
    async with killer(WORKER) as workers:
        whole, said = await workers.run(str(tmp_path), 0)
        assert whole
        lasts = said[-1][1]
        kills, before = 0, 0
        for run in range(1, 6):
            done, _ = await workers.run(str(tmp_path), run, after="happening", seconds=chance.uniform(0.0, lasts * 0.6))
            kills += not done
            async with started(tmp_path) as engine:
                await engine.verdicts.look_now()
                before, after = await check(engine), before
                assert before >= after
    assert kills
