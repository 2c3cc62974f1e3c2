"""Everything that is kept about one visitor: what their own page shows, and what whoever answers for the data can give them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..config import Config
from ..consent.ledger import Ledger
from ..consent.records import Records
from ..errors import NotFoundError
from ..models import Visit
from ..store.database import Database
from ..store.schema import Data
from ..store.subject import Rows, SubjectTable
from ..visits.casebook import Casebook, Tables
from .listing import iso


class Subjects:
    """One for the engine. Answers are JSON-able, and for the visitor and those who answer to them."""

    def __init__(
        self,
        config: Config,
        database: Database,
        ledger: Ledger,
        records: Records,
        evidence: Tables,
        casebook: Casebook,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._database = database
        self._subjects = SubjectTable(database)
        self._ledger = ledger
        self._records = records
        self._evidence = evidence
        self._casebook = casebook
        self._clock = clock

    async def subject_get(self, args: dict[str, Any], role: str, token_id: str | None) -> dict[str, Any]:
        """Everything about the visitor of an alias or an id, for whoever this token is of. Raises `NotFoundError`."""
        visitor_id: str | None = args.get("visitor")
        if visitor_id is None:
            visitor_id = await self._records.visitor_for(args["alias"])
        if visitor_id is None or self._records.alias(visitor_id) is None:
            named = "alias" if "alias" in args else "visitor"
            raise NotFoundError(f"{named}: nobody here has it; check the spelling, or the visitor withdrew")
        reader: Data = {"role": role, "token": token_id}
        if "by" in args:
            reader["user"] = args["by"]
        return await self.about(visitor_id, reader)

    async def about(self, visitor_id: str, reader: Data | None = None) -> dict[str, Any]:
        """Everything about a visitor. That it was read is an act, and first: `reader` is who, unless the visitor.

        Raises `NotFoundError` once they withdrew.
        """
        try:
            return await self._about(visitor_id, reader)
        except NotFoundError as err:
            raise NotFoundError(
                "visitor: is not remembered any more, so there is nothing to read; `nvr-bridge erasure list` has the receipt "
                "of every erasure"
            ) from err

    async def _about(self, visitor_id: str, reader: Data | None) -> dict[str, Any]:
        now = self._clock()
        async with self._database.write() as session:
            await self._ledger.append(session, "subject_read", at=now, visitor_id=visitor_id, data=reader)
        rows = await self._subjects.read(visitor_id)
        visits = await self._evidence.visits.of(visitor_id)
        verdicts = await self._casebook.verdicts(visits)
        for visit in rows.get("visits", []):
            verdict = verdicts.get(visit["visit_id"], {})
            visit |= {key: verdict.get(key) for key in ("attribution", "partner")}
        if reviews := await self._reviews(visits):
            rows["reviews"] = reviews
        acts = [
            {"number": entry.number, "at": entry.at, "act": entry.act, "zone_id": entry.zone_id}
            for entry in await self._ledger.about(visitor_id)
        ]
        alias = self._records.alias(visitor_id)
        if alias is None:
            raise NotFoundError("visitor: has no alias")
        told: dict[str, Any] = {"site": self._config.name, "who": self._config.consent.who, "read_at": iso(now)}
        return {
            **told,
            "alias": alias,
            **{key: self._spoken(some) for key, some in rows.items()},
            "acts": self._spoken(acts),
        }

    async def _reviews(self, visits: Sequence[Visit]) -> Rows:
        """What people said of the visits, and not who: that is about somebody else."""
        cases = await self._evidence.cases.of(visit.visit_id for visit in visits)
        return [
            {
                "visit_id": case.visit_id,
                "at": review.at,
                "act": review.act.value,
                "attribution": review.attribution,
                "partner": review.partner,
                "reason": review.reason,
            }
            for case in cases.values()
            for review in await self._evidence.cases.history(case.case_id)
        ]

    def _spoken(self, rows: Rows) -> Rows:
        """Rows with times that anybody can read, and with the zones' names."""
        return [{key: self._value(key, value) for key, value in row.items()} for row in rows]

    def _value(self, key: str, value: Any) -> Any:
        if value is not None and (key == "at" or key.endswith("_at")):
            return iso(value)
        if key == "zone_id" and value in self._config.zones:
            return self._config.zones[value].name
        return value
