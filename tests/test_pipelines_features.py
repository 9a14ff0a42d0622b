"""What is known about a customer as of a day: worked out by hand, and equal to the definition in pandas."""
# ruff: noqa: DTZ001  (the ledger holds UTC without a zone)

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clv.summary import log_gaps, summarize
from pipelines.days import purchase_days
from pipelines.features import (
    category_features,
    contact_pressure,
    customer_features,
    interaction_features,
    item_lines,
    outcome_features,
    summary,
)
from pipelines.ledger import Ledger

AS_OF = date(2024, 1, 31)
Line = tuple[str, str | None, datetime, float, bool | None]


def day(number: int, hour: int = 12) -> datetime:
    """Return noon, or another hour, of a day of January 2024."""
    return datetime(2024, 1, 1, hour) + timedelta(days=number - 1)


def with_lines(ledger: Ledger, lines: Sequence[Line]) -> Ledger:
    """Put purchase lines into a ledger; every product is the same one."""
    if lines:
        columns = [list(column) for column in zip(*lines, strict=True)]
        ledger.connection.execute(
            """
            INSERT INTO purchases (customer_id, order_id, ordered_at, amount, is_return, product_id)
            SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::TIMESTAMP[]), unnest(?::DOUBLE[]),
                   unnest(?::BOOLEAN[]), 'p1'
            """,
            columns,
        )
    return ledger


def of(frame: pd.DataFrame, customer: str) -> dict[str, object]:
    """Return one customer's row."""
    row: dict[str, object] = frame.set_index("customer_id").loc[customer].to_dict()
    return row


def test_a_customer_is_summarised_by_days_and_money() -> None:
    # Days 1 (10 + 5), 11 (20), 31 (40): x = 2, t_x = 30, T = 30, m = (20 + 40) / 2.
    lines: list[Line] = [
        ("ann", "a", day(1, 0), 10.0, None),
        ("ann", "b", day(1, 23), 5.0, None),
        ("ann", "c", day(11), 20.0, None),
        ("ann", "d", day(31, 23), 40.0, None),
        ("bob", "e", day(5), 0.0, None),
    ]
    with Ledger(None) as ledger:
        frame = summary(with_lines(ledger, lines), AS_OF).to_pandas()
    ann, bob = of(frame, "ann"), of(frame, "bob")
    assert [ann[name] for name in ("frequency", "recency_days", "age_days", "monetary_value")] == [
        2,
        30,
        30,
        30.0,
    ]
    assert (ann["first_order_on"], ann["last_order_on"]) == (
        pd.Timestamp(2024, 1, 1),
        pd.Timestamp(2024, 1, 31),
    )
    assert ann["historic_revenue"] == 75.0
    assert [bob[name] for name in ("frequency", "recency_days", "age_days", "monetary_value")] == [
        0,
        0,
        26,
        0.0,
    ]


def test_a_return_lowers_the_day_of_its_order_and_moves_nothing() -> None:
    # The order of day 11 comes back on day 25, after the purchase of day 21: day 11 is worth 20 - 5, day 21
    # keeps 30.
    lines: list[Line] = [
        ("ann", "a", day(1), 10.0, None),
        ("ann", "b", day(11), 20.0, None),
        ("ann", "c", day(21), 30.0, None),
        ("ann", "b", day(25), -5.0, None),
    ]
    with Ledger(None) as ledger:
        with_lines(ledger, lines)
        frame = purchase_days(ledger, AS_OF).order_by("day").to_pandas()
        found = of(summary(ledger, AS_OF).to_pandas(), "ann")
        before = of(summary(ledger, date(2024, 1, 24)).to_pandas(), "ann")
    assert frame["amount"].tolist() == [10.0, 15.0, 30.0]
    assert (found["frequency"], found["recency_days"], found["monetary_value"]) == (2, 20, 22.5)
    assert before["monetary_value"] == 25.0


def test_a_return_without_a_known_order_lowers_the_latest_day_so_far() -> None:
    lines: list[Line] = [
        ("ann", "a", day(1), 10.0, None),
        ("ann", None, day(11), 20.0, None),
        ("ann", None, day(15), 4.0, True),
        ("ann", "c", day(21), 30.0, None),
        ("ann", "unseen", day(22), -1.0, None),
    ]
    with Ledger(None) as ledger:
        frame = purchase_days(with_lines(ledger, lines), AS_OF).order_by("day").to_pandas()
    assert frame["amount"].tolist() == [10.0, 16.0, 29.0]


def test_a_return_before_any_purchase_counts_in_revenue_alone() -> None:
    lines: list[Line] = [
        ("ann", None, day(1), -3.0, None),
        ("ann", "a", day(2), 10.0, None),
        ("bob", None, day(1), -3.0, None),
    ]
    with Ledger(None) as ledger:
        frame = summary(with_lines(ledger, lines), AS_OF).to_pandas()
    assert frame["customer_id"].tolist() == ["ann"]
    assert of(frame, "ann")["historic_revenue"] == 7.0
    assert of(frame, "ann")["age_days"] == 29


def test_orders_gaps_and_shares_are_worked_out() -> None:
    # Gaps 4 and 16 days: mean 10, sample deviation sqrt(72); 2 of 8 that were ever paid came back; 2 of 10
    # listed were discount.
    with Ledger(None) as ledger:
        ledger.connection.execute(
            """
            INSERT INTO purchases (customer_id, order_id, ordered_at, amount, discount, product_id) VALUES
            ('ann', 'a', '2024-01-01', 2, 2, 'p1'), ('ann', 'a', '2024-01-01', 2, 0, 'p2'),
            ('ann', 'b', '2024-01-05', 2, 0, 'p1'), ('ann', NULL, '2024-01-21', 2, NULL, NULL),
            ('ann', 'b', '2024-01-06', -2, 0, 'p1')
            """
        )
        found = of(customer_features(ledger, AS_OF).to_pandas(), "ann")
    assert (found["orders"], found["lines"], found["distinct_items"]) == (3, 4, 2)
    assert (found["mean_gap_days"], found["std_gap_days"]) == (10.0, pytest.approx(math.sqrt(72), rel=1e-12))
    assert found["log_gap_sum"] == pytest.approx(math.log(4) + math.log(16), rel=1e-12)
    assert (found["returns_amount"], found["returns_share"], found["discount_share"]) == (2.0, 0.25, 0.2)
    assert found["mean_spend"] == 2.0  # 6 over three days


def test_contact_is_counted_by_channel_outcome_and_window() -> None:
    with Ledger(None) as ledger:
        with_lines(ledger, [("ann", "a", day(1), 10.0, None), ("bob", "b", day(1), 10.0, None)])
        ledger.connection.execute(
            """
            INSERT INTO interactions (interaction_id, customer_id, occurred_at, channel, direction,
            sentiment, resolved,
                                      handle_seconds, wrap_up_seconds) VALUES
            ('1', 'ann', '2024-01-31 23:00', 'email', 'outbound', NULL, NULL, NULL, NULL),
            ('2', 'ann', '2024-01-25 00:00', 'phone', 'outbound', NULL, NULL, 60, 30),
            ('3', 'ann', '2024-01-24 23:59', 'phone', 'inbound', 'negative', false, 100, NULL),
            ('4', 'ann', '2024-01-10 00:00', 'fax', 'outbound', NULL, true, NULL, NULL),
            ('5', 'ann', '2024-02-01 00:00', 'phone', 'outbound', NULL, NULL, 999, 999)
            """
        )
        ledger.connection.execute(
            """
            INSERT INTO outcomes (customer_id, offer_id, outcome, "at") VALUES
            ('ann', 'f', 'presented', '2024-01-24 23:59'), ('ann', 'f', 'accepted', '2024-01-26'), (NULL,
            'f', 'sent', '2024-01-26')
            """
        )
        frame = customer_features(ledger, AS_OF).to_pandas()
        assert interaction_features(ledger, AS_OF).count().execute() == 1
        assert outcome_features(ledger, AS_OF).count().execute() == 1
        month = contact_pressure(ledger, AS_OF, windows=(1, 365)).to_pandas()
    ann, bob = of(frame, "ann"), of(frame, "bob")
    counted = (
        "interactions",
        "interactions_email",
        "interactions_phone",
        "interactions_other",
        "interactions_inbound",
    )
    assert [ann[name] for name in counted] == [4, 1, 2, 1, 1]
    assert (ann["open_issues"], ann["interactions_negative"], ann["handle_seconds"]) == (1, 1, 190.0)
    assert (ann["contacts_7d"], ann["contacts_30d"], ann["contacts_90d"]) == (2, 4, 4)
    assert (ann["last_interaction_days"], ann["last_contact_days"], ann["last_outcome_days"]) == (0, 0, 5)
    assert (ann["outcomes_presented"], ann["outcomes_accepted"]) == (1, 1)
    assert (bob["interactions"], bob["contacts_30d"], bob["outcomes_accepted"]) == (0, 0, 0)
    assert math.isnan(float(str(bob["last_contact_days"])))
    assert month[["contacts_1d", "contacts_365d"]].to_numpy().tolist() == [[1, 4]]


def test_baskets_and_categories_are_at_the_level_of_the_products_table() -> None:
    with Ledger(None) as ledger:
        ledger.connection.execute(
            """
            INSERT INTO products (product_id, category, item) VALUES
            ('p1', 'Dairy/Milk', 'Milk'), ('p2', 'Dairy/Milk', 'Milk'), ('p3', 'Bread', 'Bread')
            """
        )
        ledger.connection.execute(
            """
            INSERT INTO purchases (customer_id, ordered_at, amount, product_id) VALUES
            ('ann', '2024-01-01', 1, 'p1'), ('ann', '2024-01-01', 2, 'p2'), ('ann', '2024-01-11', 3, 'p1'),
            ('ann', '2024-01-11', 2, 'p3'), ('ann', '2024-01-12', 9, 'p9'), ('ann', '2024-01-12', -9, 'p3'),
            ('ann', '2024-01-13', 9, NULL)
            """
        )
        lines = item_lines(ledger, AS_OF).order_by("order_day", "item").to_pandas()
        top = category_features(ledger, AS_OF, level=1).order_by("category").to_pandas()
        whole = category_features(ledger, AS_OF).order_by("category").to_pandas()
    assert lines["item"].tolist() == ["Milk", "Bread", "Milk", "p9"]
    assert lines["order_day"].dt.day.tolist() == [1, 11, 11, 12]
    assert top.to_numpy().tolist() == [
        ["ann", "Bread", 1, 0, 20, 2.0, 0.25],
        ["ann", "Dairy", 2, 10, 20, 6.0, 0.75],
    ]
    assert whole["category"].tolist() == ["Bread", "Dairy/Milk"]


def test_a_large_answer_can_be_streamed() -> None:
    with Ledger(None) as ledger:
        with_lines(ledger, [("ann", "a", day(1), 10.0, None), ("bob", "b", day(1), 10.0, None)])
        streamed = pd.concat(
            batch.to_pandas() for batch in summary(ledger, AS_OF).to_pyarrow_batches(chunk_size=1)
        )
    assert sorted(streamed["customer_id"]) == ["ann", "bob"]


LINES = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "cyd"]),
        st.sampled_from(["a", "b", None]),
        st.integers(1, 60).map(day),
        st.sampled_from([0.0, 1.0, 2.5, 1000.01, -1.0, -2.5]),
        st.sampled_from([None, False, False, True]),
    ),
    max_size=30,
)


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    with Ledger(None) as ledger:
        yield Answers(ledger)


class Answers:
    """All features of one ledger, compiled once: what is asked again and again of ever new logs."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        tables = {
            "customers": customer_features(ledger, AS_OF),
            "days": purchase_days(ledger, AS_OF),
            "items": item_lines(ledger, AS_OF),
            "categories": category_features(ledger, AS_OF),
        }
        self.queries = {name: ledger.backend.compile(table) for name, table in tables.items()}

    def begin(self) -> None:
        """Forget everything."""
        for name in ("purchases", "interactions", "outcomes", "products"):
            self.ledger.connection.execute(f"DELETE FROM {name}")
        self.ledger.connection.execute(
            "INSERT INTO products (product_id, category, item) VALUES ('p1', 'A/B', 'B')"
        )

    def ask(self, name: str) -> pd.DataFrame:
        """Return one table of features, in an order of its own."""
        cursor = self.ledger.connection.execute(self.queries[name])
        frame = pd.DataFrame(cursor.fetchall(), columns=[column[0] for column in cursor.description])
        return frame.sort_values(list(frame.columns[:3]), ignore_index=True)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES)
def test_the_engine_and_pandas_agree_on_any_log_with_returns(answers: Answers, lines: list[Line]) -> None:
    frame = pd.DataFrame(lines, columns=["customer_id", "order_id", "ordered_at", "amount", "is_return"])
    frame["ordered_at"] = pd.to_datetime(frame["ordered_at"])
    answers.begin()
    with_lines(answers.ledger, lines)
    ours = answers.ask("customers").sort_values("customer_id")
    if frame.empty:
        assert ours.empty
        return
    theirs = summarize(frame, AS_OF)
    assert ours["customer_id"].tolist() == theirs["customer_id"].tolist()
    for name in theirs.columns.drop("customer_id"):
        if theirs[name].dtype.kind == "M":
            assert ours[name].tolist() == theirs[name].dt.date.tolist()
        else:
            assert ours[name].tolist() == pytest.approx(theirs[name].tolist(), rel=1e-9, abs=1e-9)
    gaps = log_gaps(frame, AS_OF).reindex(ours["customer_id"])
    assert ours["log_gap_sum"].tolist() == pytest.approx(gaps.tolist(), rel=1e-9, abs=1e-9)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES, contacts=st.lists(st.integers(1, 60).map(day), max_size=8))
def test_nothing_after_the_as_of_day_can_be_seen(
    answers: Answers, lines: list[Line], contacts: list[datetime]
) -> None:
    end = datetime.combine(AS_OF, datetime.max.time())
    answers.begin()
    with_lines(answers.ledger, [line for line in lines if line[2] <= end])
    with_contacts(answers.ledger, [at for at in contacts if at <= end])
    known = {name: answers.ask(name) for name in answers.queries}
    with_lines(answers.ledger, [line for line in lines if line[2] > end])
    with_contacts(answers.ledger, [at for at in contacts if at > end])
    for name, table in known.items():
        pd.testing.assert_frame_equal(answers.ask(name), table, check_exact=False, rtol=1e-12)


def with_contacts(ledger: Ledger, moments: Sequence[datetime]) -> None:
    for at in moments:
        ledger.connection.execute(
            """
            INSERT INTO interactions (interaction_id, customer_id, occurred_at, channel, direction)
            VALUES (?, 'ann', ?, 'mail', 'outbound')
            """,
            [str(at), at],
        )
        ledger.connection.execute(
            """
            INSERT INTO outcomes (customer_id, offer_id, outcome, "at") VALUES ('ann', 'f', 'presented', ?)
            """,
            [at],
        )
