"""Pairing codes are good once, for ten minutes, and cannot be guessed; tokens are revoked for good."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from small_engine import Site

from nvr_bridge.errors import InvalidError, RateLimitedError, UnauthorizedError
from nvr_bridge.protocol import Role
from nvr_bridge.server.auth import Authority
from nvr_bridge.store.database import Database
from nvr_bridge.store.tokens import TokenTable


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def tokens(tmp_path: Path) -> AsyncIterator[TokenTable]:
    db = await Database.open(tmp_path / "data")
    yield TokenTable(db)
    await db.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authority(tokens: TokenTable, clock: Clock) -> Authority:
    return Authority(tokens, clock=clock)


async def test_a_code_is_eight_digits_and_good_for_one_token(authority: Authority, tokens: TokenTable) -> None:
    made = authority.pairing_code(Role.KIOSK)
    assert made.code.isdigit()
    assert len(made.code) == 8
    identity, token = await authority.pair(str(made), "Desk tablet")
    assert identity.role is Role.KIOSK
    assert await authority.authenticate(token) == identity
    with pytest.raises(UnauthorizedError):
        await authority.pair(made.code, "Desk tablet")
    assert [(stored.name, stored.role) for stored in await tokens.all()] == [("Desk tablet", Role.KIOSK)]


async def test_two_clients_with_one_code_get_one_token(authority: Authority, tokens: TokenTable) -> None:
    code = authority.pairing_code(Role.HUB).code
    both = await asyncio.gather(authority.pair(code, "a"), authority.pair(code, "b"), return_exceptions=True)
    assert sorted(type(each) for each in both if isinstance(each, Exception)) == [UnauthorizedError]
    assert len(await tokens.all()) == 1


async def test_a_code_expires_after_ten_minutes(authority: Authority, clock: Clock) -> None:
    first, second = authority.pairing_code(Role.HUB), authority.pairing_code(Role.HUB)
    clock.now += 599
    await authority.pair(first.code, "in time")
    clock.now += 1
    with pytest.raises(UnauthorizedError):
        await authority.pair(second.code, "too late")


async def test_codes_as_people_type_them(authority: Authority) -> None:
    code = authority.pairing_code(Role.HUB).code
    await authority.pair(f" {code[:4]}-{code[4:]}\n", "hub")


async def test_five_wrong_codes_a_minute_and_then_not_even_the_right_one(authority: Authority, clock: Clock) -> None:
    right = authority.pairing_code(Role.HUB).code
    for number in range(5):
        clock.now += 1
        with pytest.raises(UnauthorizedError):
            await authority.pair(f"wrong {number}", "guess")
    with pytest.raises(RateLimitedError, match="56 s"):
        await authority.pair(right, "hub")
    clock.now += 55.5
    with pytest.raises(RateLimitedError):
        await authority.pair(right, "hub")
    clock.now += 0.5
    with pytest.raises(UnauthorizedError):
        await authority.pair("wrong again", "guess")
    with pytest.raises(RateLimitedError):  # the second of the five is still within the minute
        await authority.pair(right, "hub")
    clock.now += 60
    await authority.pair(right, "hub")


async def test_the_oldest_of_too_many_codes_no_longer_holds(authority: Authority) -> None:
    codes = [authority.pairing_code(Role.HUB).code for _ in range(17)]
    with pytest.raises(UnauthorizedError):
        await authority.pair(codes[0], "hub")
    await authority.pair(codes[1], "hub")


async def test_a_code_outlives_a_name_that_cannot_be(authority: Authority) -> None:
    code = authority.pairing_code(Role.HUB).code
    with pytest.raises(InvalidError, match="name"):
        await authority.pair(code, "x" * 257)
    assert (await authority.pair(code, "x"))[0].role is Role.HUB


async def test_the_code_names_the_client_that_does_not_say(authority: Authority, tokens: TokenTable) -> None:
    await authority.pair(authority.pairing_code(Role.KIOSK, "Desk tablet").code, "")
    await authority.pair(authority.pairing_code(Role.KIOSK).code, "")
    assert [stored.name for stored in await tokens.all()] == ["Desk tablet", "kiosk"]


async def test_a_revoked_token_opens_nothing(authority: Authority, tokens: TokenTable) -> None:
    identity, token = await authority.pair(authority.pairing_code(Role.HUB).code, "hub")
    await authority.revoke(identity.token_id)
    with pytest.raises(UnauthorizedError):
        await authority.authenticate(token)
    with pytest.raises(UnauthorizedError):
        await Authority(tokens).authenticate(token)  # nor after a restart


@pytest.mark.parametrize("token", ["", " ", "nonsense", "x" * 257, "ünïcode", "\x00", "\udcff"])
async def test_no_token_is_guessed_by_nonsense(authority: Authority, token: str) -> None:
    with pytest.raises(UnauthorizedError):
        await authority.authenticate(token)


async def test_the_command_line_has_a_token_of_this_run_in_a_private_file(site: Site) -> None:
    path = site.engine.config.data_dir / "admin.token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (await site.server.authority.authenticate(path.read_text())).role is Role.ADMIN
    with pytest.raises(UnauthorizedError):
        await Authority(site.engine.tokens).authenticate(path.read_text())  # another run's


async def test_a_code_made_by_command_pairs(site: Site) -> None:
    admin = await site.let_in(Role.ADMIN)
    made = (await admin.ask(1, "pair/create", role="reviewer", name="Sales desk"))["result"]
    client = await site.connect()
    await client.hear()
    await client.say(type="pair", schema=1, code=made["code"], name="")
    answer = await client.hear()
    assert (answer["type"], answer["role"]) == ("auth_ok", "reviewer")
    listed = (await admin.ask(2, "token/list"))["result"]
    assert [(token["token_id"], token["name"]) for token in listed] == [(answer["token_id"], "Sales desk")]
    assert answer["token"] not in str(listed)
