"""What a machine may lack, and where it is when it does not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MODELS = Path(os.environ.get("NVR_BRIDGE_MODELS", "~/.cache/nvr-bridge/models")).expanduser()
CHROMIUM = os.environ.get("NVR_BRIDGE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
AXE = Path(__file__).parent.parent / ".cache" / "axe" / "axe.min.js"
HUB = Path(os.environ.get("NVR_BRIDGE_HUB") or Path(__file__).parent.parent / ".venv-hub")  # has Home Assistant
