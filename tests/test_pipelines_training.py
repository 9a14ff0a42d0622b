import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv.columns import VALUE_FIELDS
from clv.errors import StepError, TamperedBundle, TooLittleData
from clv.summary import summarize
from clv.valuation import ValueConfig, ValueModel
from models.files import read_bundle, write_bundle
from models.registry import Registry
from models.tracking import mlflow, tracking_to
from pipelines.evaluate import evaluate_value
from pipelines.evaluation import Evaluation
from pipelines.ingest import ingest
from pipelines.ledger import Ledger
from pipelines.orders import fingerprint_of, order_log, summary_of
from pipelines.profiles import profiles
from pipelines.promises import evaluate_propensity, promise_checks, promise_metrics
from pipelines.register import NAMES, fetch_champion, register
from pipelines.responses import responses_of
from pipelines.sources import source_for
from pipelines.train import train_propensity, train_value
from pipelines.trained import Absent, Trained
from recommend.segments import SegmentModel

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
ITEMS = ("tea", "milk", "bread", "soap", "rice", "wine", "salt", "soup")


def shop() -> pd.DataFrame:
    """Lines of 240 customers of a shop in a year: each has a pace, a favourite item, and most leave."""
    rng = np.random.default_rng(7)
    rows = []
    for number in range(240):
        day, pace = rng.uniform(0, 90), rng.gamma(2.0, 9.0) + 3.0
        leaves = day + rng.exponential(400.0)
        favourite = rng.integers(len(ITEMS))
        while day < min(leaves, 364):
            basket = {int(favourite)} | set(rng.integers(len(ITEMS), size=2).tolist())
            rows += [(f"c{number:03d}", f"o{number}-{day:.0f}", int(day), ITEMS[i], 2.0 + i) for i in basket]
            day += rng.exponential(pace) + 1.0
    lines = pd.DataFrame(rows, columns=["customer_id", "order_id", "day", "product_id", "amount"])
    lines["ordered_at"] = pd.Timestamp(FIRST) + pd.to_timedelta(lines["day"], unit="D")
    return lines.drop(columns=["day"])


def filled(lines: pd.DataFrame) -> Ledger:
    ledger = Ledger(None)
    add(ledger, "purchases", lines)
    return ledger


def add(ledger: Ledger, table: str, rows: pd.DataFrame) -> None:
    ledger.connection.register("given", rows)
    ledger.connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM given")
    ledger.connection.unregister("given")


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    with filled(shop()) as made:
        yield made


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("registry")
    return Registry(f"sqlite:///{folder}/mlflow.db", folder / "artefacts")


def log_of(*rows: tuple[str, str, str, float, bool]) -> pd.DataFrame:
    log = pd.DataFrame(rows, columns=["customer_id", "order_id", "ordered_at", "amount", "is_return"])
    return log.assign(ordered_at=pd.to_datetime(log["ordered_at"]))


# -- what is read ----------------------------------------------------------------------------------------
def test_the_order_log_sums_lines_and_keeps_returns_apart() -> None:
    lines = log_of(
        ("ann", "1", "2025-01-01 09:00", 10.0, False),
        ("ann", "1", "2025-01-01 09:00", 5.0, False),
        ("ann", "1", "2025-01-03 12:00", -5.0, False),
        ("ann", "1", "2025-01-03 12:00", 4.0, True),
        ("ann", "2", "2025-01-09 00:00", 0.0, False),
        ("ann", "3", "2025-02-01 00:00", 7.0, False),
    )
    with filled(lines) as small:
        log = order_log(small, date(2025, 1, 31))
    assert log[["order_id", "amount", "is_return"]].values.tolist() == [
        ["1", 15.0, False],
        ["1", -9.0, True],  # 5 given back, and 4 flagged as a return
        ["2", 0.0, False],
    ]


def test_orders_of_one_day_are_one_row_for_who_never_returned_anything() -> None:
    lines = log_of(
        ("ann", "1", "2025-01-01 09:00", 10.0, False),
        ("ann", "2", "2025-01-01 19:00", 5.0, False),
        ("bob", "3", "2025-01-01 09:00", 10.0, False),
        ("bob", "4", "2025-01-01 19:00", 5.0, False),
        ("bob", "3", "2025-01-05 19:00", 10.0, True),
    )
    with filled(lines) as small:
        log = order_log(small, date(2025, 1, 31))
    assert log.groupby("customer_id").size().to_dict() == {"ann": 1, "bob": 3}


def test_the_order_log_gives_the_same_summary_as_its_lines() -> None:
    lines = shop()
    returned = lines.sample(60, random_state=1).assign(amount=lambda rows: -rows["amount"])
    returned["ordered_at"] += pd.Timedelta(days=2)
    both = pd.concat([lines, returned], ignore_index=True)
    with filled(both) as small:
        for as_of in (date(2025, 6, 30), LAST):
            from_orders = summarize(order_log(small, as_of), as_of)
            pd.testing.assert_frame_equal(from_orders, summarize(both, as_of), rtol=1e-12, check_dtype=False)


def test_the_order_log_has_one_fingerprint_however_many_threads_read_it() -> None:
    lines = shop()
    seen = set()
    for threads in (1, 2):
        with Ledger(None, threads=threads) as small:
            add(small, "purchases", lines.sample(frac=1.0, random_state=threads))
            seen.add(fingerprint_of(order_log(small, LAST)))
    assert len(seen) == 1


def test_an_empty_ledger_and_one_with_nothing_but_returns_are_refused() -> None:
    with Ledger(None) as empty, pytest.raises(TooLittleData, match="2025-12-31"):
        order_log(empty, LAST)
    only = log_of(("ann", "1", "2025-01-01", -5.0, True))
    with filled(only) as returns, pytest.raises(TooLittleData, match="no purchase"):
        order_log(returns, LAST)


def test_an_offer_met_a_customer_when_its_campaign_did_or_an_outcome_says_so() -> None:
    with filled(shop()) as known:
        add(known, "products", pd.DataFrame({"product_id": ["tea", "milk"], "item": ["DRINKS", "DRINKS"]}))
        offers = pd.DataFrame(
            {
                "offer_id": ["coupon:7:1", "card", "later"],
                "name": ["Tea", "Card", "Later"],
                "kind": ["cross_sell", "upsell", "upsell"],
                "product_ids": [["tea", "milk", "soap"], ["wine"], ["salt"]],
                "valid_from": [None, None, date(2026, 5, 1)],
                "attributes": ['{"campaign_id": "7"}', None, None],
            }
        )
        add(known, "offers", offers)
        contacts = pd.DataFrame(
            {
                "interaction_id": ["campaign:7:c001", "campaign:8:c002", "call-1", "campaign:7:c003"],
                "customer_id": ["c001", "c002", "c001", "c003"],
                "occurred_at": pd.to_datetime(["2025-03-01", "2025-03-01", "2025-03-02", "2026-01-01"]),
                "channel": "mail",
            }
        )
        add(known, "interactions", contacts)
        outcomes = pd.DataFrame(
            {
                "customer_id": ["c001", "c005"],
                "offer_id": ["coupon:7:1", "card"],
                "outcome": ["accepted", "presented"],
                "at": pd.to_datetime(["2025-03-09", "2025-04-01"]),
            }
        )
        add(known, "outcomes", outcomes)
        found = responses_of(known, LAST)
    assert found.offers is not None
    assert found.exposures is not None
    offered = {
        row.offer_id: list(row.items) for row in found.offers[["offer_id", "items"]].itertuples(index=False)
    }
    assert offered == {"card": ["wine"], "coupon:7:1": ["DRINKS", "soap"]}
    met = [(row.customer_id, row.offer_id, str(row.at.date())) for row in found.exposures.itertuples()]
    assert met == [("c001", "coupon:7:1", "2025-03-01"), ("c005", "card", "2025-04-01")]
    assert "DRINKS" in set(found.lines["item"])


def test_where_a_customer_bought_is_known_by_day_in_training_and_in_the_profile() -> None:
    lines = log_of(
        ("ann", "o1", "2026-01-05", 4.0, False),
        ("ann", "o1", "2026-01-05", 4.0, False),
        ("ann", "o2", "2026-01-20", 4.0, False),
        ("bob", "o3", "2026-01-06", 4.0, False),
    ).assign(product_id="tea", store_id=["south", "north", None, None])
    day = date(2026, 1, 31)
    with filled(lines) as known:
        found = responses_of(known, day).lines
        scored = summary_of(order_log(known, day), day)
        ann, bob = profiles(known, scored, SegmentModel.fit(scored, day, clusters=0), day)
    # two stores on one day: the last by name
    assert found["store_id"].fillna("").tolist() == ["south", "", ""]
    assert ann.history.places == ("south", "")
    assert bob.history.places == ()  # nobody says where bob buys


# -- value -----------------------------------------------------------------------------------------------
def test_a_trained_value_model_is_sealed_with_its_day_and_its_data(ledger: Ledger, tmp_path: Path) -> None:
    trained = train_value(ledger, LAST, tmp_path / "value", config=ValueConfig(margin_rate=0.3), choose=False)
    again = train_value(ledger, LAST, tmp_path / "value", config=ValueConfig(margin_rate=0.3), choose=False)
    assert read_bundle(tmp_path / "value") == trained.bundle == again.bundle
    assert trained.bundle.as_of == LAST
    assert trained.bundle.fingerprint == fingerprint_of(order_log(ledger, LAST))
    assert ValueModel.load(tmp_path / "value").config.margin_rate == 0.3
    assert [path.name for path in tmp_path.iterdir()] == ["value"]


def test_a_back_test_chooses_the_value_model_and_says_why(ledger: Ledger, tmp_path: Path) -> None:
    trained = train_value(
        ledger, LAST, tmp_path / "value", config=ValueConfig(margin_rate=0.3, horizon_days=91)
    )
    chosen = ValueModel.load(tmp_path / "value").config
    assert (trained.bundle.facts["purchase model"], trained.bundle.facts["method"]) == (
        chosen.kind,
        chosen.method,
    )
    assert (chosen.margin_rate, chosen.horizon_days) == (0.3, 91)
    assert "Gini" in trained.bundle.facts["chosen"]
    found = evaluate_value(ledger, LAST, tmp_path / "value", tmp_path / "report", holdout_days=91)
    assert found.verdict.promoted, found.verdict.reason
    assert trained.bundle.facts["chosen"] in (tmp_path / "report" / "model_card.md").read_text()


def test_a_stack_is_judged_with_what_the_past_taught_it(ledger: Ledger, tmp_path: Path) -> None:
    config = ValueConfig(method="stack", horizon_days=91)
    train_value(ledger, LAST, tmp_path / "value", config=config, choose=False)
    stacked = evaluate_value(ledger, LAST, tmp_path / "value", tmp_path / "report", holdout_days=91)
    train_value(ledger, LAST, tmp_path / "plain", choose=False)
    plain = evaluate_value(ledger, LAST, tmp_path / "plain", tmp_path / "report", holdout_days=91)
    assert stacked.metrics["spend_gini"] != plain.metrics["spend_gini"]


def test_a_log_too_short_to_choose_from_gets_the_usual_model(tmp_path: Path) -> None:
    with filled(
        log_of(("ann", "1", "2025-01-01", 5.0, False), ("bob", "2", "2025-01-02", 5.0, False))
    ) as tiny:
        trained = train_value(tiny, date(2025, 1, 3), tmp_path / "value")
    assert trained.bundle.facts["chosen"].startswith("bgnbd, not by a back-test")


def test_rows_after_the_as_of_day_change_nothing(ledger: Ledger, tmp_path: Path) -> None:
    as_of = date(2025, 9, 30)
    with filled(shop()[lambda rows: rows["ordered_at"] <= pd.Timestamp(as_of)]) as earlier:
        known_then = train_value(earlier, as_of, tmp_path / "then", choose=False)
    known_now = train_value(ledger, as_of, tmp_path / "now", choose=False)
    assert known_now.bundle == known_then.bundle


def test_a_value_model_is_judged_on_days_it_did_not_see_and_beats_both_baselines(
    ledger: Ledger, tmp_path: Path
) -> None:
    train_value(ledger, LAST, tmp_path / "value", choose=False)
    found = evaluate_value(ledger, LAST, tmp_path / "value", tmp_path / "report", holdout_days=91)
    assert found.verdict.promoted, found.verdict.reason
    assert found.metrics["holdout_days"] == 91
    for what in ("orders_mae", "spend_mae"):
        assert found.metrics[what] < found.metrics[f"past_rate_{what}"]
        assert found.metrics[what] < found.metrics[f"population_mean_{what}"]
    assert set(found.comparisons[1].rows) == {"model", "past rate", "population mean"}
    assert read_bundle(tmp_path / "value").metrics == found.metrics
    assert Evaluation.read(tmp_path / "report") == found
    pictures = sorted(path.name for path in (tmp_path / "report" / "plots").iterdir())
    assert pictures == [
        "calibration.png",
        "frequency_recency_alive.png",
        "frequency_recency_orders.png",
        "gain.png",
        "orders_by_frequency.png",
        "spend.png",
        "tracking.png",
    ]
    assert found.verdict.reason in (tmp_path / "report" / "model_card.md").read_text()


@pytest.mark.parametrize("source", ["cdnow", "complete-journey"])
def test_on_public_logs_the_value_model_beats_both_baselines(tmp_path: Path, source: str) -> None:
    feeds = source_for(source)
    purchases = replace(feeds, feeds=tuple(feed for feed in feeds.feeds if feed.table == "purchases"))
    with Ledger(None) as real:
        ingest(real, purchases)
        days = real.days()
        assert days is not None
        train_value(real, days[1], tmp_path / "value", choose=False)
        found = evaluate_value(real, days[1], tmp_path / "value", tmp_path / "report")
    assert found.verdict.promoted, found.verdict.reason
    best = min(found.metrics["past_rate_spend_mae"], found.metrics["population_mean_spend_mae"])
    assert found.metrics["spend_mae"] < best
    assert abs(found.metrics["spend_bias"]) < 0.1


def test_too_short_a_log_is_not_judged_and_the_verdict_says_why(tmp_path: Path) -> None:
    lines = shop()[lambda rows: rows["ordered_at"] < pd.Timestamp(FIRST + timedelta(days=20))]
    with filled(lines) as short:
        day = FIRST + timedelta(days=19)
        train_value(short, day, tmp_path / "value", choose=False)
        found = evaluate_value(short, day, tmp_path / "value", tmp_path / "report")
    assert not found.verdict.promoted
    assert "too short" in found.verdict.reason
    assert Evaluation.read(tmp_path / "report") == found


def test_what_a_fit_remarks_on_the_data_is_noted_not_warned(tmp_path: Path) -> None:
    lines = shop()[lambda rows: rows["ordered_at"] < pd.Timestamp(FIRST + timedelta(days=20))]
    with filled(lines) as short:
        trained = train_value(short, FIRST + timedelta(days=19), tmp_path / "value", choose=False)
    assert "do not show that customers leave" in trained.bundle.facts["note"]


def test_a_holdout_in_which_nobody_bought_judges_nobody(ledger: Ledger, tmp_path: Path) -> None:
    later = LAST + timedelta(days=60)
    train_value(ledger, later, tmp_path / "value", choose=False)
    found = evaluate_value(ledger, later, tmp_path / "value", tmp_path / "report", holdout_days=50)
    assert "nothing was bought" in found.verdict.reason


def test_a_model_much_too_high_is_refused(tmp_path: Path) -> None:
    lines = shop()
    cut = pd.Timestamp(date(2025, 10, 1))
    stopped = lines[
        (lines["ordered_at"] < cut) | (lines["customer_id"] < "c040")
    ]  # most shops closed in October
    with filled(stopped) as closing:
        train_value(closing, LAST, tmp_path / "value", choose=False)
        found = evaluate_value(closing, LAST, tmp_path / "value", tmp_path / "report", holdout_days=91)
    assert not found.verdict.promoted
    assert "total spend is off by +" in found.verdict.reason


# -- the champion ----------------------------------------------------------------------------------------
def bias_champion(folder: Path, factor: float) -> None:
    """Make a champion's frequency of orders wrong by a factor."""
    path, bundle = folder / "value.json", read_bundle(folder)
    raw = json.loads(path.read_text())
    raw["process"]["parameters"]["alpha"] /= factor
    path.write_text(json.dumps(raw))
    write_bundle(
        folder, kind="value", as_of=bundle.as_of, fingerprint=bundle.fingerprint, metrics=bundle.metrics
    )


def test_a_champion_that_did_not_see_the_holdout_answers_the_same_question(
    ledger: Ledger, tmp_path: Path
) -> None:
    train_value(ledger, LAST, tmp_path / "value", choose=False)
    train_value(ledger, date(2025, 9, 1), tmp_path / "old", choose=False)
    bias_champion(tmp_path / "old", 0.01)
    found = evaluate_value(
        ledger, LAST, tmp_path / "value", tmp_path / "report", holdout_days=91, champion=tmp_path / "old"
    )
    assert found.verdict.promoted
    assert found.metrics["champion_spend_mae"] > found.metrics["spend_mae"]
    assert "the champion is off by" in found.verdict.reason


def test_a_champion_that_saw_the_holdout_is_compared_by_its_recorded_lead(
    ledger: Ledger, tmp_path: Path
) -> None:
    train_value(ledger, LAST, tmp_path / "value", choose=False)
    train_value(ledger, date(2025, 12, 1), tmp_path / "champion", choose=False)
    for lead, promoted in ((0.05, True), (0.99, False)):
        kept = read_bundle(tmp_path / "champion")
        write_bundle(
            tmp_path / "champion",
            kind="value",
            as_of=kept.as_of,
            fingerprint=kept.fingerprint,
            metrics={"spend_lead": lead},
        )
        found = evaluate_value(
            ledger,
            LAST,
            tmp_path / "value",
            tmp_path / "report",
            holdout_days=91,
            champion=tmp_path / "champion",
        )
        assert found.verdict.promoted is promoted
    assert "the champion's was 99.0%" in found.verdict.reason


def test_the_champion_itself_stays_champion(ledger: Ledger, tmp_path: Path) -> None:
    train_value(ledger, LAST, tmp_path / "value", choose=False)
    where = tmp_path / "value"
    first = evaluate_value(ledger, LAST, where, tmp_path / "report", holdout_days=91)
    again = evaluate_value(ledger, LAST, where, tmp_path / "report", holdout_days=91, champion=where)
    assert first.verdict.promoted
    assert again.verdict.promoted
    assert "file by file" in again.verdict.reason


def test_registering_makes_a_champion_once_and_it_can_be_fetched(
    ledger: Ledger, store: Registry, tmp_path: Path
) -> None:
    trained = train_value(ledger, LAST, tmp_path / "value", choose=False)
    assert fetch_champion(store, "value", tmp_path / "champions") is None
    evaluate_value(ledger, LAST, tmp_path / "value", tmp_path / "report", holdout_days=91)
    first = register(store, tmp_path / "value", tmp_path / "report")
    again = register(store, tmp_path / "value", tmp_path / "report")
    assert (first.name, first.version, first.new, first.promoted, first.champion) == (
        "clv-value",
        "1",
        True,
        True,
        "1",
    )
    assert (again.version, again.new) == ("1", False)
    found = fetch_champion(store, "value", tmp_path / "champions")
    assert found is not None
    champion, folder = found
    assert champion.metrics["spend_mae"] == pytest.approx(read_bundle(folder).metrics["spend_mae"])
    assert read_bundle(folder).version == trained.bundle.version
    assert fetch_champion(store, "value", tmp_path / "champions") == found
    (folder / "value.json").write_text("{}")
    with pytest.raises(TamperedBundle):
        fetch_champion(store, "value", tmp_path / "champions")


def test_an_evaluation_of_another_bundle_registers_nothing(
    ledger: Ledger, store: Registry, tmp_path: Path
) -> None:
    train_value(ledger, LAST, tmp_path / "value", choose=False)
    with pytest.raises(StepError, match="clv evaluate"):
        register(store, tmp_path / "value", tmp_path / "report")
    evaluate_value(ledger, LAST, tmp_path / "value", tmp_path / "report", holdout_days=91)
    train_value(ledger, date(2025, 10, 1), tmp_path / "value", choose=False)
    with pytest.raises(StepError, match="another bundle"):
        register(store, tmp_path / "value", tmp_path / "report")


def test_a_broken_evaluation_is_not_read(tmp_path: Path) -> None:
    for text in ("{", "{}", '{"verdict": 1}'):
        (tmp_path / "evaluation.json").write_text(text)
        with pytest.raises(StepError, match="no evaluation"):
            Evaluation.read(tmp_path)


# -- propensity ------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def propensity(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("propensity") / "propensity"
    trained = train_propensity(ledger, LAST, folder, horizon_days=14)
    assert isinstance(trained, Trained), trained
    return folder


def test_a_propensity_model_is_judged_against_frequency_and_by_its_promises(
    propensity: Path, tmp_path: Path
) -> None:
    found = evaluate_propensity(propensity, tmp_path / "report")
    names = {check.name for check in found.verdict.checks}
    assert names == {"recall@10", "ndcg@10", "calibration of items"}
    assert 0 < found.metrics["frequency_recall_at_10"] <= 1
    # all eight items fit into ten places, so that no ranking can reach more
    assert found.metrics["recall_at_10"] == pytest.approx(1.0)
    assert found.metrics["calibration_error"] < 0.05
    assert "| frequency |" in (tmp_path / "report" / "model_card.md").read_text()
    pictures = sorted(path.name for path in (tmp_path / "report" / "plots").iterdir())
    assert pictures == ["calibration_items.png", "gain_items.png"]


def test_a_propensity_champion_is_compared_by_its_lead_over_frequency(
    propensity: Path, tmp_path: Path
) -> None:
    bundle = read_bundle(propensity)
    rival = tmp_path / "champion"
    rival.mkdir()
    (rival / "proposer.json").write_text("{}")
    for day, lead, held in (
        (date(2025, 11, 1), -1.0, True),
        (date(2025, 11, 1), 9.0, False),
        (LAST, 9.0, False),
    ):
        write_bundle(rival, kind="propensity", as_of=day, fingerprint="", metrics={"ndcg_lead": lead})
        found = evaluate_propensity(propensity, tmp_path / "report", champion=rival)
        (check,) = [check for check in found.verdict.checks if check.name == "champion"]
        assert check.passed is held
    found = evaluate_propensity(propensity, tmp_path / "report", champion=propensity)
    assert found.verdict.checks[-1].words == "it is the champion's equal, file by file"
    assert read_bundle(propensity).version == bundle.version


_LOAD = """
import sys
from pathlib import Path
from clv.valuation import ValueModel
from models.files import read_bundle
from recommend.candidates import Proposer

def watch(event, details):
    if event in {"exec", "import", "marshal.loads", "pickle.find_class", "subprocess.Popen"}:
        raise SystemExit(f"{event}: {details}")

value, propensity = map(Path, sys.argv[1:])
ValueModel.load(value), Proposer.load(propensity)  # what Python itself imports late is imported now
sys.addaudithook(watch)
read_bundle(value), ValueModel.load(value).predict_one(2, 213, 272, 30.0)
read_bundle(propensity), Proposer.load(propensity)
print("no code was run")
"""


def test_loading_a_bundle_runs_no_code(ledger: Ledger, propensity: Path, tmp_path: Path) -> None:
    train_value(ledger, LAST, tmp_path / "value", choose=False)
    command = [sys.executable, "-c", _LOAD, str(tmp_path / "value"), str(propensity)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("no code was run\n", "")


def test_the_registered_propensity_model_answers_with_typed_proposals(
    propensity: Path, store: Registry, tmp_path: Path
) -> None:
    found = evaluate_propensity(propensity, tmp_path / "report")
    made = register(store, propensity, tmp_path / "report")
    assert made.name == NAMES["propensity"]
    assert made.promoted is found.verdict.promoted
    question = {
        "purchases": [{"item": "tea", "day": f"2025-12-{day:02d}"} for day in (3, 12, 20)],
        "as_of": "2025-12-31",
        "limit": 3,
    }
    with tracking_to(store.uri):
        served = mlflow.pyfunc.load_model(f"models:/{made.name}/{made.version}")
        (answer,) = served.predict([question])
        with pytest.raises(mlflow.MlflowException, match="as_of"):
            served.predict([{**question, "as_of": "soon"}])
    assert len(answer.items) == 3
    assert answer.items[0].item == "tea"
    assert all(0 < one.propensity < 1 for one in answer.items)


def test_a_log_of_customer_date_and_amount_trains_value_only(tmp_path: Path) -> None:
    lines = shop()[["customer_id", "ordered_at", "amount"]]
    (tmp_path / "propensity").mkdir()  # of an earlier night, when products were known
    with filled(lines) as bare:
        train_value(bare, LAST, tmp_path / "value", choose=False)
        absent = train_propensity(bare, LAST, tmp_path / "propensity")
        scored = ValueModel.load(tmp_path / "value").predict(summarize(order_log(bare, LAST), LAST))
    assert isinstance(absent, Absent)
    assert "what was bought" in absent.because
    assert "product_id" in absent.hint
    assert not (tmp_path / "propensity").exists()
    assert set(VALUE_FIELDS) <= set(scored.columns)


def test_a_history_too_short_for_the_horizon_leaves_propensity_absent(ledger: Ledger, tmp_path: Path) -> None:
    absent = train_propensity(ledger, date(2025, 2, 1), tmp_path / "propensity", horizon_days=28)
    assert isinstance(absent, Absent)
    assert "too short" in absent.because


def offered(**changes: float) -> dict[str, object]:
    offers = {"log_loss": 0.010, "base_log_loss": 0.012, "calibration_error": 0.001, "auc": 0.8, **changes}
    kept = [{"promised": 0.004, "happened": 0.003, "rows": 1_000.0}]
    items = [{"promised": 0.2, "happened": 0.21, "rows": 1_000.0}]
    ranks = {"recall_at_10": 0.2, "ndcg_at_10": 0.4, "hit_rate_at_10": 0.8}
    theirs = {f"frequency_{name}": value - 0.01 for name, value in ranks.items()}
    figures = {"calibration_error": 0.01, "log_loss": 0.2, "auc": 0.8, "customers": 9, "horizon_days": 14}
    return {**ranks, **theirs, **figures, "reliability": items, "offers": {**offers, "reliability": kept}}


@pytest.mark.parametrize(
    ("changes", "failed"),
    [({}, None), ({"log_loss": 0.013}, "offers"), ({"promised": 0.009}, "calibration of offers")],
)
def test_offers_must_beat_one_rate_for_all_and_keep_their_level(
    changes: dict[str, float], failed: str | None
) -> None:
    figures = offered(**{k: v for k, v in changes.items() if k != "promised"})
    if "promised" in changes:
        figures["offers"]["reliability"][0]["promised"] = changes["promised"]  # type: ignore[index]
    checks = promise_checks(promise_metrics(figures))
    assert [check.name for check in checks if not check.passed] == ([] if failed is None else [failed])


@pytest.mark.parametrize(("error", "held"), [(0.02, True), (0.001, False)])
def test_a_ranking_below_frequency_is_turned_down_only_for_more_than_chance(error: float, held: bool) -> None:
    # 0.02 below: the interval ends at -0.02 + 1.96 x 0.02 = +0.0192, or at -0.02 + 1.96 x 0.001 = -0.0180
    figures = {**offered(), "frequency_recall_at_10": 0.22, "recall_difference_se": error}
    (check,) = [one for one in promise_checks(promise_metrics(figures)) if one.name == "recall@10"]
    assert check.passed is held
    upper = "+0.0192" if held else "-0.0180"
    assert f"-0.0200, 95 % interval {-0.02 - 1.96 * error:+.4f} to {upper}" in check.words


@pytest.mark.parametrize(("rows", "held"), [(50.0, True), (5_000.0, False)])
def test_promises_are_held_against_what_a_perfect_model_shows_by_chance(rows: float, held: bool) -> None:
    # with one group of 50 rows at 0.2 the error stays under 1.96 x sqrt(0.2 x 0.8 / 50) = 0.111 in 95 of 100
    table = [{"promised": 0.2, "happened": 0.15, "rows": rows}]
    figures = {**offered(), "calibration_error": 0.05, "reliability": table}
    (check,) = [one for one in promise_checks(promise_metrics(figures)) if one.name == "calibration of items"]
    assert check.passed is held
    assert check.bar == pytest.approx(0.111, abs=0.02) if held else check.bar == 0.03
    assert ("a perfect model shows" in check.words) is held


@pytest.mark.parametrize(
    ("error", "newer", "held"), [(0.1, True, True), (0.01, True, False), (0.1, False, False)]
)
def test_a_newer_model_loses_to_the_champion_only_by_more_than_chance(
    propensity: Path, tmp_path: Path, error: float, newer: bool, held: bool
) -> None:
    lead = read_bundle(propensity).metrics.get("ndcg_lead", 0.0)
    rival = tmp_path / "champion"
    rival.mkdir()
    (rival / "proposer.json").write_text("{}")
    day = date(2025, 11, 1) if newer else LAST
    if not lead:
        lead = evaluate_propensity(propensity, tmp_path / "report").metrics["ndcg_lead"]
    figures = {"ndcg_lead": lead + 0.1, "ndcg_lead_se": error}
    write_bundle(rival, kind="propensity", as_of=day, fingerprint="", metrics=figures)
    found = evaluate_propensity(propensity, tmp_path / "report", champion=rival)
    assert found.verdict.checks[-1].passed is held


# -- the same twice --------------------------------------------------------------------------------------
_TRAIN = """
import hashlib, sys
from datetime import date
from pathlib import Path
from pipelines.ledger import Ledger
from pipelines.night import Night
from pipelines.settings import DataSettings, Settings
from pipelines.train import train_propensity, train_value

data, day = Path(sys.argv[1]), date(2025, 12, 31)
with Ledger(data / "ledger.duckdb", read_only=True, threads=2) as ledger:
    for made in (
        train_value(ledger, day, data / "value", choose=False),
        train_propensity(ledger, day, data / "propensity", threads=2),
    ):
        print(made.bundle.kind, made.bundle.version, made.bundle.fingerprint)
Night(Settings(data=DataSettings(data_dir=data))).step("features")
for file in sorted((data / "features").rglob("*.parquet")):
    print(file.name, hashlib.sha256(file.read_bytes()).hexdigest())
"""


def test_training_again_makes_the_same_bundles_and_features_to_the_last_byte(tmp_path: Path) -> None:
    """In another process, on two threads, from the same rows in another order."""
    random = np.random.default_rng(3)
    lines = shop()[lambda rows: rows["customer_id"] < "c120"]
    lines["amount"] *= random.gamma(2.0, 0.7, len(lines))  # sums of these depend on their order
    back = lines.sample(90, random_state=2).assign(amount=lambda rows: -rows["amount"])
    lines = pd.concat([lines, back], ignore_index=True)
    goods = pd.DataFrame({"product_id": ITEMS, "category": ["food"] * 3 + ["home"] * 2 + ["food"] * 3})
    told = []
    for place in (tmp_path / "one", tmp_path / "other"):
        with Ledger(place / "ledger.duckdb") as ledger:
            add(ledger, "purchases", lines.sample(frac=1.0, random_state=len(told)))
            add(ledger, "products", goods.sample(frac=1.0, random_state=len(told)))
        command = [sys.executable, "-c", _TRAIN, str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        told.append(done.stdout.splitlines())
    assert len(told[0]) == 4
    assert told[0] == told[1]
