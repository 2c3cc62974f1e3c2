"""What makes the record provable: its checkpoints, and its verification."""

from __future__ import annotations

import logging
from typing import Any

from .consent.checkpoints import Checkpoints
from .consent.walk import Verdict
from .errors import AskError

_LOGGER = logging.getLogger(__name__)


class Notary:
    """Answers the commands that prove something, and signs the ledger from time to time."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints
        self._refused = ""

    async def ledger_verify(self) -> dict[str, Any]:
        """Walk the whole ledger and its checkpoints."""
        return verified(await self._checkpoints.verify(), self._checkpoints.key.fingerprint)

    async def sign_ledger(self) -> None:
        """A checkpoint, if there are new entries. A ledger that was changed is not signed; the log says so once."""
        refused = ""
        try:
            await self._checkpoints.make()
        except AskError as err:
            refused = str(err)
        if refused and refused != self._refused:
            _LOGGER.error("%s", refused)
        self._refused = refused


def verified(verdict: Verdict, fingerprint: str) -> dict[str, Any]:
    """A verdict as it is told."""
    return {
        "intact": verdict.intact,
        "entries": verdict.entries,
        "checkpoints": verdict.checkpoints,
        "sealed": verdict.sealed,
        "faults": [{"what": fault.what, "number": fault.number, "problem": fault.problem} for fault in verdict.faults],
        "fingerprint": fingerprint,
    }
