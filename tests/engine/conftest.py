"""Fixtures of a whole engine."""

from engine_site import config, people, site, start

__all__ = ["config", "people", "site", "start"]
