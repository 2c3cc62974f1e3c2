"""The keys while the engine runs: their backup kept at its newest state, and rotations noted in the ledger."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from ..consent.key_backup import back_up
from ..consent.ledger import Ledger
from ..consent.master import Kind
from ..consent.vault import Vault
from ..errors import AskError
from ..store.settings import SettingsTable

_LOGGER = logging.getLogger(__name__)

MASTER_KEY = "master_id"  # the master that opened the keys last


class Keyring:
    """One for the engine."""

    def __init__(
        self,
        vault: Vault,
        keys_dir: Path,
        target: Path | None,
        settings: SettingsTable,
        ledger: Ledger,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`target` is where the backup is kept, if the site wants one."""
        self._vault = vault
        self._keys_dir = keys_dir
        self._target = target
        self._settings = settings
        self._ledger = ledger
        self._clock = clock
        self._failing = False
        self._held = -1  # the state of the keys that the backup has
        self.backed_up_at: float | None = None

    @property
    def by(self) -> Kind:
        """What opens the keys."""
        return self._vault.by

    async def note_rotation(self) -> None:
        """Have the ledger say that another master opens the keys than at the last start."""
        before = await self._settings.get(MASTER_KEY)
        if before == self._vault.master_id:
            return
        if before is not None:
            await self._ledger.record("keys_rotated", data={"by": self._vault.by.value})
        await self._settings.set(MASTER_KEY, self._vault.master_id)

    async def note_return(self) -> None:
        """Have the ledger say that keys were there again that had been destroyed, and were destroyed once more."""
        if self._vault.returned:
            _LOGGER.warning(
                "keys: %d that were destroyed were there again, and are destroyed: a backup from before had them, or the engine "
                "was killed; what they opened is erased",
                self._vault.returned,
            )
            await self._ledger.record("keys_destroyed_again", data={"keys": self._vault.returned})

    async def back_up(self) -> None:
        """Make the backup anew if the keys changed since: a key that was destroyed is soon gone from it too."""
        state = self._vault.changes
        if self._target is None or state == self._held:
            return
        try:
            await asyncio.to_thread(back_up, self._keys_dir, self._target)
        except AskError as err:
            if not self._failing:
                _LOGGER.warning("%s", err)
            self._failing = True
            return
        if self._failing:
            _LOGGER.info("key_backup: %s is written again", self._target)
        self._failing, self._held, self.backed_up_at = False, state, self._clock()
