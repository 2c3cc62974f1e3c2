"""One ONVIF device's services: asked anonymously until it wants a login, then logged in, and never twice in vain.

`onvif-zeep-async` speaks SOAP; what a device answers is judged here before it is parsed, so that whatever else may
listen at an address ends as one of this program's errors. Loading the library takes a second and reads files, so it
happens on a thread.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from ..errors import BridgeError, CredentialsError, NotADeviceError, UnreachableError
from .address import no_connection
from .credentials import Credentials, LoginBook
from .markup import MarkupError, every, local, parse, text

TIMEOUT = 10.0  # seconds for one request

# What the library's parser raises, besides errors of its own, at answers that are not as the standard has them.
_TRIPS = (AssertionError, AttributeError, LookupError, TypeError, ValueError)


class RefusedError(Exception):
    """The device answered with a fault: it does not offer what was asked. Its reason is the message."""


class _LoginWantedError(Exception):
    """The device does not answer this without a valid login."""


class OnvifSession:
    """The services of the device at `address`, for one conversation."""

    def __init__(
        self, address: str, credentials: Credentials | None, book: LoginBook, *, within: float = TIMEOUT
    ) -> None:
        """Connects to nothing yet. Each request must be answered within some seconds."""
        self.address = address
        self.clock_offset: float | None = None  # seconds; set it before the first call that needs a login
        self._within = within
        self._credentials = credentials
        self._book = book
        self._xaddrs = {"devicemgmt": f"http://{address}/onvif/device_service"}
        self._services: dict[str, Any] = {}
        self._logged_in = False
        self._gate = _Gate(address)
        self._session = aiohttp.ClientSession(middlewares=(self._gate,))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._forget_services()
        await self._session.close()

    def locate(self, service: str, xaddr: str) -> None:
        """Say where `service` ("media") is."""
        self._xaddrs[service] = xaddr

    async def prepare(self, service: str) -> None:
        """Load what a call to `service` needs, so that the first call takes as long as the device does."""
        await self._service(service)

    async def anonymous(self, service: str, operation: str, **arguments: Any) -> Any:
        """Call without a login; None where the device wants one for this. Raises as `call` does."""
        try:
            return await self._send(service, operation, arguments, login=False)
        except _LoginWantedError:
            return None

    async def call(self, service: str, operation: str, **arguments: Any) -> Any:
        """Call, with a login if the device wants one. The answer is made of dicts, lists and plain values.

        Raises `RefusedError`, `CredentialsError`, `UnreachableError` or `NotADeviceError`.
        """
        if not self._logged_in:
            try:
                return await self._send(service, operation, arguments, login=False)
            except _LoginWantedError:
                pass
            return await self._log_in(service, operation, arguments)
        try:
            return await self._send(service, operation, arguments, login=True)
        except _LoginWantedError:
            raise CredentialsError(
                f"{self.address}: the login is right but may not do {operation}; give that account the right to view"
            ) from None

    async def _log_in(self, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        """The one attempt: it is the call itself, with the login."""
        credentials = self._credentials
        if credentials is None:
            raise CredentialsError(f"{self.address}: needs a user name and password; give them")
        async with self._book.attempt(self.address, credentials):
            self._gate.log_in(credentials)
            await self._forget_services()  # they were made without the clock's offset
            try:
                answer = await self._send(service, operation, arguments, login=True)
            except _LoginWantedError:
                raise CredentialsError(
                    f"{self.address}: refused the user name or password of {credentials.username!r}; it was tried once,"
                    " give the right ones"
                ) from None
        self._logged_in = True
        return answer

    async def _send(self, service: str, operation: str, arguments: dict[str, Any], *, login: bool) -> Any:
        client = await self._service(service)
        # The HTTP layer holds the login where the device asked for HTTP digest; else the SOAP header does.
        send = getattr(client, operation if login and not self._gate.http_login else f"authless_{operation}")
        try:
            async with asyncio.timeout(self._within):  # the library asks for ninety seconds in each request
                return _library().plain(await send(arguments))
        except TimeoutError:
            raise UnreachableError(
                f"{self.address}: no answer within {self._within:g} s; check the address and that the device is on"
            ) from None
        except (aiohttp.ClientConnectorError, ConnectionError) as err:
            raise UnreachableError(no_connection(self.address, err)) from None
        except aiohttp.ClientError:
            raise _not_onvif(self.address) from None
        except _library().errors as err:
            raise RefusedError(" ".join(str(err).split())) from None
        except _TRIPS:
            raise RefusedError(f"its answer to {operation} cannot be read") from None

    async def _service(self, name: str) -> Any:
        if name not in self._services:
            library = await asyncio.to_thread(_library)
            definition = library.services[name]
            offset = None if self.clock_offset is None else timedelta(seconds=self.clock_offset)
            service = library.service(
                self._xaddrs[name],
                self._credentials.username if self._credentials else None,
                self._credentials.password if self._credentials else None,
                str(library.wsdl / definition["wsdl"]),
                no_cache=True,
                dt_diff=offset,
                binding_name=f"{{{definition['ns']}}}{definition['binding']}",
            )
            service.transport.session = self._session
            self._services[name] = service
            await service.setup()
        return self._services[name]

    async def _forget_services(self) -> None:
        for service in self._services.values():
            await service.close()
        self._services.clear()


class _Gate:
    """HTTP middleware: answers the digest challenge, and lets nothing but SOAP answers through to the parser."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._challenged = False
        self._digest: aiohttp.DigestAuthMiddleware | None = None

    @property
    def http_login(self) -> bool:
        """Whether the device wants HTTP digest instead of WS-Security."""
        return self._digest is not None

    def log_in(self, credentials: Credentials) -> None:
        """From now on, answer the digest challenge if there was one."""
        if self._challenged:
            self._digest = aiohttp.DigestAuthMiddleware(credentials.username, credentials.password)

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        try:
            response = await (self._digest(request, handler) if self._digest else handler(request))
            body = await response.read()
        except aiohttp.ServerDisconnectedError:
            # The library would send the request again, and with it the login.
            raise _not_onvif(self._address) from None
        if response.status == 401:
            self._challenged = response.headers.get("WWW-Authenticate", "").lower().startswith("digest")
            raise _LoginWantedError
        self._judge(body)
        return response

    def _judge(self, body: bytes) -> None:
        try:
            root = parse(body)
        except MarkupError:
            raise _not_onvif(self._address) from None
        if local(root) != "Envelope":
            raise _not_onvif(self._address)
        for fault in every(root, "Fault"):
            codes = " ".join((value.text or "") for value in every(fault, "Value"))
            reason = text(fault, "Reason", "Text") or text(fault, "faultstring") or codes or "no reason given"
            # Some firmwares say so in words only.
            if "NotAuthorized" in codes or "FailedAuthentication" in codes or "not authorized" in reason.lower():
                raise _LoginWantedError
            raise RefusedError(reason)


def _not_onvif(address: str) -> BridgeError:
    return NotADeviceError(
        f"{address}: what answers there speaks neither ONVIF nor ISAPI; give a camera's or recorder's HTTP address,"
        " and switch ONVIF on in its settings"
    )


class _Library:
    """What is used of `onvif-zeep-async` and `zeep`."""

    def __init__(self) -> None:
        import onvif  # noqa: PLC0415 - takes a second, so it is loaded on a thread and only where it is needed
        import zeep.exceptions  # noqa: PLC0415
        import zeep.helpers  # noqa: PLC0415
        from onvif.definition import SERVICES  # noqa: PLC0415

        self.service: Any = onvif.ONVIFService
        self.services: dict[str, dict[str, str]] = SERVICES
        self.errors: tuple[type[Exception], ...] = (onvif.ONVIFError, zeep.exceptions.Error)
        self._serialize: Any = zeep.helpers.serialize_object
        self.wsdl = Path(onvif.__file__).parent / "wsdl"

    def plain(self, answer: Any) -> Any:
        """The library's objects as dicts, so that reading what a device left out is not an error."""
        return self._serialize(answer, dict)


@functools.cache
def _library() -> _Library:
    """Load it once. The import sets up the root logger, which is the application's to set up: put that back."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    library = _Library()
    root.setLevel(level)
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
    logging.getLogger("zeep.xsd").setLevel(logging.CRITICAL)  # it logs a traceback for each odd value of a device
    return library
