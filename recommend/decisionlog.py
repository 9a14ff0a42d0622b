"""Logged decisions as a table of offers made, and as the arrays replay works on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv.errors import DataError, MissingColumn, TooLittleData
from recommend.decision import Decision

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.intp]
Target: TypeAlias = str | Mapping[str, float] | Floats

LEAST_DECISIONS: Final = 100
LEAST_REWARDED: Final = 5
HINT_COLUMNS: Final = (
    "decision_id",
    "customer_id",
    "offer_id",
    "place",
    "kind",
    "channel",
    "propensity",
    "priority",
    "exploration",
    "selection_probability",
    "reward",
)


def table_of(decisions: Iterable[Decision], rewards: Mapping[tuple[str, str], float]) -> pd.DataFrame:
    """Return one row per hint, ready to be replayed; the control group's are left out.

    Parameters
    ----------
    decisions
        As they were logged.
    rewards
        What came of each (decision_id, offer_id); 0 where absent.

    Returns
    -------
    DataFrame
        The columns of :data:`HINT_COLUMNS`: ``place`` counts from 1, ``selection_probability`` is that of the
        offer at its place given those above.
    """
    rows = [
        (
            decision.decision_id,
            decision.customer_id,
            hint.offer_id,
            hint.rank,
            hint.kind,
            decision.channel,
            hint.propensity,
            hint.priority,
            decision.exploration,
            hint.selection_probability,
            rewards.get((decision.decision_id, hint.offer_id), 0.0),
        )
        for decision in decisions
        for hint in decision.hints
        if decision.arm == "treatment"
    ]
    return pd.DataFrame(rows, columns=list(HINT_COLUMNS))


@dataclass(frozen=True, slots=True)
class Log:
    """Logged decisions as arrays.

    Parameters
    ----------
    offers, n_offers
        Which offer was made, as a number from 0, and how many there are.
    rewards, probabilities
        What came of it, and with which probability it was chosen.
    chosen
        The target policy's probability of the offer made.
    target
        The target policy's probability of every offer, shape (rows, offers); None if unknown.
    """

    offers: Ints
    n_offers: int
    rewards: Floats
    probabilities: Floats
    chosen: Floats
    target: Floats | None

    @property
    def weights(self) -> Floats:
        """Return target over logged probability of the offer made."""
        return self.chosen / self.probabilities

    @classmethod
    def of(cls, decisions: pd.DataFrame, target: Target, features: Sequence[str]) -> Log:
        """Check a table of decisions and a target policy, and turn them into arrays."""
        column = (target,) if isinstance(target, str) else ()
        _check(decisions, ("offer_id", "selection_probability", "reward", *column, *features))
        rewards = _numbers(decisions, "reward")
        probabilities = _numbers(decisions, "selection_probability")
        _refuse(decisions, "selection_probability", (probabilities <= 0) | (probabilities > 1))
        made = decisions["offer_id"].astype(str)
        names = sorted(set(made) | (set(target) if isinstance(target, Mapping) else set()))
        offers = pd.Index(names).get_indexer(pd.Index(made))
        if isinstance(target, str):
            chosen = _numbers(decisions, target)
            _refuse(decisions, target, (chosen < 0) | (chosen > 1))
            return cls(offers, len(names), rewards, probabilities, chosen, None)
        matrix = _matrix(target, names, len(decisions))
        chosen = matrix[np.arange(len(offers)), offers]
        return cls(offers, len(names), rewards, probabilities, chosen, matrix)


def _check(decisions: pd.DataFrame, wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in decisions.columns]
    if missing:
        raise MissingColumn(
            f"The column {missing[0]!r} is missing.",
            where="decisions",
            hint=f"Needed: {', '.join(wanted)}. Without logged probabilities there is no replay.",
        )
    rewarded = int((pd.to_numeric(decisions["reward"], errors="coerce").fillna(0) != 0).sum())
    if len(decisions) < LEAST_DECISIONS or rewarded < LEAST_REWARDED:
        raise TooLittleData(
            f"Not enough data: {len(decisions)} decisions, {rewarded} of them with a reward.",
            where="decisions",
            hint=f"At least {LEAST_DECISIONS} decisions and {LEAST_REWARDED} rewarded ones.",
        )


def _numbers(decisions: pd.DataFrame, name: str) -> Floats:
    values: Floats = pd.to_numeric(decisions[name], errors="coerce").to_numpy(dtype=np.float64)
    _refuse(decisions, name, ~np.isfinite(values))
    return values


def _refuse(decisions: pd.DataFrame, name: str, wrong: NDArray[np.bool_]) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"{name} is {decisions[name].iloc[row]!r} in {int(wrong.sum())} rows.",
            where=f"decisions, row {row}, column {name}",
            hint="Rewards are numbers; a logged probability is above 0 and at most 1.",
        )


def _matrix(target: Mapping[str, float] | Floats, names: Sequence[str], rows: int) -> Floats:
    if isinstance(target, Mapping):
        one = np.array([float(target.get(name, 0.0)) for name in names])
        matrix = np.broadcast_to(one, (rows, len(names)))
    else:
        matrix = np.asarray(target, dtype=np.float64)
    if matrix.shape != (rows, len(names)):
        raise DataError(
            f"The target policy has the shape {matrix.shape}.",
            where="target",
            hint=f"Rows x offers in sorted order: {(rows, len(names))}.",
        )
    total = matrix.sum(axis=1)
    if (matrix < 0).any() or not np.allclose(total, 1, atol=1e-6):
        raise DataError(
            "The target policy's probabilities of one row do not add up to 1.",
            where=f"target, row {int(np.argmax(np.abs(total - 1)))}",
        )
    return matrix
