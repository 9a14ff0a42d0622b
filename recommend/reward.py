"""What a decision would have brought: a plain model of the reward by context and offer, for replay only.

Linear in the context and in the offer, without interaction, so that all offers of a row are read off at once.
Every row is judged by a model that did not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Expected:
    """Expected reward of every row under every offer: ``link(row part + offer part)``.

    Parameters
    ----------
    context
        The row's part, shape (rows,).
    offer
        Each offer's part in each row, shape (rows, offers).
    binary
        Whether the parts add up to log-odds of a reward of 1, rather than to the reward.
    """

    context: Floats
    offer: Floats
    binary: bool

    def of_all(self) -> Floats:
        """Return the expected reward of every offer in every row, shape (rows, offers)."""
        total: Floats = self.context[:, None] + self.offer
        return np.asarray(expit(total), dtype=np.float64) if self.binary else total

    def of(self, offers: Ints) -> Floats:
        """Return the expected reward of one offer per row, shape (rows,)."""
        total: Floats = self.context + self.offer[np.arange(len(offers)), offers]
        return np.asarray(expit(total), dtype=np.float64) if self.binary else total


def expected_rewards(
    table: pd.DataFrame,
    features: Sequence[str],
    offers: Ints,
    rewards: Floats,
    n_offers: int,
    *,
    folds: int = 3,
    strength: float = 1.0,
    random_state: int = 0,
) -> Expected:
    """Fit on all folds but one and judge that one, in turn.

    Parameters
    ----------
    table, features
        The rows, and which columns describe the context: numbers as they are, anything else by category.
    offers
        Which offer was made, as a number from 0, shape (rows,).
    rewards
        What came of it, shape (rows,); 0 and 1 only make a logistic model.
    n_offers
        How many offers there are.
    folds
        At least 2.
    strength
        Inverse strength of the penalty on all coefficients.
    random_state
        Of the folds.
    """
    context = design(table, features)
    made = sparse.csr_matrix(
        (np.ones(len(offers)), (np.arange(len(offers)), offers)), (len(offers), n_offers)
    )
    rows = sparse.hstack([context, made], format="csr")
    binary = bool(np.isin(rewards, (0.0, 1.0)).all())
    row_part, offer_part = np.empty(len(offers)), np.empty((len(offers), n_offers))
    for train, test in KFold(folds, shuffle=True, random_state=random_state).split(offers):
        weights, intercept = _fit(rows[train], rewards[train], binary=binary, strength=strength)
        split = context.shape[1]
        row_part[test] = intercept + context[test] @ weights[:split]
        offer_part[test] = weights[split:]
    return Expected(row_part, offer_part, binary)


def design(table: pd.DataFrame, features: Sequence[str]) -> sparse.csr_matrix:
    """Return the context as numbers: columns as they are or standardised, categories as one column each."""
    parts = [sparse.csr_matrix((len(table), 0))]
    for name in features:
        column = table[name]
        if pd.api.types.is_numeric_dtype(column):
            values = column.to_numpy(dtype=np.float64)
            spread = float(values.std()) or 1.0
            parts.append(sparse.csr_matrix(((values - values.mean()) / spread)[:, None]))
        else:
            codes = pd.factorize(column.astype(str), sort=True)[0]
            ones = np.ones(len(codes))
            parts.append(sparse.csr_matrix((ones, (np.arange(len(codes)), codes))))
    return sparse.csr_matrix(sparse.hstack(parts))


def _fit(rows: sparse.csr_matrix, rewards: Floats, *, binary: bool, strength: float) -> tuple[Floats, float]:
    """Return coefficients and intercept; a constant reward is its own prediction."""
    if np.ptp(rewards) == 0:
        level = float(rewards[0])
        return np.zeros(rows.shape[1]), (40.0 if level else -40.0) if binary else level
    if binary:
        model = LogisticRegression(C=strength, max_iter=1000)
        model.fit(rows, rewards.astype(int))
        return np.asarray(model.coef_[0], dtype=np.float64), float(model.intercept_[0])
    ridge = Ridge(alpha=1 / strength)
    ridge.fit(rows, rewards)
    return np.asarray(ridge.coef_, dtype=np.float64), float(ridge.intercept_)
