"""Offers put before customers in the past, and whether each was taken up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clv.errors import MissingColumn
from recommend.baskets import Floats, Ints
from recommend.profile import Profile

if TYPE_CHECKING:
    import pandas as pd

ACCEPTED = ("accepted", "purchased", "redeemed")
PAST_DAYS = 365
_NEVER = 10**8


@dataclass(frozen=True, slots=True)
class Touches:
    """Days on which an offer was put before customers or answered by them.

    What a customer's past with offers is, is defined here for training and in :func:`contact_record` for one
    customer in a chat, alike: contacts without an offer, such as a service call, do not count.

    Parameters
    ----------
    customers, days
        Shape (touches): distinct pairs.
    takers, taken, taken_days
        Shape (acceptances): who took up which offer, and the day.
    """

    customers: Ints
    days: Ints
    takers: Ints
    taken: Ints
    taken_days: Ints

    def record(self, day: int, n_customers: int) -> tuple[Floats, Floats]:
        """Return per customer the days with an offer, and how many offers they took up, shortly before a day.

        Parameters
        ----------
        day
            The ``PAST_DAYS`` days before it count.
        n_customers
            How many customers there are.
        """
        seen = (self.days >= day - PAST_DAYS) & (self.days < day)
        took = (self.taken_days >= day - PAST_DAYS) & (self.taken_days < day)
        pairs = np.unique(np.stack((self.takers[took], self.taken[took])), axis=1)
        days = np.bincount(self.customers[seen], minlength=n_customers)
        return days.astype(np.float64), np.bincount(pairs[0], minlength=n_customers).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Exposures:
    """Offers put before customers, in order of day, and whether each was taken up.

    Parameters
    ----------
    customers, offers, days
        Shape (exposures).
    accepted
        Shape (exposures): 0 or 1.
    accepted_days
        Shape (exposures): day it was taken up; a far day where it was not.
    channels
        Shape (exposures): where it was presented; empty if not known.
    touches
        Every day an offer was put before a customer or answered.
    """

    customers: Ints
    offers: Ints
    days: Ints
    accepted: Floats
    accepted_days: Ints
    channels: NDArray[np.str_]
    touches: Touches

    def until(self, day: int) -> Exposures:
        """Return what was known before a day: earlier exposures, taken up or not by then."""
        earlier = self.days < day
        return Exposures(
            self.customers[earlier],
            self.offers[earlier],
            self.days[earlier],
            np.where(self.accepted_days[earlier] < day, self.accepted[earlier], 0.0),
            self.accepted_days[earlier],
            self.channels[earlier],
            self.touches,
        )


def from_tables(
    exposures: pd.DataFrame,
    outcomes: pd.DataFrame,
    customer_index: Mapping[str, int],
    offer_ids: Sequence[str],
    last: int,
) -> Exposures:
    """Match exposures with what followed; both are cut at the as-of day."""
    require(exposures, ("customer_id", "offer_id", "at"), "exposures")
    require(outcomes, ("customer_id", "offer_id", "outcome", "at"), "outcomes")
    offer_index = {offer_id: i for i, offer_id in enumerate(offer_ids)}
    customer = exposures["customer_id"].astype(str).map(customer_index).fillna(-1).to_numpy().astype(np.int64)
    offer = exposures["offer_id"].astype(str).map(offer_index).fillna(-1).to_numpy().astype(np.int64)
    day = days_of(exposures["at"])
    channel = (
        exposures["channel"].fillna("").to_numpy().astype(np.str_)
        if "channel" in exposures
        else np.full(len(day), "", dtype=np.str_)
    )
    kept = (customer >= 0) & (offer >= 0) & (day <= last)
    customer, offer, day, channel = customer[kept], offer[kept], day[kept], channel[kept]
    order = np.lexsort((offer, customer, day))
    customer, offer, day, channel = customer[order], offer[order], day[order], channel[order]
    who = outcomes["customer_id"].astype(str).map(customer_index).fillna(-1).to_numpy().astype(np.int64)
    what = outcomes["offer_id"].astype(str).map(offer_index).fillna(-1).to_numpy().astype(np.int64)
    when, accepted = days_of(outcomes["at"]), outcomes["outcome"].isin(ACCEPTED).to_numpy()
    kept = (who >= 0) & (when <= last)
    touched = np.unique(
        np.stack((np.concatenate((customer, who[kept])), np.concatenate((day, when[kept])))), axis=1
    )
    kept &= accepted
    named = outcomes["offer_id"].astype(str).factorize()[0].astype(np.int64)
    touches = Touches(touched[0], touched[1], who[kept], named[kept], when[kept])
    kept &= what >= 0
    first: dict[tuple[int, int], int] = {}
    for c, o, d in zip(who[kept].tolist(), what[kept].tolist(), when[kept].tolist(), strict=True):
        first[c, o] = min(d, first.get((c, o), _NEVER))
    taken_on = np.array(
        [first.get(pair, _NEVER) for pair in zip(customer.tolist(), offer.tolist(), strict=True)],
        dtype=np.int64,
    )
    answered = (taken_on < _NEVER).astype(np.float64)
    return Exposures(customer, offer, day, answered, taken_on, channel, touches)


def require(table: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Raise :class:`MissingColumn` for the first column a table lacks."""
    for column in columns:
        if column not in table:
            raise MissingColumn(
                f"The column {column} is missing.", where=name, hint=f"It needs {', '.join(columns)}."
            )


def days_of(column: pd.Series) -> Ints:
    """Return days since 1970-01-01 of dates, times or ready numbers of days."""
    values = column.to_numpy()
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    if values.dtype.kind != "M":
        values = np.array([np.datetime64(v, "D") for v in values.tolist()])
    return values.astype("datetime64[D]").astype(np.int64)


def contact_record(profile: Profile, day: int) -> tuple[Floats, Floats]:
    """Return one customer's days with an offer, and how many offers they took up, shortly before a day.

    Parameters
    ----------
    profile
        The customer; a contact about no offer is not looked at.
    day
        Days since 1970-01-01 of the question; the ``PAST_DAYS`` days before it count.
    """
    end = date(1970, 1, 1) + timedelta(days=day)
    start = end - timedelta(days=PAST_DAYS)
    about = [c for c in profile.contacts if c.offer_id and start <= c.at.date() < end]
    days = {contact.at.date() for contact in about}
    taken = {contact.offer_id for contact in about if contact.outcome in ACCEPTED}
    return np.array([float(len(days))]), np.array([float(len(taken))])
