"""What is asked all day in the same words: the moment a body tells of, read once."""

from __future__ import annotations

from typing import Final, NamedTuple

from pydantic import ValidationError

from recommend.context import Context
from serving.schemas import OffersBody

_MOST: Final = 1024
_LONGEST: Final = 512  # bytes: what is asked all day is short
# Fields that may tell of one customer, even if given twice and empty the second time, and a backslash, with
# which their names could be written another way.
_OF_ONE: Final = (b'"text"', b'"mentions"', b'"attributes"', b"\\")


class Question(NamedTuple):
    """What somebody asks: the moment, and what the customer said."""

    context: Context
    text: str


class Questions:
    """Reads bodies, and knows again those that were read before.

    A body in which a customer could be found again is never remembered: one with a text, with what they
    named, or with attributes. Who asks is part of what is remembered, so that nobody is taken for another.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, str], Question] = {}

    def read(self, body: bytes, agent_id: str) -> Question | None:
        """Return what a body asks; None if it cannot be read.

        Parameters
        ----------
        body
            JSON as :class:`serving.schemas.OffersBody` describes it; empty for a question without context.
        agent_id
            Who asks.
        """
        known = self._known.get((body, agent_id))
        return known or self._read(body, agent_id)

    def _read(self, body: bytes, agent_id: str) -> Question | None:
        try:
            asked = OffersBody.model_validate_json(body) if body else OffersBody()
        except ValidationError:
            return None
        question = Question(asked.context.context(agent_id), asked.text)
        if len(body) <= _LONGEST and not any(word in body for word in _OF_ONE):
            if len(self._known) >= _MOST:
                del self._known[next(iter(self._known))]  # the one that came first
            self._known[body, agent_id] = question
        return question
