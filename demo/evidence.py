"""What was found out while the story played, for the check to compare with the story."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.hub_setup import Entities
from demo.record import Change, Sample
from demo.steps import Played
from nvr_bridge.models import EventKind

VISIT_KINDS = (EventKind.FIRST_VISIT, EventKind.RETURNING_VISIT, EventKind.VISIT_ENDED)
# Every entry of the engine's log is one event of the hub. A verdict is shown beforehand, too, as what is new in it.
SHOWN_AS = {kind: str(kind) for kind in EventKind} | {EventKind.VERDICT: "attribution"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found out while the story played, and at its end."""

    played: Played
    devices: int  # that should answer to discovery
    discovered: int
    channels: int  # that discovery found
    cameras: dict[str, str]  # the site's camera → the engine's id
    entities: Entities
    status: dict[str, Any]  # the engine's, at the end
    camera_states: list[dict[str, Any]]  # the engine's, at the end
    events: list[dict[str, Any]]  # the engine's log
    sightings: list[dict[str, Any]]
    visits: list[dict[str, Any]]  # the engine's, with their verdicts, at the end
    samples: list[Sample]
    changes: list[Change]  # the hub's
    states: dict[str, dict[str, Any]]  # the hub's, at the end


@dataclass
class Tally:
    """Counts expectations, and says which of them were wrong."""

    expected: int = 0
    problems: list[str] = field(default_factory=list)

    def expect(self, held: bool, problem: str) -> None:
        """One expectation."""
        self.expected += 1
        if not held:
            self.problems.append(problem)


def showings(changes: Iterable[Change], types: Collection[str]) -> list[Change]:
    """The changes that showed an event of these types, each showing once: its state is the moment at which it was shown."""
    shown: dict[tuple[str, int, str, str], Change] = {}
    for change in changes:
        if "sequence" in change.attributes and change.attributes["event_type"] in types:
            told = change.attributes["sequence"], change.attributes["event_type"]
            shown.setdefault((change.entity_id, *told, change.state), change)
    return list(shown.values())


def moment(text: str) -> float:
    """ISO 8601 → seconds since the epoch."""
    return datetime.fromisoformat(text).timestamp()
