"""What can go wrong with the engine, one class for each remedy; `word` finds the text that tells it."""

from __future__ import annotations


class EngineError(Exception):
    """The base of all."""

    word = "cannot_connect"


class CannotConnectError(EngineError):
    """Nobody answers there, what answers is no engine, or the connection was lost. Trying again helps."""


class RateLimitedError(CannotConnectError):
    """Too many wrong codes. Waiting helps."""

    word = "rate_limited"


class WrongEngineError(CannotConnectError):
    """Another engine answers at this address."""

    word = "wrong_engine"


class UnauthorizedError(EngineError):
    """The token or pairing code is not accepted. A new code helps."""

    word = "invalid_code"


class IncompatibleError(EngineError):
    """No schema version in common. An update helps: of the engine if it is `engine_too_old`, else of the integration."""

    word = "engine_too_new"

    def __init__(self, message: str, word: str = word) -> None:
        super().__init__(message)
        self.word = word


class CommandError(EngineError):
    """The engine refused a command, and says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
