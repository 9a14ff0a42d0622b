"""Behaviour becomes tags with a source and a day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pandas as pd

from recommend.history import History
from recommend.profile import Contact, Profile
from recommend.tags import DESCRIPTIONS, TagLimits, tag_table, tags_of

TODAY = date(2024, 6, 30)
DAY0 = (TODAY - date(1970, 1, 1)).days


def names(record: dict[str, object], limits: TagLimits | None = None) -> list[str]:
    return [tag.name for tag in tags_of(record, TODAY, limits)]


def regular(**more: object) -> dict[str, object]:
    """Four repeat orders, one every 20 days, the last five days ago."""
    return {"frequency": 4, "recency_days": 80, "age_days": 85, **more}


def test_a_plain_log_gives_only_tags_of_timing() -> None:
    assert names(regular()) == []
    assert names({"frequency": 0, "recency_days": 0, "age_days": 3}) == ["one_time_buyer"]


def test_a_customer_without_purchases_has_no_tags() -> None:
    assert names({"discount_share": 1.0}) == []


def test_due_to_reorder_begins_shortly_before_the_usual_gap_is_over_and_ends_after_two() -> None:
    # usual gap 80 / 4 = 20 days; due from day 18 to day 40
    due = [quiet for quiet in range(60) if "due_to_reorder" in names(regular(age_days=80 + quiet))]
    assert due == list(range(18, 41))
    (tag,) = tags_of(regular(age_days=105), TODAY)
    assert (tag.source, tag.since) == (
        "timing",
        TODAY - timedelta(days=7),
    )  # last order 25 days ago, due on day 18


def test_behaviour_counts_only_once_it_has_been_shown_several_times() -> None:
    once = {"frequency": 1, "recency_days": 10, "age_days": 12, "discount_share": 1.0, "returns_share": 1.0}
    assert names(once) == []
    assert names(regular(discount_share=0.6, returns_share=0.3)) == ["price_sensitive", "returns_often"]


def test_every_numeric_tag_fires() -> None:
    record = regular(
        frequency=20,
        mean_spend=90.0,
        distinct_items=200,
        discount_share=0.9,
        returns_share=0.9,
        mean_gap_days=4.0,
        std_gap_days=1.0,
        contacts_30d=6,
        age_days=84,
    )
    limits = TagLimits(mean_spend=80.0, distinct_items=150)
    assert names(record, limits) == [
        "frequent_buyer",
        "big_basket",
        "wide_range",
        "price_sensitive",
        "returns_often",
        "regular_rhythm",
        "due_to_reorder",
        "often_contacted",
    ]


def test_limits_are_learned_from_what_is_unusual_and_survive_json() -> None:
    scored = pd.DataFrame({"frequency": [3.0] * 10, "discount_share": [i / 10 for i in range(10)]})
    limits = TagLimits.fit(scored)
    assert limits.discount_share == 0.7  # four in five have at most this
    assert limits.returns_share == TagLimits().returns_share  # no such column: the default stays
    assert TagLimits.from_json(json.loads(json.dumps(limits.to_json()))) == limits


def bought(days: tuple[int, ...], items: dict[str, tuple[int, ...]]) -> History:
    return History(tuple(DAY0 - ago for ago in days), tuple(items), tuple(items.values()))


def test_history_tells_loyalty_and_what_is_due() -> None:
    history = bought((100, 80, 60, 40, 20), {"coffee": (0, 1, 2, 3, 4), "tea": (0, 1), "milk": (0, 1, 2)})
    tags = tags_of(Profile("a", TODAY, history=history), TODAY)
    assert [(tag.name, tag.source, tag.since) for tag in tags] == [
        ("loyal_to:coffee", "purchases", TODAY - timedelta(days=20)),
        ("loyal_to:milk", "purchases", TODAY - timedelta(days=60)),
        ("due_to_reorder:coffee", "timing", TODAY - timedelta(days=2)),
    ]


def test_private_goods_never_become_a_tag() -> None:
    history = bought((100, 80, 60, 40, 20), {"PREGNANCY TESTS": (0, 1, 2, 3, 4)})
    assert tags_of(Profile("a", TODAY, history=history), TODAY) == ()


def test_answers_to_offers_become_tags() -> None:
    def answered(*outcomes: str) -> list[str]:
        contacts = tuple(
            Contact(datetime(2024, 6, day, tzinfo=UTC), "chat", outcome, "o")
            for day, outcome in enumerate(outcomes, 1)
        )
        return [f"{t.name} {t.since:%d}" for t in tags_of(Profile("a", TODAY, contacts=contacts), TODAY)]

    assert answered("accepted", "sent", "purchased", "rejected") == ["accepts_offers 03"]
    assert answered("rejected", "rejected", "rejected") == ["declines_offers 03"]
    assert answered("rejected", "rejected", "accepted") == []


def test_the_favourite_channel_and_hours_are_tags() -> None:
    assert names(regular(preferred_channel="chat", preferred_hours="weekday_evening")) == [
        "prefers_channel:chat",
        "prefers_hours:weekday_evening",
    ]
    assert names(regular(preferred_channel="", preferred_hours=None)) == []


def test_an_open_complaint_is_a_tag() -> None:
    (tag,) = tags_of(Profile("a", TODAY, open_issue="delivery"), TODAY)
    assert (tag.name, tag.source) == ("open_complaint", "interactions")


def test_the_table_of_tags_equals_the_tags_of_each_customer() -> None:
    scored = pd.DataFrame(
        [regular(customer_id="a", age_days=105), regular(customer_id="b", discount_share=0.9)]
    )
    histories = {"b": bought((50, 40, 30, 20, 10), {"coffee": (0, 1, 2, 3, 4)})}
    limits = TagLimits()
    table = tag_table(scored, TODAY, limits, histories)
    expected = [
        (row["customer_id"], tag.name, tag.source, tag.since)
        for row in scored.to_dict("records")
        for tag in tags_of(
            {str(k): v for k, v in row.items()}, TODAY, limits, histories.get(str(row["customer_id"]))
        )
    ]
    assert list(table.itertuples(index=False, name=None)) == expected
    assert table["tag"].tolist() == [
        "due_to_reorder",
        "price_sensitive",
        "loyal_to:coffee",
        "due_to_reorder:coffee",
    ]


def test_every_tag_is_described() -> None:
    assert {name.split(":")[0] for name in ("loyal_to:x", "due_to_reorder", "open_complaint")} <= set(
        DESCRIPTIONS
    )


def test_an_item_bought_now_and_then_is_not_called_due() -> None:
    """Gaps of 10, 10 and 10 days make it due after 10; of 2, 26 and 2, as long in all, they do not."""
    for offsets, due in (((40, 30, 20, 10), True), ((40, 38, 12, 10), False)):
        history = History(tuple(DAY0 - offset for offset in offsets), ("TEA",), ((0, 1, 2, 3),))
        found = {tag.name for tag in tags_of(regular(), TODAY, history=history)}
        assert ("due_to_reorder:TEA" in found) is due
