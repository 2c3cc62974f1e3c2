"""From agreement to return to withdrawal, with real faces; and everybody else stays unknown."""

from __future__ import annotations

import time
from typing import Any

import pytest
from engine_site import Lens, Person, Site, spoken, until

from nvr_bridge.errors import BridgeError

pytestmark = pytest.mark.needs_models


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


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        ({"zone": "lane"}, "invalid", "not a consent point; this site has desk"),
        ({"notice_hash": "0" * 64}, "invalid", "not the notice in force"),
        ({"language": "fr"}, "invalid", "no notice in 'fr'; choose en, zh-Hans"),
        ({"expires_in_days": 31}, "invalid", "the profile's limit of 30 days"),
        ({"photo": "AAAA"}, "invalid", "not a picture"),
        ({"photo": "?"}, "invalid", "not base64"),
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
