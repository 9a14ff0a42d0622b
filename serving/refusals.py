"""Why the service says no: errors that only make sense over HTTP.

They belong to the one tree of ``clv.errors``; the status of each stands in the table of ``serving.app``.
"""

from __future__ import annotations

from clv.errors import ClvError


class Refusal(ClvError):  # noqa: N818  (reads as the fact it states)
    """The request was understood and is not answered."""


class NotFound(Refusal):
    """Nothing of that name exists, or not for whoever asks."""


class NotSignedIn(Refusal):
    """Who asks is not known."""


class NotAllowed(Refusal):
    """Who asks is known and may not do this."""


class Malformed(Refusal):
    """The request cannot be read as what it claims to be."""


class WrongMedia(Refusal):
    """The body is of a kind the service does not read."""


class Conflict(Refusal):
    """The request contradicts what is already recorded."""


class TooLarge(Refusal):
    """The request is larger than the service takes."""


class TooMany(Refusal):
    """More requests than the service takes at once; ``retry_after`` says when to come back."""

    def __init__(self, what: str, *, where: str = "", hint: str = "", retry_after: int = 1) -> None:
        super().__init__(what, where=where, hint=hint)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """Something the answer needs is not there just now."""
