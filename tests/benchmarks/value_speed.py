"""How fast models are fitted and customers scored, next to ``lifetimes``, and the cost as customers grow.

``python -m tests.benchmarks.value_speed [--customers N] [--largest N] [--peer-customers N]
[--peer-minutes M] [--table FILE] [--plot FILE] [--check]``

All in one run on one machine, in processor seconds on one core for both: fit BG/NBD and Pareto/NBD and
score P(alive), expected orders and 365-day discounted value for a million simulated daily customers; one
customer scored live, best of many; then the cost of fitting and scoring from a thousand to ten million, each
size in a process of its own so that its peak memory is its own. ``lifetimes`` gets the same table. Its
Pareto/NBD is tried on ten thousand customers first: where all would take longer than ``--peer-minutes`` it
is given as many as fit, and its time is scaled up in proportion; how many it was given is in the figures.
The last line is JSON; ``--check`` exits 1 with a line per bar that is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from clv.bgnbd import BGNBD  # noqa: E402
from clv.cnbd import MBGCNBD  # noqa: E402
from clv.paretonbd import ParetoNBD  # noqa: E402
from clv.spend import GammaGamma  # noqa: E402
from clv.valuation import ValueModel  # noqa: E402
from clv.value import ValueConfig  # noqa: E402

TRIAL = 10_000
BARS = {"fit_bgnbd": 30.0, "fit_paretonbd": 100.0, "score": 15.0}
MOST_GIB = 8.0
AS_OF = date(2026, 1, 1)


def customers(count: int, seed: int = 1) -> pd.DataFrame:
    """Simulate customers with the published CDNOW parameters, the first orders within two years, by day."""
    rng = np.random.default_rng(seed)
    age = rng.integers(30, 731, count).astype(np.float64)
    rate, leave = rng.gamma(0.243, 1 / 30.9, count), rng.beta(0.793, 2.426, count)
    clock, x, last = np.zeros(count), np.zeros(count), np.zeros(count)
    going = np.arange(count)
    while going.size:
        clock[going] += rng.exponential(size=going.size) / rate[going]
        going = going[clock[going] <= age[going]]
        day = np.ceil(clock[going])
        new = (day > last[going]) & (day <= age[going])
        x[going[new]] += 1.0
        last[going[new]] = day[new]
        going = going[rng.random(going.size) >= leave[going]]
    spend = np.where(x > 0, rng.gamma(6.0, 1.0, count) / rng.gamma(4.0, 1 / 15.0, count), 0.0)
    table = {"frequency": x, "recency_days": last, "age_days": age, "monetary_value": spend}
    return pd.DataFrame(table)


def timed(work: Callable[[], object]) -> float:
    """Processor seconds on one core: what else the machine does does not count for or against either."""
    started = time.process_time()
    work()
    return time.process_time() - started


def valuation(table: pd.DataFrame) -> ValueModel:
    few = table.iloc[:50_000]
    spend = GammaGamma().fit(few["frequency"], few["monetary_value"])
    return ValueModel(BGNBD().fit(table), spend, AS_OF, ValueConfig(annual_discount=0.10))


def score(model: ValueModel, table: pd.DataFrame) -> float:
    """Score in parts of a million, keep nothing but the total."""
    total = 0.0
    for start in range(0, len(table), 1_000_000):
        total += float(model.predict(table.iloc[start : start + 1_000_000], 365)["predicted_clv"].sum())
    return total


def live() -> dict[str, float]:
    """Return milliseconds to score one customer without a table, the best of many, by purchase model."""
    spend = GammaGamma.of(p=6.25, q=3.74, gamma=15.44)
    milliseconds = {}
    for process in (
        BGNBD.of(r=0.243, alpha=30.9, a=0.793, b=2.426),
        ParetoNBD.of(r=0.553, alpha=74.0, s=0.606, beta=81.7),
        MBGCNBD.of(r=0.58, alpha=16.0, a=1.134, b=1.585, k=2),
    ):
        model = ValueModel(process, spend, AS_OF)
        best = float("inf")
        for _ in range(200):
            started = time.perf_counter()
            for _ in range(10):
                model.predict_one(2, 213, 272, 30.0, historic_revenue=80.0)
            best = min(best, (time.perf_counter() - started) / 10)
        milliseconds[process.kind] = 1e3 * best
    return milliseconds


def affordable(table: pd.DataFrame, wanted: int, minutes: float) -> int:
    """Return how many customers the Pareto/NBD of ``lifetimes`` is given: those it fits in the time."""
    import lifetimes

    few = table.iloc[: min(TRIAL, wanted)]
    fitter = lifetimes.ParetoNBDFitter(penalizer_coef=0.0)
    columns = [few["frequency"], few["recency_days"] / 7.0, few["age_days"] / 7.0]
    each = timed(lambda: fitter.fit(*columns)) / len(few)
    return int(np.clip(60.0 * minutes / max(each, 1e-9), len(few), min(wanted, len(table))))


def peer(table: pd.DataFrame, peer_customers: int) -> dict[str, float]:
    """Time ``lifetimes`` on the table, the Pareto/NBD on its first ``peer_customers`` rows."""
    warnings.simplefilter("ignore")
    import lifetimes

    seconds: dict[str, float] = {}
    x, t_x, T, m = (table[name] for name in ("frequency", "recency_days", "age_days", "monetary_value"))
    bg = lifetimes.BetaGeoFitter(penalizer_coef=0.0)
    # In days its optimiser often stops early with an error; it is given weeks, as its documentation does.
    seconds["fit_bgnbd"] = timed(lambda: bg.fit(x, t_x / 7.0, T / 7.0))
    few = slice(0, peer_customers)
    pareto = lifetimes.ParetoNBDFitter(penalizer_coef=0.0)
    scale = len(table) / min(peer_customers, len(table))
    seconds["fit_paretonbd"] = scale * timed(lambda: pareto.fit(x[few], t_x[few] / 7.0, T[few] / 7.0))
    spend = lifetimes.GammaGammaFitter(penalizer_coef=0.0)
    buyers = table.iloc[:50_000].query("frequency > 0")
    spend.fit(buyers["frequency"], buyers["monetary_value"])

    def all_three() -> None:
        bg.conditional_probability_alive(x, t_x / 7.0, T / 7.0)
        bg.predict(365.0 / 7.0, x, t_x / 7.0, T / 7.0)
        spend.customer_lifetime_value(bg, x, t_x / 7.0, T / 7.0, m, time=12, discount_rate=0.008, freq="W")

    seconds["score"] = timed(all_three)
    return seconds


def one_size(count: int) -> dict[str, float]:
    """Fit and score so many customers; called in a process of its own."""
    table = customers(count)
    seconds = {"customers": float(count), "fit_bgnbd": timed(lambda: BGNBD().fit(table))}
    seconds["fit_paretonbd"] = timed(lambda: ParetoNBD().fit(table))
    model = valuation(table)
    seconds["score"] = timed(lambda: score(model, table))
    seconds["peak_gib"] = peak_gib()
    return seconds


def peak_gib() -> float:
    """Return the peak memory of this process alone; getrusage would count what its parent held before."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def growth(largest: int) -> list[dict[str, float]]:
    rows = []
    for count in (10**power for power in range(3, 8)):
        if count <= largest:
            command = [sys.executable, "-m", "tests.benchmarks.value_speed", "--one-size", str(count)]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            rows.append(json.loads(out.strip().splitlines()[-1]))
            last = rows[-1]
            fits = f"BG/NBD {last['fit_bgnbd']:7.2f} s, Pareto/NBD {last['fit_paretonbd']:7.2f} s"
            scored = f"score {last['score']:7.2f} s, peak {last['peak_gib']:.2f} GiB"
            print(f"{count:>10,} customers: {fits}, {scored}", flush=True)
    return rows


def table_of(rows: list[dict[str, float]]) -> str:
    """Return the cost by number of customers as a table in Markdown."""
    head = (
        "| customers | fit BG/NBD, s | fit Pareto/NBD, s | score, s | score, microseconds each | peak, GiB |"
    )
    lines = [head, "|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        each = 1e6 * row["score"] / row["customers"]
        fits = f"{row['fit_bgnbd']:.2f} | {row['fit_paretonbd']:.2f} | {row['score']:.2f}"
        lines.append(f"| {row['customers']:,.0f} | {fits} | {each:.2f} | {row['peak_gib']:.2f} |")
    return "\n".join(lines) + "\n"


def plot(rows: list[dict[str, float]], path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    names = {"fit_bgnbd": "fit BG/NBD", "fit_paretonbd": "fit Pareto/NBD", "score": "score"}
    for key, label in names.items():
        axes.loglog([row["customers"] for row in rows], [row[key] for row in rows], marker="o", label=label)
    axes.set(xlabel="customers", ylabel="processor seconds, one core", title="Cost of fitting and scoring")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--largest", type=int, default=10_000_000)
    parser.add_argument("--peer-customers", type=int, default=1_000_000)
    parser.add_argument("--peer-minutes", type=float, default=10.0)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--data", help="not used: the customers are simulated")
    parser.add_argument("--one-size", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    if asked.one_size:
        print(json.dumps(one_size(asked.one_size)))
        return 0
    table = customers(asked.customers)
    unique = len(table[["frequency", "recency_days", "age_days"]].drop_duplicates())
    print(f"{len(table):,} customers, {unique:,} different histories")
    model = valuation(table)
    ours = {
        "fit_bgnbd": timed(lambda: BGNBD().fit(table)),
        "fit_paretonbd": timed(lambda: ParetoNBD().fit(table)),
        "score": timed(lambda: score(model, table)),
    }
    print("ours:", {name: round(value, 2) for name, value in ours.items()}, flush=True)
    one = live()
    print("one customer live, ms:", {name: round(value, 3) for name, value in one.items()}, flush=True)
    warnings.simplefilter("ignore")
    given = affordable(table, asked.peer_customers, asked.peer_minutes)
    print(f"lifetimes' Pareto/NBD is given {given:,} of {len(table):,} customers", flush=True)
    theirs = peer(table, given)
    ratios = {name: theirs[name] / ours[name] for name in BARS}
    missed = []
    for name, bar in BARS.items():
        both = f"ours {ours[name]:8.2f} s, lifetimes {theirs[name]:9.2f} s"
        print(f"{name:14} {both}: {ratios[name]:.0f} x (bar {bar:.0f})")
        if ratios[name] < bar:
            missed.append(f"{name}: {ratios[name]:.1f} x, bar {bar:.0f} x")
    rows = growth(asked.largest)
    if asked.table:
        asked.table.write_text(table_of(rows), encoding="utf-8")
    if asked.plot:
        plot(rows, asked.plot)
    if rows and rows[-1]["peak_gib"] > MOST_GIB:
        missed.append(f"memory: {rows[-1]['peak_gib']:.2f} GiB for {rows[-1]['customers']:,.0f} customers")
    for line in missed:
        print(f"missed: {line}")
    figures = {
        "ours": ours,
        "lifetimes": theirs,
        "pareto_customers_given_to_lifetimes": given,
        "ratios": ratios,
    }
    print(json.dumps({**figures, "live_ms": one, "growth": rows, "missed": missed}))
    return 1 if asked.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
