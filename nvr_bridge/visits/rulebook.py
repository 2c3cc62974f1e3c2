"""A site's settings through time: each visit is judged under those that held when it began. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter

from .evidence import Settings

type Change = tuple[float, Settings]  # when settings were changed, and what holds for visits that begin after it

_when = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Keeps `evidence.Rules`."""

    first: Settings  # held before any change
    changes: tuple[Change, ...] = ()  # in time order; of those at one instant the last one counts

    @property
    def now(self) -> Settings:
        """What the last change made of them."""
        return self._version(len(self.changes))

    def at(self, moment: float) -> Settings:
        """The settings of a visit that begins at `moment`."""
        return self._version(self._before(moment))

    def around(self, moment: float, error: float) -> tuple[Settings, ...]:
        """All that may be those of a visit that begins at `moment` by a clock that is wrong by `error` at most, `at`'s first."""
        if not error:
            return (self.at(moment),)
        possible = range(self._before(moment - error), self._before(moment + error) + 1)
        return tuple(dict.fromkeys((self.at(moment), *map(self._version, possible))))

    def until(self, moment: float) -> tuple[Settings, ...]:
        """All that were those of a visit that began at `moment` or earlier."""
        return tuple(self._version(index) for index in range(self._before(moment) + 1))

    def with_change(self, at: float, settings: Settings) -> Rulebook:
        """The same with one more change, after all others."""
        return Rulebook(self.first, (*self.changes, (at, settings)))

    def altered(self, alter: Callable[[Settings], Settings]) -> Rulebook:
        """The same changes at the same times, each of the settings altered."""
        return Rulebook(alter(self.first), tuple((at, alter(settings)) for at, settings in self.changes))

    def decides_for(self, now: float) -> float:
        """For how many seconds, counted back from `now`, evidence can decide a verdict.

        Earlier settings count for as long as visits that began under them lie within that time.
        """
        versions = [self.first, *(settings for _, settings in self.changes)]
        longest = _reach(versions[-1])
        seconds = sum(longest)
        for (ended, _), settings in zip(reversed(self.changes), reversed(versions[:-1]), strict=True):
            # The longest of each, for a chain of visits may be judged under several.
            longest = tuple(map(max, longest, _reach(settings)))
            if ended >= now - sum(longest):
                seconds = sum(longest)
        return seconds

    def _version(self, index: int) -> Settings:
        return self.changes[index - 1][1] if index else self.first

    def _before(self, moment: float) -> int:
        return bisect_left(self.changes, moment, key=_when)


def _reach(settings: Settings) -> tuple[float, ...]:
    return (settings.validity, settings.protection, settings.natural_protection)
