"""Parts of a body of evidence that have nothing to do with each other: each is judged alone, so the cost grows linearly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from .evidence import (
    CheckIn,
    Contact,
    Erased,
    Evidence,
    Merge,
    PassEvidence,
    Referral,
    Review,
    SightingEvidence,
    Signing,
    Split,
    StaffMark,
    Withdrawal,
)
from .groups import Sets
from .identity import CONTACT, DOCUMENT


def components(events: Sequence[Evidence]) -> list[list[Evidence]]:
    """Events that share a visitor, a contact, a document or a referral, directly or through others; each in the given order."""
    masks = {event.contact.mask for event in events if isinstance(event, Referral) and event.contact.full is None}
    sets: Sets[str] = Sets()
    firsts: list[str] = []
    for event in events:
        keys = _keys(event, masks)
        first = next(keys)
        for other in keys:
            sets.join(first, other)
        firsts.append(first)
    found: dict[str, list[Evidence]] = defaultdict(list)
    for event, first in zip(events, firsts, strict=True):
        found[sets.find(first)].append(event)
    return list(found.values())


# --- helpers ------------------------------------------------------------------------------------------------------


def _keys(event: Evidence, masks: set[str]) -> Iterator[str]:
    """What ties an event to others: one key at least."""
    match event:
        case SightingEvidence() | PassEvidence() | StaffMark() | Erased():
            yield f"visitor:{event.visitor}"
        case Review():  # of a visit that may be nobody's but a contact's or a document's
            alone = event.visitor.startswith((CONTACT, DOCUMENT))
            yield event.visitor if alone else f"visitor:{event.visitor}"
        case CheckIn():
            yield from _contact(event.contact, masks)
            if event.visitor is not None:
                yield f"visitor:{event.visitor}"
        case Signing():
            if event.visitor is not None:
                yield f"visitor:{event.visitor}"
            if event.document is not None:
                yield f"document:{event.document}"
            if event.contact is not None:
                yield from _contact(event.contact, masks)
            yield from (f"visitor:{visitor}" for visitor in event.co_signers)
        case Split() | Merge():
            yield from (f"visitor:{visitor}" for visitor in event.visitors)
        case Referral():
            yield f"referral:{event.referral}"
            yield from _contact(event.contact, masks)
        case Withdrawal():
            yield f"referral:{event.referral}"


def _contact(contact: Contact, masks: set[str]) -> Iterator[str]:
    if contact.full is not None:
        yield f"contact:{contact.full}"
    if contact.mask in masks:
        yield f"mask:{contact.mask}"
