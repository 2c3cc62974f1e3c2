"""What the engine says, in a handy form. What is not known here is left alone, so that a newer engine may say more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .errors import CannotConnectError

SINGLE = ("engine", "site")
KINDS = (*SINGLE, "zone", "camera")  # what has a device of its own
_EVENT = ("sequence", "kind", "occurred_at", "zone", "visit", "alias", "replayed", "data")

type Subscribed = tuple[list[Thing], list[dict[str, Any]], int]  # what there is, what was missed, the last sequence


@dataclass(frozen=True, slots=True)
class Thing:
    """What has a device of its own, as the engine described it last."""

    kind: str
    id: str
    name: str
    state: dict[str, Any]  # by field; inner ones too, as `watch.next_purge`, and settings by their key: `settings.KEY`

    @property
    def topic(self) -> str:
        """Names it among all that one engine has."""
        return self.kind if self.kind in SINGLE else f"{self.kind}_{self.id}"


def subscribed(raw: Any) -> Subscribed:
    """The answer to `subscribe`. Raises `CannotConnectError`."""
    with understood("subscribe"):
        return things(raw["snapshot"]), [event(it) for it in raw["events"]], raw["sequence"]


def event(raw: Any) -> dict[str, Any]:
    """An entry of the engine's log, with what it is `shown` as. Raises `CannotConnectError`."""
    with understood("event"):
        shown = [raw["kind"]] if raw.get("shown") is None else raw["shown"]
        return {"shown": shown, **{field: raw[field] for field in _EVENT}}


def things(raw: dict[str, Any]) -> list[Thing]:
    """All that a snapshot (`zones`) or a push (`zone`) describes. Raises `CannotConnectError`."""
    with understood("state"):
        return [
            Thing(kind, kind if kind in SINGLE else state["id"], state["name"], dict(_paths("", state)))
            for kind in KINDS
            for state in ([raw[kind]] if raw.get(kind) else raw.get(f"{kind}s", ()))
        ]


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Raises `CannotConnectError` where the engine leaves out what must be said, or says what cannot be."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as err:
        raise CannotConnectError(f"{what}: {err!r}") from err


def _paths(prefix: str, state: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in state.items():
        yield f"{prefix}{key}", value
        if key == "settings":
            yield from ((f"settings.{setting['key']}", setting) for setting in value)
        elif isinstance(value, dict):
            yield from _paths(f"{prefix}{key}.", value)
