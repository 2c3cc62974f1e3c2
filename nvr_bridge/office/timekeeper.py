"""Whether the clock can be believed: a clock that jumped must not remove what is kept, for nothing brings it back.

What the clock went on by while no engine ran may be a standstill or a jump, and nobody can tell. So two weeks of it are believed,
however many times it happened, and the time that an engine runs makes up for it.
"""

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
# Seconds of standstill that each second of running makes up for: offices are closed at night and on weekends.
MAKES_UP = 3.0
BACK = DAY  # for so long a clock that was set back has to run before it counts: some start in 1970 until they are set


def uptime() -> float:
    """(s) For how long this machine runs, also while it slept, where it can tell."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Timekeeper:
    """Knows when the clock was last believed: at the last purge, and at every look since."""

    def __init__(
        self, settings: SettingsTable, clock: Callable[[], float] = time.time, uptime: Callable[[], float] = uptime
    ) -> None:
        """`uptime` goes on as time does, whatever anybody sets the clock to."""
        self._settings = settings
        self._clock = clock
        self._uptime = uptime
        self._looked = uptime()  # when the clock was last believed, or loaded
        self._ahead = 0.0  # seconds that it is believed to have gone on by without an engine, and not made up for yet
        self._doubted = False
        self._back: float | None = None  # what the clock showed when it was first seen far behind
        self.known: float | None = None  # the latest time that was believed; None: nothing was ever removed here

    async def load(self) -> None:
        """Know when the last purge was."""
        last = await self._settings.get(REPORT_KEY)
        self.known = last.get("known", last["at"]) if last else None
        self._ahead, self._looked = last.get("ahead", 0.0) if last else 0.0, self._uptime()

    @property
    def kept(self) -> dict[str, float]:
        """What `load` needs of it, beside the report of a purge."""
        return {"known": self._clock() if self.known is None else self.known, "ahead": self._ahead}

    def believed(self) -> bool:
        """Whether the clock shows a time that can follow the one of the last look. Says it once when it does not.

        One that was set back removes nothing too early, and is believed.
        """
        now, looked = self._clock(), self._uptime()
        ahead = self._gone_ahead(now, looked)
        doubted = ahead > STRAY
        if doubted and not self._doubted:
            _LOGGER.error("%s", self.complaint())
        elif self._doubted and not doubted:
            _LOGGER.info("retention: the clock shows %s, which can be believed again", iso(now))
        self._doubted = doubted
        if not doubted:
            self._ahead, self._looked = ahead, looked
            self.known = now if self.known is None or self._ran_behind(now) else max(now, self.known)
        return not doubted

    def confirm(self, shown: float) -> None:
        """A person says that it was right when it showed this."""
        self.known, self._ahead, self._looked = shown, 0.0, self._uptime()

    def complaint(self) -> str:
        """One line with the remedy."""
        now, known = self._clock(), self.known or 0.0
        in_all = self._gone_ahead(now, self._uptime()) / DAY
        often = "" if now - known > STRAY else f", and {in_all:.0f} days in all while no engine ran"
        return (
            f"retention: the clock shows {iso(now)}, {(now - known) / DAY:.0f} days after it was last believed "
            f"({iso(known)}){often}, so nothing is removed; set the clock right, or if it is, give "
            "`nvr-bridge retention purge --the-clock-is-right`"
        )

    def _gone_ahead(self, now: float, looked: float) -> float:
        """By how much the clock went on without an engine, and not made up for, if it is right now."""
        if self.known is None:
            return 0.0
        ran = looked - self._looked
        return max(0.0, self._ahead - MAKES_UP * ran) + max(0.0, now - self.known - ran)

    def _ran_behind(self, now: float) -> bool:
        """Whether the clock has run far behind for so long that it was the earlier time that was wrong."""
        if self.known is None or self.known - now <= STRAY:
            self._back = None
            return False
        self._back = now if self._back is None else min(self._back, now)
        return now - self._back >= BACK
