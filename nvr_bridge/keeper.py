"""What whoever answers for the data does: says how long each class is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .config import Config
from .consent.ledger import Ledger
from .consent.policy import Policy
from .consent.retention import Limits, check, limits
from .models import RetentionClass
from .store.database import Database
from .store.settings import SettingsTable

RETENTION_KEY = "retention"  # what was set over the API, by class


class Keeper:
    """One for the engine. Arguments come checked by `arguments.COMMAND_SCHEMAS`."""

    def __init__(
        self,
        config: Config,
        policy: Policy,
        database: Database,
        settings: SettingsTable,
        ledger: Ledger,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._policy = policy
        self._database = database
        self._settings = settings
        self._ledger = ledger
        self._clock = clock

    async def load(self) -> None:
        """Raise `InvalidError` where `bridge.yaml` keeps something longer, or shorter, than the profile allows."""
        await self._limits()

    # --- retention ---

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
                for limit in (await self._limits()).values()
            ],
        }

    async def retention_set(self, args: dict[str, Any]) -> dict[str, Any]:
        """Keep classes for so many days from now on; None takes back what was set."""
        check(self._policy, self._config, args)
        stored = await self._settings.get(RETENTION_KEY) or {}
        changed = {kind: days for kind, days in (stored | args).items() if days is not None}
        async with self._database.write() as session:
            await self._settings.put(session, RETENTION_KEY, changed or None)
            await self._ledger.append(session, "retention_set", at=self._clock(), data=dict(args))
        return await self.retention_get()

    async def _limits(self) -> Limits:
        stored = await self._settings.get(RETENTION_KEY) or {}
        known = {kind: days for kind, days in stored.items() if kind in set(RetentionClass)}
        return limits(self._policy, self._config, known)
