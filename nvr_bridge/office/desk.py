"""What is told rather than seen: partners, referrals, passes and check-ins. Works the same with and without biometrics.

A contact is hashed before anything else sees it: it is not stored, logged, put in an event or in an error.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ..consent.passes import Passes
from ..store.partners import Partner, PartnerTable
from ..store.referrals import Filing, StoredReferral
from ..visits.casebook import Tables
from ..visits.evidence import contact
from ..visits.referral_csv import read_filings
from .listing import iso, referral_row
from .register import Register


class Desk:
    """Answers the commands of those who register visitors and referrals. Arguments come checked."""

    def __init__(self, register: Register, passes: Passes, partners: PartnerTable, evidence: Tables) -> None:
        self._register = register
        self._passes = passes
        self._partners = partners
        self._referrals = evidence.referrals
        self._registrations = evidence.registrations

    # --- partners and their referrals ---

    async def partner_add(self, args: dict[str, Any]) -> dict[str, Any]:
        """Register a company that may file referrals."""
        return _partner(await self._partners.add(args["partner"], args["name"], self._register.clock()))

    async def partner_list(self) -> list[dict[str, Any]]:
        """Every partner."""
        return [_partner(partner) for partner in await self._partners.all()]

    async def referral_add(self, args: dict[str, Any]) -> dict[str, Any]:
        """File one referral."""
        given = contact(args["contact"], self._register.contact_key)
        filing = Filing(
            partner=args["partner"],
            full=given.full,
            mask=given.mask,
            broker=args.get("broker"),
            declared=args.get("declared"),
            expected=args.get("expected"),
        )
        stored = await self._referrals.file(filing, self._register.clock())
        self._register.unjudged.referrals([stored.referral_id])
        return self._row(stored)

    async def referral_import(self, args: dict[str, Any]) -> dict[str, Any]:
        """File many referrals, or none of them if any row is bad; a dry run only looks. For a `partner`: only its own."""
        lines = await asyncio.to_thread(
            read_filings, args["csv"], self._register.contact_key, self._register.config.timezone, args.get("partner")
        )
        filings = [(line.number, line.filing) for line in lines if line.filing is not None]
        bad = {line.number: line.problem for line in lines if line.filing is None}
        wanted, now = [filing for _, filing in filings], self._register.clock()
        kept = 0
        if bad or args["dry_run"]:
            refusals = await self._referrals.refusals(wanted, now)
        else:
            refusals, stored = await self._referrals.file_all(wanted, now)
            kept = len(stored)
            self._register.unjudged.referrals(referral.referral_id for referral in stored)
        bad |= {number: str(why) for (number, _), why in zip(filings, refusals, strict=True) if why is not None}
        return {
            "dry_run": args["dry_run"],
            "rows": len(lines),
            "filed": kept,
            "bad": [{"line": number, "reason": reason} for number, reason in sorted(bad.items())],
        }

    async def referral_list(self, args: dict[str, Any]) -> list[dict[str, Any]]:
        """Referrals, the latest declared first."""
        live_at = self._register.clock() if args["live"] else None
        found = await self._referrals.list(args.get("partner"), live_at, args["limit"])
        return [self._row(referral) for referral in found]

    async def referral_withdraw(self, args: dict[str, Any]) -> dict[str, Any]:
        """Take a referral back; for a `partner`, if it is its own."""
        await self._referrals.withdraw(args["referral"], self._register.clock(), args.get("partner"))
        self._register.unjudged.referrals([args["referral"]])
        return {"withdrawn": True}

    # --- passes and check-ins ---

    async def pass_issue(self, args: dict[str, Any]) -> dict[str, Any]:
        """A pass for somebody new, or one more for the visitor of an alias."""
        alias: str | None = args.get("alias")
        if alias is None:
            code, alias = await self._passes.issue(self._register.clock())
            return {"code": code, "alias": alias}
        visitor_id = await self._register.visitor(alias)
        code = await self._passes.issue_again(visitor_id, self._register.clock())
        return {"code": code, "alias": self._register.alias(visitor_id)}

    async def pass_scan(self, args: dict[str, Any]) -> dict[str, Any]:
        """A visitor showed their pass: they are here."""
        self._register.check_zone(args["zone"])
        visitor_id = await self._passes.holder(args["code"])
        at = self._register.clock()
        also = self._registrations.scan(visitor_id, args["zone"], at)
        return self._register.visit_row(await self._register.present(visitor_id, (), args["zone"], at, also))

    async def check_in(self, args: dict[str, Any]) -> dict[str, Any]:
        """Somebody gave a contact: with alias or pass that visitor is here, else whoever the contact stands for.

        Whose the contact is, is not told: whoever types a stranger's number learns nothing from the answer.
        """
        self._register.check_zone(args["zone"])
        full, mask = self._register.contact(args["contact"])
        visitor_id = await self._register.named(args)
        here = visitor_id or await self._registrations.owner(full)
        at = self._register.clock()
        also = self._registrations.check_in(visitor_id, full, mask, args.get("source"), args["zone"], at)
        visit = await self._register.present(here, (full,), args["zone"], at, also)
        return {"visit": visit.visit_id} if visitor_id is None else self._register.visit_row(visit)

    # --- helpers ---

    def _row(self, referral: StoredReferral) -> dict[str, Any]:
        return referral_row(referral, self._referrals.validity())


def _partner(partner: Partner) -> dict[str, Any]:
    return {"partner": partner.partner_id, "name": partner.name, "added_at": iso(partner.added_at)}
