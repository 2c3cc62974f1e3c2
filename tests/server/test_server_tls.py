"""HTTPS beside the plain port: with the site's certificate, or with our own, known by its fingerprint."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from small_engine import Site, served

from nvr_bridge.client import Client, pair
from nvr_bridge.config import Config, TlsFiles, load_config
from nvr_bridge.errors import InvalidError, UnauthorizedError
from nvr_bridge.protocol import Role


@pytest.fixture
def config(config: Config) -> Config:
    """A site that speaks HTTPS, on any free port."""
    return replace(config, tls_port=0)


@pytest.fixture
async def site(config: Config) -> AsyncIterator[Site]:
    """It, served."""
    async with served(config) as site:
        yield site


async def test_the_fingerprint_is_shown_at_pairing_and_pins_the_engine(site: Site) -> None:
    admin = await site.let_in(Role.ADMIN)
    made = (await admin.ask(1, "pair/create", role="viewer"))["result"]
    url = f"wss://127.0.0.1:{site.server.tls_port}"
    paired = await pair(url, made["code"], "screen", fingerprint=made["fingerprint"])
    async with Client.connect(url, token=paired.token, fingerprint=made["fingerprint"]) as client:
        assert (await client.call("engine/status"))["id"] == site.engine.engine_id
    other = made["fingerprint"].replace(made["fingerprint"][:2], "00" if made["fingerprint"][:2] != "00" else "11", 1)
    for fingerprint in (other, None):  # of another engine; and nobody vouches for a certificate of our own
        with pytest.raises(UnauthorizedError, match="certificate"):
            async with Client.connect(url, token=paired.token, fingerprint=fingerprint):
                pass


async def test_without_https_no_fingerprint_is_told(config: Config) -> None:
    async with served(replace(config, tls_port=None)) as site:
        admin = await site.let_in(Role.ADMIN)
        assert "fingerprint" not in (await admin.ask(1, "pair/create"))["result"]


async def test_our_own_certificate_stays_the_same_and_its_key_is_the_engines_alone(config: Config) -> None:
    seen = set()
    for _ in range(2):
        async with served(config) as site:
            seen.add(site.server.fingerprint)
    assert len(seen) == 1
    key = config.data_dir / "tls" / "key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700


async def test_the_pages_are_served_with_the_same_headers(site: Site) -> None:
    pinned = aiohttp.Fingerprint(bytes.fromhex((site.server.fingerprint or "").replace(":", "")))
    url = f"https://127.0.0.1:{site.server.tls_port}/notice/lane"
    async with aiohttp.ClientSession() as session, session.get(url, ssl=pinned) as answer:
        assert (answer.status, "default-src 'none'" in answer.headers["Content-Security-Policy"]) == (200, True)


async def test_the_sites_own_certificate_is_used_where_it_gives_one(config: Config, tmp_path: Path) -> None:
    async with served(config) as site:
        made = site.server.fingerprint
    files = TlsFiles(config.data_dir / "tls" / "certificate.pem", config.data_dir / "tls" / "key.pem")
    other = replace(config, data_dir=tmp_path / "other", tls=files)
    async with served(other) as site:
        assert site.server.fingerprint == made
    assert not (tmp_path / "other" / "tls").exists()


@pytest.mark.parametrize("damage", ["certificate", "key"])
async def test_files_that_are_none_stop_the_engine(config: Config, tmp_path: Path, damage: str) -> None:
    async with served(config):
        pass
    files = {name: config.data_dir / "tls" / f"{name}.pem" for name in ("certificate", "key")}
    (tmp_path / "none.pem").write_text("none")
    files[damage] = tmp_path / "none.pem"
    with pytest.raises(InvalidError, match=r"listen\.tls: .*none\.pem.* cannot be used"):
        async with served(replace(config, tls=TlsFiles(**files))):
            pass


def test_what_bridge_yaml_says(tmp_path: Path) -> None:
    def read(listen: str) -> Config:
        (tmp_path / "bridge.yaml").write_text(
            f"name: Riverside\nzones: {{a: {{name: A, kind: observe}}}}\nlisten: {listen}\n"
        )
        return load_config(tmp_path / "bridge.yaml")

    assert read("{}").tls_port is None
    own = read("{tls: {}}")
    assert (own.tls_port, own.tls) == (8646, None)
    given = read("{tls: {port: 443, certificate: tls/site.pem, key: /etc/site.key}}")
    assert given.tls == TlsFiles(tmp_path / "tls" / "site.pem", Path("/etc/site.key"))
    with pytest.raises(InvalidError, match="certificate and key together"):
        read("{tls: {certificate: site.pem}}")
