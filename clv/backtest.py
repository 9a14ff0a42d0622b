"""Which model a log deserves: all are tried on several of its own days, and one is chosen with a reason.

Competitors: the NBD, the buy-till-you-die models, everybody's past spend carried on, the trees, and the
stack of the best purchase model with the trees. Each is fitted on what was visible on a day and asked for
the days after it. Ranking and level are judged together, since a budget needs both: totals within five
points of the best count as equal, and beyond that a point of the total costs a point of Gini. What is known
beyond orders has to earn its place: trees that were told of it must rank better on every day tried.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from clv.circumstances import Circumstances
from clv.columns import CUSTOMER_ID, ORDERED_AT, PREDICTED_CLV, PREDICTED_NUMBER_OF_ORDERS, TILT
from clv.errors import TooLittleData
from clv.fitting import DropoutNotIdentified, LittleEvidence
from clv.histories import FloatArray
from clv.holdout import Measures, Split, cut_offs, measure, past_rate, past_spend_rate, split
from clv.spend import GammaGamma
from clv.stacking import study, teach_from
from clv.summary import with_log_gaps
from clv.valuation import ValueModel
from clv.value import ValueConfig

__all__ = ["BacktestReport", "Trial", "backtest"]

PAST_SPEND: Final = "past spend"
# The NBD knows no leaving, so it could not say who is still active: it is underneath only where silent
# customers come back so often that every model of leaving ranks clearly worse. Where dropout is not
# identified, the models with dropout fall back to it by themselves.
WITH_DROPOUT: Final = ("bgnbd", "mbgnbd", "paretonbd", "mbgcnbd")
PROCESSES: Final = ("nbd", *WITH_DROPOUT)
WITH_TREES: Final = ("stack", "machine")
BEYOND: Final = {method: f"{method} beyond orders" for method in WITH_TREES}
STEADY: Final = "nbd"
LEVEL_SLACK: Final = 0.05  # of the total: closer than that, ranking decides
CLEARLY: Final = 0.02  # of a Gini: what a few thousand customers can tell apart
MOST_CUSTOMERS: Final = 30_000
_Fitted: TypeAlias = tuple[ValueModel, pd.DataFrame]  # and the summary it was fitted on


@dataclass(frozen=True, slots=True)
class Trial:
    """One competitor on one split.

    Parameters
    ----------
    name
        ``nbd``, ``bgnbd`` ..., ``past spend``, ``stack``, ``machine``, ``stack beyond orders``.
    as_of
        The last visible day.
    horizon_days
        Days asked for.
    value, orders
        How its revenue and its orders did.
    """

    name: str
    as_of: date
    horizon_days: int
    value: Measures
    orders: Measures


@dataclass(frozen=True, slots=True)
class BacktestReport:
    """What the back-test found.

    Parameters
    ----------
    trials
        Every competitor on every split.
    process
        The best purchase model, alone or under the trees.
    chosen
        Name of the winner: a purchase model, ``stack`` or ``machine``, or one of these beyond orders.
    reason
        Why, in a sentence with figures.
    config
        Settings that make :meth:`clv.valuation.ValueModel.fit` fit the winner.
    """

    trials: tuple[Trial, ...]
    process: str
    chosen: str
    reason: str
    config: ValueConfig

    def table(self) -> pd.DataFrame:
        """Return the mean of every measure over the splits, one row a competitor, best Gini first.

        Columns: ``gini``, ``spearman``, ``decile_mape``, ``bias``, ``absolute_bias``, ``mae``, ``rmse``
        of revenue, ``orders_bias``, ``orders_mae``, ``splits``.
        """
        rows = []
        for trial in self.trials:
            of_orders = {"orders_bias": trial.orders.bias, "orders_mae": trial.orders.mae}
            rows.append({"name": trial.name, **trial.value.as_dict(), **of_orders, "splits": 1})
        table = pd.DataFrame(rows)
        table["absolute_bias"] = table["bias"].abs()
        means = table.groupby("name").mean()
        means["splits"] = table.groupby("name")["splits"].sum()
        return means.sort_values("gini", ascending=False)


def backtest(
    purchases: pd.DataFrame,
    *,
    as_of: date,
    horizon_days: int,
    splits: int = 3,
    config: ValueConfig | None = None,
    circumstances: Circumstances | None = None,
) -> BacktestReport:
    """Try every model on several days of a log and choose one.

    Parameters
    ----------
    purchases
        The log: ``customer_id``, ``ordered_at``, ``amount`` and so on; what is later than ``as_of`` is
        not looked at.
    as_of
        The last visible day.
    horizon_days
        How far ahead the model will be asked. Where the log is too short to hide as much, the longest
        horizon that leaves room for several splits is tried instead: a third of the log.
    splits
        Days to try; fewer when the log is short.
    config
        Discount, margin and seed of the model to be; kind and method are what is chosen here.
    circumstances
        What is known of customers beyond their orders on a day, for the trees.

    Returns
    -------
    BacktestReport
        With the configuration of the winner.

    Raises
    ------
    TooLittleData
        When the log is too short to hide anything.
    """
    asked = replace(config or ValueConfig(), horizon_days=float(horizon_days))
    when = pd.to_datetime(purchases[ORDERED_AT], utc=True).dt.tz_localize(None)
    seen = when < pd.Timestamp(as_of) + pd.Timedelta(days=1)
    if not seen.any():
        raise TooLittleData("There are no purchases up to that day.", where=as_of.isoformat())
    visible = _fewer(purchases[seen], asked.random_state)
    held = _hidden(visible, min(horizon_days, (as_of - when[seen].min().date()).days // 3), splits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DropoutNotIdentified)
        warnings.simplefilter("ignore", LittleEvidence)
        tried = [_plain_trials(one, visible) for one in held]
        trials = [trial for own, _ in tried for trial in own]
        process = _underneath(trials)
        for one, (_, models) in zip(held, tried, strict=True):
            told = circumstances if any(_may_earn(trials, name) for name in WITH_TREES) else None
            trials += _tree_trials(one, visible, models[process], asked, told)
    plain = (process,) if process != STEADY else (_choose(trials, WITH_DROPOUT), process)
    rivals = (*plain, *WITH_TREES, *(BEYOND[name] for name in WITH_TREES if _earns(trials, name)))
    chosen = _choose(trials, rivals)
    method = next((name for name in WITH_TREES if chosen in (name, BEYOND[name])), "process")
    return BacktestReport(
        trials=tuple(trials),
        process=process,
        chosen=chosen,
        reason=_reason(trials, rivals, chosen),
        config=replace(
            asked,
            kind=chosen if method == "process" else process,
            method=method,
            beyond_orders=chosen in BEYOND.values(),
        ),
    )


def _hidden(visible: pd.DataFrame, days: int, splits: int) -> list[Split]:
    """Cut the log on several days, so many days hidden behind each; only where something was bought then."""
    held = [split(visible, day, days) for day in cut_offs(visible, days, splits)] if days > 0 else []
    held = [one for one in held if one.revenue.sum() > 0]
    if not held:
        raise TooLittleData(
            "The log is too short to hide some of it.", where=f"{days} days", hint="Collect more."
        )
    return held


def _earns(trials: list[Trial], name: str) -> bool:
    """Tell whether trees that know more than orders rank better on every day, and were tried on several."""
    days = {trial.as_of for trial in trials if trial.name == BEYOND[name]}
    return len(days) > 1 and _may_earn(trials, name)


def _may_earn(trials: list[Trial], name: str) -> bool:
    """Tell whether trees that know more than orders ranked better on every day so far."""
    alone, beyond = (
        {trial.as_of: trial.value.gini for trial in trials if trial.name == one}
        for one in (name, BEYOND[name])
    )
    return all(beyond[day] > alone[day] for day in beyond)


def _fewer(purchases: pd.DataFrame, random_state: int) -> pd.DataFrame:
    """Return the purchases of at most so many customers, drawn at random: enough to tell models apart."""
    customers = purchases[CUSTOMER_ID].unique()
    if len(customers) <= MOST_CUSTOMERS:
        return purchases
    kept = np.random.default_rng(random_state).choice(len(customers), MOST_CUSTOMERS, replace=False)
    return purchases[purchases[CUSTOMER_ID].isin(customers[np.sort(kept)])]


def _plain_trials(held: Split, visible: pd.DataFrame) -> tuple[list[Trial], dict[str, _Fitted]]:
    """Return the trials of past spend and of every purchase model, and the models.

    One spend model serves all of them.
    """
    days, summary = held.horizon_days, held.summary
    summary = with_log_gaps(summary, visible, held.as_of)
    trials = [_trial(PAST_SPEND, held, past_spend_rate(summary, days), past_rate(summary, days))]
    models: dict[str, _Fitted] = {}
    spend: GammaGamma | None = None
    for kind in PROCESSES:
        config = ValueConfig(kind=kind, annual_discount=0.0)
        model = ValueModel.fit(summary, as_of=held.as_of, config=config, spend=spend)
        spend = model.spend
        if kind == "mbgcnbd" and model.process.parameters_["k"] == 1.0:
            continue  # customers are not regular: it is the MBG/NBD again
        models[kind] = (model, summary)
        trials.append(_asked(kind, model, held, summary))
    return trials, models


def _tree_trials(
    held: Split,
    visible: pd.DataFrame,
    fitted: _Fitted,
    config: ValueConfig,
    circumstances: Circumstances | None,
) -> list[Trial]:
    """Return the trials of the trees and of the stack, where the visible past is enough to learn from.

    With circumstances, they are tried with and without them.
    """
    plain, summary = fitted
    base = replace(config.bare(), kind=plain.config.kind, horizon_days=float(held.horizon_days))
    try:
        pasts = study(visible, summary, as_of=held.as_of, config=base)
    except TooLittleData:
        return []
    trials = []
    for told in (None,) if circumstances is None else (None, circumstances):
        teaching = teach_from(pasts, told, random_state=base.random_state)
        for method in WITH_TREES:
            model = replace(plain, config=replace(base, method=method))
            model = model.taught(teaching, summary, visible, told)
            tilts = model.tilts(summary, visible, circumstances=told)
            name = method if told is None else BEYOND[method]
            trials.append(_asked(name, model, held, summary.assign(**{TILT: tilts})))
    return trials


def _asked(name: str, model: ValueModel, held: Split, summary: pd.DataFrame) -> Trial:
    predicted = model.predict(summary, held.horizon_days)
    value, orders = (
        predicted[field].to_numpy(np.float64) for field in (PREDICTED_CLV, PREDICTED_NUMBER_OF_ORDERS)
    )
    return _trial(name, held, value, orders)


def _trial(name: str, held: Split, value: FloatArray, orders: FloatArray) -> Trial:
    return Trial(
        name, held.as_of, held.horizon_days, measure(held.revenue, value), measure(held.orders, orders)
    )


@dataclass(frozen=True, slots=True)
class _Standing:
    """Means over the splits: ranking, the total's error, the deciles' error, and how many splits."""

    gini: float
    bias: float
    deciles: float
    splits: int


def _standing(trials: list[Trial], name: str, days: frozenset[date] | None = None) -> _Standing:
    own = [trial.value for trial in trials if trial.name == name and (days is None or trial.as_of in days)]
    if not own:
        return _Standing(-1.0, float("inf"), float("inf"), 0)
    return _Standing(
        float(np.mean([m.gini for m in own])),
        float(np.mean([abs(m.bias) for m in own])),
        float(np.mean([m.decile_mape for m in own])),
        len(own),
    )


def _days(trials: list[Trial], names: Sequence[str]) -> tuple[list[str], frozenset[date]]:
    """Return who is to be compared, and the days all of them were tried on.

    Who could be tried on one day only, where others were on more, is not compared.
    """
    own = {name: frozenset(trial.as_of for trial in trials if trial.name == name) for name in names}
    least = min(2, max(len(days) for days in own.values()))
    compared = [name for name in names if len(own[name]) >= least]
    return compared, frozenset.intersection(*(own[name] for name in compared))


def _underneath(trials: list[Trial]) -> str:
    """Return the purchase model the trees stand on: with dropout, unless the NBD ranks clearly better."""
    best = _choose(trials, tuple(name for name in WITH_DROPOUT if _standing(trials, name).splits))
    ahead = _standing(trials, STEADY).gini - max(_standing(trials, name).gini for name in WITH_DROPOUT)
    return STEADY if ahead > CLEARLY else best


def _choose(trials: list[Trial], names: Sequence[str]) -> str:
    """Return the best ranking, where a total further off than the best one by the slack costs as much.

    All are compared on the same days; of equals the earlier, simpler name is chosen.
    """
    compared, days = _days(trials, names)
    standing = {name: _standing(trials, name, days) for name in compared}
    allowed = min(one.bias for one in standing.values()) + LEVEL_SLACK
    return max(compared, key=lambda name: standing[name].gini - max(standing[name].bias - allowed, 0.0))


def _reason(trials: list[Trial], rivals: Sequence[str], chosen: str) -> str:
    compared, days = _days(trials, rivals)

    def told(name: str) -> str:
        one = _standing(trials, name, days)
        return f"a Gini of {one.gini:.3f}, {one.bias:.0%} off in total and {one.deciles:.0%} by decile"

    own = _standing(trials, chosen, days)
    best = {name: _standing(trials, name, days) for name in compared}
    if own.bias > min(one.bias for one in best.values()) + LEVEL_SLACK:
        first = f"{chosen} ranks so much better that its total may be further off"
    else:
        first = f"{chosen} ranks best of those whose total is within {LEVEL_SLACK:.0%} of the best"
    names = dict.fromkeys((*rivals, STEADY, PAST_SPEND))
    others = "; ".join(
        f"{name} has {told(name)}"
        for name in names
        if name != chosen and (name in best or name not in rivals)
    )
    over = "one split" if len(days) == 1 else f"the mean of {len(days)} splits"
    told_apart = f"{first}: {told(chosen)} over {over}. {others}."
    higher = [
        name for name in (STEADY, PAST_SPEND)
        if name not in rivals and _standing(trials, name, days).gini > own.gini
    ]  # fmt: skip
    if higher:
        told_apart += f" Ranked higher, but knows nobody who left, so a yardstick only: {', '.join(higher)}."
    left_out = [name for name in rivals if name not in compared]
    if left_out:
        told_apart += f" Too little past to try {' and '.join(left_out)}."
    tried = {trial.name for trial in trials} & {*BEYOND.values()}
    if tried and not tried & {*rivals}:
        told_apart += " Trees that know more than orders did not rank better on every day tried."
    return told_apart
