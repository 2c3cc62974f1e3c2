"""Templates as they are kept: each sealed with the key of the consent that it rests on, and bound to it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from ..errors import AskError, NotFoundError
from ..store.schema import TemplateRow
from .vault import Vault, consent_key

if TYPE_CHECKING:
    from ..models import Embedding

_LOG = logging.getLogger(__name__)
_FORMAT: Final = np.dtype("<f4")  # of a stored embedding, whatever this machine's byte order


@dataclass(frozen=True, slots=True)
class Template:
    """An embedding stored with consent."""

    template_id: int  # never reused
    visitor_id: str
    consent_id: str
    embedding: Embedding
    zones: tuple[str, ...] = ()  # where it may be compared; none named: wherever the site does


def sealed(vault: Vault, visitor_id: str, consent_id: str, vector: Embedding, pack: str) -> TemplateRow:
    """A row for an embedding of (dimension,). Raises `NotFoundError` where the consent has no key."""
    content = vector.astype(_FORMAT).tobytes()
    blob = vault.seal(consent_key(consent_id), content, place(consent_id, pack))
    return TemplateRow(visitor_id=visitor_id, consent_id=consent_id, pack=pack, sealed=blob, own_key=True)


def unsealed(vault: Vault, row: TemplateRow) -> Template | None:
    """None for a template that cannot be read: its consent is ending, or its row was changed."""
    try:
        key = consent_key(row.consent_id) if row.own_key else row.visitor_id
        content = vault.unseal(key, row.sealed, place(row.consent_id, row.pack))
    except NotFoundError:
        return None
    except AskError as err:
        _LOG.error("consent: template %d is left out: %s", row.template_id, err)
        return None
    return Template(row.template_id, row.visitor_id, row.consent_id, _embedding(content))


def place(consent_id: str, pack: str) -> bytes:
    """What binds a sealed template to its consent."""
    return f"template {consent_id} {pack}".encode()


def _embedding(content: bytes) -> Embedding:
    return np.frombuffer(content, dtype=_FORMAT).astype(np.float32)
