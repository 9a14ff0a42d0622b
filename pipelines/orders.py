"""What each customer spent on which day, as the value model reads it: a tenth of the lines, equal answers."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Final

import pandas as pd

from clv.circumstances import Circumstances
from clv.columns import TILT
from clv.errors import TooLittleData
from clv.summary import summarize, with_log_gaps
from clv.valuation import ValueModel
from pipelines.ledger import Ledger

# Lines of one day are summed; returns stay apart, since which day they net against depends on what is
# visible, and for who returned something also on the order. An amount of zero is a purchase. The sum is taken
# in one order: threads would change its last digit, and with it the fingerprint.
_ORDERS: Final = """
WITH lines AS (
    SELECT customer_id, order_id, ordered_at::DATE::TIMESTAMP AS day, amount,
           amount < 0 OR coalesce(is_return, false) AS returned
    FROM purchases WHERE ordered_at::DATE <= ?),
signed AS (
    SELECT customer_id, day, returned, CASE WHEN returned THEN -abs(amount) ELSE amount END AS net,
           CASE WHEN customer_id IN (SELECT customer_id FROM lines WHERE returned) THEN order_id END
           AS order_id
    FROM lines)
SELECT customer_id, order_id, day AS ordered_at, sum(net ORDER BY net) AS amount, returned AS is_return
FROM signed GROUP BY ALL ORDER BY customer_id, ordered_at, order_id, is_return
"""


def order_log(ledger: Ledger, as_of: date) -> pd.DataFrame:
    """Return what was bought and given back up to and including a day.

    Parameters
    ----------
    ledger
        Where the purchases lie.
    as_of
        The last visible day.

    Returns
    -------
    pandas.DataFrame
        ``customer_id``, ``order_id`` (of customers who returned something), ``ordered_at`` (the day),
        ``amount``, ``is_return``; ordered.

    Raises
    ------
    TooLittleData
        If there is no purchase up to that day.
    """
    orders: pd.DataFrame = ledger.connection.execute(_ORDERS, [as_of]).df()
    if orders.empty or bool(orders["is_return"].all()):
        hint = "Ingest a log of purchases, or choose a later day."
        raise TooLittleData("There is no purchase up to this day.", where=as_of.isoformat(), hint=hint)
    return orders


def summary_of(orders: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Return the summary of every customer as of a day, with what a model of regular buyers needs beside it.

    Parameters
    ----------
    orders
        As :func:`order_log` returns them; what is later than ``as_of`` is not looked at.
    as_of
        The last visible day.

    Returns
    -------
    pandas.DataFrame
        As :func:`clv.summary.summarize` gives it, and ``log_gap_sum``.
    """
    return with_log_gaps(summarize(orders, as_of), orders, as_of)


def tilted(
    model: ValueModel,
    summary: pd.DataFrame,
    orders: pd.DataFrame,
    as_of: date,
    circumstances: Circumstances | None = None,
) -> pd.DataFrame:
    """Return a summary with what the log's past says of each customer beyond it, in the column ``tilt``.

    Parameters
    ----------
    model
        The model that is to score the summary.
    summary
        One row a customer, as of ``as_of``.
    orders
        As :func:`order_log` returns them.
    as_of
        The day the summary was made for.
    circumstances
        What is known of customers beyond their orders; see :mod:`pipelines.circumstances`.
    """
    tilts = model.tilts(summary, orders, as_of=as_of, circumstances=circumstances)
    return summary.assign(**{TILT: tilts})


def fingerprint_of(table: pd.DataFrame) -> str:
    """Return the SHA-256 of a table's content, equal for equal rows in equal order.

    Examples
    --------
    >>> one, other = pd.DataFrame({"a": [1.0, 2.0]}), pd.DataFrame({"a": [2.0, 1.0]})
    >>> fingerprint_of(one) == fingerprint_of(one.copy()), fingerprint_of(one) == fingerprint_of(other)
    (True, False)
    """
    rows = pd.util.hash_pandas_object(table, index=False).to_numpy()
    head = ",".join(map(str, table.columns)).encode()
    return hashlib.sha256(head + rows.tobytes()).hexdigest()
