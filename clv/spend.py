"""Gamma-Gamma: how much a customer spends per order.

Fader and Hardie (2013), "The Gamma-Gamma model of monetary value" (note 025). The amounts of one customer
are gamma distributed around their own mean, and the means vary over customers; a mean seen over few
orders is pulled towards everybody's.
"""

from __future__ import annotations

import json
import warnings
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import special
from sklearn.base import BaseEstimator

from clv.document import opened
from clv.errors import DataError, NotFitted
from clv.fitting import COARSE_ROWS, LittleEvidence, Score, maximise
from clv.histories import FloatArray

__all__ = ["GammaGamma", "expected_spend", "log_likelihood"]

_FORMAT = 1
_NO_MEAN = 1.01


def log_likelihood(x: FloatArray, m: FloatArray, p: float, q: float, gamma: float) -> FloatArray:
    """Return the log density of a mean ``m`` over ``x`` orders (note 025, equation 1a), shape (n,)."""
    px = p * x
    likelihood: FloatArray = (
        special.gammaln(px + q) - special.gammaln(px) - special.gammaln(q)
        + (px - 1.0) * np.log(m) + px * np.log(x) + q * np.log(gamma) - (px + q) * np.log(gamma + x * m)
    )  # fmt: skip
    return likelihood


def expected_spend(x: FloatArray, m: FloatArray, p: float, q: float, gamma: float, mean: float) -> FloatArray:
    """Return the expected amount per order (note 025, equation 5), or ``mean`` for those without repeats.

    Where the posterior has no mean, or hardly one (p x + q near 1), own and common mean are weighed.
    """
    px, own_mean = p * x, np.maximum(m, 0.0)
    exists = px + q > 1.5
    exact = p * (gamma + x * own_mean) / np.where(exists, px + q - 1.0, 1.0)
    share = px / (px + q)
    own = np.where(exists, exact, share * own_mean + (1.0 - share) * mean)
    spend: FloatArray = np.where(x > 0, own, mean)
    return spend


class GammaGamma(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Amount per order.

    Parameters
    ----------
    prior
        Put a weak prior on the parameters, so that constant or scarce amounts still have an answer.

    Attributes
    ----------
    parameters_
        ``p``, ``q`` and ``gamma`` (which has the unit of the amounts); a population mean needs q above 1.
    standard_errors_, covariance_
        By the delta method; the covariance is that of log p, log q, log gamma.
    mean_
        What a customer without repeat orders is expected to spend: ``p gamma / (q - 1)``, or the observed
        mean where the fit says that there is none (q at most 1).
    log_likelihood_, customers_
        At the maximum, and the number of customers with repeat orders it is based on.

    Examples
    --------
    >>> model = GammaGamma.of(p=6.25, q=3.74, gamma=15.44)
    >>> print(model.expected_spend([1, 0], [22.35, 0.0]).round(2))
    [26.27 35.22]
    """

    names: ClassVar[tuple[str, ...]] = ("p", "q", "gamma")

    parameters_: dict[str, float]
    standard_errors_: dict[str, float]
    covariance_: FloatArray
    mean_: float
    log_likelihood_: float
    customers_: float

    def __init__(self, *, prior: bool = True) -> None:
        self.prior = prior

    def fit(
        self,
        frequency: npt.ArrayLike,
        monetary_value: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Fit on the customers with repeat orders and a positive mean; the others say nothing about spend.

        Parameters
        ----------
        frequency
            Repeat orders, shape (n,).
        monetary_value
            Mean amount of those orders, shape (n,).
        sample_weight
            Customers each row stands for, shape (n,).
        """
        x = np.asarray(frequency, dtype=np.float64)
        m = np.asarray(monetary_value, dtype=np.float64)
        weight = np.ones_like(x) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        if not x.shape == m.shape == weight.shape:
            raise DataError(
                "Frequency and monetary value differ in length.", where=f"{x.size} and {m.size} rows"
            )
        if not np.isfinite(x + m + weight).all():
            raise DataError("A frequency or amount is missing or infinite.", hint="Leave such rows out.")
        used = (x > 0) & (m > 0) & (weight > 0)
        x, m, weight = x[used], m[used], weight[used]
        self.customers_ = float(weight.sum())
        if x.size == 0:
            return self._know_nothing()
        unit = float(np.average(m, weights=weight))
        score = _score(x, m / unit, weight)
        starts = ((1.0, 1.0, 1.0), (6.0, 3.0, 0.5), (3.0, 10.0, 3.0))
        prior = self._needs_prior(m / unit)
        fit = maximise(
            score, starts, total_weight=self.customers_, prior=prior, coarse=_coarse(x, m / unit, weight)
        )
        p, q, gamma = np.exp(fit.log_parameters)
        self.parameters_ = {"p": float(p), "q": float(q), "gamma": float(gamma) * unit}
        errors = np.sqrt(np.diag(fit.covariance)) * np.array([p, q, gamma * unit])
        self.standard_errors_ = dict(zip(self.names, errors.tolist(), strict=True))
        self.covariance_ = fit.covariance
        self.log_likelihood_ = fit.log_likelihood - float(weight.sum() * np.log(unit))
        self.mean_ = float(p * gamma / (q - 1.0)) * unit if q > _NO_MEAN else np.inf
        if self.mean_ > 10 * unit:
            warnings.warn(
                "Amounts differ so much between customers that they have no mean; the observed one is used.",
                LittleEvidence,
                stacklevel=2,
            )
            self.mean_ = unit
        return self

    def _needs_prior(self, relative: FloatArray) -> bool:
        """Without any spread in the amounts the likelihood grows for ever, so then the prior is always on."""
        return self.prior or bool(np.ptp(relative) < 1e-9)

    def _know_nothing(self) -> Self:
        warnings.warn(
            "No customer has a repeat order with an amount: spend is unknown.", LittleEvidence, stacklevel=3
        )
        self.parameters_ = {"p": 1.0, "q": 2.0, "gamma": 0.0}
        self.standard_errors_ = dict.fromkeys(self.names, 0.0)
        self.covariance_ = np.zeros((3, 3))
        self.mean_, self.log_likelihood_ = 0.0, 0.0
        return self

    def expected_spend(self, frequency: npt.ArrayLike, monetary_value: npt.ArrayLike) -> FloatArray:
        """Return the expected amount of each customer's next order, shape (n,)."""
        x = np.atleast_1d(np.asarray(frequency, dtype=np.float64))
        m = np.atleast_1d(np.asarray(monetary_value, dtype=np.float64))
        try:
            parameters, mean = self.parameters_, self.mean_
        except AttributeError as error:
            raise NotFitted("This spend model has not been fitted.", hint="Call fit first.") from error
        return expected_spend(x, m, parameters["p"], parameters["q"], parameters["gamma"], mean)

    @classmethod
    def of(cls, *, p: float, q: float, gamma: float) -> Self:
        """Make a fitted model from known parameters."""
        model = cls()
        model.parameters_ = {"p": float(p), "q": float(q), "gamma": float(gamma)}
        model.standard_errors_ = dict.fromkeys(cls.names, 0.0)
        model.covariance_ = np.zeros((3, 3))
        if q <= 1.0:
            raise DataError(
                "Spend has no mean when q is at most 1.", where=f"q = {q}", hint="Fit the model to the data."
            )
        model.mean_ = p * gamma / (q - 1.0)
        model.log_likelihood_, model.customers_ = 0.0, 0.0
        return model

    def to_json(self) -> str:
        """Write settings, parameters and their uncertainty; no data."""
        content = {
            "kind": "gammagamma",
            "format": _FORMAT,
            "settings": self.get_params(),
            "parameters": self.parameters_,
            "standard_errors": self.standard_errors_,
            "covariance": self.covariance_.tolist(),
            "mean": self.mean_,
            "log_likelihood": self.log_likelihood_,
            "customers": self.customers_,
        }
        return json.dumps(content)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read back what :meth:`to_json` wrote.

        Raises
        ------
        UnknownFormat
            When the text is another kind of model or of a later format.
        """
        content = opened(text, kind="gammagamma", latest=_FORMAT)
        model = cls(**content["settings"])
        model.parameters_ = {name: float(content["parameters"][name]) for name in cls.names}
        model.standard_errors_ = {
            str(name): float(value) for name, value in content["standard_errors"].items()
        }
        model.covariance_ = np.array(content["covariance"], dtype=np.float64)
        model.mean_ = float(content["mean"])
        model.log_likelihood_, model.customers_ = (
            float(content["log_likelihood"]),
            float(content["customers"]),
        )
        return model


def _coarse(x: FloatArray, m: FloatArray, weight: FloatArray) -> tuple[Score, float] | None:
    """Return the score of a fixed random sample of many customers, to find the maximum's neighbourhood."""
    if x.size <= 2 * COARSE_ROWS:
        return None
    rows = np.random.default_rng(7).choice(x.size, COARSE_ROWS, p=weight / weight.sum())
    even = np.full(COARSE_ROWS, weight.sum() / COARSE_ROWS)
    return _score(x[rows], m[rows], even), float(weight.sum())


def _score(x: FloatArray, m: FloatArray, weight: FloatArray) -> Score:
    """Return log-likelihood and gradient as a function of log p, log q, log gamma."""
    log_m, log_x, total = np.log(m), np.log(x), float(weight.sum())

    def score(theta: FloatArray) -> tuple[float, FloatArray]:
        p, q, gamma = np.exp(theta)
        px = p * x
        log_sum = np.log(gamma + x * m)
        value = weight @ (special.gammaln(px + q) - special.gammaln(px) + px * (log_m + log_x) - log_m)
        value += total * (q * theta[2] - special.gammaln(q)) - weight @ ((px + q) * log_sum)
        up = special.digamma(px + q)
        by_p = weight @ (x * (up - special.digamma(px) + log_m + log_x - log_sum))
        by_q = weight @ (up - log_sum) + total * (theta[2] - special.digamma(q))
        by_gamma = total * q / gamma - weight @ ((px + q) / (gamma + x * m))
        return float(value), np.array([by_p * p, by_q * q, by_gamma * gamma])

    return score
