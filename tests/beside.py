"""In which order tests run beside each other, so that all processes end at about the same time."""

from __future__ import annotations

from pathlib import PurePosixPath

from xdist.scheduler import LoadFileScheduling

LONGEST_FIRST = ("e2e", "hubpages", "pages", "vision", "visits", "engine", "consent", "cli")
ONE_AT_A_TIME = ("e2e", "hubpages")  # whole sites, each of which keeps a core busy


def rank(nodeid: str) -> int:
    """When a test's turn is: a long one that comes last leaves the other processes with nothing to do."""
    folder = _folder(nodeid)
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


class Beside(LoadFileScheduling):
    """The tests of a file stay together, and so do those that start whole sites."""

    def _split_scope(self, nodeid: str) -> str:
        folder = _folder(nodeid)
        return folder if folder in ONE_AT_A_TIME else str(super()._split_scope(nodeid))


def _folder(nodeid: str) -> str:
    """The last folder of a test's path."""
    return PurePosixPath(nodeid.partition("::")[0]).parent.name
