"""What customers cost to supply and to serve stands in the log, and their value knows it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from clv.service import AgentCost
from pipelines.economics import with_costs
from pipelines.ingest import ingest
from pipelines.ledger import Ledger
from pipelines.sources import source_for

AS_OF = date(2026, 3, 31)
AGENT = AgentCost(wage_per_hour=20.0, on_cost_factor=1.5, occupancy=0.75)  # 40 an hour
SUMMARY = pd.DataFrame({"customer_id": ["ann", "bob"], "age_days": [100.0, 100.0]})
ORDERS = """customer_id,order_id,ordered_at,amount,product_id,quantity,is_return
ann,1,2026-01-02,30,tea,3,no
ann,2,2026-02-02,10,tea,1,yes
bob,3,2026-03-02,50,pot,,no
bob,4,2026-04-02,50,tea,5,no
"""
GOODS = "product_id,name,unit_cost\ntea,Tea,5\npot,Pot,40\n"
TALKS = """interaction_id,customer_id,occurred_at,channel,direction,handle_seconds
1,ann,2026-01-05,phone,inbound,600
2,ann,2026-01-09,email,outbound,
3,bob,2026-02-05,phone,inbound,
4,bob,2026-04-05,phone,inbound,900
"""


@pytest.fixture
def ledger(tmp_path: Path):
    files = {"purchases": ORDERS, "products": GOODS, "interactions": TALKS}
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    with Ledger(tmp_path / "ledger.duckdb") as found:
        ingest(found, source_for(tmp_path))
        yield found


def test_a_customers_margin_follows_from_the_unit_costs_of_what_was_kept(ledger: Ledger) -> None:
    # ann kept two teas: 20 - 10, a margin of .5, told by 2 lines; bob kept a pot: 50 - 40, .2 by 1 line.
    # Everybody: (70 - 50) / 70 = 2/7, counted as ten lines.
    found = with_costs(ledger, SUMMARY, AS_OF)
    assert found["margin_rate"].tolist() == pytest.approx(
        [(2 * 0.5 + 10 * 2 / 7) / 12, (1 * 0.2 + 10 * 2 / 7) / 11]
    )


def test_without_a_wage_the_cost_to_serve_is_left_out(ledger: Ledger) -> None:
    assert "service_cost_per_day" not in with_costs(ledger, SUMMARY, AS_OF).columns


def test_a_talk_costs_its_time_and_a_mailing_costs_no_agents_time(ledger: Ledger) -> None:
    # ann's talk of ten minutes; bob's was not timed and counts as the usual one; the mailing counts nothing
    found = with_costs(ledger, SUMMARY, AS_OF, AGENT)
    assert found["historic_service_cost"].tolist() == pytest.approx([40 / 6, 40 / 6])


def test_what_comes_after_the_day_changes_nothing(ledger: Ledger) -> None:
    early = with_costs(ledger, SUMMARY, date(2026, 1, 1), AGENT)
    assert list(early.columns) == list(SUMMARY.columns)
