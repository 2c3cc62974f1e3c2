"""One client's view of what happens: a snapshot, what it missed, and then everything, with nothing between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import RetryError
from ..events import Forget, Push, State, Told
from ..messages import Subscribed
from ..protocol import OUTBOX_LIMIT
from .api import EngineApi


class Subscription:
    """Attached to the bus for as long as its connection lives."""

    def __init__(self, api: EngineApi, message_id: int, send: Callable[[dict[str, Any]], None]) -> None:
        """`send` takes a message for the client and never waits."""
        self._api = api
        self._id = message_id
        self._send = send
        self._early: list[Told | Forget] = []  # what was told while the log was being read
        self._from: int | None = None  # every event after this one is pushed; None: not yet started
        self._detach: Callable[[], None] | None = api.bus.attach(self._push)

    async def start(self, since: int | None, answer: Callable[[Subscribed], None]) -> None:
        """Give the answer to `answer`, and push from there on. `since` None: nothing was missed."""
        events = [] if since is None else await self._api.events_since(since)
        if len(self._early) > OUTBOX_LIMIT:
            raise RetryError("subscribe: too much happened while the event log was read; try again")
        # From here to the end nothing else runs, so no change can fall between the snapshot and the first push.
        known = self._api.latest_sequence()
        sequence = known if since is None else max([event["sequence"] for event in events], default=min(since, known))
        early, self._early = self._early, []
        late = [push.event for push in early if isinstance(push, Told) and push.event.sequence > sequence]
        events += [self._api.tell(event) for event in late]
        self._from = max([sequence, *(event.sequence for event in late)])
        answer({"snapshot": self._api.snapshot(), "events": events, "sequence": self._from})
        for push in early:
            if isinstance(push, Forget):  # it may concern an event that was read from the log before
                self._push(push)

    def close(self) -> None:
        """Push nothing more."""
        if self._detach is not None:
            self._detach()
            self._detach = None

    def _push(self, push: Push) -> None:
        if self._from is None:
            if not isinstance(push, State) and len(self._early) <= OUTBOX_LIMIT:  # states: the snapshot will have them
                self._early.append(push)
            return
        match push:
            case Told(event):
                if event.sequence > self._from:
                    self._send({"id": self._id, "type": "event", "event": self._api.tell(event)})
            case State(kind, data, frame_at):
                stamp = {} if frame_at is None else {"frame_at": frame_at}
                self._send({"id": self._id, "type": "state", **stamp, kind: data})
            case Forget(alias, visits):
                self._send({"id": self._id, "type": "forget", "alias": alias, "visits": list(visits)})
