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


def protecting_days(config: Config) -> int:
    """For how many days a visit or a referral can decide another visit's verdict under the site's rules.

    A referral brings a visit within its validity, which protects for its time, and a natural visit then keeps a referral
    from counting for that one's: what is older than all three together decides nothing any more.
    """
    rules = config.rules
    return math.ceil((rules.validity + rules.protection + rules.natural_protection) / DAY)


def limits(policy: Policy, config: Config, changed: Mapping[str, float] | None = None) -> Limits:
    """The limits in force. `changed` is what was set since, by class: out of a profile's range it is cut to fit.

    Raises `InvalidError` for a `bridge.yaml` that the profile does not allow.
    """
    found = {}
    for kind in RetentionClass:
        bound, least = policy.retention[kind].bound, _least(policy, config, kind)
        if least > bound.most:
            raise InvalidError(
                f"attribution.protection: a {kind.value[:-1]} can decide for {least:g} days, and profile {policy.name} "
                f"lets it be kept for {bound.most:g}; shorten validity, protection or natural_protection"
            )
        days, source = max(bound.default, least), "profile"
        if kind in config.retention:
            days = _checked(policy, config, kind, config.retention[kind], f"retention.{kind}")
            source = "bridge.yaml"
        default = days
        if changed and kind.value in changed:
            days, source = min(max(changed[kind.value], least), bound.most), "set"
        found[kind] = Limit(kind, days, default, least, bound.most, source)
    return found


def check(policy: Policy, config: Config, wanted: Mapping[str, float | None], prefix: str = "") -> None:
    """Raise `InvalidError` where somebody wants to set what the profile does not allow; None takes a change back.

    What is wrong is named by its class behind `prefix`.
    """
    for name, days in wanted.items():
        if days is not None:
            _checked(policy, config, RetentionClass(name), days, f"{prefix}{name}")


def _least(policy: Policy, config: Config, kind: RetentionClass) -> float:
    kept = policy.retention[kind]
    return max(kept.bound.least, protecting_days(config)) if kept.protects else kept.bound.least


def _checked(policy: Policy, config: Config, kind: RetentionClass, days: float, field: str) -> float:
    least, most = _least(policy, config, kind), policy.retention[kind].bound.most
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
