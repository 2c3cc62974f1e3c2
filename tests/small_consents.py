"""Stand-ins for what takes consents, and for what answers for the data: they write down what they were asked."""

from __future__ import annotations

from typing import Any, Protocol

from nvr_bridge.messages import Setting


class Receipts(Protocol):
    """Who gives them."""

    async def receipt_take(self, args: dict[str, Any]) -> Any: ...


class Engine(Protocol):
    """The engine that they are part of."""

    asked: list[tuple[Any, ...]]
    rows: list[dict[str, Any]]
    receipts: Receipts


class SmallConsents:
    """Keeps `server.api.ConsentApi`."""

    def __init__(self, engine: Engine) -> None:
        self._asked = engine.asked
        self._engine = engine

    async def grant(self, args: dict[str, Any]) -> Any:
        self._asked.append(("consent_grant", args))
        return {"alias": "Amber Finch 12", "consent_id": "c", "visitor": "v", "expires_at": "2030-01-01T00:00:00+00:00"}

    async def renew(self, args: dict[str, Any]) -> Any:
        self._asked.append(("consent_renew", args))
        return {"alias": "Amber Finch 12", "consent_id": "d", "visitor": "v", "expires_at": "2031-01-01T00:00:00+00:00"}

    async def withdraw(self, args: dict[str, Any]) -> Any:
        self._asked.append(("consent_withdraw", args))
        return {"withdrawn": True, "receipt": await self._engine.receipts.receipt_take({"number": 7})}

    async def all(self) -> Any:
        return self._engine.rows


class SmallKeeper:
    """Keeps `server.api.KeeperApi`."""

    def __init__(self, asked: list[tuple[Any, ...]]) -> None:
        self._asked = asked

    async def retention_get(self) -> Any:
        kept = {"class": "visits", "days": 90.0, "default": 365.0, "least": 36.0, "most": 1095.0, "source": "set"}
        return {"profile": "demo", "classes": [kept]}

    async def retention_set(self, args: dict[str, Any], _by: str, _user: str | None = None) -> Any:
        self._asked.append(("retention_set", args))
        return await self.retention_get()

    async def retention_purge(self, args: dict[str, Any], _by: str) -> Any:
        self._asked.append(("retention_purge", args))
        return {"removed": {"visitors": 1, "visits": 3, "events": 0}, "due": {"visits": None}}

    async def retention_status(self) -> Any:
        last = {"at": "2030-01-01T00:00:00.000+00:00", "removed": {"visitors": 1, "visits": 3, "events": 0}}
        due = {"visits": "2030-02-01T00:00:00.000+00:00", "events": None}
        return {"last": last, "due": due, "next_purge": "2030-01-01T01:00:00.000+00:00", "log_cut": True}


class SmallSettings:
    """Keeps `server.api.SettingsApi`."""

    def __init__(self, asked: list[tuple[Any, ...]]) -> None:
        self._asked = asked

    def listed(self) -> list[Setting]:
        return [
            {
                "key": "retention_visits",
                "value": 90.0,
                "default": 365.0,
                "source": "set",
                "unit": "d",
                "min": 36.0,
                "max": 1095.0,
                "step": 1.0,
            },
        ]

    def history(self) -> Any:
        began = {"key": "attribution_winner", "old": None, "new": "first_declared", "at": None, "source": "bridge.yaml"}
        nobody = {"token_id": None, "user": None}
        changed = {"key": "attribution_lead_time", "old": 1800.0, "new": 600.0, "at": "2030-01-01T00:00:00+00:00"}
        return [{**changed, "source": "set", "token_id": "t1", "user": "u7"}, {**began, **nobody}]

    async def set(self, args: dict[str, Any], by: str) -> Any:
        self._asked.append(("settings_set", args, by))
        return self.listed()
