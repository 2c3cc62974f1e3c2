"""A whole data folder put back to before an erasure, under an engine that keeps a key backup elsewhere."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_site import Site

from nvr_bridge.config import Config
from nvr_bridge.errors import NotFoundError


@pytest.fixture
def config(config: Config, tmp_path: Path) -> Config:
    """A site without biometrics: whoever holds a pass is a visitor like any other."""
    return replace(config, profile="no_biometrics", key_backup=tmp_path / "safe" / "keys.backup")


async def visitor(site: Site) -> str:
    """Somebody who came with a pass."""
    made = await site.admin.call("pass/issue")
    await site.admin.call("pass/scan", zone="desk", code=made["code"])
    return str(made["alias"])


async def test_who_was_erased_since_is_erased_again_at_the_start(
    start: Callable[[], Any], config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert config.key_backup
    await asyncio.to_thread(config.key_backup.parent.mkdir)
    async with start() as site:
        ann, bo = await visitor(site), await visitor(site)
    await asyncio.to_thread(shutil.copytree, config.data_dir, tmp_path / "snapshot")
    async with start() as site:
        await site.admin.call("consent/withdraw", alias=ann)
        await site.service.keyring.back_up()  # as it does every minute
    await asyncio.to_thread(shutil.rmtree, config.data_dir)
    await asyncio.to_thread(shutil.copytree, tmp_path / "snapshot", config.data_dir)
    async with start() as site:
        with pytest.raises(NotFoundError, match="alias: no visitor has it"):
            await site.admin.call("consent/withdraw", alias=ann)
        assert (await site.admin.call("subject/get", alias=bo))["passes"]
        assert len(await site.admin.call("receipt/list")) == 1
        acts = [entry.act for entry in await site.service._parts.ledger.since(0)]
        assert acts.index("keys_destroyed_again") < acts.index("consent_withdrawn")
        assert site.engine["watch"]["erasures_overdue"] == 0
    assert "that were destroyed were there again" in caplog.text


async def test_a_key_backup_that_cannot_be_read_is_said_and_the_engine_starts(
    start: Callable[[], Any], config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    assert config.key_backup
    await asyncio.to_thread(config.key_backup.parent.mkdir)
    await asyncio.to_thread(config.key_backup.write_bytes, b"{")
    async with start() as site:
        await visitor(site)
    assert "whether this data was restored from before an erasure is not known without it" in caplog.text
