"""What a profile says beside its scores is what the ledger knew on the day."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from pipelines.ledger import Ledger
from pipelines.profiles import profiles
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
