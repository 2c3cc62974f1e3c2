"""What is told rather than seen: partners, referrals, passes and check-ins. Works the same with and without biometrics.

A contact is hashed here, before anything else sees it: it is not stored, logged, put in an event or in an error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from .config import Config
from .consent.passes import Passes
from .consent.records import Records
from .consent.vault import Vault
from .errors import InvalidError, NotFoundError
from .listing import iso
from .models import Visit
from .presence import Presence
from .store.partners import Partner, PartnerTable
from .store.referrals import Filing, StoredReferral
from .visits.attendance import Attendance
from .visits.casebook import Tables
from .visits.evidence import contact
from .visits.referral_csv import read_filings


class Desk:
    """Answers the commands of those who register visitors and referrals. Arguments come checked."""

    def __init__(
        self,
        config: Config,
        vault: Vault,
        records: Records,
        passes: Passes,
        partners: PartnerTable,
        evidence: Tables,
        attendance: Attendance,
        presence: Presence,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._key = vault.hash_key("contact")
        self._records = records
        self._passes = passes
        self._partners = partners
        self._referrals = evidence.referrals
        self._registrations = evidence.registrations
        self._attendance = attendance
        self._presence = presence
        self._clock = clock

    # --- partners and their referrals ---

    async def partner_add(self, args: dict[str, Any]) -> dict[str, Any]:
        """Register a company that may file referrals."""
        return _partner(await self._partners.add(args["partner"], args["name"], self._clock()))

    async def partner_list(self) -> list[dict[str, Any]]:
        """Every partner."""
        return [_partner(partner) for partner in await self._partners.all()]

    async def referral_add(self, args: dict[str, Any]) -> dict[str, Any]:
        """File one referral."""
        given = contact(args["contact"], self._key)
        filing = Filing(
            partner=args["partner"],
            full=given.full,
            mask=given.mask,
            broker=args.get("broker"),
            declared=args.get("declared"),
            expected=args.get("expected"),
        )
        return self._referral(await self._referrals.file(filing, self._clock()))

    async def referral_import(self, args: dict[str, Any]) -> dict[str, Any]:
        """File many referrals, or none of them if any row is bad; a dry run only looks. For a `partner`: only its own."""
        lines = await asyncio.to_thread(
            read_filings, args["csv"], self._key, self._config.timezone, args.get("partner")
        )
        filings = [(line.number, line.filing) for line in lines if line.filing is not None]
        bad = {line.number: line.problem for line in lines if line.filing is None}
        wanted, now = [filing for _, filing in filings], self._clock()
        kept = 0
        if bad or args["dry_run"]:
            refusals = await self._referrals.refusals(wanted, now)
        else:
            refusals, stored = await self._referrals.file_all(wanted, now)
            kept = len(stored)
        bad |= {number: str(why) for (number, _), why in zip(filings, refusals, strict=True) if why is not None}
        return {
            "dry_run": args["dry_run"],
            "rows": len(lines),
            "filed": kept,
            "bad": [{"line": number, "reason": reason} for number, reason in sorted(bad.items())],
        }

    async def referral_list(self, args: dict[str, Any]) -> list[dict[str, Any]]:
        """Referrals, the latest declared first."""
        live_at = self._clock() if args["live"] else None
        found = await self._referrals.list(args.get("partner"), live_at, args["limit"])
        return [self._referral(referral) for referral in found]

    async def referral_withdraw(self, args: dict[str, Any]) -> dict[str, Any]:
        """Take a referral back; for a `partner`, if it is its own."""
        await self._referrals.withdraw(args["referral"], self._clock(), args.get("partner"))
        return {"withdrawn": True}

    # --- passes and check-ins ---

    async def pass_issue(self, args: dict[str, Any]) -> dict[str, Any]:
        """A pass for somebody new, or one more for the visitor of an alias."""
        alias: str | None = args.get("alias")
        if alias is None:
            code, alias = await self._passes.issue(self._clock())
            return {"code": code, "alias": alias}
        visitor_id = await self._visitor(alias)
        code = await self._passes.issue_again(visitor_id, self._clock())
        return {"code": code, "alias": self._records.alias(visitor_id)}

    async def pass_scan(self, args: dict[str, Any]) -> dict[str, Any]:
        """A visitor showed their pass: they are here."""
        self._check_zone(args["zone"])
        visitor_id = await self._passes.holder(args["code"])
        at = self._clock()
        also = self._registrations.scan(visitor_id, args["zone"], at)
        visit = await self._attendance.registered(visitor_id, None, args["zone"], at, also)
        await self._presence.refresh(args["zone"])
        return self._visit(visit)

    async def check_in(self, args: dict[str, Any]) -> dict[str, Any]:
        """Somebody gave a contact: with alias or pass that visitor is here, else whoever the contact stands for.

        Whose the contact is, is not told: whoever types a stranger's number learns nothing from the answer.
        """
        self._check_zone(args["zone"])
        given = contact(args["contact"], self._key)
        if given.full is None:
            raise InvalidError("contact: is masked; only a referral may be, so give the whole number")
        visitor_id = None
        if "alias" in args:
            visitor_id = await self._visitor(args["alias"])
        elif "code" in args:
            visitor_id = await self._passes.holder(args["code"])
        here = visitor_id or await self._registrations.owner(given.full)
        at = self._clock()
        also = self._registrations.check_in(visitor_id, given.full, given.mask, args.get("source"), args["zone"], at)
        visit = await self._attendance.registered(here, given.full, args["zone"], at, also)
        await self._presence.refresh(args["zone"])
        return {"visit": visit.visit_id} if visitor_id is None else self._visit(visit)

    # --- helpers ---

    def _check_zone(self, zone_id: str) -> None:
        if zone_id not in self._config.zones:
            zones = ", ".join(self._config.zones)
            raise NotFoundError(f"zone: {zone_id!r} does not exist; the site's zones are {zones}")

    async def _visitor(self, alias: str) -> str:
        visitor_id = await self._records.visitor_for(alias)
        if visitor_id is None:
            raise NotFoundError("alias: no visitor has it; check the spelling, or the visitor withdrew")
        return visitor_id

    def _visit(self, visit: Visit) -> dict[str, Any]:
        return {
            "visit": visit.visit_id,
            "alias": self._records.alias(visit.visitor_id) if visit.visitor_id else None,
            "zone": visit.zone_id,
            "started_at": iso(visit.started_at),
            "earlier": visit.earlier,
            "returning": visit.returning,
        }

    def _referral(self, referral: StoredReferral) -> dict[str, Any]:
        """What is told of a referral: never its contact."""
        return {
            "referral": referral.referral_id,
            "partner": referral.partner,
            "broker": referral.broker,
            "masked": referral.full is None,
            "declared_at": iso(referral.declared_at),
            "filed_at": iso(referral.filed_at),
            "expected_at": None if referral.expected_at is None else iso(referral.expected_at),
            "valid_until": iso(referral.declared_at + self._config.rules.validity),
            "withdrawn_at": None if referral.withdrawn_at is None else iso(referral.withdrawn_at),
        }


def _partner(partner: Partner) -> dict[str, Any]:
    return {"partner": partner.partner_id, "name": partner.name, "added_at": iso(partner.added_at)}
