"""Groups are found, named readably, stored as numbers, and assigned alike to tables and records."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd

from recommend.clusters import Clusters


def three_kinds(each: int = 60) -> pd.DataFrame:
    """Regulars with small baskets, rare big spenders, and people who came once long ago for a bargain."""
    rng = np.random.default_rng(5)

    def kind(name: str, orders: float, spend: float, quiet: float, discount: float) -> pd.DataFrame:
        frequency = rng.poisson(orders, each).astype(float)
        return pd.DataFrame(
            {
                "customer_id": [f"{name}{i}" for i in range(each)],
                "frequency": frequency,
                "recency_days": np.full(each, 300.0),
                "age_days": 300.0 + rng.poisson(quiet, each),
                "historic_revenue": (frequency + 1) * rng.normal(spend, spend / 10, each),
                "discount_share": np.clip(rng.normal(discount, 0.03, each), 0, 1),
            }
        )

    return pd.concat(
        [kind("regular", 60, 12, 4, 0.1), kind("rich", 4, 400, 30, 0.1), kind("gone", 1, 15, 250, 0.8)],
        ignore_index=True,
    )


SCORED = three_kinds()
FOUND = Clusters.fit(SCORED, "historic_revenue")


def test_three_kinds_of_customers_are_found_and_kept_apart() -> None:
    assert FOUND is not None
    kinds = SCORED["customer_id"].str.replace(r"\d+", "", regex=True)
    table = pd.crosstab(kinds, FOUND.assign(SCORED))
    assert (table.to_numpy() > 0).sum() == 3  # one group a kind
    assert len(FOUND.names) == 3


def test_groups_are_called_by_what_sets_them_apart() -> None:
    assert FOUND is not None
    by_kind = dict(zip(["regular", "rich", "gone"], FOUND.assign(SCORED)[[0, 60, 120]], strict=True))
    assert "frequent" in by_kind["regular"]
    assert "big_baskets" in by_kind["rich"]
    assert "long_quiet" in by_kind["gone"] or "discount_seekers" in by_kind["gone"]
    assert all(re.fullmatch(r"cluster_[a-z_0-9]+", name) for name in FOUND.names)
    name, description, rule = FOUND.describe()[0]
    assert description.startswith("Discovered group: ")
    assert rule.startswith("nearest to quiet_days around ")
    assert name in FOUND.names


def test_one_record_is_assigned_as_its_row_is_even_after_json() -> None:
    assert FOUND is not None
    again = Clusters.from_json(json.loads(json.dumps(FOUND.to_json())))
    assert again == FOUND
    assert [again.of({str(k): v for k, v in row.items()}) for row in SCORED.to_dict("records")] == list(
        FOUND.assign(SCORED)
    )


def test_the_order_of_rows_changes_nothing() -> None:
    assert Clusters.fit(SCORED.sample(frac=1, random_state=2), "historic_revenue") == FOUND


def test_too_few_or_too_equal_customers_have_no_groups() -> None:
    assert Clusters.fit(SCORED.head(30), "historic_revenue") is None
    assert Clusters.fit(SCORED, "historic_revenue", most=0) is None
    same = SCORED.assign(frequency=1.0, age_days=310.0, historic_revenue=5.0, discount_share=0.1)
    assert Clusters.fit(same, "historic_revenue") is None
