"""The demo: `python -m demo` keeps a site running, `--check` plays its story once and says whether all came out right."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from demo.check import check
from demo.evidence import Evidence
from demo.hub import PASSWORD, USER
from demo.process import DemoError, say
from demo.record import Record
from demo.stage import CACHE, HUB, Stage, prepare, running
from demo.steps import Played, Story
from demo.timeline import load
from nvr_bridge.errors import BridgeError
from nvr_bridge.models import ZoneKind

REST = 15.0  # seconds between two rounds of the story, for the last visits to end


def main() -> int:
    """0: as it should be; 1: not."""
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="play the story once, print one JSON object, exit 0 or 1")
    parser.add_argument("--prepare", action="store_true", help="make the videos, and stop")
    parser.add_argument("--hub", type=Path, default=HUB, help="the Python environment that has Home Assistant")
    options = parser.parse_args()
    try:
        return asyncio.run(_main(options))
    except (asyncio.CancelledError, KeyboardInterrupt):
        say("Stopped.")
        return 130
    except BaseException as err:
        known, unknown = BaseExceptionGroup("demo", [err]).split((DemoError, BridgeError))
        if known is None or unknown is not None:
            raise
        for line in _lines(known):
            say(f"demo: {line}")
        return 1


async def _main(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    site = load()
    recordings = await asyncio.to_thread(prepare, site, CACHE / "video")
    if options.prepare:
        return 0
    async with running(site, recordings, CACHE, options.hub) as stage:
        if options.check:
            return await _check(stage)
        await _keep_playing(stage)
    return 0


async def _check(stage: Stage) -> int:
    record = Record(stage.hub, stage.engine)
    listening = asyncio.Event()
    follower = asyncio.create_task(record.follow(listening))
    try:
        await listening.wait()
        say(f"Playing the story: {stage.site.length:g} s")
        played = await Story(stage.site, stage.clock, stage.hub, stage.engine, stage.links).play()
        answer = check(stage.site, await _evidence(stage, record, played))
    finally:
        follower.cancel()
        await asyncio.wait([follower])
    for problem in answer["problems"]:
        say(f"WRONG  {problem}")
    print(json.dumps(answer, ensure_ascii=False))
    return 1 if answer["wrong"] or answer["embeddings_without_permit"] else 0


async def _evidence(stage: Stage, record: Record, played: Played) -> Evidence:
    await record.read_sightings()
    async with stage.engine.client() as client:
        told = await client.subscribe(0)
        visits = await client.call("visit/list")
    return Evidence(
        played=played,
        devices=stage.cameras.devices,
        discovered=stage.discovered.devices,
        channels=stage.discovered.channels,
        cameras=stage.discovered.camera_ids,
        entities=stage.entities,
        status=dict(told["snapshot"]["engine"]),
        camera_states=[dict(camera) for camera in told["snapshot"]["cameras"]],
        events=[dict(event) for event in told["events"]],
        sightings=list(record.sightings.values()),
        visits=visits,
        samples=record.samples,
        changes=record.changes,
        states=await stage.hub.states(),
    )


async def _keep_playing(stage: Stage) -> None:
    story = Story(stage.site, stage.clock, stage.hub, stage.engine, stage.links)
    _tell_where(stage)
    while True:
        played = await story.play()
        for problem in played.problems:
            say(f"  {problem}")
        await asyncio.sleep(REST)
        await story.forget(played)


def _tell_where(stage: Stage) -> None:
    """Where to look, and as whom."""
    command = Path(sys.executable).with_name("nvr-bridge")
    points = [zone for zone in stage.site.zones.values() if zone.kind is ZoneKind.CONSENT_POINT]
    lines = [
        ("The hub", stage.page),
        ("", f"sign in as {USER} with the password {PASSWORD}; on this machine it asks for neither"),
    ]
    lines += [(f"A tablet at the {zone.name.lower()}", f"{stage.engine.page}/visit/{zone.zone_id}") for zone in points]
    lines += [("", f"it asks for a code: {command} pair --role kiosk")]
    lines += [(stage.site.partners[partner], link) for partner, link in stage.links.items()]
    lines += [("The evening's cases", f"{command} cases list")]
    lines += [("Before a command", f"export NVR_BRIDGE_CONFIG={stage.engine.config}"), ("Stop", "Ctrl-C")]
    say("")
    for name, where in lines:
        say(f"  {f'{name}:' if name else '':<22} {where}")
    say("")


def _lines(group: BaseExceptionGroup[BaseException]) -> list[str]:
    lines: list[str] = []
    for err in group.exceptions:
        lines += _lines(err) if isinstance(err, BaseExceptionGroup) else [str(err)]
    return lines


if __name__ == "__main__":
    sys.exit(main())
