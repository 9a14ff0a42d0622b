"""A small shop, published for real: four customers, a handful of offers, and an engine with two rules.

`publish_shop` writes a generation with the real `SnapshotWriter`. `ShopEngine` stands for the decision engine
where a test is about the service around it: what was bought is offered again, tea to everybody, and who
complains is left in peace.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient

from clv.bgnbd import BGNBD
from clv.spend import GammaGamma
from clv.valuation import ValueModel
from models.snapshot import Generation, Snapshot, SnapshotWriter
from recommend.catalogue import Catalogue, Offer
from recommend.context import Context
from recommend.decision import Decision, Hint, Ranked
from recommend.history import History
from recommend.lexicon import Lexicon
from recommend.profile import Contact, Profile, Scalar, Tag
from serving.live.standing import Standing
from serving.published import Publication

AS_OF = date(2026, 1, 31)
SEGMENTS = (
    ("champions", "Bought lately, often and for much.", "frequency >= 3"),
    ("new", "Bought once so far.", "frequency == 0"),
    ("lost, maybe", "Quiet for long.", "probability_alive < 0.2"),
)
OFFERS = Catalogue(
    [
        Offer("tea", "Tea, 1.00 off", "cross_sell", items=("TEA",), margin=2.0),
        Offer("gold", "Gold plan", "upsell", margin=30.0),
    ]
).with_items(["COFFEE", "BREAD", "TEA", "<b>CAKE</b>"])
VALUATION = ValueModel(
    BGNBD.of(r=0.243, alpha=30.9, a=0.793, b=2.426), GammaGamma.of(p=6.25, q=3.74, gamma=15.44), AS_OF
)
EPOCH = date(1970, 1, 1).toordinal()


def worth(  # the fields a scored customer carries, made up but consistent
    frequency: int, recency: int, age: int, mean: float, predicted: float, alive: float
) -> dict[str, Scalar]:
    earned = mean * (frequency + 1)
    return {
        "frequency": frequency,
        "recency_days": recency,
        "age_days": age,
        "monetary_value": mean if frequency else 0.0,
        "historic_revenue": earned,
        "first_order_on": date.fromordinal(AS_OF.toordinal() - age).isoformat(),
        "last_order_on": date.fromordinal(AS_OF.toordinal() - age + recency).isoformat(),
        "historic_clv": earned,
        "predicted_clv": predicted,
        "total_clv": earned + predicted,
        "historic_number_of_orders": frequency + 1,
        "predicted_number_of_orders": predicted / mean if mean else 0.0,
        "average_days_between_orders": recency / frequency if frequency else None,
        "average_order_value": mean,
        "churn_probability": 1 - alive,
        "probability_alive": alive,
        "expected_date_of_next_order": "2026-02-07",
    }


def bought(days: Iterable[int], **items: list[int]) -> History:
    """Baskets so many days before the as-of day, oldest first, and which of them held an item."""
    held = tuple(tuple(positions) for positions in items.values())
    order_days = tuple(AS_OF.toordinal() - EPOCH - ago for ago in days)
    return History(order_days, tuple(items), held)


CUSTOMERS = (
    Profile(
        "ann",
        AS_OF,
        value=worth(3, 84, 90, 25.0, 310.0, 0.97),
        segments=("champions",),
        tags=(Tag("regular_rhythm", "orders", date(2026, 1, 25)),),
        attributes={"email": "ann@example.com", "region": "north"},
        consent={"chat": True},
        contacts=(Contact(datetime(2026, 1, 20, 9, tzinfo=UTC), "mail", offer_id="gold"),),
        history=bought([90, 60, 34, 6], COFFEE=[0, 1, 3], BREAD=[2]),
    ),
    Profile("=1+1", AS_OF, value=worth(4, 70, 71, 12.0, 140.0, 0.9), segments=("champions",)),
    Profile(
        "bob",
        AS_OF,
        value=worth(0, 0, 12, 40.0, 55.0, 0.6),
        segments=("new",),
        history=bought([12], BREAD=[0]),
    ),
    Profile(
        "王小明",
        AS_OF,
        value=worth(1, 5, 300, 8.0, 1.5, 0.1),
        segments=("lost, maybe",),
        open_issue="delivery",
    ),
)


class LocalClient(TestClient):
    """A client on the same machine: without sign-in the service answers to no other name."""

    def __init__(self, app: FastAPI, **options: bool) -> None:
        super().__init__(app, base_url="http://127.0.0.1", **options)


class ShopEngine:
    """Offers again what was bought, tea to everybody, nothing to who complains."""

    def __init__(self, snapshot: str) -> None:
        self.snapshot = snapshot

    def decide(
        self, profile: Profile, context: Context, at: datetime, decision_id: str, *, prepared: bytes = b""
    ) -> Decision:
        """Decide by the two rules."""
        del prepared
        complains = context.intent == "complaint" or profile.open_issue
        ids = [f"item:{item}" for item in profile.history.items] + ["tea"]
        ranked = [self._ranked(offer, rank, complains=bool(complains)) for rank, offer in enumerate(ids, 1)]
        ranked.append(
            Ranked(
                "gold", "", "upsell", ("all",), 0.3, 0.3, dropped_by="contact", reason="Mailed 11 days ago."
            )
        )
        hints = (
            ()
            if complains
            else tuple(self._hint(r, context, profile) for r in ranked[:3] if not r.dropped_by)
        )
        return Decision(
            decision_id=decision_id,
            at=at,
            customer_id=profile.customer_id,
            channel=context.channel,
            agent_id=context.agent_id,
            hints=hints,
            silence="A complaint is open: help first." if complains else "",
            candidates=tuple(ranked),
            model_version="clv-propensity/2",
            snapshot=self.snapshot,
            context={"intent": context.intent},
        )

    def _ranked(self, offer_id: str, rank: int, *, complains: bool) -> Ranked:
        offer = OFFERS.by_id[offer_id]
        probability = 0.5 / rank
        return Ranked(
            offer_id,
            offer.items[0] if offer.items else "",
            offer.kind,
            ("own_repeat",),
            probability,
            probability,
            value=offer.margin or 1.0,
            priority=probability * (offer.margin or 1.0),
            rank=None if complains else rank,
            dropped_by="service_first" if complains else None,
            reason="A complaint is open." if complains else "",
        )

    def _hint(self, ranked: Ranked, context: Context, profile: Profile) -> Hint:
        name = OFFERS.by_id[ranked.offer_id].name
        return Hint(
            ranked.offer_id,
            name,
            ranked.kind,
            words=f"{name}, vielleicht?" if context.locale == "de" else f"May I suggest {name}?",
            reasons=("Bought before.",) if ranked.item in profile.history.items else ("Popular.",),
            propensity=ranked.propensity,
            value=ranked.value,
            priority=ranked.priority,
            rank=ranked.rank or 1,
            selection_probability=1.0,
            segment_tags=profile.segments,
        )


def publish_shop(
    root: Path, customers: Iterable[Profile] = CUSTOMERS, as_of: date = AS_OF, **facts: str
) -> Generation:
    """Publish the shop under a root and return what was published."""
    with SnapshotWriter(root, as_of, facts) as writer:
        writer.segments(SEGMENTS)
        writer.customers(customers)
        return writer.commit()


def open_shop(root: Path) -> Publication:
    """Open the published shop with its engine of two rules."""
    snapshot = Snapshot.current(root)
    return Publication(
        snapshot,
        ShopEngine(snapshot.manifest.name),
        OFFERS,
        Standing(VALUATION, None, snapshot.manifest.as_of),
        Lexicon.build({"COFFEE": ["coffee"], "BREAD": ["bread"], "TEA": ["tea"]}),
        "clv-value/3",
        "clv-propensity/2",
    )
