"""An engine that speaks the wire and nothing else: a real server on loopback that records what it was asked.

It is written from docs/protocol.md, not from the engine's code. Its knobs make it refuse, be slow, drop its clients,
speak another version, or be somebody else.
"""

from __future__ import annotations

import asyncio
import json
from copy import deepcopy
from typing import Any

from aiohttp import WSMsgType, web
from fake_certificate import Certificate
from fake_controls import ENGINE, SITE, because, control
from fake_desk import desk

TOKEN = "token-of-the-hub"
CODE = "12345678"
NOTICE = "a" * 64


def zone(zone_id: str, kind: str, **changes: Any) -> dict[str, Any]:
    """A zone's status. Those that may recognise wait for a sign, the lane for an act as well."""
    recognises = kind != "observe"
    return {
        "id": zone_id,
        "name": zone_id.capitalize(),
        "kind": kind,
        "armed": False,
        "reasons": ["observe_only"],
        "problems": [],
        **(because("sign_unknown") if recognises else {}),
        "needs_sign": recognises,
        "needs_act": kind == "opt_in_lane",
        "notice_hash": NOTICE,
        "people_present": 0,
        "people_approaching": 0,
        "people_today": 0,
        "visits_today": 0,
        "returning_today": 0,
        "last_event": None,
        "last_event_at": None,
        "recognition": True,
        **changes,
    }


def camera(camera_id: str, zone_id: str, **changes: Any) -> dict[str, Any]:
    """A camera's status, online."""
    return {
        "id": camera_id,
        "name": camera_id.capitalize(),
        "kind": "onvif",
        "address": f"{camera_id}.example:80",
        "channel": "1",
        "zone": zone_id,
        "state": "online",
        "reason": None,
        "reason_code": None,
        "problems": [],
        "manufacturer": "Demo Optics",
        "model": "DO-220",
        "stream": {"name": "sub", "codec": "h264", "width": 640, "height": 360, "fps": 15.0},
        "decoded": 0,
        "analysed": 0,
        "analysed_per_second": 5.0,
        "dropped": 0,
        "clock_offset": 1.5,
        "recognition": True,
        **changes,
    }


def case(case_id: str, **changes: Any) -> dict[str, Any]:
    """A case as `case/list` gives it: a visit that came to nobody, and that nobody has looked at."""
    return {
        "case": case_id,
        "state": "proposed",
        "visit": "v" * 8,
        "alias": "amber otter 42",
        "zone": "desk",
        "started_at": "2026-03-02T01:00:00.000Z",
        "last_at": "2026-03-02T01:10:00.000Z",
        "ended_at": None,
        "earlier": 0,
        "returning": False,
        "attribution": "natural",
        "partner": None,
        "rule": "natural",
        "risks": [],
        "needs_review": False,
        "evidence_erased": False,
        "version": "1f0c9a2b",
        **changes,
    }


def device(address: str, *channels: str) -> dict[str, Any]:
    """What `camera/discover` says of a device whose login is known or not needed."""
    inputs = [{"channel": str(number), "name": name} for number, name in enumerate(channels, 1)]
    about = {"kind": "onvif", "name": "Recorder", "model": "NVR-4", "serial": "S1", "clock_offset": 0.2}
    return {"address": address, **about, "channels": inputs}


class FakeEngine:
    """One engine; `start` and `stop` it as often as needed, it keeps its port and its log."""

    def __init__(self) -> None:
        self.port = 0
        self.hello: dict[str, Any] = {"type": "hello", "schema": 1, "oldest_schema": 1}
        self.engine = deepcopy(ENGINE)
        self.site = dict(SITE)
        self.zones = {
            "entrance": zone("entrance", "observe"),
            "lane": zone("lane", "opt_in_lane"),
            "desk": zone("desk", "consent_point"),
        }
        self.cameras = {"north": camera("north", "entrance"), "south": camera("south", "lane")}
        self.devices: dict[str, dict[str, Any]] = {}  # by address, what is installed and may be added
        self.login = ("viewer", "hunter2-secret")  # that every device wants
        self.streams = [{"name": "sub", "codec": "hevc", "width": 640, "height": 360, "fps": 15.0}]
        self.cases: dict[str, dict[str, Any]] = {}
        self.log: list[dict[str, Any]] = []
        self.token = TOKEN
        self.code: str | None = CODE
        self.refuse_entry: str | None = None  # a code for `auth_failed`
        self.refuse: dict[str, tuple[str, str]] = {}  # command → code and message
        self.answers: dict[str, Any] = {}  # command → its result, or what makes one of the arguments
        self.slow = 0.0  # seconds before each answer to a command
        self.certificate: Certificate | None = None  # with one, the port speaks TLS from the next start on
        self.greets = True
        self.pongs = True
        self.pings = 0
        self.asked: list[dict[str, Any]] = []  # every message, as it came
        self.connections = 0
        self._sockets: dict[web.WebSocketResponse, int | None] = {}  # → subscription
        self._runner: web.AppRunner | None = None
        self._stopped: asyncio.Future[None]

    @property
    def listeners(self) -> int:
        """How many are subscribed now."""
        return sum(subscription is not None for subscription in self._sockets.values())

    @property
    def sockets(self) -> int:
        """How many connections there are now."""
        return len(self._sockets)

    async def start(self) -> None:
        """Listen on loopback."""
        self._stopped = asyncio.get_running_loop().create_future()
        app = web.Application()
        app.router.add_get("/ws", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        tls = self.certificate.context if self.certificate else None
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True, ssl_context=tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """As when the process ends."""
        if not self._stopped.done():
            self._stopped.set_result(None)
        await self.drop()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def drop(self) -> None:
        """End every connection."""
        for socket in list(self._sockets):
            await socket.close()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What was asked of one kind, without ids."""
        return [{k: v for k, v in message.items() if k != "id"} for message in self.asked if message["type"] == kind]

    # --- what happens at the site -------------------------------------------------------------------------------

    async def happens(self, kind: str, zone_id: str = "desk", **changes: Any) -> dict[str, Any]:
        """A new entry of the event log, told to whoever listens."""
        sequence = len(self.log) + 1
        event = {
            "sequence": sequence,
            "kind": kind,
            "occurred_at": f"2026-03-02T01:00:{sequence:02d}.000Z",
            "zone": zone_id,
            "visit": "v" * 8,
            "alias": "amber otter 42",
            "replayed": False,
            "data": {},
            "shown": [kind],
            **changes,
        }
        self.log.append(event)
        await self.push({"type": "event", "event": event})
        return event

    async def judges(self, **changes: Any) -> dict[str, Any]:
        """A verdict on the visit at the desk, the first one unless `data` says otherwise."""
        verdict = {
            "case": "K7QF-2M9D",
            "attribution": "natural",
            "partner": None,
            "rule": "natural",
            "risks": "",
            "needs_review": False,
            "returning": 0,
            "state": "proposed",
            "version": "1f0c9a2b",
            "new_answer": True,
            "new_risks": "",
            **changes,
        }
        is_news = {
            "channel_visit": verdict["new_answer"] and verdict["attribution"] == "channel",
            "risk_raised": verdict["new_risks"],
            "attribution": True,
        }
        return await self.happens("verdict", data=verdict, shown=[name for name, news in is_news.items() if news])

    async def forgets(self, alias: str, visits: list[str]) -> None:
        """A visitor withdrew."""
        await self.push({"type": "forget", "alias": alias, "visits": visits})

    async def zone_is(self, zone_id: str, **changes: Any) -> None:
        """A zone changed."""
        self.zones[zone_id].update(changes)
        await self.push({"type": "state", "frame_at": 1.5, "zone": self.zones[zone_id]})

    async def camera_is(self, camera_id: str, **changes: Any) -> None:
        """A camera changed, or is new."""
        self.cameras.setdefault(camera_id, camera(camera_id, "entrance")).update(changes)
        await self.push({"type": "state", "camera": self.cameras[camera_id]})

    async def camera_goes(self, camera_id: str) -> None:
        """A camera was removed."""
        del self.cameras[camera_id]
        await self.push({"type": "state", "removed_camera": camera_id})

    async def site_is(self, **changes: Any) -> None:
        """What the whole site counts changed."""
        self.site.update(changes)
        await self.push({"type": "state", "site": self.site})

    async def engine_is(self, **changes: Any) -> None:
        """The engine changed."""
        self.engine.update(changes)
        await self.push({"type": "state", "engine": self.engine})

    async def push(self, message: dict[str, Any] | str) -> None:
        """Send to whoever listens; a str as it is."""
        for socket, subscription in list(self._sockets.items()):
            if subscription is not None and not socket.closed:
                text = message if isinstance(message, str) else json.dumps({"id": subscription, **message})
                await socket.send_str(text)

    # --- the wire ------------------------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.connections += 1
        self._sockets[socket] = None
        try:
            if self.greets:
                who = {"engine_id": self.engine["id"], "name": self.engine["name"], "version": self.engine["version"]}
                await socket.send_json({**self.hello, **who})
            if await self._enter(socket):
                async for message in socket:
                    if message.type is WSMsgType.PING:
                        self.pings += 1
                        if self.pongs:
                            await socket.pong(message.data)
                    elif message.type is WSMsgType.TEXT:
                        await self._command(socket, json.loads(message.data))
        finally:
            del self._sockets[socket]
        return socket

    async def _enter(self, socket: web.WebSocketResponse) -> bool:
        message = await socket.receive()
        if message.type is not WSMsgType.TEXT:
            return False
        asked = json.loads(message.data)
        self.asked.append(asked)
        answer: dict[str, Any] = {"type": "auth_ok", "role": "hub", "token_id": "t1"}
        right = asked.get("token") == self.token if asked["type"] == "auth" else asked.get("code") == self.code
        if self.refuse_entry or not right:
            await socket.send_json(
                {"type": "auth_failed", "code": self.refuse_entry or "unauthorized", "message": "no"}
            )
            return False
        if asked["type"] == "pair":
            self.code = None
            answer["token"] = self.token
        await socket.send_json(answer)
        return True

    async def _command(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        self.asked.append(asked)
        if self.slow:
            await asyncio.wait([self._stopped], timeout=self.slow)
        answer = {"id": asked["id"], "type": "result"}
        if refusal := self.refuse.get(asked["type"]):
            error = {"code": refusal[0], "message": refusal[1]}
            await socket.send_json({**answer, "success": False, "error": error})
            return
        result: Any = None
        if asked["type"] in self.answers:
            given = self.answers[asked["type"]]
            result = given(asked) if callable(given) else given
        elif asked["type"] == "subscribe":
            result = self._snapshot(asked.get("since"))
            self._sockets[socket] = asked["id"]
        elif asked["type"] in ("camera/discover", "camera/add", "camera/remove"):
            try:
                result = await self._cameras(asked)
            except LookupError as err:
                error = {"code": err.args[0], "message": err.args[1]}
                await socket.send_json({**answer, "success": False, "error": error})
                return
        elif asked["type"] == "consent/withdraw":
            result = {"withdrawn": True}
        elif asked["type"] == "case/list":
            result = [row for row in self.cases.values() if asked.get("needs_review") in (None, row["needs_review"])]
        elif asked["type"] == "case/confirm":
            result = self.cases[asked["case"]] = {**self.cases[asked["case"]], "state": "confirmed"}
        elif asked["type"] == "case/change":
            answer_given = {key: asked.get(key) for key in ("attribution", "partner")}
            result = self.cases[asked["case"]] = {**self.cases[asked["case"]], **answer_given, "state": "changed"}
        else:
            result = desk(asked, self.cases)
            await control(self, asked)
        await socket.send_json({**answer, "success": True, "result": result})
        if asked["type"] == "zone/sign":
            await self._sign(asked)

    async def _cameras(self, asked: dict[str, Any]) -> Any:
        """Raises `LookupError` with a code and a message."""
        if asked["type"] == "camera/remove":
            if asked["camera"] not in self.cameras:
                raise LookupError("not_found", "camera: does not exist")
            await self.camera_goes(asked["camera"])
            return {"removed": asked["camera"]}
        if "address" not in asked:
            return [
                {"address": it["address"], "name": it["name"], "model": it["model"], "channels": None}
                for it in self.devices.values()
            ]
        if asked["address"] not in self.devices:
            raise LookupError("unreachable", f"{asked['address']}: does not answer; check its power")
        if (asked.get("username"), asked.get("password")) != self.login:
            raise LookupError("credentials", f"{asked['address']}: refused the user name or password")
        found = deepcopy(self.devices[asked["address"]])
        taken = {it["channel"]: it["id"] for it in self.cameras.values() if it["address"] == asked["address"]}
        found["channels"] = [{**it, "camera": taken.get(it["channel"])} for it in found["channels"]]
        if asked["type"] == "camera/add":
            camera_id = f"s1-{asked['channel']}"
            await self.camera_is(camera_id, **{key: asked[key] for key in ("address", "channel", "zone", "name")})
            return [self.cameras[camera_id]]
        if "channel" in asked:
            found["channels"] = [it for it in found["channels"] if it["channel"] == asked["channel"]]
            found["channels"][0]["streams"] = self.streams
        return [found]

    def _snapshot(self, since: int | None) -> dict[str, Any]:
        missed = [] if since is None else [event for event in self.log if event["sequence"] > since]
        return deepcopy(
            {
                "snapshot": {
                    "engine": self.engine,
                    "site": self.site,
                    "cameras": list(self.cameras.values()),
                    "zones": list(self.zones.values()),
                },
                "events": [{**event, "replayed": True} for event in missed],
                "sequence": len(self.log),
            }
        )

    async def _sign(self, asked: dict[str, Any]) -> None:
        """Arm as the interlock would."""
        state = self.zones[asked["zone"]]
        reasons = [] if asked["on"] else ["sign_unknown" if asked["on"] is None else "sign_off"]
        if asked["on"] and asked["notice_hash"] != state["notice_hash"]:
            reasons = ["notice_changed"]
        if reasons != state["reasons"]:
            await self.zone_is(asked["zone"], **because(*reasons))
