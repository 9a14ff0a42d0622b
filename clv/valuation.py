"""What one customer, or every customer, is worth: orders, spend, margin and time put together.

One code path scores a table at night and one customer during the day; both give the same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clv import columns as col
from clv.circumstances import Circumstances
from clv.columns import TILT
from clv.errors import BundleError, DataError, TooLittleData, UnknownFormat
from clv.histories import FloatArray, column, histories
from clv.kinds import likeliest, model_of_json, process_of
from clv.process import PurchaseProcess, daily_rate
from clv.quadrature import unit_rule
from clv.spend import GammaGamma
from clv.stacking import Stack, Teaching, assemble, teach
from clv.value import CustomerValue, ValueConfig

__all__ = ["CustomerValue", "ValueConfig", "ValueModel"]

FORMAT: Final = 1
FILE: Final = "value.json"
FAR_AHEAD_DAYS: Final = 3_650.0
AUTO: Final = "auto"
_LIFE: Final = unit_rule(6)


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
    stack: Stack | None = None

    # -- making -----------------------------------------------------------------------------------------
    @classmethod
    def fit(
        cls,
        summary: pd.DataFrame,
        *,
        as_of: date,
        config: ValueConfig | None = None,
        purchases: pd.DataFrame | None = None,
        spend: GammaGamma | None = None,
        circumstances: Circumstances | None = None,
    ) -> ValueModel:
        """Fit on a summary table.

        Parameters
        ----------
        summary
            As :func:`clv.summary.summarize` gives it: ``frequency``, ``recency_days``, ``age_days``,
            ``monetary_value``. With ``historic_revenue`` spend is learnt from all orders, the first included.
        as_of
            The day the summary was made for.
        config
            How value is counted, by which purchase model and method.
        purchases
            The log the summary was made from; needed by the methods ``stack`` and ``machine``.
        spend
            A spend model fitted on the same summary already, where several purchase models are tried on it.
        circumstances
            What is known of customers beyond their orders on a day, for the trees to learn from; without
            it they know orders alone.

        Raises
        ------
        DataError
            When a method needs the purchase log and it is not given.
        TooLittleData
            When the log has too short a past to learn from: one day shows nobody coming back or staying away.
        """
        config = config or ValueConfig()
        if not (column(summary, col.AGE_DAYS) > 0).any():
            raise TooLittleData(
                "Nobody's first order lies before this day: how often customers come back cannot be seen.",
                where=as_of.isoformat(),
                hint="Take in a longer log, or choose a later day.",
            )
        process = (
            likeliest(summary, prior=config.prior)
            if config.kind == AUTO
            else process_of(config.kind)(prior=config.prior).fit(summary)
        )
        config = replace(config, kind=process.kind)
        x, m, revenue = (
            column(summary, col.FREQUENCY),
            column(summary, col.MONETARY_VALUE),
            _revenue(summary),
        )
        spend = spend or GammaGamma(prior=config.prior).fit(*_evidence(x, m, revenue))
        plain = cls(process, spend, as_of, config)
        if config.method == "process":
            return plain
        if purchases is None or revenue is None:
            raise DataError(
                f"The method {config.method} learns from the purchase log.",
                hint="Hand over purchases and a summary with historic_revenue.",
            )
        circumstances = circumstances if config.beyond_orders else None
        teaching = teach(purchases, summary, as_of=as_of, config=config, circumstances=circumstances)
        return plain.taught(teaching, summary, purchases, circumstances)

    def taught(
        self,
        teaching: Teaching,
        summary: pd.DataFrame,
        purchases: pd.DataFrame,
        circumstances: Circumstances | None = None,
    ) -> ValueModel:
        """Return the model corrected by what earlier days taught (see :func:`clv.stacking.teach`)."""
        stack = assemble(
            teaching, purchases, summary, self,
            as_of=self.as_of, config=self.config, circumstances=circumstances,
        )  # fmt: skip
        return replace(self, stack=stack)

    def tilts(
        self,
        summary: pd.DataFrame,
        purchases: pd.DataFrame,
        *,
        as_of: date | None = None,
        circumstances: Circumstances | None = None,
    ) -> FloatArray:
        """Return by what the trees and the log's past correct each customer's value, shape (n,).

        Put it into the table as the column ``tilt`` before :meth:`predict`, or hand it to
        :meth:`predict_one`: it is what is known of a customer from last night's log, while the rest moves
        with every order. Somebody the night did not know has none, and is as good as they look. Always 1
        for the method ``process``.

        Raises
        ------
        DataError
            When the model was fitted with circumstances and none are given.
        """
        if self.stack is None:
            return np.ones(len(summary))
        return self.stack.tilts(self, summary, purchases, as_of or self.as_of, circumstances)

    def arrays(
        self, summary: pd.DataFrame
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray | None]:
        """Return frequency, recency, age, monetary value and historic revenue if it is there; checked."""
        rows = histories(summary)
        return rows.frequency, rows.recency, rows.age, column(summary, col.MONETARY_VALUE), _revenue(summary)

    def order_value(self, x: FloatArray, m: FloatArray, revenue: FloatArray | None) -> FloatArray:
        """Return the amount to expect of each customer's next order, shape (n,)."""
        return self.spend.expected_spend(*_evidence(x, m, revenue))

    # -- answering --------------------------------------------------------------------------------------
    def evidence(
        self, x: FloatArray, m: FloatArray, revenue: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        """Return how many orders tell of each customer's spend, and their mean amount."""
        return _evidence(x, m, revenue)

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
        x, t_x, T, m, revenue = self.arrays(summary)
        tilt = column(summary, TILT) if TILT in summary.columns else None
        margin = column(summary, col.MARGIN_RATE) if col.MARGIN_RATE in summary.columns else None
        scored = self._score(x, t_x, T, m, revenue, horizon_days, tilt, margin)
        if col.SERVICE_COST_PER_DAY in summary.columns:
            so_far = np.zeros_like(T)
            if col.HISTORIC_SERVICE_COST in summary.columns:
                so_far = column(summary, col.HISTORIC_SERVICE_COST)
            per_day = column(summary, col.SERVICE_COST_PER_DAY)
            scored |= self._net(x, t_x, T, scored, horizon_days, per_day, so_far)
        wait = scored.pop("wait_days")
        near = np.where(wait <= FAR_AHEAD_DAYS, wait, np.nan)
        days = pd.to_timedelta(np.round(near), unit="D").to_numpy()
        scored[col.HISTORIC_NUMBER_OF_ORDERS] = scored[col.HISTORIC_NUMBER_OF_ORDERS].astype(np.int64)
        dates = (pd.Timestamp(as_of or self.as_of) + pd.Series(days)).to_numpy().astype("datetime64[s]")
        return summary.assign(**scored, **{col.EXPECTED_DATE_OF_NEXT_ORDER: dates})

    def _net(
        self,
        x: FloatArray,
        t_x: FloatArray,
        T: FloatArray,
        scored: Mapping[str, FloatArray],
        horizon: float,
        cost_per_day: FloatArray,
        cost_so_far: FloatArray,
    ) -> dict[str, FloatArray]:
        """Return the discounted cost of serving customers while they live, and value net of all cost."""
        rate = daily_rate(self.config.annual_discount)
        days = sum(
            (
                horizon
                * share
                * np.exp(-rate * horizon * node)
                * self.process.stays_if_alive(x, t_x, T, horizon * node)
                for node, share in zip(*_LIFE, strict=True)
            ),
            np.zeros_like(T),
        )
        cost = cost_per_day * scored[col.PROBABILITY_ALIVE] * days
        return {col.PREDICTED_SERVICE_COST: cost, col.NET_CLV: scored[col.TOTAL_CLV] - cost_so_far - cost}

    def new_customer_value(self, horizon_days: float = 365) -> float:
        """Return the discounted margin to expect of repeat orders of somebody who just made their first."""
        zero = np.zeros(1)
        rate = daily_rate(self.config.annual_discount)
        orders = float(self.process.discounted_orders(zero, zero, zero, horizon_days, rate)[0])
        level = 1.0 if self.stack is None else self.stack.level_value
        return self.config.margin_rate * level * orders * float(self.spend.expected_spend([0.0], [0.0])[0])

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
        tilt: float | None = None,
        margin_rate: float | None = None,
        service_cost_per_day: float | None = None,
        historic_service_cost: float = 0.0,
    ) -> CustomerValue:
        """Score one customer without a table: the same numbers, fast enough for a live conversation.

        ``tilt`` is what :meth:`tilts` said of the customer; without it the customer is as good as they look.
        ``margin_rate`` and the costs to serve are the columns of the same names, from ``clv.service``.
        """
        x, t_x, T, m = np.array([[frequency], [recency_days], [age_days], [monetary_value]], dtype=np.float64)
        revenue = None if historic_revenue is None else np.array([historic_revenue], dtype=np.float64)
        lean = None if tilt is None else np.array([tilt], dtype=np.float64)
        margin = None if margin_rate is None else np.array([margin_rate], dtype=np.float64)
        columns = self._score(x, t_x, T, m, revenue, horizon_days, lean, margin)
        if service_cost_per_day is not None:
            costs = np.array([[service_cost_per_day], [historic_service_cost]], dtype=np.float64)
            columns |= self._net(x, t_x, T, columns, horizon_days, *costs)
        scored = {name: float(value[0]) for name, value in columns.items()}
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
        tilt: FloatArray | None,
        margins: FloatArray | None = None,
    ) -> dict[str, FloatArray]:
        process, margin = self.process, self.config.margin_rate if margins is None else margins
        alive = process.alive(x, t_x, T)
        orders = process.orders(x, t_x, T, horizon, alive)
        rate = daily_rate(self.config.annual_discount)
        discounted = process.discounted_orders(x, t_x, T, horizon, rate, alive)
        spend = self.order_value(x, m, revenue)
        so_far = (x + 1.0) * np.where(x > 0, m, spend) if revenue is None else revenue
        ordered = process.window_if_alive(x, t_x, T, 0.0, horizon)
        level = 1.0 if self.stack is None else self.stack.level_orders
        of_value = 1.0 if self.stack is None else self.stack.level_value
        predicted = margin * discounted * spend * (of_value if tilt is None else tilt)
        return {
            col.HISTORIC_CLV: margin * so_far,
            col.PREDICTED_CLV: predicted,
            col.TOTAL_CLV: margin * so_far + predicted,
            col.HISTORIC_NUMBER_OF_ORDERS: x + 1.0,
            col.PREDICTED_NUMBER_OF_ORDERS: level * orders,
            col.AVERAGE_DAYS_BETWEEN_ORDERS: np.where(x > 0, t_x / np.maximum(x, 1.0), np.nan),
            col.AVERAGE_ORDER_VALUE: so_far / (x + 1.0),
            col.CHURN_PROBABILITY: 1.0 - alive * ordered,
            col.PROBABILITY_ALIVE: alive,
            "expected_order_value": spend,
            "discounted_orders": level * discounted,
            "wait_days": process.wait_if_alive(x, t_x, T, 0.5),
        }

    # -- keeping ----------------------------------------------------------------------------------------
    def save(self, folder: Path) -> None:
        """Write the model into a folder as JSON; no data, nothing that could be executed."""
        folder.mkdir(parents=True, exist_ok=True)
        content: dict[str, Any] = {
            "format": FORMAT,
            "as_of": self.as_of.isoformat(),
            "config": asdict(self.config),
            "process": json.loads(self.process.to_json()),
            "spend": json.loads(self.spend.to_json()),
        }
        if self.stack is not None:
            content["stack"] = self.stack.save(folder)
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
            stack=Stack.load(folder, content["stack"]) if "stack" in content else None,
        )

    def with_config(self, **changes: Any) -> ValueModel:  # noqa: ANN401  (the fields of ValueConfig)
        """Return the same fitted model counting value differently, say with another margin or discount."""
        return replace(self, config=replace(self.config, **changes))


def _revenue(summary: pd.DataFrame) -> FloatArray | None:
    return column(summary, col.HISTORIC_REVENUE) if col.HISTORIC_REVENUE in summary.columns else None


def _evidence(x: FloatArray, m: FloatArray, revenue: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Return how many orders tell of a customer's spend, and their mean: all where the revenue is known."""
    if revenue is None:
        return x, m
    return x + 1.0, np.maximum(revenue, 0.0) / (x + 1.0)
