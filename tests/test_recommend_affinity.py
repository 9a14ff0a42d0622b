"""The best channel and time are ranked with their uncertainty, and claimed only when clear."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, gamma

from recommend.affinity import (
    SLOTS,
    Affinity,
    ChannelAffinity,
    Reach,
    TimeAffinity,
    clear_favourite,
    slot_counts,
    slot_of,
    touches,
)


def test_the_posterior_is_the_textbooks() -> None:
    """Beta(2, 8) and 7 answers in 10 tries: Beta(9, 11)."""
    (first, *_) = ChannelAffinity({"email": (2.0, 8.0)}).rank({"email": (10, 7)})
    assert first.mean == pytest.approx(9 / 20)
    assert (first.low, first.high) == pytest.approx(beta(9, 11).ppf([0.05, 0.95]))
    slots = TimeAffinity({"weekday_morning": 0.5}, 4.0).rank({"weekday_morning": 6}, 8.0)
    assert slots[0].mean == pytest.approx((0.5 * 4 + 6) / 12)
    assert (slots[0].low, slots[0].high) == pytest.approx(gamma(8, scale=1 / 12).ppf([0.05, 0.95]))


def test_little_evidence_moves_little_and_much_evidence_decides() -> None:
    usual = ChannelAffinity({"chat": (6.0, 14.0), "mail": (2.0, 18.0)})
    assert [a.name for a in usual.rank({"mail": (1, 1)})] == ["chat", "mail"]
    ranked = usual.rank({"mail": (60, 50), "chat": (10, 2)})
    assert [a.name for a in ranked] == ["mail", "chat"]
    assert clear_favourite(ranked) == "mail"


def test_more_of_the_same_narrows_the_interval() -> None:
    usual = ChannelAffinity({"chat": (2.0, 8.0)})
    widths = [a.high - a.low for n in (0, 10, 100, 1000) for a in usual.rank({"chat": (n, n / 5)})]
    assert widths == sorted(widths, reverse=True)


def test_no_favourite_is_claimed_without_own_evidence_or_without_distance() -> None:
    assert clear_favourite(ChannelAffinity({"chat": (9.0, 1.0), "mail": (1.0, 9.0)}).rank({})) == ""
    close = (Affinity("a", 0.5, 0.3, 0.7, 9.0), Affinity("b", 0.45, 0.3, 0.6, 9.0))
    assert clear_favourite(close) == ""
    assert clear_favourite(()) == ""


def test_the_prior_finds_the_rate_and_the_spread_of_many_customers() -> None:
    """Answers drawn with rates from Beta(3, 7): mean .3, strength 10."""
    rng = np.random.default_rng(8)
    rates = rng.beta(3, 7, 4000)
    table = pd.DataFrame(
        {"customer_id": range(4000), "channel": "sms", "tries": 20, "answers": rng.binomial(20, rates)}
    )
    yes, no = ChannelAffinity.fit(table).priors["sms"]
    assert yes / (yes + no) == pytest.approx(0.3, abs=0.01)
    assert yes + no == pytest.approx(10, rel=0.12)  # a moment estimate of a variance: 12 % at 4,000 customers


def test_interactions_become_tries_and_answers() -> None:
    log = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b"],
            "channel": ["mail", "mail", "chat", "mail"],
            "direction": ["outbound", "outbound", "inbound", "outbound"],
            "handle_seconds": [0, 40, None, None],
        }
    )
    assert touches(log).to_dict("list") == {
        "customer_id": ["a", "a", "b"],
        "channel": ["chat", "mail", "mail"],
        "tries": [1, 2, 1],
        "answers": [1, 1, 0],
    }
    assert (
        touches(log[["customer_id", "channel"]])["answers"].sum() == 4
    )  # no direction known: they came themselves
    assert (
        touches(log.drop(columns="handle_seconds").assign(resolved=[True, False, False, False]))[
            "answers"
        ].sum()
        == 2
    )


def test_times_are_counted_where_the_customer_lives() -> None:
    at = datetime(2024, 6, 28, 20, 0, tzinfo=UTC)  # a Friday evening, Saturday 4 in the morning in Shanghai
    assert slot_of(at) == "weekday_evening"
    assert slot_of(at, ZoneInfo("Asia/Shanghai")) == "weekend_night"


def test_a_date_without_a_time_says_nothing_about_the_hour() -> None:
    assert slot_counts([datetime(2024, 6, 28, tzinfo=UTC), datetime(2024, 6, 28, 9, tzinfo=UTC)]) == {
        "weekday_morning": 1
    }


def test_usual_times_are_learned_and_survive_json() -> None:
    events = {"a": {"weekday_morning": 10}, "b": {"weekday_morning": 2, "weekend_evening": 1}, "c": {}}
    model = TimeAffinity.fit(events, {"a": 10.0, "b": 10.0, "c": 10.0})
    assert model.usual["weekday_morning"] == pytest.approx(12.5 / 30)
    assert TimeAffinity.from_json(json.loads(json.dumps(model.to_json()))) == model
    assert model.rank({}, 0.0)[0].name == "weekday_morning"
    assert set(TimeAffinity.fit({}, {}).usual) == set(SLOTS)
    channels = ChannelAffinity({"chat": (1.5, 2.5)})
    assert ChannelAffinity.from_json(json.loads(json.dumps(channels.to_json()))) == channels


def test_a_log_of_interactions_becomes_a_ranking_of_every_customer() -> None:
    """Ann writes in the chat every Saturday evening and never answers mail; Bo is heard of once."""
    saturdays = pd.date_range("2024-01-06 19:30", periods=20, freq="7D", tz="UTC")
    chats = pd.DataFrame(
        {"customer_id": "ann", "channel": "chat", "direction": "inbound", "occurred_at": saturdays}
    )
    mails = chats.assign(channel="mail", direction="outbound", occurred_at=saturdays + pd.Timedelta(days=3))
    once = chats.head(1).assign(customer_id="bo")
    log = pd.concat([chats, mails, once], ignore_index=True)
    reach = Reach.fit(log)
    table = reach.table(log).set_index("customer_id")
    assert table.loc["ann"].tolist() == ["chat,mail", "chat", "weekend_evening"]
    assert list(table.index) == ["ann", "bo"]
    assert Reach.from_json(json.loads(json.dumps(reach.to_json()))) == reach
    shanghai = Reach.fit(log, zone="Asia/Shanghai").table(log).set_index("customer_id")
    assert shanghai.loc["ann", "preferred_hours"] == "weekend_night"  # half past three on Sunday morning
