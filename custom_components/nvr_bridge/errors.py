"""What can go wrong with the engine, one class for each remedy; `word` finds the text that tells it."""


class EngineError(Exception):
    """The base of all."""

    def __init__(self, message: str, word: str = "cannot_connect") -> None:
        super().__init__(message)
        self.word = word


class CannotConnectError(EngineError):
    """Nobody answers there, what answers is not this engine, or the connection was lost. Trying again helps."""


class UnauthorizedError(EngineError):
    """The token or pairing code is not accepted. A new code helps."""


class CertificateError(UnauthorizedError):
    """The engine has another certificate than the one that a person compared. Comparing its fingerprint helps."""

    def __init__(self, address: str, fingerprint: str) -> None:
        super().__init__(f"{address}: has another certificate, {fingerprint}", "certificate_changed")
        self.fingerprint = fingerprint


class IncompatibleError(EngineError):
    """No schema version in common. An update helps: of the engine if it is `engine_too_old`, else of the integration."""


class CommandError(EngineError):
    """The engine refused a command: `word` is its code, the message its reason."""
