"""From the cameras to the visits: what follows faces, permits, recognises and counts, put together."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from .approach import Approach
from .base import Base
from .camera import CameraLoop
from .config import Config
from .consent.interlock import Interlock
from .consent.permit import Gate
from .consent.policy import Policy
from .consent.records import Records
from .events import Bus
from .fleet import Fleet
from .gallery import Gallery
from .latest import Latest
from .presence import Presence
from .recognise import Recogniser
from .sight import Sight
from .site import Site
from .store.cameras import CameraTable
from .today import Today
from .vision.qr_codes import CodeReader
from .vision.sessions import load
from .visits.attendance import Attendance
from .visits.casebook import Casebook, Tables
from .visits.sessions import confidence_band
from .visits.unjudged import Unjudged
from .worker import Worker


@dataclass(frozen=True, slots=True)
class Live:
    """What follows the cameras, and what it makes of them."""

    interlock: Interlock
    gate: Gate
    sight: Sight
    gallery: Gallery
    unjudged: Unjudged
    casebook: Casebook
    attendance: Attendance
    recogniser: Recogniser
    latest: Latest
    today: Today
    presence: Presence
    site: Site
    reader: CodeReader
    fleet: Fleet


async def build_live(
    config: Config, policy: Policy, base: Base, evidence: Tables, bus: Bus, stack: AsyncExitStack
) -> Live:
    """From the cameras to the visits."""
    database, log = base.database, base.log
    interlock = Interlock(config.zones, policy, config.notice_hash, config.sign_ttl)
    gate = Gate(config.zones, interlock)
    sight, gallery = await _models(config, policy.biometrics, gate, base.records, stack)
    unjudged, casebook = Unjudged(), Casebook(evidence, base.rules.book)
    band = partial(confidence_band, settings=config.rules)
    attendance = Attendance(evidence.visits, bus, unjudged, base.rules.visit_gap, band)
    await attendance.load()  # those included who were on a visit when the engine last stopped
    recogniser = Recogniser(config.zones, gate, gallery, attendance, evidence.sightings, sight)
    approach, latest = Approach(config.zones, config.approach_gap, database, log, bus), Latest(config.zones, log, bus)
    today = Today(config.timezone, config.zones, evidence.cases, evidence.sightings, bus)
    presence = Presence(config, interlock, recogniser, today, approach, latest, bus)
    reader, fleet = _cameras(config, CameraTable(database, base.vault, base.ledger), sight, presence, gate, bus, stack)
    return Live(
        interlock=interlock,
        gate=gate,
        sight=sight,
        gallery=gallery,
        unjudged=unjudged,
        casebook=casebook,
        attendance=attendance,
        recogniser=recogniser,
        latest=latest,
        today=today,
        presence=presence,
        site=Site(config.name, today, presence.everybody, bus),
        reader=reader,
        fleet=fleet,
    )


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
    return reader, Fleet(table, config.zones, config.interfaces, bus, make_loop, gate.watches)


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
