"""What whoever answers for the data must see at a glance: how many, how old, what is overdue, armed or not and why not."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from .config import Config
from .consent.interlock import Interlock, Reason
from .consent.policy import Policy
from .consent.records import Records
from .messages import WatchStatus
from .office.keeper import Keeper
from .office.keyring import Keyring
from .office.listing import iso
from .problems import too_many
from .store.database import Database

_LOGGER = logging.getLogger(__name__)

OVERDUE = 300.0  # seconds after which a consent that ran out should have been erased
FRESH = 5.0  # seconds that what was counted is told again, unless visitors came or went


@dataclass(frozen=True, slots=True)
class _Count:
    """What takes time to count."""

    at: float
    version: int  # of the records
    to_renew: int
    overdue: frozenset[str]  # visitors whose consent ran out, or whose erasure stopped halfway
    oldest: float | None


class Watch:
    """One for the engine. Counting takes some time where there are very many visitors, so it is not done for each asking."""

    def __init__(
        self,
        config: Config,
        policy: Policy,
        database: Database,
        records: Records,
        interlock: Interlock,
        keeper: Keeper,
        keyring: Keyring,
    ) -> None:
        self._config = config
        self._policy = policy
        self._database = database
        self._records = records
        self._interlock = interlock
        self._keeper = keeper
        self._keyring = keyring
        self._counted: _Count | None = None
        self._warned = False

    def status(self, now: float) -> WatchStatus:
        """As it is at `now`."""
        count = self._count(now)
        assessment = self._interlock.assessment
        return {
            "subjects_warning": self._policy.subjects_warning,
            "oldest_template": _iso(count.oldest),
            "to_renew": count.to_renew,
            "erasures_overdue": len(count.overdue | self._keeper.owed) + self._database.truncation_owed,
            "log_cut": not self._database.truncation_owed,
            "clock_doubted": self._keeper.clock_doubted(),
            "last_purge": _iso(self._keeper.last_purge),
            "next_purge": iso(self._keeper.next_purge),
            "reasons": self._reasons(now),
            "assessment_expires_at": _iso(assessment.expires_at if assessment else None),
            "keys_by": self._keyring.by.value,
            "keys_backed_up_at": _iso(self._keyring.backed_up_at),
        }

    async def look(self) -> None:
        """Say once when there are more visitors than the profile is meant for, and once when there are not any more."""
        level, subjects = self._policy.subjects_warning, self._records.subjects
        warned = too_many(subjects, level)
        if warned and not self._warned:
            _LOGGER.warning(
                "subjects: %d visitors are remembered, and profile %s warns from %d; see docs/privacy.md for what to do",
                *(subjects, self._policy.name, level),
            )
        elif self._warned and not warned:
            _LOGGER.info(
                "subjects: %d visitors are remembered, fewer than profile %s warns from", subjects, self._policy.name
            )
        self._warned = warned

    def _count(self, now: float) -> _Count:
        version, held = self._records.version, self._counted
        if held is None or held.version != version or not 0 <= now - held.at < FRESH:
            in_force = self._records.in_force
            consents, late = in_force.values(), now - OVERDUE
            held = self._counted = _Count(
                at=now,
                version=version,
                to_renew=sum(not self._records.covers(consent) for consent in consents),
                overdue=self._records.unreadable.union(
                    who for who, given in in_force.items() if given.expires_at <= late
                ),
                oldest=min((consent.granted_at for consent in consents), default=None),
            )
        return held

    def _reasons(self, now: float) -> list[str]:
        """Why zones that may recognise do not, each reason once; of a profile that recognises nowhere, that."""
        found = [self._interlock.reasons(zone_id, now) for zone_id in self._config.zones]
        return [*dict.fromkeys(reason.value for reason in _flat(found) if reason is not Reason.OBSERVE_ONLY)]


def _flat(found: Iterable[Iterable[Reason]]) -> Iterable[Reason]:
    return (reason for reasons in found for reason in reasons)


def _iso(moment: float | None) -> str | None:
    return None if moment is None else iso(moment)
