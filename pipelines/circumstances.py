"""What is known of customers beyond their orders, as of a day: what the value model's trees learn from.

Written as Ibis expressions on the same features as everything else, and asked for every day the log is cut
at: the columns of an earlier day are made of what was visible on it. All of them are shares, or counts a year
or in fixed windows, so they mean the same on a short log and on a long one. A log without categories,
discounts, interactions or answers has none, and its value model knows orders alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Final

import ibis
import pandas as pd

from clv.circumstances import Circumstances
from clv.columns import AGE_DAYS, CUSTOMER_ID
from pipelines.days import Tables, midnight_after, tables_of, visible, visible_lines
from pipelines.features import (
    category_features,
    interaction_features,
    order_features,
    outcome_features,
)
from pipelines.ledger import Ledger
from pipelines.tables import OUTCOMES

__all__ = ["circumstances_of"]

MOST_NAMES: Final = 12
WINDOW_DAYS: Final = 90
_LEVELS: Final = (1, 2, 3)
_LEAST_DAYS: Final = 30.0  # known for a shorter time, a customer's rates are those of a month
_DAYS_PER_YEAR: Final = 365.0


def circumstances_of(source: Ledger | Tables) -> Circumstances | None:
    """Return what tells what was known of customers beyond their orders on a day; None if the log does not.

    Parameters
    ----------
    source
        A ledger, or Ibis tables by name; read whenever a day is asked for first.

    Returns
    -------
    callable or None
        From the last visible day to one row a customer with a purchase: ``customer_id`` and, for what the log
        holds, ``share of CATEGORY`` of what they spent for the largest categories, ``categories`` and
        ``largest share``; ``discount_share``; ``interactions`` and the like a year, in the last 90 days and
        ``about TOPIC`` in those days, ``last_interaction_days``; ``outcomes_OUTCOME`` a year.
        Counts are 0 where there is nothing to count; shares and days since are missing.
    """
    tables = tables_of(source)
    holds = _holdings(tables)
    return cache(lambda as_of: _known(tables, holds, as_of)) if holds else None


def _holdings(tables: Tables) -> tuple[str, ...]:
    """Return which of the parts the tables hold anything for."""
    lines, products = tables["purchases"], tables["products"]
    named = products.filter(products.category.notnull())
    some = {
        "categories": lines.filter(lines.product_id.notnull()).semi_join(named, "product_id"),
        "discounts": lines.filter(lines.discount.fill_null(0.0) != 0.0),
        "interactions": tables["interactions"],
        "outcomes": tables["outcomes"].filter(tables["outcomes"].customer_id.notnull()),
    }
    return tuple(name for name, found in some.items() if _any(found))


def _any(table: ibis.Table) -> bool:
    return len(table.limit(1).to_pandas()) > 0


def _known(tables: Tables, holds: Sequence[str], as_of: date) -> pd.DataFrame:
    known = _customers(tables, as_of)
    parts = []
    if "categories" in holds:
        parts.append(_categories(tables, as_of))
    if "discounts" in holds:
        parts.append(order_features(tables, as_of).select(CUSTOMER_ID, "discount_share").to_pandas())
    years = known.set_index(CUSTOMER_ID)[AGE_DAYS].clip(lower=_LEAST_DAYS) / _DAYS_PER_YEAR
    if "interactions" in holds:
        parts += _interactions(tables, as_of, years)
    if "outcomes" in holds:
        answers = outcome_features(tables, as_of).to_pandas()
        parts.append(_yearly(answers, [f"outcomes_{name}" for name in OUTCOMES], years))
    for part in parts:
        counts = [name for name in map(str, part) if not name.endswith(("_days", "share", CUSTOMER_ID))]
        known = known.merge(part, on=CUSTOMER_ID, how="left", validate="one_to_one")
        known = known.fillna({name: 0.0 for name in counts if not name.startswith("share of ")})
    whole: pd.DataFrame = known.drop(columns=AGE_DAYS).sort_values(CUSTOMER_ID, ignore_index=True)
    return whole


def _customers(tables: Tables, as_of: date) -> pd.DataFrame:
    """Return who bought up to a day, and how long ago first."""
    lines = visible_lines(tables, as_of)
    bought = lines.filter(~lines.returned)
    first = bought.group_by(CUSTOMER_ID).agg(first=bought.day.min()).to_pandas()
    age = (pd.Timestamp(as_of) - pd.to_datetime(first["first"])).dt.days
    aged: pd.DataFrame = first.assign(**{AGE_DAYS: age}).drop(columns="first")
    return aged


def _categories(tables: Tables, as_of: date) -> pd.DataFrame:
    """Return each customer's shares of the largest categories, at the first level that tells any apart."""
    for level in _LEVELS:
        bought = category_features(tables, as_of, level=level)
        sizes = bought.group_by("category").agg(amount=bought.share.sum())
        largest = sizes.order_by(sizes.amount.round(6).desc(), "category").limit(MOST_NAMES)
        names = largest.to_pandas()["category"].tolist()
        if len(names) > 1:
            break
    shares = {f"share of {name}": bought.share.sum(where=bought.category == name) for name in names}
    found = bought.group_by(CUSTOMER_ID).agg(
        **shares, categories=bought.count(), largest_share=bought.share.max()
    )
    table: pd.DataFrame = found.to_pandas().fillna(dict.fromkeys(shares, 0.0))
    return table


def _interactions(tables: Tables, as_of: date, years: pd.Series) -> list[pd.DataFrame]:
    """Return interactions a year, and in the last days by channel, kind and topic."""
    whole = interaction_features(tables, as_of).to_pandas()
    rates = ["interactions", "interactions_inbound", "interactions_outbound", "interactions_negative"]
    yearly = _yearly(whole, rates, years).merge(whole[[CUSTOMER_ID, "last_interaction_days"]], on=CUSTOMER_ID)
    seen = tables["interactions"]
    start = ibis.literal(midnight_after(as_of - timedelta(days=WINDOW_DAYS)), type="timestamp")
    late = seen.filter(seen.occurred_at >= start)
    recent = interaction_features({**tables, "interactions": late}, as_of).to_pandas()
    recent = recent.drop(columns=["last_interaction_days", "handle_seconds"])
    topics = visible(late, "occurred_at", as_of)
    topics = topics.filter(topics.topic.notnull())
    common = topics.group_by("topic").agg(n=topics.count())
    names = common.order_by(common.n.desc(), "topic").limit(MOST_NAMES).to_pandas()["topic"].tolist()
    parts = [yearly, recent.rename(columns=lambda name: name if name == CUSTOMER_ID else f"recent {name}")]
    if names:
        counted = {f"about {name}": topics.count(where=topics.topic == name) for name in names}
        parts.append(topics.group_by(CUSTOMER_ID).agg(**counted).to_pandas())
    return parts


def _yearly(table: pd.DataFrame, names: list[str], years: pd.Series) -> pd.DataFrame:
    """Return counts as rates a year of the time each customer has been known."""
    known = table[table[CUSTOMER_ID].isin(years.index)]
    rates = known[names].div(years.reindex(known[CUSTOMER_ID]).to_numpy(), axis=0)
    return rates.add_suffix(" a year").assign(**{CUSTOMER_ID: known[CUSTOMER_ID]})
