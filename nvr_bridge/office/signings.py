"""Signed contracts: who signed, where and when, and what the rules make of it."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidError
from ..store.registrations import RegistrationTable
from ..store.signings import NewSigning, SigningTable
from ..visits.casebook import Casebook, Tables
from .listing import iso, signing_row
from .register import Register


class Signings:
    """Answers the commands about signings. Arguments come checked."""

    def __init__(self, register: Register, evidence: Tables, casebook: Casebook) -> None:
        self._register = register
        self._registrations: RegistrationTable = evidence.registrations
        self._signings: SigningTable = evidence.signings
        self._casebook = casebook

    async def signing_add(self, args: dict[str, Any]) -> dict[str, Any]:
        """Somebody signed a contract, and so is here: by alias or pass, or else whoever document or contact stand for.

        Whose they are, is not told: whoever types a stranger's number learns nothing from the answer.
        """
        register = self._register
        register.check_zone(args["zone"])
        full, mask = register.contact(args["contact"]) if "contact" in args else (None, None)
        document = register.document(args["document"]) if "document" in args else None
        visitor_id = await register.named(args)
        if visitor_id is None and document is None and full is None:
            raise InvalidError("alias: is missing; give it, or code, document or contact, which say who signed")
        co_signers = await register.visitors("co_signers", args["co_signers"])
        if visitor_id in co_signers:
            raise InvalidError("co_signers: the one who signs is among them; name the others only")
        here = visitor_id or await self._whose(document, full)
        at = register.clock()
        new = NewSigning(args["zone"], at, visitor_id, document, full, mask, co_signers)
        signing_id, also = self._signings.sign(new)
        names = tuple(name for name in (document, full) if name is not None)
        # Whoever signs too is never the one who signs, whatever number was given.
        visit = await register.present(None if here in co_signers else here, names, args["zone"], at, also)
        told = {"visit": visit.visit_id} if visitor_id is None else register.visit_row(visit)
        return {"signing": signing_id, "at": iso(at), **told}

    async def signing_list(self, args: dict[str, Any]) -> list[dict[str, Any]]:
        """Signings with their verdicts, the newest first."""
        found = await self._signings.list(args.get("since"), args.get("until"), args.get("zone"), args["limit"])
        cases = await self._casebook.signed(found)
        aliases = self._register.alias
        return [
            signing_row(one, cases.get(one.signing_id, {}), aliases(one.visitor_id) if one.visitor_id else None)
            for one in found
        ]

    async def _whose(self, document: str | None, full: str | None) -> str | None:
        """The one visitor who signed with this document; or who gave this contact first, and is not proven another one."""
        signer = await self._signings.signer(document) if document else None
        if signer is not None or full is None:
            return signer
        owner = await self._registrations.owner(full)
        if document and owner and await self._signings.proven(owner):
            return None
        return owner
