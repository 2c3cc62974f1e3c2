"""Starting: what is listened on, and a line that names the remedy where that cannot be."""

from __future__ import annotations

import logging
import re
import socket
from dataclasses import replace

import aiohttp
import pytest
from small_engine import Site, served, until

from nvr_bridge.client import pair
from nvr_bridge.config import Config
from nvr_bridge.errors import ConflictError, InvalidError
from nvr_bridge.protocol import Role
from nvr_bridge.server.app import Server


async def test_a_port_in_use_is_named_with_the_remedy(config: Config) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConflictError, match=rf"^listen\.port: {port} on 127\.0\.0\.1 is in use .* bridge\.yaml$"):
            async with served(replace(config, port=port)):
                pass


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
async def test_an_address_of_another_machine_is_named_with_the_remedy(config: Config, host: str) -> None:
    with pytest.raises(InvalidError, match=rf"^listen\.host: cannot listen on {re.escape(host)} .* bridge\.yaml$"):
        async with served(replace(config, host=host)):
            pass


async def test_the_first_start_logs_a_code_that_pairs_a_hub(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with served(config) as site:
        code = re.search(r"pairing code: (\d{4} \d{4})", caplog.text)
        assert code
        assert (await pair(site.url, code[1], "Home Assistant")).role == "hub"
    caplog.clear()
    async with served(config):
        assert "listening on 127.0.0.1" in caplog.text
        assert "pairing code" not in caplog.text


async def test_the_port_is_free_again_after_stopping(site: Site) -> None:
    port = site.server.port
    hub = await site.let_in()
    await site.server.stop()
    await hub.closing()
    again = Server(site.engine)
    site.engine.config = replace(site.engine.config, port=port)
    await again.start()
    await again.stop()


async def test_the_metrics_are_told_to_who_may_see_the_status(site: Site) -> None:
    viewer = (await site.engine.tokens.add("prometheus", Role.VIEWER))[1]
    kiosk = (await site.engine.tokens.add("tablet", Role.KIOSK))[1]
    await site.let_in()
    async with aiohttp.ClientSession() as session:
        for header in [None, f"Bearer {kiosk}", "Bearer nonsense", "Basic abc", "Bearer", f"Bearer {'x' * 300}"]:
            headers = {"Authorization": header} if header else {}
            async with session.get(f"{site.url}/metrics", headers=headers) as answer:
                assert answer.status == 401, header
                assert "nvr_bridge_tracks" not in await answer.text()
        async with session.get(f"{site.url}/metrics", headers={"Authorization": f"Bearer {viewer}"}) as answer:
            assert answer.status == 200
            assert answer.content_type == "text/plain"
            page = await answer.text()
    assert 'nvr_bridge_frames_decoded_total{camera="front"} 150.0' in page
    assert 'nvr_bridge_zone_armed{zone="lane"} 0.0' in page
    assert "nvr_bridge_embeddings_without_permit 0.0" in page
    assert "nvr_bridge_clients 1.0" in page
    for line in (
        "nvr_bridge_armed 0.0",
        'nvr_bridge_not_armed{reason="sign_unknown"} 1.0',
        "nvr_bridge_subjects_warning 1000.0",
        "nvr_bridge_consents_to_renew 2.0",
        "nvr_bridge_erasures_overdue 0.0",
        "nvr_bridge_log_cut 1.0",
        "nvr_bridge_oldest_template_timestamp_seconds 1.772442e+09",
        "nvr_bridge_next_purge_timestamp_seconds 1.7724456e+09",
    ):
        assert line in page.splitlines(), line
    assert "nvr_bridge_last_purge" not in page  # there was none yet
    assert "Finch" not in page


async def test_clients_that_were_dropped_are_counted(site: Site) -> None:
    assert site.server._clients.dropped == 0
    client = await site.let_in()
    connection = next(iter(site.server._clients.everyone))
    for number in range(600):
        connection.send({"id": number})
    assert site.server._clients.dropped == 1
    await until(lambda: len(site.engine.closed) == 1)
    await client.socket.close()
