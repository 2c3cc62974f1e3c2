"""An engine as the hub sees it, without anything behind it: as many zones, cameras and events as one likes."""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import UTC, datetime
from typing import Any

from aiohttp import WSMsgType, web

ENGINE = "b" * 32
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC).timestamp()
VISIT = ("person_approaching", "first_visit", "verdict", "visit_ended")  # the events of one
COUNTERS_EVERY = 10  # seconds, as the engine tells the counters that move all the time


class Crowd:
    """One site. `play` lets its time pass; what changes is told as an engine tells it."""

    def __init__(self) -> None:
        self.port = 0
        self.cameras: list[dict[str, Any]] = []
        self.zones: list[dict[str, Any]] = []
        self.engine, self.site = _engine(), _site()
        self._now = 0  # seconds that have passed
        self._sequence = itertools.count(1)
        self._told = 0  # the last event's sequence
        self._due = 0.0  # events, a part of the next among them
        self._sockets: dict[web.WebSocketResponse, int] = {}
        self._runner: web.AppRunner | None = None

    def build(self, cameras: int, zones: int) -> None:
        """So many from the next connection on, the cameras shared out among the zones."""
        self.zones = [_zone(number) for number in range(zones)]
        self.cameras = [_camera(number, f"zone{number % zones}") for number in range(cameras)]

    async def start(self) -> None:
        """Listen on loopback."""
        app = web.Application()
        app.router.add_get("/ws", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Hang up."""
        for socket in list(self._sockets):
            await socket.close()
        if self._runner:
            await self._runner.cleanup()

    async def play(self, seconds: int, pace: float, events_a_day: int) -> None:
        """So many of the site's seconds, `pace` of them in one."""
        begun = asyncio.get_running_loop().time()
        for second in range(seconds):
            self._now += 1
            self._due += events_a_day / 86400
            while self._due >= 1:
                self._due -= 1
                await self._happens()
            if self._now % COUNTERS_EVERY == 0:
                await self._count()
            await asyncio.sleep(max(0.0, begun + (second + 1) / pace - asyncio.get_running_loop().time()))

    async def _happens(self) -> None:
        """The next event of a visit: who comes is seen, told and counted."""
        self._told = next(self._sequence)
        kind, zone = VISIT[self._told % 4], self.zones[self._told // 4 % len(self.zones)]
        at = _iso(NOON + self._now)
        about: dict[str, Any] = {
            "zone": zone["id"],
            "visit": f"{self._told // 4:026d}",
            "alias": f"amber otter {self._told // 4 % 100}",
        }
        verdict: dict[str, Any] = {
            "case": f"K7QF-{self._told:04d}",
            "attribution": "natural",
            "partner": None,
            "rule": "natural",
        }
        verdict |= {"risks": "", "needs_review": False, "returning": 0, "state": "proposed", "version": "1f0c9a2b"}
        data: dict[str, Any] = {"verdict": verdict, "first_visit": {"confidence": 0.712}}.get(kind, {})
        shown = ["attribution"] if kind == "verdict" else [kind]
        event: dict[str, Any] = {
            "sequence": self._told,
            "kind": kind,
            "shown": shown,
            "occurred_at": at,
            "replayed": False,
        }
        zone["people_approaching"] = int(kind == "person_approaching")
        zone["people_present"] = int(kind != "visit_ended")
        zone["people_today"] += kind == "person_approaching"
        zone["visits_today"] += kind == "first_visit"
        self.site["visits_today"] += kind == "first_visit"
        self.site["natural_today"] += kind == "verdict"
        self.site["people_present"] = sum(zone["people_present"] for zone in self.zones)
        await self._push({"type": "event", "event": {**event, **about, "data": data}})
        zone |= {"last_event": shown[0], "last_event_at": at}
        await self._push({"type": "state", "zone": zone})
        await self._push({"type": "state", "site": self.site})

    async def _count(self) -> None:
        self.engine["tracks"] += 1
        await self._push({"type": "state", "engine": self.engine})
        for camera in self.cameras:
            camera["decoded"] += 15 * COUNTERS_EVERY
            camera["analysed"] += 5 * COUNTERS_EVERY
            await self._push({"type": "state", "camera": camera})

    async def _push(self, message: dict[str, Any]) -> None:
        for socket, subscription in list(self._sockets.items()):
            await socket.send_json({"id": subscription, **message})

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        hello = {"type": "hello", "schema": 1, "oldest_schema": 1, "engine_id": ENGINE, "version": "0"}
        await socket.send_json({**hello, "name": self.engine["name"]})
        if (await socket.receive()).type is not WSMsgType.TEXT:  # whoever it is, this is no real site
            return socket
        await socket.send_json({"type": "auth_ok", "role": "hub", "token_id": "t", "token": "bench"})
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._answer(socket, json.loads(message.data))
        finally:
            self._sockets.pop(socket, None)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        result: Any = [] if asked["type"] == "case/list" else None
        if asked["type"] == "subscribe":
            self._sockets[socket] = asked["id"]
            snapshot = {"engine": self.engine, "site": self.site, "zones": self.zones, "cameras": self.cameras}
            result = {"snapshot": snapshot, "events": [], "sequence": self._told}
        await socket.send_json({"id": asked["id"], "type": "result", "success": True, "result": result})


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def _engine() -> dict[str, Any]:
    counts: dict[str, Any] = dict.fromkeys(
        ("subjects", "embeddings", "embeddings_without_permit", "permits", "tracks"), 0
    )
    watch: dict[str, Any] = {
        "subjects_warning": None,
        "to_renew": 0,
        "erasures_overdue": 0,
        "reasons": [],
        "assessment_expires_at": None,
    }
    watch |= {"oldest_template": _iso(NOON - 86400), "next_purge": _iso(NOON + 3600)}
    days: dict[str, Any] = {"unit": "d", "default": 90, "source": "profile", "min": 1, "max": 180, "step": 1}
    settings = [{"key": f"retention_{kind}", "value": 90, **days} for kind in ("templates", "visits", "events")]
    about: dict[str, Any] = {
        "id": ENGINE,
        "name": "Bench",
        "version": "0",
        "profile": "bench",
        "armed": True,
        "sign_ttl": 5.0,
    }
    more: dict[str, Any] = {
        "cases_waiting": 0,
        "search_p99_ms": 1.0,
        "recognition": True,
        "settings": settings,
        "problems": [],
        "watch": watch,
    }
    return {**about, **counts, **more}


def _site() -> dict[str, Any]:
    verdicts = ("natural", "channel", "staff", "undetermined", "unregistered")
    counts: dict[str, Any] = {"visits_today": 0, **{f"{verdict}_today": 0 for verdict in verdicts}, "people_present": 0}
    return {"name": "Bench", "returning_share": None, "day_started_at": _iso(NOON - 43200), **counts}


def _zone(number: int) -> dict[str, Any]:
    names = ("people_present", "people_approaching", "people_today", "visits_today", "returning_today")
    about: dict[str, Any] = {
        "id": f"zone{number}",
        "name": f"Zone {number}",
        "kind": "observe",
        "armed": False,
        "reasons": ["observe_only"],
    }
    more: dict[str, Any] = {"needs_sign": False, "needs_act": False, "notice_hash": "a" * 64, "recognition": True}
    last: dict[str, Any] = {"last_event": None, "last_event_at": None, "problems": []}
    return {**about, **more, **dict.fromkeys(names, 0), **last}


def _camera(number: int, zone: str) -> dict[str, Any]:
    about: dict[str, Any] = {
        "id": f"camera{number}",
        "name": f"Camera {number}",
        "kind": "onvif",
        "address": "192.0.2.7:80",
    }
    stream: dict[str, Any] = {"name": "sub", "codec": "h264", "width": 640, "height": 360, "fps": 15.0}
    more: dict[str, Any] = {
        "channel": str(number),
        "zone": zone,
        "state": "online",
        "reason": None,
        "reason_code": None,
        "problems": [],
        "manufacturer": "Bench",
        "model": "B-1",
        "stream": stream,
        "recognition": True,
    }
    return {**about, **more, "decoded": 0, "analysed": 0, "dropped": 0, "analysed_per_second": 5.0, "clock_offset": 0.2}
