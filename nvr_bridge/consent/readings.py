"""Reading what is kept of people is an act too: who asked, for what, and how much they were given.

The first of several alike is written before it is answered. A page that asks every few seconds would bury the ledger, so
what the same client asks again within ten minutes is counted, and written as one entry when they are over.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import RetryError
from ..store.schema import Data
from .ledger import Ledger, on_behalf_of

TOGETHER = 600.0  # seconds
_LOG = logging.getLogger(__name__)

type _Key = tuple[str, str, str, str | None]  # act, role, token, and a hub's user


@dataclass(slots=True)
class _Again:
    """What one client asked again, since its first question was written."""

    since: float
    times: int = 0
    rows: int = 0


class Readings:
    """Writes them down. One for the engine."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float] = time.time) -> None:
        self._ledger = ledger
        self._clock = clock
        self._again: dict[_Key, _Again] = {}

    async def read(self, act: str, role: str, token_id: str | None, rows: int, user: str | None = None) -> None:
        """A client is about to be given `rows` of something, for this `user` if it is a hub that says so.

        Raises `RetryError`: nothing is given unrecorded.
        """
        key, now = (act, role, token_id or "", user), self._clock()
        again = self._again.get(key)
        if again is not None and _is_over(again, now):
            await self._end(key, again)
            again = self._again.get(key)
        if again is not None:
            again.times += 1
            again.rows += rows
            return
        await self._write(key, {"rows": rows})
        self._again.setdefault(key, _Again(now))

    async def flush(self) -> None:
        """Write what was asked again, where its ten minutes are over."""
        now = self._clock()
        for key, again in [*self._again.items()]:
            if _is_over(again, now):
                await self._end(key, again)

    async def close(self) -> None:
        """Write all that was asked again, if that is still possible."""
        try:
            for key, again in [*self._again.items()]:
                await self._end(key, again)
        except RetryError as err:
            _LOG.warning("ledger: what was read again in the last minutes is not in it: %s", err)

    async def _end(self, key: _Key, again: _Again) -> None:
        if self._again.get(key) is not again:
            return
        del self._again[key]
        if again.times:
            try:
                await self._write(key, {"rows": again.rows, "times": again.times})
            except RetryError:
                self._again.setdefault(key, again)  # to be written later
                raise

    async def _write(self, key: _Key, data: Data) -> None:
        act, role, token_id, user = key
        with on_behalf_of(user):
            await self._ledger.record(act, data={"role": role, "token": token_id, **data})


def _is_over(again: _Again, now: float) -> bool:
    return not 0 <= now - again.since < TOGETHER
