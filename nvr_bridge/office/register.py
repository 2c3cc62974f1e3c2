"""The site's book of who was registered: finds the visitor whom a person names, and puts them on a visit.

A contact or document is hashed here, before anything else sees it: it is not stored, logged, put in an event or in an error.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..config import Config
from ..consent.passes import Passes
from ..consent.records import Records
from ..consent.vault import Vault
from ..errors import InvalidError, NotFoundError
from ..models import Visit
from ..store.visits import Also
from ..visits.attendance import Attendance
from ..visits.evidence import contact, document
from ..visits.unjudged import Unjudged
from .listing import iso


class Register:
    """What the desk, signings and corrections share. `changed` is told of each zone whose counts have changed."""

    def __init__(
        self,
        config: Config,
        vault: Vault,
        records: Records,
        passes: Passes,
        attendance: Attendance,
        unjudged: Unjudged,
        changed: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.config = config
        self.clock = clock
        self.unjudged = unjudged
        self.contact_key = vault.hash_key("contact")
        self._document_key = vault.hash_key("document")
        self._records = records
        self._passes = passes
        self._attendance = attendance
        self._changed = changed

    def check_zone(self, zone_id: str) -> None:
        """Raises `NotFoundError` for a zone that the site has not."""
        if zone_id not in self.config.zones:
            zones = ", ".join(self.config.zones)
            raise NotFoundError(f"zone: {zone_id!r} does not exist; the site's zones are {zones}")

    def contact(self, number: str) -> tuple[str, str]:
        """A number as keyed hashes: of itself, and of its mask. Raises `InvalidError` for a masked one."""
        given = contact(number, self.contact_key)
        if given.full is None:
            raise InvalidError("contact: is masked; only a referral may be, so give the whole number")
        return given.full, given.mask

    def document(self, number: str) -> str:
        """A document's number as a keyed hash."""
        return document(number, self._document_key)

    def alias(self, visitor_id: str) -> str | None:
        """What the visitor is called, or None once they withdrew."""
        return self._records.alias(visitor_id)

    async def visitor(self, alias: str) -> str:
        """Whose alias this is, however it was typed. Raises `NotFoundError`."""
        visitor_id = await self._records.visitor_for(alias)
        if visitor_id is None:
            raise NotFoundError("alias: no visitor has it; check the spelling, or the visitor withdrew")
        return visitor_id

    async def visitors(self, field: str, aliases: list[str]) -> tuple[str, ...]:
        """Whose aliases these are. Raises `NotFoundError`, and `InvalidError` where two are one visitor's."""
        found: list[str] = []
        for place, alias in enumerate(aliases, 1):
            visitor_id = await self._records.visitor_for(alias)
            if visitor_id is None:
                raise NotFoundError(f"{field}: no visitor has number {place} of them; check the spelling")
            if visitor_id in found:
                raise InvalidError(f"{field}: number {place} is named twice; name each visitor once")
            found.append(visitor_id)
        return tuple(found)

    async def named(self, args: dict[str, Any]) -> str | None:
        """The visitor whom the arguments name by alias or by a pass's code; None where they name nobody."""
        if "alias" in args:
            return await self.visitor(args["alias"])
        return await self._passes.holder(args["code"]) if "code" in args else None

    async def present(
        self, visitor_id: str | None, names: tuple[str, ...], zone_id: str, at: float, also: Also
    ) -> Visit:
        """Somebody is here, and `also` is written with their visit: a visitor, or whoever the keyed hashes `names` stand for."""
        visit = await self._attendance.registered(visitor_id, names, zone_id, at, also)
        self._changed(zone_id)
        return visit

    def visit_row(self, visit: Visit) -> dict[str, Any]:
        """What whoever registered a visitor is told."""
        return {
            "visit": visit.visit_id,
            "alias": self._records.alias(visit.visitor_id) if visit.visitor_id else None,
            "zone": visit.zone_id,
            "started_at": iso(visit.started_at),
            "earlier": visit.earlier,
            "returning": visit.returning,
        }
