"""An encrypted connection: a person compares the certificate's fingerprint once, and no other certificate will do."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import DOMAIN, ENGINE_ID, KNOWN, is_shown, load, until
from fake_certificate import Certificate
from fake_engine import CODE, TOKEN, FakeEngine
from homeassistant.config_entries import SOURCE_USER, SOURCE_ZEROCONF, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry
from test_hub_config_flow import address, announcement, answer, finish, start


@pytest.fixture
async def certificate(engine: FakeEngine) -> Certificate:
    """The engine speaks TLS alone."""
    return await changes(engine)


@pytest.fixture
def pinned(hass: HomeAssistant, certificate: Certificate, entry: MockConfigEntry) -> MockConfigEntry:
    """An entry that was paired over TLS, not yet set up."""
    hass.config_entries.async_update_entry(entry, data={**entry.data, "fingerprint": certificate.fingerprint})
    return entry


async def changes(engine: FakeEngine) -> Certificate:
    """The engine starts again, with a certificate of its own."""
    await engine.stop()
    engine.certificate = Certificate()
    await engine.start()
    return engine.certificate


async def user(hass: HomeAssistant, engine: FakeEngine, **fields: Any) -> Any:
    return await answer(hass, await start(hass, SOURCE_USER), **address(engine), **fields)


async def test_the_fingerprint_is_compared_then_pinned(
    hass: HomeAssistant, engine: FakeEngine, certificate: Certificate
) -> None:
    flow = await user(hass, engine, ssl=True)
    assert flow["step_id"] == "certificate"
    assert flow["description_placeholders"]["fingerprint"] == certificate.shown
    assert engine.connections == 0  # what is not confirmed is not talked to
    flow = await answer(hass, flow)
    assert flow["step_id"] == "pair"
    await finish(hass, await answer(hass, flow, code=CODE))
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry.data["fingerprint"] == certificate.fingerprint


async def test_a_certificate_that_changes_meanwhile_is_shown_again(
    hass: HomeAssistant, engine: FakeEngine, certificate: Certificate
) -> None:
    flow = await answer(hass, await user(hass, engine, ssl=True))
    other = await changes(engine)
    flow = await answer(hass, flow, code=CODE)
    assert flow["step_id"] == "certificate"
    assert flow["description_placeholders"]["fingerprint"] == other.shown
    assert engine.of("pair") == []  # the code is told to nobody with another certificate
    await finish(hass, await answer(hass, flow))


async def test_the_wrong_port_for_tls_then_the_right_one(hass: HomeAssistant, engine: FakeEngine) -> None:
    flow = await user(hass, engine, ssl=True)
    assert (flow["step_id"], flow["errors"]) == ("user", {"base": "cannot_connect"})
    flow = await answer(hass, flow, **address(engine), ssl=False)
    await finish(hass, await answer(hass, flow, code=CODE))


@pytest.mark.warns("connection lost")
async def test_it_is_checked_at_every_connection(
    hass: HomeAssistant, engine: FakeEngine, pinned: MockConfigEntry
) -> None:
    await load(hass, pinned)
    await engine.drop()
    await until(lambda: engine.connections == 2 and engine.listeners == 1)
    await until(is_shown(hass, "binary_sensor", "connected", "on"))
    await hass.config_entries.async_unload(pinned.entry_id)


@pytest.mark.warns("connection lost")
async def test_another_certificate_is_not_trusted_and_a_person_is_asked(
    hass: HomeAssistant, engine: FakeEngine, pinned: MockConfigEntry
) -> None:
    await load(hass, pinned)
    shown = engine.of("auth")
    other = await changes(engine)
    await until(hass.config_entries.flow.async_progress)
    assert engine.of("auth") == shown  # the token was not shown again
    assert pinned.data["fingerprint"] != other.fingerprint
    (flow,) = hass.config_entries.flow.async_progress()
    flow = await answer(hass, flow, code=CODE)
    assert flow["step_id"] == "certificate"
    assert flow["description_placeholders"]["fingerprint"] == other.shown
    assert engine.of("pair") == []
    ended = await answer(hass, flow)
    assert (ended["type"], ended["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    await until(lambda: engine.listeners == 1)
    assert pinned.data["fingerprint"] == other.fingerprint
    await hass.async_block_till_done()
    await hass.config_entries.async_unload(pinned.entry_id)


@pytest.mark.warns("has another certificate")
async def test_another_certificate_at_the_start_is_not_trusted_either(
    hass: HomeAssistant, engine: FakeEngine, pinned: MockConfigEntry
) -> None:
    await changes(engine)
    await hass.config_entries.async_setup(pinned.entry_id)
    assert pinned.state is ConfigEntryState.SETUP_ERROR
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == ["reauth"]
    assert engine.connections == 0


async def test_an_entry_turns_to_tls_and_back(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry, certificate: Certificate
) -> None:
    flow = await entry.start_reconfigure_flow(hass)
    flow = await answer(hass, await answer(hass, flow, **address(engine), ssl=True))
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    await until(lambda: engine.listeners == 1)
    await hass.async_block_till_done()
    assert entry.data == {**address(engine), "token": TOKEN, "fingerprint": certificate.fingerprint, **KNOWN}
    await hass.config_entries.async_unload(entry.entry_id)
    await engine.stop()
    engine.certificate = None
    await engine.start()
    flow = await entry.start_reconfigure_flow(hass)
    flow = await answer(hass, flow, **address(engine), ssl=False)
    assert flow["reason"] == "reconfigure_successful"
    await until(lambda: engine.listeners == 1)
    await hass.async_block_till_done()
    assert entry.data == {**address(engine), "token": TOKEN, **KNOWN}
    await hass.config_entries.async_unload(entry.entry_id)


def announced(engine: FakeEngine, **more: str) -> Any:
    """With a port that is not encrypted, which nobody listens on."""
    info = announcement(engine, id=ENGINE_ID, name="Riverside", **more)
    info.port = 1
    return info


async def test_an_engine_that_is_found_is_paired_by_tls_if_it_can(
    hass: HomeAssistant, engine: FakeEngine, certificate: Certificate
) -> None:
    flow = await start(hass, SOURCE_ZEROCONF, announced(engine, tls_port=str(engine.port)))
    assert flow["step_id"] == "pair"
    flow = await answer(hass, flow, code=CODE)
    assert flow["step_id"] == "certificate"
    assert flow["description_placeholders"]["fingerprint"] == certificate.shown
    assert engine.of("pair") == []  # not before it is compared
    await finish(hass, await answer(hass, flow))
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry.data["fingerprint"] == certificate.fingerprint


async def test_an_announcement_brings_the_new_port_of_tls(
    hass: HomeAssistant, engine: FakeEngine, certificate: Certificate, pinned: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(pinned, data={**pinned.data, "host": "192.0.2.1", "port": 8646})
    flow = await start(hass, SOURCE_ZEROCONF, announced(engine, tls_port=str(engine.port)))
    assert flow["reason"] == "already_configured"
    assert pinned.data == {**address(engine), "token": TOKEN, "fingerprint": certificate.fingerprint}


@pytest.mark.parametrize("told", [{}, {"tls_port": "x"}], ids=["without", "nonsense"])
async def test_an_announcement_without_tls_leaves_its_port_alone(
    hass: HomeAssistant, engine: FakeEngine, pinned: MockConfigEntry, told: dict[str, str]
) -> None:
    hass.config_entries.async_update_entry(pinned, data={**pinned.data, "host": "192.0.2.1", "port": 8646})
    flow = await start(hass, SOURCE_ZEROCONF, announced(engine, **told))
    assert flow["reason"] == "already_configured"
    assert (pinned.data["host"], pinned.data["port"]) == ("127.0.0.1", 8646)


async def test_an_announcement_with_tls_leaves_an_entry_without_it_alone(
    hass: HomeAssistant, engine: FakeEngine, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, "host": "192.0.2.1"})
    flow = await start(hass, SOURCE_ZEROCONF, announced(engine, tls_port="8646"))
    assert flow["reason"] == "already_configured"
    assert entry.data == {**address(engine), "token": TOKEN}
