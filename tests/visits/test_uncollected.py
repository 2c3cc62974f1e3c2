"""No garbage is looked for while somebody judges; afterwards it is as before."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest

from nvr_bridge.visits.uncollected import Uncollected


@pytest.fixture(autouse=True)
def collecting() -> Iterator[None]:
    """Whatever a test leaves behind, the next one begins with collections."""
    gc.enable()
    yield
    gc.enable()


async def test_it_ends_with_the_last_task_that_is_inside() -> None:
    uncollected, first_left = Uncollected(), asyncio.Event()

    async def first() -> None:
        with uncollected:
            await asyncio.sleep(0)
        first_left.set()

    task = asyncio.create_task(first())
    with uncollected:
        await first_left.wait()
        assert not gc.isenabled()
    await task
    assert gc.isenabled()


def test_an_error_ends_it_too() -> None:
    with pytest.raises(KeyError), Uncollected():
        raise KeyError
    assert gc.isenabled()


def test_what_was_off_before_stays_off() -> None:
    gc.disable()
    with Uncollected():
        pass
    assert not gc.isenabled()
