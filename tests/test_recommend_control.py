"""The control group is a stable share of customers that anybody can recompute."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clv.errors import SettingError
from recommend.control import ControlGroup

JANUARY, FEBRUARY = datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 2, 15, tzinfo=UTC)
NAMES = [f"customer {i}" for i in range(20_000)]


def test_a_tenth_of_customers_is_held_out() -> None:
    group = ControlGroup(0.10)
    held = sum(group.arm(name, JANUARY) == "control" for name in NAMES)
    # binomial: 2,000 +- 4 standard deviations of sqrt(20,000 x 0.1 x 0.9) = 42
    assert abs(held - 2_000) < 4 * 42.4


def test_the_group_is_drawn_anew_each_month_and_for_each_salt() -> None:
    held = {name for name in NAMES if ControlGroup(0.10).arm(name, JANUARY) == "control"}
    next_month = {name for name in NAMES if ControlGroup(0.10).arm(name, FEBRUARY) == "control"}
    other_salt = {name for name in NAMES if ControlGroup(0.10, "other").arm(name, JANUARY) == "control"}
    for other in (next_month, other_salt):
        # independent draws share 1 % of customers: 200 +- 4 x 14
        assert abs(len(held & other) - 200) < 56


def test_a_larger_share_keeps_who_was_held_out_already() -> None:
    small, large = ControlGroup(0.05), ControlGroup(0.20)
    assert all(large.arm(n, JANUARY) == "control" for n in NAMES if small.arm(n, JANUARY) == "control")


def test_the_same_month_of_another_year_is_another_draw() -> None:
    year_later = datetime(2027, 1, 15, tzinfo=UTC)
    assert [ControlGroup().arm(n, JANUARY) for n in NAMES] != [
        ControlGroup().arm(n, year_later) for n in NAMES
    ]


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_leaves_nobody_is_refused(share: float) -> None:
    with pytest.raises(SettingError, match="control group's share"):
        ControlGroup(share)
