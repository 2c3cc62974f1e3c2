"""How a visitor leaves, whoever asked for it: out of the index at once, then out of the store, then out of the hub."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from functools import partial

from ..consent.erasure import Withdrawn
from ..consent.records import Records
from ..errors import ErasureOwedError, NotFoundError, RetryError
from ..events import Bus, Forget, Told
from ..gallery import Gallery
from ..recognise import Recogniser
from ..visits.attendance import Attendance
from ..visits.casebook import Casebook


class Leaving:
    """One for the engine."""

    def __init__(
        self,
        records: Records,
        gallery: Gallery,
        recogniser: Recogniser,
        attendance: Attendance,
        casebook: Casebook,
        bus: Bus,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._gallery = gallery
        self._recogniser = recogniser
        self._attendance = attendance
        self._casebook = casebook
        self._bus = bus
        self._clock = clock

    async def erase(self, visitor_id: str) -> int:
        """Erase a visitor who withdraws → the ledger's number of it. Raises as `Records.withdraw` does."""
        self._gallery.forget(visitor_id)
        try:
            return await self._erase(visitor_id, lapsed=False)
        finally:
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
                    await self._erase(visitor_id, lapsed=lapsed)
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

    async def expire(self) -> None:
        """Erase the visitors whose consent has run out."""
        await self.erase_all(await self._records.expired(self._clock()))

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
            self._gallery.readmit(*leaving)  # they may agree again
        return ended

    async def _erase(self, visitor_id: str, *, lapsed: bool) -> int:
        self._recogniser.forget(visitor_id)
        await self._attendance.forget(visitor_id)
        visits: list[str] = []
        try:
            settled = await self._casebook.to_settle(visitor_id)
            gone = partial(self._gone, visits)
            withdrawn = await self._records.withdraw(visitor_id, self._clock(), gone, settled, lapsed=lapsed)
        finally:
            await self._attendance.forget(visitor_id, visits)
        return withdrawn.receipt

    def _gone(self, visits: list[str], gone: Withdrawn) -> None:
        visits += gone.visit_ids
        self._bus.publish(Forget(gone.alias, gone.visit_ids))
        self._bus.publish(Told(gone.event))
