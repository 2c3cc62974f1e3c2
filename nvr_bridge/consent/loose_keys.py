"""The keys in a folder, only read: of a copy, of a backup, of an engine that runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import AskError
from .master import DATA_KEY, SITE_KEY, opened_by_file, opened_by_passphrase
from .sealing import derive, unseal
from .visitor_keys import VISITORS, read, unwrap


@dataclass(frozen=True, slots=True)
class LooseKeys:
    """What opens what. `wrapped` are visitors' and consents' keys by name, as `visitors.json` has them."""

    wrapped: dict[str, str]
    _data_key: bytes = field(repr=False)

    def opens(self, name: str | None, sealed: bytes, aad: bytes) -> bytes | None:
        """The content, if the key of that name is here and opens it; None names the site's own."""
        if name is None:
            return _tried(derive(self._data_key, "seal"), sealed, aad)
        if name not in self.wrapped:
            return None
        return _tried(derive(unwrap(self._data_key, name, self.wrapped[name]), "seal"), sealed, aad)

    def try_all(self, sealed: bytes, aad: bytes) -> Iterator[bytes]:
        """What every key here makes of it: nothing at all, unless one of them opens it."""
        for key in (self._data_key, derive(self._data_key, "seal")):
            if (content := _tried(key, sealed, aad)) is not None:
                yield content
        for name in self.wrapped:
            if (content := self.opens(name, sealed, aad)) is not None:
                yield content


def open_keys(keys_dir: Path, passphrase: str | None) -> LooseKeys:
    """Read them and change nothing. Blocks. Raises `AskError` for keys that are missing, damaged or locked."""
    site, data, visitors = keys_dir / SITE_KEY, keys_dir / DATA_KEY, keys_dir / VISITORS
    try:
        written = visitors.read_bytes()
        master = site.read_bytes() if site.exists() else None
        locked = data.read_bytes() if data.exists() else None
    except OSError as err:
        raise AskError(
            f"keys: {err.filename} cannot be read ({err.strerror}); name a folder with a site's keys"
        ) from err
    if locked is None:
        if master is None:
            raise AskError(f"keys: {data} is missing; name a folder with a site's keys")
        data_key = master  # before there was a data key, the site key was it
    elif master is not None:
        data_key = opened_by_file(locked, master, str(site))
    elif passphrase is not None:
        data_key = opened_by_passphrase(locked, passphrase, str(data))
    else:
        raise AskError(f"keys: a passphrase opens {data}; give it in NVR_BRIDGE_PASSPHRASE")
    return LooseKeys(read(written, data_key, str(visitors)), data_key)


def _tried(key: bytes, sealed: bytes, aad: bytes) -> bytes | None:
    try:
        return unseal(key, sealed, aad)
    except AskError:
        return None
