"""Small stand-ins for what is said of visitors: they note what they were asked."""

from __future__ import annotations

from typing import Any

type Asked = list[tuple[Any, ...]]

ALIAS = "Amber Finch 12"


class SmallSignings:
    """Contracts."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    async def signing_add(self, args: dict[str, Any]) -> Any:
        self._asked.append(("signing_add", args))
        return {"signing": "s", "visit": "v", "at": "2026-03-02T10:00:00+00:00"}

    async def signing_list(self, args: dict[str, Any]) -> Any:
        self._asked.append(("signing_list", args))
        verdict = {"attribution": "undetermined", "partner": None, "risks": ["co_signers_differ"]}
        return [{"signing": "s", "alias": ALIAS, "zone": "lane", "at": "2026-03-02T10:00:00+00:00", **verdict}]


class SmallIdentities:
    """Staff and corrections."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    async def staff_mark(self, args: dict[str, Any]) -> Any:
        self._asked.append(("staff_mark", args))
        return {"alias": ALIAS, "from": "2026-03-02T10:00:00+00:00", "until": None, "current": True}

    async def staff_list(self) -> Any:
        return [{"alias": ALIAS, "from": "2026-03-02T10:00:00+00:00", "until": None, "current": True}]

    async def staff_end(self, args: dict[str, Any]) -> Any:
        self._asked.append(("staff_end", args))
        return {
            "alias": ALIAS,
            "from": "2026-03-02T10:00:00+00:00",
            "until": "2026-03-05T10:00:00+00:00",
            "current": False,
        }

    async def split(self, args: dict[str, Any]) -> Any:
        self._asked.append(("split", args))
        return {"correction": 1, "kind": "split", "at": "2026-03-02T10:00:00+00:00"}

    async def merge(self, args: dict[str, Any]) -> Any:
        self._asked.append(("merge", args))
        return {"correction": 2, "kind": "merge", "at": "2026-03-02T10:00:00+00:00"}
