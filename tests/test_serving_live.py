"""The live profile equals a recount from the start, in whatever order events came."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import orjson
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clv.summary import summarize
from models.receipts import Receipts
from recommend.context import Context
from recommend.profile import CAMPAIGNS, Contact, Profile, Tag
from recommend.segments import SegmentModel
from serving.live.book import Book
from serving.live.heard import heard_message
from serving.live.messages import EPOCH, Rejection, read_message
from serving.live.standing import Standing
from tests.fakes import AS_OF, CUSTOMERS, VALUATION

NOW = datetime(2026, 2, 15, tzinfo=UTC)
FIRST = date(2025, 6, 1)


def event(name: str, day: date, number: int, **properties: object) -> dict[str, object]:
    return {
        "type": "track",
        "messageId": f"m{number}",
        "userId": "ann",
        "event": name,
        "timestamp": f"{day}T12:00:00Z",
        "properties": properties,
    }


def order(day: date, number: int, total: float, order_id: str = "", **more: object) -> dict[str, object]:
    return event("Order Completed", day, number, order_id=order_id or f"o{number}", total=total, **more)


def refund(day: date, number: int, total: float, order_id: str) -> dict[str, object]:
    return event("Order Refunded", day, number, order_id=order_id, total=total)


def book_of(*raws: dict[str, object], received: int = 2**60) -> Book:
    book = Book()
    for raw in raws:
        message = read_message(raw, NOW)
        book.add(message.kind, message.entry, received, message.message_id)
    return book


def standing(as_of: date = AS_OF, segments: SegmentModel | None = None) -> Standing:
    return Standing(VALUATION, segments, as_of)


def now(
    live: Standing, who: str, published: Profile | None, book: Book, day: date, held: Receipts | None = None
) -> Profile:
    return live.now(who, published, live.news(published, book, lambda: held), day)


DAYS = st.integers(0, 240).map(lambda n: FIRST + timedelta(days=n))
ORDERS = st.lists(st.tuples(DAYS, st.floats(0, 500)), min_size=1, max_size=25)
RETURNS = st.lists(st.tuples(DAYS, st.floats(0.01, 100), st.integers(0, 30)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(orders=ORDERS, returns=RETURNS, seed=st.randoms())
def test_events_in_any_order_give_the_numbers_of_the_night(orders, returns, seed) -> None:
    raws = [order(day, n, total) for n, (day, total) in enumerate(orders)]
    raws += [refund(day, 100 + n, total, f"o{which}") for n, (day, total, which) in enumerate(returns)]
    lines = pd.DataFrame(
        {
            "customer_id": "ann",
            "order_id": [f"o{n}" for n in range(len(orders))] + [f"o{which}" for _, _, which in returns],
            "ordered_at": pd.to_datetime([day for day, *_ in (*orders, *returns)]),
            "amount": [total for _, total in orders] + [-total for _, total, _ in returns],
            "is_return": [False] * len(orders) + [True] * len(returns),
        }
    )
    seed.shuffle(raws)
    last = max(day for day, *_ in (*orders, *returns))
    moved = now(standing(), "ann", None, book_of(*raws), last)
    night = VALUATION.predict(summarize(lines, last), as_of=last).iloc[0]
    for name in ("frequency", "recency_days", "age_days", "monetary_value", "historic_revenue"):
        assert math.isclose(moved.value[name], night[name], rel_tol=1e-9, abs_tol=1e-9), name
    for name in ("predicted_clv", "probability_alive", "predicted_number_of_orders", "historic_clv"):
        assert math.isclose(moved.value[name], night[name], rel_tol=1e-9, abs_tol=1e-9), name


@settings(max_examples=40, deadline=None)
@given(orders=ORDERS, cut=st.integers(1, 24), seed=st.randoms())
def test_published_numbers_and_later_events_give_what_a_recount_gives(orders, cut, seed) -> None:
    orders = sorted(orders)
    before, after = orders[:cut], orders[cut:]
    as_of = before[-1][0]
    late = [pair for pair in after if pair[0] > as_of]
    whole = now(
        standing(),
        "ann",
        None,
        book_of(*(order(d, n, t) for n, (d, t) in enumerate([*before, *late]))),
        orders[-1][0],
    )
    published = now(
        standing(as_of),
        "ann",
        None,
        book_of(*(order(d, n, t, item="x") for n, (d, t) in enumerate(before))),
        as_of,
    )
    days = sorted({day.toordinal() - EPOCH for day, _ in before})
    published = replace(published, history=replace(published.history, order_days=tuple(days)))
    news = [order(d, 50 + n, t) for n, (d, t) in enumerate(late)]
    seed.shuffle(news)
    moved = now(standing(as_of), "ann", published, book_of(*news), orders[-1][0])
    for name in ("frequency", "recency_days", "age_days", "monetary_value", "historic_revenue"):
        assert math.isclose(moved.value[name], whole.value[name], rel_tol=1e-9, abs_tol=1e-9), name


def test_an_order_moves_frequency_recency_value_and_history_at_once() -> None:
    ann = CUSTOMERS[0]
    moved = now(
        standing(),
        "ann",
        ann,
        book_of(order(date(2026, 2, 3), 1, 50.0, products=[{"category": "FOOD/COFFEE", "price": 50.0}])),
        AS_OF,
    )
    # three repeat days of 25.00 each and one of 50.00: (75 + 50) / 4
    assert (moved.value["frequency"], moved.value["monetary_value"]) == (4, 31.25)
    assert moved.as_of == date(2026, 2, 3)
    assert moved.value["last_order_on"] == "2026-02-03"
    scored = VALUATION.predict_one(4, 93, 93, 31.25, historic_revenue=150.0)
    assert moved.value["probability_alive"] == scored.probability_alive
    assert moved.value["predicted_clv"] == scored.predicted_clv
    assert moved.history.positions[moved.history.items.index("COFFEE")] == (0, 1, 3, 4)


def test_what_the_night_alone_knows_of_a_customer_stays_while_their_orders_move() -> None:
    ann = CUSTOMERS[0]
    tilted = replace(ann, value={**ann.value, "tilt": 0.5})
    bought = book_of(order(date(2026, 2, 3), 1, 50.0))
    plain = now(standing(), "ann", ann, bought, AS_OF).value["predicted_clv"]
    assert math.isclose(now(standing(), "ann", tilted, bought, AS_OF).value["predicted_clv"], plain / 2)


def test_what_the_publication_holds_is_not_counted_twice() -> None:
    ann, known = CUSTOMERS[0], order(date(2026, 1, 25), 1, 25.0)
    assert now(standing(), "ann", ann, book_of(known), AS_OF).value["historic_revenue"] == 100.0
    held = Receipts([[last_day(AS_OF) - ago, f"p{ago}", 25.0] for ago in (90, 60, 34)] + [[0, "o1", 25.0]])
    assert now(standing(), "ann", ann, book_of(known), AS_OF, held) == now(
        standing(), "ann", ann, Book(), AS_OF
    )


def test_what_was_received_before_a_publication_that_does_not_hold_it_is_not_lost() -> None:
    ann, told = CUSTOMERS[0], order(date(2026, 1, 27), 1, 25.0)
    held = Receipts([[last_day(AS_OF) - ago, f"p{ago}", 25.0] for ago in (90, 60, 34, 6)])
    for received in (1, 2**60):
        moved = now(standing(), "ann", ann, book_of(told, received=received), AS_OF, held)
        assert moved.value["historic_revenue"] == 125.0
        assert (moved.value["frequency"], moved.value["recency_days"]) == (4, 86)


def test_an_order_told_by_file_with_another_day_is_the_order_told_by_event() -> None:
    ann, told = CUSTOMERS[0], order(date(2026, 1, 24), 1, 25.0)
    held = Receipts([[last_day(AS_OF) - ago, f"p{ago}", 25.0] for ago in (90, 60, 34)])
    held = replace(held, orders=[*held.orders, [last_day(AS_OF) - 6, "o1", 25.0]])
    assert not standing().news(ann, book_of(told), lambda: held).moved


def test_where_files_give_no_numbers_the_same_money_of_a_day_is_the_same_order() -> None:
    day = last_day(date(2026, 1, 25))
    held = Receipts([[day, "", 25.0]], [[day + 1, "", -5.0]])
    for told, new in (
        ([("a", 25.0)], []),
        ([("a", 20.0), ("b", 5.0)], []),  # the file's line is the day's
        ([("a", 24.0)], ["a"]),
        ([("a", 25.0), ("b", 3.0)], ["b"]),
    ):
        entries = [[day, name, amount] for name, amount in told]
        assert [entry[1] for entry in held.new_orders(entries, day + 6)] == new
    assert held.new_returns([[day + 1, "a", -5.0]], day + 6) == []
    assert held.new_returns([[day + 1, "a", -4.0]], day + 6) == [[day + 1, "a", -4.0]]


def test_an_approach_the_night_knows_of_is_no_second_one() -> None:
    mailed = event("Offer Outcome", date(2026, 1, 20), 1, offer_id="gold", outcome="sent")
    ann = replace(
        CUSTOMERS[0], contacts=(Contact(datetime(2026, 1, 20, 12, tzinfo=UTC), "", "presented", "gold"),)
    )
    told = {**mailed, "properties": {"offer_id": "gold", "outcome": "presented"}}
    assert now(standing(), "ann", ann, book_of(told), AS_OF).contacts == ann.contacts


def last_day(day: date) -> int:
    return day.toordinal() - EPOCH


PARTS = st.tuples(ORDERS, RETURNS, st.lists(st.booleans(), min_size=40, max_size=40), st.integers(0, 240))


@settings(max_examples=150, deadline=None)
@given(parts=PARTS, twice=st.lists(st.booleans(), min_size=40, max_size=40), seed=st.randoms())
def test_whatever_part_of_the_log_a_night_has_read_the_numbers_are_those_of_all_of_it(
    parts, twice, seed
) -> None:
    """Each line goes to the night, or to the service, or to both; refunds of what either knows among them."""
    orders, returns, read, as_of_number = parts
    as_of = FIRST + timedelta(days=as_of_number)
    lines = [(day, f"o{n}", total) for n, (day, total) in enumerate(orders)]
    back = [
        (day, f"o{which}", -total)
        for day, total, which in {(day, which): (day, total, which) for day, total, which in returns}.values()
    ]
    back = [one for n, one in enumerate(back) if not any(_beside(one, other) for other in back[:n])]
    last = max(day for day, *_ in (*lines, *back))
    night = [one[0] <= as_of and flag for one, flag in zip((*lines, *back), read, strict=False)]
    held = Receipts(
        [[last_day(d), o, t] for (d, o, t), seen in zip(lines, night, strict=False) if seen],
        [[last_day(d), o, t] for (d, o, t), seen in zip(back, night[len(lines) :], strict=True) if seen],
    )
    raws = [order(d, n, t, o) for n, (d, o, t) in enumerate(lines)]
    raws += [refund(d, 100 + n, -t, o) for n, (d, o, t) in enumerate(back)]
    told = [raw for raw, seen, also in zip(raws, night, twice, strict=False) if also or not seen]
    seed.shuffle(told)
    bought = [one for one, seen in zip(lines, night, strict=False) if seen]
    published = None
    if bought:
        table = pd.DataFrame(
            {
                "customer_id": "ann",
                "order_id": [o for _, o, _ in (*bought, *((None, r[1], 0) for r in held.returns))],
                "ordered_at": pd.to_datetime(
                    [d for d, *_ in bought] + [date.fromordinal(r[0] + EPOCH) for r in held.returns]
                ),
                "amount": [t for *_, t in bought] + [r[2] for r in held.returns],
                "is_return": [False] * len(bought) + [True] * len(held.returns),
            }
        )
        row = summarize(table, as_of).iloc[0]
        value = {
            name: (str(found)[:10] if name.endswith("_on") else float(found))
            for name, found in row.items()
            if name != "customer_id"
        }
        published = Profile("ann", as_of, value=value)
    alone = now(standing(as_of), "ann", None, book_of(*raws), last)
    moved = now(standing(as_of), "ann", published, book_of(*told), last, held if published else None)
    if published is None and any(night):
        return  # the night knows of nothing but returns: it publishes nobody
    for name in ("frequency", "recency_days", "age_days", "monetary_value", "historic_revenue"):
        assert math.isclose(moved.value[name], alone.value[name], rel_tol=1e-9, abs_tol=1e-9), name


def _beside(one: tuple[date, str, float], other: tuple[date, str, float]) -> bool:
    """Whether two refunds of one order come within a day: a night's and an event's are then one."""
    return one[1] == other[1] and abs((one[0] - other[0]).days) <= 1


def test_an_order_before_the_first_one_known_makes_that_one_a_repeat() -> None:
    ann = CUSTOMERS[0]
    moved = now(standing(), "ann", ann, book_of(order(date(2025, 10, 1), 1, 10.0)), AS_OF)
    assert (moved.value["frequency"], moved.value["first_order_on"]) == (4, "2025-10-01")
    assert moved.value["monetary_value"] == 25.0


def test_a_customer_nothing_was_known_of_is_known_from_the_first_event_on() -> None:
    moved = now(standing(), "new", None, book_of(order(date(2026, 2, 2), 1, 30.0)), AS_OF)
    assert moved.known is True
    assert (moved.value["frequency"], moved.value["historic_number_of_orders"]) == (0, 1)


def test_a_complaint_opens_an_issue_and_a_resolved_talk_closes_it() -> None:
    complaint = event(
        "Interaction Recorded", date(2026, 2, 2), 1, channel="chat", intent="complaint", topic="delivery"
    )
    resolved = event("Interaction Recorded", date(2026, 2, 3), 2, channel="chat", resolved=True)
    ann = CUSTOMERS[0]
    assert now(standing(), "ann", ann, book_of(complaint), AS_OF).open_issue == "delivery"
    assert now(standing(), "ann", ann, book_of(resolved, complaint), AS_OF).open_issue == ""


def heard(day: date, turn: int, *, over: bool = False) -> dict[str, object]:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    context = Context(intent="buy" if over else "complaint", topic="quality")
    told: dict[str, object] = orjson.loads(heard_message("chat", turn, "ann", context, at, over=over).body)
    return told


def test_a_heard_complaint_is_open_for_two_weeks_unless_it_ends_before() -> None:
    ann, bad = CUSTOMERS[0], heard(date(2026, 2, 2), 1)
    assert now(standing(), "ann", ann, book_of(bad), date(2026, 2, 15)).open_issue == "quality"
    assert now(standing(), "ann", ann, book_of(bad), date(2026, 2, 16)).open_issue == ""
    good = heard(date(2026, 2, 3), 2, over=True)
    assert now(standing(), "ann", ann, book_of(bad, good), date(2026, 2, 4)).open_issue == ""
    resolved = event("Interaction Recorded", date(2026, 2, 3), 2, channel="chat", resolved=True)
    assert now(standing(), "ann", ann, book_of(bad, resolved), date(2026, 2, 4)).open_issue == ""


def test_a_wish_heard_in_a_chat_closes_no_issue_a_helpdesk_opened() -> None:
    told = event(
        "Interaction Recorded", date(2026, 2, 2), 1, channel="chat", intent="complaint", resolved=False
    )
    good = heard(date(2026, 2, 3), 2, over=True)
    moved = now(standing(), "ann", CUSTOMERS[0], book_of(told, good), date(2026, 3, 30))
    assert moved.open_issue == "complaint"


def test_the_latest_consent_holds_whenever_it_was_heard_of() -> None:
    no = event("Consent Changed", date(2026, 2, 3), 1, channel="chat", granted=False)
    yes = event("Consent Changed", date(2026, 2, 2), 2, channel="chat", granted=True)
    assert now(standing(), "ann", CUSTOMERS[0], book_of(no, yes), AS_OF).consent == {"chat": False}


def test_a_consent_withdrawn_here_stands_though_a_generation_was_published_since() -> None:
    no = book_of(event("Consent Changed", date(2026, 1, 20), 1, channel="chat", granted=False), received=1)
    published = replace(CUSTOMERS[0], consent={"chat": True})
    assert standing().news(published, no, lambda: None).moved
    assert now(standing(), "ann", published, no, AS_OF).consent == {"chat": False}


def test_an_answer_to_an_offer_and_a_call_count_as_contacts() -> None:
    told = event("Offer Outcome", date(2026, 2, 2), 1, offer_id="tea", outcome="rejected", group="drinks")
    call = event("Interaction Recorded", date(2026, 2, 1), 2, channel="phone", direction="outbound")
    contacts = now(standing(), "ann", CUSTOMERS[0], book_of(told, call), AS_OF).contacts
    assert [(c.channel, c.outcome, c.offer_id) for c in contacts] == [
        ("mail", "sent", "gold"),
        ("phone", "sent", ""),
        ("chat", "rejected", "tea"),
    ]


def test_segments_and_tags_move_with_the_orders() -> None:
    scored = pd.DataFrame([{**p.value, "customer_id": p.customer_id} for p in CUSTOMERS])
    model = SegmentModel.fit(scored, AS_OF)
    bob = CUSTOMERS[2]
    before = now(standing(segments=model), "bob", bob, Book(), AS_OF)
    after = now(standing(segments=model), "bob", bob, book_of(order(date(2026, 2, 2), 1, 90.0)), AS_OF)
    assert "one_time_buyer" in {tag.name for tag in before.tags}
    assert "one_time_buyer" not in {tag.name for tag in after.tags}
    assert before.segments != after.segments


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"messageId": ""}, "missing"),
        ({"userId": None}, "missing"),
        ({"userId": "a\x00b"}, "invalid"),
        ({"messageId": "x" * 201}, "invalid"),
        ({"type": "identify"}, "unknown_type"),
        ({"event": "Page Viewed"}, "unknown_event"),
        ({"timestamp": "yesterday"}, "invalid"),
        ({"timestamp": None}, "missing"),
        ({"timestamp": "2026-02-17T00:00:00Z"}, "in_the_future"),
        ({"timestamp": "1899-01-01T00:00:00Z"}, "invalid"),
        ({"properties": None}, "missing"),
        ({"properties": {"total": 1.0}}, "missing"),
        ({"properties": {"order_id": "1", "total": "much"}}, "missing"),
        ({"properties": {"order_id": "1", "total": -1.0}}, "invalid"),
        ({"properties": {"order_id": "1", "total": 1e300}}, "invalid"),
        ({"properties": {"order_id": "1", "total": True}}, "missing"),
        ({"properties": {"order_id": "1", "total": 1.0, "products": ["tea"]}}, "invalid"),
        ({"properties": {"order_id": "1", "total": 1.0, "note": "x" * 40_000}}, "too_large"),
        ({"event": "Offer Outcome", "properties": {"offer_id": "tea", "outcome": "liked"}}, "invalid"),
        ({"event": "Consent Changed", "properties": {"channel": "chat", "granted": 1}}, "invalid"),
        ({"event": "Interaction Recorded", "properties": {"channel": "chat", "direction": "up"}}, "invalid"),
        (
            {"event": "Interaction Recorded", "properties": {"channel": "chat", "resolved": "so-so"}},
            "invalid",
        ),
        ({"event": "Interaction Recorded", "properties": {"channel": "chat", "resolved": []}}, "invalid"),
        ({"event": "Interaction Recorded", "properties": {"channel": "chat", "topic": {}}}, "missing"),
        ({"event": "Offer Outcome", "properties": {"offer_id": "tea", "outcome": []}}, "invalid"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "invalid"),
        ({"timestamp": "9999-12-31T23:59:59-14:00"}, "invalid"),
        ({"properties": {"order_id": "1", "total": 1.0, "products": [{"price": "abc"}]}}, "missing"),
        ({"properties": {"order_id": "1", "total": 1.0, "products": [{"quantity": 1e300}]}}, "invalid"),
    ],
)
def test_an_event_that_cannot_be_meant_is_refused_with_its_reason(
    change: dict[str, object], code: str
) -> None:
    with pytest.raises(Rejection) as refused:
        read_message({**order(date(2026, 2, 1), 1, 10.0), **change}, NOW)
    assert refused.value.code == code


def test_what_is_no_event_at_all_is_refused() -> None:
    with pytest.raises(Rejection):
        read_message(["not", "an", "event"], NOW)


def test_an_order_without_a_total_is_the_sum_of_its_products() -> None:
    raw = event(
        "Order Completed",
        date(2026, 2, 1),
        1,
        order_id="1",
        products=[{"product_id": "a", "price": 2.5, "quantity": 4}, {"item": "TEA", "price": 1.0}],
    )
    assert read_message(raw, NOW).entry[1:] == ["1", 11.0, ["TEA", "a"]]


def test_an_order_whose_total_is_empty_comes_to_its_revenue() -> None:
    raw = event("Order Completed", date(2026, 2, 1), 1, order_id="1", total=None, revenue=20)
    assert read_message(raw, NOW).entry[2] == 20.0


def test_a_line_may_leave_its_price_open() -> None:
    line = {"product_id": "a", "price": None, "quantity": None}
    raw = event("Order Completed", date(2026, 2, 1), 1, order_id="1", total=5, products=[line])
    assert read_message(raw, NOW).entry[1:] == ["1", 5.0, ["a"]]


def test_a_profile_without_news_stays_as_published() -> None:
    ann = CUSTOMERS[0]
    unmoved = now(standing(), "ann", ann, Book(), AS_OF)
    assert isinstance(unmoved, Profile)
    assert unmoved.value["frequency"] == ann.value["frequency"]
    assert unmoved.history == ann.history


def test_who_belongs_to_a_campaign_still_does_after_an_order() -> None:
    scored = pd.DataFrame([{**p.value, "customer_id": p.customer_id} for p in CUSTOMERS])
    member = replace(CUSTOMERS[2], tags=(Tag("in_campaign:26", CAMPAIGNS, AS_OF),))
    live = standing(segments=SegmentModel.fit(scored, AS_OF))
    after = now(live, "bob", member, book_of(order(date(2026, 2, 2), 1, 90.0)), AS_OF)
    assert [tag.name for tag in after.tags if tag.source == CAMPAIGNS] == ["in_campaign:26"]
