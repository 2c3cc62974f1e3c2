"""Who gives receipts for erasures: with the answer that somebody was erased, and later those that nobody waited for."""

from __future__ import annotations

import logging
from typing import Any

from ..consent.receipts import Receipts
from ..errors import AskError, RetryError
from .listing import iso

_LOGGER = logging.getLogger(__name__)


class ReceiptDesk:
    """One for the engine. Arguments come checked by `arguments.COMMAND_SCHEMAS`."""

    def __init__(self, receipts: Receipts) -> None:
        self._receipts = receipts

    async def receipt_list(self) -> list[dict[str, Any]]:
        """Receipts for erasures that nobody has taken."""
        waiting = await self._receipts.waiting()
        return [{"number": each.number, "erased_at": iso(each.at), "cause": each.cause} for each in waiting]

    async def receipt_take(self, args: dict[str, Any]) -> dict[str, Any]:
        """One of them. It is given once."""
        return (await self._receipts.take(args["number"])).document

    async def receipt_for(self, number: int) -> dict[str, Any] | None:
        """The receipt for an erasure that has just been made. None where it cannot be signed now: then it waits."""
        try:
            return (await self._receipts.take(number)).document
        except (AskError, RetryError) as err:
            _LOGGER.warning("the receipt for entry %d of the ledger waits: %s", number, err)
            return None
