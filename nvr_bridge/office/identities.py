"""What people at the site say of visitors: who belongs to the staff, and who is who."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidError
from ..store.corrections import CorrectionTable, Kind
from ..store.staff import StaffTable, StoredMark, in_force
from ..visits.casebook import Tables
from ..visits.sessions import day_start
from .listing import iso
from .register import Register


class Identities:
    """Answers the commands about staff and corrections. Arguments come checked."""

    def __init__(self, register: Register, evidence: Tables) -> None:
        self._register = register
        self._staff: StaffTable = evidence.staff
        self._corrections: CorrectionTable = evidence.corrections

    async def staff_mark(self, args: dict[str, Any]) -> dict[str, Any]:
        """A visitor belongs to the staff."""
        visitor_id = await self._register.visitor(args["alias"])
        now = self._register.clock()
        since, until = args.get("from", now), args.get("until")
        if until is not None and until <= since:
            raise InvalidError("until: is not after from; give a later time, or leave it out")
        mark = await self._staff.mark(visitor_id, since, until, now)
        self._register.unjudged.visitors([visitor_id])
        return self._mark(mark)

    async def staff_end(self, args: dict[str, Any]) -> dict[str, Any]:
        """A visitor belongs to the staff no longer."""
        visitor_id = await self._register.visitor(args["alias"])
        now = self._register.clock()
        mark = await self._staff.end(visitor_id, args.get("until", now), now, self._day_start)
        self._register.unjudged.visitors([visitor_id])
        return self._mark(mark)

    async def staff_list(self) -> list[dict[str, Any]]:
        """Who belongs to the staff, or did, the earliest first."""
        return [self._mark(mark) for mark in in_force(await self._staff.all())]

    async def split(self, args: dict[str, Any]) -> dict[str, Any]:
        """Visitors are different people."""
        return await self._correct("split", args["aliases"])

    async def merge(self, args: dict[str, Any]) -> dict[str, Any]:
        """Visitors are one person."""
        return await self._correct("merge", args["aliases"])

    # --- helpers ---

    async def _correct(self, kind: Kind, aliases: list[str]) -> dict[str, Any]:
        visitors = await self._register.visitors("aliases", aliases)
        made = await self._corrections.correct(kind, visitors, self._register.clock())
        self._register.unjudged.visitors(visitors)
        return {"correction": made.correction_id, "kind": made.kind, "at": iso(made.at)}

    def _day_start(self, at: float) -> float:
        return day_start(at, self._register.config.timezone)

    def _mark(self, mark: StoredMark) -> dict[str, Any]:
        now = self._register.clock()
        begun = self._day_start(mark.from_at) <= now
        return {
            "alias": self._register.alias(mark.visitor_id),
            "from": iso(mark.from_at),
            "until": None if mark.until_at is None else iso(mark.until_at),
            "current": begun and (mark.until_at is None or now < mark.until_at),
        }
