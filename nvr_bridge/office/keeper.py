"""What whoever answers for the data does: says how long each class is kept, and sees it removed when its time is up."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ..config import Config
from ..consent.ledger import Ledger
from ..consent.policy import Policy
from ..consent.retention import DAY, Limits, Needed, check, limits
from ..consent.retention_plan import BY_AGE, Plan, plan
from ..consent.retention_rows import RetentionRows
from ..errors import ConflictError, ErasureOwedError
from ..models import RetentionClass
from ..store.assessments import AssessmentTable
from ..store.database import Database
from ..store.schema import Data
from ..store.settings import SettingsTable
from ..visits.casebook import Casebook
from ..visits.kept import Gone, Kept
from .leaving import Leaving
from .listing import iso
from .timekeeper import REPORT_KEY, Timekeeper, uptime

_LOGGER = logging.getLogger(__name__)

RETENTION_KEY = "retention"  # what was set over the API, by class
NOTICE_KEY = "notice"  # the hash of the one in force; with a hash behind it, that one's texts
PURGE_EVERY = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Report:
    """What a purge removed, and when what it left is due."""

    at: float
    removed: Mapping[str, int]  # rows by class, and `visitors` of whom nothing is kept any more
    due: Mapping[str, float | None]  # by class


class Keeper:
    """One for the engine. Arguments come checked by `arguments.COMMAND_SCHEMAS`."""

    def __init__(
        self,
        config: Config,
        policy: Policy,
        database: Database,
        settings: SettingsTable,
        assessments: AssessmentTable,
        ledger: Ledger,
        leaving: Leaving,
        casebook: Casebook,
        clock: Callable[[], float] = time.time,
        uptime: Callable[[], float] = uptime,
    ) -> None:
        self._config = config
        self._policy = policy
        self._database = database
        self._settings = settings
        self._assessments = assessments
        self._ledger = ledger
        self._leaving = leaving
        self._casebook = casebook
        self._rows = RetentionRows(database, ledger)
        self._clock = clock
        self._timekeeper = Timekeeper(settings, clock, uptime)
        self._purging = asyncio.Lock()
        self._setting = asyncio.Lock()
        self._changed: dict[str, float] = {}  # what was set over the API, in days by class
        self._to_cut = False  # something was removed since the database's log was last cut
        self.last_purge: float | None = None  # since the start
        self.next_purge = 0.0  # in the past where it could not be yet
        self._owed: frozenset[str] = frozenset()

    @property
    def owed(self) -> frozenset[str]:
        """Who asked to be erased and could not be yet, or whom the last purge should have erased, or ended the consent of."""
        return self._leaving.owed | self._owed

    async def load(self) -> None:
        """Know what was set, and when something was last removed, before the engine last stopped."""
        await self._timekeeper.load()
        self.next_purge = self._clock()  # what fell due meanwhile goes at once
        stored = await self._settings.get(RETENTION_KEY) or {}
        self._changed = {kind: days for kind, days in stored.items() if kind in set(RetentionClass)}

    async def note_notice(self) -> None:
        """Keep the notice in force under its hash, so that what anybody agreed to can be shown; note when it changed."""
        digest, now = self._config.notice_hash, self._clock()
        before = await self._settings.get(NOTICE_KEY)
        if before == digest:
            return
        async with self._database.write() as session:
            texts = {"since": now, "texts": self._config.notices}
            await self._settings.put(session, f"{NOTICE_KEY}:{digest}", texts)
            await self._settings.put(session, NOTICE_KEY, digest)
            if before is not None:
                data: Data = {"notice_hash": digest, "before": before}
                await self._ledger.append(session, "notice_changed", at=now, data=data)

    # --- how long ---

    async def retention_get(self) -> dict[str, Any]:
        """How long each class is kept, by whose word, and how far that may be changed."""
        return {
            "profile": self._policy.name,
            "classes": [
                {
                    "class": limit.kind.value,
                    "days": limit.days,
                    "default": limit.default,
                    "least": limit.least,
                    "most": limit.most,
                    "source": limit.source,
                }
                for limit in self.limits().values()
            ],
        }

    async def retention_set(
        self, args: dict[str, Any], by: str, user: str | None = None, prefix: str = ""
    ) -> dict[str, Any]:
        """Keep classes for so many days from now on; None takes back what was set.

        `by` is the token that it was set with, `user` whoever acted at a hub; what is refused is named behind `prefix`.
        """
        check(self._policy, self.limits(), args, prefix)
        async with self._setting:
            changed = {kind: days for kind, days in (self._changed | args).items() if days is not None}
            async with self._database.write() as session:
                await self._settings.put(session, RETENTION_KEY, changed or None)
                data: Data = {**args, "token": by, "user": user}
                await self._ledger.append(session, "retention_set", at=self._clock(), data=data)
            self._changed = changed
        return await self.retention_get()

    def limits(self) -> Limits:
        """How long each class is kept now."""
        rules, now = self._casebook.rules(), self._clock()
        needed = Needed(rules.at(math.inf).decides_for(now), rules.decides_for(now))
        return limits(self._policy, self._config, self._changed, needed)

    # --- removing ---

    def clock_doubted(self) -> bool:
        """Whether nothing is removed because the clock cannot be believed."""
        return not self._timekeeper.believed()

    async def retention_purge(self, args: dict[str, Any], by: str) -> dict[str, Any]:
        """Remove what is due, now → what that was, and what is due next. `by` is the token.

        Raises `ConflictError` where the clock cannot be believed, unless `clock_is_right` says that it is.
        """
        async with self._purging:
            if self.clock_doubted():
                if not args["clock_is_right"]:
                    raise ConflictError(self._timekeeper.complaint())
                shown = self._clock()
                data: Data = {"token": by, "user": args.get("by")}
                async with self._database.write() as session:
                    await self._ledger.append(session, "clock_confirmed", at=shown, data=data)
                self._timekeeper.confirm(shown)
                if self.clock_doubted():  # it jumped again while that was written
                    raise ConflictError(self._timekeeper.complaint())
            report = await self._purge()
        return {"removed": dict(report.removed), "due": _due(report.due)}

    async def retention_status(self) -> dict[str, Any]:
        """What the last purge removed and left, and when the next one is."""
        last = await self._settings.get(REPORT_KEY)
        return {
            "last": last and {"at": iso(last["at"]), "removed": last["removed"]},
            "due": _due(last["due"] if last else {}),
            "next_purge": iso(self.next_purge),
            "log_cut": not self._database.truncation_owed,
        }

    async def keep(self) -> None:
        """Purge at start, and every hour, while the clock can be believed."""
        async with self._purging:
            if self.clock_doubted():
                return
            if not 0 < self.next_purge - self._clock() <= PURGE_EVERY:  # also where the clock was set back
                await self._purge()

    async def expire(self) -> None:
        """End the consents that have run out, as far as the clock can be believed."""
        await self._leaving.expire(by_clock=not self.clock_doubted())

    async def purge(self) -> Report:
        """Remove what is due by the clock, whatever it shows. Killed anywhere, the next run goes on."""
        async with self._purging:
            return await self._purge()

    async def _purge(self) -> Report:
        now, kept = self._clock(), self.limits()
        due = await self._plan(now, kept)
        self._owed = frozenset({*due.erase, *due.templates})
        self._to_cut |= not due.empty
        removed: Counter[str] = Counter()
        removed["visitors"] = await self._erase(due.erase)
        removed[RetentionClass.TEMPLATES] = await self._leaving.lapse(due.templates)
        self._owed = frozenset()
        if due.visits or due.sightings or due.aged & {RetentionClass.VISITS, RetentionClass.REFERRALS}:
            await self._rows.settle(await self._casebook.to_settle_lapsed(partial(_gone, due)))
        for kind, visitor_ids in ((RetentionClass.SIGHTINGS, due.sightings), (RetentionClass.VISITS, due.visits)):
            for visitor_id in visitor_ids:
                removed[kind] += await self._drop(kind, now, due.before[kind], visitor_id)
        for kind in BY_AGE:
            removed[kind] += await self._drop(kind, now, due.before[kind], None)
        over = now - self._policy.assessment_kept_days * DAY
        removed["assessments"] = await self._assessments.drop_ended(over, now)
        left = await self._plan(self._clock(), kept)
        report = Report(
            now, {key: removed[key] for key in _REPORTED}, {kind.value: due for kind, due in left.next.items()}
        )
        await self._settings.set(REPORT_KEY, asdict(report) | self._timekeeper.kept)
        self.last_purge, self.next_purge = now, now + PURGE_EVERY
        if any(removed.values()):
            _LOGGER.info("retention: removed %s", ", ".join(f"{n} {key}" for key, n in report.removed.items() if n))
        if self._to_cut:  # also where the run before this one did not get so far
            await self._database.checkpoint()
            self._to_cut = False
        return report

    async def _plan(self, now: float, kept: Limits) -> Plan:
        holders, oldest = await self._rows.holders(), await self._rows.oldest()
        return await asyncio.to_thread(plan, now, holders, oldest, kept)

    async def _erase(self, visitor_ids: tuple[str, ...]) -> int:
        try:
            return await self._leaving.erase_all(visitor_ids, lapsed=True)
        except ErasureOwedError:  # it is tried again when all is removed, and said then
            return len(visitor_ids)

    async def _drop(self, kind: RetentionClass, now: float, before: float, visitor_id: str | None) -> int:
        removed = 0
        while batch := await self._rows.drop(kind, before, visitor_id, now):
            removed += batch
        return removed


_REPORTED = ("visitors", *(kind.value for kind in RetentionClass), "assessments")


def _gone(due: Plan, kept: Kept) -> Gone:
    """The evidence that goes, apart from that of visitors who are erased."""
    visits_before, referrals_before = due.before[RetentionClass.VISITS], due.before[RetentionClass.REFERRALS]
    theirs = set(due.visits)
    return Gone(
        visits=frozenset(
            visit.visit_id
            for visit in kept.visits
            if visit.visitor_id in theirs
            or (visit.visitor_id is None and visit.ended_at is not None and visit.last_at < visits_before)
        ),
        sighted=frozenset(due.sightings),
        referrals=frozenset(row.referral_id for row in kept.referrals if row.filed_at < referrals_before),
    )


def _due(due: Mapping[str, float | None]) -> dict[str, str | None]:
    return {kind: None if due.get(kind) is None else iso(float(due[kind] or 0.0)) for kind in RetentionClass}
