"""The question what to say next, and its answer, over the wire."""

from __future__ import annotations

from datetime import date, datetime

import orjson
from pydantic import Field, StrictBool, StrictFloat

from recommend.context import Context, Direction, Sentiment
from recommend.decision import Arm, HeldBack, Hint, Kind, Stage
from serving.published import Publication
from serving.schemas.wire import Identifier, Schema, Word
from serving.service import Answer


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
    attributes: dict[Word, Word | StrictFloat | StrictBool] = Field(
        default_factory=dict, max_length=50, examples=[{}]
    )

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
    text: str = Field(
        "",
        max_length=4000,
        examples=["Do you have coffee?"],
        description="What the customer said: heard for topic, wish, mood and products; not kept.",
    )


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
    segment_tags: tuple[str, ...] = Field(examples=[["rfm_champions"]])


class RefusedAnswer(Schema):
    """One offer that was held back, and why."""

    offer_id: str = Field(examples=["coupon:18:54200000076"])
    name: str = Field(examples=["Tea, 1.00 off"])
    kind: Kind = Field(examples=["cross_sell"])
    stage: Stage = Field(examples=["contact"], description="Which policy held it back.")
    reason: str = Field(examples=["Rejected 3 days ago; not again for 30 days."])
    propensity: float = Field(ge=0, le=1, examples=[0.12])


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
    logged: bool = Field(examples=[True], description="False only while the store is in trouble.")


def offers_json(answer: Answer, refused_limit: int) -> bytes:
    """Return the answer as :class:`OffersAnswer` describes it, straight from the decision.

    Parameters
    ----------
    answer
        What was decided, and for whom.
    refused_limit
        How many of the offers held back are told, the likeliest first.
    """
    decision, publication = answer.decision, answer.seen.publication
    said = {
        "decision_id": decision.decision_id,
        "at": decision.at,
        "customer_id": decision.customer_id,
        "known": answer.seen.profile.known,
        "hints": [_hint(hint, publication) for hint in decision.hints],
        "silence": decision.silence,
        "refused": _refused(decision.likeliest_dropped(refused_limit), publication),
        "refused_total": answer.dropped.total(),
        "arm": decision.arm,
        "exploration": decision.exploration,
        "as_of": answer.seen.profile.as_of,
        "model_version": decision.model_version,
        "snapshot": decision.snapshot,
        "logged": answer.logged,
    }
    return orjson.dumps(said, option=orjson.OPT_UTC_Z)


def _hint(hint: Hint, publication: Publication) -> dict[str, object]:
    tags = hint.segment_tags
    return {
        "rank": hint.rank,
        "offer_id": hint.offer_id,
        "name": hint.name,
        "kind": hint.kind,
        "words": hint.words,
        "reasons": hint.reasons,
        "propensity": hint.propensity,
        "value": hint.value,
        "priority": hint.priority,
        "selection_probability": hint.selection_probability,
        "segment_tags": tags if publication.private_segments.isdisjoint(tags) else publication.shown(tags),
    }


def _refused(refused: list[HeldBack], publication: Publication) -> list[dict[str, object]]:
    offers = publication.catalogue.by_id
    return [
        {
            "offer_id": offer_id,
            "name": offers[offer_id].name if offer_id in offers else offer_id,
            "kind": kind,
            "stage": stage,
            "reason": reason,
            "propensity": propensity,
        }
        for offer_id, kind, stage, reason, propensity in refused
    ]


class MessageBody(Schema):
    """A message of the customer in a conversation."""

    customer_id: Identifier = Field(examples=["1058"])
    text: str = Field(max_length=4000, examples=["Do you have coffee?"])
    channel: Word = Field("chat", examples=["chat"])
    locale: Word = Field("en", examples=["en"])
