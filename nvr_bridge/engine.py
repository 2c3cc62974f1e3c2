"""The composition root: builds everything, and owns every task in one task group.

cameras → presence → recogniser → attendance → store → bus → server → hub
                         ↑
             gate ← interlock ← hub (sign, act)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from .approach import Approach
from .camera import CameraLoop
from .config import Config
from .consent.capture import Captures
from .consent.checkpoints import Checkpoints
from .consent.enrol import Enrolment
from .consent.interlock import Interlock
from .consent.ledger import Ledger
from .consent.links import Links
from .consent.passes import Passes
from .consent.permit import Gate, OfflineGate
from .consent.policy import Policy, load_policy
from .consent.readings import Readings
from .consent.receipts import Receipts
from .consent.records import Records
from .consent.requests import Requests
from .consent.retention import limits
from .consent.vault import Vault
from .errors import RetryError
from .events import Bus, EventLog
from .fleet import Fleet
from .gallery import Gallery
from .office.casefile import CaseFiles
from .office.cases import CaseDesk, Store
from .office.consents import Consents
from .office.desk import Desk
from .office.identities import Identities
from .office.keeper import Keeper
from .office.keyring import Keyring
from .office.kiosk import Kiosk
from .office.leaving import Leaving
from .office.notary import Notary
from .office.portal import Portal
from .office.receipts import ReceiptDesk
from .office.register import Register
from .office.signings import Signings
from .presence import Presence
from .recognise import Recogniser
from .server.app import Server
from .service import Parts, Service
from .sight import Sight
from .store.assessments import AssessmentTable
from .store.cameras import CameraTable
from .store.cases import CaseTable
from .store.claims import ClaimTable
from .store.corrections import CorrectionTable
from .store.database import Database
from .store.files import KEYS
from .store.partners import PartnerTable
from .store.reach import Reach
from .store.referrals import ReferralTable
from .store.registrations import RegistrationTable
from .store.settings import SettingsTable
from .store.sightings import SightingTable
from .store.signings import SigningTable
from .store.staff import StaffTable
from .store.tokens import TokenTable
from .store.visits import VisitTable
from .vision.qr_codes import CodeReader
from .vision.sessions import load
from .visits.attendance import Attendance
from .visits.casebook import Casebook, Tables
from .visits.unjudged import Unjudged
from .visits.verdicts import Verdicts
from .worker import Worker

_LOGGER = logging.getLogger(__name__)

INTERLOCK_EVERY = 0.2  # seconds between looks at the interlock: it must be seen to open within one
SWEEP_EVERY = 1.0  # seconds between sweeps of visits
COUNTERS_EVERY = 10.0  # seconds between pushes of counters that move all the time
KEEP_EVERY = 60.0  # seconds between looks whether a purge is due
VERDICTS_EVERY = 0.1  # seconds between looks for verdicts that are to be told
EXPIRY_EVERY = 60.0  # seconds between looks for consents that have expired
READINGS_EVERY = 60.0  # seconds between looks for readings to write together
SIGN_EVERY = 3600.0  # seconds between checkpoints of the ledger; the first is made at the start


@dataclass(frozen=True, slots=True)
class Running:
    """An engine that serves."""

    service: Service
    port: int


async def run(config: Config, passphrase: str | None = None) -> None:
    """Serve the site until SIGTERM or SIGINT. Raises a `BridgeError` for what a person must mend before it can start.

    `passphrase` opens the site's keys, where no key file does.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(config, passphrase):
        await stop.wait()
        _LOGGER.info("stopping")


@asynccontextmanager
async def serving(config: Config, passphrase: str | None = None) -> AsyncIterator[Running]:
    """A whole engine, from an opened store to a listening server, for as long as the block lasts."""
    OfflineGate.close_for_good()
    async with AsyncExitStack() as stack:
        service = await _build(config, passphrase, stack)
        server = Server(service)
        async with asyncio.TaskGroup() as group:
            await service.fleet.start(group)
            await server.start()
            stopping = asyncio.Event()
            for seconds, duty in (
                (INTERLOCK_EVERY, service.watch_interlock),
                (SWEEP_EVERY, service.sweep),
                (COUNTERS_EVERY, service.push_counters),
                (EXPIRY_EVERY, service.leaving.expire),
                (KEEP_EVERY, service.keeper.keep),
                (VERDICTS_EVERY, service.tell_verdicts),
                (KEEP_EVERY, service.keyring.back_up),
                (KEEP_EVERY, service.watch.look),
                (SIGN_EVERY, service.notary.sign_ledger),
                (READINGS_EVERY, service.readings.flush),
            ):
                group.create_task(_every(seconds, duty, stopping), name=duty.__name__)
            try:
                yield Running(service, server.port)
            finally:
                await server.stop()
                await service.fleet.stop()
                stopping.set()


async def _every(seconds: float, duty: Callable[[], Awaitable[None]], stopping: asyncio.Event) -> None:
    """Do `duty` again and again until `stopping`, and then let it end.

    What may work later by itself is said once, and tried again; anything else is a bug.
    """
    failing = False
    while not stopping.is_set():
        try:
            await duty()
        except RetryError as err:
            if not failing:
                _LOGGER.warning("%s: %s", duty.__name__, err)
            failing = True
        else:
            failing = False
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), seconds)


async def _build(config: Config, passphrase: str | None, stack: AsyncExitStack) -> Service:
    """Every part, from the store up. `stack` closes them in the opposite order."""
    policy = await asyncio.to_thread(_policy, config)
    base = await _open(config, passphrase, stack)
    database, vault, ledger, log, records = base.database, base.vault, base.ledger, base.log, base.records
    evidence = _evidence(config, database, vault, ledger, log)
    bus, interlock = Bus(), Interlock(config.zones, policy, config.notice_hash, config.sign_ttl)
    gate = Gate(config.zones, interlock)
    sight, gallery = await _models(config, policy.biometrics, gate, records, stack)
    unjudged, casebook = Unjudged(), Casebook(evidence, config.rules)
    attendance = await _attendance(config, evidence.visits, bus, unjudged)
    recogniser = Recogniser(config.zones, gate, gallery, attendance, evidence.sightings, sight)
    approach = Approach(config.zones, config.approach_gap, database, log, bus)
    presence = Presence(config, interlock, recogniser, evidence, approach, bus)
    reader, fleet = _cameras(config, CameraTable(database, vault), sight, presence, gate, bus, stack)
    captures = Captures(fleet, sight)
    enrolment = Enrolment(config, policy, gate, records, gallery, recogniser, attendance, captures, sight, bus)
    leaving = Leaving(records, Requests(database), gallery, recogniser, attendance, casebook, bus)
    passes, partners = Passes(database, vault, ledger, records), PartnerTable(database, ledger)
    register = Register(config, vault, records, passes, attendance, unjudged, presence.refresh)
    store = Store(database, evidence, ClaimTable(database), TokenTable(database), partners, ledger)
    cases = await _cases(config, store, log, bus, records, casebook, unjudged, presence)
    parts = Parts(
        config=config,
        policy=policy,
        database=database,
        assessments=base.assessments,
        tokens=store.tokens,
        log=log,
        ledger=ledger,
        records=records,
        evidence=evidence,
        bus=bus,
        interlock=interlock,
        gate=gate,
        sight=sight,
        recogniser=recogniser,
        attendance=attendance,
        presence=presence,
        enrolment=enrolment,
        fleet=fleet,
        leaving=leaving,
        keyring=base.keyring,
        consents=Consents(enrolment, records, passes, leaving, base.receipts),
        keeper=Keeper(config, policy, database, base.settings, base.assessments, ledger, leaving, casebook),
        desk=Desk(register, passes, partners, evidence),
        links=Links(database, vault, ledger, records),
        portal=Portal(config, store, unjudged),
        signings=Signings(register, evidence, casebook),
        identities=Identities(register, evidence),
        cases=cases,
        casebook=casebook,
        notary=Notary(store, base.checkpoints, CaseFiles(config, store, records, casebook), config.timezone),
        receipts=base.receipts,
        readings=base.readings,
    )
    service = Service(parts, _kiosk(parts, passes, reader))
    await service.load()
    return service


def _policy(config: Config) -> Policy:
    """The profile as the site has it. What it does not allow is refused before anything is opened."""
    policy = load_policy(config.profile, config.policy)
    limits(policy, config)
    return policy


@dataclass(frozen=True, slots=True)
class _Base:
    """What everything else lies on."""

    database: Database
    vault: Vault
    ledger: Ledger
    log: EventLog
    settings: SettingsTable
    assessments: AssessmentTable
    records: Records
    checkpoints: Checkpoints
    receipts: ReceiptDesk
    readings: Readings
    keyring: Keyring


async def _cases(
    config: Config,
    store: Store,
    log: EventLog,
    bus: Bus,
    records: Records,
    casebook: Casebook,
    unjudged: Unjudged,
    presence: Presence,
) -> CaseDesk:
    """Who tells verdicts, and who settles them; what was left untold is to be told first."""
    verdicts = Verdicts(store.database, log, bus, store.evidence, casebook, unjudged, config.rules)
    await verdicts.load()
    return CaseDesk(config, store, records, casebook, verdicts, unjudged, presence)


async def _open(config: Config, passphrase: str | None, stack: AsyncExitStack) -> _Base:
    """The store, its keys and its record."""
    database = await Database.open(config.data_dir)
    stack.push_async_callback(database.close)
    keys_dir = config.data_dir / KEYS
    vault = await Vault.open(keys_dir, fresh=database.fresh, passphrase=passphrase)
    checkpoints = await Checkpoints.open(database, vault, keys_dir)
    ledger, log, settings = Ledger(database, vault), EventLog(database), SettingsTable(database)
    readings = Readings(ledger)
    stack.push_async_callback(readings.close)
    keyring = Keyring(vault, keys_dir, config.key_backup, settings, ledger)
    await keyring.note_rotation()
    records = await Records.open(database, vault, ledger, log, notice_hash=config.notice_hash)
    assessments = AssessmentTable(database, ledger)
    receipts = ReceiptDesk(Receipts(database, ledger, checkpoints))
    return _Base(database, vault, ledger, log, settings, assessments, records, checkpoints, receipts, readings, keyring)


def _kiosk(parts: Parts, passes: Passes, reader: CodeReader) -> Kiosk:
    """What tablets at consent points ask."""
    watching = (parts.gate, parts.enrolment, parts.recogniser, parts.fleet, parts.presence)
    keeping = (parts.desk, parts.records, passes, parts.links, parts.ledger)
    return Kiosk(parts.config, parts.policy, *watching, *keeping, reader)


def _cameras(
    config: Config,
    table: CameraTable,
    sight: Sight,
    presence: Presence,
    gate: Gate,
    bus: Bus,
    stack: AsyncExitStack,
) -> tuple[CodeReader, Fleet]:
    """What pulls the cameras, and what reads codes in their pictures."""
    reader, fps = CodeReader(), config.analysis_fps
    stack.push_async_callback(reader.close)
    make_loop = partial(CameraLoop, sight=sight, viewer=presence, codes=reader, armed=gate.armed, analysis_fps=fps)
    return reader, Fleet(table, config.zones, config.interfaces, bus, make_loop)


async def _models(
    config: Config, biometrics: bool, gate: Gate, records: Records, stack: AsyncExitStack
) -> tuple[Sight, Gallery]:
    """What looks at pictures, and the index of templates. Each has a thread of its own."""
    worker = Worker("vision")
    stack.push_async_callback(worker.close)
    vision = await worker.run(
        load, config.models_dir, config.pack, spend=gate.spend, embedder=biometrics, liveness=config.liveness
    )
    gallery = Gallery(vision.dimension, vision.threshold)
    stack.push_async_callback(gallery.close)
    await gallery.rebuild(records.templates)
    return Sight(vision, worker, config.min_face), gallery


async def _attendance(config: Config, visits: VisitTable, bus: Bus, unjudged: Unjudged) -> Attendance:
    """Who is on a visit, those included who were when the engine last stopped."""
    attendance = Attendance(visits, bus, unjudged, config.visit_gap)
    await attendance.load()
    return attendance


def _evidence(config: Config, database: Database, vault: Vault, ledger: Ledger, log: EventLog) -> Tables:
    return Tables(
        visits=VisitTable(database, log),
        sightings=SightingTable(database, ledger),
        referrals=ReferralTable(database, vault, ledger, config.rules.validity),
        registrations=RegistrationTable(database, ledger),
        signings=SigningTable(database, ledger),
        staff=StaffTable(database, ledger),
        corrections=CorrectionTable(database, ledger),
        reach=Reach(database),
        cases=CaseTable(database, vault, ledger),
    )
