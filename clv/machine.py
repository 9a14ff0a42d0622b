"""The challenger: two sets of boosted trees, one for whether a customer buys again and one for how much.

They learn from earlier days of the same log what followed in the days after, with what the purchase and
spend models thought at the time among the features. What comes out ranks customers well; its total is
whatever the past's was, so the level is set elsewhere (``clv.valuation``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import lightgbm as lgb
import numpy as np

from clv.errors import BundleError
from clv.histories import FloatArray

__all__ = ["Lesson", "Machine"]

BUYS_FILE: Final = "buys.lightgbm.txt"
AMOUNT_FILE: Final = "amount.lightgbm.txt"
_ROUNDS: Final = 60
_LEAST: Final = 1e-9
_SETTINGS: Final[dict[str, Any]] = {
    "num_leaves": 8,
    "learning_rate": 0.06,
    "lambda_l2": 10.0,
    "verbose": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
}


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was known of some customers on an earlier day, and what they then spent.

    Parameters
    ----------
    features
        Shape (n, k): :func:`clv.recent.features`, then :func:`clv.circumstances.aligned`; nan where unknown.
    revenue
        Net revenue of the horizon that followed, in shares of its mean, shape (n,).
    """

    features: FloatArray
    revenue: FloatArray


@dataclass(frozen=True)
class Machine:
    """Fitted trees.

    Parameters
    ----------
    buys
        Booster of the probability of spending anything.
    amount
        Booster of the amount, given that something is spent.
    """

    buys: Any
    amount: Any

    @classmethod
    def fit(cls, lessons: list[Lesson], *, random_state: int = 0) -> Machine:
        """Fit both sets of trees on all lessons together; few, shallow, no leaf below 1 % of the rows.

        Parameters
        ----------
        lessons
            One an earlier day.
        random_state
            Seed.
        """
        table = np.vstack([lesson.features for lesson in lessons])
        revenue = np.concatenate([lesson.revenue for lesson in lessons])
        bought = revenue > 0.0
        settings = {**_SETTINGS, "seed": random_state}

        def grow(objective: str, rows: np.ndarray[Any, Any], target: FloatArray) -> Any:  # noqa: ANN401
            least = max(20, rows.shape[0] // 100)
            data = lgb.Dataset(rows, target, params={"verbose": -1, "num_threads": 1})
            grown = lgb.train({**settings, "objective": objective, "min_data_in_leaf": least}, data, _ROUNDS)
            return lgb.Booster(model_str=grown.model_to_string())  # without the training data

        return cls(
            buys=grow("binary", table, bought.astype(np.float64)),
            amount=grow("gamma", table[bought], revenue[bought]),
        )

    def predict(self, features: FloatArray) -> FloatArray:
        """Return expected revenue in shares of a mean, always above 0, shape (n,)."""
        expected: FloatArray = np.asarray(self.buys.predict(features, num_threads=1)) * np.asarray(
            self.amount.predict(features, num_threads=1)
        )
        return np.maximum(expected, _LEAST)

    def save(self, folder: Path) -> None:
        """Write both boosters in LightGBM's own text."""
        (folder / BUYS_FILE).write_text(self.buys.model_to_string(), encoding="utf-8")
        (folder / AMOUNT_FILE).write_text(self.amount.model_to_string(), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Machine:
        """Read both boosters; text, not code.

        Raises
        ------
        BundleError
            When one of the files is not there.
        """
        for name in (BUYS_FILE, AMOUNT_FILE):
            if not (folder / name).is_file():
                raise BundleError("A file of the value model is missing.", where=str(folder / name))
        buys, amount = ((folder / name).read_text(encoding="utf-8") for name in (BUYS_FILE, AMOUNT_FILE))
        return cls(buys=lgb.Booster(model_str=buys), amount=lgb.Booster(model_str=amount))
