"""Everything that a person's visits are judged with: claims by contact, staff marks, reviews, visits that may be theirs. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from .evidence import Evidence, Referral, Review, Rules, StaffMark, Withdrawal
from .identity import People, people
from .rules import Claim, StaffTime, Tie
from .timeline import Stay, covering, day_start, stays


class World:
    """What is known to whom it may concern. Built once from events in any order, and then only read."""

    def __init__(self, events: Sequence[Evidence], rules: Rules, overlaps: bool | None = None) -> None:
        self.rules = rules
        self.people: People = people(events, rules, overlaps)
        self.stays: list[list[Stay]] = [stays(person.moments, rules) for person in self.people.persons]
        self.staff: dict[int, list[StaffTime]] = defaultdict(list)
        self.reviews: dict[int, list[tuple[int, Review]]] = defaultdict(list)  # with the place in the order of arrival
        self._full: dict[str, list[Claim]] = defaultdict(list)
        self._masked: dict[str, list[Claim]] = defaultdict(list)
        self._take_claims(events)
        ends: dict[tuple[int, str, float], float] = {}  # of staff marks: what ends one earlier has the same beginning
        for place, event in enumerate(events):
            person = self.people.of.get(event.visitor) if isinstance(event, StaffMark | Review) else None
            if person is None:
                continue
            if isinstance(event, StaffMark):
                end = float("inf") if event.until is None else event.until
                about = (person, event.visitor, event.at)
                ends[about] = min(end, ends.get(about, end))
            elif isinstance(event, Review):
                self.reviews[person].append((place, event))
        for (person, _, at), end in ends.items():
            self.staff[person].append(StaffTime(day_start(at, rules), end))
        self._wearers = self._wearers_of_masks()
        self._fits: dict[tuple[str, float], frozenset[int]] = {}
        self._ties: dict[tuple[int, float], tuple[Tie, ...]] = {}
        self._erased = {
            index
            for index, person in enumerate(self.people.persons)
            if any(one.lasts < float("inf") for one in person.moments)
        }
        self.guests: dict[int, list[Stay]] = defaultdict(list)
        self._take_guests()

    def ties(self, person: int, stay: Stay) -> tuple[Tie, ...]:
        """The claims that a visit leads to: by the contacts given in it, or else by every contact of the person."""
        validity = max(settings.validity for settings in self.rules.around(stay.start, stay.error))
        if contacts := stay.contacts:
            return self._ties_of(person, ((contact.full or "", contact.mask) for contact in contacts), validity)
        if person not in self._erased:
            if (person, validity) not in self._ties:
                self._ties[person, validity] = self._all_ties(person, float("-inf"), validity)
            return self._ties[person, validity]
        return self._all_ties(person, stay.start, validity)

    def ambiguous(self, person: int, stay: Stay) -> bool:
        """Whether it cannot be told whose visit this is."""
        return self.people.persons[person].ambiguous or bool(self._others(person, stay))

    def reviewed(self, person: int, all_stays: Sequence[Stay]) -> dict[int, tuple[int, Review]]:
        """Index of a visit → the last verdict that somebody set for it, with its place in the order of arrival."""
        found: dict[int, tuple[int, Review]] = {}
        for entry in sorted(self.reviews.get(person, ()), key=lambda entry: (entry[1].at, entry[0])):
            index = covering(all_stays, entry[1].visit_at, self.rules)
            if index is not None:
                found[index] = entry
        return found

    # --- helpers --------------------------------------------------------------------------------------------------

    def _take_claims(self, events: Sequence[Evidence]) -> None:
        withdrawn: dict[str, float] = {}
        for event in events:
            if isinstance(event, Withdrawal):
                withdrawn[event.referral] = min(event.at, withdrawn.get(event.referral, event.at))
        for event in events:
            if isinstance(event, Referral):
                taken_back = withdrawn.get(event.referral, float("inf"))
                claim = Claim(event.referral, event.partner, event.at, event.contact, taken_back)
                if event.contact.full is not None:
                    self._full[event.contact.full].append(claim)
                else:
                    self._masked[event.contact.mask].append(claim)

    def _wearers_of_masks(self) -> dict[str, set[int]]:
        found: dict[str, set[int]] = defaultdict(set)
        for index, person in enumerate(self.people.persons):
            for one in person.moments:
                if one.contact is not None and one.contact.mask in self._masked:
                    found[one.contact.mask].add(index)
        return found

    def _fitting(self, claim: Claim, validity: float) -> frozenset[int]:
        """The persons whom a masked claim fits and who visited within its validity, as far as the clocks can tell."""
        key = (claim.referral, validity)
        if key not in self._fits:
            until = claim.declared + validity
            self._fits[key] = frozenset(
                person
                for person in self._wearers.get(claim.contact.mask, ())
                if any(claim.declared - stay.error <= stay.start <= until + stay.error for stay in self.stays[person])
            )
        return self._fits[key]

    def _all_ties(self, person: int, at: float, validity: float) -> tuple[Tie, ...]:
        given = (
            (one.contact.full or "", one.contact.mask)
            for one in self.people.persons[person].moments
            if one.contact is not None and one.lasts >= at
        )
        return self._ties_of(person, given, validity)

    def _ties_of(self, person: int, contacts: Iterable[tuple[str, str]], validity: float) -> tuple[Tie, ...]:
        found: dict[str, Tie] = {}
        for full, mask in set(contacts):
            for claim in self._full.get(full, ()):
                found[claim.referral] = Tie(claim, doubtful=False)
            for claim in self._masked.get(mask, ()):
                found[claim.referral] = Tie(claim, doubtful=bool(self._fitting(claim, validity) - {person}))
        return tuple(sorted(found.values(), key=lambda tie: (tie.claim.declared, tie.claim.referral)))

    def _others(self, person: int, stay: Stay) -> set[int]:
        """Those whose contact was given on a visit that only a pass says is this person's."""
        if any(one.proven for one in stay.moments) or all(one.kind != "pass" for one in stay.moments):
            return set()
        owners = [self.people.owners.get(contact.full or "", []) for contact in stay.contacts]
        return {owner for those in owners if person not in those for owner in those}

    def _take_guests(self) -> None:
        """Visits that may be somebody else's count as possible visits of theirs, unless a person has said whose they are."""
        for person, all_stays in enumerate(self.stays):
            settled = self.reviewed(person, all_stays)
            for index, stay in enumerate(all_stays):
                hosts = self.people.maybe.get(person, set()) | self._others(person, stay)
                if hosts and stay.certain and index not in settled:
                    for host in hosts:
                        self.guests[host].append(stay)
        for stays_of_others in self.guests.values():
            stays_of_others.sort(key=lambda stay: (stay.start, stay.end, stay.moments[0].node))
