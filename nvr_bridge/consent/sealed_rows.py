"""Everything in a store that is encrypted: whose it is, and with which key. Only read, where no engine runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from ..store.cases import reason_place
from .templates import place
from .vault import SITE_PLACE, consent_key

COLUMNS = {  # where it lies; a test knows if there is more
    ("visitors", "alias_sealed"),
    ("templates", "sealed"),
    ("reviews", "reason_sealed"),
    ("referrals", "broker_sealed"),
    ("logins", "sealed"),
}
_TEMPLATES = "SELECT visitor_id, consent_id, pack, own_key, sealed FROM templates"
_REASONS = (
    "SELECT v.visitor_id, r.case_id, r.reason_sealed FROM reviews r JOIN cases c ON c.case_id = r.case_id"
    " JOIN visits v ON v.visit_id = c.visit_id WHERE r.reason_sealed IS NOT NULL"
)
_BROKERS = "SELECT broker_sealed FROM referrals WHERE broker_sealed IS NOT NULL"
_LOGINS = "SELECT sealed FROM logins"


@dataclass(frozen=True, slots=True)
class Sealed:
    """Something encrypted."""

    what: str
    visitor_id: str | None  # None: nobody's, and the site's key opens it
    key: str | None  # its name; None: the site's
    content: bytes
    aad: bytes


def sealed_rows(connection: sqlite3.Connection) -> Iterator[Sealed]:
    """All of it."""
    for visitor_id, content in connection.execute("SELECT visitor_id, alias_sealed FROM visitors"):
        yield Sealed("alias", visitor_id, visitor_id, content, b"alias")
    for visitor_id, consent_id, pack, own_key, content in connection.execute(_TEMPLATES):
        key = consent_key(consent_id) if own_key else visitor_id
        yield Sealed("template", visitor_id, key, content, place(consent_id, pack))
    for visitor_id, case_id, content in connection.execute(_REASONS):
        aad = SITE_PLACE if visitor_id is None else reason_place(case_id)
        yield Sealed("reason", visitor_id, visitor_id, content, aad)
    for what, wanted in (("broker", _BROKERS), ("camera's login", _LOGINS)):
        for (content,) in connection.execute(wanted):
            yield Sealed(what, None, None, content, SITE_PLACE)
