"""The desk and the partners' portal of the smallest engine: they write down what they were asked."""

from __future__ import annotations

from typing import Any


class SmallDesk:
    """Keeps `server.api.DeskApi`."""

    def __init__(self, asked: list[tuple[Any, ...]], rows: list[dict[str, Any]]) -> None:
        self._asked = asked
        self._rows = rows

    async def partner_add(self, args: dict[str, Any]) -> Any:
        self._asked.append(("partner_add", args))
        return {**args, "added_at": "2030-01-01T00:00:00+00:00"}

    async def partner_list(self) -> Any:
        return []

    async def referral_add(self, args: dict[str, Any]) -> Any:
        self._asked.append(("referral_add", args))
        return {"referral": "r1", "valid_until": "2030-01-01T00:00:00+00:00"}

    async def referral_import(self, args: dict[str, Any]) -> Any:
        self._asked.append(("referral_import", args))
        bad = [{"line": 3, "reason": "contact: is empty; give it"}] if "bad" in args["csv"] else []
        return {"dry_run": args["dry_run"], "rows": 2, "filed": 0 if bad or args["dry_run"] else 2, "bad": bad}

    async def referral_list(self, args: dict[str, Any]) -> Any:
        self._asked.append(("referral_list", args))
        return self._rows

    async def referral_withdraw(self, args: dict[str, Any]) -> Any:
        self._asked.append(("referral_withdraw", args))
        return {"withdrawn": True}

    async def pass_issue(self, args: dict[str, Any]) -> Any:
        self._asked.append(("pass_issue", args))
        return {"code": "ABCD-EFGH-JKMN-PQRS", "alias": "Amber Finch 12"}

    async def pass_scan(self, args: dict[str, Any]) -> Any:
        self._asked.append(("pass_scan", args))
        return {"visit": "v", "alias": "Amber Finch 12", "returning": False, "earlier": 0}

    async def check_in(self, args: dict[str, Any]) -> Any:
        self._asked.append(("check_in", args))
        if not {"alias", "code"} & set(args):
            return {"visit": "v"}
        return {"visit": "v", "alias": "Amber Finch 12", "returning": True, "earlier": 2}


class SmallPortal:
    """Keeps `server.api.PortalApi`."""

    def __init__(self, asked: list[tuple[Any, ...]]) -> None:
        self._asked = asked
        self.claims: list[dict[str, Any]] = []

    async def linking(self, partner: str) -> None:
        self._asked.append(("linking", partner))

    async def claim_list(self, args: dict[str, Any]) -> Any:
        self._asked.append(("claim_list", args))
        return {"partner": args["partner"], "name": args["partner"].title(), "claims": self.claims}

    async def claim_appeal(self, args: dict[str, Any], by: str) -> Any:
        self._asked.append(("claim_appeal", args, by))
        return {"appealed": True}
