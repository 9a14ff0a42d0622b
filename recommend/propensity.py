"""The probability model: gradient-boosted trees on log-odds, saved as their own text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from clv.errors import TooLittleData
from recommend.baskets import Floats

SETTINGS: dict[str, object] = {
    "objective": "binary",
    "num_leaves": 31,
    "learning_rate": 0.05,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "max_bin": 255,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Trees:
    """Fitted trees with the names of what they read."""

    booster: lgb.Booster
    names: tuple[str, ...]

    def probability(self, rows: Rows) -> Floats:
        """Return the uncalibrated probability of each row."""
        if not len(rows):
            return np.zeros(0)
        return np.asarray(self.booster.predict(rows, num_threads=1), dtype=np.float64)

    def contributions(self, rows: Rows) -> Floats:
        """Return what each feature adds to the log-odds of each row; the last column is the common part."""
        if not len(rows):
            return np.zeros((0, len(self.names) + 1))
        return np.asarray(self.booster.predict(rows, pred_contrib=True, num_threads=1), dtype=np.float64)

    def save(self, path: Path) -> None:
        """Write the trees as LightGBM's own text."""
        path.write_text(self.booster.model_to_string(num_iteration=-1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Trees:
        """Read what :meth:`save` wrote; no code is run."""
        booster = lgb.Booster(model_str=path.read_text(encoding="utf-8"))
        return cls(booster, tuple(booster.feature_name()))


def grow(
    rows: Rows,
    happened: Floats,
    later_rows: Rows,
    later_happened: Floats,
    names: Sequence[str],
    *,
    weights: Floats | None = None,
    later_weights: Floats | None = None,
    random_state: int = 0,
    num_threads: int = 1,
    rounds: int = 600,
    settings: dict[str, object] | None = None,
) -> Trees:
    """Fit a binary model, stopping when a later slice no longer improves.

    Parameters
    ----------
    rows, happened
        Shape (rows, features) and (rows): what was known, and whether it was then taken up.
    later_rows, later_happened
        A later slice that decides when to stop.
    names
        Names of the features.
    weights, later_weights
        Shape (rows): how many rows each stands for, where some were left out.
    rounds
        Most trees to grow.

    Raises
    ------
    TooLittleData
        If either slice lacks one of the two outcomes.
    """
    for part in (happened, later_happened):
        if not 0 < part.sum() < len(part):
            raise TooLittleData(
                "A propensity model needs both outcomes in each slice.",
                hint="Give more history or a longer horizon.",
            )
    chosen = SETTINGS | {"seed": random_state, "num_threads": num_threads} | (settings or {})
    chosen["min_data_in_leaf"] = max(5, min(int(str(chosen["min_data_in_leaf"])), len(rows) // 100))
    train = lgb.Dataset(rows, happened, weight=weights, feature_name=list(names), params=chosen)
    later = lgb.Dataset(later_rows, later_happened, weight=later_weights, reference=train, params=chosen)
    booster = lgb.train(
        chosen,
        train,
        num_boost_round=rounds,
        valid_sets=[later],
        callbacks=[lgb.early_stopping(30, verbose=False)],
    )
    kept = lgb.Booster(model_str=booster.model_to_string(num_iteration=booster.best_iteration))
    return Trees(kept, tuple(names))
