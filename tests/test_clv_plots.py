"""Every picture shows what its title says; what is drawn is compared with numbers, not with pixels."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import numpy as np
import pytest

from clv import plots
from clv.bgnbd import BGNBD
from clv.spend import GammaGamma
from tests import cdnow

MODEL = BGNBD.of(r=0.2426, alpha=30.895, a=0.793, b=2.426)


def drawn(figure):
    """The picture can be written, and is not blank."""
    out = BytesIO()
    figure.savefig(out, format="png", dpi=40)
    assert len(out.getvalue()) > 2_000
    return figure.axes


def test_tracking_ends_at_all_repeat_orders_and_shades_the_holdout():
    cumulative, weekly = drawn(
        plots.tracking(MODEL, cdnow.sample(), cdnow.CALIBRATION_END, date(1998, 6, 30))
    )
    came, expected = (line.get_ydata() for line in cumulative.lines)
    # 2,457 repeat orders in the calibration and 1,882 after it; the last days are an unfinished week.
    assert came[-1] == pytest.approx(2457 + 1882, abs=60)
    assert expected[-1] == pytest.approx(came[-1], rel=0.08)
    assert weekly.lines[0].get_ydata().sum() == pytest.approx(came[-1])
    assert len(cumulative.patches) == 1


def test_cumulative_orders_expected_in_week_25_are_those_of_the_btyd_walkthrough():
    cumulative, _ = plots.tracking(MODEL, cdnow.sample(), cdnow.CALIBRATION_END, date(1998, 6, 30)).axes
    # BTYD prints 1,312.458 for week 20 and 1,669.6 for week 25.
    assert cumulative.lines[1].get_ydata()[19] == pytest.approx(1312.458, rel=1e-3)
    assert cumulative.lines[1].get_ydata()[24] == pytest.approx(1669.6, rel=1e-3)


def test_calibration_by_frequency_draws_the_published_table():
    held = cdnow.sample_split()
    (axes,) = drawn(plots.calibration_by_frequency(held, MODEL.expected_orders(held.summary, 273)))
    assert axes.lines[0].get_ydata() == pytest.approx(
        [0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359], abs=5e-4
    )
    assert axes.lines[1].get_ydata() == pytest.approx(
        [0.225, 0.523, 1.044, 1.520, 2.164, 2.654, 3.504, 6.157], abs=2e-3
    )


def test_matrices_hold_the_model_s_numbers():
    axes, _ = drawn(plots.alive_matrix(MODEL, 200.0))
    shown = axes.images[0].get_array()
    assert shown[0, 0] == pytest.approx(
        MODEL.probability_alive({"frequency": [1], "recency_days": [200], "age_days": [200]})[0]
    )
    assert (np.diff(np.asarray(shown), axis=0) <= 0).all()
    axes, _ = drawn(plots.expected_orders_matrix(MODEL, 200.0, 90.0))
    assert axes.images[0].get_array().max() > 1.0


def test_a_customer_s_path_has_a_mark_at_each_order():
    (axes,) = drawn(plots.alive_path_plot(MODEL, [20, 45], 120, first_on=date(2026, 1, 1)))
    assert len(axes.lines) == 1 + 3
    (axes,) = drawn(plots.alive_path_plot(MODEL, [], 30))
    assert axes.lines[0].get_ydata().tolist() == [1.0] * 31


def test_gain_and_decile_charts_add_up():
    rng = np.random.default_rng(1)
    actual = rng.gamma(0.5, 2.0, 500)
    (axes,) = drawn(plots.gain_chart(actual, {"perfect guess": actual, "noise": rng.random(500)}))
    assert axes.lines[0].get_ydata()[-1] == pytest.approx(1.0)
    assert axes.lines[1].get_ydata().tolist() == axes.lines[0].get_ydata().tolist()
    (axes,) = drawn(plots.decile_chart(actual, actual))
    heights = [bar.get_height() for bar in axes.patches]
    assert heights[:10] == heights[10:]
    assert np.mean(heights[:10]) == pytest.approx(actual.mean())


def test_spend_is_drawn_with_its_mean():
    summary = cdnow.sample_split().summary
    spend = GammaGamma().fit(summary["frequency"], summary["monetary_value"])
    (axes,) = drawn(plots.spend_fit(spend, summary))
    assert axes.lines[0].get_xdata()[0] == pytest.approx(spend.mean_)
