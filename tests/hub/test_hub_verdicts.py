"""What a visit came to: every verdict is shown, and what is new in it is an event of its own."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import find, load, until
from fake_engine import FakeEngine
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from pytest_homeassistant_custom_component.common import MockConfigEntry

pytestmark = pytest.mark.warns("connection lost")


@pytest.fixture
def shown(hass: HomeAssistant) -> list[dict[str, Any]]:
    """What the desk's event entity showed, in order."""
    attributes: list[dict[str, Any]] = []

    @callback
    def changed(event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        if event.data["entity_id"] == "event.desk_visit" and new and new.attributes.get("sequence"):
            attributes.append(dict(new.attributes))

    hass.bus.async_listen("state_changed", changed)
    return attributes


def types(shown: list[dict[str, Any]]) -> list[str]:
    return [attributes["event_type"] for attributes in shown]


async def test_a_verdict_is_shown_with_all_that_it_says(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, shown: list[dict[str, Any]]
) -> None:
    await engine.judges(
        attribution="channel",
        partner="acme",
        rule="referral_valid",
        risks="competing_referrals, contact_changed",
        needs_review=True,
        returning=2,
    )
    await until(lambda: "attribution" in types(shown))
    said = shown[-1]
    assert {key: said[key] for key in ("case", "attribution", "partner", "rule", "needs_review", "returning")} == {
        "case": "K7QF-2M9D",
        "attribution": "channel",
        "partner": "acme",
        "rule": "referral_valid",
        "needs_review": True,
        "returning": 2,
    }
    assert said["risks"] == ["competing_referrals", "contact_changed"]
    assert (said["state"], said["version"]) == ("proposed", "1f0c9a2b")
    assert (said["sequence"], said["replayed"]) == (1, False)
    assert said["occurred_at"] == "2026-03-02T01:00:01.000Z"
    assert (said["alias"], said["visit"]) == ("amber otter 42", "v" * 8)


@pytest.mark.parametrize(
    ("shown_as", "expected"),
    [
        (["attribution"], ["attribution"]),
        (["channel_visit", "risk_raised", "attribution"], ["channel_visit", "risk_raised", "attribution"]),
        (["a_word_of_a_newer_engine", "attribution"], ["attribution"]),
        ([], []),
    ],
)
async def test_it_is_shown_as_the_engine_says_one_after_the_other(
    hass: HomeAssistant,
    engine: FakeEngine,
    loaded: MockConfigEntry,
    shown: list[dict[str, Any]],
    shown_as: list[str],
    expected: list[str],
) -> None:
    await engine.happens("verdict", shown=shown_as, data={"case": "K7QF-2M9D"})
    await engine.happens("visit_ended")
    await until(lambda: "visit_ended" in types(shown))
    assert types(shown) == [*expected, "visit_ended"]
    assert [attributes["sequence"] for attributes in shown] == [1] * len(expected) + [2]
    assert "case" not in shown[-1]  # what was said of one event is not said of the next


async def test_an_engine_that_does_not_say_as_what_is_shown_by_the_kind(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, shown: list[dict[str, Any]]
) -> None:
    await engine.happens("first_visit", shown=None)
    await until(lambda: types(shown) == ["first_visit"])


@pytest.mark.parametrize("kind", ["person_approaching", "consent_granted", "consent_withdrawn"])
async def test_what_else_happens_in_a_zone(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, shown: list[dict[str, Any]], kind: str
) -> None:
    await engine.happens(kind, visit=None, alias=None)
    await until(lambda: types(shown) == [kind])
    assert (shown[0]["sequence"], shown[0]["replayed"]) == (1, False)


async def test_how_sure_it_is_who_came(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, shown: list[dict[str, Any]]
) -> None:
    await engine.happens("returning_visit", data={"frame_at": 1.5, "confidence": 0.712, "confidence_band": "high"})
    await until(lambda: types(shown) == ["returning_visit"])
    assert (shown[0]["confidence"], shown[0]["confidence_band"]) == (0.712, "high")
    assert "frame_at" not in shown[0]


async def test_a_verdict_that_was_missed_is_shown_as_replayed(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry, shown: list[dict[str, Any]]
) -> None:
    await engine.stop()
    await until(lambda: not loaded.runtime_data.connected)
    await engine.judges(attribution="channel", partner="acme")
    await engine.start()
    await until(lambda: types(shown) == ["channel_visit", "attribution"])
    assert all(attributes["replayed"] for attributes in shown)


async def test_after_a_restart_a_verdict_is_shown_again_without_its_alias(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    await load(hass, entry)
    await engine.judges(attribution="channel", partner="acme")
    await until(lambda: find(hass, "event", "zone_desk_visit").attributes.get("event_type") == "attribution")
    await hass.config_entries.async_unload(entry.entry_id)
    await load(hass, entry)
    await until(lambda: find(hass, "event", "zone_desk_visit").state != "unavailable")
    again = find(hass, "event", "zone_desk_visit").attributes
    assert (again["event_type"], again["case"], again["partner"]) == ("attribution", "K7QF-2M9D", "acme")
    assert again["replayed"] is True
    assert (again["alias"], again["visit"]) == (None, None)
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_withdrawal_takes_the_alias_of_a_verdict_too(
    hass: HomeAssistant, engine: FakeEngine, loaded: MockConfigEntry
) -> None:
    await engine.judges(attribution="channel", partner="acme")
    await until(lambda: find(hass, "event", "zone_desk_visit").attributes.get("alias"))
    await engine.forgets("amber otter 42", [])
    await until(lambda: find(hass, "event", "zone_desk_visit").attributes["alias"] is None)
    left = find(hass, "event", "zone_desk_visit").attributes
    assert (left["visit"], left["case"]) == (None, "K7QF-2M9D")
