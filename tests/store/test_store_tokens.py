"""Tokens and settings: tokens are kept as hashes only, and a revoked one opens nothing."""

from __future__ import annotations

import pytest
from store_site import Site, open_site

from nvr_bridge.errors import NotFoundError
from nvr_bridge.protocol import Role
from nvr_bridge.store.settings import SettingsTable
from nvr_bridge.store.tokens import TokenTable


async def test_a_token_opens_what_its_role_may(site: Site) -> None:
    tokens = TokenTable(site.db)
    token_id, token = await tokens.add("Home Assistant", Role.HUB)
    other_id, other = await tokens.add("Panel", Role.VIEWER)
    assert await tokens.check(token) == (token_id, Role.HUB)
    assert await tokens.check(other) == (other_id, Role.VIEWER)
    assert await tokens.check(token + "x") is None
    assert await tokens.check("") is None
    assert [(each.token_id, each.name, each.role) for each in await tokens.all()] == [
        (token_id, "Home Assistant", Role.HUB),
        (other_id, "Panel", Role.VIEWER),
    ]


async def test_a_token_is_not_on_the_disk(site: Site) -> None:
    _, token = await TokenTable(site.db).add("Home Assistant", Role.HUB)
    assert all(token.encode() not in content for content in site.files().values())


async def test_a_revoked_token_opens_nothing_also_after_a_restart(site: Site) -> None:
    tokens = TokenTable(site.db)
    token_id, token = await tokens.add("lost phone", Role.HUB)
    _, kept = await tokens.add("hub", Role.HUB)
    await tokens.revoke(token_id)
    assert await tokens.check(token) is None
    with pytest.raises(NotFoundError, match=token_id):
        await tokens.revoke(token_id)
    await site.db.close()
    async with open_site(site.data_dir) as again:
        assert await TokenTable(again.db).check(token) is None
        assert await TokenTable(again.db).check(kept) is not None


async def test_settings_are_kept_changed_and_removed(site: Site) -> None:
    settings = SettingsTable(site.db)
    assert await settings.get("assessment") is None
    await settings.set("assessment", {"by": "Ann", "until": 1.5})
    await settings.set("assessment", {"by": "Bo", "until": 2.5})
    assert await settings.get("assessment") == {"by": "Bo", "until": 2.5}
    await settings.set("assessment", None)
    await settings.set("assessment", None)
    assert await settings.get("assessment") is None
