"""What stands for a tablet's side of the engine, and for a visitor's own page."""

from __future__ import annotations

from typing import Any

from nvr_bridge.config import Config
from nvr_bridge.errors import UnauthorizedError

RECEIPT = {"alias": "Amber Finch 12", "code": "ABCD-EFGH-JKMN-PQRS", "link": "https://visits.test/me#t"}
WHO = {"language": "en", "notice_hash": "ab" * 32}
# What the consent page posts, by the last word of its route.
STEP_BODIES: dict[str, dict[str, Any]] = {
    "capture": WHO,
    "agree": {**WHO, "capture": "c"},
    "decline": {},
    "cancel": {},
    "back": {},
    "pass": {},
    "renew": WHO,
    "mine": {},
}


class SmallKiosk:
    """Keeps `server.api.KioskApi`."""

    def __init__(self, asked: list[tuple[Any, ...]], config: Config) -> None:
        self._asked = asked
        self._config = config

    def terms(self, zone_id: str, language: str) -> Any:
        return {
            "who": "Riverside",
            "why": "return visits",
            "days": 30.0,
            "guardian_under": 14,
            "notice": self._config.notices["en"],
            "notice_language": language,
            "notice_hash": self._config.notice_hash,
            "can_agree": True,
            "looks_seconds": 3.0,
        }

    def state(self, zone_id: str) -> Any:
        hash_ = self._config.notice_hash
        return {"armed": True, "reasons": [], "notice_hash": hash_, "cameras": [], "people": 0, "ask": False}

    async def capture(self, zone_id: str, args: dict[str, Any], photo: bytes | None) -> Any:
        self._asked.append(("capture", zone_id, args, photo))
        return {"capture": "c", "crop": b"jpeg", "alive": None}

    async def agree(self, zone_id: str, capture_id: str, args: dict[str, Any]) -> Any:
        self._asked.append(("agree", zone_id, capture_id, args))
        return {**RECEIPT, "expires_at": "2030-01-01T00:00:00+00:00"}

    async def decline(self, zone_id: str) -> Any:
        self._asked.append(("decline", zone_id))
        return {**RECEIPT, "expires_at": None}

    def cancel(self, zone_id: str) -> None:
        self._asked.append(("cancel", zone_id))

    async def back(self, zone_id: str) -> Any:
        self._asked.append(("back", zone_id))
        return {"alias": None}

    def open_pass(self, zone_id: str) -> None:
        self._asked.append(("open_pass", zone_id))

    def pass_state(self, zone_id: str) -> Any:
        return {"state": "closed"}

    async def show_pass(self, zone_id: str, code: str) -> Any:
        self._asked.append(("show_pass", zone_id, code))
        return {"alias": "Amber Finch 12", "returning": False}

    async def renew(self, zone_id: str, args: dict[str, Any]) -> Any:
        self._asked.append(("renew", zone_id, args))
        return {"alias": "Amber Finch 12", "expires_at": "2030-01-01T00:00:00+00:00"}

    async def own_page(self, zone_id: str) -> Any:
        self._asked.append(("own_page", zone_id))
        return {"token": "t"}


class SmallSubjects:
    """Keeps `server.api.SubjectsApi`."""

    def __init__(self, asked: list[tuple[Any, ...]]) -> None:
        self._asked = asked

    async def subject_get(self, args: dict[str, Any], role: str, token_id: str | None) -> Any:
        self._asked.append(("subject_get", args, role, token_id))
        visits = [{"zone_id": "Lane", "started_at": "2026-03-02T10:00:00.000+00:00", "attribution": "natural"}]
        about = {"site": "Riverside", "who": "Riverside Ltd", "read_at": "2026-03-02T12:00:00.000+00:00"}
        return {**about, "alias": "Amber Finch 12", "visits": visits, "co_signers": [{}], "acts": []}


class SmallMine:
    """Keeps `server.api.MineApi`: one link opens something."""

    def __init__(self) -> None:
        self.token: str | None = "right"

    async def read(self, token: str) -> Any:
        if token != self.token:
            raise UnauthorizedError("link: opens nothing")
        return {"alias": "Amber Finch 12", "acts": []}

    async def withdraw(self, token: str) -> Any:
        await self.read(token)
        self.token = None
        return {"withdrawn": True, "receipt": None}
