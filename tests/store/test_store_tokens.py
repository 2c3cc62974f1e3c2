"""Tokens and settings: tokens are kept as hashes only, and a revoked one opens nothing."""

from __future__ import annotations

import time

import pytest
from store_site import NOW, Site, open_site

from nvr_bridge.errors import BugError, NotFoundError
from nvr_bridge.protocol import Role
from nvr_bridge.store.settings import SettingsTable
from nvr_bridge.store.tokens import TokenTable


async def test_a_token_opens_what_its_role_may(site: Site) -> None:
    tokens = TokenTable(site.db)
    token_id, token = await tokens.add("Home Assistant", Role.HUB)
    other_id, other = await tokens.add("Panel", Role.VIEWER)
    hub, panel = await tokens.check(token), await tokens.check(other)
    assert hub is not None
    assert panel is not None
    assert ((hub.token_id, hub.role), (panel.token_id, panel.role)) == ((token_id, Role.HUB), (other_id, Role.VIEWER))
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


async def test_a_partners_token_is_for_one_partner_and_ends_by_itself(site: Site) -> None:
    tokens = TokenTable(site.db)
    await site.partners.add("acme", "Acme Homes", NOW)
    _, token = await tokens.add("Lin", Role.PARTNER, "acme", time.time() + 60)
    _, expired = await tokens.add("Lin", Role.PARTNER, "acme", time.time() - 1)
    found = await tokens.check(token)
    assert found is not None
    assert (found.role, found.partner) == (Role.PARTNER, "acme")
    assert await tokens.check(expired) is None
    with pytest.raises(NotFoundError, match="'nobody' is not registered"):
        await tokens.add("Lin", Role.PARTNER, "nobody")
    with pytest.raises(BugError):
        await tokens.add("Lin", Role.PARTNER)
    with pytest.raises(BugError):
        await tokens.add("Lin", Role.REVIEWER, "acme")
    assert len(await tokens.all()) == 2


async def test_settings_are_kept_changed_and_removed(site: Site) -> None:
    settings = SettingsTable(site.db)
    assert await settings.get("assessment") is None
    await settings.set("assessment", {"by": "Ann", "until": 1.5})
    await settings.set("assessment", {"by": "Bo", "until": 2.5})
    assert await settings.get("assessment") == {"by": "Bo", "until": 2.5}
    await settings.set("assessment", None)
    await settings.set("assessment", None)
    assert await settings.get("assessment") is None
