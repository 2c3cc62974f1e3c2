"""The ONVIF device and media services of a simulated camera or recorder, as strict about logins as a real one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from aiohttp import web

from demo.account import Account, Asked, DeviceClock, HttpDigest, WsSecurity
from nvr_bridge.devices.markup import MarkupError, local, parse

DEVICE_PATH = "/onvif/device_service"
MEDIA_PATH = "/onvif/media_service"

_DEVICE = "http://www.onvif.org/ver10/device/wsdl"
_MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_OPEN = {"GetSystemDateAndTime", "GetServices", "GetCapabilities"}  # ONVIF's access class PRE_AUTH

_ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<env:Envelope xmlns:env="{soap}" xmlns:tds="{device}" xmlns:trt="{media}" xmlns:tt="{schema}" \
xmlns:ter="http://www.onvif.org/ver10/error"><env:Body>{body}</env:Body></env:Envelope>"""


@dataclass(frozen=True, slots=True)
class OnvifProfile:
    """One media profile, with what it claims to deliver."""

    token: str
    name: str
    source: str  # video source token
    source_name: str
    encoding: str  # as ONVIF spells it: H264 or H265
    width: int
    height: int
    fps: float
    uri: Callable[[], str]  # rtsp://, once the port is known


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device says it is."""

    manufacturer: str
    model: str
    serial: str
    name: str
    firmware: str = "V1.0.0"


class _FaultError(Exception):
    def __init__(self, subcode: str, reason: str, status: int) -> None:
        super().__init__(reason)
        self.subcode = subcode
        self.status = status


class OnvifService:
    """Two services behind one HTTP server. Knobs may be turned while it runs."""

    def __init__(
        self,
        identity: Identity,
        profiles: list[OnvifProfile],
        account: Account | None,
        clock: DeviceClock,
        requests: deque[Asked],
    ) -> None:
        """Without an `account` the device is open to all."""
        self.profiles = profiles
        self.http_digest = False  # the login goes into HTTP instead of WS-Security
        self.offers_services = True  # answers GetServices; old firmwares know GetCapabilities alone
        self.has_media = True
        self.advertised_host: str | None = None  # a wrong host in every address that it names
        self._identity = identity
        self._account = account
        self._clock = clock
        self._requests = requests
        self._wsse = WsSecurity(account, clock) if account else None
        self._digest = HttpDigest(account, "ONVIF") if account else None

    def add_to(self, app: web.Application) -> None:
        """Route the two services."""
        app.router.add_post(DEVICE_PATH, self._handle)
        app.router.add_post(MEDIA_PATH, self._handle)

    async def _handle(self, request: web.Request) -> web.Response:
        try:
            envelope = parse(await request.read())
            body = envelope.find(f"{{{_SOAP}}}Body")
            action = body[0] if body is not None else None
        except (MarkupError, IndexError):
            action = None
        if action is None:
            return _answer(_fault(_FaultError("ter:WellFormed", "not a SOAP 1.2 request", 400)), 400)
        operation = local(action)
        user, right = self._login(request, envelope)
        accepted = right or operation in _OPEN
        self._requests.append(Asked("onvif", operation, user, accepted))
        if not accepted and self.http_digest and self._digest is not None:
            return web.Response(status=401, headers=self._digest.challenge(), text="Unauthorized")
        if not accepted:
            return _answer(_fault(_FaultError("ter:NotAuthorized", "Sender not Authorized", 400)), 400)
        try:
            return _answer(self._do(request, action), 200)
        except _FaultError as err:
            return _answer(_fault(err), err.status)

    def _login(self, request: web.Request, envelope: Element) -> tuple[str | None, bool]:
        """(Whose login came with the request, whether it opens what needs one)."""
        if self._wsse is None or self._digest is None:
            return None, True
        http_user, soap_user = self._digest.user(request), self._wsse.user(envelope)
        if self.http_digest:
            if http_user is not None:
                return http_user, self._digest.check(request)
            return soap_user, False
        return soap_user, soap_user is not None and self._wsse.check(envelope)

    def _do(self, request: web.Request, action: Element) -> str:
        base = f"http://{self.advertised_host or request.host}"
        match action.tag:
            case t if t == f"{{{_DEVICE}}}GetSystemDateAndTime":
                return self._time()
            case t if t == f"{{{_DEVICE}}}GetDeviceInformation":
                return self._information()
            case t if t == f"{{{_DEVICE}}}GetServices" and self.offers_services:
                return self._services(base)
            case t if t == f"{{{_DEVICE}}}GetCapabilities":
                return self._capabilities(base)
            case t if t == f"{{{_MEDIA}}}GetProfiles" and self.has_media and request.path == MEDIA_PATH:
                return f"<trt:GetProfilesResponse>{''.join(map(_profile, self.profiles))}</trt:GetProfilesResponse>"
            case t if t == f"{{{_MEDIA}}}GetStreamUri" and self.has_media and request.path == MEDIA_PATH:
                return self._stream_uri(action)
        raise _FaultError("ter:ActionNotSupported", "Optional Action Not Implemented", 500)

    def _time(self) -> str:
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        clock = (
            f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
            f"<tt:Second>{now.second}</tt:Second></tt:Time>"
            f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
        )
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType>"
            "<tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone>"
            f"<tt:UTCDateTime>{clock}</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _information(self) -> str:
        told = self._identity
        return (
            "<tds:GetDeviceInformationResponse>"
            f"<tds:Manufacturer>{escape(told.manufacturer)}</tds:Manufacturer><tds:Model>{escape(told.model)}</tds:Model>"
            f"<tds:FirmwareVersion>{escape(told.firmware)}</tds:FirmwareVersion>"
            f"<tds:SerialNumber>{escape(told.serial)}</tds:SerialNumber><tds:HardwareId>1.0</tds:HardwareId>"
            "</tds:GetDeviceInformationResponse>"
        )

    def _services(self, base: str) -> str:
        offered = [(_DEVICE, DEVICE_PATH)] + ([(_MEDIA, MEDIA_PATH)] if self.has_media else [])
        listed = "".join(
            f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{base}{path}</tds:XAddr>"
            "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
            for namespace, path in offered
        )
        return f"<tds:GetServicesResponse>{listed}</tds:GetServicesResponse>"

    def _capabilities(self, base: str) -> str:
        media = (
            f"<tt:Media><tt:XAddr>{base}{MEDIA_PATH}</tt:XAddr><tt:StreamingCapabilities>"
            "<tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP>"
            "<tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>"
        )
        listed = media if self.has_media else ""
        return (
            "<tds:GetCapabilitiesResponse><tds:Capabilities>"
            f"<tt:Device><tt:XAddr>{base}{DEVICE_PATH}</tt:XAddr></tt:Device>{listed}"
            "</tds:Capabilities></tds:GetCapabilitiesResponse>"
        )

    def _stream_uri(self, action: Element) -> str:
        token = action.findtext(f"{{{_MEDIA}}}ProfileToken", "")
        protocol = action.findtext(
            f"{{{_MEDIA}}}StreamSetup/{{{_SCHEMA}}}Transport/{{{_SCHEMA}}}Protocol", "(no transport)"
        )
        profile = next((one for one in self.profiles if one.token == token), None)
        if profile is None:
            raise _FaultError("ter:NoProfile", "The requested profile token does not exist", 400)
        if protocol != "RTSP":
            raise _FaultError("ter:InvalidStreamSetup", f"{protocol} is not supported", 400)
        return (
            f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{escape(profile.uri())}</tt:Uri>"
            "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>"
            "<tt:Timeout>PT60S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>"
        )


def _profile(told: OnvifProfile) -> str:
    size = f"<tt:Width>{told.width}</tt:Width><tt:Height>{told.height}</tt:Height>"
    return (
        f'<trt:Profiles token="{escape(told.token)}" fixed="true"><tt:Name>{escape(told.name)}</tt:Name>'
        f'<tt:VideoSourceConfiguration token="VSC_{escape(told.source)}"><tt:Name>{escape(told.source_name)}</tt:Name>'
        f"<tt:UseCount>1</tt:UseCount><tt:SourceToken>{escape(told.source)}</tt:SourceToken>"
        f'<tt:Bounds x="0" y="0" width="{told.width}" height="{told.height}"/></tt:VideoSourceConfiguration>'
        f'<tt:VideoEncoderConfiguration token="VEC_{escape(told.token)}"><tt:Name>{escape(told.name)}</tt:Name>'
        f"<tt:UseCount>1</tt:UseCount><tt:Encoding>{told.encoding}</tt:Encoding>"
        f"<tt:Resolution>{size}</tt:Resolution><tt:Quality>4</tt:Quality>"
        f"<tt:RateControl><tt:FrameRateLimit>{told.fps:g}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>"
        "<tt:BitrateLimit>1024</tt:BitrateLimit></tt:RateControl>"
        "<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration></trt:Profiles>"
    )


def _fault(err: _FaultError) -> str:
    code = "env:Receiver" if err.status == 500 else "env:Sender"
    return (
        f"<env:Fault><env:Code><env:Value>{code}</env:Value><env:Subcode><env:Value>{err.subcode}</env:Value>"
        f'</env:Subcode></env:Code><env:Reason><env:Text xml:lang="en">{escape(str(err))}</env:Text></env:Reason>'
        "</env:Fault>"
    )


def _answer(body: str, status: int) -> web.Response:
    text = _ENVELOPE.format(soap=_SOAP, device=_DEVICE, media=_MEDIA, schema=_SCHEMA, body=body)
    return web.Response(text=text, status=status, content_type="application/soap+xml")
