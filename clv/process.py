"""What all models of the purchase process have in common: the estimator around the formulas.

A model file holds the formulas of one paper as plain functions and a small class that names its
parameters; fitting, checking, predicting, saving and loading are here, once.
"""

from __future__ import annotations

import json
import warnings
from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from clv.document import opened
from clv.errors import NotFitted, NotIdentified
from clv.fitting import DropoutNotIdentified, Fit, LittleEvidence, Score, maximise, sample_rows
from clv.histories import FloatArray, Histories, Table, compress, histories
from clv.quadrature import unit_rule

__all__ = ["DISCOUNT_RULE", "FORMAT", "PurchaseProcess", "daily_rate"]

FORMAT = 1
"""Version of the JSON a fitted model is written as."""

DAYS_PER_YEAR = 365.0
DISCOUNT_RULE = unit_rule(8)
"""Moments of the horizon, and their shares, at which orders to be discounted are asked for."""


def daily_rate(annual_discount: float) -> float:
    """Turn an annual discount (0.10 for 10 %) into a continuous rate per day.

    Examples
    --------
    >>> round(daily_rate(0.10) * 365, 4)
    0.0953
    """
    return float(np.log1p(annual_discount)) / DAYS_PER_YEAR


class PurchaseProcess(BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn ships no types
    """A model of when customers buy and when they stop.

    Parameters
    ----------
    prior
        Put a weak prior on every parameter, so that small or extreme data still have an answer. Switch it
        off for plain maximum likelihood.

    Attributes
    ----------
    parameters_
        Name and value; time-like parameters are in days (or whatever unit the table is in).
    standard_errors_
        Name and standard error, by the delta method from the curvature in log parameters.
    covariance_
        Covariance of the log parameters, shape (k, k), in the order of ``parameters_``.
    log_likelihood_
        At the maximum, without the prior.
    customers_
        Total weight fitted on.
    dropout_identified_
        False when the data do not show that customers leave, and the model answers as the NBD.
    """

    kind: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    time_like: ClassVar[tuple[str, ...]]
    starts: ClassVar[tuple[tuple[float, ...], ...]]
    settled: ClassVar[dict[str, float]] = {}
    """The values of the dropout parameters at which nobody ever leaves; empty for a model without dropout."""

    parameters_: dict[str, float]
    standard_errors_: dict[str, float]
    covariance_: FloatArray
    log_likelihood_: float
    customers_: float
    dropout_identified_: bool

    def __init__(self, *, prior: bool = True) -> None:
        self.prior = prior

    # -- formulas a model must give, on arrays of equal shape -------------------------------------------
    @abstractmethod
    def _score(self, rows: Histories) -> Score:
        """Return the function from log parameters to the summed log-likelihood and its gradient."""

    @abstractmethod
    def _log_likelihoods(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Return each customer's log-likelihood at the fitted parameters."""

    @abstractmethod
    def alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray) -> FloatArray:
        """Return the probability of being alive, shape (n,); arrays are taken as they are."""

    @abstractmethod
    def orders(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, horizon: float, alive: FloatArray | None = None
    ) -> FloatArray:
        """Return expected orders in the horizon, shape (n,); ``alive`` where it is known already."""

    @abstractmethod
    def stays_if_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray, ahead: float) -> FloatArray:
        """Return the chance that a customer alive now is still alive at a time ahead."""

    @abstractmethod
    def window_if_alive(
        self, x: FloatArray, t_x: FloatArray, T: FloatArray, start: float, length: float
    ) -> FloatArray:
        """Return the chance that a customer alive now orders within ``length`` after ``start`` from now."""

    @abstractmethod
    def wait_if_alive(self, x: FloatArray, t_x: FloatArray, T: FloatArray, share: float) -> FloatArray:
        """Return the quantile ``share`` of the time until the next order, given that there is one."""

    # -- fitting ----------------------------------------------------------------------------------------
    def fit(self, X: Table, y: object = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit the parameters.

        Parameters
        ----------
        X
            Table with ``frequency``, ``recency_days``, ``age_days``, one row a customer.
        y
            Ignored; scikit-learn asks for it.
        sample_weight
            Customers each row stands for, shape (n,).

        Returns
        -------
        PurchaseProcess
            Itself.

        Raises
        ------
        DataError
            When the table is unusable.
        NotIdentified
            Without a prior, when the likelihood has no maximum (nobody bought twice).
        """
        del y
        rows = compress(histories(X, sample_weight))
        self._refuse_unidentified(rows)
        unit = self._unit(rows)
        scaled = rows.in_units_of(unit)
        fit = self._maximum(scaled)
        orders = float(rows.weight @ rows.frequency)
        self._keep(fit, unit, float(rows.weight.sum()), orders)
        self._fall_back(scaled, unit, orders)
        return self

    def _unit(self, rows: Histories) -> float:
        """Return the unit of time the parameters are sought in: the mean age."""
        return float(np.average(rows.age, weights=rows.weight)) or 1.0

    def _refuse_unidentified(self, rows: Histories) -> None:
        if len(rows) == 0:
            raise NotIdentified("There are no customers to learn from.", hint="Fit on at least one.")
        if rows.frequency.any() and rows.age.any():
            return
        if not self.prior:
            raise NotIdentified(
                "Nobody in these data bought twice, so no rate has a maximum of likelihood.",
                hint="Leave prior=True for a finite answer, or wait for repeat orders.",
            )
        warnings.warn("Nobody bought twice: the prior decides the rates.", LittleEvidence, stacklevel=3)

    def _maximum(self, scaled: Histories) -> Fit:
        sample = sample_rows(scaled)
        coarse = None if sample is None else (self._score(sample), float(sample.weight.sum()))
        total = float(scaled.weight.sum())
        return maximise(self._score(scaled), self.starts, total_weight=total, prior=self.prior, coarse=coarse)

    def _keep(self, fit: Fit, unit: float, customers: float, orders: float) -> None:
        values = np.exp(fit.log_parameters)
        scale = np.array([unit if name in self.time_like else 1.0 for name in self.names])
        values = values * scale
        self.parameters_ = dict(zip(self.names, values.tolist(), strict=True))
        errors = values * np.sqrt(np.diag(fit.covariance))
        self.standard_errors_ = dict(zip(self.names, errors.tolist(), strict=True))
        self.covariance_ = fit.covariance
        self.log_likelihood_ = fit.log_likelihood - orders * float(np.log(unit))
        self.customers_ = customers
        self.dropout_identified_ = True

    def _fall_back(self, scaled: Histories, unit: float, orders: float) -> None:
        """Answer as the NBD when dropout improves the likelihood by less than one, or is practically nil."""
        if not self.settled:
            return
        from clv.nbd import NBD  # noqa: PLC0415  (the NBD is itself a purchase process)

        plain = NBD(prior=self.prior)
        plain._keep(plain._maximum(scaled), unit, self.customers_, orders)
        if self.log_likelihood_ - plain.log_likelihood_ >= 1.0 and self._leaves(unit):
            return
        warnings.warn(
            f"The data do not show that customers leave ({self.kind}); the answers are those of the NBD.",
            DropoutNotIdentified,
            stacklevel=3,
        )
        self.parameters_ = {**plain.parameters_, **self.settled}
        self.standard_errors_ = {**plain.standard_errors_, **dict.fromkeys(self.settled, 0.0)}
        self.covariance_ = np.zeros((len(self.names), len(self.names)))
        self.covariance_[:2, :2] = plain.covariance_
        self.log_likelihood_ = plain.log_likelihood_
        self.dropout_identified_ = False

    def _leaves(self, unit: float) -> bool:
        """Tell whether more than practically nobody leaves within ``unit`` of time."""
        del unit
        return True

    # -- answering --------------------------------------------------------------------------------------
    def _values(self) -> tuple[float, ...]:
        try:
            return tuple(self.parameters_.values())
        except AttributeError as error:
            raise NotFitted(f"This {self.kind} model has not been fitted.", hint="Call fit first.") from error

    def log_likelihood(self, X: Table, sample_weight: npt.ArrayLike | None = None) -> float:
        """Return the log-likelihood of a table at the fitted parameters, summed over customers."""
        self._values()
        rows = histories(X, sample_weight)
        return float(rows.weight @ self._log_likelihoods(rows.frequency, rows.recency, rows.age))

    def probability_alive(self, X: Table) -> FloatArray:
        """Return the probability that each customer will ever buy again in the model's sense, shape (n,)."""
        self._values()
        rows = histories(X)
        return self.alive(rows.frequency, rows.recency, rows.age)

    def expected_orders(self, X: Table, horizon_days: float) -> FloatArray:
        """Return the orders to expect from each customer in the next ``horizon_days``, shape (n,).

        Examples
        --------
        >>> from clv.bgnbd import BGNBD
        >>> model = BGNBD.of(r=0.243, alpha=4.414, a=0.793, b=2.426)   # weeks
        >>> history = {"frequency": [2], "recency_days": [30.43], "age_days": [38.86]}
        >>> print(round(model.expected_orders(history, 39.0)[0], 3))
        1.226
        """
        self._values()
        rows = histories(X)
        return self.orders(rows.frequency, rows.recency, rows.age, horizon_days)

    def discounted_orders(
        self,
        x: FloatArray,
        t_x: FloatArray,
        T: FloatArray,
        horizon: float,
        rate: float,
        alive: FloatArray | None = None,
    ) -> FloatArray:
        """Return expected orders in the horizon, each worth ``exp(-rate * time until it)``.

        Parameters
        ----------
        x, t_x, T
            Frequency, recency and age, shape (n,), taken as they are.
        horizon
            Length of the horizon, same unit as age.
        rate
            Continuous discount rate per unit of time.
        alive
            Probability of being alive, where it is known already.
        """
        total: FloatArray = np.exp(-rate * horizon) * self.orders(x, t_x, T, horizon, alive)
        if rate == 0.0:
            return total
        # by parts: the orders of a day are the increase of the expected orders until that day
        for node, share in zip(*DISCOUNT_RULE, strict=True):
            until = horizon * float(node)
            worth = rate * horizon * share * np.exp(-rate * until)
            total = total + worth * self.orders(x, t_x, T, until, alive)
        return total

    def expected_orders_new(self, horizon_days: float) -> float:
        """Return the repeat orders to expect from somebody who bought for the first time just now."""
        self._values()
        zero = np.zeros(1)
        return float(self.orders(zero, zero, zero, horizon_days)[0])

    # -- writing down -----------------------------------------------------------------------------------
    @classmethod
    def of(cls, **parameters: float) -> Self:
        """Make a fitted model from known parameters.

        Examples
        --------
        >>> from clv.nbd import NBD
        >>> print(round(NBD.of(r=0.385, alpha=12.07).expected_orders_new(39.0), 2))
        1.24
        """
        model = cls()
        model.parameters_ = {name: float(parameters[name]) for name in cls.names}
        model.standard_errors_ = dict.fromkeys(cls.names, 0.0)
        model.covariance_ = np.zeros((len(cls.names), len(cls.names)))
        model.log_likelihood_, model.customers_ = float("nan"), 0.0
        model.dropout_identified_ = any(
            model.parameters_[name] != value for name, value in cls.settled.items()
        )
        return model

    def to_json(self) -> str:
        """Write settings, parameters and their uncertainty; no data."""
        self._values()
        likelihood = None if np.isnan(self.log_likelihood_) else self.log_likelihood_
        return json.dumps(
            {
                "kind": self.kind,
                "format": FORMAT,
                "settings": self.get_params(),
                "parameters": self.parameters_,
                "standard_errors": self.standard_errors_,
                "covariance": self.covariance_.tolist(),
                "log_likelihood": likelihood,
                "customers": self.customers_,
                "dropout_identified": self.dropout_identified_,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read back what :meth:`to_json` wrote.

        Raises
        ------
        UnknownFormat
            When the text is of another kind of model or of a later format.
        """
        content = opened(text, kind=cls.kind, latest=FORMAT)
        model = cls(**content["settings"])
        written: dict[str, float] = content["parameters"]  # a file may have sorted the names
        model.parameters_ = {name: float(written[name]) for name in dict.fromkeys((*cls.names, *written))}
        model.standard_errors_ = {
            str(name): float(value) for name, value in content["standard_errors"].items()
        }
        model.covariance_ = np.array(content["covariance"], dtype=np.float64)
        likelihood = content["log_likelihood"]
        model.log_likelihood_ = float("nan") if likelihood is None else float(likelihood)
        model.customers_ = float(content["customers"])
        model.dropout_identified_ = bool(content["dropout_identified"])
        return model
