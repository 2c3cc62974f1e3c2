"""What makes the record provable: its checkpoints, its verification, and evidence packs that anybody can check."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from ..consent.checkpoints import Checkpoints, Sealed
from ..consent.signing import SigningKey
from ..consent.walk import Verdict
from ..errors import AskError
from ..evidence.chain import Data, Entry
from ..evidence.checkpoint import Checkpoint
from ..evidence.pack import write
from ..evidence.verify import verify
from .casefile import CaseFile, CaseFiles, Sections
from .casepage import page
from .cases import Store

_LOGGER = logging.getLogger(__name__)


class Notary:
    """Answers the commands that prove something, and signs the ledger from time to time."""

    def __init__(
        self,
        store: Store,
        checkpoints: Checkpoints,
        files: CaseFiles,
        timezone: ZoneInfo,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = store.database
        self._ledger = store.ledger
        self._checkpoints = checkpoints
        self._files = files
        self._timezone = timezone
        self._clock = clock
        self._refused = ""

    async def ledger_verify(self, args: dict[str, Any]) -> dict[str, Any]:
        """Walk the whole ledger, its checkpoints, and those that somebody kept."""
        kept = [Checkpoint.of(told) for told in args["checkpoints"]]
        return verified(await self._checkpoints.verify(kept), self._checkpoints.key.fingerprint)

    async def case_export(self, args: dict[str, Any], role: str, token_id: str | None) -> dict[str, Any]:
        """A case's evidence pack. That it was made, and for whom, is in the ledger first."""
        file = await self._files.gather(args["case"], reasons=args["reasons"])
        await self._record(file, role, token_id)
        sealed = await self._checkpoints.prove(file.entries)
        entries = await self._ledger.entries(file.entries)
        key = self._checkpoints.key
        content = await asyncio.to_thread(_packed, file.sections, sealed, entries, key, self._timezone)
        return {
            "case": file.case_id,
            "name": f"case-{file.case_id}.html",
            "content": content,
            "fingerprint": key.fingerprint,
        }

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

    async def _record(self, file: CaseFile, role: str, token_id: str | None) -> None:
        visit = file.visit
        visitor_id = self._ledger.nameable(visit.visitor_id)
        data: Data = {"role": role, "token": token_id}
        async with self._database.write() as session:
            await self._ledger.append(
                session, "case_exported", at=self._clock(), zone_id=visit.zone_id, visitor_id=visitor_id, data=data
            )


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


def _packed(gathered: Sections, sealed: Sealed, entries: Sequence[Entry], key: SigningKey, timezone: ZoneInfo) -> str:
    """The file. Raises `AskError` where the store says something else than the ledger recorded."""
    sections: Sections = {
        **gathered,
        "entries": [
            {
                "number": entry.number,
                "at": entry.at,
                "act": entry.act,
                "zone": entry.zone_id,
                "subject": entry.subject,
                "data": entry.data,
                "previous": entry.previous,
                "digest": entry.digest,
                "path": [step.hex() for step in sealed.paths[entry.number]],
            }
            for entry in entries
        ],
        "checkpoint": [sealed.checkpoint.told()],
    }
    written = write(page(sections, key.fingerprint, timezone), sections)
    content = written.signed(key.public, key.sign(written.to_sign))
    checked = verify(content, key.fingerprint)
    if not checked.intact:
        raise AskError(
            f"case: the store is not what the ledger recorded ({checked.faults[0]}); it was changed past the engine: "
            "`nvr-bridge ledger verify` says whether the ledger was too; restore the data folder from a backup"
        )
    return content.decode()
