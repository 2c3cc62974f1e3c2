"""One error tree, by remedy: retry it, ask a person, or it is a bug.

Every error has a stable wire `code`. A client that meets a code it does not know falls back to the base class's code,
so new codes never break an old client.
"""

from __future__ import annotations


class BridgeError(Exception):
    """The base: something that this program says in one line. The message names the field, the problem and the remedy."""

    code = "error"


class RetryError(BridgeError):
    """It may work later without anybody doing anything: a camera that is down, a database that is locked."""

    code = "retry"


class AskError(BridgeError):
    """A person has to do something: a password, a setting, a missing file. Trying again changes nothing."""

    code = "ask"


class BugError(BridgeError):
    """This program contradicted itself."""

    code = "bug"


# Retry.
class UnreachableError(RetryError):
    """No connection to an address: wrong address, device off, or no route."""

    code = "unreachable"


class StreamEndedError(RetryError):
    """A stream stopped, stalled, or could not be opened."""

    code = "stream_ended"


class ErasureOwedError(RetryError):
    """The visitor is erased and the key destroyed, but the erased rows' pages are still in the write-ahead log.

    Another program reads the store. The log is cut as soon as that program ends.
    """

    code = "erasure_owed"


# Ask a person.
class InvalidError(AskError):
    """An argument or a setting is wrong; nothing was changed."""

    code = "invalid"


class NotFoundError(AskError):
    """The thing named does not exist."""

    code = "not_found"


class ConflictError(AskError):
    """It exists already, or is in use."""

    code = "conflict"


class UnauthorizedError(AskError):
    """No valid token, or a role that may not do this."""

    code = "unauthorized"


class RateLimitedError(AskError):
    """Too many attempts; the message says when the next is allowed."""

    code = "rate_limited"


class IncompatibleError(AskError):
    """The two sides speak no common schema version; one of them must be updated."""

    code = "incompatible"


class CredentialsError(AskError):
    """A device refused the user name or password. It is not tried again until they change."""

    code = "credentials"


class NotADeviceError(AskError):
    """Something answers at this address, but it speaks neither ONVIF nor ISAPI."""

    code = "not_a_device"


class NoVideoError(AskError):
    """A device that offers no stream this program can decode."""

    code = "no_video"


class ModelPackError(AskError):
    """A model pack is missing, damaged, or cannot be fetched."""

    code = "model_pack"


class NotArmedError(AskError):
    """Recognition is not allowed here and now; the message gives the interlock's reasons."""

    code = "not_armed"


class FaceError(AskError):
    """A photo or view does not show exactly one usable face; the message gives the reason."""

    code = "face"

    def __init__(self, message: str, flaw: str | None = None) -> None:
        """`flaw` is a `models.Flaw`, for who can show the reason in other words; None for what is no flaw of a look."""
        super().__init__(message)
        self.flaw = flaw


class PermitError(BugError):
    """An embedding was attempted on a permit that the gate did not mint, or that has lapsed."""

    code = "permit"
