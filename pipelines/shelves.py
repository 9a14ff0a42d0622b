"""Which items can stand in for each other, and what does each cost? What an upsell is read from."""

from __future__ import annotations

from datetime import date
from typing import Final

import pandas as pd

from pipelines.ledger import Ledger

# The kind of an item is the level above it in its category; of an item that is no level, the category itself.
# Of several categories the commonest counts, of equals the first by name.
_SHELVES: Final = """
WITH placed AS (
    SELECT item, trim(category, '/ ') AS path, string_split(trim(category, '/ '), '/') AS levels
    FROM products WHERE item IS NOT NULL AND trim(coalesce(category, '')) <> ''
), counted AS (
    SELECT item, count(*) AS products,
           CASE WHEN trim(list_last(levels)) <> item THEN path
                ELSE array_to_string(levels[:-2], '/') END AS kind
    FROM placed GROUP BY ALL
), kinds AS (
    SELECT item, first(kind ORDER BY products DESC, kind) AS kind FROM counted WHERE kind <> '' GROUP BY item
), sold AS (
    SELECT coalesce(p.item, l.product_id) AS item, l.amount, coalesce(l.quantity, 1) AS quantity,
           coalesce(l.unit_cost, p.unit_cost) AS unit_cost
    FROM purchases l LEFT JOIN products p USING (product_id)
    WHERE l.product_id IS NOT NULL AND l.amount > 0 AND coalesce(l.quantity, 1) > 0
      AND NOT coalesce(l.is_return, false) AND l.ordered_at::DATE <= $as_of
), priced AS (
    SELECT item, (sum(amount::DECIMAL(38, 12)) / sum(quantity::DECIMAL(38, 12)))::DOUBLE AS price,
           CASE WHEN bool_and(unit_cost IS NOT NULL)
                THEN (sum((amount - unit_cost * quantity)::DECIMAL(38, 12))
                      / sum(quantity::DECIMAL(38, 12)))::DOUBLE END AS margin
    FROM sold GROUP BY item
)
SELECT item, kind, price, margin FROM priced LEFT JOIN kinds USING (item) ORDER BY item
"""


def shelves(ledger: Ledger, as_of: date) -> pd.DataFrame:
    """Return kind, usual price and margin of every item sold up to a day.

    Parameters
    ----------
    ledger
        Where purchases and products lie.
    as_of
        The last visible day (UTC); what was paid after it is not seen.

    Returns
    -------
    pandas.DataFrame
        ``item``; ``kind``, null where no category tells it; ``price`` and ``margin`` of one piece, in the
        ledger's currency: means over all pieces sold, the margin null where a cost is unknown.
    """
    found: pd.DataFrame = ledger.connection.execute(_SHELVES, {"as_of": as_of}).df()
    return found.astype({"price": float, "margin": float})
