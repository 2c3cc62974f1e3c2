"""Logins, and the book that keeps a wrong one from being tried twice.

Devices lock an account after a few bad logins, so a user name and password that a device refused are not tried there
again until a person changes them, also after a restart.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import CredentialsError
from .turns import Turns


@dataclass(frozen=True, slots=True)
class Credentials:
    """A login. `version` rises with every change that a person makes to it."""

    username: str
    password: str = field(repr=False)
    version: int = 1


class RefusalStore(Protocol):
    """Where refusals outlive the process. A refusal is (device address, credential version)."""

    async def refused(self) -> set[tuple[str, int]]:
        """Everything remembered."""

    async def remember(self, address: str, version: int) -> None:
        """Keep a refusal; on return it is durable."""

    async def forget(self, address: str) -> None:
        """Drop every refusal of one device."""


class UnsavedRefusals:
    """Refusals of this process alone: for a command that a person runs once."""

    def __init__(self) -> None:
        self._refused: set[tuple[str, int]] = set()

    async def refused(self) -> set[tuple[str, int]]:
        """Everything remembered."""
        return set(self._refused)

    async def remember(self, address: str, version: int) -> None:
        """Keep a refusal."""
        self._refused.add((address, version))

    async def forget(self, address: str) -> None:
        """Drop every refusal of one device."""
        self._refused = {entry for entry in self._refused if entry[0] != address}


class LoginBook:
    """At most one refused attempt per device address and credential version."""

    def __init__(self, store: RefusalStore) -> None:
        """Reads `store` at the first attempt."""
        self._store = store
        self._refused: set[tuple[str, int]] | None = None
        self._turns = Turns()

    @asynccontextmanager
    async def attempt(self, address: str, credentials: Credentials) -> AsyncIterator[None]:
        """Wrap whatever presents `credentials` to the device at `address`; attempts on one device wait for each other.

        Raises `CredentialsError`, before the body runs, where these credentials were refused earlier. A
        `CredentialsError` raised by the body is remembered.
        """
        async with self._turns.at(address):
            if (address, credentials.version) in await self._known():
                raise CredentialsError(
                    f"{address}: refused the user name or password of {credentials.username!r} before, so it is not"
                    " tried again; give other credentials"
                )
            try:
                yield
            except CredentialsError:
                await self._remember(address, credentials.version)
                raise

    async def forget(self, address: str) -> None:
        """A person says that the device takes these credentials now (a password set on the device, a lock lifted)."""
        await self._store.forget(address)
        self._refused = {entry for entry in await self._known() if entry[0] != address}

    async def _known(self) -> set[tuple[str, int]]:
        if self._refused is None:
            self._refused = await self._store.refused()
        return self._refused

    async def _remember(self, address: str, version: int) -> None:
        (await self._known()).add((address, version))
        await self._store.remember(address, version)
