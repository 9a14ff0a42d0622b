"""Segments and their lists, over the wire."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from models.snapshot import SegmentSize
from recommend.profile import Scalar
from serving.schemas.wire import Schema


class SegmentAnswer(Schema):
    """A segment: what it means, how many are in it and what they are worth."""

    name: str = Field(examples=["rfm_champions"])
    description: str = Field(examples=["Bought lately, often and for much."])
    rule: str = Field(examples=["rfm_recency >= 4 and rfm_frequency >= 4"])
    customers: int = Field(ge=0, examples=[312])
    predicted_clv: float = Field(examples=[402118.2], description="Sum over its customers, next 365 days.")

    @classmethod
    def of(cls, size: SegmentSize) -> SegmentAnswer:
        """Build the answer from what the generation says of a segment."""
        return cls(**{name: getattr(size, name) for name in cls.model_fields})


class SegmentsAnswer(Schema):
    """Every segment of the published generation."""

    snapshot: str = Field(examples=["000007-2017-12-31"])
    as_of: date = Field(examples=["2017-12-31"])
    segments: tuple[SegmentAnswer, ...]


class MemberAnswer(Schema):
    """One customer of a list: the id and the value, nothing personal."""

    customer_id: str = Field(examples=["1058"])
    value: dict[str, Scalar] = Field(examples=[{"predicted_clv": 1210.5, "probability_alive": 0.97}])


class MembersAnswer(Schema):
    """One page of a segment's customers."""

    segment: str = Field(examples=["rfm_champions"])
    snapshot: str = Field(examples=["000007-2017-12-31"])
    as_of: date = Field(examples=["2017-12-31"])
    total: int = Field(ge=0, examples=[312])
    customers: tuple[MemberAnswer, ...]
    next_cursor: str | None = Field(
        examples=["1058"], description="Hand it back as ?cursor= for the next page; null on the last."
    )
