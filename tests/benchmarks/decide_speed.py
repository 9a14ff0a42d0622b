"""How long does one whole decision take, in units of the model's own prediction?

``python -m tests.benchmarks.decide_speed [--check]``

A catalogue of 1,000 offers with rules, caps, dates and treatments, policies of every kind, and a customer
with a history of contacts. Two engines answer:

* with a proposer that does nothing but predict about 100 candidates' features and put them in columns: what
  ``decide`` costs;
* with the real proposer, fitted on a generated log, which also finds and describes its candidates, as many as
  it likes: what a question costs, shown beside it and not held to the limit.

Each time is divided by that of the bare ``Booster.predict`` on the same matrix, one thread. They are timed in
turn, and the medians compared. The last line is JSON; ``--check`` exits 1 above 4 x or if pandas is called.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import FrameType
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recommend.candidate import Candidate, Row
from recommend.candidates import Proposer
from recommend.catalogue import Cap, Catalogue, Offer, Treatment
from recommend.context import Context
from recommend.control import ControlGroup
from recommend.engine import Engine
from recommend.explore import EpsilonGreedy, PlackettLuce, Thompson
from recommend.features import FEATURES
from recommend.history import History
from recommend.policies import Policies, PolicyRule
from recommend.profile import Contact, Profile, Tag
from recommend.proposed import Proposed
from recommend.slate import Explorer
from recommend.worth import Arbitration

MOST = 4.0
OFFERS = 1_000
CANDIDATES = 100
ITEMS = 400
AS_OF = date(2026, 2, 1)
AT = datetime(2026, 2, 2, 9, tzinfo=UTC)
KINDS = ("cross_sell", "upsell", "replenish", "win_back", "bundle", "retention")
COLUMNS = {name: place for place, name in enumerate(FEATURES)}
MOMENT = Context(intent="buy", mentions=("I0007",))


def catalogue() -> Catalogue:
    """Return 1,000 offers: one per item, and 600 of the business with rules, caps, dates and treatments."""
    treatments = (Treatment("chat", {"en": "Shall I add it?"}), Treatment("email"))
    offers = [
        Offer(
            f"o{i}",
            f"Offer {i}",
            KINDS[i % len(KINDS)],  # type: ignore[arg-type]
            issue="grow" if i % 2 else "keep",
            group=f"g{i % 20}",
            items=(f"I{i % ITEMS:04d}", f"I{(7 * i + 3) % ITEMS:04d}"),
            margin=float(1 + i % 17),
            price=10.0,
            lever=float(i % 30),
            valid_from=AS_OF - timedelta(days=30),
            valid_to=AS_OF + timedelta(days=60),
            caps=(Cap(3, "presented", 30),),
            treatments=treatments,
            eligibility=("customer.known",),
            suitability=("offer.price <= customer.average_order_value",) if i % 5 == 0 else (),
        )
        for i in range(OFFERS - ITEMS)
    ]
    items = [f"I{i:04d}" for i in range(ITEMS)]
    return Catalogue(offers).with_items(items, margins={item: 1.0 + i % 7 for i, item in enumerate(items)})


def policies() -> Policies:
    """Return rules for everybody, for groups, with attributes, beside the default contact policy."""
    young = [PolicyRule("eligibility", "customer.birth_year <= 2007", group=f"g{i}") for i in range(5)]
    rules = (
        *young,
        PolicyRule("applicability", "context.intent is missing or context.intent != 'deliver'"),
        PolicyRule("suitability", "not customer.segments has 'lost' and customer.predicted_clv > 0"),
    )
    return Policies(rules=rules, fields={"customer.birth_year": "number"}, control=ControlGroup(0.0))


def log(random_state: int = 0) -> pd.DataFrame:
    """Return order lines of 600 customers over a year: each keeps to some items."""
    random = np.random.default_rng(random_state)
    first = AS_OF - timedelta(days=364)
    rows = []
    for customer in range(600):
        taste = random.choice(ITEMS, size=25, replace=False)
        for day in np.sort(random.choice(365, size=random.integers(10, 40), replace=False)):
            basket = random.choice(taste, size=6, replace=False)
            when = first + timedelta(days=int(day))
            rows += [(f"c{customer}", f"I{item:04d}", when) for item in basket]
    return pd.DataFrame(rows, columns=["customer_id", "item", "order_day"])


def customer(lines: pd.DataFrame, customer_id: str) -> Profile:
    """Return a well-known customer of the log: history, contacts, segments, tags, consent, attributes."""
    own = lines[lines["customer_id"] == customer_id]
    days = sorted(set(own["order_day"]))
    place = {day: i for i, day in enumerate(days)}
    items = sorted(set(own["item"]))
    positions = [
        tuple(sorted(place[day] for day in own.loc[own["item"] == item, "order_day"])) for item in items
    ]
    epoch = date(1970, 1, 1)
    contacts = [
        Contact(AT - timedelta(days=2 * i), "email", "rejected" if i % 9 == 0 else "ignored", f"o{i}")
        for i in range(30)
    ]
    return Profile(
        customer_id,
        AS_OF,
        value={"predicted_clv": 400.0, "average_order_value": 50.0},
        segments=("champions", "top"),
        tags=(Tag("due to re-order", "timing", AS_OF),),
        attributes={"birth_year": 1980},
        consent={"chat.marketing": True},
        contacts=tuple(contacts),
        history=History(tuple((day - epoch).days for day in days), tuple(items), tuple(positions)),
    )


class Predicts:
    """Predicts a given matrix and puts it in columns: the least a proposer must do."""

    def __init__(
        self, booster: lgb.Booster, rows: NDArray[Any], candidates: list[Candidate], listed: Catalogue
    ) -> None:
        self.booster = booster
        by_offer = sorted(zip(candidates, rows, strict=True), key=lambda pair: pair[0].offer_id)
        self.rows = np.array([row for _, row in by_offer])
        self.columns = Proposed.of([one for one, _ in by_offer], listed.places)

    def propose(
        self, profile: Profile, catalogue: Catalogue, context: Context, at: datetime, explain: bool = False
    ) -> Proposed:
        """Return one candidate per row."""
        predicted = self.booster.predict(self.rows, num_threads=1)
        return replace(
            self.columns,
            propensity=np.minimum(predicted + 0.01, 1.0),
            propensity_raw=predicted,
            explained=lambda place: (Row(COLUMNS, self.rows[place]), {}),
            settled=True,
        )


def median_times(*jobs: Callable[[], object], rounds: int = 400) -> list[float]:
    """Return each job's median seconds, all timed in turn so that a busy machine hits them alike."""
    for job in jobs:
        for _ in range(20):
            job()
    taken: list[list[float]] = [[] for _ in jobs]
    for _ in range(rounds):
        for times, job in zip(taken, jobs, strict=True):
            start = time.process_time()
            job()
            times.append(time.process_time() - start)
    return [float(np.median(times)) for times in taken]


def touches_pandas(job: Callable[[], object]) -> bool:
    """Return whether any Python function of pandas runs during a job."""
    files: Counter[bool] = Counter()

    def watch(frame: FrameType, event: str, argument: object) -> None:
        del event, argument
        files["/pandas/" in frame.f_code.co_filename] += 1

    sys.setprofile(watch)
    try:
        job()
    finally:
        sys.setprofile(None)
    return files[True] > 0


def main() -> int:
    """Build, time, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="not needed: the log is generated")
    parser.add_argument("--check", action="store_true", help=f"exit 1 above {MOST:g} x")
    options = parser.parse_args()
    lines = log()
    proposer = Proposer().fit(lines, as_of=AS_OF, horizon_days=28, random_state=0)
    offers, rules, weights = catalogue(), policies(), Arbitration()
    profile = customer(lines, "c7")

    found = [c for c in proposer.propose(profile, offers, MOMENT, AT) if len(c.features) == len(FEATURES)]
    whole_rows = np.array([list(c.features.values()) for c in found])
    booster = proposer._fitted().trees.booster
    business = [
        Candidate(f"o{9 * i % (OFFERS - ITEMS)}", f"I{9 * i % ITEMS:04d}", ("campaign",), popularity_rank=i)
        for i in range(CANDIDATES - min(CANDIDATES // 2, len(found)))
    ]
    some = [*found[: CANDIDATES // 2], *business]
    rows = np.resize(whole_rows, (len(some), whole_rows.shape[1]))
    explorers: dict[str, Explorer | None] = {
        "best": None,
        "epsilon": EpsilonGreedy(),
        "plackett_luce": PlackettLuce(),
        "thompson": Thompson(),
    }
    engines = {
        name: Engine(offers, rules, weights, Predicts(booster, rows, some, offers), explorer=explorer)
        for name, explorer in explorers.items()
    }
    whole = Engine(offers, rules, weights, proposer)
    decision = engines["best"].decide(profile, MOMENT, AT, "d1")
    stages = Counter(one.dropped_by or "said" for one in decision.candidates)
    print(f"{len(offers):,} offers, {len(decision.candidates)} candidates: {dict(stages)}")
    asked = whole.decide(profile, MOMENT, AT, "d1")
    print(f"whole question: {len(asked.candidates)} candidates put forward by the real proposer")

    jobs = [
        lambda: booster.predict(rows, num_threads=1),
        lambda: booster.predict(whole_rows, num_threads=1),
        *(lambda engine=engine: engine.decide(profile, MOMENT, AT, "d1") for engine in engines.values()),
        lambda: whole.decide(profile, MOMENT, AT, "d1"),
        lambda: proposer.propose(profile, offers, MOMENT, AT),
    ]
    bare, bare_whole, *deciding, asking, proposing = median_times(*jobs)
    ratios = {name: taken / bare for name, taken in zip(engines, deciding, strict=True)}
    ratios["whole_question"] = asking / bare_whole
    print(
        f"bare predict on {rows.shape}: {bare * 1e3:.2f} ms; on {whole_rows.shape}: {bare_whole * 1e3:.2f} ms"
    )
    for name, taken in zip([*engines, "whole_question"], [*deciding, asking], strict=True):
        print(f"  {name:15s} {taken * 1e3:6.2f} ms   {ratios[name]:.2f} x")
    print(f"  of a whole question, {proposing * 1e3:.2f} ms go to finding and describing candidates")
    clean = not touches_pandas(lambda: whole.decide(profile, MOMENT, AT, "d1"))
    print(f"pandas on the path: {'no' if clean else 'yes'}")
    ok = clean and ratios["best"] <= MOST
    print(
        json.dumps(
            {
                "offers": len(offers),
                "candidates": len(decision.candidates),
                "milliseconds": round(deciding[0] * 1e3, 3),
                "predict_milliseconds": round(bare * 1e3, 3),
                "ratios": {name: round(ratio, 2) for name, ratio in ratios.items()},
                "pandas": not clean,
                "ok": ok,
            }
        )
    )
    return int(options.check and not ok)


if __name__ == "__main__":
    sys.exit(main())
