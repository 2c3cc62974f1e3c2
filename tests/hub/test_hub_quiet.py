"""What every test here is held to: the hub warns of nothing that has this integration's name in it."""

from __future__ import annotations

import logging

import pytest
from conftest import DOMAIN, warnings_of_ours
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame
from pytest_homeassistant_custom_component.common import MockConfigEntry

REPORT = "does what will not be done any more"


@pytest.mark.warns(REPORT)
async def test_what_the_hub_reports_as_deprecated_is_noticed(
    hass: HomeAssistant, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    frame.report_usage(REPORT, breaks_in_ha_version="2099.1", integration_domain=DOMAIN)
    records = caplog.get_records("call")
    [found] = warnings_of_ours(records)
    assert found.startswith(f"homeassistant.helpers.frame: Detected that custom integration '{DOMAIN}' {REPORT}")
    assert warnings_of_ours(records, REPORT) == []


@pytest.mark.parametrize(
    ("name", "text", "noticed"),
    [
        ("custom_components.nvr_bridge.client", "the constant is deprecated", True),
        ("homeassistant.components.sensor", "Setup of sensor platform nvr_bridge is taking over 10 seconds.", True),
        ("homeassistant.config_entries", "Error unloading entry NVR Bridge for sensor", True),
        ("asyncio", "Task was destroyed but it is pending! <Task coro=<nvr_bridge.bridge.Bridge._run()>>", True),
        ("asyncio", "Executing <Task coro=<nvr_bridge.bridge.Bridge._run()>> took 0.1 seconds", False),
        ("homeassistant.helpers.entity", "Updating state for event.desk_visit (nvr_bridge) took 0.478 seconds", False),
        ("homeassistant.helpers.entity", "Entity None (nvr_bridge) is using native unit of measurement 'x'", True),
        ("homeassistant.loader", "We found a custom integration nvr_bridge which has not been tested", False),
        ("homeassistant.components.sensor", "Setup of sensor platform demo is taking over 10 seconds.", False),
    ],
)
def test_what_names_it_is_noticed(name: str, text: str, noticed: bool) -> None:
    record = logging.LogRecord(name, logging.WARNING, "", 0, text, None, None)
    assert bool(warnings_of_ours([record])) is noticed
    record.levelno = logging.INFO
    assert warnings_of_ours([record]) == []


def test_an_error_that_names_it_in_the_traceback_alone_is_noticed() -> None:
    error = ValueError("custom_components/nvr_bridge/bridge.py")
    told = (ValueError, error, None)
    record = logging.LogRecord(
        "homeassistant", logging.ERROR, "", 0, "Error doing job: it was never retrieved", None, told
    )
    assert warnings_of_ours([record])
