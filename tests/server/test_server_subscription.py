"""A subscriber has the state, what it missed, and everything after it: nothing between, nothing twice."""

from __future__ import annotations

from typing import Any

from small_engine import Site, Wire

from nvr_bridge.client import Client
from nvr_bridge.events import Forget, State, Told
from nvr_bridge.models import EventKind


def sequences(events: list[dict[str, Any]]) -> list[int]:
    return [event["sequence"] for event in events]


async def subscribe(client: Wire, **arguments: Any) -> dict[str, Any]:
    answer = await client.ask(9, "subscribe", **arguments)
    assert answer["success"], answer
    result: dict[str, Any] = answer["result"]
    return result


async def test_the_first_time_nothing_was_missed(site: Site) -> None:
    await site.engine.happen()
    hub = await site.let_in()
    assert await subscribe(hub) == {"snapshot": site.engine.snapshot(), "events": [], "sequence": 1}
    await site.engine.happen(EventKind.VISIT_ENDED)
    assert await hub.hear() == {
        "id": 9,
        "type": "event",
        "event": {
            "sequence": 2,
            "kind": "visit_ended",
            "shown": ["visit_ended"],
            "occurred_at": "2026-05-28T20:26:40.500+00:00",
            "zone": "lane",
            "visit": None,
            "alias": "Amber Finch 12",
            "replayed": False,
            "data": {},
        },
    }


async def test_what_was_missed_is_told_as_replayed(site: Site) -> None:
    for _ in range(5):
        await site.engine.happen()
    hub = await site.let_in()
    result = await subscribe(hub, since=2)
    assert sequences(result["events"]) == [3, 4, 5]
    assert all(event["replayed"] for event in result["events"])
    assert result["sequence"] == 5


async def test_nothing_new_leaves_the_number_as_it_was(site: Site) -> None:
    await site.engine.happen()
    result = await subscribe(await site.let_in(), since=1)
    assert (result["events"], result["sequence"]) == ([], 1)


async def test_a_number_from_the_future_is_set_right(site: Site) -> None:
    await site.engine.happen()
    hub = await site.let_in()
    assert (await subscribe(hub, since=50))["sequence"] == 1
    await site.engine.happen()
    assert (await hub.hear())["event"]["sequence"] == 2


async def test_what_happens_while_the_log_is_read_is_told_once(site: Site) -> None:
    await site.engine.happen()
    hub = await site.let_in()
    site.engine.may_read.clear()
    await hub.say(id=9, type="subscribe", since=0)
    await site.engine.reading.wait()
    await site.engine.happen()  # after the log was read, before the answer
    site.engine.bus.publish(State("engine", site.engine.status()))  # the snapshot will have it
    site.engine.bus.publish(Forget("Amber Finch 12", ("v1",)))
    site.engine.may_read.set()
    answer = await hub.hear()
    assert sequences(answer["result"]["events"]) == [1, 2]
    assert answer["result"]["sequence"] == 2
    assert await hub.hear() == {"id": 9, "type": "forget", "alias": "Amber Finch 12", "visits": ["v1"]}
    await site.engine.happen()
    assert (await hub.hear())["event"]["sequence"] == 3


async def test_an_event_that_the_answer_had_is_not_pushed_again(site: Site) -> None:
    event = await site.engine.happen()
    hub = await site.let_in()
    assert sequences((await subscribe(hub, since=0))["events"]) == [1]
    site.engine.bus.publish(Told(event))  # stored before the answer, told after it
    await site.engine.happen()
    assert (await hub.hear())["event"]["sequence"] == 2


async def test_states_are_pushed_whole_with_the_time_of_the_frame(site: Site) -> None:
    hub = await site.let_in()
    await subscribe(hub)
    snapshot = site.engine.snapshot()
    site.engine.bus.publish(State("zone", snapshot["zones"][0], 1_780_000_000.25))
    site.engine.bus.publish(State("camera", snapshot["cameras"][0]))
    site.engine.bus.publish(State("removed_camera", "front"))
    assert await hub.hear() == {
        "id": 9,
        "type": "state",
        "frame_at": 1_780_000_000.25,
        "zone": snapshot["zones"][0],
    }
    assert await hub.hear() == {"id": 9, "type": "state", "camera": snapshot["cameras"][0]}
    assert await hub.hear() == {"id": 9, "type": "state", "removed_camera": "front"}


async def test_one_subscription_for_a_connection(site: Site) -> None:
    hub = await site.let_in()
    await subscribe(hub)
    again = await hub.ask(10, "subscribe")
    assert again["error"]["code"] == "conflict"
    await site.engine.happen()
    assert (await hub.hear())["id"] == 9


async def test_those_who_did_not_subscribe_are_told_nothing(site: Site) -> None:
    hub = await site.let_in()
    await site.engine.happen()
    assert (await hub.ask(1, "engine/status"))["id"] == 1


async def test_the_client_iterates_over_pushes_beside_its_commands(site: Site) -> None:
    async with Client.connect(site.url, token=site.admin_token()) as client:
        assert (await client.subscribe(0))["sequence"] == 0
        for _ in range(3):
            await site.engine.happen()
        await client.call("engine/status")
        heard = []
        async for push in client.pushes():
            heard.append(push["event"]["sequence"])
            if len(heard) == 3:
                break
        assert heard == [1, 2, 3]
