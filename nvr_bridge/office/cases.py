"""The cases: the evening list, what each verdict rests on, and what reviewers say to it.

A reviewer confirms what they saw: each verdict has a version, and one that changed meanwhile is refused, not confirmed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from ..config import Config
from ..consent.ledger import Ledger, on_behalf_of
from ..consent.records import Records
from ..errors import ConflictError, InvalidError, NotFoundError, RetryError
from ..models import ReviewAct, Visit
from ..store.cases import CaseTable, Decide, NewReview, StoredCase, StoredReview
from ..store.claims import ClaimTable
from ..store.database import Database
from ..store.partners import PartnerTable
from ..store.tokens import TokenTable
from ..store.visits import VisitTable
from ..today import Today
from ..visits.casebook import Case, Casebook, Concerned, Tables
from ..visits.claims import claimed
from ..visits.evidence import Settings
from ..visits.explain import explanation, moments
from ..visits.report import Counted, report
from ..visits.review import Answer, Move, Reviewer, done, moved, standing
from ..visits.telling import by_now, version
from ..visits.timeline import local_day
from ..visits.unjudged import Batch, Unjudged
from ..visits.verdicts import Verdicts, as_seen
from .listing import case_row, review_row

REPORT_DAYS = 3660  # the longest period of a report
AT_ONCE = 500  # cases that are judged at once, at least, to find those that somebody has to look at


@dataclass(frozen=True, slots=True)
class Store:
    """Where cases are kept, and what they are of."""

    database: Database
    evidence: Tables
    claims: ClaimTable
    tokens: TokenTable
    partners: PartnerTable
    ledger: Ledger

    @property
    def visits(self) -> VisitTable:
        """The visits."""
        return self.evidence.visits

    @property
    def cases(self) -> CaseTable:
        """Their cases."""
        return self.evidence.cases


class CaseDesk:
    """Answers the commands about cases. Arguments come checked; `by` is the token that a command came with.

    `changed` is told of each zone whose counts have changed.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        records: Records,
        casebook: Casebook,
        verdicts: Verdicts,
        unjudged: Unjudged,
        changed: Callable[[str], None],
        today: Today,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._store = store
        self._records = records
        self._casebook = casebook
        self._verdicts = verdicts
        self._unjudged = unjudged
        self._changed = changed
        self._today = today
        self._clock = clock
        self.waiting = 0  # cases of the evening list that somebody has to look at, as they were told
        self._older = 0  # of them, those of visits of earlier days
        self._counted: tuple[float, int] | None = None  # on which day, and for how many verdicts of earlier ones

    # --- what is asked ---

    async def listed(self, args: dict[str, Any]) -> list[dict[str, Any]]:
        """Cases, the newest visit first: of some days, or of today with those of older days that wait for somebody."""
        visits, limit = await self._visits(args), args["limit"]
        cases = await self._store.cases.of(visit.visit_id for visit in visits)
        there = [
            visit
            for visit in sorted(visits, key=lambda visit: (-visit.started_at, visit.visit_id))
            if visit.visit_id in cases and args.get("state") in {None, cases[visit.visit_id].state}
        ]
        # Judging is what takes long: no more than what is given, unless what is given depends on it.
        at_once, rows = max(limit, AT_ONCE) if "needs_review" in args else limit, list[dict[str, Any]]()
        for part in batched(there, at_once, strict=False):
            verdicts = await self._verdicts_of(part)
            some = await asyncio.to_thread(self._rows, part, cases, verdicts)
            rows += [row for row in some if args.get("needs_review") in {None, row["needs_review"]}]
            if len(rows) >= limit:
                break
        return rows[:limit]

    async def get(self, args: dict[str, Any], by: str) -> dict[str, Any]:
        """One case, what its verdict rests on, and its history. Reading it is an act."""
        stored = await self._store.cases.get(args["case"])
        visit = await self._store.visits.get(stored.visit_id)
        await self._note_read(visit, by)
        case = (await self._verdicts_of([visit])).get(visit.visit_id)
        history = await self._store.cases.history(stored.case_id)
        pending = standing(done(review) for review in history).pending
        judged, rules = await self._casebook.judged(visit), self._casebook.rules()
        return {
            **self._row(visit, stored, case),
            "waiting": None if pending is None else {"attribution": pending.answer[0], "partner": pending.answer[1]},
            "explanation": None if judged is None else explanation(judged, rules),
            "moments": [] if judged is None else moments(judged, rules),
            "history": [review_row(review) for review in history],
        }

    async def report(self, args: dict[str, Any]) -> list[dict[str, Any]]:
        """How many visits came to what, by day, partner, zone or hour."""
        first, last = days(args, local_day(self._clock(), self._config.rules))
        if (last - first).days >= REPORT_DAYS:
            raise InvalidError(f"to: is {REPORT_DAYS} days or more after from; ask for a shorter period")
        visits = await self._store.visits.list(*span(first, last, self._config), None, None)
        verdicts = await self._verdicts_of(visits)
        reviewed = {decision.visit_id for decision in await self._store.cases.decisions()}
        counted = [
            Counted(visit.started_at, visit.zone_id, verdicts.get(visit.visit_id), visit.visit_id in reviewed)
            for visit in visits
        ]
        zones = self._config.zones
        return await asyncio.to_thread(report, counted, args["by"], first, last, zones, self._config.timezone)

    # --- what reviewers say ---

    async def confirm(self, args: dict[str, Any], by: str) -> dict[str, Any]:
        """The verdict is right."""
        return await self._review(args, by, ReviewAct.CONFIRM)

    async def change(self, args: dict[str, Any], by: str) -> dict[str, Any]:
        """The verdict is another one."""
        partner = args.get("partner")
        if partner is not None and partner not in {known.partner_id for known in await self._store.partners.all()}:
            raise NotFoundError(f"partner: {partner!r} is not registered; `nvr-bridge partners list` shows them")
        return await self._review(args, by, ReviewAct.CHANGE, (args["attribution"], partner))

    async def second(self, args: dict[str, Any], by: str) -> dict[str, Any]:
        """Another person says whether a change that waits is right."""
        return await self._review(args, by, ReviewAct.AGREE if args["agree"] else ReviewAct.REFUSE)

    async def send_back(self, args: dict[str, Any], by: str) -> dict[str, Any]:
        """Somebody has to find out more first."""
        return await self._review(args, by, ReviewAct.SEND_BACK)

    # --- a duty that recurs ---

    async def tell_verdicts(self) -> None:
        """Tell what visits came to, where that is another thing than was told."""
        self._refresh(await self._verdicts.look())
        today = self._today
        if (state := (today.began_at, today.older)) != self._counted:
            self._older = await self._store.cases.count_waiting(today.began_at)
            self._counted = state
        self.waiting = today.on_site("waiting") + self._older

    # --- helpers ---

    async def _review(
        self, args: dict[str, Any], by: str, act: ReviewAct, answer: Answer | None = None
    ) -> dict[str, Any]:
        reviewer = Reviewer(by, await self._store.tokens.name(by), args.get("by"))
        # Nobody else writes while the verdict is judged: what is decided on is what there is.
        async with self._store.database.write() as session:
            stored = await self._store.cases.get(args["case"])
            visit = await self._store.visits.get(stored.visit_id)
            found = await self._verdicts_of([visit])
            decide = self._decide(Move(act, reviewer, answer), args, found.get(visit.visit_id))
            review = await self._store.cases.review(session, stored.case_id, decide)
            if review is not None and review.decides:
                await self._tell_partners(session, visit, review)
        self._unjudged.visit(visit.visit_id)
        # What cannot be told now is told by the next look; and of all that is told now, most is nothing of this reviewer's.
        with contextlib.suppress(RetryError), on_behalf_of(None):
            self._refresh(await self._verdicts.look_now())
        case = (await self._verdicts_of([visit])).get(visit.visit_id)
        return self._row(visit, await self._store.cases.get(stored.case_id), case)

    async def _tell_partners(self, session: AsyncSession, visit: Visit, review: StoredReview) -> None:
        """Write what a decision makes of referrals, as far as there still is evidence to say so."""
        judged = await self._casebook.judged(visit)
        if judged is not None:
            outcomes = claimed(judged, review.attribution or "undetermined", review.partner)
            day = local_day(visit.started_at, self._config.rules)
            await self._store.claims.decide(session, review.case_id, outcomes, day, review.at)

    def _decide(self, move: Move, args: dict[str, Any], case: Case | None) -> Decide:
        """What makes a review of a move. Raises why it may not be made on this verdict, whatever the case's history."""
        if case is None:
            raise ConflictError("case: nothing is left to judge it by; only its history can be read")
        _check(move.act, args, case)

        def decide(_: StoredCase, history: Sequence[StoredReview]) -> NewReview:
            return _reviewed(move, args, case, history, self._clock(), second=self._config.second_person)

        return decide

    async def _visits(self, args: dict[str, Any]) -> Sequence[Visit]:
        """Those of the days that were asked for."""
        today = local_day(self._clock(), self._config.rules)
        first, last = days(args, today)
        period = span(first, last, self._config)
        if args.get("needs_review"):  # most do not, and need not be judged anew to say so
            visits = await self._store.visits.some(await self._store.cases.may_wait(*period))
        else:
            visits = await self._store.visits.list(*period, None, None)
        if {"day", "from", "to"} & args.keys():
            return visits
        older = await self._store.cases.waiting() - {visit.visit_id for visit in visits}
        return [*visits, *await self._store.visits.some(older)]

    async def _verdicts_of(self, visits: Sequence[Visit]) -> dict[str, Case]:
        now, rules = self._clock(), self._config.rules
        found = await self._casebook.concerned(Batch(visits=frozenset(visit.visit_id for visit in visits)))
        return await asyncio.to_thread(_as_shown, found, visits, now, rules)

    def _rows(
        self, visits: Sequence[Visit], cases: Mapping[str, StoredCase], verdicts: Mapping[str, Case]
    ) -> list[dict[str, Any]]:
        return [self._row(visit, cases[visit.visit_id], verdicts.get(visit.visit_id)) for visit in visits]

    def _row(self, visit: Visit, stored: StoredCase, case: Case | None) -> dict[str, Any]:
        alias = self._records.alias(visit.visitor_id) if visit.visitor_id else None
        return case_row(visit, stored, case, alias)

    async def _note_read(self, visit: Visit, by: str) -> None:
        async with self._store.database.write() as session:
            await self._store.ledger.append(
                session,
                "read_case",
                at=self._clock(),
                zone_id=visit.zone_id,
                visitor_id=visit.visitor_id,
                data={"token": by},
            )

    def _refresh(self, zones: frozenset[str]) -> None:
        for zone_id in zones & self._config.zones.keys():
            self._changed(zone_id)


def _as_shown(found: Concerned, visits: Sequence[Visit], now: float, rules: Settings) -> dict[str, Case]:
    return {
        visit.visit_id: by_now(case, found.signings.get(visit.visit_id, ()), visit.started_at, now, rules)
        for visit in visits
        if (case := found.cases.get(visit.visit_id)) is not None
    }


def days(args: dict[str, Any], today: date) -> tuple[date, date]:
    """The local days that a command is about. Raises `InvalidError` for a period that ends before it begins."""
    if "day" in args:
        if {"from", "to"} & args.keys():
            raise InvalidError("day: give a day, or from and to, not both")
        return args["day"], args["day"]
    first: date = args.get("from", args.get("to", today))
    last: date = args.get("to", max(first, today))
    if first > last:
        raise InvalidError("from: is after to; give the earlier day first")
    return first, last


def span(first: date, last: date, config: Config) -> tuple[float, float]:
    """From the beginning of the first day to the end of the last, as the site's clocks show them."""
    midnight = datetime.min.time()
    begin = datetime.combine(first, midnight, config.timezone)
    return begin.timestamp(), datetime.combine(last + timedelta(days=1), midnight, config.timezone).timestamp()


def _check(act: ReviewAct, args: dict[str, Any], case: Case) -> None:
    if "seen" in args and args["seen"] != version(case):
        answer = " ".join(filter(None, (case["attribution"], case["partner"])))
        raise ConflictError(f"seen: the verdict changed meanwhile and is {answer} now; look at the case again")
    if act in {ReviewAct.CHANGE, ReviewAct.SEND_BACK} and case.get("evidence_erased"):
        raise ConflictError("case: its evidence was erased, so its verdict stays as it is; it can be confirmed")


def _reviewed(
    move: Move, args: dict[str, Any], case: Case, history: Sequence[StoredReview], now: float, *, second: bool
) -> NewReview:
    """What is written of a move. Raises why it may not be made."""
    before = standing(done(review) for review in history)
    after = moved(before, move, (case["attribution"], case["partner"]), second_person=second)
    answers: dict[ReviewAct, Answer | None] = {
        ReviewAct.CONFIRM: (case["attribution"], case["partner"]),
        ReviewAct.CHANGE: move.answer,
        ReviewAct.AGREE: before.pending.answer if before.pending else None,
    }
    attribution, partner = answers.get(move.act) or (None, None)
    return NewReview(
        act=move.act,
        state=after.state,
        at=now,
        attribution=attribution,
        partner=partner,
        seen=as_seen(case),
        token_id=move.by.token_id if move.by else None,
        token_name=move.by.name if move.by else None,
        user_id=move.by.user_id if move.by else None,
        reason=args.get("reason"),
    )
