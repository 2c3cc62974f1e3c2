"""How long each class of data is kept: as the profile has it, as `bridge.yaml` has it, or as somebody set it since.

Whoever sets it may keep less than the profile's longest, and never so little that a commission dispute loses what it is
decided by: visits and referrals stay at least while they can decide another visit's verdict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..config import Config
from ..errors import InvalidError
from ..models import RetentionClass
from .policy import Policy

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Limit:
    """How long one class is kept, in days, and how far that may be changed."""

    kind: RetentionClass
    days: float
    default: float  # what holds unless somebody sets it over the API
    least: float
    most: float
    source: str  # "profile", "bridge.yaml" or "set"

    @property
    def seconds(self) -> float:
        """The same in seconds."""
        return self.days * DAY


type Limits = Mapping[RetentionClass, Limit]


@dataclass(frozen=True, slots=True)
class Needed:
    """For how many seconds a visit or a referral can decide another visit's verdict under the site's rules."""

    now: float  # of a visit that begins now
    longest: float  # under any rules whose visits can still be asked about

    @property
    def days(self) -> int:
        """So many days cover what is decided now."""
        return math.ceil(self.now / DAY)

    @property
    def longest_days(self) -> int:
        """So many cover all of it."""
        return math.ceil(self.longest / DAY)


def needed_by(config: Config) -> Needed:
    """Under the rules that `bridge.yaml` has, as if they had always held."""
    seconds = config.rules.decides_for(0.0)
    return Needed(seconds, seconds)


def limits(
    policy: Policy, config: Config, changed: Mapping[str, float] | None = None, needed: Needed | None = None
) -> Limits:
    """The limits in force. `changed` is what was set since, by class: out of a profile's range it is cut to fit.

    `needed` is that of `bridge.yaml`'s rules unless it is given. Raises `InvalidError` for a `bridge.yaml` that the
    profile does not allow.
    """
    needed, found = needed or needed_by(config), {}
    for kind in RetentionClass:
        bound, protects = policy.retention[kind].bound, policy.retention[kind].protects
        if protects and needed.days > bound.most:
            raise InvalidError(
                f"attribution.protection: a {kind.value[:-1]} can decide for {needed.days} days, and profile "
                f"{policy.name} lets it be kept for {bound.most:g}; shorten validity, protection or natural_protection"
            )
        # What was decided under earlier, longer rules is kept for as long as it may be, and stops no start.
        least = min(max(bound.least, needed.longest_days), bound.most) if protects else bound.least
        days, source = max(bound.default, least), "profile"
        if kind in config.retention:
            least_now = max(bound.least, needed.days) if protects else bound.least
            within = (least_now, bound.most)
            days = max(_checked(policy, kind, config.retention[kind], f"retention.{kind}", within), least)
            source = "bridge.yaml"
        default = days
        if changed and kind.value in changed:
            days, source = min(max(changed[kind.value], least), bound.most), "set"
        found[kind] = Limit(kind, days, default, least, bound.most, source)
    return found


def check(policy: Policy, limits: Limits, wanted: Mapping[str, float | None], prefix: str = "") -> None:
    """Raise `InvalidError` where somebody wants to set what the limits do not allow; None takes a change back.

    What is wrong is named by its class behind `prefix`.
    """
    for name, days in wanted.items():
        if days is not None:
            limit = limits[RetentionClass(name)]
            _checked(policy, limit.kind, days, f"{prefix}{name}", (limit.least, limit.most))


def _checked(policy: Policy, kind: RetentionClass, days: float, field: str, within: tuple[float, float]) -> float:
    least, most = within
    if days > most:
        raise InvalidError(f"{field}: {days:g} days are more than profile {policy.name} allows; at most {most:g}")
    if days < least and policy.retention[kind].protects:
        raise InvalidError(
            f"{field}: {days:g} days are fewer than the {least:g} for which it can decide a verdict; keep it longer, "
            "or shorten validity, protection or natural_protection under attribution"
        )
    if days < least:
        raise InvalidError(f"{field}: {days:g} days are fewer than profile {policy.name} allows; at least {least:g}")
    return days
