"""Purges a store on a day that it is told, to be killed in the middle of it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from keeper_site import kept_site  # noqa: E402 - found through the path set above
from killable import say, serve  # noqa: E402


async def purge(folder: str, day: float) -> None:
    """One purge."""
    async with kept_site(Path(folder)) as kept:
        kept.on_day(day)
        say("purging")
        begun = time.monotonic()
        report = await kept.keeper.purge()
        say("purged", dict(report.removed), time.monotonic() - begun)


if __name__ == "__main__":
    serve(purge)
