"""Purchases become frequency, recency, age and money by one definition."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from clv.errors import MissingColumn
from clv.summary import log_gaps, summarize

AS_OF = date(2026, 3, 31)


def lines(*rows):
    table = pd.DataFrame(rows, columns=["customer_id", "order_id", "ordered_at", "amount"])
    return table.assign(ordered_at=pd.to_datetime(table["ordered_at"], format="ISO8601"))


def summary_of(*rows):
    return summarize(lines(*rows), AS_OF).iloc[0]


def test_two_orders_on_one_day_are_one_purchase_day():
    row = summary_of(
        ("ann", "1", "2026-01-01 09:00", 10.0),
        ("ann", "2", "2026-01-01 18:00", 5.0),
        ("ann", "3", "2026-01-11", 7.0),
    )
    assert (row["frequency"], row["recency_days"], row["age_days"]) == (1, 10, 89)
    assert row["monetary_value"] == 7.0  # the first day's 15 is not a repeat
    assert row["historic_revenue"] == 22.0


def test_a_one_time_buyer_has_no_repeats_and_no_monetary_value():
    row = summary_of(("ann", "1", "2026-03-01", 10.0))
    assert (row["frequency"], row["recency_days"], row["age_days"], row["monetary_value"]) == (0, 0, 30, 0.0)


def test_an_amount_of_zero_is_a_purchase():
    assert summary_of(("ann", "1", "2026-03-01", 10.0), ("ann", "2", "2026-03-02", 0.0))["frequency"] == 1


def test_days_after_the_as_of_day_are_invisible():
    row = summary_of(("ann", "1", "2026-03-01", 10.0), ("ann", "2", "2026-04-01", 99.0))
    assert (row["frequency"], row["historic_revenue"]) == (0, 10.0)


def test_a_return_nets_against_the_day_of_its_order():
    row = summary_of(
        ("ann", "1", "2026-01-01", 10.0),
        ("ann", "2", "2026-01-11", 40.0),
        ("ann", "3", "2026-01-21", 30.0),
        ("ann", "2", "2026-02-01", -20.0),
    )
    # Repeat days: 40 - 20 and 30; the return moved no day.
    assert (row["frequency"], row["recency_days"], row["monetary_value"]) == (2, 20, 25.0)


def test_a_return_of_an_unknown_order_nets_against_the_latest_day_before_it():
    row = summary_of(
        ("ann", "1", "2026-01-01", 10.0),
        ("ann", "2", "2026-01-11", 40.0),
        ("ann", "?", "2026-01-15", -5.0),
        ("ann", "3", "2026-01-21", 30.0),
    )
    assert row["monetary_value"] == (35.0 + 30.0) / 2


def test_a_return_before_any_purchase_counts_in_revenue_only():
    row = summary_of(("ann", "?", "2025-12-01", -5.0), ("ann", "1", "2026-01-01", 10.0))
    assert (row["age_days"], row["frequency"], row["historic_revenue"]) == (89, 0, 5.0)


def test_a_flagged_return_is_a_return_whatever_its_sign():
    table = lines(("ann", "1", "2026-01-01", 10.0), ("ann", "1", "2026-01-02", 4.0)).assign(
        is_return=[False, True]
    )
    row = summarize(table, AS_OF).iloc[0]
    assert (row["frequency"], row["historic_revenue"]) == (0, 6.0)


def test_somebody_who_only_returned_is_no_customer_yet():
    assert summarize(lines(("ann", "1", "2026-01-01", -10.0)), AS_OF).empty


def test_a_day_is_a_day_in_utc():
    table = lines(("ann", "1", "2026-01-01 10:00", 1.0), ("ann", "2", "2026-01-01 23:30", 1.0))
    table["ordered_at"] = table["ordered_at"].dt.tz_localize("America/New_York")
    assert summarize(table, AS_OF).iloc[0]["frequency"] == 1  # 23:30 in New York is the next day in UTC


def test_order_ids_may_be_absent():
    table = lines(("ann", "1", "2026-01-01", 10.0), ("ann", "2", "2026-01-03", -4.0)).drop(
        columns=["order_id"]
    )
    assert summarize(table, AS_OF).iloc[0]["historic_revenue"] == 6.0


def test_a_missing_amount_column_is_named():
    with pytest.raises(MissingColumn, match="amount"):
        summarize(pd.DataFrame({"customer_id": [], "ordered_at": []}), AS_OF)


def test_log_gaps_add_up_the_logarithms_of_the_days_between():
    table = lines(
        ("ann", "1", "2026-01-01", 1.0), ("ann", "2", "2026-01-03", 1.0), ("ann", "3", "2026-01-07", 1.0)
    )
    assert log_gaps(table, AS_OF)["ann"] == pytest.approx(2.0794415)  # log 2 + log 4
