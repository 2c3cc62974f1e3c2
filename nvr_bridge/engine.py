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
from pathlib import Path

from .arming import Arming, Kept
from .base import Base, open_base
from .config import Config, load_config
from .consent.capture import Captures
from .consent.enrol import Enrolment
from .consent.links import Links
from .consent.passes import Passes
from .consent.permit import OfflineGate
from .consent.policy import Policy, load_policy
from .consent.records import Records
from .consent.requests import Requests
from .consent.retention import limits
from .errors import RetryError
from .events import Bus, EventLog
from .live import Live, build_live
from .office.casefile import CaseFiles
from .office.cases import CaseDesk, Store
from .office.consents import Consents
from .office.desk import Desk
from .office.identities import Identities
from .office.keeper import Keeper
from .office.kiosk import Kiosk
from .office.leaving import Leaving
from .office.notary import Notary
from .office.portal import Portal
from .office.register import Register
from .office.settings import SiteSettings
from .office.signings import Signings
from .server.app import Server
from .service import Parts, Service
from .settings_file import SettingsFile
from .store.claims import ClaimTable
from .store.partners import PartnerTable
from .store.tokens import TokenTable
from .vision.qr_codes import CodeReader
from .visits.casebook import Casebook, Tables
from .visits.unjudged import Unjudged
from .visits.verdicts import Verdicts

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


async def run(config: Config, path: Path, passphrase: str | None = None) -> None:
    """Serve the site until SIGTERM or SIGINT. Raises a `BridgeError` for what a person must mend before it can start.

    `passphrase` opens the site's keys, where no key file does. `path` is the `bridge.yaml` that `config` was read from:
    when it is edited, everything starts anew with what it says then.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    following: Config | None = config
    while following is not None:
        config = following
        async with serving(config, passphrase) as engine:
            following = await SettingsFile(path, config, _read).edited(engine.service.settings_edited, stop)
            if following is None:
                _LOGGER.info("stopping")
            else:
                _LOGGER.info("%s: edited; starting anew with it", path)


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
                (INTERLOCK_EVERY, service.arming.watch),
                (SWEEP_EVERY, service.sweep),
                (COUNTERS_EVERY, service.push_counters),
                (EXPIRY_EVERY, service.keeper.expire),
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
                with contextlib.suppress(RetryError):  # that everything is disarmed now, if it can be written at all
                    await service.arming.watch()


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
    base = await open_base(config, policy, passphrase, stack)
    bus, evidence = Bus(), base.evidence
    live = await build_live(config, policy, base, evidence, bus, stack)
    passes = Passes(base.database, base.vault, base.ledger, base.records)
    parts = await _parts(config, policy, base, evidence, bus, live, passes)
    service = Service(parts, _kiosk(parts, passes, live.reader))
    await service.load()
    return service


async def _parts(
    config: Config, policy: Policy, base: Base, evidence: Tables, bus: Bus, live: Live, passes: Passes
) -> Parts:
    """Everything that answers commands, and what it stands on."""
    database, vault, ledger, records = base.database, base.vault, base.ledger, base.records
    recogniser, attendance, unjudged, casebook = live.recogniser, live.attendance, live.unjudged, live.casebook
    captures, partners = Captures(live.fleet, live.sight), PartnerTable(database, ledger)
    seen = (live.gallery, recogniser, attendance)
    enrolment = Enrolment(config, policy, live.gate, records, *seen, captures, live.sight, bus)
    kept = Kept(database, ledger, base.settings, base.assessments)
    lock = (live.interlock, live.gate, enrolment, live.presence, live.fleet)
    leaving = Leaving(records, Requests(database), *seen, casebook, bus)
    register = Register(config, vault, records, passes, attendance, unjudged, live.presence.push)
    store = Store(database, evidence, ClaimTable(database), TokenTable(database), partners, ledger)
    keeper = Keeper(config, policy, database, base.settings, base.assessments, ledger, leaving, casebook)
    return Parts(
        config=config,
        policy=policy,
        database=database,
        tokens=store.tokens,
        log=base.log,
        ledger=ledger,
        records=records,
        evidence=evidence,
        bus=bus,
        interlock=live.interlock,
        gate=live.gate,
        sight=live.sight,
        gallery=live.gallery,
        recogniser=recogniser,
        attendance=attendance,
        presence=live.presence,
        arming=Arming(config, policy, kept, *lock),
        latest=live.latest,
        today=live.today,
        site=live.site,
        enrolment=enrolment,
        fleet=live.fleet,
        leaving=leaving,
        keyring=base.keyring,
        consents=Consents(enrolment, records, passes, leaving, base.receipts),
        rules=base.rules,
        keeper=keeper,
        settings=SiteSettings(keeper, base.rules, evidence.visits, unjudged),
        desk=Desk(register, passes, partners, evidence),
        links=Links(database, vault, ledger, records),
        portal=Portal(config, store, unjudged),
        signings=Signings(register, evidence, casebook),
        identities=Identities(register, evidence),
        cases=await _cases(config, store, base.log, bus, records, casebook, unjudged, live),
        casebook=casebook,
        notary=Notary(store, base.checkpoints, CaseFiles(config, store, records, casebook), config.timezone),
        receipts=base.receipts,
        readings=base.readings,
    )


def _read(path: Path) -> Config:
    """Settings that an engine could start with. Raises `InvalidError`."""
    config = load_config(path)
    _policy(config)
    return config


def _policy(config: Config) -> Policy:
    """The profile as the site has it. What it does not allow is refused before anything is opened."""
    policy = load_policy(config.profile, config.policy)
    limits(policy, config)
    return policy


async def _cases(
    config: Config,
    store: Store,
    log: EventLog,
    bus: Bus,
    records: Records,
    casebook: Casebook,
    unjudged: Unjudged,
    live: Live,
) -> CaseDesk:
    """Who tells verdicts, and who settles them; what was left untold is to be told first."""
    verdicts = Verdicts(store.database, log, bus, store.evidence, casebook, unjudged, config.rules)
    await verdicts.load()
    return CaseDesk(config, store, records, casebook, verdicts, unjudged, live.presence.push, live.today)


def _kiosk(parts: Parts, passes: Passes, reader: CodeReader) -> Kiosk:
    """What tablets at consent points ask."""
    watching = (parts.gate, parts.enrolment, parts.recogniser, parts.fleet, parts.presence)
    keeping = (parts.desk, parts.records, passes, parts.links, parts.ledger)
    return Kiosk(parts.config, parts.policy, *watching, *keeping, reader)
