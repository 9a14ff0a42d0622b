"""What one customer, or every customer, is worth: orders, spend, margin and time put together.

One code path scores a table at night and one customer during the day; both give the same numbers.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv import columns as col
from clv.errors import BundleError, SettingError, UnknownFormat
from clv.histories import FloatArray, column, histories
from clv.kinds import model_of_json, process_of
from clv.process import PurchaseProcess, daily_rate
from clv.spend import GammaGamma

__all__ = ["CustomerValue", "ValueConfig", "ValueModel"]

FORMAT: Final = 1
FILE: Final = "value.json"
FAR_AHEAD_DAYS: Final = 3_650.0


@dataclass(frozen=True, slots=True)
class ValueConfig:
    """How value is counted.

    Parameters
    ----------
    kind
        Purchase model: ``nbd``, ``bgnbd``, ``mbgnbd``, ``paretonbd`` and so on (see ``clv.kinds``).
    annual_discount
        Yearly discount on future money, 0.10 for 10 %; at least 0.
    margin_rate
        Margin per unit of net revenue, between 0 and 1; 1 counts revenue.
    prior
        Weak priors on the parameters (see ``clv.fitting``).
    """

    kind: str = "bgnbd"
    annual_discount: float = 0.10
    margin_rate: float = 1.0
    prior: bool = True

    def __post_init__(self) -> None:
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
        Purchase days so far, and to expect over the horizon.
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


@dataclass(frozen=True)
class ValueModel:
    """A fitted valuation: a purchase model, a spend model and how value is counted.

    Parameters
    ----------
    process
        Fitted purchase model.
    spend
        Fitted spend model.
    as_of
        The day it was fitted on.
    config
        How value is counted.

    Examples
    --------
    >>> from clv.bgnbd import BGNBD
    >>> orders = BGNBD.of(r=0.243, alpha=30.9, a=0.793, b=2.426)
    >>> model = ValueModel(orders, GammaGamma.of(p=6.25, q=3.74, gamma=15.44), date(1997, 9, 30))
    >>> ann = model.predict_one(frequency=2, recency_days=213, age_days=272, monetary_value=30.0)
    >>> print(round(ann.predicted_number_of_orders, 2), round(ann.predicted_clv, 2))
    1.56 46.26
    """

    process: PurchaseProcess
    spend: GammaGamma
    as_of: date
    config: ValueConfig = field(default_factory=ValueConfig)

    # -- making -----------------------------------------------------------------------------------------
    @classmethod
    def fit(cls, summary: pd.DataFrame, *, as_of: date, config: ValueConfig | None = None) -> ValueModel:
        """Fit on a summary table.

        Parameters
        ----------
        summary
            As :func:`clv.summary.summarize` gives it: ``frequency``, ``recency_days``, ``age_days``,
            ``monetary_value``.
        as_of
            The day the summary was made for.
        config
            How value is counted, and by which purchase model.
        """
        config = config or ValueConfig()
        process = process_of(config.kind)(prior=config.prior).fit(summary)
        spend = GammaGamma(prior=config.prior).fit(
            column(summary, col.FREQUENCY), column(summary, col.MONETARY_VALUE)
        )
        return cls(process, spend, as_of, config)

    # -- answering --------------------------------------------------------------------------------------
    def predict(
        self, summary: pd.DataFrame, horizon_days: float = 365, *, as_of: date | None = None
    ) -> pd.DataFrame:
        """Score a table.

        Parameters
        ----------
        summary
            Summary of each customer; ``historic_revenue`` is used where it is there, else spend per
            repeat order times orders.
        horizon_days
            How far ahead to look.
        as_of
            The day the summary was made for, to turn waiting times into dates; the day of the fit by default.

        Returns
        -------
        pandas.DataFrame
            The table with every field of ``VALUE_FIELDS``, ``probability_alive``,
            ``expected_order_value`` and ``discounted_orders``; their meaning is that of
            :class:`CustomerValue`.
        """
        rows = histories(summary)
        m = column(summary, col.MONETARY_VALUE)
        revenue = column(summary, col.HISTORIC_REVENUE) if col.HISTORIC_REVENUE in summary.columns else None
        scored = self._score(rows.frequency, rows.recency, rows.age, m, revenue, horizon_days)
        wait = scored.pop("wait_days")
        near = np.where(wait <= FAR_AHEAD_DAYS, wait, np.nan)
        days = pd.to_timedelta(np.round(near), unit="D").to_numpy()
        scored[col.HISTORIC_NUMBER_OF_ORDERS] = scored[col.HISTORIC_NUMBER_OF_ORDERS].astype(np.int64)
        dates = (pd.Timestamp(as_of or self.as_of) + pd.Series(days)).to_numpy().astype("datetime64[s]")
        return summary.assign(**scored, **{col.EXPECTED_DATE_OF_NEXT_ORDER: dates})

    def predict_one(
        self,
        frequency: float,
        recency_days: float,
        age_days: float,
        monetary_value: float,
        *,
        historic_revenue: float | None = None,
        horizon_days: float = 365,
        as_of: date | None = None,
    ) -> CustomerValue:
        """Score one customer without a table: the same numbers, fast enough for a live conversation."""
        x, t_x, T, m = np.array([[frequency], [recency_days], [age_days], [monetary_value]], dtype=np.float64)
        revenue = None if historic_revenue is None else np.array([historic_revenue], dtype=np.float64)
        scored = {
            name: float(value[0]) for name, value in self._score(x, t_x, T, m, revenue, horizon_days).items()
        }
        wait = scored.pop("wait_days")
        due = (as_of or self.as_of) + timedelta(days=round(wait)) if wait <= FAR_AHEAD_DAYS else None
        between = scored.pop(col.AVERAGE_DAYS_BETWEEN_ORDERS)
        return CustomerValue(
            historic_number_of_orders=int(scored.pop(col.HISTORIC_NUMBER_OF_ORDERS)),
            average_days_between_orders=between if frequency > 0 else None,
            expected_date_of_next_order=due,
            **scored,
        )

    def _score(
        self,
        x: FloatArray,
        t_x: FloatArray,
        T: FloatArray,
        m: FloatArray,
        revenue: FloatArray | None,
        horizon: float,
    ) -> dict[str, FloatArray]:
        process, margin = self.process, self.config.margin_rate
        alive = process.alive(x, t_x, T)
        orders = process.orders(x, t_x, T, horizon, alive)
        rate = daily_rate(self.config.annual_discount)
        discounted = process.discounted_orders(x, t_x, T, horizon, rate, alive)
        spend = self.spend.expected_spend(x, m)
        so_far = (x + 1.0) * np.where(x > 0, m, spend) if revenue is None else revenue
        ordered = process.window_if_alive(x, t_x, T, 0.0, horizon)
        predicted = margin * discounted * spend
        return {
            col.HISTORIC_CLV: margin * so_far,
            col.PREDICTED_CLV: predicted,
            col.TOTAL_CLV: margin * so_far + predicted,
            col.HISTORIC_NUMBER_OF_ORDERS: x + 1.0,
            col.PREDICTED_NUMBER_OF_ORDERS: orders,
            col.AVERAGE_DAYS_BETWEEN_ORDERS: np.where(x > 0, t_x / np.maximum(x, 1.0), np.nan),
            col.AVERAGE_ORDER_VALUE: so_far / (x + 1.0),
            col.CHURN_PROBABILITY: 1.0 - alive * ordered,
            col.PROBABILITY_ALIVE: alive,
            "expected_order_value": spend,
            "discounted_orders": discounted,
            "wait_days": process.wait_if_alive(x, t_x, T, 0.5),
        }

    # -- keeping ----------------------------------------------------------------------------------------
    def save(self, folder: Path) -> None:
        """Write the model into a folder as JSON; no data, nothing that could be executed."""
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "format": FORMAT,
            "as_of": self.as_of.isoformat(),
            "config": asdict(self.config),
            "process": json.loads(self.process.to_json()),
            "spend": json.loads(self.spend.to_json()),
        }
        (folder / FILE).write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ValueModel:
        """Read a model back; runs no code from the folder.

        Raises
        ------
        BundleError
            When the folder holds no value model.
        UnknownFormat
            When it was written by a later format.
        """
        path = folder / FILE
        if not path.is_file():
            raise BundleError("There is no value model here.", where=str(path), hint="Train one first.")
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if int(content["format"]) > FORMAT:
            raise UnknownFormat(
                f"Format {content['format']} is newer than {FORMAT}.", where=str(path), hint="Upgrade."
            )
        return cls(
            process=model_of_json(json.dumps(content["process"])),
            spend=GammaGamma.from_json(json.dumps(content["spend"])),
            as_of=date.fromisoformat(content["as_of"]),
            config=ValueConfig(**content["config"]),
        )

    def with_config(self, **changes: Any) -> ValueModel:  # noqa: ANN401  (the fields of ValueConfig)
        """Return the same fitted model counting value differently, say with another margin or discount."""
        return replace(self, config=replace(self.config, **changes))
