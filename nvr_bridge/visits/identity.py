"""Who is who: which visitor ids are one person, and where that cannot be told. Pure.

A node is a visitor id, or stands for somebody who gave none: for the owner of a contact or of a document.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from .evidence import CheckIn, Erased, Evidence, Merge, PassEvidence, Rules, SightingEvidence, Signing, Split
from .groups import Grouping, settle
from .timeline import Moment, Stay, doubtful_gaps, in_order, moment, near, stays

CONTACT, DOCUMENT = "contact:", "document:"


@dataclass(frozen=True, slots=True)
class Person:
    """One person, as far as can be told."""

    name: str  # the visitor id seen first, or contact:… where there is none
    nodes: frozenset[str]
    own: frozenset[str]  # the full contact that this person gave before any other, as a keyed hash
    moments: tuple[Moment, ...]  # in time order
    ambiguous: bool = False  # may be either of several others, who are not each other


@dataclass(slots=True)
class People:
    """Everybody, and who may be whom."""

    persons: list[Person] = field(default_factory=list)
    of: dict[str, int] = field(default_factory=dict)  # node → index
    owners: dict[str, list[int]] = field(default_factory=dict)  # own contact → indices
    maybe: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))  # may be the same, and may be not
    doubtful: bool = False  # the clocks cannot say whether two people were there at once


def node_of(event: Evidence) -> str | None:
    """Whom an event of presence is about."""
    if isinstance(event, SightingEvidence | PassEvidence):
        return event.visitor
    if isinstance(event, CheckIn):
        return event.visitor or f"{CONTACT}{event.contact.full}"
    if isinstance(event, Signing):
        given = event.contact.full if event.contact else None
        return event.visitor or (f"{DOCUMENT}{event.document}" if event.document else f"{CONTACT}{given}")
    return None


def people(events: Sequence[Evidence], rules: Rules, overlaps: bool | None = None) -> People:
    """Who is who in `events`, whatever their order.

    `overlaps` settles what the clocks leave open: whether two people were there at once. None: as the clocks show it.
    """
    facts = _Facts(events, rules, overlaps)
    grouping = _by_document_and_merge(facts)
    groups = [_Group(nodes, facts) for nodes in grouping.groups if not _stands_for_contact(nodes)]
    joined = _by_contact(groups, facts)
    found = People()
    position: dict[int, int] = {}
    unsure = set(joined.unsure)
    for members in joined.groups:
        nodes = frozenset().union(*(groups[index].nodes for index in members))
        own = frozenset().union(*(groups[index].own for index in members))
        position |= dict.fromkeys(members, len(found.persons))
        doubtful = not unsure.isdisjoint(members) or not grouping.unsure.isdisjoint(nodes)
        found.persons.append(_person(nodes, own, facts, ambiguous=doubtful))
    for one, other in joined.maybe:
        _link(found, position[one], position[other])
    found.of = {node: index for index, person in enumerate(found.persons) for node in person.nodes}
    for one_node, other_node in grouping.maybe:
        _link(found, found.of[one_node], found.of[other_node])
    _add_contacts_alone(found, facts)
    found.doubtful = facts.doubtful
    return found


# --- helpers ------------------------------------------------------------------------------------------------------


class _Facts:
    """What the events say of each node."""

    def __init__(self, events: Sequence[Evidence], rules: Rules, overlaps: bool | None) -> None:
        self.rules = rules
        self.overlaps = overlaps
        self.doubtful = False
        self.moments: dict[str, list[Moment]] = defaultdict(list)
        self.documents: dict[str, set[str]] = defaultdict(set)
        self.nodes: set[str] = set()
        self.cosigned: set[tuple[str, str]] = set()
        erased: dict[str, list[float]] = defaultdict(list)
        for event in events:
            if isinstance(event, Erased):
                erased[event.visitor].append(event.at)
        corrections: dict[tuple[str, str], tuple[float, bool]] = {}
        for event in events:
            if isinstance(event, SightingEvidence | PassEvidence | CheckIn | Signing):
                node = node_of(event) or ""
                self.nodes.add(node)
                lasts = min((at for at in erased.get(node, ()) if at >= event.at), default=float("inf"))
                self.moments[node].append(moment(event, node, rules, lasts))
            if isinstance(event, Signing):
                self._signing(event, node_of(event) or "")
            elif isinstance(event, Split | Merge):
                self.nodes.update(event.visitors)
                for pair in combinations(sorted(event.visitors), 2):
                    # Of a split and a merge at one instant the split holds: it is the more careful of the two.
                    said = (event.at, isinstance(event, Split))
                    corrections[pair] = max(corrections.get(pair, said), said)
        self.split = {pair for pair, (_, apart) in corrections.items() if apart}
        self.merged = {pair for pair, (_, apart) in corrections.items() if not apart}

    def _signing(self, event: Signing, node: str) -> None:
        self.nodes.update(event.co_signers)
        if event.document is not None:
            self.documents[node].add(event.document)
        for pair in combinations(sorted({node, *event.co_signers}), 2):
            self.cosigned.add(pair)


class _Group:
    """Nodes that a document or a correction joins."""

    def __init__(self, nodes: frozenset[str], facts: _Facts) -> None:
        self.nodes = nodes
        self.moments = in_order(one for node in nodes for one in facts.moments.get(node, ()))
        self.own = _first_contacts(self.moments)
        self.clear = any(one.kind == "sighting" and one.certain for one in self.moments)
        self.documents = frozenset().union(*(facts.documents.get(node, ()) for node in nodes))
        self.first = min((one.at for one in self.moments), default=float("inf"))
        self.gone = max((one.lasts for one in self.moments), default=float("inf"))
        open_gaps = doubtful_gaps(self.moments, facts.rules)
        self.stays = _certain(stays(self.moments, facts.rules))
        # The same visits if every gap in doubt ended one, and if none did.
        self.shortest, self.longest = self.stays, self.stays
        if open_gaps:
            self.shortest = _certain(stays(self.moments, facts.rules, dict.fromkeys(open_gaps, True)))
            self.longest = _certain(stays(self.moments, facts.rules, dict.fromkeys(open_gaps, False)))


def _certain(found: Sequence[Stay]) -> list[Stay]:
    return [stay for stay in found if stay.certain]


def _first_contacts(moments: Sequence[Moment]) -> frozenset[str]:
    """The contact given before any other: two where they were given at one instant."""
    given = [one for one in moments if one.contact is not None and one.contact.full is not None]
    return frozenset(one.contact.full for one in given if one.contact and one.contact.full and one.at == given[0].at)


def _stands_for_contact(nodes: frozenset[str]) -> bool:
    return len(nodes) == 1 and next(iter(nodes)).startswith(CONTACT)


def _person(nodes: frozenset[str], own: frozenset[str], facts: _Facts, *, ambiguous: bool) -> Person:
    moments = in_order(one for node in nodes for one in facts.moments.get(node, ()))
    named = [one for one in moments if not one.node.startswith((CONTACT, DOCUMENT))]
    name = (named or moments)[0].node if moments else min(nodes)
    if name.startswith((CONTACT, DOCUMENT)):
        name = name[: name.index(":") + 13]  # enough of the hash to tell people apart
    return Person(name, nodes, own, tuple(moments), ambiguous)


def _gone(person: Person) -> float:
    """When the last of a person's evidence was erased; infinite while there is any."""
    return max((one.lasts for one in person.moments), default=float("inf"))


def _link(found: People, one: int, other: int) -> None:
    if one != other:
        found.maybe[one].add(other)
        found.maybe[other].add(one)


def _by_document_and_merge(facts: _Facts) -> Grouping[str]:
    """Documents and merges join for certain, but never co-signers, and not against a later split."""
    by_document: dict[str, list[str]] = defaultdict(list)
    for node, documents in facts.documents.items():
        for document in documents:
            by_document[document].append(node)
    same_document = {
        pair for nodes in by_document.values() if len(nodes) > 1 for pair in combinations(sorted(nodes), 2)
    }
    apart = facts.cosigned | (facts.split - same_document)
    edges = [pair for pair in same_document | facts.merged if pair not in facts.cosigned]

    def kept_apart(one: str, other: str) -> bool:
        return (min(one, other), max(one, other)) in apart

    return settle(facts.nodes, edges, kept_apart, lambda members: _any_pair(apart, members))


def _any_pair(pairs: set[tuple[str, str]], members: Iterable[str]) -> bool:
    if not pairs:
        return False
    among = set(members)
    if len(among) ** 2 < len(pairs):
        return any(pair in pairs for pair in combinations(sorted(among), 2))
    return any(one in among and other in among for one, other in pairs)


def _by_contact(groups: list[_Group], facts: _Facts) -> Grouping[int]:
    """Equal first contacts join, unless something keeps apart."""
    sets: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        for contact in group.own:
            sets[contact].append(index)
    edges = [edge for same in sets.values() for edge in _linked(same, groups)]
    apart = facts.cosigned | facts.split

    def kept_apart(one: int, other: int) -> bool:
        return _apart(groups[one], groups[other], apart, facts)

    def contested(members: Sequence[int]) -> bool:
        among = [groups[index] for index in members]
        if sum(group.clear for group in among) > 1 or sum(bool(group.documents) for group in among) > 1:
            return True
        return _any_pair(apart, (node for group in among for node in group.nodes)) or _overlap_somewhere(among)

    return settle(range(len(groups)), edges, kept_apart, contested)


def _linked(same: Sequence[int], groups: Sequence[_Group]) -> Iterator[tuple[int, int]]:
    """Pairs that link those of one contact, but nobody to somebody whose evidence was all erased before they first came."""
    ordered = sorted(same, key=lambda index: (groups[index].first, min(groups[index].nodes)))
    gone = groups[ordered[0]].gone
    for before, index in pairwise(ordered):
        if groups[index].first <= gone:
            yield before, index
            gone = max(gone, groups[index].gone)
        else:
            gone = groups[index].gone


def _apart(one: _Group, other: _Group, pairs: set[tuple[str, str]], facts: _Facts) -> bool:
    if (one.clear and other.clear) or (one.documents and other.documents):
        return True
    if pairs and any((min(a, b), max(a, b)) in pairs for a in one.nodes for b in other.nodes):
        return True
    surely = _overlap(one.shortest, other.shortest)
    if surely and surely[1]:
        return True
    possibly = _overlap(one.longest, other.longest)
    if possibly is None:
        return False
    facts.doubtful = True
    if facts.overlaps is not None:
        return facts.overlaps
    plainly = _overlap(one.stays, other.stays)
    return plainly is not None and plainly[0]


def _overlap(mine: Sequence[Stay], theirs: Sequence[Stay]) -> tuple[bool, bool] | None:
    """Whether visits overlap by the clocks, and whether for certain; None if they do not even if the clocks are wrong."""
    plain = sure = False
    possible = False
    for one in mine:
        for other in theirs:
            overlap = min(one.end, other.end) - max(one.start, other.start)
            doubtful = near(overlap, 0, _edge_error(one) + _edge_error(other))
            plain |= overlap >= 0
            sure |= overlap >= 0 and not doubtful
            possible |= overlap >= 0 or doubtful
    return (plain, sure) if possible else None


def _edge_error(stay: Stay) -> float:
    return max(stay.error, stay.moments[-1].error)


def _overlap_somewhere(groups: Sequence[_Group]) -> bool:
    """Whether any two of different groups were there at once, as far as the clocks can tell."""
    spans = sorted(
        (stay.start - _edge_error(stay), stay.end + _edge_error(stay), index)
        for index, group in enumerate(groups)
        for stay in group.longest
    )
    last, whose = float("-inf"), -1
    for start, end, index in spans:
        if start <= last and index != whose:
            return True
        if end > last:
            last, whose = end, index
    return False


def _add_contacts_alone(found: People, facts: _Facts) -> None:
    """A check-in without visitor is the person's whose contact it is: nobody's yet, one's, or one of several's."""
    for index, person in enumerate(found.persons):
        for contact in person.own:
            found.owners.setdefault(contact, []).append(index)
    for node in sorted(node for node in facts.nodes if node.startswith(CONTACT)):
        contact = node.removeprefix(CONTACT)
        first = min(one.at for one in facts.moments[node])
        owners = [owner for owner in found.owners.get(contact, []) if _gone(found.persons[owner]) >= first]
        if len(owners) == 1:
            index = owners[0]
            whole = found.persons[index]
            found.persons[index] = _person(whole.nodes | {node}, whole.own, facts, ambiguous=whole.ambiguous)
        else:
            index = len(found.persons)
            own = frozenset({contact}) if not owners else frozenset[str]()
            found.persons.append(_person(frozenset({node}), own, facts, ambiguous=bool(owners)))
            if not owners:
                found.owners.setdefault(contact, []).append(index)
            for owner in owners:
                _link(found, index, owner)
        found.of[node] = index
