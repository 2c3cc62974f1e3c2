"""What happened: the durable event log, and the bus that tells it after the store has committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import event as hooks
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from .models import Event, EventKind
from .store.database import Database, rows_of
from .store.schema import Data, EventRow


@dataclass(frozen=True, slots=True)
class Told:
    """An event that the store has committed."""

    event: Event


@dataclass(frozen=True, slots=True)
class State:
    """A thing's whole new state, as the wire has it (`messages.StatePush`)."""

    kind: Literal["engine", "site", "camera", "zone", "removed_camera"]
    data: Any
    frame_at: float | None = None  # when the frame that decided this change was received


@dataclass(frozen=True, slots=True)
class Forget:
    """A visitor withdrew: drop this alias and these visits from everything shown."""

    alias: str
    visits: tuple[str, ...]


type Push = Told | State | Forget


class Bus:
    """Tells every listener, at once and in order. Listeners take what they are given and never raise."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Push], None]] = []

    def attach(self, listener: Callable[[Push], None]) -> Callable[[], None]:
        """Call `listener` with every push from now on. Returns what ends that; calling it again does nothing."""
        self._listeners.append(listener)

        def detach() -> None:
            # By identity: two equal listeners are two subscriptions.
            self._listeners = [held for held in self._listeners if held is not listener]

        return detach

    def publish(self, push: Push) -> None:
        """Tell `push` to everybody who is attached now."""
        for listener in tuple(self._listeners):
            listener(push)


class EventLog:
    """The durable log. Sequence numbers grow, and none is ever given twice."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._latest = db.first_sequence

    async def append(
        self,
        session: AsyncSession,
        *,
        kind: EventKind,
        occurred_at: float,
        zone_id: str,
        visit_id: str | None = None,
        visitor_id: str | None = None,
        data: Data | None = None,
    ) -> Event:
        """Add an event to the caller's write transaction. Publish it only after that has been committed."""
        row = EventRow(
            kind=kind.value,
            occurred_at=occurred_at,
            zone_id=zone_id,
            visit_id=visit_id,
            visitor_id=visitor_id,
            data=dict(data or {}),
        )
        session.add(row)
        await session.flush()
        sequence = row.sequence

        def committed(_: object) -> None:
            self._latest = max(self._latest, sequence)

        hooks.listen(session.sync_session, "after_commit", committed, once=True)
        return _event(row)

    async def since(self, sequence: int) -> list[Event]:
        """Every event after `sequence`, oldest first. Of very many, other tasks get their turn meanwhile."""
        wanted = _EVENTS.where(EventRow.sequence > sequence).order_by(EventRow.sequence)
        async with self._db.read() as session:
            return [_made(*row) async for row in rows_of(session, wanted)]

    async def last_of(self, zone_id: str) -> Event | None:
        """The newest event of a zone."""
        wanted = select(EventRow).where(EventRow.zone_id == zone_id).order_by(EventRow.sequence.desc()).limit(1)
        async with self._db.read() as session:
            row = await session.scalar(wanted)
            return None if row is None else _event(row)

    def latest(self) -> int:
        """The highest sequence that has been committed; 0 before the first."""
        return self._latest


def shown(event: Event) -> list[str]:
    """The words that a hub shows an entry by, one after the other: its kind; of a verdict first what is new in it."""
    if event.kind is not EventKind.VERDICT:
        return [event.kind.value]
    is_news = {
        "channel_visit": event.data.get("new_answer") and event.data.get("attribution") == "channel",
        "risk_raised": event.data.get("new_risks"),
        "attribution": True,
    }
    return [word for word, news in is_news.items() if news]


_EVENTS = select(
    *(EventRow.sequence, EventRow.kind, EventRow.occurred_at, EventRow.zone_id),
    *(EventRow.visit_id, EventRow.visitor_id, EventRow.data),
)


def _made(sequence: int, kind: str, *rest: Any) -> Event:
    """An event of the columns of `_EVENTS`."""
    return Event(sequence, EventKind(kind), *rest)


def _event(row: EventRow) -> Event:
    return _made(row.sequence, row.kind, row.occurred_at, row.zone_id, row.visit_id, row.visitor_id, row.data)
