"""The `nvr-bridge` command, also as `python -m nvr_bridge`."""

from __future__ import annotations

from .cli.app import main

if __name__ == "__main__":
    main()
