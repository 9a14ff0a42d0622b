"""What is worth knowing about how a customer behaves: price-sensitive, due to re-order, returns often ...?

A tag is a fact with its source and the day since which it holds. Tags come from two places: the numbers of
the features table (columns it lacks simply give no tag) and the history of what was bought when. The night
and the live service call the same function, so they cannot disagree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import pandas as pd

from clv import columns as c
from recommend.history import History
from recommend.pace import pace_days
from recommend.profile import Contact, Profile, Tag
from recommend.rfm import quantiles
from recommend.sensitive import is_private_good
from recommend.vitals import Floats, first_present, floats, last_order_on, number

EPOCH = date(1970, 1, 1)

DESCRIPTIONS: Mapping[str, str] = {
    "one_time_buyer": "Has one purchase day so far",
    "frequent_buyer": "Among the tenth who buy most often",
    "big_basket": "Among the tenth who spend most per purchase day",
    "wide_range": "Among the tenth who buy the most different things",
    "price_sensitive": "Buys at a discount more than four in five others do",
    "returns_often": "Sends back more than nine in ten others do",
    "regular_rhythm": "Buys at even intervals",
    "due_to_reorder": "The usual interval between purchases is about over",
    "often_contacted": "We approached this customer often in the last 30 days",
    "accepts_offers": "Took up at least two offers, and at least as many as were turned down",
    "declines_offers": "Turned down at least three offers and took up none",
    "open_complaint": "Has a complaint that is not resolved",
    "loyal_to": "Buys this in most baskets",
    "prefers_channel": "Answers best in this channel",
    "prefers_hours": "Answers best at these hours",
}

_MEAN_SPEND = ("mean_spend", c.AVERAGE_ORDER_VALUE)


@dataclass(frozen=True, slots=True)
class TagLimits:
    """From which value on a tag is given; the defaults serve when nothing was learned.

    Parameters
    ----------
    discount_share, returns_share
        Shares between 0 and 1.
    purchase_days
        Purchase days after the first.
    mean_spend
        Per purchase day, in the ledger's currency.
    distinct_items
        Different items ever bought.
    contacts
        Approaches in 30 days.
    gap_variation
        Standard deviation of the gaps over their mean, at or under which a rhythm is regular.
    basket_share
        Share of baskets holding an item from which one is loyal to it.
    """

    discount_share: float = 0.5
    returns_share: float = 0.2
    purchase_days: float = 12.0
    mean_spend: float = math.inf
    distinct_items: float = math.inf
    contacts: float = 4.0
    gap_variation: float = 0.5
    basket_share: float = 0.6

    @classmethod
    def fit(cls, scored: pd.DataFrame) -> TagLimits:
        """Learn what is unusual among these customers; a column that is missing keeps its default."""
        usual = cls()
        repeat = floats(scored, c.FREQUENCY) >= 2

        def top(values: Floats, share: float, least: float, default: float) -> float:
            cut = quantiles(values, (share,))
            return max(least, cut[0]) if cut else default

        spend = floats(scored, first_present(scored, _MEAN_SPEND))
        return cls(
            discount_share=top(floats(scored, "discount_share")[repeat], 0.8, 0.1, usual.discount_share),
            returns_share=top(floats(scored, "returns_share")[repeat], 0.9, 0.05, usual.returns_share),
            purchase_days=top(floats(scored, c.FREQUENCY), 0.9, 3.0, usual.purchase_days),
            mean_spend=top(spend, 0.9, 0.01, usual.mean_spend),
            distinct_items=top(floats(scored, "distinct_items"), 0.9, 5.0, usual.distinct_items),
        )

    def to_json(self) -> dict[str, float | None]:
        """Return the limits by name; None for a tag that is never given."""
        return {name: None if math.isinf(value) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, raw: Mapping[str, float | None]) -> TagLimits:
        """Read what :meth:`to_json` wrote."""
        return cls(**{name: math.inf if value is None else float(value) for name, value in raw.items()})


def tags_of(
    customer: Profile | Mapping[str, object],
    as_of: date,
    limits: TagLimits | None = None,
    history: History | None = None,
) -> tuple[Tag, ...]:
    """Return the tags of one customer.

    Parameters
    ----------
    customer
        A profile, or its fields by name (then ``history`` is given apart).
    as_of
        The last visible day.
    limits
        Learned by :meth:`TagLimits.fit`.
    history
        What was bought when; from the profile if one is given.

    Returns
    -------
    tuple of Tag
        Each once, in a fixed order.

    Examples
    --------
    >>> facts = {"frequency": 4, "recency_days": 80, "age_days": 101, "discount_share": 0.9}
    >>> [(tag.name, str(tag.since)) for tag in tags_of(facts, date(2024, 6, 30))]
    [('price_sensitive', '2024-06-09'), ('due_to_reorder', '2024-06-27')]
    """
    limits = limits or TagLimits()
    found: list[Tag] = []
    if isinstance(customer, Profile):
        if customer.open_issue:
            found.append(Tag("open_complaint", "interactions", as_of))
        found.extend(_from_contacts(customer.contacts))
        history = history or customer.history
        record: Mapping[str, object] = customer.value
    else:
        record = customer
    found.extend(_from_numbers(record, as_of, limits))
    found.extend(_from_history(history or History(), as_of, limits))
    return tuple(found)


def tag_table(
    scored: pd.DataFrame,
    as_of: date,
    limits: TagLimits,
    histories: Mapping[str, History] | None = None,
) -> pd.DataFrame:
    """Return the tags of many customers.

    Returns
    -------
    DataFrame
        customer_id, tag, source, since: one row a tag.
    """
    histories = histories or {}
    rows = [
        (key, tag.name, tag.source, tag.since)
        for record in scored.to_dict("records")
        for key in [str(record[c.CUSTOMER_ID])]
        for tag in tags_of({str(k): v for k, v in record.items()}, as_of, limits, histories.get(key))
    ]
    return pd.DataFrame(rows, columns=[c.CUSTOMER_ID, "tag", "source", "since"])


def _from_numbers(record: Mapping[str, object], as_of: date, limits: TagLimits) -> Iterator[Tag]:
    frequency = number(record, c.FREQUENCY)
    quiet = number(record, c.AGE_DAYS) - number(record, c.RECENCY_DAYS)
    if math.isnan(frequency + quiet):
        return
    last = last_order_on(as_of, quiet)
    spend = number(record, _MEAN_SPEND[0])
    spend = number(record, _MEAN_SPEND[1]) if math.isnan(spend) else spend
    several = frequency >= 2
    facts = (
        ("one_time_buyer", "purchases", frequency == 0),
        ("frequent_buyer", "purchases", frequency >= limits.purchase_days),
        ("big_basket", "purchases", spend >= limits.mean_spend),
        ("wide_range", "purchases", number(record, "distinct_items") >= limits.distinct_items),
        (
            "price_sensitive",
            "discounts",
            several and number(record, "discount_share") >= limits.discount_share,
        ),
        ("returns_often", "returns", several and number(record, "returns_share") >= limits.returns_share),
        ("regular_rhythm", "purchases", frequency >= 4 and _variation(record) <= limits.gap_variation),
    )
    for name, source, holds in facts:
        if holds:
            yield Tag(name, source, last)
    if several:
        gap = number(record, c.RECENCY_DAYS) / frequency
        if gap > 0 and 0.9 * gap <= quiet <= 2 * gap:
            yield Tag("due_to_reorder", "timing", last + timedelta(days=math.ceil(0.9 * gap)))
    if number(record, "contacts_30d") >= limits.contacts:
        yield Tag("often_contacted", "contacts", as_of)
    for name in ("channel", "hours"):
        favourite = record.get(f"preferred_{name}")
        if isinstance(favourite, str) and favourite:
            yield Tag(f"prefers_{name}:{favourite}", "interactions", as_of)


def _from_contacts(contacts: Sequence[Contact]) -> Iterator[Tag]:
    taken = [contact for contact in contacts if contact.outcome in {"accepted", "purchased"}]
    declined = [contact for contact in contacts if contact.outcome == "rejected"]
    if len(taken) >= 2 and len(taken) >= len(declined):
        yield Tag("accepts_offers", "outcomes", taken[-1].at.date())
    if len(declined) >= 3 and not taken:
        yield Tag("declines_offers", "outcomes", declined[-1].at.date())


def _variation(record: Mapping[str, object]) -> float:
    mean = number(record, "mean_gap_days")
    return number(record, "std_gap_days") / mean if mean > 0 else math.nan


def _from_history(history: History, as_of: date, limits: TagLimits, most: int = 3) -> Iterator[Tag]:
    baskets = len(history.order_days)
    if baskets < 3:
        return
    today = (as_of - EPOCH).days
    loyal: list[tuple[float, str, date]] = []
    due: list[tuple[float, str, date]] = []
    for item, at in zip(history.items, history.positions, strict=True):
        if len(at) < 3 or is_private_good(item):
            continue
        last = history.order_days[at[-1]]
        share = len(at) / baskets
        if baskets >= 5 and share >= limits.basket_share:
            loyal.append((share, item, EPOCH + timedelta(days=last)))
        gap = pace_days(history, item, today)
        if gap is not None and 0.9 * gap <= today - last <= 2 * gap:
            due.append((len(at), item, EPOCH + timedelta(days=last + math.ceil(0.9 * gap))))
    for prefix, source, ranked in (("loyal_to", "purchases", loyal), ("due_to_reorder", "timing", due)):
        for _, item, since in sorted(ranked, key=lambda entry: (-entry[0], entry[1]))[:most]:
            yield Tag(f"{prefix}:{item}", source, since)
