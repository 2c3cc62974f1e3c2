"""Large bodies of evidence hold no cycles, and a collection of garbage that walks them stops everything, the event loop too."""

from __future__ import annotations

import gc
from types import TracebackType


class Uncollected:
    """While anything is inside, no garbage is looked for; what nobody holds any more is freed all the same.

    Entered and left on one thread, by as many tasks as there are.
    """

    def __init__(self) -> None:
        self._inside = 0
        self._enabled = False

    def __enter__(self) -> None:
        if not self._inside:
            self._enabled = gc.isenabled()
            gc.disable()
        self._inside += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inside -= 1
        if not self._inside and self._enabled:
            gc.enable()
