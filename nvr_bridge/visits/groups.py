"""Joining what belongs together, where some of it cannot: used for visitor ids, and the same in whatever order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations


@dataclass(slots=True)
class Grouping[T: Hashable]:
    """What was joined, and what could not be."""

    groups: list[frozenset[T]] = field(default_factory=list)
    unsure: set[T] = field(default_factory=set)  # may belong to either of two that are apart
    maybe: set[tuple[T, T]] = field(default_factory=set)  # pairs that may be together, and were not joined


class Sets[T: Hashable]:
    """Disjoint sets that grow together."""

    def __init__(self) -> None:
        self._above: dict[T, T] = {}

    def find(self, item: T) -> T:
        """The one that stands for the set of `item`."""
        above = self._above
        top = item
        while (higher := above.get(top, top)) != top:
            top = higher
        while item != top:
            above[item], item = top, above.get(item, item)
        return top

    def join(self, one: T, other: T) -> None:
        """Make one set of two."""
        first, second = self.find(one), self.find(other)
        if first != second:
            self._above[second] = first


def settle[T: (int, str)](
    items: Collection[T],
    edges: Iterable[tuple[T, T]],
    apart: Callable[[T, T], bool],
    contested: Callable[[Sequence[T]], bool],
) -> Grouping[T]:
    """Join what `edges` connect, unless some of it stands apart.

    Where a connected set is `contested`, only those are joined that have the same friends and no two friends that are
    apart: whoever could belong to either of two different ones stays alone, and is called unsure.
    """
    sets: Sets[T] = Sets()
    touched: set[T] = set()
    for one, other in edges:
        sets.join(one, other)
        touched |= {one, other}
    connected: dict[T, list[T]] = defaultdict(list)
    found: Grouping[T] = Grouping()
    for item in sorted(items):
        if item in touched:
            connected[sets.find(item)].append(item)
        else:
            found.groups.append(frozenset({item}))
    for members in connected.values():
        if contested(members):
            _settle_contested(members, apart, found)
        else:
            found.groups.append(frozenset(members))
    return found


# --- helpers ------------------------------------------------------------------------------------------------------


def _settle_contested[T: (int, str)](members: Sequence[T], apart: Callable[[T, T], bool], found: Grouping[T]) -> None:
    friends: dict[T, set[T]] = {member: {member} for member in members}
    possible: list[tuple[T, T]] = []
    for one, other in combinations(members, 2):
        if not apart(one, other):
            friends[one].add(other)
            friends[other].add(one)
            possible.append((one, other))
    unsure = {
        member
        for member in members
        if any(two not in friends[one] for one, two in combinations(friends[member] - {member}, 2))
    }
    alike: dict[object, set[T]] = defaultdict(set)
    for member in members:
        alike[member if member in unsure else frozenset(friends[member])].add(member)
    place = {member: key for key, group in alike.items() for member in group}
    found.groups.extend(frozenset(group) for group in alike.values())
    found.unsure |= unsure
    found.maybe |= {(one, other) for one, other in possible if place[one] != place[other]}
