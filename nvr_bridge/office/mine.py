"""A visitor's own page: everything that is kept about them, and the end of it. Whoever has the link is the visitor."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from ..consent.links import Links
from ..errors import ErasureOwedError, NotFoundError, UnauthorizedError
from .subjects import Subjects


class Mine:
    """One for the engine. Answers are JSON-able, and for the visitor alone."""

    def __init__(
        self,
        subjects: Subjects,
        links: Links,
        *,
        erase: Callable[[str], Awaitable[dict[str, Any] | None]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`erase` is how the engine forgets a visitor, and what it gives for it: a receipt, if it can be signed now."""
        self._subjects = subjects
        self._links = links
        self._erase = erase
        self._clock = clock

    async def read(self, token: str) -> dict[str, Any]:
        """Everything about the visitor whose link this is. Raises `UnauthorizedError` where it opens nothing."""
        visitor_id = await self._links.owner(token, self._clock())
        try:
            return await self._subjects.about(visitor_id)
        except NotFoundError:  # withdrew while it was read
            raise UnauthorizedError("link: opens nothing any more; what it opened was erased") from None

    async def withdraw(self, token: str) -> dict[str, Any]:
        """Erase the visitor whose link this is. Raises `UnauthorizedError` where it opens nothing."""
        visitor_id = await self._links.owner(token, self._clock())
        try:
            receipt = await self._erase(visitor_id)
        except NotFoundError:  # somebody else was faster
            raise UnauthorizedError("link: opens nothing any more; what it opened was erased") from None
        except ErasureOwedError:  # erased, with the key destroyed; what is owed is space on the disk
            receipt = None
        return {"withdrawn": True, "receipt": receipt}
