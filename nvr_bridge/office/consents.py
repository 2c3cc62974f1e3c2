"""What clients can do about consents: take them, renew them, list them, and end them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..consent.enrol import Enrolment
from ..consent.passes import Passes
from ..consent.records import Granted, Records
from ..errors import NotFoundError
from .leaving import Leaving
from .listing import consent_row, iso
from .receipts import ReceiptDesk


class Consents:
    """One for the engine. Arguments come checked by `arguments.COMMAND_SCHEMAS`."""

    def __init__(
        self,
        enrolment: Enrolment,
        records: Records,
        passes: Passes,
        leaving: Leaving,
        receipts: ReceiptDesk,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called when there are more or fewer visitors than before."""
        self._enrolment = enrolment
        self._records = records
        self._passes = passes
        self._leaving = leaving
        self._receipts = receipts
        self.changed = changed

    async def grant(self, args: dict[str, Any]) -> dict[str, Any]:
        """Enrol the visitor who agreed; or who agreed again, and says under which alias."""
        renewing = await self._visitor(args["alias"]) if "alias" in args else None
        granted = await self._enrolment.grant(args, renewing)
        self.changed()
        return _granted(granted)

    async def renew(self, args: dict[str, Any]) -> dict[str, Any]:
        """A visitor agrees again, without being looked at: by their alias, or by their pass."""
        if "code" in args:
            visitor_id = await self._passes.holder(args["code"])
        else:
            visitor_id = await self._visitor(args["alias"])
        granted = await self._enrolment.renew(visitor_id, args)
        self.changed()
        return _granted(granted)

    async def withdraw(self, args: dict[str, Any]) -> dict[str, Any]:
        """Erase the visitor of this alias."""
        return {"withdrawn": True, "receipt": await self.erase(await self._visitor(args["alias"]))}

    async def erase(self, visitor_id: str) -> dict[str, Any] | None:
        """Erase a visitor who withdraws → the receipt; None where it cannot be signed now, and waits."""
        try:
            return await self._receipts.receipt_for(await self._leaving.erase(visitor_id))
        finally:
            self.changed()

    async def all(self) -> list[dict[str, Any]]:
        """Every consent in force."""
        records = self._records
        return [
            consent_row(consent, records.alias(consent.visitor_id), records.covers(consent))
            for consent in await records.consents()
        ]

    async def _visitor(self, alias: str) -> str:
        visitor_id = await self._records.visitor_for(alias)
        if visitor_id is None:
            raise NotFoundError("alias: no visitor has it; check the spelling, or the consent was withdrawn already")
        return visitor_id


def _granted(granted: Granted) -> dict[str, Any]:
    return {
        "alias": granted.alias,
        "consent_id": granted.consent.consent_id,
        "visitor": granted.consent.visitor_id,
        "expires_at": iso(granted.consent.expires_at),
    }
