"""What does it cost to supply and to serve each customer? Unit costs become margins, talk becomes money."""

from __future__ import annotations

from datetime import date
from typing import Final

import pandas as pd

from clv.columns import HISTORIC_SERVICE_COST, MARGIN_RATE, SERVICE_COST_PER_DAY
from clv.service import AgentCost, margin_rates, service_costs
from pipelines.days import midnight_after
from pipelines.ledger import Ledger

_COSTED: Final = """
SELECT p.customer_id, p.ordered_at, p.quantity, coalesce(p.unit_cost, g.unit_cost) AS unit_cost,
       CASE WHEN p.is_return THEN -abs(p.amount) ELSE p.amount END AS amount
FROM purchases p LEFT JOIN products g USING (product_id)
WHERE coalesce(p.unit_cost, g.unit_cost) IS NOT NULL AND p.ordered_at < ?
ORDER BY ALL
"""
# What nobody timed takes no agent's time if it went out, such as a mailing; a customer's own contact does.
_TALKS: Final = """
SELECT customer_id, occurred_at, handle_seconds, wrap_up_seconds FROM interactions
WHERE occurred_at < ? AND (handle_seconds IS NOT NULL OR direction IS DISTINCT FROM 'outbound')
ORDER BY ALL
"""


def with_costs(
    ledger: Ledger, summary: pd.DataFrame, as_of: date, agent: AgentCost | None = None
) -> pd.DataFrame:
    """Add what the log tells of margins and of the cost to serve.

    Parameters
    ----------
    ledger
        Unit costs stand with the purchases or the products, handling times with the interactions.
    summary
        The customers, with ``age_days``.
    as_of
        The last visible day.
    agent
        What an agent's time costs; None leaves the cost to serve out.

    Returns
    -------
    pandas.DataFrame
        The summary, with ``margin_rate`` where the ledger holds unit costs, and with
        ``historic_service_cost`` and ``service_cost_per_day`` where an agent's time has a price and the
        ledger holds handling times.
    """
    end = midnight_after(as_of)
    costed = ledger.connection.execute(_COSTED, [end]).df()
    if len(costed):
        lines = costed.assign(quantity=costed["quantity"].fillna(1.0))
        summary = summary.assign(**{MARGIN_RATE: margin_rates(lines, summary, as_of)})
    if agent is None:
        return summary
    talks = ledger.connection.execute(_TALKS, [end]).df()
    if talks["handle_seconds"].notna().any():
        costs = service_costs(talks, summary, as_of, agent)
        names = (HISTORIC_SERVICE_COST, SERVICE_COST_PER_DAY)
        summary = summary.assign(**{name: costs[name] for name in names})
    return summary
