"""A certificate for the fake engine, made as the engine makes its own."""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificate:
    """A certificate that vouches for itself, as an engine makes one."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "NVR Bridge")])
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
        made = builder.not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
        self.fingerprint = hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        plain = serialization.NoEncryption()
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "both.pem"
            path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
            self.context.load_cert_chain(path)

    @property
    def shown(self) -> str:
        """As `nvr-bridge pair` shows it."""
        return ":".join(self.fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
