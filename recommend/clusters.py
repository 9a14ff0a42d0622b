"""Which kinds of customers are there, when nobody says beforehand what to look for?

k-means on a few robustly scaled habits finds the groups; the habits in which a group differs most from the
typical customer give it a name a person can read. What is stored is numbers: fields, medians, spreads and
centres.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from recommend.vitals import Floats, floats, number

FEWEST_CUSTOMERS: Final = 60
FIT_ON, JUDGE_ON = 20_000, 2_000  # customers

# Habit -> (word where it is high, word where it is low). The first four need nothing but a log of purchases.
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "quiet_days": ("long quiet", "recent"),
    c.FREQUENCY: ("frequent", "rare"),
    "spend_per_order": ("big baskets", "small baskets"),
    c.AGE_DAYS: ("long known", "known briefly"),
    "discount_share": ("discount seekers", "full price"),
    "returns_share": ("returners", "keepers"),
    "distinct_items": ("wide range", "narrow range"),
}


@dataclass(frozen=True, slots=True)
class Clusters:
    """Groups of customers.

    Parameters
    ----------
    spend_field
        Which field holds everything spent so far; empty if none.
    habits
        Which habits the groups are made of.
    medians, spreads
        Per habit, of its square root.
    centres
        Shape (groups, habits), in spreads from the median.
    names
        One a group, such as ``cluster_frequent_big_baskets``.
    """

    spend_field: str
    habits: tuple[str, ...]
    medians: tuple[float, ...]
    spreads: tuple[float, ...]
    centres: tuple[tuple[float, ...], ...]
    names: tuple[str, ...]

    @classmethod
    def fit(
        cls, scored: pd.DataFrame, spend_field: str, *, most: int = 6, random_state: int = 0
    ) -> Clusters | None:
        """Find the groups: as many, from 3 to ``most``, as stand apart best by their silhouette.

        Returns
        -------
        Clusters or None
            None when there are too few customers, or too little difference between them, for groups to mean
            anything.
        """
        rows = scored.sort_values(c.CUSTOMER_ID)
        roots = {habit: np.sqrt(np.maximum(_column(rows, habit, spend_field), 0.0)) for habit in WORDS}
        scales = {
            habit: scale for habit, root in roots.items() for scale in [_scale(root)] if scale is not None
        }
        known = ~np.isnan(roots["quiet_days"])
        if most < 3 or len(scales) < 2 or known.sum() < FEWEST_CUSTOMERS:
            return None
        empty = cls(
            spend_field,
            tuple(scales),
            tuple(median for median, _ in scales.values()),
            tuple(spread for _, spread in scales.values()),
            (),
            (),
        )
        points = empty._points(rows)[known]
        rng = np.random.default_rng(random_state)
        points = points[np.sort(rng.permutation(len(points))[:FIT_ON])]
        centres = _centres(points, most, random_state)
        return None if centres is None else empty._named(centres)

    def assign(self, scored: pd.DataFrame) -> NDArray[np.object_]:
        """Return every customer's group, shape (n,)."""
        points = self._points(scored)
        distance = np.zeros((len(scored), len(self.names)))
        for group, centre in enumerate(self.centres):
            for habit, middle in enumerate(centre):
                distance[:, group] += (points[:, habit] - middle) * (points[:, habit] - middle)
        names: NDArray[np.object_] = np.array(self.names, dtype=object)[np.argmin(distance, axis=1)]
        return names

    def of(self, record: Mapping[str, object]) -> str:
        """Return one customer's group: equal to :meth:`assign`."""
        point = []
        for habit, median, spread in zip(self.habits, self.medians, self.spreads, strict=True):
            value = _value(record, habit, self.spend_field)
            far = 0.0 if math.isnan(value) else (math.sqrt(max(value, 0.0)) - median) / spread
            point.append(min(3.0, max(-3.0, far)))
        best, nearest = math.inf, 0
        for group, centre in enumerate(self.centres):
            distance = 0.0
            for place, middle in zip(point, centre, strict=True):
                distance += (place - middle) * (place - middle)
            if distance < best:
                best, nearest = distance, group
        return self.names[nearest]

    def describe(self) -> list[tuple[str, str, str]]:
        """Return name, description and rule of every group."""
        return [
            (name, f"Discovered group: {', '.join(_says(self.habits, centre))}", self._rule(centre))
            for name, centre in zip(self.names, self.centres, strict=True)
        ]

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain lists."""
        return {
            "spend_field": self.spend_field,
            "habits": list(self.habits),
            "medians": list(self.medians),
            "spreads": list(self.spreads),
            "centres": [list(centre) for centre in self.centres],
            "names": list(self.names),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Clusters:
        """Read what :meth:`to_json` wrote."""
        return cls(
            spend_field=raw["spend_field"],
            habits=tuple(raw["habits"]),
            medians=tuple(raw["medians"]),
            spreads=tuple(raw["spreads"]),
            centres=tuple(tuple(centre) for centre in raw["centres"]),
            names=tuple(raw["names"]),
        )

    def _points(self, scored: pd.DataFrame) -> Floats:
        points = np.zeros((len(scored), len(self.habits)))
        for place, (habit, median, spread) in enumerate(
            zip(self.habits, self.medians, self.spreads, strict=True)
        ):
            far = (np.sqrt(np.maximum(_column(scored, habit, self.spend_field), 0.0)) - median) / spread
            points[:, place] = np.clip(np.where(np.isnan(far), 0.0, far), -3.0, 3.0)
        return points

    def _named(self, centres: Floats) -> Clusters:
        rounded = tuple(tuple(round(float(x), 6) for x in centre) for centre in centres)
        names: list[str] = []
        for centre in rounded:
            said = _says(self.habits, centre)
            name = next((n for k in (2, 3, 4) if (n := _machine_name(said[:k])) not in names), "")
            names.append(name or f"{_machine_name(said[:2])}_{len(names) + 1}")
        return Clusters(self.spend_field, self.habits, self.medians, self.spreads, rounded, tuple(names))

    def _rule(self, centre: tuple[float, ...]) -> str:
        typical = (
            f"{habit} around {max(0.0, median + spread * place) ** 2:.3g}"
            for habit, median, spread, place in zip(
                self.habits, self.medians, self.spreads, centre, strict=True
            )
        )
        return "nearest to " + ", ".join(typical)


def _says(habits: tuple[str, ...], centre: tuple[float, ...]) -> list[str]:
    """Return the words for a group, the most telling first."""
    ranked = sorted(zip(habits, centre, strict=True), key=lambda entry: (-abs(entry[1]), entry[0]))
    telling = [entry for entry in ranked if abs(entry[1]) >= 0.25] or ranked[:1]
    return [WORDS[habit][0 if place > 0 else 1] for habit, place in telling]


def _machine_name(said: list[str]) -> str:
    return "cluster_" + "_".join(said).replace(" ", "_")


def _scale(root: Floats) -> tuple[float, float] | None:
    """Return median and spread of a habit; None where customers do not differ in it."""
    seen = root[~np.isnan(root)]
    if seen.size < FEWEST_CUSTOMERS:
        return None
    low, median, high = (float(cut) for cut in np.quantile(seen, (0.25, 0.5, 0.75), method="inverted_cdf"))
    spread = high - low if high > low else float(seen.std())
    return (median, spread) if spread > 1e-9 else None


def _centres(points: Floats, most: int, random_state: int) -> Floats | None:
    """Return the centres, largest group first, of the number of groups that stand apart best."""
    from sklearn.cluster import KMeans  # noqa: PLC0415  (serving reads centres, it does not look for them)
    from sklearn.metrics import silhouette_score  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # noqa: PLC0415  (ships no types)

    if len(np.unique(points, axis=0)) <= most:
        return None
    best, chosen = -1.0, None
    judge = points[:: max(1, len(points) // JUDGE_ON)]
    for groups in range(3, most + 1):
        with threadpool_limits(1):  # threads cost more than they bring on so few customers
            model = KMeans(groups, n_init=4, random_state=random_state).fit(points)
        labels = model.predict(judge)
        if len(np.unique(labels)) < 2:
            continue
        apart = float(silhouette_score(judge, labels))
        if apart > best:
            sizes = np.bincount(model.labels_, minlength=groups)
            best, chosen = apart, np.asarray(model.cluster_centers_[np.argsort(-sizes, kind="stable")])
    return chosen


def _value(record: Mapping[str, object], habit: str, spend_field: str) -> float:
    if habit == "quiet_days":
        return number(record, c.AGE_DAYS) - number(record, c.RECENCY_DAYS)
    if habit == "spend_per_order":
        return number(record, spend_field) / (number(record, c.FREQUENCY) + 1.0)
    return number(record, habit)


def _column(scored: pd.DataFrame, habit: str, spend_field: str) -> Floats:
    if habit == "quiet_days":
        return floats(scored, c.AGE_DAYS) - floats(scored, c.RECENCY_DAYS)
    if habit == "spend_per_order":
        return floats(scored, spend_field) / (floats(scored, c.FREQUENCY) + 1.0)
    return floats(scored, habit)
