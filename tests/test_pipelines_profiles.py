"""What a profile says beside its scores is what the ledger knew on the day."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from models.receipts import Receipts
from pipelines.ledger import Ledger
from pipelines.profiles import profiles
from pipelines.receipts import receipts
from recommend.issues import Interaction, Issues
from recommend.segments import SegmentModel

AS_OF = date(2025, 3, 31)
COLUMNS = ["interaction_id", "customer_id", "occurred_at", "channel", "topic", "sentiment", "resolved"]


def open_issue(*rows: tuple[str, str, str, str, bool]) -> str:
    """The issue of a customer of whom these interactions are known: id, day, topic, sentiment, resolved."""
    told = [(key, "ann", pd.Timestamp(day), "chat", *rest) for key, day, *rest in rows]
    with Ledger(None) as ledger:
        ledger.connection.register("told", pd.DataFrame(told, columns=COLUMNS))
        ledger.connection.execute("INSERT INTO interactions BY NAME SELECT * FROM told")
        scored = pd.DataFrame(
            {"customer_id": ["ann"], "frequency": [1], "recency_days": [9.0], "age_days": [90.0]}
        )
        (ann,) = profiles(ledger, scored, SegmentModel.fit(scored, AS_OF, clusters=0), AS_OF)
    return ann.open_issue


BAD, OVER = ("topic", "negative", False), ("", "neutral", True)


@pytest.mark.parametrize(
    ("rows", "issue"),
    [
        ([("t1", "2024-01-01", *BAD)], "topic"),  # a helpdesk's complaint is open until it says otherwise
        ([("t1", "2024-01-01", *BAD), ("heard:2", "2025-03-30", *OVER)], "topic"),
        ([("heard:1", "2025-03-18", *BAD)], "topic"),  # heard within 14 days of the end of the day
        ([("heard:1", "2025-03-17", *BAD)], ""),
        ([("heard:1", "2025-03-29", *BAD), ("heard:2", "2025-03-30", *OVER)], ""),
        ([("heard:1", "2025-03-29", *BAD), ("t2", "2025-03-30", *OVER)], ""),
        ([("t2", "2025-03-28", *OVER), ("heard:1", "2025-03-29", *BAD)], "topic"),
        ([("heard:1", "2025-04-01", *BAD)], ""),  # the day after
    ],
)
def test_a_complaint_heard_in_a_chat_ends_in_time_or_with_a_resolved_talk(
    rows: list[tuple[str, str, str, str, bool]], issue: str
) -> None:
    assert open_issue(*rows) == issue


SAID = [*COLUMNS, "direction", "intent"]


def test_the_night_s_tables_and_the_day_s_events_say_the_same_of_complaints() -> None:
    draw = random.Random(4)
    rows, told = [], []
    for number in range(3_000):
        at = pd.Timestamp("2025-03-10") + pd.Timedelta(hours=draw.randrange(24 * 25))
        one = Interaction(
            at.value // 1000,
            draw.choice(["inbound", "inbound", "inbound", "outbound"]),
            draw.choice(["", "", "complaint", "cancel", "ask"]),
            draw.choice(["", "delivery", "quality", "Complaints, other"]),
            draw.choice(["", "negative", "neutral"]),
            draw.choice([None, False, True]),
            draw.random() < 0.3,
        )
        name = f"{'heard:' if one.heard else 't'}{number}"
        who = f"c{draw.randrange(400):03}"
        told.append((who, one))
        rest = (one.topic or None, one.sentiment or None, one.resolved, one.direction, one.intent or None)
        rows.append((name, who, at, "chat", *rest))
    with Ledger(None) as ledger:
        ledger.connection.register("told", pd.DataFrame(rows, columns=SAID))
        ledger.connection.execute("INSERT INTO interactions BY NAME SELECT * FROM told")
        known = sorted({who for who, _ in told})
        scored = pd.DataFrame({"customer_id": known, "frequency": 1, "recency_days": 9.0, "age_days": 90.0})
        found = list(profiles(ledger, scored, SegmentModel.fit(scored, AS_OF, clusters=0), AS_OF))
    end = pd.Timestamp("2025-04-01").value // 1000
    for profile in found:
        mine = [one for who, one in told if who == profile.customer_id and one.at < end]
        assert profile.issues == Issues.of(mine)
        assert profile.open_issue == Issues.of(reversed(mine)).open_on(AS_OF)
    assert 50 < sum(bool(profile.open_issue) for profile in found) < 350


def test_the_night_tells_which_orders_and_returns_it_counted() -> None:
    lines = pd.DataFrame(
        [
            ("ann", "o1", "2025-03-01 09:00", 5.0, None),
            ("ann", "o1", "2025-03-01 10:00", 2.5, False),
            ("ann", None, "2025-03-04", 1.0, None),
            ("ann", "o1", "2025-03-05", -2.0, None),
            ("ann", "o1", "2025-03-06", 3.0, True),
            ("ann", "o9", "2025-04-01", 9.0, None),  # the day after
        ],
        columns=["customer_id", "order_id", "ordered_at", "amount", "is_return"],
    ).astype({"ordered_at": "datetime64[us]"})
    with Ledger(None) as ledger:
        ledger.connection.register("lines", lines)
        ledger.connection.execute("INSERT INTO purchases BY NAME SELECT * FROM lines")
        ((who, raw),) = receipts(ledger, AS_OF)
    day = (date(2025, 3, 1) - date(1970, 1, 1)).days
    assert who == "ann"
    assert Receipts.from_bytes(raw) == Receipts(
        [[day, "o1", 7.5], [day + 3, "", 1.0]], [[day + 4, "o1", -2.0], [day + 5, "o1", -3.0]]
    )


def test_a_ledger_of_an_earlier_version_gets_the_columns_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "ledger.duckdb"
    with Ledger(file) as ledger:
        ledger.connection.execute("ALTER TABLE interactions DROP COLUMN intent")
    with Ledger(file, read_only=True) as ledger:
        assert ledger.connection.execute("SELECT intent FROM interactions").fetchall() == []
