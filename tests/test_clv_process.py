"""Every purchase model obeys the laws, and says plainly when the data do not show that customers leave."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clv.bgnbd import BGNBD
from clv.cnbd import BGCNBD, MBGCNBD
from clv.errors import NotIdentified, SettingError
from clv.fitting import DropoutNotIdentified, LittleEvidence
from clv.kinds import KINDS, model_of_json
from clv.mbgnbd import MBGNBD
from clv.nbd import NBD
from clv.paretonbd import ParetoNBD
from tests import cdnow, laws


class TwoTickBuyers(MBGCNBD):
    """MBG/CNBD-2: the laws call a model without arguments."""

    def __init__(self, *, k=2, prior=True):
        super().__init__(k=k, prior=prior)


class OneTickBuyers(BGCNBD):
    """BG/CNBD-1, for the same reason."""

    def __init__(self, *, k=1, prior=True):
        super().__init__(k=k, prior=prior)


MODELS = [NBD, BGNBD, MBGNBD, ParetoNBD, TwoTickBuyers, OneTickBuyers]


@pytest.fixture(scope="module")
def table():
    return cdnow.sample_split().summary[["frequency", "recency_days", "age_days"]].iloc[::5].astype(float)


@pytest.mark.parametrize("law", laws.OF_ALL, ids=lambda law: law.__name__)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_law(model, law, table):
    law(model, table)


def steady(customers=800, seed=0):
    """Customers who never leave."""
    rng = np.random.default_rng(seed)
    rows = []
    for rate in rng.gamma(2.0, 1 / 60.0, customers):
        times = np.cumsum(rng.exponential(1 / rate, 400))
        times = times[times <= 400.0]
        rows.append((len(times), times[-1] if len(times) else 0.0, 400.0))
    return pd.DataFrame(rows, columns=["frequency", "recency_days", "age_days"])


@pytest.mark.parametrize("model", [BGNBD, MBGNBD, ParetoNBD], ids=lambda model: model.__name__)
def test_customers_who_never_leave_are_answered_by_the_nbd_with_a_plain_warning(model):
    table = steady()
    with pytest.warns(DropoutNotIdentified, match="do not show that customers leave"):
        fallen = model().fit(table)
    plain = NBD().fit(table)
    assert not fallen.dropout_identified_
    assert fallen.probability_alive(table).min() == 1.0
    assert fallen.expected_orders(table, 90.0) == pytest.approx(plain.expected_orders(table, 90.0), rel=1e-9)
    assert fallen.log_likelihood(table) == pytest.approx(plain.log_likelihood_, rel=1e-9)
    assert not model.from_json(fallen.to_json()).dropout_identified_


def test_only_one_time_buyers_have_no_maximum_of_likelihood():
    once = {"frequency": [0.0] * 9, "recency_days": [0.0] * 9, "age_days": [30.0] * 9}
    with pytest.raises(NotIdentified, match="bought twice"):
        BGNBD(prior=False).fit(once)
    with pytest.warns((LittleEvidence, DropoutNotIdentified)):
        model = BGNBD().fit(once)
    assert 0 < model.expected_orders(once, 30.0)[0] < 0.3


def test_no_customers_are_nothing_to_learn_from():
    with pytest.raises(NotIdentified, match="no customers"):
        BGNBD().fit({"frequency": [], "recency_days": [], "age_days": []})


def test_the_weak_prior_hardly_moves_a_fit_on_ordinary_data(table):
    with_prior, without = BGNBD().fit(table), BGNBD(prior=False).fit(table)
    assert with_prior.expected_orders(table, 90.0).sum() == pytest.approx(
        without.expected_orders(table, 90.0).sum(), rel=0.01
    )


def test_a_large_table_is_fitted_from_a_sample_s_neighbourhood_to_the_same_maximum():
    # Ages in fractions of a day leave nothing to compress: 23,570 rows, fitted through a sample of 4,000.
    from clv.summary import summarize

    summary = cdnow.weeks(summarize(cdnow.full(), cdnow.CALIBRATION_END))
    ages = summary["age_days"] + np.linspace(0.0, 0.01, len(summary))
    model = BGNBD(prior=False).fit(summary.assign(age_days=ages))
    assert model.parameters_["alpha"] == pytest.approx(4.78894, abs=0.01)


def test_every_kind_is_read_back_by_its_name():
    for kind in ("nbd", "bgnbd", "mbgnbd", "paretonbd"):
        names = KINDS[kind].names
        model = KINDS[kind].of(**dict.fromkeys(names, 0.7))
        assert model_of_json(model.to_json()).parameters_ == model.parameters_
    with pytest.raises(SettingError):
        model_of_json('{"kind": "oracle"}')
