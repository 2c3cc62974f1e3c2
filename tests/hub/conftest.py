"""What the hub's tests share. Each runs a whole Home Assistant against a fake engine on a real socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_engine import ENGINE, NOTICE, TOKEN, FakeEngine
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

import custom_components  # before the test kit puts a folder of that name in its place

DOMAIN = "nvr_bridge"
KNOWN = {"cameras": ["north", "south"]}  # in an entry's data, once it has been connected
ENGINE_ID = ENGINE["id"]
INTEGRATION = Path(next(iter(custom_components.__path__))).resolve() / DOMAIN


@pytest.fixture(autouse=True)
def loopback(socket_enabled: None) -> None:
    """The hub's test kit blocks sockets."""


# The test kit prints what pytest shows anyway.
logging.getLogger().handlers = [it for it in logging.getLogger().handlers if type(it) is not logging.StreamHandler]


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The hub's warnings, and all that this integration says: what helps where a test fails. `log_all` has the rest."""
    caplog.set_level(logging.WARNING)
    caplog.set_level(logging.WARNING, "sqlalchemy.engine")
    caplog.set_level(logging.DEBUG, f"custom_components.{DOMAIN}")
    return caplog


def log_all(caplog: pytest.LogCaptureFixture) -> None:
    """From here on, everything that anybody says at any level, down to the recorder's SQL."""
    caplog.set_level(logging.DEBUG, "sqlalchemy.engine")
    caplog.set_level(logging.DEBUG)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which the hub warns of this integration, unless it is marked to expect that.

    From the setup to the end of the hub, which comes before this fixture's: an unload may warn too.
    """
    yield
    expected = [str(mark.args[0]) for mark in request.node.iter_markers("warns")]
    logged = [record for when in ("setup", "call", "teardown") for record in caplog.get_records(when)]
    assert warnings_of_ours(logged, *expected) == []


@pytest.fixture
async def engine(enable_custom_integrations: None) -> AsyncIterator[FakeEngine]:
    """An engine that runs, beside a hub that takes integrations from elsewhere."""
    fake = FakeEngine()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
def entry(hass: HomeAssistant, engine: FakeEngine) -> MockConfigEntry:
    """A paired entry, not yet set up."""
    made = MockConfigEntry(
        domain=DOMAIN,
        title="Riverside",
        unique_id=ENGINE_ID,
        data={"host": "127.0.0.1", "port": engine.port, "token": TOKEN},
    )
    made.add_to_hass(hass)
    return made


@pytest.fixture
async def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> AsyncIterator[MockConfigEntry]:
    """An entry that is connected."""
    await load(hass, entry)
    yield entry
    if entry.state is ConfigEntryState.LOADED:
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
async def bound(hass: HomeAssistant, entry: MockConfigEntry) -> AsyncIterator[MockConfigEntry]:
    """An entry that is connected, with the sign and the act of the lane bound."""
    hass.states.async_set("switch.sign", "on")
    hass.states.async_set("input_button.act", "unknown")
    lane = {"sign": "switch.sign", "act": "input_button.act", "notice_hash": NOTICE}
    hass.config_entries.async_update_entry(entry, options={"zones": {"lane": lane}})
    await load(hass, entry)
    yield entry
    if entry.state is ConfigEntryState.LOADED:
        await hass.config_entries.async_unload(entry.entry_id)


def warnings_of_ours(logged: Iterable[logging.LogRecord], *expected: str) -> list[str]:
    """What the hub warns of that names this integration, if only in a traceback, and is not expected."""
    whole = logging.Formatter("%(name)s: %(message)s")
    said = [whole.format(record) for record in logged if record.levelno >= logging.WARNING]
    # The hub warns of every custom integration. What takes long on a busy machine is the bench's to measure.
    always = ("has not been tested", "asyncio: Executing ", "homeassistant.helpers.entity: Updating state for ")
    ours = [text for text in said if DOMAIN in text or "NVR Bridge" in text]
    return [text for text in ours if not any(known in text for known in (*always, *expected))]


async def load(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set up an entry whose engine answers."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for what another task or socket brings about."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - whatever it is that changes, it sets no event of ours
            await asyncio.sleep(0.005)


def find(hass: HomeAssistant, platform: str, key: str) -> State:
    """The state of an entity by what it shows: `armed`, `zone_lane_people_present`, `camera_north_online`, …"""
    entity_id = er.async_get(hass).async_get_entity_id(platform, DOMAIN, f"{ENGINE_ID}_{key}")
    assert entity_id, f"no {platform} {key}"
    state = hass.states.get(entity_id)
    assert state, f"no state of {entity_id}"
    return state


def is_shown(hass: HomeAssistant, platform: str, key: str, value: str) -> Callable[[], bool]:
    """A condition for `until`."""
    return lambda: find(hass, platform, key).state == value
