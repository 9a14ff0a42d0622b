"""What is a customer's profile as of a day: history, contacts, consent, open issue, beside the scores?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd

from clv.columns import CUSTOMER_ID
from pipelines.features import item_lines
from pipelines.ledger import Ledger
from pipelines.responses import order_places
from recommend.history import History
from recommend.issues import COMPLAINTS, HEARD, IN_A_TOPIC, NEGATIVE, NEVER, Complaint, Issues
from recommend.profile import CAMPAIGNS, CONTACT_DAYS, Contact, Profile, Scalar, Tag
from recommend.segments import SegmentModel

IN_CAMPAIGN: Final = "in_campaign:"
_BATCH: Final = 2_000

_HISTORIES: Final = """
WITH baskets AS (
    SELECT customer_id, order_day,
           row_number() OVER (PARTITION BY customer_id ORDER BY order_day) - 1 AS position
    FROM (SELECT DISTINCT customer_id, order_day FROM lines)
), items AS (
    SELECT customer_id, item, list(position ORDER BY position) AS positions
    FROM (SELECT DISTINCT customer_id, item, order_day FROM lines) JOIN baskets USING (customer_id, order_day)
    GROUP BY customer_id, item
), bought AS (
    SELECT customer_id, list(item ORDER BY item) AS items, list(positions ORDER BY item) AS positions
    FROM items GROUP BY customer_id
), days AS (
    SELECT customer_id, list(order_day - DATE '1970-01-01' ORDER BY position) AS order_days,
           CASE WHEN bool_or(store_id IS NOT NULL) THEN list(coalesce(store_id, '') ORDER BY position) END
           AS places
    FROM baskets LEFT JOIN order_places USING (customer_id, order_day) GROUP BY customer_id
)
SELECT customer_id, order_days, items, positions, places FROM bought JOIN days USING (customer_id)
"""
_CONTACTS: Final = """
SELECT customer_id, list({'at': "at", 'channel': channel, 'outcome': outcome, 'offer_id': offer_id,
                          'group': "group"} ORDER BY "at", offer_id) AS contacts
FROM (
    SELECT customer_id, occurred_at AS "at", channel, 'sent' AS outcome,
           CASE WHEN interaction_id LIKE 'campaign:%' THEN 'campaign:' || split_part(interaction_id, ':', 2)
                ELSE '' END AS offer_id, '' AS "group"
    FROM interactions WHERE (direction = 'outbound' OR interaction_id LIKE 'campaign:%')
         AND occurred_at >= $since AND occurred_at < $until
    UNION ALL
    SELECT o.customer_id, o."at", '', o.outcome, coalesce(o.offer_id, ''), coalesce(f."group", '')
    FROM outcomes o LEFT JOIN offers f USING (offer_id)
    WHERE o.customer_id IS NOT NULL AND o."at" >= $since AND o."at" < $until
) GROUP BY customer_id
"""
# The rule of recommend.issues in the words of a table; a test holds the two together.
_ISSUES: Final = """
WITH told AS (
    SELECT customer_id, epoch_us(occurred_at) AS "at", coalesce(resolved, false) AS over,
           interaction_id LIKE $heard AS heard, resolved IS NULL AS untold,
           coalesce(direction, 'inbound') = 'inbound'
               AND (sentiment = $negative OR intent IN (SELECT unnest($wishes::VARCHAR[]))
                    OR contains(lower(topic), $in_a_topic)) AS bad,
           {'at': "at", 'topic': coalesce(nullif(topic, ''), nullif(intent, ''), 'complaint')} AS complaint
    FROM interactions WHERE occurred_at < $until
)
SELECT customer_id, struct_pack(
       unresolved := max(complaint) FILTER (bad AND NOT over AND NOT heard AND NOT untold),
       untold := max(complaint) FILTER (bad AND NOT over AND NOT heard AND untold),
       heard := max(complaint) FILTER (bad AND NOT over AND heard),
       resolved_at := max("at") FILTER (over AND NOT heard),
       wished_at := max("at") FILTER (over AND heard)) AS issues
FROM told WHERE bad OR over GROUP BY customer_id
"""
# An interaction whose id reads campaign:<campaign_id>:... says that the customer belongs to that campaign.
_CAMPAIGNS: Final = """
WITH running AS (
    SELECT DISTINCT json_extract_string(attributes, '$.campaign_id') AS campaign_id FROM offers
    WHERE attributes IS NOT NULL AND (valid_to IS NULL OR valid_to > $until)
)
SELECT customer_id, list({'campaign_id': campaign_id, 'since': since} ORDER BY campaign_id) AS campaigns
FROM (
    SELECT customer_id, split_part(interaction_id, ':', 2) AS campaign_id, min(occurred_at)::DATE AS since
    FROM interactions WHERE interaction_id LIKE 'campaign:%' AND occurred_at < $until GROUP BY ALL
) JOIN running USING (campaign_id)
GROUP BY customer_id
"""
_PEOPLE: Final = "SELECT customer_id, region, locale, birth_year, consent, attributes FROM customers"
_ASSEMBLED: Final = """
SELECT s.customer_id, order_days, items, positions, places, contacts, issues, region, locale, birth_year,
       consent, attributes, campaigns
FROM scored s
LEFT JOIN histories USING (customer_id) LEFT JOIN approaches USING (customer_id)
LEFT JOIN issues USING (customer_id) LEFT JOIN people USING (customer_id)
LEFT JOIN memberships USING (customer_id)
ORDER BY s.customer_id
"""


def profiles(ledger: Ledger, scored: pd.DataFrame, segments: SegmentModel, as_of: date) -> Iterator[Profile]:
    """Yield the profile of every scored customer, ordered by customer.

    Parameters
    ----------
    ledger
        Where history, contacts, consent and attributes come from; nothing after ``as_of`` is read.
    scored
        One row a customer: customer_id and every number a rule, a tag or an agent may see.
    segments
        Says which lists and tags a customer is on.
    as_of
        The last visible day (UTC).
    """
    fields = scored.set_index(CUSTOMER_ID, drop=False).sort_index()
    records = (_scalars(row) for row in _rows(fields))
    for values, rest in zip(records, _assembled(ledger, fields, as_of), strict=True):
        yield _profile(values, rest, segments, as_of)


def _rows(fields: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for start in range(0, len(fields), _BATCH):
        for record in fields.iloc[start : start + _BATCH].to_dict("records"):
            yield {str(name): value for name, value in record.items()}


def _scalars(row: Mapping[str, Any]) -> dict[str, Scalar]:
    """Turn a row into plain values; what is missing is None, a day is its ISO text."""
    return {name: _scalar(value) for name, value in row.items()}


def _scalar(value: object) -> Scalar:
    if value is None or value is pd.NaT or value != value:  # noqa: PLR0124  (nan is not itself)
        return None
    if isinstance(value, date):  # a Timestamp is one
        return value.isoformat()[:10]
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if isinstance(plain, int | float | str) else str(plain)


def _assembled(ledger: Ledger, fields: pd.DataFrame, as_of: date) -> Iterator[dict[str, Any]]:
    """Yield what the ledger knows beside the scores, in the order of the scored customers."""
    until = datetime.combine(as_of + timedelta(days=1), datetime.min.time())
    moments = {"since": until - timedelta(days=CONTACT_DAYS), "until": until}
    issues = {
        "until": until,
        "heard": f"{HEARD}%",
        "negative": NEGATIVE,
        "wishes": sorted(COMPLAINTS),
        "in_a_topic": IN_A_TOPIC,
    }
    with ledger.connection.cursor() as cursor:
        cursor.register("scored", fields[[CUSTOMER_ID]].reset_index(drop=True))
        lines = ledger.backend.compile(item_lines(ledger.tables(), as_of))
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE lines AS {lines}")
        places = ledger.backend.compile(order_places(ledger.tables(), as_of))
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE order_places AS {places}")
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE histories AS {_HISTORIES}")
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE approaches AS {_CONTACTS}", moments)
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE issues AS {_ISSUES}", issues)
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE people AS {_PEOPLE}")
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE memberships AS {_CAMPAIGNS}", {"until": until})
        cursor.execute(_ASSEMBLED)
        names = [column[0] for column in cursor.description or ()]
        while batch := cursor.fetchmany(_BATCH):
            yield from (dict(zip(names, row, strict=True)) for row in batch)


def _profile(
    values: dict[str, Scalar], rest: Mapping[str, Any], segments: SegmentModel, as_of: date
) -> Profile:
    history = History(
        order_days=tuple(rest["order_days"] or ()),
        items=tuple(rest["items"] or ()),
        positions=tuple(tuple(p) for p in rest["positions"] or ()),
        places=tuple(rest["places"] or ()),
    )
    issues = _issues(rest["issues"])
    plain = Profile(
        customer_id=str(values.pop(CUSTOMER_ID)),
        as_of=as_of,
        value=values,
        segments=segments.segments_of(values),
        attributes=_attributes(rest),
        consent={str(k): bool(v) for k, v in json.loads(rest["consent"] or "{}").items()},
        contacts=tuple(_contact(c) for c in rest["contacts"] or ()),
        open_issue=issues.open_on(as_of),
        history=history,
        issues=issues,
    )
    return replace(plain, tags=(*segments.tags_of(plain, as_of), *_campaign_tags(rest)))


def _campaign_tags(rest: Mapping[str, Any]) -> Iterator[Tag]:
    """Yield a tag for each running campaign the customer belongs to: its offers are theirs alone."""
    for campaign in rest["campaigns"] or ():
        yield Tag(f"{IN_CAMPAIGN}{campaign['campaign_id']}", CAMPAIGNS, campaign["since"])


def _issues(raw: Mapping[str, Any] | None) -> Issues:
    if raw is None:
        return Issues()
    unresolved, untold, heard = (
        Complaint(found["at"], found["topic"]) if (found := raw[kind]) else None
        for kind in ("unresolved", "untold", "heard")
    )
    ends = (raw["resolved_at"], raw["wished_at"])
    return Issues(unresolved, untold, heard, *(NEVER if at is None else at for at in ends))


def _attributes(rest: Mapping[str, Any]) -> dict[str, Scalar]:
    named = {name: rest[name] for name in ("region", "locale", "birth_year") if rest[name] is not None}
    return {**json.loads(rest["attributes"] or "{}"), **named}


def _contact(raw: Mapping[str, Any]) -> Contact:
    return Contact(
        raw["at"].replace(tzinfo=UTC), raw["channel"], raw["outcome"], raw["offer_id"], raw["group"]
    )
