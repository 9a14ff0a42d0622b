"""Does replay give the published answers on logged recommendations of a real shop?

``python -m tests.benchmarks.replay_open_bandit --data DIR [--check]``

DIR holds, in any folder of it, the small Open Bandit data set: ``random/all`` and ``bts/all``, each with
``all.csv`` (10,000 impressions logged by a uniformly random policy, and by Bernoulli Thompson sampling, bts)
and ``item_context.csv``. Three questions are asked of the random log, which the bts log answers in truth:

* bts as the Open Bandit Pipeline describes it: Beta beliefs of its production prior, per place in a list of
  three, with its model of the reward (logistic, per place, item features for the item, three folds).
  Published: IPW 1.198 x the random policy (.004553), DM .003545, DR .004727, interval of IPW .0015 to .0093.
* bts as its own log shows it: how often each item stood in each place. Reference: IPS .00504 (.0027 to
  .0078), SNIPS .00525, 2,639 effective decisions, largest weight 9.6.
* the random policy itself, which must get its own mean.

The last line is JSON; ``--check`` exits 1 if a figure is off.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from recommend.replay import Replay, replay
from recommend.reward import Expected

PLACES = 3
SIMULATIONS = 100_000
# Prior of the production policy, campaign "all": acceptances and refusals of items 0 to 79 before the log.
ACCEPTED = """
47 8 62 142 3 14 7 857 12 15 6 100 48 23 71 61 13 16 518 30 7 4 23 8 10 11 11 18 121 11 11 10 14 9 204 58
3 19 42 1013 2 328 15 31 14 138 45 55 23 38 10 401 52 6 3 6 5 32 35 133 52 820 43 195 8 42 40 4 32 30 9
22 6 23 5 54 8 22 65 246
"""
REFUSED = """
12198 3566 15993 35522 2367 4609 3171 181745 4372 4951 3100 24665 13210 7061 18061 17449 5644 6787 111326
8776 3334 2271 7389 2659 3665 4724 3561 5085 27407 4601 4756 4120 4736 3788 45292 14719 2189 5589 11995
222255 2308 70034 4801 8274 5421 31912 12213 13576 6230 10382 4141 85731 12811 2707 2250 2668 2886 9581
9465 28336 12062 162793 12107 41240 3162 11604 10818 2923 8897 8654 4000 6580 3174 6766 2602 14506 3968
7523 16532 51964
"""


def read(folder: Path, policy: str) -> pd.DataFrame:
    """Read a log as a table of decisions; earliest first."""
    raw = pd.read_csv(folder / policy / "all" / "all.csv", index_col=0).sort_values("timestamp")
    features = {name: raw[name] for name in raw.columns if name.startswith("user_feature")}
    return pd.DataFrame(
        {
            "offer_id": raw["item_id"].map("{:02d}".format),
            "selection_probability": raw["propensity_score"],
            "reward": raw["click"].astype(float),
            "place": raw["position"].astype(str),
            **features,
        }
    )


def thompson_by_place(random_state: int) -> NDArray[np.float64]:
    """Return how often bts shows each item in each place, shape (places, items), by simulation."""
    accepted, refused = (np.array(text.split(), dtype=np.float64) for text in (ACCEPTED, REFUSED))
    random = np.random.default_rng(random_state)
    counts = np.zeros((PLACES, len(accepted)))
    for _ in range(SIMULATIONS // 1_000):
        drawn = random.beta(accepted, refused, size=(1_000, len(accepted)))
        best = np.argsort(-drawn, axis=1)[:, :PLACES]
        for place in range(PLACES):
            counts[place] += np.bincount(best[:, place], minlength=len(accepted))
    shares: NDArray[np.float64] = counts / counts.sum(axis=1, keepdims=True)
    return shares


def pipelines_model(folder: Path, log: pd.DataFrame, features: list[str]) -> Expected:
    """Return expected rewards as the Open Bandit Pipeline's example models them, folds and all."""
    raw = pd.read_csv(folder / "random" / "all" / "item_context.csv", index_col=0)
    codes = [pd.factorize(raw[name], sort=True)[0] for name in raw.columns[2:]]
    items = np.column_stack([*codes, raw["item_feature_0"]])
    context = pd.get_dummies(log[features], drop_first=True).to_numpy(dtype=np.float64)
    place, made = log["place"].to_numpy(), log["offer_id"].astype(int).to_numpy()
    rewards = log["reward"].to_numpy()
    row_part, item_part = np.zeros(len(log)), np.zeros((len(log), len(items)))
    for train, test in KFold(3, shuffle=True, random_state=12345).split(context):
        for here in np.unique(place):
            seen, judged = train[place[train] == here], test[place[test] == here]
            model = LogisticRegression(max_iter=3_000)
            model.fit(np.column_stack([context[seen], items[made[seen]]]), rewards[seen])
            weights = model.coef_[0]
            row_part[judged] = model.intercept_[0] + context[judged] @ weights[: context.shape[1]]
            item_part[judged] = items @ weights[context.shape[1] :]
    return Expected(row_part, item_part, binary=True)


def shown(question: str, answer: Replay) -> None:
    """Print one answer."""
    print(f"\n{question}: {answer.decisions:,} decisions, {answer.rewarded} rewarded")
    print(
        f"  effective decisions {answer.effective_decisions:,.0f}, largest weight {answer.largest_weight:.2f}"
    )
    for one in (answer.logged, *answer.estimates):
        print(f"  {one.estimator:10s} {one.value:.6f}  ({one.low:.4f} to {one.high:.4f})")
    for warning in answer.warnings:
        print(f"  warning: {warning}")
    print(f"  {answer.verdict}: {answer.reason}")


def figures(answer: Replay) -> dict[str, object]:
    """Return an answer as plain numbers."""
    found: dict[str, object] = {
        one.estimator: [round(one.value, 6), round(one.low, 4), round(one.high, 4)]
        for one in (answer.logged, *answer.estimates)
    }
    return found | {
        "effective_decisions": round(answer.effective_decisions),
        "largest_weight": round(answer.largest_weight, 2),
        "verdict": answer.verdict,
    }


def main() -> int:
    """Ask, print, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder that holds the small Open Bandit data set"
    )
    parser.add_argument("--check", action="store_true", help="exit 1 if a figure is off")
    options = parser.parse_args()
    folder = next(
        (found.parents[2] for found in sorted(options.data.rglob("random/all/all.csv"))), options.data
    )
    log, truth_log = read(folder, "random"), read(folder, "bts")
    truth = float(truth_log["reward"].mean())
    place = log["place"].astype(int).to_numpy() - 1
    users = [name for name in log.columns if name.startswith("user_feature")]
    features = [*users, "place"]
    items = sorted(set(log["offer_id"]))

    beliefs = thompson_by_place(12345)[place]
    by_place = replay(log, beliefs, expected=pipelines_model(folder, log, users))
    own_model = replay(log, beliefs, features=features)
    seen = pd.crosstab(truth_log["place"], truth_log["offer_id"], normalize="index")
    shares = seen.reindex(columns=items, fill_value=0.0).to_numpy()[place]
    by_log = replay(log, shares, features=features)
    itself = replay(log, dict.fromkeys(items, 1 / len(items)), features=features)
    print(f"truth: the bts log's own mean is {truth:.4f}")
    shown("bts by its prior, the pipeline's model of the reward", by_place)
    shown("bts by its prior, our model of the reward", own_model)
    shown("bts by its log", by_log)
    shown("the random policy itself", itself)

    relative = by_place.estimate("ips").value / by_place.logged.value
    checks = {
        "IPS of bts is 1.198 x the random policy": abs(relative - 1.198) < 0.005,
        "its interval is .0015 to .0093": abs(by_place.estimate("ips").low - 0.0015) < 0.0008
        and abs(by_place.estimate("ips").high - 0.0093) < 0.0015,
        "DM is .003545": abs(by_place.estimate("dm").value - 0.003545) < 0.00001,
        "DR is .004727": abs(by_place.estimate("dr").value - 0.004727) < 0.00002,
        "by its log IPS is .00504": abs(by_log.estimate("ips").value - 0.00504) < 0.00002,
        "its interval is .0027 to .0078": abs(by_log.estimate("ips").low - 0.0027) < 0.0004
        and abs(by_log.estimate("ips").high - 0.0078) < 0.0004,
        "SNIPS is .00525": abs(by_log.estimate("snips").value - 0.00525) < 0.00002,
        "2,639 effective decisions": abs(by_log.effective_decisions - 2_639) < 2,
        "the largest weight is 9.6": abs(by_log.largest_weight - 9.6) < 0.05,
        "every interval holds the truth": all(
            one.is_about(truth) for answer in (by_place, own_model, by_log) for one in answer.estimates
        ),
        "the random policy is worth its own mean": abs(itself.estimate("ips").value - itself.logged.value)
        < 1e-12
        and abs(itself.estimate("dr").value - itself.logged.value) < 3e-4,
        "it says that the log is too small to tell": by_place.verdict == "not enough data",
    }
    print()
    for name, holds in checks.items():
        print(f"{'ok  ' if holds else 'OFF '} {name}")
    print(
        json.dumps(
            {
                "truth": truth,
                "relative_ips": round(relative, 4),
                "by_prior": figures(by_place),
                "by_prior_own_model": figures(own_model),
                "by_log": figures(by_log),
                "itself": figures(itself),
                "ok": all(checks.values()),
            }
        )
    )
    return int(options.check and not all(checks.values()))


if __name__ == "__main__":
    sys.exit(main())
