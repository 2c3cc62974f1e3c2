"""Rotates a site's master again and again, says each time what opens it now, and waits to be killed."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from killable import say, serve  # noqa: E402 - found through the path set above

from nvr_bridge.consent import master  # noqa: E402

master._SCRYPT["n"] = (
    2  # a passphrase of these tests guards nothing, and the moments between writes are what is looked for
)


async def rotate(keys_dir: str, phrases: list[str | None], at: int) -> None:
    """From the phrase at `at` to the next, round and round; None is a key file."""
    say("open")
    while True:
        now, then = phrases[at % len(phrases)], phrases[(at + 1) % len(phrases)]
        say("rotating", at)
        master.rotate(Path(keys_dir), now, then)
        at += 1
        say("rotated", at)


if __name__ == "__main__":
    serve(rotate)
