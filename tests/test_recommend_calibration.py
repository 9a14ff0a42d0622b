"""A promise of 30 % must come true three times in ten, in every channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clv.errors import DataError, MissingColumn, TooLittleData
from recommend.calibration import Calibration, ChannelCalibration, calibrate, calibrate_channels
from recommend.encoders import Encoder
from recommend.evaluation import area_under_curve, calibration_error, log_loss, ranking_metrics, reliability
from recommend.propensity import grow
from recommend.uptake import Uptake


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A model that promises the square root of the truth: overconfident everywhere."""
    rng = np.random.default_rng(seed)
    truth = rng.beta(2, 5, n)
    return np.sqrt(truth), (rng.random(n) < truth).astype(float)


@pytest.mark.parametrize(("rows", "method", "most"), [(20_000, "isotonic", 0.012), (2_000, "platt", 0.04)])
def test_much_evidence_bends_freely_and_little_by_two_numbers(rows: int, method: str, most: float) -> None:
    raw, happened = drawn(rows)
    learnt = calibrate(raw, happened)
    assert learnt.method == method
    new_raw, new_happened = drawn(40_000, seed=1)
    assert calibration_error(new_raw, new_happened) > 0.2
    assert calibration_error(learnt(new_raw), new_happened) < most


def test_calibration_never_turns_the_ranking_round() -> None:
    raw, happened = drawn(20_000)
    for learnt in (calibrate(raw, happened), calibrate(raw, happened, isotonic_from=10**9)):
        assert (np.diff(learnt(np.linspace(0, 1, 500))) >= 0).all()
    worse = calibrate(1 - raw[:1000], happened[:1000])  # a model worse than chance is flattened, not inverted
    assert (np.diff(worse(np.linspace(0, 1, 50))) >= 0).all()


def test_isotonic_averages_what_is_out_of_order() -> None:
    # outcomes 0, 1, 0, 1 at .1 .2 .3 .4: the middle two pool to one half at their mean raw value
    learnt = calibrate(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 1, 0, 1]), isotonic_from=1)
    assert learnt.raw == pytest.approx((0.1, 0.25, 0.4))
    assert learnt.calibrated == pytest.approx((0.0, 0.5, 1.0))


def test_one_outcome_alone_teaches_nothing() -> None:
    with pytest.raises(TooLittleData, match="both outcomes"):
        calibrate(np.array([0.1, 0.2]), np.zeros(2))


def test_a_channel_with_enough_answers_has_its_own_map_and_others_share_one() -> None:
    rng = np.random.default_rng(3)
    raw = rng.random(9_000)
    channels = np.repeat(["phone", "chat", "rare"], [4_000, 4_900, 100])
    truth = np.where(channels == "phone", 0.5 * raw, raw)  # the phone keeps half of what the model promises
    happened = (rng.random(9_000) < truth).astype(float)
    learnt = calibrate_channels(raw, happened, channels.tolist())
    assert set(learnt.by_channel) == {"phone", "chat"}
    at = np.array([0.6])
    assert learnt(at, "phone")[0] == pytest.approx(0.3, abs=0.06)
    assert learnt(at, "chat")[0] == pytest.approx(0.6, abs=0.06)
    assert learnt(at, "rare")[0] == learnt(at, "never heard of")[0] == learnt.pooled(at)[0]
    again = ChannelCalibration.from_json(learnt.as_json())
    assert again(at, "phone")[0] == learnt(at, "phone")[0]


def test_no_calibration_leaves_the_promise_alone() -> None:
    assert Calibration()(np.array([0.3])).tolist() == [0.3]


def test_the_measures_agree_with_sums_by_hand() -> None:
    promised, happened = np.array([0.1, 0.1, 0.6, 0.6]), np.array([0.0, 0, 0, 1])
    # two bins: |.2 - 0| + |1.2 - 1| over four rows
    assert calibration_error(promised, happened, bins=2) == pytest.approx(0.1)
    assert [b["rows"] for b in reliability(promised, happened, bins=2)] == [2, 2]
    assert area_under_curve(promised, happened) == pytest.approx((2 + 0.5) / 3)
    assert log_loss(np.array([0.5]), np.array([1.0])) == pytest.approx(np.log(2))
    assert np.isnan(area_under_curve(promised, np.zeros(4)))
    assert np.isnan(calibration_error(np.zeros(0), np.zeros(0)))


def test_customers_who_bought_nothing_do_not_count_in_recall() -> None:
    found = ranking_metrics([np.array([1]), np.array([2])], [np.array([1]), np.zeros(0, dtype=int)], k=1)
    assert found["recall"] == found["ndcg"] == found["hit_rate"] == 1.0


def calls(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    job = rng.choice(["clerk", "student", "retired", None], n)
    age = rng.normal(45, 12, n)
    truth = 0.05 + 0.25 * (job == "student") + 0.2 * (age > 60)
    return pd.DataFrame({"job": job, "age": age, "vip": rng.random(n) < 0.1}), (rng.random(n) < truth).astype(
        float
    )


def test_an_unseen_category_and_an_outlier_do_no_harm() -> None:
    table, happened = calls(3_000, 0)
    encoder = Encoder.of(table, happened, ("job", "age", "vip"))
    rows = encoder.rows(
        pd.DataFrame({"job": ["astronaut", "student"], "age": [1e9, 30.0], "vip": [True, False]})
    )
    assert np.isnan(rows[0, 0])
    assert rows[0, 1] == np.float32(encoder.ranges["age"][1])
    assert encoder.categories["job"]["student"] == pytest.approx(
        0.3 + 0.1 * 0.2, abs=0.04
    )  # a tenth are over 60
    assert Encoder.from_json(encoder.as_json()) == encoder


def test_uptake_learns_calibrates_and_survives_a_restart(tmp_path: Path) -> None:
    table, happened = calls(12_000, 1)
    channels = ["phone"] * 6_000 + ["chat"] * 6_000
    model = Uptake.fit(table, happened, ("job", "age", "vip"), channels=channels)
    new, answered = calls(12_000, 2)
    assert calibration_error(model.probability(new), answered) < 0.02
    assert area_under_curve(model.probability(new), answered) > 0.68
    model.save(tmp_path)
    again = Uptake.load(tmp_path)
    assert again.probability(new, "chat").tolist() == model.probability(new, "chat").tolist()


def test_a_base_rate_that_moved_is_caught_up_with_by_recalibration() -> None:
    table, happened = calls(8_000, 3)
    model = Uptake.fit(table, happened, ("job", "age"))
    new, answered = calls(8_000, 4)
    doubled = np.maximum(answered, (np.random.default_rng(5).random(8_000) < 0.3).astype(float))
    before = calibration_error(model.probability(new), doubled)
    after = calibration_error(model.recalibrated(new, doubled).probability(new), doubled)
    assert before > 0.2
    assert after < 0.03


def test_what_cannot_be_learnt_from_is_refused() -> None:
    table, happened = calls(300, 6)
    with pytest.raises(MissingColumn, match="income"):
        Uptake.fit(table, happened, ("income",))
    with pytest.raises(DataError, match="differ in number"):
        Uptake.fit(table, happened[:5], ("age",))
    with pytest.raises(TooLittleData, match="too few"):
        Uptake.fit(table.head(50), happened[:50], ("age",))
    with pytest.raises(MissingColumn, match="age"):
        Encoder.of(table, happened, ("age",)).rows(table.drop(columns="age"))
    rows = np.zeros((10, 1), dtype=np.float32)
    with pytest.raises(TooLittleData, match="both outcomes"):
        grow(rows, np.zeros(10), rows, np.ones(10), ["x"])
