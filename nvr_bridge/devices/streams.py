"""Choosing a channel's stream by what it really delivers, never by what it claims."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import quote, urlsplit, urlunsplit

from ..errors import BridgeError, NoVideoError, RetryError
from ..models import StreamFacts
from .credentials import Credentials
from .device import Channel, StreamRef

MIN_HEIGHT = 300  # pixels; below it, faces across a room are too small to recognise
MIN_FPS = 4.0  # below it, tracks break

type Measure = Callable[[str], Awaitable[StreamFacts]]


async def choose(channel: Channel, credentials: Credentials | None, measure: Measure) -> tuple[StreamRef, StreamFacts]:
    """The smallest stream that is good enough, else the best there is, and what it was measured to deliver.

    Streams are measured one at a time, the one that claims least first: a recorder has few to give. Raises
    `CredentialsError` at the first refused login, without trying the other streams; `UnreachableError` or
    `StreamEndedError` where one may work later; `NoVideoError` where none can.
    """
    waiting = sorted(channel.streams, key=_claimed)
    measured: list[tuple[StreamRef, StreamFacts]] = []
    later: RetryError | None = None
    never: NoVideoError | None = None
    while waiting:
        stream = waiting.pop(0)
        try:
            facts = replace(await measure(with_credentials(stream.url, credentials)), name=stream.name)
        except RetryError as err:
            later = later or err
            continue
        except NoVideoError as err:
            never = never or err
            continue
        measured.append((stream, facts))
        # Whatever claims more is larger, unless this device's claims are wrong: then all of them are measured.
        if _good(facts) and stream.width is not None and _area(facts) <= _claimed(stream):
            break
    if measured:
        good = [one for one in measured if _good(one[1])]
        return min(good, key=lambda one: _area(one[1])) if good else max(measured, key=lambda one: _worth(one[1]))
    if later is not None:
        raise later
    raise never or NoVideoError(f"channel {channel.name!r}: offers no stream; enable one in the device's settings")


async def measured(
    channel: Channel, credentials: Credentials | None, measure: Measure
) -> list[tuple[StreamRef, StreamFacts | BridgeError]]:
    """Every stream of a channel, and what it was measured to deliver or why it delivers nothing; one at a time.

    Raises `CredentialsError` at the first refused login, without trying the other streams.
    """
    found: list[tuple[StreamRef, StreamFacts | BridgeError]] = []
    for stream in channel.streams:
        try:
            found.append((stream, replace(await measure(with_credentials(stream.url, credentials)), name=stream.name)))
        except (RetryError, NoVideoError) as err:
            found.append((stream, err))
    return found


def with_credentials(url: str, credentials: Credentials | None) -> str:
    """`url` with the login in it, as RTSP clients want it. Never log the result."""
    if credentials is None:
        return url
    parts = urlsplit(url)
    login = f"{quote(credentials.username, safe='')}:{quote(credentials.password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))


def _claimed(stream: StreamRef) -> float:
    """Pixels per picture; one that claims nothing is tried last."""
    return float(stream.width * stream.height) if stream.width and stream.height else float("inf")


def _area(facts: StreamFacts) -> float:
    return float(facts.width * facts.height)


def _good(facts: StreamFacts) -> bool:
    return facts.height >= MIN_HEIGHT and facts.fps >= MIN_FPS


def _worth(facts: StreamFacts) -> float:
    """Of streams that are too small or too slow: size counts up to what is needed, and so does the rate."""
    return min(1.0, facts.height / MIN_HEIGHT) * min(1.0, facts.fps / MIN_FPS)
