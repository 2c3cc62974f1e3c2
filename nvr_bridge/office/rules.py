"""The attribution settings in force, and every change of them: who made it, and when.

A change holds for visits that begin after it, so no verdict of an older visit is another one because of it. What
`bridge.yaml` says at a start is a change like any other, unless somebody set it over the API.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..config import Config
from ..consent.ledger import Ledger
from ..consent.policy import Policy
from ..consent.retention import Needed, limits
from ..errors import ConflictError, InvalidError
from ..store.changes import ChangeTable, StoredChange
from ..store.database import Database
from ..store.schema import Data
from ..visits.evidence import Settings
from ..visits.rulebook import Change, Rulebook

_LOGGER = logging.getLogger(__name__)

KEYS = ("lead_time", "validity", "protection", "natural_protection", "visit_gap", "winner")  # fields of `Settings`
SET, WRITTEN = "set", "bridge.yaml"
PREFIX = "attribution_"  # before a field, where it is a setting among others


class SiteRules:
    """One for the engine. Durations are seconds."""

    def __init__(
        self,
        config: Config,
        policy: Policy,
        database: Database,
        ledger: Ledger,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._policy = policy
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._table = ChangeTable(database)
        self._changing = asyncio.Lock()
        self._changes: Sequence[StoredChange] = ()
        self._sources: dict[str, str] = {}  # by whose word each setting holds
        self._book = Rulebook(config.rules)

    async def load(self) -> None:
        """Know every change there was, and take up what `bridge.yaml` says since the last start.

        Raises `InvalidError` where what holds then is more than the profile, or `retention` in `bridge.yaml`, allows.
        """
        self._changes = await self._table.all()
        if not self._changes:
            first = [StoredChange(0.0, key, None, self._written(key), WRITTEN) for key in KEYS]
            async with self._database.write() as session:
                await self._table.add(session, first)
            self._changes = first
        self._book = self._read()
        now, held = self._clock(), self._book.now
        sources = {key: self.source(key) for key in KEYS}
        new = {key: self._written(key) for key in KEYS if sources[key] == WRITTEN}
        changed = {key: value for key, value in new.items() if value != getattr(held, key)}
        if changed and now < self._changes[-1].at:
            _LOGGER.warning(
                "attribution: the clock shows %s, before the last change of a setting; set it right and restart: until "
                "then %s hold as before, whatever bridge.yaml says",
                *(_shown(now), ", ".join(changed)),
            )
            changed = {}
        limits(self._policy, self._config, needed=self._needed(self._book.with_change(now, _with(held, changed))))
        if changed:
            await self._keep(
                now, [StoredChange(now, key, getattr(held, key), value, WRITTEN) for key, value in changed.items()]
            )

    # --- what holds ---

    def book(self) -> Rulebook:
        """The settings through time, as they are known now."""
        return self._book

    def visit_gap(self, began: float) -> float:
        """Of a visit that began then."""
        return self._book.at(began).visit_gap

    def validity(self) -> float:
        """For how long a referral holds, for a visit that begins now."""
        return self._book.now.validity

    def source(self, key: str) -> str:
        """By whose word a setting holds: `set` or `bridge.yaml`."""
        return self._sources.get(key, WRITTEN)

    def default(self, key: str) -> float | str:
        """What taking a change back gives."""
        return self._written(key)

    def history(self) -> list[dict[str, Any]]:
        """Every change, the newest first; what the site began with is the last of them."""
        return [
            {
                "at": _shown(change.at) if change.old is not None else None,
                "key": f"{PREFIX}{change.key}",
                "old": change.old,
                "new": change.new,
                "source": change.source,
                "token_id": change.token_id,
                "user": change.user_id,
            }
            for change in reversed(self._changes)
        ]

    # --- changing it ---

    async def set(self, key: str, value: float | str | None, by: str, user: str | None = None) -> float | None:
        """Let `value` hold from now on; None: what `bridge.yaml` says → since when, or None if nothing changed.

        Raises `InvalidError` for what the profile, or `retention` in `bridge.yaml`, does not let be kept for long enough.
        """
        async with self._changing:
            old, source = getattr(self._book.now, key), WRITTEN if value is None else SET
            new = self._written(key) if value is None else value
            if (old, self.source(key)) == (new, source):
                return None
            now = self._clock()
            if now < self._changes[-1].at:
                raise ConflictError(
                    f"{PREFIX}{key}: the clock shows {_shown(now)}, before the last change of a setting at "
                    f"{_shown(self._changes[-1].at)}; set the clock right, then change it"
                )
            self._check(key, self._book.with_change(now, _with(self._book.now, {key: new})))
            return await self._keep(now, [StoredChange(now, key, old, new, source, by, user)])

    # --- helpers ------------------------------------------------------------------------------------------------------

    async def _keep(self, now: float, changes: Sequence[StoredChange]) -> float:
        async with self._database.write() as session:
            await self._table.add(session, changes)
            for change in changes:
                data: Data = {
                    "setting": f"{PREFIX}{change.key}",
                    "old": change.old,
                    "new": change.new,
                    "source": change.source,
                    "token": change.token_id,
                    "user": change.user_id,
                }
                await self._ledger.append(session, "setting_changed", at=now, data=data)
        self._changes = (*self._changes, *changes)
        self._sources |= {change.key: change.source for change in changes}
        for change in changes:
            self._book = self._book.with_change(change.at, _with(self._book.now, {change.key: change.new}))
        return now

    def _read(self) -> Rulebook:
        """The changes as settings through time; what nobody can change is as `bridge.yaml` has it now."""
        self._sources = {change.key: change.source for change in self._changes}
        began = {change.key: change.new for change in self._changes if change.old is None}
        first = held = _with(self._config.rules, began)
        later: list[Change] = []
        for change in self._changes:
            if change.old is not None:
                held = _with(held, {change.key: change.new})
                later.append((change.at, held))
        return Rulebook(first, tuple(later))

    def _written(self, key: str) -> float | str:
        value: float | str = getattr(self._config.rules, key)
        return value

    def _needed(self, book: Rulebook) -> Needed:
        now = self._clock()
        return Needed(book.now.decides_for(now), book.decides_for(now))

    def _check(self, key: str, book: Rulebook) -> None:
        try:
            limits(self._policy, self._config, needed=self._needed(book))
        except InvalidError as err:
            raise InvalidError(f"{PREFIX}{key}: {str(err).removeprefix('attribution.protection: ')}") from err


def _with(settings: Settings, values: dict[str, Any]) -> Settings:
    return replace(settings, **values)


def _shown(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
