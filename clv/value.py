"""What a customer's value is made of, and how it is counted."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Final

from clv.errors import SettingError

__all__ = ["METHODS", "CustomerValue", "ValueConfig"]

METHODS: Final = ("process", "stack", "machine")


@dataclass(frozen=True, slots=True)
class ValueConfig:
    """How value is counted.

    Parameters
    ----------
    kind
        Purchase model: ``nbd``, ``bgnbd``, ``mbgnbd``, ``paretonbd`` and so on (see ``clv.kinds``);
        ``auto`` takes the one the data make most likely.
    annual_discount
        Yearly discount on future money, 0.10 for 10 %; at least 0.
    margin_rate
        Margin per unit of net revenue, between 0 and 1; 1 counts revenue.
    prior
        Weak priors on the parameters (see ``clv.fitting``).
    method
        ``process`` takes the purchase model's word; ``stack`` lets trees correct its ranking and the
        log's past its level (see ``clv.stacking``); ``machine`` takes the trees' word. The last two need
        the purchase log to fit.
    horizon_days
        The horizon ``stack`` and ``machine`` learn for.
    season
        How much busier than usual the horizon will be, where the log cannot know (1.3: 30 % more); by
        default it is looked up a year earlier (see ``clv.season``). Only ``stack`` and ``machine`` use
        it.
    beyond_orders
        Whether ``stack`` and ``machine`` learn from circumstances where they are given (see
        ``clv.circumstances``).
    random_state
        Seed of the trees.
    """

    kind: str = "bgnbd"
    annual_discount: float = 0.10
    margin_rate: float = 1.0
    prior: bool = True
    method: str = "process"
    horizon_days: float = 365.0
    season: float | None = None
    beyond_orders: bool = True
    random_state: int = 0

    def bare(self) -> ValueConfig:
        """Return the same purchase model alone, counting undiscounted revenue."""
        return replace(self, method="process", annual_discount=0.0, margin_rate=1.0)

    def __post_init__(self) -> None:
        if self.horizon_days <= 0:
            raise SettingError("horizon_days is out of range.", where=str(self.horizon_days), hint="Above 0.")
        if self.season is not None and self.season <= 0:
            raise SettingError("season is out of range.", where=str(self.season), hint="1.3 is 30 % busier.")
        if self.method not in METHODS:
            raise SettingError(
                "There is no such method.", where=self.method, hint=f"One of {', '.join(METHODS)}."
            )
        if not 0.0 <= self.annual_discount < 10.0:
            raise SettingError(
                "annual_discount is out of range.", where=str(self.annual_discount), hint="0.10 is 10 %."
            )
        if not 0.0 < self.margin_rate <= 1.0:
            raise SettingError(
                "margin_rate is out of range.", where=str(self.margin_rate), hint="Above 0, at most 1."
            )


@dataclass(frozen=True, slots=True)
class CustomerValue:
    """One scored customer: the fields of ``clv.columns.VALUE_FIELDS`` and the parts they are made of.

    Parameters
    ----------
    historic_clv, predicted_clv, total_clv
        Margin so far, discounted margin to expect over the horizon, and their sum.
    historic_number_of_orders, predicted_number_of_orders
        Purchase days so far, and to expect over the horizon. The latter is the purchase model's at the
        level the log's past taught; like ``churn_probability`` and the date of the next order, it does not
        carry the tilt, which was learnt from money: whether it comes from more orders or from dearer ones
        is not known, so it is in ``predicted_clv`` alone.
    average_days_between_orders
        Recency over frequency; none before the second order.
    average_order_value
        Net revenue per purchase day so far.
    churn_probability
        Probability that the customer places no order in the horizon.
    expected_date_of_next_order
        The day before which the next order comes with even chances, given that there is one; none if
        later than ten years.
    probability_alive
        Probability that the customer has not left.
    expected_order_value
        Spend to expect per future order.
    discounted_orders
        Orders to expect over the horizon, each discounted to today.
    predicted_service_cost, net_clv
        Discounted cost of serving the customer over the horizon, and total value less what serving cost
        and will cost; none where the cost to serve is not known.
    """

    historic_clv: float
    predicted_clv: float
    total_clv: float
    historic_number_of_orders: int
    predicted_number_of_orders: float
    average_days_between_orders: float | None
    average_order_value: float
    churn_probability: float
    expected_date_of_next_order: date | None
    probability_alive: float
    expected_order_value: float
    discounted_orders: float
    predicted_service_cost: float | None = None
    net_clv: float | None = None

    def as_fields(self) -> dict[str, float | date | None]:
        """Return the numbers by name, without costs that are not known."""
        found = {name: getattr(self, name) for name in _NAMES}
        return {name: v for name, v in found.items() if v is not None or name not in _COSTS}


_NAMES: Final = tuple(field.name for field in fields(CustomerValue))
_COSTS: Final = frozenset({"predicted_service_cost", "net_clv"})
