"""How events were taken, over the wire."""

from __future__ import annotations

from pydantic import Field

from serving.schemas.wire import Schema


class RejectedAnswer(Schema):
    """One event of a batch that was not taken."""

    index: int = Field(ge=0, examples=[3], description="Its place in the batch, from 0.")
    code: str = Field(examples=["missing"])
    detail: str = Field(examples=["order_id: a text is wanted."])


class EventsAnswer(Schema):
    """How events were taken; what is accepted or a duplicate is on the disk."""

    accepted: int = Field(ge=0, examples=[97])
    duplicates: int = Field(ge=0, examples=[2], description="Taken before: nothing changed.")
    rejected: tuple[RejectedAnswer, ...] = Field(examples=[[]])
