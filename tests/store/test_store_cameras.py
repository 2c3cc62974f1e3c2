"""Cameras and logins: kept over a restart, readable only with the site key, and refused logins never tried again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from store_site import Site, open_site

from nvr_bridge.consent.ledger import on_behalf_of
from nvr_bridge.devices.credentials import Credentials, LoginBook
from nvr_bridge.errors import ConflictError, CredentialsError, NotFoundError
from nvr_bridge.models import Camera, CameraKind
from nvr_bridge.store.cameras import CameraTable

LANE = Camera("nvr-1", "Lane", CameraKind.HIKVISION, "192.0.2.1:80", "1", "lane")
DESK = replace(LANE, camera_id="nvr-2", name="Desk", channel="2", zone_id="desk")
LOGIN = Credentials("canary-user", "canary-password", 3)


def table(site: Site) -> CameraTable:
    return CameraTable(site.db, site.vault, site.ledger)


async def test_cameras_and_logins_outlive_a_restart(site: Site) -> None:
    await table(site).add(LANE, LOGIN)
    await table(site).add(DESK)
    await site.db.close()
    async with open_site(site.data_dir) as again:
        assert await table(again).all() == [LANE, DESK]
        assert await table(again).credentials(LANE.address) == LOGIN
        assert await table(again).credentials("192.0.2.9:80") is None


async def test_a_login_is_not_readable_on_the_disk(site: Site) -> None:
    await table(site).add(LANE, LOGIN)
    for name, content in site.files().items():
        assert b"canary" not in content, name
    assert "canary-password" not in repr(await table(site).credentials(LANE.address))


async def test_adding_a_known_camera_again_changes_it(site: Site) -> None:
    await table(site).add(LANE, LOGIN)
    await table(site).add(replace(LANE, zone_id="entrance"))
    assert await table(site).all() == [replace(LANE, zone_id="entrance")]
    assert await table(site).credentials(LANE.address) == LOGIN


async def test_which_camera_watches_which_zone_is_an_act_and_names_neither_its_address_nor_its_login(
    site: Site,
) -> None:
    cameras = table(site)
    await cameras.add(LANE, LOGIN, by="token")
    await cameras.add(replace(LANE, name="Drive", address="192.0.2.7:80"), replace(LOGIN, version=4), by="token")
    with on_behalf_of("u1"):
        await cameras.add(replace(LANE, zone_id="entrance"), by="token")
    await cameras.remove(LANE.camera_id, by="token")
    entries = await site.ledger.since(0)
    assert [(entry.act, entry.zone_id, dict(entry.data)) for entry in entries] == [
        ("camera_added", "lane", {"camera": "nvr-1", "token": "token"}),
        ("camera_moved", "entrance", {"camera": "nvr-1", "token": "token", "from": "lane", "user": "u1"}),
        ("camera_removed", "entrance", {"camera": "nvr-1", "token": "token"}),
    ]


async def test_what_was_not_done_to_a_camera_is_no_act(site: Site) -> None:
    await table(site).add(LANE)
    with pytest.raises(ConflictError):
        await table(site).add(replace(LANE, camera_id="other", zone_id="desk"))
    with pytest.raises(NotFoundError):
        await table(site).remove("other")
    assert [entry.act for entry in await site.ledger.since(0)] == ["camera_added"]


async def test_a_camera_that_moved_to_another_address_leaves_no_login_behind(site: Site) -> None:
    await table(site).add(LANE, LOGIN)
    await table(site).add(replace(LANE, address="192.0.2.2:80"), LOGIN)
    assert await table(site).credentials(LANE.address) is None
    assert await table(site).credentials("192.0.2.2:80") == LOGIN


async def test_one_channel_is_one_camera(site: Site) -> None:
    await table(site).add(LANE)
    with pytest.raises(ConflictError, match=r"channel 1 of 192\.0\.2\.1:80 is a camera already"):
        await table(site).add(replace(LANE, camera_id="other"))
    assert await table(site).all() == [LANE]


async def test_a_login_goes_with_the_last_channel_of_its_device(site: Site) -> None:
    await table(site).add(LANE, LOGIN)
    await table(site).add(DESK)
    await table(site).remove(LANE.camera_id)
    assert await table(site).credentials(DESK.address) == LOGIN
    await table(site).remove(DESK.camera_id)
    assert await table(site).credentials(DESK.address) is None
    with pytest.raises(NotFoundError, match="nvr-1"):
        await table(site).remove(LANE.camera_id)


async def test_a_changed_login_has_a_version_that_was_never_tried(site: Site) -> None:
    cameras = table(site)
    assert await cameras.next_version(LANE.address) == 1
    await cameras.add(LANE, replace(LOGIN, version=1))
    changed = Credentials("user", "new", await cameras.next_version(LANE.address))
    await cameras.add(LANE, changed)
    assert changed == await cameras.credentials(LANE.address) == Credentials("user", "new", 2)
    await cameras.remember(LANE.address, 5)
    assert await cameras.next_version(LANE.address) == 6
    await cameras.remove(LANE.camera_id)
    assert await cameras.next_version(LANE.address) == 6


async def test_a_refused_login_is_not_tried_again_after_a_restart(site: Site) -> None:
    tries = 0

    async def attempt(book: LoginBook) -> None:
        nonlocal tries
        async with book.attempt(LANE.address, LOGIN):
            tries += 1
            raise CredentialsError("the device said no")

    async def refuse(book: LoginBook) -> int:
        before = tries
        with pytest.raises(CredentialsError):
            await attempt(book)
        return tries - before

    assert await refuse(LoginBook(table(site))) == 1
    await table(site).remember(LANE.address, LOGIN.version)  # twice is once
    assert await table(site).refused() == {(LANE.address, 3)}
    await site.db.close()
    async with open_site(site.data_dir) as again:
        assert await refuse(LoginBook(table(again))) == 0
        await table(again).forget(LANE.address)
        assert await refuse(LoginBook(table(again))) == 1
