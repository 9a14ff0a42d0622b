"""What goes over the wire, with an example of each field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from models.snapshot import SegmentSize
from recommend.context import Context, Direction, Sentiment
from recommend.decision import Arm, Decision, Hint, Kind, Ranked, Stage
from recommend.profile import Profile, Scalar

Word: TypeAlias = Annotated[str, StringConstraints(max_length=200)]
Identifier: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Schema(BaseModel):
    """An answer: fields in the order written, nothing unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ErrorBody(Schema):
    """What went wrong, and what to do about it."""

    code: str = Field(examples=["not_found"], description="A fixed word to switch on.")
    message: str = Field(examples=["There is no segment of that name."])
    hint: str = Field(examples=["GET /v1/segments lists them."], description="What to do; may be empty.")
    request_id: str = Field(examples=["7c9e6679f7a84b5c9f6a3f0e1d2c3b4a"])


class ErrorAnswer(Schema):
    """The one shape of every error."""

    error: ErrorBody


class TagAnswer(Schema):
    """A fact on a customer."""

    name: str = Field(examples=["slowing_down"])
    source: str = Field(examples=["orders"], description="Where the fact comes from.")
    since: date = Field(examples=["2017-11-03"])


class ValueAnswer(Schema):
    """What a customer is worth; the names marketing tools already use. Money is in the ledger's currency."""

    historic_clv: float | None = Field(None, examples=[2841.7], description="Margin earned so far.")
    predicted_clv: float | None = Field(None, examples=[1210.5], description="Expected in the next 365 days.")
    total_clv: float | None = Field(None, examples=[4052.2], description="Historic plus predicted.")
    historic_number_of_orders: float | None = Field(None, examples=[58])
    predicted_number_of_orders: float | None = Field(None, examples=[31.4])
    average_days_between_orders: float | None = Field(None, examples=[6.1])
    average_order_value: float | None = Field(None, examples=[38.9])
    probability_alive: float | None = Field(None, ge=0, le=1, examples=[0.97])
    churn_probability: float | None = Field(None, ge=0, le=1, examples=[0.03])
    expected_date_of_next_order: date | None = Field(None, examples=["2018-01-05"])


VALUE_NAMES = tuple(ValueAnswer.model_fields)


class CustomerAnswer(Schema):
    """Who a customer is: value with its parts, segments, tags, and how fresh it all is."""

    customer_id: str = Field(examples=["1058"])
    known: bool = Field(
        examples=[True],
        description="False is the cold answer: nothing is known of this customer, so there is no value, no "
        "segment and no tag, and offers are the popular ones.",
    )
    as_of: date = Field(examples=["2017-12-31"], description="The last day the numbers saw.")
    value: ValueAnswer
    parts: dict[str, Scalar] = Field(
        examples=[{"frequency": 57, "recency_days": 348, "age_days": 355, "monetary_value": 38.9}],
        description="The numbers the value is made of.",
    )
    segments: tuple[str, ...] = Field(examples=[["champions"]])
    tags: tuple[TagAnswer, ...]
    open_issue: str = Field(examples=[""], description="Topic of an unresolved complaint; empty if none.")
    live: bool = Field(examples=[False], description="True when events since the publication are counted in.")
    model_version: str = Field(examples=["clv-value/3"])
    snapshot: str = Field(examples=["000007-2017-12-31"], description="The published generation.")

    @classmethod
    def of(cls, profile: Profile, *, live: bool, model_version: str, snapshot: str) -> CustomerAnswer:
        """Build the answer from a profile."""
        value = profile.value
        return cls(
            customer_id=profile.customer_id,
            known=profile.known,
            as_of=profile.as_of,
            value=ValueAnswer.model_validate({name: value.get(name) for name in VALUE_NAMES}),
            parts={name: part for name, part in value.items() if name not in VALUE_NAMES},
            segments=profile.segments,
            tags=tuple(TagAnswer(name=t.name, source=t.source, since=t.since) for t in profile.tags),
            open_issue=profile.open_issue,
            live=live,
            model_version=model_version,
            snapshot=snapshot,
        )


class ContextBody(Schema):
    """The moment: where the words would be said and what the customer is talking about."""

    channel: Word = Field("chat", examples=["chat"])
    locale: Word = Field("en", examples=["en"])
    intent: Word = Field(
        "", examples=["ask"], description="complaint, cancel, buy, ask, deliver, pay or empty."
    )
    topic: Word = Field("", examples=["delivery"])
    sentiment: Sentiment = Field("neutral", examples=["neutral"])
    direction: Direction = Field("inbound", examples=["inbound"], description="Who approaches whom.")
    mentions: tuple[Word, ...] = Field((), max_length=50, examples=[["COFFEE"]])
    attributes: dict[Word, Word | float | bool] = Field(default_factory=dict, max_length=50, examples=[{}])

    def context(self, agent_id: str) -> Context:
        """Return the context the engine reads."""
        return Context(
            channel=self.channel,
            locale=self.locale,
            agent_id=agent_id,
            intent=self.intent,
            topic=self.topic,
            sentiment=self.sentiment,
            mentions=self.mentions,
            direction=self.direction,
            attributes=dict(self.attributes),
        )


class OffersBody(Schema):
    """The question: what to say next, in which context."""

    context: ContextBody = Field(default_factory=ContextBody)


class HintAnswer(Schema):
    """One thing worth saying now."""

    rank: int = Field(examples=[1])
    offer_id: str = Field(examples=["item:COFFEE"])
    name: str = Field(examples=["Coffee"])
    kind: Kind = Field(examples=["replenish"])
    words: str = Field(examples=["Are you running low on coffee? I can add it to your next order."])
    reasons: tuple[str, ...] = Field(examples=[["Bought 9 times, usually every 21 days; last 24 days ago."]])
    propensity: float = Field(
        ge=0, le=1, examples=[0.41], description="Probability of acceptance if presented."
    )
    value: float = Field(examples=[6.2], description="Worth if accepted, in the ledger's currency.")
    priority: float = Field(examples=[2.54], description="Propensity x context x value x lever.")
    selection_probability: float = Field(ge=0, le=1, examples=[1.0])
    segment_tags: tuple[str, ...] = Field(examples=[["champions"]])

    @classmethod
    def of(cls, hint: Hint) -> HintAnswer:
        """Build the answer from a hint."""
        return cls(**{name: getattr(hint, name) for name in cls.model_fields})


class RefusedAnswer(Schema):
    """One offer that was held back, and why."""

    offer_id: str = Field(examples=["coupon:18:54200000076"])
    name: str = Field(examples=["Tea, 1.00 off"])
    kind: Kind = Field(examples=["cross_sell"])
    stage: Stage = Field(examples=["contact"], description="Which policy held it back.")
    reason: str = Field(examples=["Rejected 3 days ago; not again for 30 days."])
    propensity: float = Field(ge=0, le=1, examples=[0.12])

    @classmethod
    def of(cls, ranked: Ranked, name: str) -> RefusedAnswer:
        """Build the answer from a dropped candidate."""
        return cls(
            offer_id=ranked.offer_id,
            name=name,
            kind=ranked.kind,
            stage=ranked.dropped_by or "arbitration",
            reason=ranked.reason,
            propensity=ranked.propensity,
        )


class OffersAnswer(Schema):
    """Up to three hints, or a reasoned silence, and what was held back."""

    decision_id: str = Field(
        examples=["0199c2b0e5d07a7c8f3b6c1d2e4f5a6b"], description="Name it in outcomes."
    )
    at: datetime = Field(examples=["2018-01-01T09:30:00Z"])
    customer_id: str = Field(examples=["1058"])
    known: bool = Field(examples=[True], description="False is the cold answer: only popular offers.")
    hints: tuple[HintAnswer, ...]
    silence: str = Field(examples=[""], description="Why nothing is said; empty when there are hints.")
    refused: tuple[RefusedAnswer, ...]
    refused_total: int = Field(ge=0, examples=[4], description="How many were held back in all.")
    arm: Arm = Field(examples=["treatment"])
    exploration: str = Field(examples=["none"])
    as_of: date = Field(examples=["2017-12-31"])
    model_version: str = Field(examples=["clv-propensity/2"])
    snapshot: str = Field(examples=["000007-2017-12-31"])

    @classmethod
    def of(
        cls, decision: Decision, profile: Profile, names: Callable[[str], str], refused_limit: int
    ) -> OffersAnswer:
        """Build the answer from a decision; ``names`` gives an offer's name."""
        refused = [ranked for ranked in decision.candidates if ranked.dropped_by]
        refused.sort(key=lambda ranked: (-ranked.propensity, ranked.offer_id))
        return cls(
            decision_id=decision.decision_id,
            at=decision.at,
            customer_id=decision.customer_id,
            known=profile.known,
            hints=tuple(HintAnswer.of(hint) for hint in decision.hints),
            silence=decision.silence,
            refused=tuple(
                RefusedAnswer.of(ranked, names(ranked.offer_id)) for ranked in refused[:refused_limit]
            ),
            refused_total=len(refused),
            arm=decision.arm,
            exploration=decision.exploration,
            as_of=profile.as_of,
            model_version=decision.model_version,
            snapshot=decision.snapshot,
        )


class SegmentAnswer(Schema):
    """A segment: what it means, how many are in it and what they are worth."""

    name: str = Field(examples=["champions"])
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

    segment: str = Field(examples=["champions"])
    snapshot: str = Field(examples=["000007-2017-12-31"])
    as_of: date = Field(examples=["2017-12-31"])
    total: int = Field(ge=0, examples=[312])
    customers: tuple[MemberAnswer, ...]
    next_cursor: str | None = Field(
        examples=["MTA1OA"], description="Hand it back as ?cursor= for the next page; null on the last."
    )


class HealthAnswer(Schema):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class ReadyAnswer(Schema):
    """Whether questions can be answered, and what is wrong if not wholly."""

    status: Literal["ready", "degraded", "not_ready"] = Field(examples=["ready"])
    reasons: tuple[str, ...] = Field(examples=[[]])
    snapshot: str = Field(examples=["000007-2017-12-31"])
    as_of: date | None = Field(examples=["2017-12-31"])
    models: dict[str, str] = Field(examples=[{"clv-value": "3", "clv-propensity": "2"}])
    sign_in: bool = Field(examples=[False], description="False: everyone on this machine may do everything.")
