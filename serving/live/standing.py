"""A published profile and what happened since, made into the profile of this moment.

The same functions that scored everybody at night score the one customer here: the value model, the cut
points of the segments, the limits of the tags.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final

from clv import columns as c
from clv.valuation import ValueModel
from models.receipts import Entry, Receipts
from recommend.history import History
from recommend.profile import CAMPAIGNS, Contact, Profile, Scalar
from recommend.segments import SegmentModel
from recommend.vitals import HISTORIC_REVENUE, LAST_GAP_DAYS
from serving.live.book import Book
from serving.live.messages import EPOCH
from serving.live.news import Held, News, news_of
from serving.live.orders import Summary, summarize

_PRESSURE: Final = re.compile(r"contacts_(\d+)d")


class Standing:
    """Turns published profiles into those of this moment.

    Parameters
    ----------
    valuation, segment_model
        The models of the generation; None where it has none: those fields then stay as published.
    as_of
        Last day the generation saw.
    horizon_days
        How far ahead predicted value looks.
    """

    def __init__(
        self,
        valuation: ValueModel | None,
        segment_model: SegmentModel | None,
        as_of: date,
        horizon_days: int = 365,
    ) -> None:
        self.valuation = valuation
        self.segment_model = segment_model
        self.as_of = as_of
        self.horizon_days = horizon_days

    def news(self, published: Profile | None, book: Book, held: Held) -> News:
        """Return what a customer's book tells that the generation does not hold.

        Parameters
        ----------
        published
            What the generation says of them; None if it does not know them.
        book
            Their events.
        held
            Reads which orders the generation counted for them.
        """
        return news_of(published, book, held, self.as_of)

    def now(self, customer_id: str, published: Profile | None, news: News, today: date) -> Profile:
        """Return the profile of this moment.

        Parameters
        ----------
        customer_id
            Whose.
        published
            What the generation says; None if it does not know the customer.
        news
            What happened since.
        today
            The last visible day; the day of a later event takes its place.
        """
        day = max([today.toordinal() - EPOCH, *(entry[0] for entry in (*news.orders, *news.returns))])
        as_of = date.fromordinal(day + EPOCH)
        profile = published or Profile(customer_id, as_of, known=news.moved)
        contacts = (*profile.contacts, *news.contacts)
        moved = replace(
            profile,
            as_of=as_of,
            consent={**profile.consent, **news.consent},
            contacts=tuple(sorted(contacts, key=lambda contact: (contact.at, contact.offer_id))),
            open_issue=news.issues.open_on(as_of),
            history=_history(profile.history, news.orders, day),
            issues=news.issues,
        )
        value = self._value(profile, news, as_of)
        value |= _pressure(value, moved.contacts, as_of)
        return self._named(replace(moved, value=value), as_of)

    def _value(self, profile: Profile, news: News, as_of: date) -> dict[str, Scalar]:
        """Return the numbers as of a day: counted from the start, or as published if nothing moves them."""
        published = profile.value
        value = dict(published)
        if not news.orders and not news.returns and as_of == profile.as_of:
            return value
        held = Receipts.of_profile(profile) if news.receipts.unknown else news.receipts
        summary = summarize(
            [*held.orders, *news.orders],
            [*held.returns, *news.returns],
            as_of.toordinal() - EPOCH,
            held.unlisted_days,
        )
        if summary is None:
            return value
        value |= _counted(published, summary, held, news)
        if self.valuation is not None:
            scored = self.valuation.predict_one(
                summary.frequency,
                summary.recency_days,
                summary.age_days,
                summary.monetary_value,
                historic_revenue=summary.historic_revenue,
                horizon_days=self.horizon_days,
                as_of=as_of,
                tilt=_number(published, c.TILT),
                margin_rate=_number(published, c.MARGIN_RATE),
                service_cost_per_day=_number(published, c.SERVICE_COST_PER_DAY),
                historic_service_cost=_number(published, c.HISTORIC_SERVICE_COST) or 0.0,
            )
            for name, number in scored.as_fields().items():
                value[name] = number.isoformat() if isinstance(number, date) else number
        return value

    def _named(self, profile: Profile, as_of: date) -> Profile:
        """Give the profile the segments and tags its numbers earn."""
        if self.segment_model is None or not profile.value:
            return profile
        segments = self.segment_model.segments_of(profile.value)
        named = replace(profile, segments=segments)
        campaigns = tuple(tag for tag in profile.tags if tag.source == CAMPAIGNS)  # known to the night only
        return replace(named, tags=(*self.segment_model.tags_of(named, as_of), *campaigns))


def _number(value: Mapping[str, Scalar], name: str) -> float | None:
    found = value.get(name)
    return float(found) if isinstance(found, int | float) else None


def _counted(
    published: Mapping[str, Scalar], summary: Summary, held: Receipts, news: News
) -> dict[str, Scalar]:
    """Return the summary and the features that follow from it, by their published names."""
    days = summary.days
    counted: dict[str, Scalar] = {
        c.FREQUENCY: summary.frequency,
        c.RECENCY_DAYS: summary.recency_days,
        c.AGE_DAYS: summary.age_days,
        c.MONETARY_VALUE: summary.monetary_value,
        HISTORIC_REVENUE: summary.historic_revenue,
        c.FIRST_ORDER_ON: date.fromordinal(days[0] + EPOCH).isoformat(),
        c.LAST_ORDER_ON: date.fromordinal(days[-1] + EPOCH).isoformat(),
        c.HISTORIC_NUMBER_OF_ORDERS: summary.frequency + 1,
        "mean_gap_days": summary.recency_days / summary.frequency if summary.frequency else None,
        LAST_GAP_DAYS: days[-1] - days[-2] if len(days) > 1 else None,
    }
    if len(days) == summary.frequency + 1:  # every purchase day is known, not only the first and the last
        gaps = [later - earlier for earlier, later in pairwise(days)]
        counted["log_gap_sum"] = math.fsum(math.log(gap) for gap in gaps)
        counted["std_gap_days"] = _spread(gaps)
    if isinstance(orders := published.get("orders", 0), int | float):
        counted["orders"] = int(orders) + len({entry[1] for entry in news.orders} - held.numbers)
    back = published.get("returns_amount", 0.0)
    if isinstance(back, int | float):
        given = back + math.fsum(-entry[2] for entry in news.returns)
        paid = summary.historic_revenue + given
        counted |= {"returns_amount": given, "returns_share": given / paid if paid > 0 else 0.0}
    return counted


def _spread(gaps: list[int]) -> float | None:
    """Return the sample standard deviation of gaps; None for fewer than two."""
    if len(gaps) < 2:
        return None
    mean = sum(gaps) / len(gaps)
    return math.sqrt(math.fsum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1))


def _history(published: History, orders: Iterable[Entry], as_of: int) -> History:
    """Put the items of new orders into the baskets of their days."""
    bought: dict[int, set[str]] = {}
    for day, _, _, items, *_ in orders:
        if day <= as_of and items:
            bought.setdefault(day, set()).update(items)
    if not bought:
        return published
    days = sorted({*published.order_days, *bought})
    place = {day: index for index, day in enumerate(days)}
    held = {
        item: {place[published.order_days[at]] for at in positions}
        for item, positions in zip(published.items, published.positions, strict=True)
    }
    for day, items in bought.items():
        for item in items:
            held.setdefault(item, set()).add(place[day])
    names = sorted(held)
    stores = dict(zip(published.order_days, published.places, strict=False))
    return History(
        tuple(days),
        tuple(names),
        tuple(tuple(sorted(held[name])) for name in names),
        tuple(stores.get(day, "") for day in days) if stores else (),
    )


def _pressure(value: Mapping[str, Scalar], contacts: tuple[Contact, ...], as_of: date) -> dict[str, Scalar]:
    """Count the approaches of the last days anew, for every window the publication counts."""
    end = datetime.combine(as_of + timedelta(days=1), datetime.min.time(), UTC)
    windows = {name: int(found[1]) for name in value if (found := _PRESSURE.fullmatch(name))}
    return {
        name: sum(
            contact.outcome in {"sent", "presented"} and contact.at >= end - timedelta(days=days)
            for contact in contacts
        )
        for name, days in windows.items()
    }
