"""A server over a real store and a real bus, and clients that speak the wire to it.

What stands behind the server here is the smallest engine that keeps `EngineApi`: it writes down what it was asked.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
from new_store import new_store
from small_arming import SmallArming
from small_cases import SmallCases
from small_consents import SmallConsents, SmallKeeper, SmallSettings
from small_desk import SmallDesk, SmallPortal
from small_people import SmallIdentities, SmallSignings
from small_visit import SmallKiosk, SmallMine, SmallSubjects

from nvr_bridge.config import Config
from nvr_bridge.errors import NotFoundError, RetryError
from nvr_bridge.events import Bus, EventLog, Told, shown
from nvr_bridge.messages import CameraStatus, EngineStatus, EventMessage, Snapshot
from nvr_bridge.models import Event, EventKind
from nvr_bridge.protocol import Role
from nvr_bridge.server.app import Server
from nvr_bridge.store.database import Database
from nvr_bridge.store.schema import PartnerRow
from nvr_bridge.store.tokens import TokenTable

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what a site may write


CAMERA: CameraStatus = {
    "id": "front",
    "name": "Front",
    "kind": "onvif",
    "address": "192.0.2.7:80",
    "channel": "1",
    "zone": "entrance",
    "state": "online",
    "reason": None,
    "reason_code": None,
    "problems": [],
    "manufacturer": "Demo Optics",
    "model": "DO-220",
    "stream": {"name": "sub", "codec": "h264", "width": 640, "height": 360, "fps": 15.0},
    "decoded": 150,
    "analysed": 50,
    "analysed_per_second": 5.0,
    "dropped": 0,
    "recognition": True,
    "clock_offset": None,
}


class SmallNotary:
    """Keeps `server.api.NotaryApi`."""

    def __init__(self) -> None:
        self.faults: list[dict[str, Any]] = []
        self.compared: list[dict[str, Any]] = []
        self.exported: list[tuple[dict[str, Any], str, str | None]] = []

    async def ledger_verify(self, args: dict[str, Any]) -> Any:
        self.compared = args["checkpoints"]
        found = {"entries": 8, "checkpoints": 2, "sealed": 6, "fingerprint": "ab" * 32}
        return {**found, "intact": not self.faults, "faults": self.faults}

    async def case_export(self, args: dict[str, Any], role: str, token_id: str | None) -> Any:
        self.exported.append((args, role, token_id))
        found = {"case": args["case"], "name": f"case-{args['case']}.html", "fingerprint": "ab" * 32}
        return {**found, "content": "<!DOCTYPE html>\n判定\n"}


class SmallReceipts:
    """Keeps `server.api.ReceiptsApi`."""

    async def receipt_list(self) -> Any:
        return [{"number": 7, "erased_at": "2030-01-01T00:00:00.000+00:00", "cause": "expired"}]

    async def receipt_take(self, args: dict[str, Any]) -> Any:
        return {"kind": "nvr-bridge erasure receipt", "entry": {"number": args["number"]}}


class SmallReadings:
    """Keeps `server.api.ReadingsApi`."""

    def __init__(self) -> None:
        self.read_so_far: list[tuple[str, str, str | None, int, str | None]] = []
        self.disk_is_full = False

    async def read(self, act: str, role: str, token_id: str | None, rows: int, user: str | None = None) -> None:
        if self.disk_is_full:
            raise RetryError("store: cannot be written now")
        self.read_so_far.append((act, role, token_id, rows, user))


class SmallEngine:
    """Keeps `server.api.EngineApi`."""

    def __init__(self, config: Config, db: Database) -> None:
        self.config = config
        self.engine_id = db.engine_id
        self.tokens = TokenTable(db)
        self.bus = Bus()
        self.log = EventLog(db)
        self.asked: list[tuple[Any, ...]] = []
        self.recognises = True  # by its camera
        self.rows: list[dict[str, Any]] = []  # of every list of what is kept of people
        self.desk = SmallDesk(self.asked, self.rows)
        self.kiosk = SmallKiosk(self.asked, config)
        self.mine = SmallMine()
        self.subjects = SmallSubjects(self.asked)
        self.signings = SmallSignings(self.asked)
        self.identities = SmallIdentities(self.asked)
        self.portal = SmallPortal(self.asked)
        self.cases = SmallCases(self.asked)
        self.notary = SmallNotary()
        self.receipts = SmallReceipts()
        self.consents = SmallConsents(self)
        self.keeper = SmallKeeper(self.asked)
        self.settings = SmallSettings(self.asked)
        self.readings = SmallReadings()
        self.arming = SmallArming(self.asked)
        self.closed: list[str] = []
        self.aliases = {"visitor": "Amber Finch 12"}
        self.slow = asyncio.Event()  # `visit/list` waits for it
        self.slow.set()
        self.reading = asyncio.Event()  # set while `events_since` is asked
        self.may_read = asyncio.Event()  # … which waits for this
        self.may_read.set()
        self._db = db

    async def partner(self, partner_id: str) -> None:
        """Somebody who may file referrals."""
        async with self._db.write() as session:
            await session.merge(PartnerRow(partner_id=partner_id, name=partner_id.title(), added_at=0.0))

    async def happen(self, kind: EventKind = EventKind.FIRST_VISIT) -> Event:
        """An event is stored, and then told."""
        async with self._db.write() as session:
            event = await self.log.append(session, kind=kind, occurred_at=1_780_000_000.5, zone_id="lane")
        self.bus.publish(Told(replace(event, visitor_id="visitor")))
        return event

    def status(self) -> EngineStatus:
        return {
            "id": self.engine_id,
            "name": self.config.name,
            "version": "0",
            "profile": self.config.profile,
            "armed": False,
            "subjects": 1,
            "embeddings": 3,
            "embeddings_without_permit": 0,
            "permits": 3,
            "tracks": 5,
            "sign_ttl": 5.0,
            "watch": {
                "subjects_warning": 1000,
                "oldest_template": "2026-03-02T09:00:00.000+00:00",
                "to_renew": 2,
                "erasures_overdue": 0,
                "log_cut": True,
                "clock_doubted": False,
                "last_purge": None,
                "next_purge": "2026-03-02T10:00:00.000+00:00",
                "reasons": ["assessment_missing", "sign_unknown"],
                "assessment_expires_at": None,
                "keys_by": "file",
                "keys_backed_up_at": None,
            },
            "cases_waiting": 0,
            "recognition": True,
            "search_p99_ms": 1.25,
            "settings": self.settings.listed(),
            "problems": [],
        }

    def snapshot(self) -> Snapshot:
        return {
            "engine": self.status(),
            "site": {
                "name": self.config.name,
                "day_started_at": "2026-03-01T16:00:00.000+00:00",
                "visits_today": 0,
                "natural_today": 0,
                "channel_today": 0,
                "staff_today": 0,
                "undetermined_today": 0,
                "unregistered_today": 0,
                "returning_share": None,
                "people_present": 0,
            },
            "cameras": [{**CAMERA, "recognition": self.recognises}],
            "zones": [
                {
                    "id": zone.zone_id,
                    "name": zone.name,
                    "kind": zone.kind.value,
                    "armed": False,
                    "reasons": ["observe_only"],
                    "needs_sign": False,
                    "needs_act": False,
                    "notice_hash": self.config.notice_hash,
                    "people_present": 0,
                    "people_approaching": 0,
                    "people_today": 0,
                    "visits_today": 0,
                    "returning_today": 0,
                    "recognition": True,
                    "last_event": None,
                    "last_event_at": None,
                    "problems": [],
                }
                for zone in self.config.zones.values()
            ],
        }

    def latest_sequence(self) -> int:
        return self.log.latest()

    async def events_since(self, sequence: int) -> list[EventMessage]:
        events = await self.log.since(sequence)
        self.reading.set()
        await self.may_read.wait()
        return [{**self.tell(event), "replayed": True} for event in events]

    def tell(self, event: Event) -> EventMessage:
        return {
            "sequence": event.sequence,
            "kind": event.kind.value,
            "shown": shown(event),
            "occurred_at": datetime.fromtimestamp(event.occurred_at, UTC).isoformat(timespec="milliseconds"),
            "zone": event.zone_id,
            "visit": event.visit_id,
            "alias": self.aliases.get(event.visitor_id or ""),
            "replayed": False,
            "data": event.data,
        }

    def sign(self, connection: str, zone_id: str, on: bool | None, notice_hash: str) -> None:
        self.asked.append(("sign", connection, zone_id, on, notice_hash))

    async def act(self, zone_id: str) -> None:
        if zone_id not in self.config.zones:
            raise NotFoundError(f"zone: {zone_id!r} does not exist")
        self.asked.append(("act", zone_id))

    def connection_closed(self, connection: str) -> None:
        self.closed.append(connection)

    async def visit_list(self, args: dict[str, Any]) -> Any:
        self.asked.append(("visit_list", args))
        await self.slow.wait()
        self.asked.append(("visit_list done",))
        return self.rows

    async def attribution_replay(self, args: dict[str, Any]) -> Any:
        self.asked.append(("attribution_replay", args))
        verdict = {"attribution": "natural", "partner": None, "rule": "natural", "risks": ["unregistered_visit"]}
        visit = {"visit": "v", "alias": "Amber Finch 12", "started_at": "2026-03-02T10:00:00+00:00", **verdict}
        counts = {"date": "2026-03-02", "unregistered": 1, "natural": 1, "channel": 0, "undetermined": 0}
        signing = {"signing": "s", "alias": None, "at": "2026-03-02T10:30:00+00:00", **verdict, "risks": []}
        found = {"rules_version": "1", "judged": 3, "evidence_erased": 1, "visits": [visit], "daily": [counts]}
        found |= {"signings": [] if "settings" in args else [signing]}
        if "settings" not in args:
            return found
        visit["would_be"] = {**verdict, "attribution": "channel", "partner": "acme", "rule": "referral_valid"}
        return {**found, "daily_would_be": [counts]}

    async def sighting_list(self, args: dict[str, Any]) -> Any:
        self.asked.append(("sighting_list", args))
        return self.rows

    async def camera_list(self) -> Any:
        return self.snapshot()["cameras"]

    async def camera_add(self, args: dict[str, Any], by: str) -> Any:
        self.asked.append(("camera_add", args))
        return self.snapshot()["cameras"]

    async def camera_remove(self, args: dict[str, Any], by: str) -> Any:
        self.asked.append(("camera_remove", args))
        return {"removed": args["camera"]}

    async def camera_discover(self, args: dict[str, Any]) -> Any:
        self.asked.append(("camera_discover", args))
        return []


class Wire:
    """A client that says exactly what a test tells it to."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        """Send one message."""
        await self.socket.send_str(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        """The next message, which must be one."""
        message = await self.socket.receive(timeout=10)
        assert message.type is aiohttp.WSMsgType.TEXT, (message, self.socket.close_code)
        heard: dict[str, Any] = json.loads(message.data)
        return heard

    async def ask(self, message_id: int, command: str, **arguments: Any) -> dict[str, Any]:
        """Give a command and hear what comes next."""
        await self.say(id=message_id, type=command, **arguments)
        return await self.hear()

    async def closing(self) -> int | None:
        """Nothing more is heard; the close code."""
        message = await self.socket.receive(timeout=10)
        assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}, message
        return self.socket.close_code


class Site:
    """A running server, what is behind it, and how to connect to it."""

    def __init__(self, engine: SmallEngine, server: Server, stack: AsyncExitStack) -> None:
        self.engine = engine
        self.server = server
        self._stack = stack

    @property
    def url(self) -> str:
        host = self.engine.config.host
        return f"http://{'127.0.0.1' if host == EVERYWHERE else host}:{self.server.port}"

    async def connect(self, address: str | None = None) -> Wire:
        """A client that has not yet heard anything; from this address of the machine's own, if one is given."""
        source = None if address is None else (address, 0)
        connector = aiohttp.TCPConnector(local_addr=source)
        session = await self._stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        timeout = aiohttp.ClientWSTimeout(ws_close=0.2)
        socket = await session.ws_connect(f"{self.url}/ws", max_msg_size=0, timeout=timeout)
        self._stack.push_async_callback(socket.close)
        return Wire(socket)

    async def let_in(self, role: Role = Role.HUB, partner: str = "acme") -> Wire:
        """A client that was let in. `partner` is whom it stands for, if its role is that."""
        return await self.enter(await self.token(role, partner))

    async def token(self, role: Role, partner: str = "acme", expires_at: float | None = None) -> str:
        """A new token, or the administrator's own."""
        if role is Role.ADMIN:
            return self.admin_token()
        if role is not Role.PARTNER:
            return (await self.engine.tokens.add("test", role, None, expires_at))[1]
        await self.engine.partner(partner)
        return (await self.engine.tokens.add("test", role, partner, expires_at))[1]

    async def enter(self, token: str) -> Wire:
        """A client with this token, which must be good."""
        client = await self.connect()
        await client.hear()
        await client.say(type="auth", schema=1, token=token)
        answer = await client.hear()
        assert answer["type"] == "auth_ok", answer
        return client

    def admin_token(self) -> str:
        return (self.engine.config.data_dir / "admin.token").read_text()


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that must come."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def served(config: Config) -> AsyncIterator[Site]:
    """A server for `config`, with clients that end with it."""
    await new_store(config.data_dir)
    db = await Database.open(config.data_dir)
    try:
        engine = SmallEngine(config, db)
        server = Server(engine)
        await server.start()
        try:
            async with AsyncExitStack() as stack:
                yield Site(engine, server, stack)
        finally:
            await server.stop()
    finally:
        await db.close()
