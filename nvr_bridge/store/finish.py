"""For steps that must not be left half-done when their caller is cancelled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_LOG = logging.getLogger(__name__)


async def to_the_end[T](work: Coroutine[Any, Any, T]) -> T:
    """Run `work`; a cancellation of the caller is delivered only once `work` is over.

    For short critical sections. An error of `work` that a cancellation hides is logged.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as err:
            cancelled = err
    if cancelled is None:
        return task.result()
    if not task.cancelled() and (error := task.exception()) is not None:
        _LOG.error("failed while its caller was being cancelled: %s", error)
    raise cancelled
