"""A generated town for the benchmarks of the service: its customers, and models learnt from it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from clv.bgnbd import BGNBD
from clv.spend import GammaGamma
from clv.valuation import ValueModel
from models.files import write_bundle
from models.snapshot import SnapshotWriter
from pipelines.publish import prepare
from recommend.candidates import Proposer
from recommend.catalogue import Catalogue, Offer
from recommend.history import History
from recommend.policies import Policies
from recommend.profile import Profile
from recommend.segments import SegmentModel
from serving.live.messages import EPOCH

AS_OF: Final = date(2026, 1, 31)
ITEMS: Final = 300
DAYS: Final = 360
LEARNERS: Final = 1_000
VALUE: Final = ValueModel(
    BGNBD.of(r=0.243, alpha=30.9, a=0.793, b=2.426), GammaGamma.of(p=6.25, q=3.74, gamma=15.44), AS_OF
)


def publish_town(var: Path, customers: int) -> None:
    """Publish a town of so many customers, unless it is there already."""
    marker = var / f"town-of-{customers}"
    if marker.exists():
        return
    shutil.rmtree(var, ignore_errors=True)
    var.mkdir(parents=True)
    propensity, value = bundles(var / "models")
    sample = pd.DataFrame([{**p.value, "customer_id": p.customer_id} for p in people(500, None)])
    segments = SegmentModel.fit(sample, AS_OF)
    with SnapshotWriter(var / "published", AS_OF, {"clv-value": "1", "clv-propensity": "1"}) as writer:
        writer.folder("propensity", propensity)
        writer.folder("value", value)
        writer.document("offers", offers().as_json())
        writer.document("policies", Policies().as_json())
        writer.document("segment_model", segments.to_json())
        writer.segments(segments.describe())
        writer.customers(prepare(writer, people(customers, segments), propensity, offers(), AS_OF))
        writer.commit()
    marker.touch()


def offers() -> Catalogue:
    """Return forty offers of the business; those made of items come with the model."""
    return Catalogue(
        [
            Offer(f"o{n}", f"Offer {n}", "upsell", group=f"g{n % 7}", items=(f"I{n:03}",), margin=2.0 + n % 9)
            for n in range(40)
        ]
    )


def bundles(folder: Path) -> tuple[Path, Path]:
    """Fit both models on the town's log and seal them."""
    propensity, value = folder / "propensity", folder / "value"
    Proposer(most_customers=LEARNERS).fit(lines(), as_of=AS_OF, random_state=1, num_threads=2).save(
        propensity
    )
    write_bundle(propensity, kind="propensity", as_of=AS_OF, fingerprint="town")
    VALUE.save(value)
    write_bundle(value, kind="value", as_of=AS_OF, fingerprint="town")
    return propensity, value


def lines() -> pd.DataFrame:
    """Return the order lines the models learn from."""
    rows = []
    for number in range(LEARNERS):
        history = _history(np.random.default_rng(number))
        for item, positions in zip(history.items, history.positions, strict=True):
            rows += [(f"c{number}", item, history.order_days[at]) for at in positions]
    table = pd.DataFrame(rows, columns=["customer_id", "item", "order_day"])
    table["order_day"] = pd.to_datetime(table["order_day"], unit="D")
    return table


def people(customers: int, segments: SegmentModel | None) -> Iterator[Profile]:
    """Yield profiles, ordered by customer; some hundred histories serve them all."""
    histories = [_history(np.random.default_rng(number)) for number in range(500)]
    values = [_value(history, 5.0 + number % 60) for number, history in enumerate(histories)]
    named = [segments.segments_of(value) if segments else () for value in values]
    for number in range(customers):
        which = (number * 7919) % len(histories)
        yield Profile(
            f"c{number:07}", AS_OF, value=values[which], segments=named[which], history=histories[which]
        )


def _history(random: np.random.Generator) -> History:
    """Return a customer's baskets: a handful of items each, bought over and over at their own pace."""
    last = AS_OF.toordinal() - EPOCH
    days = np.unique(last - random.integers(0, DAYS, size=random.integers(3, 40)))
    favourites = random.zipf(1.5, size=random.integers(3, 12)) % ITEMS
    held = {f"I{item:03}": np.flatnonzero(random.random(len(days)) < 0.4) for item in favourites}
    found = sorted((item, tuple(map(int, at))) for item, at in held.items() if len(at))
    return History(tuple(map(int, days)), tuple(i for i, _ in found), tuple(at for _, at in found))


def _value(history: History, mean: float) -> dict[str, float | str | None]:
    first, last = history.order_days[0], history.order_days[-1]
    x, age = len(history.order_days) - 1, AS_OF.toordinal() - EPOCH - first
    scored = VALUE.predict_one(x, last - first, age, mean, historic_revenue=mean * (x + 1))
    expected = scored.expected_date_of_next_order
    return {
        "frequency": x,
        "recency_days": last - first,
        "age_days": age,
        "monetary_value": mean if x else 0.0,
        "historic_revenue": mean * (x + 1),
        "first_order_on": (date(1970, 1, 1) + timedelta(days=first)).isoformat(),
        "last_order_on": (date(1970, 1, 1) + timedelta(days=last)).isoformat(),
        "predicted_clv": scored.predicted_clv,
        "probability_alive": scored.probability_alive,
        "historic_clv": scored.historic_clv,
        "total_clv": scored.total_clv,
        "churn_probability": scored.churn_probability,
        "expected_date_of_next_order": expected.isoformat() if expected else None,
    }
