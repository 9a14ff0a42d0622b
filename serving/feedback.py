"""The service's log as tables: labelled decisions to learn from, and what the ledger takes in.

``decisions.csv`` has one row for each offer served, with its propensity, the probability with which it was
selected, and what became of it within the attribution window; ``questions.csv`` one for each question asked
about a customer, answered with hints or with silence. ``purchases.csv``, ``interactions.csv`` and
``outcomes.csv`` are in the layout that ingest reads.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import select

from serving.live.messages import LARGEST_AMOUNT, READERS, from_micros
from serving.store.database import Database
from serving.store.decisions import unpack
from serving.store.tables import decisions, events, outcomes

_SKEW: Final = timedelta(minutes=5)  # by so much another machine's clock may be behind
DECISIONS: Final = (
    "decision_id",
    "at",
    "customer_id",
    "offer_id",
    "item",
    "kind",
    "rank",
    "channel",
    "agent_id",
    "arm",
    "exploration",
    "propensity",
    "propensity_raw",
    "context_weight",
    "value",
    "lever",
    "priority",
    "selection_probability",
    "presented",
    "accepted",
    "rejected",
    "reason",
    "purchased",
    "model_version",
    "snapshot",
)
QUESTIONS: Final = (
    "decision_id",
    "at",
    "customer_id",
    "channel",
    "agent_id",
    "arm",
    "hints",
    "silence",
)
PURCHASES: Final = ("customer_id", "order_id", "ordered_at", "amount", "product_id", "is_return")
INTERACTIONS: Final = (
    "interaction_id",
    "customer_id",
    "occurred_at",
    "channel",
    "direction",
    "topic",
    "sentiment",
    "resolved",
    "intent",
)
OUTCOMES: Final = ("decision_id", "customer_id", "offer_id", "outcome", "at", "reason", "value", "agent_id")


def write_feedback(database: Database, folder: Path, attribution_days: int) -> dict[Path, int]:
    """Write every table of the log.

    Parameters
    ----------
    database
        The store.
    folder
        Where to write; files in it are replaced.
    attribution_days
        An order with the offer's item so many days after the decision counts as ``purchased``, and what was
        told of an offer counts if it happened within them.

    Returns
    -------
    dict
        Rows by file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, tuple[tuple[str, ...], Iterator[Mapping[str, Any]]]] = {
        "decisions.csv": (DECISIONS, labelled(database, attribution_days)),
        "questions.csv": (QUESTIONS, _questions(database)),
        "purchases.csv": (PURCHASES, _purchases(database)),
        "interactions.csv": (INTERACTIONS, _interactions(database)),
        "outcomes.csv": (OUTCOMES, _outcomes(database)),
    }
    return {folder / name: _write(folder / name, columns, rows) for name, (columns, rows) in tables.items()}


def labelled(database: Database, attribution_days: int) -> Iterator[dict[str, Any]]:
    """Yield a row for each offer served, with its selection probability and what became of it."""
    told = _told(database)
    bought = _bought(database)
    window = timedelta(days=attribution_days)
    for row in database.rows(select(decisions).order_by(decisions.c.logged_at, decisions.c.decision_id)):
        record = unpack(bytes(row.record))
        numbers = {one["offer_id"]: one for one in record["candidates"]}
        at = from_micros(row.at)
        for hint in record["hints"]:
            ranked = numbers[hint["offer_id"]]
            became = {
                outcome: reason
                for outcome, (reason, said) in told.get((row.decision_id, hint["offer_id"]), {}).items()
                if at - _SKEW <= said <= at + window
            }
            days = bought.get((row.customer_id, ranked["item"]), ())
            yield {
                **{name: ranked.get(name) for name in DECISIONS if name in ranked},
                **{name: hint[name] for name in ("rank", "selection_probability")},
                **{
                    name: record[name]
                    for name in ("channel", "arm", "exploration", "model_version", "snapshot")
                },
                "decision_id": row.decision_id,
                "customer_id": row.customer_id,
                "agent_id": row.agent_id,
                "at": at.isoformat(),
                "presented": int("presented" in became),
                "accepted": int("accepted" in became),
                "rejected": int("rejected" in became),
                "reason": became.get("rejected", ""),
                "purchased": int("purchased" in became or any(at <= day <= at + window for day in days)),
            }


def _questions(database: Database) -> Iterator[dict[str, Any]]:
    for row in database.rows(select(decisions).order_by(decisions.c.logged_at, decisions.c.decision_id)):
        record = unpack(bytes(row.record))
        yield {
            "decision_id": row.decision_id,
            "at": from_micros(row.at).isoformat(),
            "customer_id": row.customer_id,
            "channel": record["channel"],
            "agent_id": row.agent_id,
            "arm": record["arm"],
            "hints": len(record["hints"]),
            "silence": record["silence"],
        }


def _told(database: Database) -> dict[tuple[str, str], dict[str, tuple[str, datetime]]]:
    """Return, by decision and offer, each outcome with its reason and its moment."""
    found: dict[tuple[str, str], dict[str, tuple[str, datetime]]] = defaultdict(dict)
    for row in database.rows(select(outcomes)):
        found[row.decision_id, row.offer_id][row.outcome] = row.reason, from_micros(row.at)
    return found


def _bought(database: Database) -> dict[tuple[str, str], list[Any]]:
    """Return when each customer ordered each item."""
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row, raw in _events(database, "order"):
        at = from_micros(row.occurred_at)
        _, entry = READERS[raw["event"]](raw["properties"], at)
        for item in entry[3]:
            found[row.customer_id, item].append(at)
    return found


def _events(database: Database, kind: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    for row in database.rows(select(events).where(events.c.kind == kind).order_by(events.c.sequence)):
        yield row, orjson.loads(bytes(row.body))


def _number(value: object, unknown: float) -> float:
    """Return a number of a line; an event of an earlier release may hold anything here."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > LARGEST_AMOUNT:
        return unknown
    return float(value)


def _purchases(database: Database) -> Iterator[dict[str, Any]]:
    """Yield order lines: what the order's total leaves over its listed products goes on a line of its own."""
    for row, raw in _events(database, "order"):
        properties = raw["properties"]
        _, entry = READERS[raw["event"]](properties, from_micros(row.occurred_at))
        line = {
            "customer_id": row.customer_id,
            "order_id": entry[1],
            "ordered_at": _iso(row),
            "is_return": False,
        }
        left = entry[2]
        for product in properties.get("products", ()):
            amount = _number(product.get("price"), 0.0) * _number(product.get("quantity"), 1.0)
            left -= amount
            yield {**line, "product_id": product.get("product_id", ""), "amount": amount}
        if abs(left) > 1e-9 or not properties.get("products"):
            yield {**line, "product_id": "", "amount": left}
    for row, raw in _events(database, "return"):
        _, entry = READERS[raw["event"]](raw["properties"], from_micros(row.occurred_at))
        yield {
            "customer_id": row.customer_id,
            "order_id": entry[1],
            "ordered_at": _iso(row),
            "amount": entry[2],
            "product_id": "",
            "is_return": True,
        }


def _interactions(database: Database) -> Iterator[dict[str, Any]]:
    for row, raw in _events(database, "interaction"):
        _, entry = READERS[raw["event"]](raw["properties"], from_micros(row.occurred_at))
        yield {
            "interaction_id": row.message_id,
            "customer_id": row.customer_id,
            "occurred_at": _iso(row),
            "channel": entry[1],
            "direction": entry[2],
            "topic": entry[4],
            "sentiment": entry[6],
            "resolved": entry[5],
            "intent": entry[3],
        }


def _outcomes(database: Database) -> Iterator[dict[str, Any]]:
    for row in database.rows(select(outcomes).order_by(outcomes.c.sequence)):
        yield {
            "decision_id": row.decision_id,
            "customer_id": row.customer_id,
            "offer_id": row.offer_id,
            "outcome": row.outcome,
            "at": from_micros(row.at).isoformat(),
            "reason": row.reason,
            "value": row.amount,
            "agent_id": row.agent_id,
        }


def _iso(row: Any) -> str:  # noqa: ANN401  (a row of a table)
    return from_micros(row.occurred_at).isoformat()


def _write(path: Path, columns: tuple[str, ...], rows: Iterator[Mapping[str, Any]]) -> int:
    """Write a table aside and put it in place whole."""
    aside = path.with_suffix(".writing")
    written = 0
    with aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for written, row in enumerate(rows, start=1):  # noqa: B007  (the count is what is wanted)
            writer.writerow(row)
    aside.replace(path)
    return written
