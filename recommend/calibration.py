"""From a raw probability to one that keeps its promise: isotonic with much evidence, Platt with little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import optimize

from clv.errors import TooLittleData
from recommend.baskets import Floats, Ints

ISOTONIC_FROM = 1000
CHANNEL_FROM = 100
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
    def from_json(cls, raw: Mapping[str, Any]) -> Calibration:
        """Read what :meth:`as_json` wrote."""
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
        return cls(**values)


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


@dataclass(frozen=True, slots=True)
class ChannelCalibration:
    """One map per channel with enough evidence, and one for all others.

    Parameters
    ----------
    pooled
        Learnt from all channels together.
    by_channel
        Learnt from one channel each.
    """

    pooled: Calibration = field(default_factory=Calibration)
    by_channel: dict[str, Calibration] = field(default_factory=dict)

    def __call__(self, probability: Floats, channel: str = "") -> Floats:
        """Return calibrated probabilities for one channel."""
        return self.by_channel.get(channel, self.pooled)(probability)

    def as_json(self) -> dict[str, object]:
        """Return the maps as plain values."""
        return {
            "pooled": self.pooled.as_json(),
            "by_channel": {name: one.as_json() for name, one in self.by_channel.items()},
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ChannelCalibration:
        """Read what :meth:`as_json` wrote."""
        channels = {name: Calibration.from_json(one) for name, one in raw["by_channel"].items()}
        return cls(Calibration.from_json(raw["pooled"]), channels)


def calibrate_channels(
    probability: Floats, happened: Floats, channels: Sequence[str], least: int = CHANNEL_FROM
) -> ChannelCalibration:
    """Learn one map per channel, and a pooled one for channels with fewer than ``least`` of either outcome.

    Parameters
    ----------
    probability, happened
        Shape (rows): raw probability, and 0 or 1.
    channels
        Shape (rows): where each was presented; empty if not known.
    """
    pooled = calibrate(probability, happened)
    place = np.asarray(channels, dtype=str)
    by_channel = {}
    for name in np.unique(place).tolist():
        mask = place == name
        taken = int(happened[mask].sum())
        if name and min(taken, int(mask.sum()) - taken) >= least:
            by_channel[name] = calibrate(probability[mask], happened[mask])
    return ChannelCalibration(pooled, by_channel)


def _isotonic(probability: Floats, happened: Floats) -> Calibration:
    from sklearn.isotonic import isotonic_regression  # noqa: PLC0415  (who only predicts does without)

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

    best = optimize.minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS")
    slope = float(max(best.x[0], 1e-3))  # a model worse than chance must not turn the ranking round
    return Calibration(method="platt", slope=slope, intercept=float(best.x[1]), positives=int(n))


def _logit(p: Floats) -> Floats:
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return np.log(p) - np.log1p(-p)


def _sigmoid(z: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(z, -40, 40)))


def smooth(promised: Floats, evidence: Floats | Ints, starting: Floats, starting_evidence: Floats) -> Floats:
    """Blend the model with what the business expected before any data, by the evidence behind each.

    P' = (SE * SP + ME * P) / (SE + ME); with no evidence on either side the model stands alone.

    Examples
    --------
    >>> smooth(np.array([0.1]), np.array([50]), np.array([0.3]), np.array([50.0])).tolist()
    [0.2]
    """
    both = starting_evidence + evidence
    blended = (starting_evidence * starting + evidence * promised) / np.maximum(both, 1e-12)
    return np.where(both > 0, blended, promised)
