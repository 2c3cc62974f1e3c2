"""Firmwares answer oddly: what cannot be read becomes one of this program's errors, and never ends the engine."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from demo.camera import HikvisionNvr, OnvifCamera
from nvr_bridge.devices.credentials import Credentials, LoginBook, UnsavedRefusals
from nvr_bridge.devices.markup import parse
from nvr_bridge.devices.probe import identify
from nvr_bridge.errors import BridgeError

ROUNDS = 30
TEXTS = ["", " ", "x", "-1", "9.5", "true", "²", "٣", "9" * 20, "http://[", "rtsp://h:99999/"]


def garbler(seed: int) -> Callable[[str], str]:
    """Damages about every other answer: an element gone, renamed, doubled or emptied, a strange value, a cut-off end."""
    dice = random.Random(seed)

    def garble(document: str) -> str:
        if dice.random() < 0.5:
            return document
        root = parse(document.encode())
        element = dice.choice(list(root.iter()))
        match dice.randrange(6):
            case 0 if len(element):
                element.remove(dice.choice(list(element)))
            case 1 if len(element):
                element.append(element[0])
            case 2:
                element.tag = dice.choice(["x", "{urn:y}z"])
            case 3:
                element.clear()
            case 4:
                return ElementTree.tostring(root, encoding="unicode")[: dice.randrange(len(document))]
            case _:
                element.text = dice.choice(TEXTS)
        return ElementTree.tostring(root, encoding="unicode")

    return garble


@pytest.mark.parametrize("kind", ["onvif", "hikvision"])
async def test_whatever_a_device_answers(kind: str, camera: OnvifCamera, nvr: HikvisionNvr, right: Credentials) -> None:
    device = camera if kind == "onvif" else nvr
    assert device.account is not None
    device.garble = garbler(7)
    outcomes: Counter[str] = Counter()
    told: list[str] = []
    for _ in range(ROUNDS):
        device.account.failures = 0
        try:
            await identify(device.address, right, LoginBook(UnsavedRefusals()))
            outcomes["identified"] += 1
        except BridgeError as err:  # anything else is a failure of this test
            outcomes[err.code] += 1
            told.append(str(err))
    assert outcomes["identified"], outcomes
    assert outcomes["not_a_device"] + outcomes["no_video"], outcomes
    assert [line for line in told if "\n" in line or "; " not in line] == [], "one line each, with a remedy"
