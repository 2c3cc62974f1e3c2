"""A whole store with its keys, opened as the engine opens it, for the tests of what lies in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from new_store import new_store

from nvr_bridge.consent.checkpoints import Checkpoints
from nvr_bridge.consent.ledger import Ledger
from nvr_bridge.consent.passes import Passes
from nvr_bridge.consent.records import Granted, Records
from nvr_bridge.consent.vault import Vault
from nvr_bridge.events import EventLog
from nvr_bridge.store.cases import CaseTable
from nvr_bridge.store.claims import ClaimTable
from nvr_bridge.store.corrections import CorrectionTable
from nvr_bridge.store.database import Database
from nvr_bridge.store.partners import PartnerTable
from nvr_bridge.store.reach import Reach
from nvr_bridge.store.referrals import ReferralTable
from nvr_bridge.store.registrations import RegistrationTable
from nvr_bridge.store.sightings import SightingTable
from nvr_bridge.store.signings import SigningTable
from nvr_bridge.store.staff import StaffTable
from nvr_bridge.store.visits import VisitTable
from nvr_bridge.visits.casebook import Casebook, Tables
from nvr_bridge.visits.evidence import Rules

if TYPE_CHECKING:
    from nvr_bridge.models import Embedding

NOW = 1_790_000_000.0
NOTICE = "ab" * 32
VALIDITY = 3 * 86400.0


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that keeps something."""

    data_dir: Path
    db: Database
    evidence: Tables  # what attribution is decided from
    vault: Vault
    ledger: Ledger
    checkpoints: Checkpoints
    log: EventLog
    records: Records
    visits: VisitTable
    sightings: SightingTable
    passes: Passes
    partners: PartnerTable
    referrals: ReferralTable
    registrations: RegistrationTable
    cases: CaseTable
    signings: SigningTable
    staff: StaffTable
    corrections: CorrectionTable
    claims: ClaimTable

    async def grant(self, person: int, *, looks: int = 1, expires_at: float = NOW + 86400, now: float = NOW) -> Granted:
        """Remember a made-up person."""
        return await self.records.grant(
            zone_id="desk",
            notice_hash=NOTICE,
            language="en",
            purpose="to be recognised on return",
            expires_at=expires_at,
            guardian=False,
            embeddings=[face(person, look) for look in range(looks)],
            now=now,
        )

    def casebook(self, settings: Rules) -> Casebook:
        """What judges all of it."""
        return Casebook(self.evidence, lambda: settings)

    def files(self) -> dict[str, bytes]:
        """Every file of the data directory, as it is on the disk now."""
        return files(self.data_dir)


@asynccontextmanager
async def open_site(
    data_dir: Path,
    now: float = NOW,
    notice_hash: str | None = None,
    kept: frozenset[str] = frozenset(),
    settings: Rules | None = None,
) -> AsyncIterator[Site]:
    """Open the store at `now`, and close it after use. Under `settings` the verdicts stay of whom a crash left half erased."""
    await new_store(data_dir)
    db = await Database.open(data_dir)
    try:
        vault = await Vault.open(data_dir / "keys", fresh=db.fresh, kept=kept)
        ledger, log = Ledger(db, vault), EventLog(db)
        evidence = Tables(
            visits=VisitTable(db, log),
            sightings=SightingTable(db, ledger),
            referrals=ReferralTable(db, vault, ledger, lambda: VALIDITY),
            registrations=RegistrationTable(db, ledger),
            signings=SigningTable(db, ledger),
            staff=StaffTable(db, ledger),
            corrections=CorrectionTable(db, ledger),
            reach=Reach(db),
            cases=CaseTable(db, vault, ledger),
        )
        settle = Casebook(evidence, lambda: settings).to_settle if settings else None
        records = await Records.open(db, vault, ledger, log, lambda: now, notice_hash, settle)
        yield Site(
            data_dir=data_dir,
            db=db,
            evidence=evidence,
            vault=vault,
            ledger=ledger,
            checkpoints=await Checkpoints.open(db, vault, data_dir / "keys"),
            log=log,
            records=records,
            visits=evidence.visits,
            sightings=evidence.sightings,
            passes=Passes(db, vault, ledger, records),
            partners=PartnerTable(db, ledger),
            referrals=evidence.referrals,
            registrations=evidence.registrations,
            cases=evidence.cases,
            signings=evidence.signings,
            staff=evidence.staff,
            corrections=evidence.corrections,
            claims=ClaimTable(db),
        )
    finally:
        await db.close()


def face(person: int, look: int = 0) -> Embedding:
    """An embedding as an embedder would give it: (512,), unit length, always the same for the same look."""
    vector = np.random.default_rng([person, look]).standard_normal(512).astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def files(data_dir: Path) -> dict[str, bytes]:
    """Every file below the directory."""
    return {path.relative_to(data_dir).as_posix(): path.read_bytes() for path in data_dir.rglob("*") if path.is_file()}
