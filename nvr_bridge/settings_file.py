"""Watches `bridge.yaml` while the engine runs: what it says is in force from the moment it is written.

An engine cannot go on recognising under a notice or a profile that the site has changed, and it cannot know what an
edit means before it has read it. So any edit disarms at once; then the engine starts anew with the file as it is now. A
file that cannot be used keeps everything disarmed, and the rest running, until somebody mends it. What only shows when
everything starts, such as a port that is taken, ends the engine with the reason, as at any start.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from .config import Config
from .errors import InvalidError

_LOGGER = logging.getLogger(__name__)

LOOK_EVERY = 0.2  # seconds between looks: an edit must disarm within one

type _Mark = tuple[int, int, int] | None  # tells one state of the file from another; None: there is no file


class SettingsFile:
    """The file, and the settings that the engine was started with."""

    def __init__(self, path: Path, running: Config, read: Callable[[Path], Config]) -> None:
        """`read` raises `InvalidError` for a file that no engine would start with; it may block."""
        self._path = path
        self._running = running
        self._read = read

    async def edited(self, tell: Callable[[bool], None], stop: asyncio.Event) -> Config | None:
        """Wait for other settings, or for `stop`: None. `tell` hears whether the file is another than it was."""
        seen, read = await asyncio.to_thread(self._mark), False
        while not stop.is_set():
            if not read:
                read, found = True, await asyncio.to_thread(self._settings)
                tell(found != self._running)
                if found not in (None, self._running):
                    return found
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY)
            now = await asyncio.to_thread(self._mark)
            if now != seen:  # perhaps somebody is still writing: it is read once it stays as it is
                tell(True)
                seen, read = now, False
        return None

    def _settings(self) -> Config | None:
        """What the file says; None, and a line in the log, where no engine would start with it."""
        try:
            return self._read(self._path)
        except InvalidError as err:
            _LOGGER.error("%s; nobody is recognised until it is mended", err)  # noqa: TRY400 - the line says it all
            return None

    def _mark(self) -> _Mark:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
