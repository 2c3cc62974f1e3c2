"""What can go wrong with the engine, one class for each remedy; `word` finds the text that tells it."""

from collections.abc import Iterator
from contextlib import contextmanager

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN

# What the engine says against a command begins with the field that is wrong; these have a text of their own.
_TOLD = {"alias_not_found", "case_not_found", "code_not_found", "partner_not_found", "zone_not_found", "seen_conflict"}


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


@contextmanager
def asked() -> Iterator[None]:
    """While an engine is asked for a user: what goes wrong is told in the user's words."""
    try:
        yield
    except CannotConnectError as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="not_connected") from err
    except CommandError as err:
        kind = ServiceValidationError if err.word in ("not_found", "invalid", "conflict") else HomeAssistantError
        wrong, why = f"{str(err).partition(':')[0]}_{err.word}", {"reason": str(err)}
        text = wrong if wrong in _TOLD else "refused"
        raise kind(translation_domain=DOMAIN, translation_key=text, translation_placeholders=why) from err
