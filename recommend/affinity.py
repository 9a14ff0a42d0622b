"""In which channel, and at what time, does a customer answer best, and how sure are we?

Two small Bayesian models with a conjugate prior learned from everybody. A channel's answer rate has a Beta
posterior (tries and answers); the rate of hearing from a customer in a slot of the week has a Gamma
posterior (events and weeks). Both start at what is usual and move towards the customer's own record as it
grows, and both come with an interval, so that "prefers e-mail" is only said where the data say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from scipy.special import betaincinv, gammaincinv

from clv import columns as c

TAIL: Final = 0.05  # of a 90 % interval, on each side
STRONGEST: Final = 50.0  # tries the prior may be worth at most
PARTS: Final = ((0, "night"), (6, "morning"), (12, "afternoon"), (18, "evening"))
SLOTS: Final = tuple(f"{week}_{part}" for week in ("weekday", "weekend") for _, part in PARTS)


class Affinity(NamedTuple):
    """How well one channel or slot works for one customer.

    Fields: its name; the expected rate (answers per try for a channel, events per week for a slot); the
    bounds of its 90 % credible interval; and how many of the customer's own tries or events it rests on.
    """

    name: str
    mean: float
    low: float
    high: float
    evidence: float


@dataclass(frozen=True, slots=True)
class ChannelAffinity:
    """Answer rates per channel.

    Parameters
    ----------
    priors
        Channel -> the two parameters of its Beta prior.
    """

    priors: Mapping[str, tuple[float, float]]

    @classmethod
    def fit(cls, touches: pd.DataFrame) -> ChannelAffinity:
        """Learn what is usual.

        Parameters
        ----------
        touches
            customer_id, channel, tries, answers, as :func:`touches` makes it.
        """
        return cls(
            {str(channel): _beta_prior(group) for channel, group in touches.groupby("channel", sort=True)}
        )

    def rank(self, own: Mapping[str, tuple[float, float]]) -> tuple[Affinity, ...]:
        """Return the channels, best first.

        Parameters
        ----------
        own
            Channel -> this customer's tries and answers; a channel never tried stands at what is usual.

        Examples
        --------
        >>> usual = ChannelAffinity({"chat": (2.0, 8.0), "email": (1.0, 9.0)})
        >>> [(a.name, round(a.mean, 2)) for a in usual.rank({"email": (10, 7)})]
        [('email', 0.4), ('chat', 0.2)]
        """
        ranked = []
        for channel, (yes, no) in self.priors.items():
            tries, answers = own.get(channel, (0.0, 0.0))
            a, b = yes + answers, no + max(0.0, tries - answers)
            low, high = float(betaincinv(a, b, TAIL)), float(betaincinv(a, b, 1 - TAIL))
            ranked.append(Affinity(channel, a / (a + b), low, high, float(tries)))
        return _best_first(ranked)

    def to_json(self) -> dict[str, list[float]]:
        """Return the priors as plain lists."""
        return {channel: list(prior) for channel, prior in self.priors.items()}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ChannelAffinity:
        """Read what :meth:`to_json` wrote."""
        return cls({channel: (float(prior[0]), float(prior[1])) for channel, prior in raw.items()})


@dataclass(frozen=True, slots=True)
class TimeAffinity:
    """Rates of hearing from a customer per slot of the week.

    Parameters
    ----------
    usual
        Slot -> events per week of an average customer.
    prior_weeks
        How many weeks of a customer's own record the usual rates are worth.
    """

    usual: Mapping[str, float]
    prior_weeks: float

    @classmethod
    def fit(cls, events: Mapping[str, Mapping[str, int]], weeks: Mapping[str, float]) -> TimeAffinity:
        """Learn what is usual.

        Parameters
        ----------
        events
            Customer -> slot -> events, as :func:`slot_counts` makes it.
        weeks
            Customer -> weeks observed.
        """
        observed = sum(weeks.values())
        if observed <= 0:
            return cls(dict.fromkeys(SLOTS, 1.0 / len(SLOTS)), 4.0)
        usual = {slot: (sum(own.get(slot, 0) for own in events.values()) + 0.5) / observed for slot in SLOTS}
        rates = np.array(
            [sum(events.get(who, {}).values()) / span for who, span in weeks.items() if span > 0]
        )
        span = observed / max(1, len(rates))
        mean = float(rates.mean())
        between = float(rates.var()) - mean / span  # what is left of the spread after Poisson noise
        return cls(usual, float(np.clip(mean / between, 1.0, STRONGEST)) if between > 0 else STRONGEST)

    def rank(self, own: Mapping[str, int], weeks: float) -> tuple[Affinity, ...]:
        """Return the slots of the week, best first.

        Examples
        --------
        >>> evenings = TimeAffinity(dict.fromkeys(SLOTS, 0.1), 10.0).rank({"weekend_evening": 9}, 10.0)
        >>> evenings[0].name, round(evenings[0].mean, 2)
        ('weekend_evening', 0.5)
        """
        ranked = []
        for slot, rate in self.usual.items():
            shape, exposure = rate * self.prior_weeks + own.get(slot, 0), self.prior_weeks + max(0.0, weeks)
            low, high = (float(gammaincinv(shape, share)) / exposure for share in (TAIL, 1 - TAIL))
            ranked.append(Affinity(slot, shape / exposure, low, high, float(own.get(slot, 0))))
        return _best_first(ranked)

    def to_json(self) -> dict[str, Any]:
        """Return the prior as plain values."""
        return {"usual": dict(self.usual), "prior_weeks": self.prior_weeks}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> TimeAffinity:
        """Read what :meth:`to_json` wrote."""
        return cls({slot: float(rate) for slot, rate in raw["usual"].items()}, float(raw["prior_weeks"]))


@dataclass(frozen=True, slots=True)
class Reach:
    """How best to reach each customer: channels and times of the week together.

    Parameters
    ----------
    channels, times
        What is usual, learned from everybody.
    zone
        Name of the time zone hours are told in, such as ``Asia/Shanghai``.
    """

    channels: ChannelAffinity
    times: TimeAffinity
    zone: str = "UTC"

    @classmethod
    def fit(cls, interactions: pd.DataFrame, zone: str = "UTC") -> Reach:
        """Learn what is usual from interactions with ``occurred_at`` and what :func:`touches` reads."""
        events, weeks = _events(interactions, zone)
        return cls(ChannelAffinity.fit(touches(interactions)), TimeAffinity.fit(events, weeks), zone)

    def table(self, interactions: pd.DataFrame) -> pd.DataFrame:
        """Return the ranking of every customer there are interactions with.

        Returns
        -------
        DataFrame
            customer_id; ranked_channel_affinity (channels, best first, joined by commas); preferred_channel
            and preferred_hours (empty unless one is clearly best).
        """
        own: dict[str, dict[str, tuple[float, float]]] = {}
        for who, channel, tries, answers in touches(interactions).itertuples(index=False, name=None):
            own.setdefault(str(who), {})[str(channel)] = (tries, answers)
        events, weeks = _events(interactions, self.zone)
        rows = []
        for who in sorted(own):
            channels = self.channels.rank(own[who])
            hours = self.times.rank(events.get(who, {}), weeks.get(who, 0.0))
            rows.append((who, ranked_names(channels), clear_favourite(channels), clear_favourite(hours)))
        names = [c.CUSTOMER_ID, c.RANKED_CHANNEL_AFFINITY, "preferred_channel", "preferred_hours"]
        return pd.DataFrame(rows, columns=names)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {"channels": self.channels.to_json(), "times": self.times.to_json(), "zone": self.zone}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Reach:
        """Read what :meth:`to_json` wrote."""
        return cls(
            ChannelAffinity.from_json(raw["channels"]), TimeAffinity.from_json(raw["times"]), raw["zone"]
        )


def touches(interactions: pd.DataFrame) -> pd.DataFrame:
    """Count tries and answers per customer and channel.

    Who writes or calls of their own accord has tried and answered at once. One of our approaches is a try;
    it was answered if somebody spent time on it (``handle_seconds``), it was resolved, or a column
    ``answered`` says so.

    Parameters
    ----------
    interactions
        customer_id, channel and, where known, direction (``inbound`` or ``outbound``), handle_seconds,
        resolved, answered.

    Returns
    -------
    DataFrame
        customer_id, channel, tries, answers: one row a pair.
    """
    came = pd.Series(True, index=interactions.index)
    if "direction" in interactions:
        came = interactions["direction"].astype("object") != "outbound"
    answered = came.copy()
    if "handle_seconds" in interactions:
        answered |= pd.to_numeric(interactions["handle_seconds"], errors="coerce").fillna(0) > 0
    for flag in ("resolved", "answered"):
        if flag in interactions:
            answered |= interactions[flag].astype("object").eq(True)
    counted = interactions[[c.CUSTOMER_ID, "channel"]].assign(tries=1, answers=answered.astype(int))
    return counted.groupby([c.CUSTOMER_ID, "channel"], as_index=False, sort=True)[["tries", "answers"]].sum()


def slot_of(at: datetime, zone: tzinfo | None = None) -> str:
    """Return the slot of the week a moment falls in, in the given time zone if the moment has one.

    >>> slot_of(datetime(2024, 6, 29, 19, 30))
    'weekend_evening'
    """
    local = at.astimezone(zone) if zone is not None and at.tzinfo is not None else at
    part = next(name for hour, name in reversed(PARTS) if local.hour >= hour)
    return f"{'weekend' if local.weekday() >= 5 else 'weekday'}_{part}"


def slot_counts(moments: Iterable[datetime], zone: tzinfo | None = None) -> dict[str, int]:
    """Count events per slot; a moment at midnight sharp carries a date but no time and is left out."""
    counts: dict[str, int] = {}
    for at in moments:
        if timedelta(hours=at.hour, minutes=at.minute, seconds=at.second, microseconds=at.microsecond):
            slot = slot_of(at, zone)
            counts[slot] = counts.get(slot, 0) + 1
    return counts


def ranked_names(ranked: tuple[Affinity, ...]) -> str:
    """Return the names, best first, as the field ``ranked_channel_affinity`` carries them.

    >>> ranked_names((Affinity("chat", 0.4, 0.3, 0.5, 9), Affinity("email", 0.1, 0.0, 0.2, 3)))
    'chat,email'
    """
    return ",".join(entry.name for entry in ranked)


def clear_favourite(ranked: tuple[Affinity, ...]) -> str:
    """Return the best name if it is clearly best, else nothing.

    Clear means: it rests on the customer's own record, and even the low end of its interval beats the
    middle of the next. The only channel there is is nobody's favourite.

    >>> clear_favourite((Affinity("mail", 0.4, 0.3, 0.5, 9),))
    ''
    """
    if len(ranked) < 2 or ranked[0].evidence <= 0:
        return ""
    return ranked[0].name if ranked[0].low > ranked[1].mean else ""


def _events(interactions: pd.DataFrame, zone: str) -> tuple[dict[str, dict[str, int]], dict[str, float]]:
    """Return each customer's visits by slot, and the weeks since they were first heard of."""
    came = interactions
    if "direction" in interactions:
        came = interactions[interactions["direction"].astype("object") != "outbound"]
    moments = pd.to_datetime(interactions["occurred_at"], utc=True)
    last = moments.max()
    spans = (last - moments.groupby(interactions[c.CUSTOMER_ID]).min()).dt.total_seconds() / (7 * 86_400)
    weeks = {str(who): max(1.0, float(span)) for who, span in spans.items()}
    events = {
        str(who): slot_counts(group.dt.to_pydatetime().tolist(), ZoneInfo(zone))
        for who, group in moments.loc[came.index].groupby(came[c.CUSTOMER_ID])
    }
    return events, weeks


def _beta_prior(group: pd.DataFrame) -> tuple[float, float]:
    """Fit a Beta prior by moments: the spread of customers' rates beyond what chance alone would give."""
    tries = group["tries"].to_numpy(dtype=np.float64)
    answers = group["answers"].to_numpy(dtype=np.float64)
    mean = (answers.sum() + 0.5) / (tries.sum() + 1.0)
    several = tries >= 2
    strength = STRONGEST
    if several.sum() >= 10:
        rates, size = answers[several] / tries[several], tries[several]
        spread = float(np.average((rates - mean) ** 2, weights=size))
        chance = mean * (1 - mean) * float(np.average(1 / size, weights=size))
        between = (spread - chance) / max(1e-9, 1.0 - float(np.average(1 / size, weights=size)))
        if between > 0:
            strength = float(np.clip(mean * (1 - mean) / between - 1.0, 1.0, STRONGEST))
    else:
        strength = 4.0
    return float(mean * strength), float((1 - mean) * strength)


def _best_first(ranked: list[Affinity]) -> tuple[Affinity, ...]:
    return tuple(sorted(ranked, key=lambda entry: (-round(entry.mean, 12), -entry.evidence, entry.name)))
