"""What everything else lies on: the store, its keys and its record."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass

from .config import Config
from .consent.checkpoints import Checkpoints
from .consent.key_backup import known_destroyed
from .consent.ledger import Ledger
from .consent.policy import Policy
from .consent.readings import Readings
from .consent.receipts import Receipts
from .consent.records import Records
from .consent.vault import Vault
from .errors import AskError
from .events import EventLog
from .office.keyring import Keyring
from .office.receipts import ReceiptDesk
from .office.rules import SiteRules
from .store.assessments import AssessmentTable
from .store.cases import CaseTable
from .store.corrections import CorrectionTable
from .store.database import Database
from .store.files import KEYS
from .store.reach import Reach
from .store.referrals import ReferralTable
from .store.registrations import RegistrationTable
from .store.settings import SettingsTable
from .store.sightings import SightingTable
from .store.signings import SigningTable
from .store.staff import StaffTable
from .store.visits import VisitTable
from .visits.casebook import Casebook, Tables

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Base:
    """Opened by `open_base`."""

    database: Database
    vault: Vault
    ledger: Ledger
    log: EventLog
    settings: SettingsTable
    evidence: Tables
    assessments: AssessmentTable
    records: Records
    checkpoints: Checkpoints
    receipts: ReceiptDesk
    readings: Readings
    keyring: Keyring
    rules: SiteRules


async def open_base(config: Config, policy: Policy, passphrase: str | None, stack: AsyncExitStack) -> Base:
    """The store, its keys and its record."""
    database = await Database.open(config.data_dir)
    stack.push_async_callback(database.close)
    keys_dir = config.data_dir / KEYS
    vault = await Vault.open(keys_dir, database.fresh, passphrase, await asyncio.to_thread(_destroyed, config))
    checkpoints = await Checkpoints.open(database, vault, keys_dir)
    ledger, log, settings = Ledger(database, vault), EventLog(database), SettingsTable(database)
    readings = Readings(ledger)
    stack.push_async_callback(readings.close)
    keyring = Keyring(vault, keys_dir, config.key_backup, settings, ledger)
    await keyring.note_rotation()
    await keyring.note_return()
    rules = SiteRules(config, policy, database, ledger)
    await rules.load()
    evidence = _tables(database, vault, ledger, log, rules)
    settle = Casebook(evidence, rules.book).to_settle
    records = await Records.open(database, vault, ledger, log, notice_hash=config.notice_hash, settle=settle)
    assessments = AssessmentTable(database, ledger)
    receipts = ReceiptDesk(Receipts(database, ledger, checkpoints))
    kept = (settings, evidence, assessments, records, checkpoints, receipts, readings, keyring, rules)
    return Base(database, vault, ledger, log, *kept)


def _tables(database: Database, vault: Vault, ledger: Ledger, log: EventLog, rules: SiteRules) -> Tables:
    """Where evidence is kept."""
    return Tables(
        visits=VisitTable(database, log),
        sightings=SightingTable(database, ledger),
        referrals=ReferralTable(database, vault, ledger, rules.validity),
        registrations=RegistrationTable(database, ledger),
        signings=SigningTable(database, ledger),
        staff=StaffTable(database, ledger),
        corrections=CorrectionTable(database, ledger),
        reach=Reach(database),
        cases=CaseTable(database, vault, ledger),
    )


def _destroyed(config: Config) -> frozenset[str]:
    """What the key backup knows of destroyed keys: it may be newer than a data folder that was restored."""
    try:
        return known_destroyed(config.key_backup)
    except AskError as err:
        _LOGGER.warning("%s", err)
        return frozenset()
