"""How good a ranking is: recall, NDCG and hit rate at k, for repeats and for new items apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recommend.baskets import Floats, Ints


def ranking_metrics(
    ranked: Sequence[Ints], truth: Sequence[Ints], owned: Sequence[Ints] | None = None, k: int = 10
) -> dict[str, float]:
    """Compare ranked items with what was bought, averaged over customers who bought anything.

    Parameters
    ----------
    ranked
        Per customer the proposed items, best first, distinct.
    truth
        Per customer the distinct items then bought.
    owned
        Per customer the items bought before, to tell repeats from new items.
    k
        How many proposals count.

    Returns
    -------
    dict
        ``recall``, ``ndcg`` (ideal gain over min(k, items bought)) and ``hit_rate`` at k; with ``owned`` also
        ``recall_repeat`` and ``recall_new`` (averaged over customers with such items) and ``repeat_share`` of
        the proposals.

    Examples
    --------
    >>> m = ranking_metrics([np.array([3, 5])], [np.array([5, 8])], [np.array([5])], k=2)
    >>> round(m["recall"], 3), round(m["ndcg"], 3), m["recall_repeat"], m["recall_new"]
    (0.5, 0.387, 1.0, 0.0)
    """
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)
    sums: dict[str, list[float]] = {name: [] for name in ("recall", "ndcg", "hit_rate")}
    apart: dict[str, list[float]] = {name: [] for name in ("recall_repeat", "recall_new", "repeat_share")}
    for i, bought in enumerate(truth):
        if not len(bought):
            continue
        top = ranked[i][:k]
        hit = np.isin(top, bought)
        sums["recall"].append(hit.sum() / len(bought))
        sums["ndcg"].append(float(discount[: len(top)][hit].sum() / ideal[min(k, len(bought)) - 1]))
        sums["hit_rate"].append(float(hit.any()))
        if owned is not None:
            _apart(apart, top, bought, owned[i])
    kept = sums if owned is None else sums | apart
    return {name: float(np.mean(values)) if values else float("nan") for name, values in kept.items()}


def difference_error(
    ranked: Sequence[Ints], rival: Sequence[Ints], truth: Sequence[Ints], k: int = 10
) -> dict[str, float]:
    """Return how uncertain it is that one ranking is better than another, for the same customers.

    Parameters
    ----------
    ranked, rival
        Per customer the proposed items of each ranking, best first, distinct.
    truth
        Per customer the distinct items then bought.
    k
        How many proposals count.

    Returns
    -------
    dict
        ``recall`` and ``ndcg``: standard error of the mean difference, paired by customer; 0 with fewer than
        two customers who bought anything.

    Examples
    --------
    >>> one, other = [np.array([1]), np.array([1])], [np.array([1]), np.array([2])]
    >>> round(difference_error(one, other, [np.array([1]), np.array([1])], k=1)["recall"], 3)
    0.5
    """
    gaps: dict[str, list[float]] = {"recall": [], "ndcg": []}
    for ours, theirs, bought in zip(ranked, rival, truth, strict=True):
        if len(bought):
            one, other = (ranking_metrics([top], [bought], k=k) for top in (ours, theirs))
            for name, gap in gaps.items():
                gap.append(one[name] - other[name])
    return {
        name: float(np.std(gap, ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else 0.0
        for name, gap in gaps.items()
    }


def _apart(apart: dict[str, list[float]], top: Ints, bought: Ints, owned: Ints) -> None:
    known = np.isin(bought, owned)
    for name, part in (("recall_repeat", bought[known]), ("recall_new", bought[~known])):
        if len(part):
            apart[name].append(float(np.isin(part, top).mean()))
    if len(top):
        apart["repeat_share"].append(float(np.isin(top, owned).mean()))


def calibration_error(probability: Floats, happened: Floats, bins: int = 15) -> float:
    """Return the expected calibration error: mean gap between promise and outcome over equal bins.

    Parameters
    ----------
    probability
        Shape (rows): what was promised, 0 to 1.
    happened
        Shape (rows): 0 or 1.
    bins
        How many bins of equal size; equal promises stay in one bin.

    Examples
    --------
    >>> float(calibration_error(np.array([0.2, 0.2, 0.2, 0.2, 0.2]), np.array([0, 0, 1, 0, 0])))
    0.0
    """
    if not len(probability):
        return float("nan")
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1]))
    which = np.searchsorted(edges, probability, side="left")
    gap = np.bincount(which, weights=probability - happened, minlength=len(edges) + 1)
    return float(np.abs(gap).sum() / len(probability))


def reliability(probability: Floats, happened: Floats, bins: int = 15) -> list[dict[str, float]]:
    """Return the reliability table: per equal bin the mean promise, the share that happened, and rows."""
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1]))
    which = np.searchsorted(edges, probability, side="left")
    rows = np.bincount(which, minlength=len(edges) + 1).astype(np.float64)
    promise = np.bincount(which, weights=probability, minlength=len(edges) + 1) / np.maximum(rows, 1)
    outcome = np.bincount(which, weights=happened, minlength=len(edges) + 1) / np.maximum(rows, 1)
    return [
        {"promised": float(p), "happened": float(o), "rows": float(r)}
        for p, o, r in zip(promise, outcome, rows, strict=True)
        if r
    ]


def log_loss(probability: Floats, happened: Floats) -> float:
    """Return the mean negative log-likelihood of what happened."""
    p = np.clip(probability, 1e-12, 1 - 1e-12)
    return float(-np.mean(happened * np.log(p) + (1 - happened) * np.log1p(-p)))


def area_under_curve(probability: Floats, happened: Floats) -> float:
    """Return the chance that a row where it happened ranks above one where it did not; ties count half."""
    order = np.argsort(probability, kind="stable")
    value = probability[order]
    first = np.searchsorted(value, value, side="left")
    last = np.searchsorted(value, value, side="right")
    rank = (first + last + 1) / 2.0
    positive = happened[order] > 0
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return float("nan")
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * m))
