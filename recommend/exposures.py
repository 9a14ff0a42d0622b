"""Offers put before customers in the past, and whether each was taken up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clv.errors import MissingColumn
from recommend.baskets import Floats, Ints
from recommend.profile import Profile

if TYPE_CHECKING:
    import pandas as pd

ACCEPTED = ("accepted", "purchased", "redeemed")
_NEVER = 10**8


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
    """

    customers: Ints
    offers: Ints
    days: Ints
    accepted: Floats
    accepted_days: Ints
    channels: NDArray[np.str_]

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
    taken = outcomes.loc[outcomes["outcome"].isin(ACCEPTED)]
    who = taken["customer_id"].astype(str).map(customer_index).fillna(-1).to_numpy().astype(np.int64)
    what = taken["offer_id"].astype(str).map(offer_index).fillna(-1).to_numpy().astype(np.int64)
    when = days_of(taken["at"])
    kept = (who >= 0) & (what >= 0) & (when <= last)
    first: dict[tuple[int, int], int] = {}
    for c, o, d in zip(who[kept].tolist(), what[kept].tolist(), when[kept].tolist(), strict=True):
        first[c, o] = min(d, first.get((c, o), _NEVER))
    taken_on = np.array(
        [first.get(pair, _NEVER) for pair in zip(customer.tolist(), offer.tolist(), strict=True)],
        dtype=np.int64,
    )
    return Exposures(customer, offer, day, (taken_on < _NEVER).astype(np.float64), taken_on, channel)


def past_contacts(past: Exposures, n_customers: int) -> tuple[Floats, Floats]:
    """Return per customer the days on which any offer was put before them, and how many they took up."""
    pair = np.unique(past.customers * 100_000 + past.days)
    days = np.bincount(pair // 100_000, minlength=n_customers).astype(np.float64)
    accepts = np.bincount(past.customers, weights=past.accepted, minlength=n_customers)
    return days, accepts.astype(np.float64)


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


def contact_record(profile: Profile) -> tuple[Floats, Floats]:
    """Return the days on which a customer was contacted, and how many offers they took up."""
    days = {contact.at.date() for contact in profile.contacts}
    accepted = sum(contact.outcome in ACCEPTED for contact in profile.contacts)
    return np.array([float(len(days))]), np.array([float(accepted)])
