"""Tells what each visit came to, whenever that is another thing than was told: one event for each change, and none twice.

What was told is kept on the case, in the transaction that logs the event. A restart looks again at all that arrived
shortly before the engine stopped; whatever was told of it already is not told again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from ..errors import RetryError
from ..events import Bus, EventLog, Told
from ..models import CaseState, Event, EventKind, ReviewAct, Visit
from ..store.arrivals import Arrivals
from ..store.cases import NewReview, StoredCase, StoredReview
from ..store.database import Database
from ..store.finish import to_the_end
from ..store.settings import SettingsTable
from .casebook import Case, Casebook, Concerned, Tables
from .evidence import DAY, Rules
from .review import Move, Standing, done, moved, standing
from .telling import by_now, event_data, to_reopen, to_sign, told
from .timeline import next_close
from .unjudged import Batch, Unjudged

KEY = "verdicts_told_until"
MARK_EVERY = 60.0  # seconds between notes of how far this is
OVERLAP = 120.0  # seconds before that note from which a restart looks again
TOGETHER = 50  # verdicts that one transaction tells


class Verdicts:
    """Owns what was told. One for the engine."""

    def __init__(
        self,
        database: Database,
        log: EventLog,
        bus: Bus,
        evidence: Tables,
        casebook: Casebook,
        unjudged: Unjudged,
        rules: Rules,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._log = log
        self._bus = bus
        self._visits = evidence.visits
        self._cases = evidence.cases
        self._casebook = casebook
        self._unjudged = unjudged
        self._rules = rules
        self._clock = clock
        self._notes = SettingsTable(database)
        self.events = 0  # told since the start
        self._looking = asyncio.Lock()
        self._until = 0.0  # how far the store knows this to be
        self._closed = 0.0  # when the close of day was last looked for

    async def load(self) -> None:
        """Find what was stored and perhaps not told when the engine last stopped."""
        now, until = self._clock(), await self._notes.get(KEY)
        if until is None:  # what is older than this was never told, and is not told now
            until = now
            await self._notes.set(KEY, until)
        until = min(until, now)  # the clock may have been set back
        self._until = self._closed = until
        arrived = await Arrivals(self._database).since(until - OVERLAP)
        self._unjudged.put(Batch(arrived.visits, arrived.referrals, arrived.visitors), soon=True)

    async def look(self) -> frozenset[str]:
        """Tell what is due → the zones whose counts of returning visitors changed. Raises `RetryError`; nothing is lost."""
        await self._look_at_the_close()
        return await self._tell(now=False)

    async def look_now(self) -> frozenset[str]:
        """Tell everything that was stored before this call, due or not."""
        return await self._tell(now=True)

    async def _look_at_the_close(self) -> None:
        """When a day closes, nobody who came on it registers any more."""
        now = self._clock()
        if next_close(self._closed, self._rules) <= now:
            for visit in await self._visits.list(self._closed - 2 * DAY, now, None, None):
                self._unjudged.visit(visit.visit_id)
        self._closed = now

    async def _tell(self, *, now: bool) -> frozenset[str]:
        async with self._looking:
            batch, began = self._unjudged.take(now=now), self._clock()
            if not batch:
                return frozenset()
            try:
                zones = await self._tell_all(await self._casebook.concerned(batch), began)
                if abs(began - self._until) >= MARK_EVERY:
                    await self._notes.set(KEY, began)
                    self._until = began
            except RetryError:
                self._unjudged.put(batch, soon=False)
                raise
            return zones

    async def _tell_all(self, found: Concerned, now: float) -> frozenset[str]:
        visits = {visit.visit_id: visit for visit in found.visits}
        cases = await self._cases.of(visits)
        pending = []
        for visit_id, stored in cases.items():
            visit, case = visits[visit_id], found.cases.get(visit_id)
            if case is None or visit_id in found.nobodys:
                continue
            signings = found.signings.get(visit_id, ())
            case = by_now(case, signings, visit.started_at, now, self._rules)
            if _may_move(visit, stored, case, signings):
                pending.append((visit, stored, case, signings))
        zones: set[str] = set()
        for first in range(0, len(pending), TOGETHER):
            zones |= await to_the_end(self._tell_some(pending[first : first + TOGETHER], now))
        return frozenset(zones)

    async def _tell_some(self, pending: Sequence[_Pending], now: float) -> set[str]:
        zones, events = set(), []
        async with self._database.write() as session:
            for visit, stored, case, signings in pending:
                before = await self._visits.correct(session, visit, case["earlier"])
                if before is None:  # the visitor withdrew while this was judged
                    continue
                if before != case["earlier"]:
                    zones.add(visit.zone_id)
                event = await self._tell_one(session, visit, stored, case, signings, now)
                events += [event] if event else []
        self.events += len(events)
        for event in events:
            self._bus.publish(Told(event))
        return zones

    async def _tell_one(
        self,
        session: AsyncSession,
        visit: Visit,
        stored: StoredCase,
        case: Case,
        signings: Sequence[Case],
        now: float,
    ) -> Event | None:
        state = await self._move(session, stored, case, signings, now)
        news = told(case, state)
        if not await self._cases.tell(session, stored.case_id, news, now):
            return None
        return await self._log.append(
            session,
            kind=EventKind.VERDICT,
            occurred_at=now,
            zone_id=visit.zone_id,
            visit_id=visit.visit_id,
            visitor_id=visit.visitor_id,
            data=event_data(stored.case_id, news, stored.told),
        )

    async def _move(
        self, session: AsyncSession, stored: StoredCase, case: Case, signings: Sequence[Case], now: float
    ) -> CaseState:
        """What the evidence itself does to a case: a signing closes it, and what comes up later opens it again."""
        state = stored.state

        def by_itself(_: StoredCase, history: Sequence[StoredReview]) -> NewReview | None:
            nonlocal state
            standing_now = standing(done(review) for review in history)
            state = standing_now.state
            act = _act(standing_now, history, case, signings)
            if act is None:
                return None
            answer = (case["attribution"], case["partner"])
            state = moved(standing_now, Move(act), answer, second_person=False).state
            return NewReview(act, state, now, seen=as_seen(case))

        await self._cases.review(session, stored.case_id, by_itself)
        return state


def as_seen(case: Case) -> dict[str, Any]:
    """The verdict that a review found, as it is kept with it."""
    return {key: case[key] for key in ("attribution", "partner", "rule", "risks")}


# --- helpers ------------------------------------------------------------------------------------------------------

type _Pending = tuple[Visit, StoredCase, Case, Sequence[Case]]


def _may_move(visit: Visit, stored: StoredCase, case: Case, signings: Sequence[Case]) -> bool:
    """Whether there may be something to tell or to write; the transaction looks again."""
    if told(case, stored.state) != stored.told or visit.earlier != case["earlier"] or signings:
        return True
    return stored.state is CaseState.CLOSED or "evidence_changed" in case["risks"]


def _act(now: Standing, history: Sequence[StoredReview], case: Case, signings: Sequence[Case]) -> ReviewAct | None:
    if to_sign([done(review) for review in history], signings):
        return ReviewAct.SIGN
    signed: Mapping[str, Any] | None = next(
        (review.seen for review in reversed(history) if review.act is ReviewAct.SIGN), None
    )
    return ReviewAct.REOPEN if to_reopen(now, dict(signed) if signed else None, case) else None
