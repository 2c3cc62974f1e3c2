"""An edited `bridge.yaml` disarms at once, and is what the engine runs with next; a broken one waits to be mended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pytest
from engine_site import until

from nvr_bridge.config import Config, load_config
from nvr_bridge.settings_file import SettingsFile

SITE = "name: Riverside\nzones: {desk: {name: Desk, kind: consent_point}}\n"


@dataclass
class Watched:
    """A file that is watched, and what was told of it."""

    path: Path
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    told: list[bool] = field(default_factory=list)
    task: asyncio.Task[Config | None] | None = None

    def begin(self) -> None:
        """As an engine that has started with the file as it is."""
        settings = SettingsFile(self.path, load_config(self.path), load_config)
        self.task = asyncio.create_task(settings.edited(self.told.append, self.stop))

    async def result(self) -> Config | None:
        """What the watching came to."""
        assert self.task is not None
        return await asyncio.wait_for(self.task, 10)

    async def hears(self, *told: bool) -> None:
        """Wait until exactly this was told, repetitions left out."""
        await until(lambda: [each for each, _ in groupby(self.told)] == list(told))


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[Watched]:
    """The settings of a running engine."""
    (tmp_path / "bridge.yaml").write_text(SITE)
    watched = Watched(tmp_path / "bridge.yaml")
    watched.begin()
    await watched.hears(False)
    yield watched
    watched.stop.set()
    if watched.task is not None:
        with suppress(asyncio.CancelledError):
            await watched.task


async def test_other_settings_disarm_and_are_what_comes_next(file: Watched) -> None:
    file.path.write_text(SITE + "notices: {en: Another text}\n")
    found = await file.result()
    assert found is not None
    assert found.notices == {"en": "Another text"}
    assert file.told[-1] is True, "it stays disarmed until the engine has started anew"


async def test_a_file_put_in_its_place_is_seen_too(file: Watched) -> None:
    new = file.path.with_suffix(".new")
    new.write_text(SITE.replace("Riverside", "Lakeside!"))
    new.replace(file.path)
    found = await file.result()
    assert found is not None
    assert found.name == "Lakeside!"


async def test_a_comment_changes_nothing(file: Watched) -> None:
    file.path.write_text(SITE + "# by Ada\n")
    await file.hears(False, True, False)
    file.stop.set()
    assert await file.result() is None


async def test_a_broken_or_missing_file_disarms_until_it_is_mended(
    file: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    file.path.write_text(SITE + "zonse: {}\n")
    await file.hears(False, True)
    await until(lambda: len(caplog.messages) == 1)
    assert "zonse" in caplog.text
    file.path.unlink()
    await until(lambda: len(caplog.messages) == 2)
    assert "no such file" in caplog.messages[1]
    assert file.told[-1] is True
    file.path.write_text(SITE)
    await file.hears(False, True, False)


async def test_what_was_edited_between_reading_and_serving_is_seen(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "bridge.yaml")
    watched.path.write_text(SITE)
    before = load_config(watched.path)
    watched.path.write_text(SITE.replace("Riverside", "Lakeside!"))
    found = await SettingsFile(watched.path, before, load_config).edited(watched.told.append, watched.stop)
    assert found is not None
    assert (found.name, watched.told) == ("Lakeside!", [True])
