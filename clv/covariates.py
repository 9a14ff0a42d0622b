"""Static covariates: customers who differ in known ways may buy and leave at different rates.

Fader and Hardie (2007), "Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD models"
(note 019). A covariate z with effect g multiplies the rate of orders by exp(g z), that is, divides alpha
by it. On leaving it acts separately: in the Pareto/NBD it divides beta, in the BG/NBD it multiplies a, so
that the mean chance a / (a + b) can move. Customers who share their covariates share a model, so few
distinct values fit fastest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from clv.document import opened
from clv.errors import DataError, NotFitted, SettingError
from clv.fitting import Score, maximise
from clv.histories import FloatArray, Histories, IntArray, Table, column, compress, groups, histories
from clv.kinds import model_of_json, process_of
from clv.process import PurchaseProcess

__all__ = ["WithCovariates"]

_FORMAT = 1
_LEVERS: dict[str, tuple[tuple[int, float], tuple[int, float]]] = {
    # which parameter a purchase effect and a dropout effect move, and in which direction on the log scale
    "bgnbd": ((1, -1.0), (2, 1.0)),
    "mbgnbd": ((1, -1.0), (2, 1.0)),
    "paretonbd": ((1, -1.0), (3, -1.0)),
}


class WithCovariates(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A purchase model whose rates depend on columns of the table.

    Parameters
    ----------
    kind
        ``bgnbd``, ``mbgnbd`` or ``paretonbd``.
    purchase
        Columns that act on the rate of orders.
    dropout
        Columns that act on leaving.
    shared
        Columns with one effect that acts on both.
    prior
        Weak priors on parameters and effects.

    Attributes
    ----------
    parameters_, standard_errors_
        Of a customer whose covariates are all 0.
    effects_, effect_errors_
        By name: ``purchase.gender``, ``dropout.gender``, ``shared.gender``.
    log_likelihood_, customers_
        At the maximum, and the total weight.
    """

    parameters_: dict[str, float]
    standard_errors_: dict[str, float]
    effects_: dict[str, float]
    effect_errors_: dict[str, float]
    log_likelihood_: float
    customers_: float

    def __init__(
        self,
        kind: str = "bgnbd",
        *,
        purchase: Sequence[str] = (),
        dropout: Sequence[str] = (),
        shared: Sequence[str] = (),
        prior: bool = True,
    ) -> None:
        self.kind = kind
        self.purchase = purchase
        self.dropout = dropout
        self.shared = shared
        self.prior = prior

    def fit(self, X: Table, y: object = None, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit parameters and effects together.

        Raises
        ------
        SettingError
            When the kind of model takes no covariates.
        MissingColumn
            When a covariate is not in the table.
        DataError
            When a covariate is missing for somebody.
        """
        del y
        self._levers()
        rows = histories(X, sample_weight)
        unit = float(np.average(rows.age, weights=rows.weight)) or 1.0
        patterns, member = self._patterns(X)
        parts = [
            compress(rows.take(np.flatnonzero(member == g)).in_units_of(unit)) for g in range(len(patterns))
        ]
        bare = process_of(self.kind)(prior=self.prior)
        moves = [self._moves(pattern, len(bare.names)) for pattern in patterns]
        score = _together([bare._score(part) for part in parts], moves, len(bare.names))
        count = moves[0].shape[1] if moves else 0
        starts = [np.concatenate([start, np.ones(count)]) for start in bare.starts]
        self.customers_ = float(rows.weight.sum())
        fit = maximise(
            score, [start.tolist() for start in starts], total_weight=self.customers_, prior=self.prior
        )
        scale = [unit if name in bare.time_like else 1.0 for name in bare.names]
        size = len(bare.names)
        values = np.exp(fit.log_parameters[:size]) * scale
        errors = np.sqrt(np.diag(fit.covariance))
        self.parameters_ = dict(zip(bare.names, values.tolist(), strict=True))
        self.standard_errors_ = dict(zip(bare.names, (values * errors[:size]).tolist(), strict=True))
        self.effects_ = dict(zip(self._effect_names(), fit.log_parameters[size:].tolist(), strict=True))
        self.effect_errors_ = dict(zip(self._effect_names(), errors[size:].tolist(), strict=True))
        self.log_likelihood_ = fit.log_likelihood - float(rows.weight @ rows.frequency) * float(np.log(unit))
        return self

    def _levers(self) -> tuple[tuple[int, float], tuple[int, float]]:
        try:
            return _LEVERS[self.kind]
        except KeyError as error:
            hint = "One of " + ", ".join(_LEVERS)
            raise SettingError("This model takes no covariates.", where=self.kind, hint=hint) from error

    def _columns(self) -> list[str]:
        return sorted({*self.purchase, *self.dropout, *self.shared})

    def _effect_names(self) -> list[str]:
        named = (("purchase", self.purchase), ("dropout", self.dropout), ("shared", self.shared))
        return [f"{role}.{name}" for role, names in named for name in names]

    def _patterns(self, X: Table) -> tuple[list[dict[str, float]], IntArray]:
        """Return the distinct combinations of covariates and which one each row has."""
        names = self._columns()
        values = [column(X, name) for name in names]
        for name, value in zip(names, values, strict=True):
            if not np.isfinite(value).all():
                row = int(np.argmax(~np.isfinite(value)))
                raise DataError(
                    "A covariate is missing.", where=f"{name}, row {row}", hint="Fill it in or leave it out."
                )
        if not values:
            raise SettingError("No covariate is named.", hint="Name columns for purchase, dropout or shared.")
        first, member = groups(*values)
        return [dict(zip(names, (float(v[i]) for v in values), strict=True)) for i in first], member

    def _moves(self, pattern: Mapping[str, float], size: int) -> FloatArray:
        """Return how the effects move the log parameters, shape (size, effects)."""
        (rate, up), (leave, out) = self._levers()
        rows = []
        for effect in self._effect_names():
            role, name = effect.split(".", 1)
            move = np.zeros(size)
            if role in ("purchase", "shared"):
                move[rate] += up * pattern[name]
            if role in ("dropout", "shared"):
                move[leave] += out * pattern[name]
            rows.append(move)
        return np.array(rows).T

    # -- answering --------------------------------------------------------------------------------------
    def model_of(self, covariates: Mapping[str, float]) -> PurchaseProcess:
        """Return the plain model of customers with these covariates."""
        try:
            base, effects = np.log(list(self.parameters_.values())), np.array(list(self.effects_.values()))
        except AttributeError as error:
            raise NotFitted("This model has not been fitted.", hint="Call fit first.") from error
        values = np.exp(base + self._moves(covariates, base.size) @ effects)
        return process_of(self.kind).of(**dict(zip(self.parameters_, values.tolist(), strict=True)))

    def probability_alive(self, X: Table) -> FloatArray:
        """Return the probability of being alive, shape (n,)."""
        alive = np.empty(len(histories(X)))
        for model, rows, places in self._each(X):
            alive[places] = model.alive(rows.frequency, rows.recency, rows.age)
        return alive

    def expected_orders(self, X: Table, horizon_days: float) -> FloatArray:
        """Return expected orders in the next ``horizon_days``, shape (n,)."""
        orders = np.empty(len(histories(X)))
        for model, rows, places in self._each(X):
            orders[places] = model.orders(rows.frequency, rows.recency, rows.age, horizon_days)
        return orders

    def _each(self, X: Table) -> Iterator[tuple[PurchaseProcess, Histories, IntArray]]:
        rows = histories(X)
        patterns, member = self._patterns(X)
        for g, pattern in enumerate(patterns):
            places = np.flatnonzero(member == g)
            yield self.model_of(pattern), rows.take(places), places

    # -- writing down -----------------------------------------------------------------------------------
    def to_json(self) -> str:
        """Write settings, parameters and effects; no data."""
        plain = json.loads(process_of(self.kind).of(**self.parameters_).to_json())
        settings = {
            name: list(v) if isinstance(v, (list, tuple)) else v for name, v in self.get_params().items()
        }
        content = {
            "kind": "with_covariates",
            "format": _FORMAT,
            "settings": settings,
            "process": plain,
            "standard_errors": self.standard_errors_,
            "effects": self.effects_,
            "effect_errors": self.effect_errors_,
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
        content = opened(text, kind="with_covariates", latest=_FORMAT)
        model = cls(**content["settings"])
        model.parameters_ = model_of_json(json.dumps(content["process"])).parameters_
        model.standard_errors_, model.effects_ = dict(content["standard_errors"]), dict(content["effects"])
        model.effect_errors_ = dict(content["effect_errors"])
        model.log_likelihood_, model.customers_ = (
            float(content["log_likelihood"]),
            float(content["customers"]),
        )
        return model


def _together(scores: list[Score], moves: list[FloatArray], size: int) -> Score:
    """Add up the scores of the groups, each at its own moved parameters; the chain rule does the rest."""

    def score(theta: FloatArray) -> tuple[float, FloatArray]:
        total, slope = 0.0, np.zeros_like(theta)
        for one, move in zip(scores, moves, strict=True):
            value, gradient = one(theta[:size] + move @ theta[size:])
            total += value
            slope[:size] += gradient
            slope[size:] += move.T @ gradient
        return total, slope

    return score
