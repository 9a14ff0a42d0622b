"""Is a difference more than chance? Intervals of leads, and the error a perfect model shows by luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

CERTAINTY: Final = 1.96  # standard errors on either side: 95 % of a normal distribution
_DRAWS: Final = 2_000
_CERTAIN: Final = 0.95


def interval(lead: float, error: float) -> tuple[float, float]:
    """Return the 95 % interval of a lead with this standard error.

    Examples
    --------
    >>> interval(-0.01, 0.01)
    (-0.0296, 0.0096)
    """
    return lead - CERTAINTY * error, lead + CERTAINTY * error


def told(lead: float, error: float) -> str:
    """Return a lead with its interval in words.

    Examples
    --------
    >>> told(-0.01, 0.01)
    '-0.0100, 95 % interval -0.0296 to +0.0096'
    """
    low, high = interval(lead, error)
    return f"{lead:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}"


def calibration_chance(table: Sequence[Mapping[str, float]], *, random_state: int = 0) -> float:
    """Return the calibration error that a perfectly calibrated model stays under in 95 of 100 cases.

    Parameters
    ----------
    table
        Reliability table: rows with ``promised`` (mean probability of a group, 0 to 1) and ``rows``.
    random_state
        Seed of the simulation.

    Notes
    -----
    Each row of a group is drawn with the group's mean probability, independently of all others; the error
    is then counted as :func:`recommend.evaluation.calibration_error` counts it.

    Examples
    --------
    >>> few, many = ([{"promised": 0.5, "rows": rows}] for rows in (100.0, 10_000.0))
    >>> round(calibration_chance(few), 3), round(calibration_chance(many), 3)
    (0.1, 0.01)
    """
    rows = np.array([row["rows"] for row in table], dtype=np.int64)
    promised = np.array([row["promised"] for row in table], dtype=np.float64)
    if not rows.sum():
        return 0.0
    drawn = np.random.default_rng(random_state).binomial(rows, promised, size=(_DRAWS, len(rows)))
    errors = np.abs(drawn - rows * promised).sum(axis=1) / rows.sum()
    return float(np.quantile(errors, _CERTAIN))
