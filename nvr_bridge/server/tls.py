"""HTTPS for the pages: with the certificate that the site gives, or with one of our own that is known by its fingerprint.

Browsers trust nobody's own certificate. Whoever sets a tablet up compares the fingerprint that the browser shows with
the one shown beside the pairing code, once; the certificate stays the same until it is deleted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..config import TlsFiles
from ..errors import InvalidError
from ..store.files import check_private, make_private_directory, write_durably

OWN_DAYS = 3650
_FOLDER = "tls"
_CERTIFICATE, _KEY = "certificate.pem", "key.pem"


@dataclass(frozen=True, slots=True)
class Tls:
    """What a server speaks HTTPS with."""

    context: ssl.SSLContext
    fingerprint: str  # sha256 of the certificate, as browsers show it: `AB:CD:…`


def load_tls(given: TlsFiles | None, data_dir: Path, host: str) -> Tls:
    """The site's certificate, or our own, which is made if there is none yet. Blocks.

    Raises `InvalidError` for files that cannot be used.
    """
    if given is None:
        folder = data_dir / _FOLDER
        given = TlsFiles(folder / _CERTIFICATE, folder / _KEY)
        if not (given.certificate.exists() and given.key.exists()):
            _make(given, host)
        check_private(given.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(given.certificate, given.key)
        certificate = x509.load_pem_x509_certificate(given.certificate.read_bytes())
    except (OSError, ValueError, ssl.SSLError) as err:
        reason = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
        raise InvalidError(
            f"listen.tls: {given.certificate} with {given.key} cannot be used ({reason}); give a PEM certificate and its key"
        ) from err
    digest = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    return Tls(context, ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)))


def _make(files: TlsFiles, host: str) -> None:
    """A certificate that vouches for itself, for the names and addresses by which this machine may be reached."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "NVR Bridge")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))  # for a tablet whose clock is late
        .not_valid_after(now + dt.timedelta(days=OWN_DAYS))
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    make_private_directory(files.key.parent)
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    write_durably(files.key, pem)
    write_durably(files.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def _names(host: str) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        names.append(x509.DNSName(host))
    else:
        if not (address.is_unspecified or address.is_loopback):
            names.append(x509.IPAddress(address))
    machine = socket.gethostname()
    if machine.isascii() and machine not in {"", "localhost"}:
        names.append(x509.DNSName(machine))
    return names
