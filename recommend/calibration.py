"""From a raw probability to one that keeps its promise: isotonic with much evidence, Platt with little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from sklearn.isotonic import isotonic_regression

from clv.errors import TooLittleData
from recommend.baskets import Floats

ISOTONIC_FROM = 1000
_LOWEST = 1e-6


@dataclass(frozen=True, slots=True)
class Calibration:
    """A monotone map from raw to calibrated probability.

    Parameters
    ----------
    method
        ``isotonic``, ``platt`` or ``none``.
    raw, calibrated
        Knots of the isotonic map, both ascending; between them it is linear.
    slope, intercept
        Platt: calibrated = sigmoid(slope * logit(raw) + intercept).
    positives
        How many positive outcomes it was learnt from.
    """

    method: str = "none"
    raw: tuple[float, ...] = ()
    calibrated: tuple[float, ...] = ()
    slope: float = 1.0
    intercept: float = 0.0
    positives: int = 0

    def __call__(self, probability: Floats) -> Floats:
        """Return calibrated probabilities, strictly between 0 and 1."""
        if self.method == "none":
            return probability
        if self.method == "platt":
            return _sigmoid(self.slope * _logit(probability) + self.intercept)
        out: Floats = np.interp(probability, self.raw, self.calibrated)
        return np.clip(out, _LOWEST, 1 - _LOWEST)

    def as_json(self) -> dict[str, object]:
        """Return the map as plain values."""
        return {
            "method": self.method,
            "raw": list(self.raw),
            "calibrated": list(self.calibrated),
            "slope": self.slope,
            "intercept": self.intercept,
            "positives": self.positives,
        }

    @classmethod
    def from_json(cls, raw: dict[str, object]) -> Calibration:
        """Read what :meth:`as_json` wrote."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()})  # type: ignore[arg-type]


def calibrate(probability: Floats, happened: Floats, isotonic_from: int = ISOTONIC_FROM) -> Calibration:
    """Learn the map on rows the model has not seen.

    Parameters
    ----------
    probability
        Shape (rows): raw probability, 0 to 1.
    happened
        Shape (rows): 0 or 1.
    isotonic_from
        Positives (and negatives) from which the free monotone map is used instead of the two-parameter one.

    Raises
    ------
    TooLittleData
        If nothing happened, or nothing failed to.
    """
    positives = int(happened.sum())
    if not 0 < positives < len(happened):
        raise TooLittleData(
            "Calibration needs both outcomes.", hint="Give a longer horizon or more customers."
        )
    if min(positives, len(happened) - positives) >= isotonic_from:
        return _isotonic(probability, happened)
    return _platt(probability, happened)


def _isotonic(probability: Floats, happened: Floats) -> Calibration:
    value, inverse, rows = np.unique(probability, return_inverse=True, return_counts=True)
    mean = np.bincount(inverse, weights=happened) / rows
    fitted = isotonic_regression(mean, sample_weight=rows.astype(np.float64), y_min=0.0, y_max=1.0)
    block = np.concatenate(([0], np.cumsum(np.diff(fitted) > 0)))
    weight = np.bincount(block, weights=rows)
    knots = np.bincount(block, weights=rows * value) / weight
    height = np.bincount(block, weights=rows * fitted) / weight
    return Calibration(
        method="isotonic",
        raw=tuple(knots.tolist()),
        calibrated=tuple(height.tolist()),
        positives=int(happened.sum()),
    )


def _platt(probability: Floats, happened: Floats) -> Calibration:
    """Two parameters on the log-odds, with Platt's (1999) targets against overconfidence."""
    n, m = float(happened.sum()), float(len(happened) - happened.sum())
    target = np.where(happened > 0, (n + 1) / (n + 2), 1 / (m + 2))
    x = _logit(probability)

    def loss(w: Floats) -> tuple[float, Floats]:
        z = w[0] * x + w[1]
        slip = _sigmoid(z) - target
        return float(np.sum(np.logaddexp(0, z) - target * z)), np.array([slip @ x, slip.sum()])

    best = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS")
    slope = float(max(best.x[0], 1e-3))  # a model worse than chance must not turn the ranking round
    return Calibration(method="platt", slope=slope, intercept=float(best.x[1]), positives=int(n))


def _logit(p: Floats) -> Floats:
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return np.log(p) - np.log1p(-p)


def _sigmoid(z: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(z, -40, 40)))
