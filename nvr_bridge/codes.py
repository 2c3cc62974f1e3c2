"""Random codes that people read, say and type: Crockford's 32 letters and digits, in groups of four."""

from __future__ import annotations

import re
import secrets
import unicodedata

# Without I, L, O and U, which are misread or make words.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("ILO", "110")


def new(length: int) -> str:
    """A random code of so many characters, such as `K7QF-2M9D`; each is worth 5 bits."""
    return grouped("".join(secrets.choice(_LETTERS) for _ in range(length)))


def plain(code: str) -> str:
    """The one spelling of a code, without dashes, however it was typed."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code)).upper().translate(_MISREAD)


def grouped(code: str) -> str:
    """A plain code as it is shown."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
