"""What it costs to serve a customer: time of agents, as it was and as it is to be expected.

An hour of an agent costs more than the wage (on-costs) and yields less than an hour of talk (occupancy).
A customer's rate of contacts is pulled towards everybody's by the same gamma-Poisson reasoning that the
NBD uses for orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from clv.columns import (
    AGE_DAYS,
    CUSTOMER_ID,
    HISTORIC_SERVICE_COST,
    SERVICE_COST_PER_DAY,
)
from clv.errors import MissingColumn, SettingError
from clv.histories import FloatArray, column
from clv.nbd import NBD

__all__ = ["AgentCost", "margin_rates", "service_costs"]


@dataclass(frozen=True, slots=True)
class AgentCost:
    """What an agent's time costs.

    Parameters
    ----------
    wage_per_hour
        Gross wage, in the currency of the ledger; at least 0.
    on_cost_factor
        Wage with social security, room, tools and leadership over the wage alone; at least 1.
    occupancy
        Share of paid time in which an agent handles contacts; above 0, at most 1.

    Examples
    --------
    >>> AgentCost(wage_per_hour=20.0, on_cost_factor=1.5, occupancy=0.75).of(handle_seconds=360.0)
    4.0
    """

    wage_per_hour: float
    on_cost_factor: float = 1.3
    occupancy: float = 0.8

    def __post_init__(self) -> None:
        if self.wage_per_hour < 0 or self.on_cost_factor < 1 or not 0 < self.occupancy <= 1:
            raise SettingError(
                "The cost of an agent is out of range.",
                where=f"{self.wage_per_hour}, {self.on_cost_factor}, {self.occupancy}",
                hint="Wage from 0, on-cost factor from 1, occupancy above 0 and at most 1.",
            )

    def of(self, handle_seconds: float) -> float:
        """Return the cost of so much handling, wrap-up included."""
        return handle_seconds / 3600.0 * self.wage_per_hour * self.on_cost_factor / self.occupancy


def service_costs(
    interactions: pd.DataFrame, summary: pd.DataFrame, as_of: date, agent: AgentCost
) -> pd.DataFrame:
    """Return what each customer's contacts cost so far and cost per day to come.

    Parameters
    ----------
    interactions
        ``customer_id``, ``occurred_at``, ``handle_seconds`` and, where known, ``wrap_up_seconds``; a
        missing time counts as the mean of those known.
    summary
        The customers, with ``age_days``.
    as_of
        The last visible day.
    agent
        What an agent's time costs.

    Returns
    -------
    pandas.DataFrame
        In the order of the summary: ``historic_service_cost`` and ``service_cost_per_day``, the columns
        :meth:`clv.valuation.ValueModel.predict` turns into net value.

    Raises
    ------
    MissingColumn
        When the interactions carry no handling time.
    """
    for name in (CUSTOMER_ID, "occurred_at", "handle_seconds"):
        if name not in interactions.columns:
            raise MissingColumn(
                f"The interactions have no column {name}.", where=name, hint="Map it at ingest."
            )
    when = pd.to_datetime(interactions["occurred_at"], utc=True).dt.tz_localize(None)
    seen = interactions[when < pd.Timestamp(as_of) + pd.Timedelta(days=1)]
    seconds = seen["handle_seconds"].astype(np.float64)
    if "wrap_up_seconds" in seen.columns:
        seconds = seconds + seen["wrap_up_seconds"].astype(np.float64).fillna(0.0)
    usual = float(seconds.mean()) if seconds.notna().any() else 0.0
    by_customer = seconds.fillna(usual).groupby(seen[CUSTOMER_ID]).agg(["size", "sum"])
    table = by_customer.reindex(summary[CUSTOMER_ID], fill_value=0)
    contacts, spent = table["size"].to_numpy(np.float64), table["sum"].to_numpy(np.float64)
    per_contact = (spent + usual) / (contacts + 1.0)
    rate = _contact_rate(contacts, column(summary, AGE_DAYS))
    per_second = agent.of(1.0)
    return pd.DataFrame(
        {HISTORIC_SERVICE_COST: per_second * spent, SERVICE_COST_PER_DAY: per_second * per_contact * rate},
        index=summary.index,
    )


def _contact_rate(contacts: FloatArray, age: FloatArray) -> FloatArray:
    """Return expected contacts per day: each customer's own rate, pulled towards everybody's."""
    days = np.maximum(age, 1.0)
    if not contacts.any():
        return np.zeros_like(days)
    last = np.where(contacts > 0, days, 0.0)  # the NBD does not look at recency
    model = NBD().fit({"frequency": contacts, "recency_days": last, "age_days": days})
    return model.orders(contacts, last, days, 1.0)


def margin_rates(purchases: pd.DataFrame, summary: pd.DataFrame, as_of: date) -> FloatArray:
    """Return each customer's margin per unit of revenue from unit costs, pulled towards everybody's.

    Put it into the table as the column ``margin_rate`` before :meth:`clv.valuation.ValueModel.predict`.

    Parameters
    ----------
    purchases
        ``customer_id``, ``ordered_at``, ``amount``, ``unit_cost`` and, where known, ``quantity`` (1
        otherwise).
    summary
        The customers.
    as_of
        The last visible day.

    Returns
    -------
    numpy.ndarray
        Between 0 and 1, shape (n,): the customer's own margin, weighed as so many orders against ten of
        everybody's.

    Raises
    ------
    MissingColumn
        When the purchases carry no unit cost.
    """
    if "unit_cost" not in purchases.columns:
        raise MissingColumn(
            "The purchases have no column unit_cost.", where="unit_cost", hint="Set a margin rate."
        )
    when = pd.to_datetime(purchases["ordered_at"], utc=True).dt.tz_localize(None)
    seen = purchases[(when < pd.Timestamp(as_of) + pd.Timedelta(days=1)) & purchases["unit_cost"].notna()]
    quantity = seen["quantity"].astype(np.float64) if "quantity" in seen.columns else 1.0
    sums = pd.DataFrame(
        {
            CUSTOMER_ID: seen[CUSTOMER_ID],
            "amount": seen["amount"].astype(np.float64),
            "cost": np.sign(seen["amount"]) * seen["unit_cost"].astype(np.float64) * abs(quantity),
            "lines": 1.0,
        }
    ).groupby(CUSTOMER_ID)
    table = sums.sum().reindex(summary[CUSTOMER_ID], fill_value=0.0)
    revenue, cost, lines = (table[name].to_numpy(np.float64) for name in ("amount", "cost", "lines"))
    everybody = 1.0 - cost.sum() / max(float(revenue.sum()), 1e-9)
    own = 1.0 - cost / np.where(revenue > 0, revenue, np.inf)
    share = np.where(revenue > 0, lines / (lines + 10.0), 0.0)
    rates: FloatArray = np.clip(share * own + (1.0 - share) * everybody, 0.0, 1.0)
    return rates
