"""One night from files to a publication: done once, resumed, refused with a cure, and the same every time."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from clv.errors import DataError, StepError, TooLittleData
from models.secret import secret_of
from models.snapshot import Snapshot
from pipelines.cli import app
from pipelines.night import Night
from pipelines.settings import DataSettings, DecisionSettings, Settings
from pipelines.steps import STEPS, StepResult
from recommend.context import Context
from serving.engines import open_publication
from serving.live.messages import read_message
from serving.memory import Memory
from serving.settings import Settings as ServiceSettings
from serving.store.events import EventLog
from tests.shop import lines, write_shop

pytestmark = pytest.mark.xdist_group("night")


def night(folder: Path, **options: object) -> Night:
    return Night(Settings(data=DataSettings(data_dir=folder)), **options)  # type: ignore[arg-type]


def ran(results: list[StepResult]) -> dict[str, bool]:
    return {result.step: result.ran for result in results}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def done(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[StepResult]]:
    """The data folder after a whole night on the shop, and what each step did."""
    folder = tmp_path_factory.mktemp("var")
    return folder, list(night(folder).run([str(shop)], None))


@pytest.fixture(scope="module")
def amounts_only(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[StepResult]]:
    """The same shop, of which only who paid how much when is known."""
    folder = tmp_path_factory.mktemp("amounts")
    paid = lines().groupby(["customer_id", "ordered_at"], as_index=False)["amount"].sum()
    paid.columns = pd.Index(["customer", "date", "amount"])
    paid.to_csv(folder / "orders.csv", index=False)
    return folder / "var", list(night(folder / "var").run([str(folder / "orders.csv")], None))


def test_a_first_night_does_every_step(done: tuple[Path, list[StepResult]]) -> None:
    assert ran(done[1]) == dict.fromkeys(("ingest", *STEPS), True)


def test_a_second_night_on_the_same_data_does_nothing(
    shop: Path, done: tuple[Path, list[StepResult]]
) -> None:
    again = night(done[0]).run([str(shop)], None)
    assert ran(list(again)) == dict.fromkeys(("ingest", *STEPS), False)


def test_a_lost_scoring_is_made_again_and_nothing_before_it(
    shop: Path, done: tuple[Path, list[StepResult]]
) -> None:
    folder, _ = done
    scored = next((folder / "scores").glob("*/customers.parquet"))
    before = pd.read_parquet(scored)
    scored.unlink()
    again = ran(list(night(folder).run([str(shop)], None)))
    assert again == {**dict.fromkeys(("ingest", *STEPS), False), "score": True}
    pd.testing.assert_frame_equal(pd.read_parquet(scored), before)


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(shop: Path, tmp_path: Path) -> None:
    results = list(night(tmp_path / "var", dry_run=True).run([str(shop)], None))
    assert [(result.step, result.ran) for result in results] == [("ingest", False)]
    assert not (tmp_path / "var").exists()


def test_the_publication_holds_every_customer_of_the_scores(done: tuple[Path, list[StepResult]]) -> None:
    folder, _ = done
    scored = pd.read_parquet(next((folder / "scores").glob("*/customers.parquet")))
    with Snapshot.current(folder / "published") as snapshot:
        assert len(snapshot) == len(scored)
        known = scored.set_index("customer_id").loc["c000"]
        profile = snapshot.profile("c000")
    assert profile is not None
    assert profile.value["predicted_clv"] == pytest.approx(known["predicted_clv"], rel=1e-12)
    assert profile.attributes["region"] == "south"
    assert len(profile.history.order_days) == known["historic_number_of_orders"]


def test_an_item_and_a_valid_offer_are_in_the_publication(done: tuple[Path, list[StepResult]]) -> None:
    with Snapshot.current(done[0] / "published") as snapshot:
        offers = {offer["offer_id"]: offer for offer in snapshot.document("offers")["offers"]}
    assert "gone" not in offers  # it ended before the day
    assert offers["club"]["margin"] == 20.0
    assert offers["club"]["repeatable"]  # coffee is bought again and again
    # a line of coffee costs 1.50, 3.00 or 4.50 with equal chances: about 3
    assert offers["item:coffee"]["margin"] == pytest.approx(3.0, abs=0.1)


def test_what_is_tried_and_weighed_is_switched_in_the_settings_and_logged_with_its_chance(
    shop: Path, done: tuple[Path, list[StepResult]], tmp_path: Path
) -> None:
    folder = shutil.copytree(done[0], tmp_path / "var")
    tried = DecisionSettings(exploration="epsilon", epsilon=1.0, arbitration={"annoyance": {"rate": 0.0}})
    settings = Settings(data=DataSettings(data_dir=folder), decision=tried)
    again = Night(settings).run([str(shop)], None)
    assert ran(list(again)) == {**dict.fromkeys(("ingest", *STEPS), False), "publish": True}
    usual, changed = (open_publication(place / "published") for place in (done[0], folder))
    assert changed.decider.arbitration.annoyance.rate == 0.0
    at, chances = datetime.combine(changed.as_of, datetime.min.time(), UTC), set()
    for number, who in enumerate(sorted(changed.snapshot.customer_ids())[:40]):
        found = changed.snapshot.customer(who)
        assert found is not None
        profile = found.profile
        best = usual.decider.decide(profile, Context(), at, f"d{number}")
        decision = changed.decider.decide(profile, Context(), at, f"d{number}")
        assert {hint.selection_probability for hint in best.hints} <= {1.0}
        chances |= {hint.selection_probability for hint in decision.hints}
    assert min(chances) < 1.0


def test_who_bought_when_for_how_much_is_enough_for_values_and_lists(
    amounts_only: tuple[Path, list[StepResult]],
) -> None:
    folder, results = amounts_only
    with Snapshot.current(folder / "published") as snapshot:
        profile = snapshot.profile("c000")
        sizes = {size.name: size.customers for size in snapshot.segments()}
        note = snapshot.document("offers")["note"]
    assert profile is not None
    assert 0 < profile.value["probability_alive"] <= 1  # type: ignore[operator]
    assert sum(count for name, count in sizes.items() if name.startswith("rfm_")) == len(
        pd.read_parquet(next((folder / "scores").glob("*/customers.parquet")))
    )
    assert note == "no offers: the purchase log does not say what was bought"
    missing = {absence["what"] for absence in results[0].summary["absent"]}  # type: ignore[index, union-attr, call-overload]
    assert "purchases.product_id" in missing


def test_the_future_is_not_seen(shop: Path, done: tuple[Path, list[StepResult]], tmp_path: Path) -> None:
    """What is learnt on an earlier day is the same whether or not the log goes on after it."""
    day, folder = date(2025, 6, 30), tmp_path / "short"
    folder.mkdir()
    known = lines()
    known[known["ordered_at"] <= day.isoformat()].to_csv(folder / "purchases.csv", index=False)
    (folder / "products.csv").write_bytes((shop / "products.csv").read_bytes())
    short, long = night(tmp_path / "var", as_of=day), night(done[0], as_of=day)
    short.ingest([str(folder)], None)
    for step in ("features", "train"):
        short.step(step)
        long.step(step)
    learnt = [_learnt(n.workspace.training(day)) for n in (short, long)]
    assert {"value/value.json", "propensity/arrays.npz", "propensity/proposer.json"} <= learnt[0].keys()
    assert learnt[0] == learnt[1]


def _learnt(folder: Path) -> dict[str, bytes]:
    """Return every file of the models by name; their manifests tell of the log they were made from."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != "bundle.json"]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_a_day_before_the_log_begins_is_refused(done: tuple[Path, list[StepResult]]) -> None:
    with pytest.raises(DataError, match="The log begins on 2025-01"):
        night(done[0], as_of=date(2020, 1, 1)).step("features")


def test_a_step_without_its_forerunner_names_it(shop: Path, tmp_path: Path) -> None:
    fresh = night(tmp_path / "var")
    fresh.ingest([str(shop)], None)
    with pytest.raises(StepError, match="clv train"):
        fresh.step("evaluate")
    with pytest.raises(StepError, match="clv features"):
        fresh.step("score")


def test_a_night_without_a_ledger_says_to_ingest_first(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="clv ingest"):
        night(tmp_path / "var").step("features")


def test_a_dry_run_for_a_day_not_done_yet_says_every_step_would_run(
    done: tuple[Path, list[StepResult]],
) -> None:
    results = list(night(done[0], as_of=date(2025, 3, 1), dry_run=True).run([], None))
    assert [(result.step, result.summary["would"]) for result in results] == [(name, "run") for name in STEPS]


def test_a_purchase_after_today_is_refused_with_who_and_how_to_leave_it_out(tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("customer,date,amount\nann,2025-01-01,3\nbob,2035-01-01,4\nann,2025-03-01,5\n")
    folder, today = tmp_path / "var", date(2025, 3, 2)
    night(folder).ingest([str(orders)], None)
    with pytest.raises(DataError, match="2035-01-01") as caught:
        night(folder, today=today).step("features")
    assert "customer bob" in caught.value.where
    assert "--as-of 2025-03-02" in caught.value.hint
    assert night(folder, today=today, as_of=today).step("features").summary["customers"] == 1


def test_a_log_of_one_day_is_too_short_for_values_and_says_so(tmp_path: Path) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text("customer,date,amount\n" + "".join(f"c{n},2025-05-05,{n + 5}\n" for n in range(60)))
    with pytest.raises(TooLittleData, match="how often customers come back") as caught:
        list(night(tmp_path / "var").run([str(orders)], None))
    assert (caught.value.where, caught.value.hint) == (
        "2025-05-05",
        "Take in a longer log, or choose a later day.",
    )


WHO = "c017"


def traces(folder: Path, who: str) -> list[str]:
    """Every file in which somebody is found: by their bytes, and in tables by their cells."""
    found = []
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        held = who.encode() in path.read_bytes()
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
            held |= any((table[column].astype(str) == who).any() for column in table.columns)
        if held:
            found.append(path.relative_to(folder).as_posix())
    return found


def clv(*words: str) -> str:
    told = CliRunner().invoke(app, words, catch_exceptions=False)
    assert told.exit_code == 0, told.output
    return told.output


def test_who_asks_to_be_forgotten_is_in_no_store_and_does_not_come_back(
    shop: Path, done: tuple[Path, list[StepResult]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    var = shutil.copytree(done[0], tmp_path / "var")
    monkeypatch.setenv("CLV_DATA__DATA_DIR", str(var))  # as the service's verbs set it for its workers
    told = ["--data-dir", str(var)]
    refused = tmp_path / "purchases.csv"
    refused.write_text(
        f"customer_id,order_id,ordered_at,amount\n{WHO},x1,2025-02-30,5\n{WHO},x2,2025-03-01,5\nc018,x3,soon,1\n"
    )
    clv("ingest", "-s", str(refused), *told)
    clv("features", *told)
    everybody = len(list(Snapshot.current(var / "published").customer_ids()))
    memory = Memory(ServiceSettings(data={"data_dir": var}), secret_of(var))
    memory.open()
    raw = {
        "messageId": "m1",
        "userId": WHO,
        "event": "Order Completed",
        "timestamp": "2025-10-27T10:00:00Z",
        "properties": {"order_id": "o1", "total": 3.0},
    }
    with memory.database.writing() as connection:
        EventLog(memory.pseudonyms).append(
            connection, [([read_message(raw, datetime(2025, 10, 28, tzinfo=UTC))], 1)]
        )
    memory.database.close()
    clv("feedback", *told)

    held = json.loads(clv("export", WHO, *told))
    as_of = "2025-10-27"
    assert {"purchases", "customers", "quarantine", "feedback/purchases.csv"} <= set(held["night"])
    assert {f"scores/{as_of}/customers.parquet", f"features/{as_of}/customers.parquet"} <= set(held["night"])
    assert set(held["service"]) == {"events", "profiles", "published"}
    assert {row["customer_id"] for row in held["night"]["purchases"]} == {WHO}

    before = traces(var, WHO)
    erased = clv("erase", WHO, *told)
    assert "from purchases" in erased
    assert len(before) > 6
    assert traces(var, WHO) == []
    with Snapshot.current(var / "published") as snapshot:
        assert snapshot.profile(WHO) is None
        assert len(snapshot) == everybody - 1
    assert "is whole" in clv("audit", "verify", *told)

    again = CliRunner().invoke(app, ["ingest", "-s", str(shop), "-s", str(refused), *told])
    assert again.exit_code == 0, again.output
    assert "104 rows of people who asked to be forgotten" in again.output
    assert traces(var, WHO) == []
    assert night(var).step("features").ran is False  # the tables were mended, not made again
    assert "Nothing was held" in clv("erase", "nobody", *told)
    assert (var / "forgotten.txt").read_text().count("\n") == 2


def test_a_list_of_the_forgotten_that_is_broken_stops_the_night(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "forgotten.txt").write_text("not a name\n")
    with pytest.raises(DataError, match="asked to be forgotten is broken"):
        list(night(tmp_path).run([str(shop)], None))
