"""Do the live path and the batch agree? Orders and returns replayed as events, against pandas and the model.

``python -m tests.benchmarks.live_parity [--customers 100000] [--check]``

Every customer's orders and returns are sent through the event reader and the book, shuffled; the profile
that results is compared with :func:`clv.summary.summarize` and ``ValueModel.predict`` on the same lines.
Twice: for a generation that holds nothing, and for one that holds half of the lines, drawn at random: refunds
then belong to orders it holds, and to others. The last line is JSON; ``--check`` exits 1 where a number
differs by more than 1e-9 of itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Hashable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from clv.summary import summarize
from models.receipts import Receipts
from recommend.profile import Profile, Scalar
from serving.live.book import Book
from serving.live.messages import read_message
from serving.live.standing import Standing
from tests.benchmarks.town import VALUE

FIRST, DAYS = date(2025, 2, 1), 365
AS_OF = FIRST + timedelta(days=DAYS)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
NUMBERS = (
    "frequency",
    "recency_days",
    "age_days",
    "monetary_value",
    "historic_revenue",
    "historic_clv",
    "predicted_clv",
    "total_clv",
    "predicted_number_of_orders",
    "average_order_value",
    "churn_probability",
    "probability_alive",
)


def log(customers: int) -> pd.DataFrame:
    """Return order lines and returns of so many customers, in no order."""
    random = np.random.default_rng(5)
    who = np.repeat(np.arange(customers), random.geometric(0.15, customers))
    lines = pd.DataFrame(
        {
            "customer_id": [f"c{n:07}" for n in who],
            "order_id": [f"o{n}" for n in range(len(who))],
            "day": random.integers(0, DAYS + 1, len(who)),
            "amount": np.round(random.gamma(2.0, 20.0, len(who)), 2),
            "is_return": False,
        }
    )
    back = lines.sample(frac=0.08, random_state=5).assign(is_return=True)
    back["day"] = np.minimum(back["day"] + random.integers(-5, 40, len(back)), DAYS).clip(0)
    back["amount"] = -np.round(back["amount"] * random.uniform(0.1, 1.0, len(back)), 2)
    lost = back.index[::5]
    back.loc[lost, "order_id"] = [f"lost{n}" for n in lost]  # the receipt is gone
    whole = pd.concat([lines, back]).sample(frac=1.0, random_state=6)
    return whole.assign(ordered_at=pd.Timestamp(FIRST) + pd.to_timedelta(whole["day"], unit="D"))


def event(
    number: int, customer: str, order: str, at: str, amount: float, *, is_return: bool
) -> dict[str, object]:
    """Return a line as the event a shop would send."""
    return {
        "type": "track",
        "messageId": f"m{number}",
        "userId": customer,
        "event": "Order Refunded" if is_return else "Order Completed",
        "timestamp": at,
        "properties": {"order_id": order, "total": abs(amount)},
    }


def replay(lines: pd.DataFrame) -> dict[str, Book]:
    """Send every line through the event reader into the books."""
    books: dict[str, Book] = {}
    columns = ("customer_id", "order_id", "ordered_at", "amount", "is_return")
    stamps = lines["ordered_at"].dt.strftime("%Y-%m-%dT12:00:00Z")
    rows = lines.assign(ordered_at=stamps)[list(columns)].itertuples(index=False, name=None)
    for number, (customer, order, at, amount, is_return) in enumerate(rows):
        raw = event(number, customer, order, at, amount, is_return=is_return)
        message = read_message(raw, NOW)
        books.setdefault(customer, Book()).add(message.kind, message.entry, 2**60, message.message_id)
    return books


def main() -> int:
    """Compare, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    lines = log(options.customers)
    night = VALUE.predict(summarize(lines, AS_OF), as_of=AS_OF).set_index("customer_id")
    started = time.perf_counter()
    books = replay(lines)
    taken = time.perf_counter() - started
    standing = Standing(VALUE, None, AS_OF)
    started = time.perf_counter()
    live = now(standing, books, {}, {})
    scored = time.perf_counter() - started
    half = lines.sample(frac=0.5, random_state=7)
    after = now(standing, books, published(half), receipts(half))
    worst = {name: max(_worst(night[name], said, name) for said in (live, after)) for name in NUMBERS}
    dates = sum(
        live[who].get("expected_date_of_next_order") != (None if pd.isna(day) else str(day)[:10])
        for who, day in night["expected_date_of_next_order"].items()
    )
    result = {
        "customers": len(night),
        "lines": len(lines),
        "worst_difference": max(worst.values()),
        "by_number": worst,
        "dates_that_differ": int(dates),
        "events_per_second": round(len(lines) / taken),
        "profiles_per_second": round(len(live) / scored),
    }
    for name, difference in worst.items():
        print(f"{name:28} differs by at most {difference:.1e} of itself")
    print(json.dumps(result))
    return int(options.check and (result["worst_difference"] > 1e-9 or dates > 0))


def published(lines: pd.DataFrame) -> dict[str, Profile]:
    """Return the profiles of a generation that holds these lines."""
    rows = VALUE.predict(summarize(lines, AS_OF), as_of=AS_OF).to_dict("records")
    return {who: Profile(who, AS_OF, value=_plain(row)) for row in rows if (who := str(row["customer_id"]))}


def receipts(lines: pd.DataFrame) -> dict[str, Receipts]:
    """Return which orders and returns it counts."""
    day = (lines["ordered_at"] - pd.Timestamp(1970, 1, 1)).dt.days
    rows = zip(lines["customer_id"], day, lines["order_id"], lines["amount"], lines["is_return"], strict=True)
    found: dict[str, tuple[list[list[object]], list[list[object]]]] = {}
    for who, at, order_id, amount, is_return in rows:
        found.setdefault(who, ([], []))[is_return].append([at, order_id, amount])
    return {who: Receipts(*held) for who, held in found.items()}


def now(
    standing: Standing, books: dict[str, Book], known: dict[str, Profile], held: dict[str, Receipts]
) -> dict[str, dict[str, Scalar]]:
    """Return everybody's numbers of this moment."""
    found = {}
    for who, book in books.items():
        profile = known.get(who)
        news = standing.news(profile, book, partial(held.get, who))
        found[who] = standing.now(who, profile, news, AS_OF).value
    return found


def _plain(row: dict[Hashable, Any]) -> dict[str, Scalar]:
    return {str(name): _scalar(value) for name, value in row.items() if name != "customer_id"}


def _scalar(value: Any) -> Scalar:
    if pd.isna(value):
        return None
    return str(value)[:10] if isinstance(value, date) else float(value)


def _worst(night: pd.Series, live: dict[str, dict[str, Scalar]], name: str) -> float:
    there = np.array([float(live[str(who)][name]) for who in night.index])  # type: ignore[arg-type]
    here = night.to_numpy(np.float64)
    return float(np.max(np.abs(there - here) / np.maximum(np.abs(here), 1.0)))


if __name__ == "__main__":
    sys.exit(main())
