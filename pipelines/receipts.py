"""Which orders and returns did the night count for each customer? The live service tells events by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from pipelines.ledger import Ledger

_BATCH: Final = 2_000
# The lines of one order and day are summed, as in pipelines.orders; the text is models.receipts.Receipts'.
_RECEIPTS: Final = """
WITH lines AS (
    SELECT customer_id, coalesce(order_id, '') AS order_id, ordered_at::DATE - DATE '1970-01-01' AS day,
           amount < 0 OR coalesce(is_return, false) AS returned,
           CASE WHEN returned THEN -abs(amount) ELSE amount END AS net
    FROM purchases WHERE ordered_at::DATE <= ?),
summed AS (
    SELECT customer_id, returned, json_array(day, order_id, sum(net ORDER BY net)) AS entry
    FROM lines GROUP BY customer_id, returned, day, order_id)
SELECT customer_id, to_json({
    'orders': coalesce(list(entry ORDER BY entry::VARCHAR) FILTER (NOT returned), []),
    'returns': coalesce(list(entry ORDER BY entry::VARCHAR) FILTER (returned), [])})
FROM summed GROUP BY customer_id ORDER BY customer_id
"""


def receipts(ledger: Ledger, as_of: date) -> Iterator[tuple[str, str]]:
    """Yield every customer with what :class:`models.receipts.Receipts` reads, ordered by customer.

    Parameters
    ----------
    ledger
        Where the purchases lie.
    as_of
        The last visible day (UTC).
    """
    with ledger.connection.cursor() as cursor:
        cursor.execute(_RECEIPTS, [as_of])
        while batch := cursor.fetchmany(_BATCH):
            yield from batch
