"""The session that the hub's tests replay is what this engine says today: its story is played anew, and tells the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
import recording
from engine_site import Person

from nvr_bridge.config import Config
from nvr_bridge.consent.permit import OfflineGate

pytestmark = pytest.mark.needs_models


def told(lines: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Every event in its order, by all but what is another one each time."""
    events = []
    for line in lines:
        says = line["says"] if line["from"] == "engine" else {}
        events += says["result"]["events"] if "snapshot" in (says.get("result") or ()) else []
        events += [says["event"]] if "event" in says else []
    judged = ("attribution", "partner", "rule", "risks", "state", "returning")
    return [
        (
            event["kind"],
            *event["shown"],
            *(f"{key}: {event['data'].get(key)}" for key in judged),
            *sorted(event["data"]),
        )
        for event in events
    ]


def asked(lines: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """What the hub asked for, and by which arguments."""
    return [(line["says"]["type"], *sorted(line["says"])) for line in lines if line["from"] == "hub" and line["says"]]


async def test_the_story_is_told_as_it_was_recorded(
    config: Config, people: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OfflineGate, "_online", False)
    played = await recording.play(config, people)
    recorded = [json.loads(line) for line in recording.SESSION.read_text(encoding="utf-8").splitlines()]
    assert sorted(told(played)) == sorted(told(recorded)), "make it anew with `script/record`"
    assert asked(played) == asked(recorded)
