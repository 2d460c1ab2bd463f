"""Every error we raise on purpose, named by what happens next.

A message says what was expected and where, names sources and ids, and never holds a person's
data, a secret or a payload.
"""

from collections.abc import Mapping
from typing import Any


class HubError(Exception):
    """Any error that the hub raises on purpose."""


class Unverified(HubError):
    """A signature is absent or wrong: refused, counted, the last few kept for the admin."""


class UnknownSource(HubError):
    """No such source, or it is switched off: refused as its provider needs, nothing kept."""


class SwitchedOff(UnknownSource):
    """A source that an admin switched off: as UnknownSource, but counted as the source's own."""


class Retired(UnknownSource):
    """A source that was taken out of the configuration: as UnknownSource, counted as its own."""


class TooLarge(HubError):
    """A request is larger than we take: answered 413, nothing kept."""


class Malformed(HubError):
    """A payload has an unexpected shape: quarantined with this message, never retried as it is."""


class Gone(HubError):
    """The provider says that what a notice names does not exist any more: quarantined."""


class Refused(HubError):
    """A provider or destination refuses us for good, as a dead token: quarantined, alarm."""


class Expired(Refused):
    """An access token is not valid any more: renewed where it can be, else as any refusal."""


class TryLater(HubError):
    """Someone else's service is down or busy: tried again when due, then quarantined.

    Attributes:
        retry_after_seconds: how long that service asked us to wait; None when it did not say.
    """

    def __init__(self, message: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Uncertain(HubError):
    """A message may or may not have gone out, and sending it again could show twice."""


class Misconfigured(HubError):
    """Our own set-up is wrong, as with a missing secret: 500 or retry, and an alarm."""


class Unavailable(HubError):
    """Our own storage or a queue is down or busy: the message goes back, the door falls back."""


class Conflict(HubError):
    """Somebody else changed the same thing first: read again, decide again; 409 to a person.

    Attributes:
        found: name of each write whose condition failed -> the item that stands there, or None.
    """

    def __init__(
        self, message: str, found: Mapping[str, Mapping[str, Any] | None] | None = None
    ) -> None:
        super().__init__(message)
        self.found = found or {}


class Stale(Conflict):
    """What a change was made on is not in force any more: fetch, change, send again; 412."""


class Unconditional(HubError):
    """A change does not say what it was made on, and must: 428."""


class NotFound(HubError):
    """What an API call names does not exist, or the caller may not know of it: 404."""


class Erased(NotFound):
    """What an API call names was erased for good: 410."""


class Forbidden(HubError):
    """The caller may not do this: 403."""


class Invalid(HubError):
    """What a person or program sent to the API or the command line is wrong.

    Attributes:
        problems: one line each, saying where and what was expected.
    """

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems
