"""sBG: how long subscribers stay, when one sees them leave.

Fader and Hardie (2007), "How to project customer retention", Journal of Interactive Marketing 21(1). Each
subscriber has their own chance not to renew, beta distributed; those who stay are more and more the loyal
ones.
"""

from __future__ import annotations

import json
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import special
from sklearn.base import BaseEstimator

from clv.document import opened
from clv.errors import DataError, NotFitted
from clv.fitting import Score, maximise
from clv.histories import FloatArray
from clv.hypergeometric import hyp2f1

__all__ = ["ShiftedBetaGeometric"]

_FORMAT = 1


class ShiftedBetaGeometric(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Renewals of a contract.

    Parameters
    ----------
    prior
        Put a weak prior on both parameters.

    Attributes
    ----------
    parameters_, standard_errors_
        ``alpha`` and ``beta`` of the chance not to renew.
    covariance_, log_likelihood_, customers_
        Covariance of the log parameters, maximum, and number of subscribers.

    Examples
    --------
    >>> model = ShiftedBetaGeometric(prior=False).fit([1000, 869, 743, 653, 593, 551, 517, 491])
    >>> {name: round(value, 3) for name, value in model.parameters_.items()}
    {'alpha': 0.668, 'beta': 3.806}
    """

    names: ClassVar[tuple[str, ...]] = ("alpha", "beta")

    parameters_: dict[str, float]
    standard_errors_: dict[str, float]
    covariance_: FloatArray
    log_likelihood_: float
    customers_: float

    def __init__(self, *, prior: bool = True) -> None:
        self.prior = prior

    def fit(self, retained: npt.ArrayLike, y: object = None) -> Self:
        """Fit on the number of subscribers left after 0, 1, 2 ... periods.

        Parameters
        ----------
        retained
            Counts, falling or equal, shape (periods + 1,) with at least two entries.
        y
            Ignored.

        Raises
        ------
        DataError
            When there are fewer than two counts, or they rise.
        """
        del y
        left = np.asarray(retained, dtype=np.float64)
        if left.size < 2 or left[0] <= 0:
            raise DataError(
                "Retention needs a starting number and at least one period.", where=f"{left.size} counts"
            )
        if (np.diff(left) > 0).any():
            raise DataError("A cohort cannot grow.", where=f"period {int(np.argmax(np.diff(left) > 0)) + 1}")
        self.customers_ = float(left[0])
        fit = maximise(_score(left), ((1.0, 1.0), (0.5, 4.0)), total_weight=self.customers_, prior=self.prior)
        values = np.exp(fit.log_parameters)
        self.parameters_ = dict(zip(self.names, values.tolist(), strict=True))
        errors = values * np.sqrt(np.diag(fit.covariance))
        self.standard_errors_ = dict(zip(self.names, errors.tolist(), strict=True))
        self.covariance_, self.log_likelihood_ = fit.covariance, fit.log_likelihood
        return self

    def survival(self, periods: npt.ArrayLike) -> FloatArray:
        """Return the share of subscribers left after so many periods, shape of the input."""
        alpha, beta = self._values()
        t = np.asarray(periods, dtype=np.float64)
        share: FloatArray = np.exp(special.betaln(alpha, beta + t) - special.betaln(alpha, beta))
        return share

    def retention(self, period: npt.ArrayLike) -> FloatArray:
        """Return the share of those subscribed before a period (1, 2 ...) who renew for it."""
        alpha, beta = self._values()
        t = np.asarray(period, dtype=np.float64)
        rate: FloatArray = (beta + t - 1.0) / (alpha + beta + t - 1.0)
        return rate

    def expected_periods(self, renewals: npt.ArrayLike, discount: float) -> FloatArray:
        """Return the discounted periods still to come of a subscriber just before their next renewal.

        Fader and Hardie (2010), "Customer-base valuation in a contractual setting", Marketing Science
        29(1), eq. 7.

        Parameters
        ----------
        renewals
            How often they renewed so far, shape (n,).
        discount
            Per period, above 0.
        """
        alpha, beta = self._values()
        n = np.atleast_1d(np.asarray(renewals, dtype=np.float64)) + 1.0
        worth = np.full_like(n, 1.0 / (1.0 + discount))
        return self.retention(n) * hyp2f1(1.0, beta + n, alpha + beta + n, worth)

    def _values(self) -> tuple[float, float]:
        try:
            return self.parameters_["alpha"], self.parameters_["beta"]
        except AttributeError as error:
            raise NotFitted("This retention model has not been fitted.", hint="Call fit first.") from error

    def to_json(self) -> str:
        """Write settings, parameters and their uncertainty; no data."""
        self._values()
        content = {
            "kind": "sbg",
            "format": _FORMAT,
            "settings": self.get_params(),
            "parameters": self.parameters_,
            "standard_errors": self.standard_errors_,
            "covariance": self.covariance_.tolist(),
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
        content = opened(text, kind="sbg", latest=_FORMAT)
        model = cls(**content["settings"])
        model.parameters_ = {str(name): float(value) for name, value in content["parameters"].items()}
        model.standard_errors_ = {
            str(name): float(value) for name, value in content["standard_errors"].items()
        }
        model.covariance_ = np.array(content["covariance"], dtype=np.float64)
        model.log_likelihood_, model.customers_ = (
            float(content["log_likelihood"]),
            float(content["customers"]),
        )
        return model


def _score(left: FloatArray) -> Score:
    """Return log-likelihood and gradient as a function of log(alpha, beta)."""
    lost, t = -np.diff(left), np.arange(1.0, left.size)
    still, end = float(left[-1]), float(left.size - 1)

    def score(theta: FloatArray) -> tuple[float, FloatArray]:
        alpha, beta = np.exp(theta)
        psi = special.digamma
        value = lost @ (special.betaln(alpha + 1.0, beta + t - 1.0) - special.betaln(alpha, beta))
        value += still * (special.betaln(alpha, beta + end) - special.betaln(alpha, beta))
        up = psi(alpha + beta) - psi(alpha + beta + t)
        last = psi(alpha + beta) - psi(alpha + beta + end)
        by_alpha = lost @ (up + 1.0 / alpha) + still * last
        by_beta = lost @ (up + psi(beta + t - 1.0) - psi(beta)) + still * (last + psi(beta + end) - psi(beta))
        return float(value), np.array([by_alpha * alpha, by_beta * beta])

    return score
