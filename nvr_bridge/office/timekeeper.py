"""Whether the clock can be believed: a clock that jumped must not remove what is kept, for nothing brings it back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ..consent.retention import DAY
from ..store.settings import SettingsTable
from .listing import iso

_LOGGER = logging.getLogger(__name__)

REPORT_KEY = "retention_report"  # what the last purge did, and when
STRAY = 14 * DAY  # an engine that stood still for longer is believed once a person says that the clock is right
BACK = DAY  # for so long a clock that was set back has to run before it counts: some start in 1970 until they are set


class Timekeeper:
    """Knows when the clock was last believed: at the last purge, and at every look since."""

    def __init__(self, settings: SettingsTable, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._doubted = False
        self._back: float | None = None  # what the clock showed when it was first seen far behind
        self.known: float | None = None  # the latest time that was believed; None: nothing was ever removed here

    async def load(self) -> None:
        """Know when the last purge was."""
        last = await self._settings.get(REPORT_KEY)
        self.known = last.get("known", last["at"]) if last else None

    def believed(self) -> bool:
        """Whether the clock shows a time that can follow the one of the last look. Says it once when it does not.

        One that was set back removes nothing too early, and is believed.
        """
        now = self._clock()
        doubted = self.known is not None and now - self.known > STRAY
        if doubted and not self._doubted:
            _LOGGER.error("%s", self.complaint())
        elif self._doubted and not doubted:
            _LOGGER.info("retention: the clock shows %s, which can be believed again", iso(now))
        self._doubted = doubted
        if not doubted:
            self.known = now if self.known is None or self._ran_behind(now) else max(now, self.known)
        return not doubted

    def confirm(self) -> None:
        """A person says that it is right."""
        self.known = self._clock()

    def complaint(self) -> str:
        """One line with the remedy."""
        now, known = self._clock(), self.known or 0.0
        return (
            f"retention: the clock shows {iso(now)}, {(now - known) / DAY:.0f} days after it was last believed "
            f"({iso(known)}), so nothing is removed; set the clock right, or if it is, give "
            "`nvr-bridge retention purge --the-clock-is-right`"
        )

    def _ran_behind(self, now: float) -> bool:
        """Whether the clock has run far behind for so long that it was the earlier time that was wrong."""
        if self.known is None or self.known - now <= STRAY:
            self._back = None
            return False
        self._back = now if self._back is None else min(self._back, now)
        return now - self._back >= BACK
