"""A visitor's own page: everything that is kept about them, and the end of it. Whoever has the link is the visitor."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from ..config import Config
from ..consent.ledger import Ledger
from ..consent.links import Links
from ..consent.records import Records
from ..errors import ErasureOwedError, NotFoundError, UnauthorizedError
from ..store.database import Database
from ..store.subject import Rows, SubjectTable
from ..store.visits import VisitTable
from ..visits.casebook import Casebook
from .listing import iso


class Mine:
    """One for the engine. Answers are JSON-able, and for the visitor alone."""

    def __init__(
        self,
        config: Config,
        database: Database,
        ledger: Ledger,
        records: Records,
        links: Links,
        visits: VisitTable,
        casebook: Casebook,
        *,
        erase: Callable[[str], Awaitable[dict[str, Any] | None]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`erase` is how the engine forgets a visitor, and what it gives for it: a receipt, if it can be signed now."""
        self._config = config
        self._database = database
        self._subjects = SubjectTable(database)
        self._ledger = ledger
        self._records = records
        self._links = links
        self._visits = visits
        self._casebook = casebook
        self._erase = erase
        self._clock = clock

    async def read(self, token: str) -> dict[str, Any]:
        """Everything about the visitor whose link this is. Raises `UnauthorizedError` where it opens nothing."""
        visitor_id = await self._links.owner(token, self._clock())
        try:
            return await self.about(visitor_id)
        except NotFoundError:  # withdrew while it was read
            raise UnauthorizedError("link: opens nothing any more; what it opened was erased") from None

    async def about(self, visitor_id: str) -> dict[str, Any]:
        """Everything about a visitor. That it was read is an act. Raises `NotFoundError` once they withdrew."""
        now = self._clock()
        async with self._database.write() as session:
            await self._ledger.append(session, "subject_read", at=now, visitor_id=visitor_id)
        rows = await self._subjects.read(visitor_id)
        verdicts = await self._casebook.verdicts(await self._visits.of(visitor_id))
        for visit in rows.get("visits", []):
            verdict = verdicts.get(visit["visit_id"], {})
            visit |= {key: verdict.get(key) for key in ("attribution", "partner")}
        acts = [
            {"number": entry.number, "at": entry.at, "act": entry.act, "zone_id": entry.zone_id}
            for entry in await self._ledger.about(visitor_id)
        ]
        alias = self._records.alias(visitor_id)
        if alias is None:
            raise NotFoundError("visitor: is not remembered any more")
        told: dict[str, Any] = {"site": self._config.name, "who": self._config.consent.who, "read_at": iso(now)}
        return {
            **told,
            "alias": alias,
            **{key: self._spoken(some) for key, some in rows.items()},
            "acts": self._spoken(acts),
        }

    async def withdraw(self, token: str) -> dict[str, Any]:
        """Erase the visitor whose link this is. Raises `UnauthorizedError` where it opens nothing."""
        visitor_id = await self._links.owner(token, self._clock())
        try:
            receipt = await self._erase(visitor_id)
        except NotFoundError:  # somebody else was faster
            raise UnauthorizedError("link: opens nothing any more; what it opened was erased") from None
        except ErasureOwedError:  # erased, with the key destroyed; what is owed is space on the disk
            receipt = None
        return {"withdrawn": True, "receipt": receipt}

    def _spoken(self, rows: Rows) -> Rows:
        """Rows with times that anybody can read, and with the zones' names."""
        return [{key: self._value(key, value) for key, value in row.items()} for row in rows]

    def _value(self, key: str, value: Any) -> Any:
        if value is not None and (key == "at" or key.endswith("_at")):
            return iso(value)
        if key == "zone_id" and value in self._config.zones:
            return self._config.zones[value].name
        return value
