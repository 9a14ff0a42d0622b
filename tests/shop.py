"""A small shop whose log is made by rule: enough to run a whole night on, in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

FIRST_DAY = date(2025, 1, 1)
DAYS = 300
CUSTOMERS = 150
NAMES = (
    "coffee milk bread tea soap rice wine cheese sugar flour eggs butter jam honey salt pepper oil pasta "
    "beans apples pears onions carrots candles matches paper towels sponges batteries bulbs"
).split()
GOODS = {name: 1.5 + number % 7 for number, name in enumerate(NAMES)}
DRINKS = {"coffee", "milk", "tea", "wine"}
# What is used up lasts this many days: bought again when it runs out, which a mere count cannot know.
LASTS = (7, 12, 20, 30, 45, 60)


def lines(seed: int = 7) -> pd.DataFrame:
    """Return order lines: customer_id, order_id, ordered_at, product_id, quantity, amount."""
    rows = list(_lines(np.random.default_rng(seed)))
    return pd.DataFrame(
        rows, columns=["customer_id", "order_id", "ordered_at", "product_id", "quantity", "amount"]
    )


def _lines(random: np.random.Generator) -> Iterator[tuple[str, str, str, str, int, float]]:
    for customer in range(CUSTOMERS):
        uses = {NAMES[(3 * customer + step * 5) % len(NAMES)]: LASTS[step] for step in range(len(LASTS))}
        due = {name: int(random.integers(lasts)) for name, lasts in uses.items()}
        leaves, visit = int(random.integers(150, 3 * DAYS)), 0
        for day in range(int(random.integers(7)), min(DAYS, leaves), 3 + customer % 4):
            basket = {name for name, when in due.items() if when <= day}
            if random.random() < 0.1:
                basket.add(NAMES[int(random.integers(len(NAMES)))])
            visit += bool(basket)
            for name in sorted(basket):
                quantity = int(random.integers(1, 4))
                due[name] = day + max(1, int(random.normal(uses.get(name, 90), 1.5)))
                when = (FIRST_DAY + timedelta(days=day)).isoformat()
                yield (
                    f"c{customer:03}",
                    f"c{customer:03}-{visit}",
                    when,
                    name,
                    quantity,
                    quantity * GOODS[name],
                )


def write_shop(folder: Path) -> Path:
    """Write ``purchases.csv``, ``products.csv``, ``offers.csv`` and ``customers.csv`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines().to_csv(folder / "purchases.csv", index=False)
    products = [(name, name.title(), ("drinks/" if name in DRINKS else "house/") + name) for name in GOODS]
    pd.DataFrame(products, columns=["product_id", "name", "category"]).to_csv(
        folder / "products.csv", index=False
    )
    offers = [
        ("club", "Coffee club", "upsell", "coffee", 20.0, "2025-01-01", "2026-12-31"),
        ("gone", "Last year's wine", "cross_sell", "wine", 5.0, "2024-01-01", "2024-12-31"),
    ]
    columns = ["offer_id", "name", "kind", "product_ids", "value", "valid_from", "valid_to"]
    pd.DataFrame(offers, columns=columns).to_csv(folder / "offers.csv", index=False)
    people = [(f"c{n:03}", "north" if n % 2 else "south", "en") for n in range(CUSTOMERS)]
    pd.DataFrame(people, columns=["customer_id", "region", "locale"]).to_csv(
        folder / "customers.csv", index=False
    )
    return folder
