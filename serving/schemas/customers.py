"""Who a customer is, over the wire."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from recommend.profile import Scalar
from serving.schemas.wire import Schema
from serving.service import Seen


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
    net_clv: float | None = Field(
        None,
        examples=[3893.0],
        description="Total less what serving cost and will cost; null where the cost to serve is not known.",
    )
    historic_number_of_orders: float | None = Field(None, examples=[58])
    predicted_number_of_orders: float | None = Field(None, examples=[31.4])
    average_days_between_orders: float | None = Field(None, examples=[6.1])
    average_order_value: float | None = Field(None, examples=[38.9])
    probability_alive: float | None = Field(None, ge=0, le=1, examples=[0.97])
    churn_probability: float | None = Field(None, ge=0, le=1, examples=[0.03])
    expected_date_of_next_order: date | None = Field(None, examples=["2018-01-05"])


VALUE_NAMES = tuple(ValueAnswer.model_fields)
PARTS = (
    "frequency",
    "recency_days",
    "age_days",
    "monetary_value",
    "historic_revenue",
    "returns_amount",
    "first_order_on",
    "last_order_on",
    "mean_gap_days",
    "last_gap_days",
    "expected_order_value",
    "discounted_orders",
    "margin_rate",
    "historic_service_cost",
    "predicted_service_cost",
    "contacts_30d",
    "ranked_channel_affinity",
)


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
    segments: tuple[str, ...] = Field(examples=[["rfm_champions"]])
    tags: tuple[TagAnswer, ...]
    open_issue: str = Field(examples=[""], description="Topic of an unresolved complaint; empty if none.")
    live: bool = Field(examples=[False], description="True when events since the publication are counted in.")
    model_version: str = Field(examples=["clv-value/3"])
    snapshot: str = Field(examples=["000007-2017-12-31"], description="The published generation.")

    @classmethod
    def of(cls, seen: Seen) -> CustomerAnswer:
        """Build the answer from a customer as seen just now."""
        profile, publication = seen.profile, seen.publication
        value = profile.value
        return cls(
            customer_id=profile.customer_id,
            known=profile.known,
            as_of=profile.as_of,
            value=ValueAnswer.model_validate({name: value.get(name) for name in VALUE_NAMES}),
            parts={name: value[name] for name in PARTS if name in value},
            segments=publication.shown(profile.segments),
            tags=tuple(TagAnswer(name=t.name, source=t.source, since=t.since) for t in profile.tags),
            open_issue=profile.open_issue,
            live=seen.live,
            model_version=publication.value_model,
            snapshot=publication.name,
        )
