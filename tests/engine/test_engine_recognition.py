"""From agreement to return to withdrawal, with real faces; and everybody else stays unknown."""

from __future__ import annotations

import asyncio
import base64
import struct
import time
import zlib
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from engine_site import Lens, Person, Site, spoken, until

from nvr_bridge.camera import View, analyse
from nvr_bridge.errors import BridgeError
from nvr_bridge.models import Frame
from nvr_bridge.vision.track import Tracks

pytestmark = pytest.mark.needs_models


def enormous() -> str:
    """A photo of a few bytes that would decode to ten gigabytes."""
    header = struct.pack(">II5B", 60_000, 60_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(header)) + b"IHDR" + header
    return base64.b64encode(png + struct.pack(">I", zlib.crc32(b"IHDR" + header))).decode()


async def grant(site: Site, person: Person, **changes: Any) -> dict[str, Any]:
    """Agreement at the desk, by photo."""
    arguments = {
        "zone": "desk",
        "notice_hash": site.service.config.notice_hash,
        "purpose": "return visits",
        "language": "en",
        "expires_in_days": 30,
        "photo": person.photo,
    }
    return dict(await site.admin.call("consent/grant", **(arguments | changes)))


async def passage(site: Site, *people: Person, zone: str = "lane", act: bool = True, sign: bool = True) -> list[Any]:
    """One walk through a zone; what the sightings say of it, in the order of `people`."""
    lens = Lens(site, zone)
    at = time.time()
    if sign:
        await site.sign(zone)
    if act:
        await site.hub.call("zone/act", zone=zone)
    tracks = await lens.sees(*people, at=at)
    await lens.loses(tracks)
    rows = await site.admin.call("sighting/list", zone=zone, limit=len(people))
    return list(reversed(rows))


async def test_who_agreed_is_recognised_and_returns(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    granted = await grant(site, people["mei"])
    [first] = await passage(site, people["mei"])
    assert (first["who"], first["alias"]) == ("known", granted["alias"])
    [visit] = await site.admin.call("visit/list")
    assert (visit["alias"], visit["returning"]) == (granted["alias"], False)
    await until(lambda: any(push.get("event", {}).get("kind") == "first_visit" for push in site.pushes))
    told = next(push["event"] for push in site.pushes if push.get("event", {}).get("kind") == "first_visit")
    assert told["alias"] == granted["alias"]
    assert granted["visitor"] not in spoken(site.pushes)
    assert site.engine["embeddings_without_permit"] == 0


async def test_a_stranger_is_no_match_and_leaves_nothing(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    await grant(site, people["mei"])
    [sighting] = await passage(site, people["vera"])
    assert (sighting["who"], sighting["reason"]) == ("unknown", "no_match")
    assert (sighting["score"], sighting["margin"], sighting["visit"], sighting["alias"]) == (None,) * 4
    assert await site.admin.call("visit/list") == []


async def test_every_embedding_is_in_the_ledger(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    granted = await grant(site, people["mei"])
    with pytest.raises(BridgeError, match="remembered already"):
        await grant(site, people["mei"])
    await passage(site, people["mei"])
    await passage(site, people["vera"])
    await passage(site, people["vera"], act=False)
    ledger = site.service._parts.ledger
    entries = await ledger.since(0)
    acts = [entry.act for entry in entries if entry.act in {"consent_granted", "compared", "recognised"}]
    assert acts == ["consent_granted", "compared", "recognised", "compared"]
    runs = [entry.data.get("runs", entry.data.get("templates", 0)) for entry in entries]
    assert sum(int(number or 0) for number in runs) == site.service.status()["embeddings"]
    mine = [entry.act for entry in await ledger.about(granted["visitor"])]
    assert mine == ["consent_granted", "recognised"]
    assert all(entry.subject is None for entry in entries if entry.act == "compared")


async def test_without_an_act_nobody_is_embedded(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    await grant(site, people["mei"])
    before = site.engine["embeddings"]
    [sighting] = await passage(site, people["mei"], act=False)
    assert sighting["reason"] == "no_act"
    assert site.engine["embeddings"] == before


async def test_without_the_sign_nobody_is_embedded(site: Site, people: dict[str, Person]) -> None:
    before = site.engine["embeddings"]
    [sighting] = await passage(site, people["mei"], act=False, sign=False)
    assert sighting["reason"] == "not_armed"
    assert site.engine["embeddings"] == before


async def test_nobody_is_picked_out_of_a_group(site: Site, people: dict[str, Person]) -> None:
    before = site.engine["embeddings"]
    sightings = await passage(site, people["mei"], people["vera"])
    assert {sighting["reason"] for sighting in sightings} == {"not_alone"}
    assert site.engine["embeddings"] == before


async def test_at_the_entrance_people_are_counted_and_nothing_more(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    await grant(site, people["mei"])
    before = site.engine["embeddings"]
    lens = Lens(site, "entrance")
    tracks = await lens.sees(people["mei"], people["vera"], at=time.time())
    assert site.zone("entrance")["people_present"] == 2
    await lens.loses(tracks)
    assert site.zone("entrance")["people_present"] == 0
    assert site.zone("entrance")["people_today"] == 2
    assert site.engine["embeddings"] == before


async def test_withdrawal_is_at_once_and_survives_a_restart(start: Any, people: dict[str, Person]) -> None:
    async with start() as site:
        await site.admin.call("assessment/acknowledge", by="Ada", ground="test")
        await site.sign("desk")
        granted = await grant(site, people["mei"])
        [known] = await passage(site, people["mei"])
        assert known["who"] == "known"
        await site.hub.call("consent/withdraw", alias=granted["alias"])
        [after] = await passage(site, people["mei"])
        assert after["reason"] == "no_match"
        await until(lambda: any(push["type"] == "forget" for push in site.pushes))
        forget = next(push for push in site.pushes if push["type"] == "forget")
        assert forget["alias"] == granted["alias"]
        assert forget["visits"] == [known["visit"]]
    async with start() as site:
        [again] = await passage(site, people["mei"])
        assert again["reason"] == "no_match"
        assert await site.admin.call("consent/list") == []
        replayed = (await site.admin.call("subscribe", since=0))["events"]
        assert granted["alias"] not in spoken(replayed)


async def test_withdrawing_while_in_view_ends_being_known(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    await site.sign("lane")
    granted = await grant(site, people["mei"])
    await site.hub.call("zone/act", zone="lane")
    lens = Lens(site, "lane")
    tracks = await lens.sees(people["mei"], at=time.time())
    await site.hub.call("consent/withdraw", alias=granted["alias"])
    await site.sign("lane")
    await lens.loses(tracks)
    [sighting] = await site.admin.call("sighting/list", zone="lane", limit=1)
    assert (sighting["who"], sighting["alias"], sighting["visit"]) == ("unknown", None, None)


async def test_a_picture_from_before_the_act_is_not_embedded_on_it(site: Site, people: dict[str, Person]) -> None:
    parts = site.service._parts
    await site.sign("lane")
    lens = Lens(site, "lane")
    at = time.time()
    [track] = await lens.sees(people["mei"], at=at)
    await asyncio.sleep(0.01)
    await site.hub.call("zone/act", zone="lane")
    assert track.best is not None
    moved = replace(track, last_at=at + 0.2)
    await parts.presence.viewed(lens.camera, View(at + 0.2, (moved,)))
    assert site.engine["embeddings"] == 0
    shots = {track.track_id: replace(track.best, taken_at=time.time())}
    await parts.presence.viewed(lens.camera, View(at + 0.2, (moved,), shots))
    assert site.engine["embeddings"] == 1


async def test_a_face_that_was_near_only_before_the_act_is_too_small(site: Site, people: dict[str, Person]) -> None:
    parts = site.service._parts
    await site.sign("lane")
    lens = Lens(site, "lane")
    at = time.time()
    [track] = await lens.sees(people["mei"], at=at)
    await site.hub.call("zone/act", zone="lane")
    assert track.best is not None
    far = replace(track.best, taken_at=time.time(), width=33.0)
    await parts.presence.viewed(lens.camera, View(at, (track,), {track.track_id: far}))
    await lens.loses([track])
    [sighting] = await site.admin.call("sighting/list", zone="lane", limit=1)
    assert (sighting["reason"], site.engine["embeddings"]) == ("too_small", 0)


async def test_company_ends_what_a_covered_face_was_permitted(site: Site, people: dict[str, Person]) -> None:
    parts = site.service._parts
    await site.sign("lane")
    await site.hub.call("zone/act", zone="lane")
    lens = Lens(site, "lane")
    at = time.time()
    [first] = await lens.sees(people["vera"], at=at)
    assert site.engine["embeddings"] == 1
    # Somebody steps before her, and for a moment only that one is seen.
    other = replace(first, track_id=99, last_at=at + 0.2, best=None)
    await parts.presence.viewed(lens.camera, View(at + 0.2, (first, other)))
    assert first.best is not None
    better = replace(first.best, taken_at=at + 0.4, quality=1.0)
    again = replace(first, last_at=at + 0.4, best=better)
    await parts.presence.viewed(lens.camera, View(at + 0.4, (again,), {again.track_id: better}))
    assert site.engine["embeddings"] == 1, "who is seen now may be the other"


@pytest.mark.parametrize("armed", [True, False])
async def test_faces_are_cut_out_only_where_the_zone_is_armed(
    site: Site, people: dict[str, Person], armed: bool
) -> None:
    lens = Lens(site, "lane")
    work = site.service._parts.sight.on_models
    tracks = Tracks()
    for number in range(3):
        frame = Frame(lens.camera.camera_id, number, 100.0 + number / 5, people["mei"].picture)
        found, view = await work(partial(analyse, frame, tracks, lens.camera, armed))
        tracks = found.state
    [track] = tracks.live
    assert bool(view.shots) is (track.best is not None) is armed
    frame = Frame(lens.camera.camera_id, 3, 100.6, people["mei"].picture)
    found, view = await work(partial(analyse, frame, tracks, lens.camera, False))
    assert not view.shots
    assert not view.flaws
    assert found.state.live[0].best is None, "what was cut out before goes too"


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"zone": "lane"}, "invalid", "not a consent point; this site has desk"),
        ({"notice_hash": "0" * 64}, "invalid", "not the notice in force"),
        ({"language": "fr"}, "invalid", "no notice in 'fr'; choose en, zh-Hans"),
        ({"expires_in_days": 31}, "invalid", "the profile's limit of 30 days"),
        ({"photo": "AAAA"}, "invalid", "not a picture"),
        ({"photo": "?"}, "invalid", "not base64"),
        ({"photo": enormous()}, "invalid", "is 60000×60000 pixels; give one of 50,000,000 at most"),
    ],
)
async def test_a_consent_that_cannot_be_is_refused_and_changes_nothing(
    site: Site, people: dict[str, Person], changes: dict[str, Any], code: str, says: str
) -> None:
    await site.sign("desk")
    with pytest.raises(BridgeError, match=says) as caught:
        await grant(site, people["mei"], **changes)
    assert caught.value.code == code
    assert await site.admin.call("consent/list") == []
    assert site.engine["embeddings"] == 0


async def test_nobody_enrols_where_the_sign_is_off(site: Site, people: dict[str, Person]) -> None:
    with pytest.raises(BridgeError, match="sign_unknown") as caught:
        await grant(site, people["mei"])
    assert caught.value.code == "not_armed"
    assert site.engine["embeddings"] == 0


async def test_one_person_is_remembered_once(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    await grant(site, people["mei"])
    await site.sign("desk")
    with pytest.raises(BridgeError, match="remembered already") as caught:
        await grant(site, people["mei"])
    assert caught.value.code == "conflict"
    assert site.engine["subjects"] == 1


async def test_without_a_camera_or_a_photo_there_is_no_consent(site: Site) -> None:
    await site.sign("desk")
    with pytest.raises(BridgeError, match="no camera of desk is online") as caught:
        await site.admin.call(
            "consent/grant",
            zone="desk",
            notice_hash=site.service.config.notice_hash,
            purpose="return visits",
            language="en",
            expires_in_days=30,
        )
    assert caught.value.code == "face"


async def test_consents_run_out_also_while_somebody_withdraws(site: Site, people: dict[str, Person]) -> None:
    await site.sign("desk")
    first = await grant(site, people["mei"])
    await site.sign("desk")
    second = await grant(site, people["vera"])
    site.service.leaving._clock = lambda: time.time() + 31 * 86400
    withdrawing = site.admin.call("consent/withdraw", alias=second["alias"])
    # Each of the visitors is gone already when the second one gets to them.
    await asyncio.gather(
        site.service.leaving.expire(),
        site.service.leaving.expire(),
        asyncio.gather(withdrawing, return_exceptions=True),
    )
    assert await site.admin.call("consent/list") == []
    await until(lambda: sum(push["type"] == "forget" for push in site.pushes) == 2)
    assert {push["alias"] for push in site.pushes if push["type"] == "forget"} == {first["alias"], second["alias"]}
