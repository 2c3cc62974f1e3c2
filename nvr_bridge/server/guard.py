"""What a page's own requests must be: from that page, JSON, small, and complete in time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from ..errors import BridgeError, BugError, FaceError, InvalidError, RetryError, UnauthorizedError

BODY_LIMIT = 16_384  # bytes of a request that carries no picture
BODY_SECONDS = 15.0  # for a body to arrive

_STATUS: Final = {
    "unauthorized": 401,
    "not_found": 404,
    "conflict": 409,
    "not_armed": 409,
    "face": 422,
    "rate_limited": 429,
}

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answering(handler: Handler) -> Handler:
    """A handler whose refusals are answered as JSON, `{"error": {"code", "message", "flaw"?}}`, with a status that fits."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except BugError:
            raise
        except BridgeError as err:
            status = _STATUS.get(err.code, 503 if isinstance(err, RetryError) else 400)
            error = {"code": err.code, "message": str(err)}
            if isinstance(err, FaceError) and err.flaw is not None:
                error["flaw"] = err.flaw
            return web.json_response({"error": error}, status=status)

    return handle


async def read_json(request: web.Request, *, limit: int = BODY_LIMIT, origin: str | None = None) -> Mapping[str, Any]:
    """The object that one of our pages posted.

    Raises `UnauthorizedError` for a request that another site made, and `InvalidError` for what is no JSON object or too
    long. `origin` is what browsers call this server where that is not its Host header (behind a proxy).
    """
    _same_origin(request, origin)
    if request.content_type != "application/json":
        raise InvalidError("body: must be application/json")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = await _read(request, limit)
    except TimeoutError:
        raise InvalidError(f"body: did not arrive within {BODY_SECONDS:g} s") from None
    try:
        body = json.loads(raw.decode())
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is valid JSON, but no text
    except (ValueError, RecursionError):
        raise InvalidError("body: not JSON in UTF-8") from None
    if not isinstance(body, dict):
        raise InvalidError("body: must be a JSON object")
    return body


def origin_of(url: str | None) -> str | None:
    """What a browser calls the origin of a page under `url`."""
    if url is None:
        return None
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


async def _read(request: web.Request, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        raise InvalidError(f"body: longer than {limit} bytes")
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > limit:
            raise InvalidError(f"body: longer than {limit} bytes")
    return bytes(raw)


def _same_origin(request: web.Request, origin: str | None) -> None:
    """Browsers name the origin of every POST; whoever names none is no page of ours."""
    named = request.headers.get(hdrs.ORIGIN, "")
    if named and (urlsplit(named).netloc == request.host or named == origin):
        return
    raise UnauthorizedError("origin: this request was not made by a page of this engine")
