"""What did a month of prompts earn, against the customers who got none, net of what the centre cost?

The control group is drawn by customer and month, so a customer's money is counted from the first question
asked about them in the month to its end, alike in both arms, whether or not anything was said.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from clv.errors import DataError, TooLittleData
from clv.service import AgentCost
from pipelines.days import midnight_after
from pipelines.ledger import Ledger
from recommend.impact import Impact, impact

_ASKED: Final = """
CREATE OR REPLACE TEMP TABLE asked AS
SELECT customer_id, arm, "at"::TIMESTAMPTZ AT TIME ZONE 'UTC' AS asked_at, hints
FROM read_csv($questions, header = true, columns = {
    'decision_id': 'VARCHAR', 'at': 'VARCHAR', 'customer_id': 'VARCHAR', 'channel': 'VARCHAR',
    'agent_id': 'VARCHAR', 'arm': 'VARCHAR', 'hints': 'BIGINT', 'silence': 'VARCHAR'})
WHERE asked_at >= $begin AND asked_at < $end
"""
_COUNTED: Final = "SELECT count(*), count(*) FILTER (hints = 0), coalesce(sum(hints), 0) FROM asked"
_BROUGHT: Final = """
WITH arms AS (
    SELECT customer_id, arm, min(asked_at) AS since FROM asked GROUP BY ALL
), lines AS (
    SELECT customer_id, ordered_at, quantity, coalesce(p.unit_cost, g.unit_cost) AS unit_cost,
           CASE WHEN is_return THEN -abs(amount) ELSE amount END AS net
    FROM purchases p LEFT JOIN products g USING (product_id)
    WHERE ordered_at >= $begin AND ordered_at < $end
)
SELECT customer_id, arm, coalesce(bool_or(net >= 0), false)::INT AS converted, coalesce(sum(
    CASE WHEN unit_cost IS NULL THEN net * $margin_rate
         ELSE net - sign(net) * unit_cost * abs(coalesce(quantity, 1)) END), 0.0) AS value
FROM arms LEFT JOIN lines USING (customer_id)
WHERE ordered_at IS NULL OR ordered_at >= since
GROUP BY ALL
UNION ALL  -- who bought before the first question only, and so brought nothing since
SELECT customer_id, arm, 0, 0.0 FROM arms ORDER BY ALL
"""
_SECONDS: Final = """
WITH talks AS (
    SELECT handle_seconds, coalesce(wrap_up_seconds, 0) AS after, avg(handle_seconds) OVER () AS usual
    FROM interactions
    WHERE occurred_at >= ? AND occurred_at < ?
      AND (handle_seconds IS NOT NULL OR direction IS DISTINCT FROM 'outbound')
)
SELECT coalesce(sum(coalesce(handle_seconds, usual, 0) + after), 0) FROM talks
"""


@dataclass(frozen=True, slots=True)
class Earned:
    """What a month of prompts earned.

    Parameters
    ----------
    month
        Its first day.
    questions, silent, hints
        Questions asked about customers, those answered with silence, and hints given.
    impact
        Prompts against none; None where that cannot be told.
    because
        Why it cannot be told; empty if it can.
    """

    month: date
    questions: int
    silent: int
    hints: int
    impact: Impact | None
    because: str = ""


def earned(
    ledger: Ledger, questions: Path, month: date, *, margin_rate: float = 1.0, agent: AgentCost | None = None
) -> Earned:
    """Compare a month's customers with prompts with those held out.

    Parameters
    ----------
    ledger
        Purchases and interactions.
    questions
        ``questions.csv``, as ``clv feedback`` writes it: one row a decision, hints or silence.
    month
        Any day of the month (UTC).
    margin_rate
        Share of an amount that is margin, where no unit cost is known.
    agent
        What an agent's time costs; None counts no cost of the centre.

    Raises
    ------
    DataError
        If there are no questions to read, or none was asked in the month.
    """
    if not questions.exists():
        raise DataError(
            "The service's log is not there.", where=str(questions), hint="Run `clv feedback` first."
        )
    begin, end = _bounds(month)
    with ledger.connection.cursor() as cursor:
        cursor.execute(_ASKED, {"questions": str(questions), "begin": begin, "end": end})
        asked, silent, hints = cursor.execute(_COUNTED).fetchall()[0]
        if not asked:
            raise DataError(
                f"No question was asked in {begin:%Y-%m}.", where=str(questions), hint="Name another --month."
            )
        moments = {"begin": begin, "end": end, "margin_rate": margin_rate}
        outcomes = cursor.execute(_BROUGHT, moments).df()
        seconds = cursor.execute(_SECONDS, [begin, end]).fetchall()[0][0]
    cost = 0.0 if agent is None else agent.of(float(seconds))
    try:
        found = impact(outcomes, cost=cost)
    except TooLittleData as error:
        return Earned(begin.date(), asked, silent, hints, None, str(error))
    return Earned(begin.date(), asked, silent, hints, found)


def _bounds(month: date) -> tuple[datetime, datetime]:
    """Return the first moment of the month, and of the next."""
    last = monthrange(month.year, month.month)[1]
    return midnight_after(month.replace(day=1) - timedelta(days=1)), midnight_after(month.replace(day=last))
