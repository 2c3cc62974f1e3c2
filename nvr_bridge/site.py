"""The site as one: who is in view, how many came today, and what their visits came to."""

from __future__ import annotations

from collections.abc import Callable

from .events import Bus, State
from .messages import SiteStatus
from .office.listing import iso
from .today import Today


class Site:
    """One for the engine."""

    def __init__(self, name: str, today: Today, everybody: Callable[[], int], bus: Bus) -> None:
        """`everybody` says how many people are in view."""
        self._name = name
        self._today = today
        self._everybody = everybody
        self._bus = bus
        self._told: SiteStatus | None = None

    def status(self) -> SiteStatus:
        """The site's state now."""
        count = self._today.on_site
        visits = count("visits")
        return {
            "name": self._name,
            "day_started_at": iso(self._today.began_at),
            "visits_today": visits,
            "natural_today": count("natural"),
            "channel_today": count("channel"),
            "staff_today": count("staff"),
            "undetermined_today": count("undetermined"),
            "unregistered_today": count("unregistered"),
            "returning_share": round(100 * count("returning") / visits, 1) if visits else None,
            "people_present": self._everybody(),
        }

    def push(self) -> None:
        """Tell the clients the site's state, if it is another than they were told. For whoever tells it now and then."""
        status = self.status()
        if status != self._told:
            self._told = status
            self._bus.publish(State("site", status))
