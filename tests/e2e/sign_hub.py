"""A hub in a process of its own, which can be stopped, killed and frozen: it reports signs and presses the lanes' buttons.

`sign_hub.py ADDRESS TOKEN`; each line of standard input is JSON that changes what it reports, and its end is the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import Any

from nvr_bridge.client import Client
from nvr_bridge.errors import BridgeError, NotArmedError

EVERY = 0.25  # seconds between reports


async def main(address: str, token: str) -> None:
    """Until standard input ends."""
    state: dict[str, Any] = {"signs": {}, "lanes": [], "notice_hash": "", "reports": True}
    told, lines = asyncio.Event(), asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    task = asyncio.create_task(report(address, token, state, told))
    while line := await lines.readline():
        state |= json.loads(line)
        told.set()
    task.cancel()
    await asyncio.wait([task])


async def report(address: str, token: str, state: dict[str, Any], told: asyncio.Event) -> None:
    """Connect again whenever that is needed; report at once what has changed."""
    while True:
        with contextlib.suppress(BridgeError):
            async with Client.connect(address, token=token) as client:
                while True:
                    told.clear()
                    await say(client, state)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(told.wait(), EVERY)
        await asyncio.sleep(EVERY)


async def say(client: Client, state: dict[str, Any]) -> None:
    """Everything as it is now; a button is pressed whether or not that permits anything."""
    if state["reports"]:
        for zone, on in state["signs"].items():
            await client.call("zone/sign", zone=zone, on=on, notice_hash=state["notice_hash"])
    for zone in state["lanes"]:
        with contextlib.suppress(NotArmedError):
            await client.call("zone/act", zone=zone)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
