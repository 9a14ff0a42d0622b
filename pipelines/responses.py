"""What the propensity model reads: who bought which items when, which offers met whom, and what came of it.

An offer counts as put before a customer when an outcome says so (sent, presented, accepted ...), or when an
interaction belongs to its campaign: an ``interaction_id`` that reads ``campaign:<campaign_id>:...`` is about
every offer whose attribute ``campaign_id`` is that campaign.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Final

import ibis
import pandas as pd

from pipelines.days import Tables, visible_lines
from pipelines.features import item_lines
from pipelines.ledger import Ledger
from pipelines.orders import fingerprint_of
from pipelines.shelves import shelves

_OFFERS: Final = """
SELECT o.offer_id, any_value(o."group") AS "group",
       list_sort(list_distinct(list(coalesce(p.item, u.product_id)))) AS items
FROM offers o, unnest(o.product_ids) AS u(product_id) LEFT JOIN products p USING (product_id)
WHERE o.valid_from IS NULL OR o.valid_from <= ?
GROUP BY o.offer_id ORDER BY o.offer_id
"""
_EXPOSURES: Final = """
WITH campaigns AS (
    SELECT offer_id, json_extract_string(attributes, '$.campaign_id') AS campaign_id FROM offers),
contacts AS (
    SELECT customer_id, split_part(interaction_id, ':', 2) AS campaign_id, occurred_at AS "at"
    FROM interactions WHERE interaction_id LIKE 'campaign:%')
SELECT customer_id, offer_id, "at"::DATE::TIMESTAMP AS "at" FROM contacts JOIN campaigns USING (campaign_id)
WHERE "at"::DATE <= $1
UNION
SELECT customer_id, offer_id, "at"::DATE::TIMESTAMP FROM outcomes
WHERE "at"::DATE <= $1 AND customer_id IS NOT NULL AND offer_id IS NOT NULL
  AND offer_id NOT IN (SELECT offer_id FROM campaigns WHERE campaign_id IS NOT NULL)
ORDER BY 1, 2, 3
"""
_OUTCOMES: Final = """
SELECT customer_id, offer_id, outcome, "at"::DATE::TIMESTAMP AS "at" FROM outcomes
WHERE "at"::DATE <= ? AND customer_id IS NOT NULL AND offer_id IS NOT NULL ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Responses:
    """Tables for :meth:`recommend.candidates.Proposer.fit`, none with anything after the as-of day.

    Parameters
    ----------
    lines
        ``customer_id``, ``item``, ``order_day``, ``store_id`` (null where not known): one row per item and
        day; empty when nothing is known about what was bought.
    offers
        ``offer_id``, ``group``, ``items``; None without offers.
    exposures
        ``customer_id``, ``offer_id``, ``at``; None without any.
    outcomes
        ``customer_id``, ``offer_id``, ``outcome``, ``at``; None without any.
    fingerprint
        Of all of them.
    products
        ``item``, ``kind``, ``price``, ``margin``: see :func:`pipelines.shelves.shelves`.
    """

    lines: pd.DataFrame
    offers: pd.DataFrame | None
    exposures: pd.DataFrame | None
    outcomes: pd.DataFrame | None
    fingerprint: str
    products: pd.DataFrame | None = None


def order_places(source: Ledger | Tables, as_of: date) -> ibis.Table:
    """Return where each customer bought on each day, where that is known.

    Parameters
    ----------
    source
        A ledger, or Ibis tables by name.
    as_of
        The last visible day.

    Returns
    -------
    ibis.Table
        ``customer_id``, ``order_day``, ``store_id``: a day in several stores counts for the last by name.
    """
    lines = visible_lines(source, as_of)
    lines = lines.filter(~lines.returned, lines.product_id.notnull(), lines.store_id.notnull())
    return lines.group_by("customer_id", order_day=lines.day).agg(store_id=lines.store_id.max())


def responses_of(ledger: Ledger, as_of: date) -> Responses:
    """Read what the propensity model learns from.

    Parameters
    ----------
    ledger
        Where the tables lie.
    as_of
        The last visible day.
    """
    bought = item_lines(ledger, as_of)
    bought = bought.left_join(order_places(ledger, as_of), ["customer_id", "order_day"])
    bought = bought.select("customer_id", "item", "store_id", order_day=bought.order_day.cast("timestamp"))
    ordered = bought.order_by("customer_id", "order_day", "item")
    lines: pd.DataFrame = ledger.connection.execute(ledger.backend.compile(ordered)).df()
    offers, exposures, outcomes = (
        ledger.connection.execute(query, [as_of]).df() for query in (_OFFERS, _EXPOSURES, _OUTCOMES)
    )
    flat = offers.assign(items=offers["items"].map(str))
    products = shelves(ledger, as_of)
    hashes = [fingerprint_of(table) for table in (lines, flat, exposures, outcomes, products)]
    return Responses(
        lines=lines,
        offers=None if offers.empty else offers,
        exposures=None if exposures.empty else exposures,
        outcomes=None if outcomes.empty else outcomes,
        fingerprint=hashlib.sha256("".join(hashes).encode()).hexdigest(),
        products=products,
    )
