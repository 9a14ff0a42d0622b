"""Which items a customer will buy next: trees over candidates, calibrated on slices in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from clv.errors import TooLittleData
from recommend.baskets import Baskets, Floats, Ints
from recommend.calibration import Calibration, calibrate
from recommend.evaluation import (
    area_under_curve,
    calibration_error,
    difference_error,
    log_loss,
    ranking_metrics,
    reliability,
)
from recommend.features import FEATURES, Matrix
from recommend.habits import Habits
from recommend.items import REACH_DAYS, Shelving
from recommend.knowledge import Knowledge
from recommend.propensity import Trees, grow
from recommend.samples import Sample, Snapshot, best_first, sample

TRAINING_SNAPSHOTS = 3
MOST_TRAINING_SNAPSHOTS = 10
TRAINING_NEGATIVES = 0.25
PLENTY = 200_000
CANDIDATES = 150
POSITIVES_PER_LEAF = 600
TOP = 10


@dataclass(frozen=True, slots=True)
class ItemModel:
    """Trees, calibration and what was learnt about items, ready to score any customer.

    Parameters
    ----------
    trees
        The fitted classifier.
    calibration
        From its probability to one that keeps its promise.
    knowledge
        Learnt from all customers up to the as-of day.
    horizon_days
        The period the probability speaks of.
    """

    trees: Trees
    calibration: Calibration
    knowledge: Knowledge
    horizon_days: int

    def probability(self, rows: Matrix) -> tuple[Floats, Floats]:
        """Return raw and calibrated probability of each row."""
        raw = self.trees.probability(rows)
        return raw, self.calibration(raw)

    def cold_probability(self) -> Floats:
        """Return each item's chance with an unknown customer: its recent reach, over the horizon."""
        reach = np.clip(self.knowledge.items.reach, 0.0, 1.0 - 1e-9)
        return 1.0 - (1.0 - reach) ** (self.horizon_days / REACH_DAYS)


@dataclass(frozen=True, slots=True)
class Plan:
    """The days the model stands on: several to learn, then one to stop, one to calibrate, one to judge."""

    train: tuple[int, ...]
    stop: int
    calibrate: int
    judge: int

    @classmethod
    def of(cls, first_day: int, as_of: int, horizon_days: int, snapshots: int = TRAINING_SNAPSHOTS) -> Plan:
        """Lay the slices end to end before the as-of day, so that none sees the outcome of a later one.

        Parameters
        ----------
        first_day, as_of
            The days the history spans.
        horizon_days
            Length of a slice.
        snapshots
            At most this many slices to learn from.

        Raises
        ------
        TooLittleData
            If the history holds fewer than five horizons.
        """
        if horizon_days < 1:
            raise TooLittleData(f"A horizon of {horizon_days} days is none.", hint="Give at least 1 day.")
        days = [as_of - j * horizon_days for j in range(1, snapshots + 4)]
        days = [day for day in days if day >= first_day + horizon_days]
        if len(days) < 4:
            longest = (as_of - first_day) // 5
            raise TooLittleData(
                f"The history of {as_of - first_day} days is too short to learn, stop, calibrate and judge "
                f"with a horizon of {horizon_days} days.",
                hint=f"Give horizon_days={longest} or less." if longest >= 1 else "Give a longer history.",
            )
        return cls(train=tuple(days[3:]), stop=days[2], calibrate=days[1], judge=days[0])


def snapshots_for(n_customers: int, n_items: int) -> int:
    """Return how many slices to learn from: more, and so older ones, where each holds few rows.

    Examples
    --------
    >>> snapshots_for(20_000, 5_000), snapshots_for(300, 40)
    (3, 10)
    """
    needed = -(-PLENTY // max(n_customers * min(n_items, CANDIDATES), 1))
    return min(max(needed, TRAINING_SNAPSHOTS), MOST_TRAINING_SNAPSHOTS)


def leaves_for(happened: Floats) -> int:
    """Return how large each tree may be: little that happened must not be cut into many cases.

    Examples
    --------
    >>> leaves_for(np.ones(100)), leaves_for(np.ones(6_000)), leaves_for(np.ones(10**6))
    (4, 10, 31)
    """
    return int(min(max(happened.sum() // POSITIVES_PER_LEAF, 4), 31))


def fit_items(
    baskets: Baskets,
    shelving: Shelving,
    plan: Plan,
    *,
    as_of: int,
    horizon_days: int,
    most_customers: int,
    random_state: int,
    num_threads: int,
) -> tuple[ItemModel, dict[str, object]]:
    """Learn on the plan's slices and judge on its last.

    Parameters
    ----------
    baskets
        All customers' baskets; nothing after ``as_of``.
    most_customers
        At most this many customers, drawn at random, are described per slice.

    Returns
    -------
    tuple
        The model, and how it did on the last slice next to frequency with ties by popularity.
    """
    rng = np.random.default_rng(random_state)

    def described(day: int, negatives: float = 1.0) -> tuple[Snapshot, Knowledge, Sample]:
        whole = Snapshot.on(baskets, day, horizon_days)
        knowledge = whole.learn(shelving)
        n = len(whole.moments)
        part = whole if n <= most_customers else whole.take(rng.choice(n, most_customers, replace=False))
        return part, knowledge, sample(part, knowledge, negatives=negatives, random_state=random_state)

    rows = min(baskets.n_customers, most_customers) * min(len(shelving.kinds), CANDIDATES) * len(plan.train)
    negatives = min(max(TRAINING_NEGATIVES, PLENTY / max(rows, 1)), 1.0)
    train = Sample.join([described(day, negatives)[2] for day in sorted(plan.train)])
    stop = described(plan.stop)[2]
    trees = grow(
        train.rows,
        train.happened,
        stop.rows,
        stop.happened,
        FEATURES,
        weights=train.weights,
        random_state=random_state,
        num_threads=num_threads,
        settings={"num_leaves": leaves_for(train.happened)},
    )
    later = described(plan.calibrate)[2]
    calibration = calibrate(trees.probability(later.rows), later.happened)
    snapshot, knowledge, last = described(plan.judge)
    model = ItemModel(trees, calibration, knowledge, horizon_days)
    judged = judge(model, snapshot, last) | {
        "horizon_days": horizon_days,
        "training_rows": len(train.happened),
        "training_positives": int(train.happened.sum()),
        "trees": trees.booster.num_trees(),
        "calibration_method": calibration.method,
    }
    whole = Snapshot.on(baskets, as_of, horizon_days)
    return ItemModel(trees, calibration, whole.learn(shelving), horizon_days), judged


def judge(model: ItemModel, snapshot: Snapshot, described: Sample) -> dict[str, object]:
    """Measure ranking and calibration on a slice, next to the customer's own frequency."""
    n, n_items, rank = len(snapshot.moments), model.knowledge.n_items, model.knowledge.items.rank
    _, probability = model.probability(described.rows)
    habits = Habits.of(snapshot.visible, snapshot.moments, n_items)
    truth = split_keys(snapshot.after.pair_keys(n_items), n, n_items)
    owned = split_keys(habits.keys, n, n_items)
    ranked, rival = best_first(described, probability, rank, n, TOP), by_frequency(habits, rank, n, TOP)
    ours, frequency = (ranking_metrics(order, truth, owned, TOP) for order in (ranked, rival))
    errors = difference_error(ranked, rival, truth, TOP)
    return {
        **{f"{name}_at_{TOP}": value for name, value in ours.items()},
        **{f"frequency_{name}_at_{TOP}": value for name, value in frequency.items()},
        **{f"{name}_difference_se": value for name, value in errors.items()},
        "calibration_error": calibration_error(probability, described.happened),
        "auc": area_under_curve(probability, described.happened),
        "log_loss": log_loss(probability, described.happened),
        "rows": len(probability),
        "positives": int(described.happened.sum()),
        "customers": n,
        "reliability": reliability(probability, described.happened),
    }


def split_keys(keys: Ints, n_customers: int, n_items: int) -> list[Ints]:
    """Return each customer's items from sorted pair keys."""
    starts = np.searchsorted(keys, np.arange(1, n_customers) * n_items)
    return [part % n_items for part in np.split(keys, starts)]


def by_frequency(habits: Habits, rank: Ints, n_customers: int, k: int) -> list[Ints]:
    """Rank own items by how many baskets held them, ties and the rest by global popularity."""
    bare = Sample(
        rows=np.zeros((0, 0), dtype=np.float32),
        happened=np.zeros(0),
        weights=np.zeros(0),
        customers=habits.customers,
        items=habits.items,
    )
    return best_first(bare, habits.counts.astype(np.float64), rank, n_customers, k)
