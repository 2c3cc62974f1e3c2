"""The file of the visitors' and consents' own keys, `visitors.json`: each wrapped by the data key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from binascii import Error as Base64Error
from collections.abc import Collection, Mapping

from ..errors import AskError
from .sealing import derive, seal, unseal

VISITORS = "visitors.json"
_CHECK = b"this site key wrapped these visitor keys"


def wrap(data_key: bytes, name: str, key: bytes) -> str:
    """A key as the file has it."""
    return base64.b64encode(seal(derive(data_key, "wrap"), key, name.encode())).decode()


def unwrap(data_key: bytes, name: str, wrapped: str) -> bytes:
    """The key again. Raises `AskError`."""
    return unseal(derive(data_key, "wrap"), base64.b64decode(wrapped, validate=True), name.encode())


def document(data_key: bytes, wrapped: Mapping[str, str], *, listed: bool = False) -> bytes:
    """The file's content; `listed` says that there is a list of destroyed keys beside it."""
    return json.dumps({"version": 1, "check": _check(data_key), "listed": listed, "keys": dict(wrapped)}).encode()


def is_listed(content: bytes) -> bool:
    """What the file says of that."""
    return bool(json.loads(content).get("listed"))


def without(content: bytes, names: Collection[str]) -> bytes:
    """The file's content, less the keys of these names. Needs no key, and checks none."""
    held = json.loads(content)
    kept = {name: each for name, each in held["keys"].items() if name not in names}
    return json.dumps({**held, "listed": True, "keys": kept}).encode()


def made_with(content: bytes, data_key: bytes) -> bool:
    """Whether the file's content was made with this data key. False for what is no such content at all."""
    try:
        return hmac.compare_digest(str(json.loads(content)["check"]), _check(data_key))
    except (ValueError, KeyError, TypeError):
        return False


def read(content: bytes, data_key: bytes, where: str) -> dict[str, str]:
    """The wrapped keys, checked whole: a key that does not unwrap now would look like a withdrawal later.

    Raises `AskError`.
    """
    try:
        wrapped = dict(json.loads(content)["keys"])
        str(json.loads(content)["check"])
        if made_with(content, data_key):
            for name, each in wrapped.items():
                unwrap(data_key, name, each)
            return wrapped
    except (ValueError, KeyError, TypeError, AttributeError, Base64Error, AskError) as err:
        raise AskError(f"keys: {where} is damaged; restore it from the key backup") from err
    raise AskError(f"keys: {where} was not made with this site key; restore both from the same key backup")


def _check(data_key: bytes) -> str:
    return hmac.new(derive(data_key, "check"), _CHECK, hashlib.sha256).hexdigest()
