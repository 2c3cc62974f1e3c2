"""How a visitor leaves, whoever asked for it: out of the index at once, then out of the store, then out of the hub."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable
from functools import partial

from ..consent.erasure import Withdrawn
from ..consent.records import Records
from ..consent.requests import Requests
from ..errors import ErasureOwedError, NotFoundError, RetryError
from ..events import Bus, Forget, Told
from ..gallery import Gallery
from ..recognise import Recogniser
from ..visits.attendance import Attendance
from ..visits.casebook import Casebook

_LOGGER = logging.getLogger(__name__)


class Leaving:
    """One for the engine."""

    def __init__(
        self,
        records: Records,
        requests: Requests,
        gallery: Gallery,
        recogniser: Recogniser,
        attendance: Attendance,
        casebook: Casebook,
        bus: Bus,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._requests = requests
        self._gallery = gallery
        self._recogniser = recogniser
        self._attendance = attendance
        self._casebook = casebook
        self._bus = bus
        self._clock = clock
        self._held: frozenset[str] = frozenset()  # whose consent has run out by a clock that cannot be believed
        self._erasing: frozenset[str] = frozenset()  # who asked just now
        self.owed: frozenset[str] = frozenset()  # who asked to be erased, and could not be yet

    async def resume(self) -> None:
        """Erase those who asked before this engine started, and whom a crash or a full disk left there."""
        self.owed |= await self._requests.all()
        if self.owed:
            _LOGGER.warning("consent: finishing %d erasures that were asked for before the start", len(self.owed))
        try:
            await self.erase_all(self.owed)
        except RetryError as err:  # they match nobody, and are tried again
            _LOGGER.warning("%s", err)

    async def erase(self, visitor_id: str) -> int:
        """Erase a visitor who withdraws → the ledger's number of it. Raises as `Records.withdraw` does.

        That they asked is on the disk before anything else is done. What cannot be done now is tried again by itself.
        """
        self._gallery.forget(visitor_id)
        self._erasing |= {visitor_id}
        try:
            await self._note(visitor_id)
            return await self._erase(visitor_id, lapsed=False)
        finally:
            if self._records.alias(visitor_id) is not None:
                self.owed |= {visitor_id}
            self._erasing -= {visitor_id}
            await self._gallery.rebuild(self._records.templates)

    async def erase_all(self, visitor_ids: Collection[str], *, lapsed: bool = False) -> int:
        """Erase these visitors, each for itself → how many.

        Raises a `RetryError` if one of them could not be erased now, after the others were; `ErasureOwedError` if all
        were, and only the log could not be cut.
        """
        if not visitor_ids:
            return 0
        self._gallery.forget(*visitor_ids)
        failed: RetryError | None = None
        erased = 0
        try:
            for visitor_id in visitor_ids:
                try:
                    await self._erase(visitor_id, lapsed=lapsed and visitor_id not in self.owed)
                    erased += 1
                except NotFoundError:  # withdrew while this was at another one
                    continue
                except ErasureOwedError as err:
                    erased += 1
                    failed = failed or err
                except RetryError as err:  # that is no reason to keep the others
                    failed = err
        finally:
            await self._gallery.rebuild(self._records.templates)
        if failed is not None:
            raise failed
        return erased

    async def expire(self, *, by_clock: bool = True) -> None:
        """Erase the visitors whose consent has run out, and those who asked to be and could not be yet.

        While the clock cannot be believed (`by_clock` is false), the former are not recognised, and nothing of theirs goes.
        """
        expired = await self._records.expired(self._clock())
        if not by_clock:
            self._gallery.forget(*expired)
            self._held = self._held.union(expired)
        elif self._held:
            self._readmit(self._held.difference(expired))
            self._held = frozenset()
            await self._gallery.rebuild(self._records.templates)
        await self.erase_all(self.owed.union(expired if by_clock else ()))

    async def lapse(self, visitor_ids: Iterable[str]) -> int:
        """End these visitors' consents and keep what else there is of them → how many templates that were."""
        ended = 0
        leaving = tuple(visitor_ids)
        self._gallery.forget(*leaving)
        try:
            for visitor_id in leaving:
                self._recogniser.forget(visitor_id)
                ended += await self._records.lapse(visitor_id, self._clock())
        finally:
            await self._gallery.rebuild(self._records.templates)
            self._readmit(leaving)  # they may agree again
        return ended

    def _readmit(self, visitor_ids: Iterable[str]) -> None:
        """Let them match again, but for those who asked to be erased and are not yet."""
        self._gallery.readmit(*(frozenset(visitor_ids) - self.owed - self._erasing))

    async def _note(self, visitor_id: str) -> None:
        try:
            await self._requests.add(visitor_id, self._clock())
        except RetryError as err:  # the erasure itself may need less of the disk
            _LOGGER.warning("consent: an erasure could not be noted, and is tried at once: %s", err)

    async def _erase(self, visitor_id: str, *, lapsed: bool) -> int:
        self._recogniser.forget(visitor_id)
        await self._attendance.forget(visitor_id)
        visits: list[str] = []
        try:
            settled = await self._casebook.to_settle(visitor_id)
            gone = partial(self._gone, visits)
            withdrawn = await self._records.withdraw(visitor_id, self._clock(), gone, settled, lapsed=lapsed)
        finally:
            if self._records.alias(visitor_id) is None:
                self.owed -= {visitor_id}
            await self._attendance.forget(visitor_id, visits)
        return withdrawn.receipt

    def _gone(self, visits: list[str], gone: Withdrawn) -> None:
        visits += gone.visit_ids
        self._bus.publish(Forget(gone.alias, gone.visit_ids))
        self._bus.publish(Told(gone.event))
