"""Which lists is a customer on: RFM segment, value tier, lifecycle stage, cluster, the marketer's own rules?

``fit`` learns cut points from everybody once; from then on a table of customers
(:meth:`SegmentModel.assign`) and a single record (:meth:`SegmentModel.segments_of`) are cut by the same
stored numbers and land on the same lists.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clv import columns as c
from clv.errors import TooLittleData, UnknownFormat
from recommend import lifecycle, rfm
from recommend.audiences import Audience, fields_of, make_audiences, who_matches
from recommend.clusters import Clusters
from recommend.history import History
from recommend.lifecycle import Lifecycle
from recommend.profile import Profile, Tag
from recommend.rfm import RfmCuts
from recommend.rules import FieldType
from recommend.tags import TagLimits, tags_of
from recommend.vitals import SPEND_FIELDS, WORTH_FIELDS, VitalsTable, first_present, vitals_of, vitals_table

FORMAT = 1
TIERS = ("low", "middle", "high", "top")  # ascending
TIER_SHARES = (0.3, 0.7, 0.9)
_TIER_WORDS = {
    "top": "the best tenth of customers",
    "high": "the next fifth",
    "middle": "the middle two fifths",
    "low": "the lowest three tenths",
}


class Described(NamedTuple):
    """A segment as a person reads it: its name, what it means, and the rule with its numbers."""

    name: str
    description: str
    rule: str


@dataclass(frozen=True, slots=True)
class SegmentModel:
    """The stored cut points of every segment.

    Parameters
    ----------
    as_of
        The last day of the data the cut points were learned from.
    spend_field, worth_field
        Which fields money and value tiers were read from; empty if the data held none.
    cuts
        Of the RFM scores.
    tiers
        Ascending cut points of the value tiers, in the ledger's currency.
    limits
        Between the stages of the lifecycle.
    tag_limits
        From which values on a tag is given.
    clusters
        The discovered groups; None where there are none to speak of.
    audiences
        The marketer's own lists, and the fields their rules may name.
    """

    as_of: date
    spend_field: str
    worth_field: str
    cuts: RfmCuts
    tiers: tuple[float, ...]
    limits: Lifecycle
    tag_limits: TagLimits = field(default_factory=TagLimits)
    clusters: Clusters | None = None
    audiences: tuple[Audience, ...] = ()
    fields: Mapping[str, FieldType] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        scored: pd.DataFrame,
        as_of: date,
        *,
        audiences: Sequence[Mapping[str, Any]] = (),
        clusters: int = 6,
        random_state: int = 0,
    ) -> SegmentModel:
        """Learn the cut points.

        Parameters
        ----------
        scored
            One row a customer: customer_id, frequency, recency_days, age_days; everything else is used if
            there.
        as_of
            The last visible day.
        audiences
            Definitions of the marketer's own lists; see :mod:`recommend.audiences`.
        clusters
            Look for at most so many groups, at least 3; 0 for none.
        random_state
            Seed of the search for groups.

        Raises
        ------
        MissingColumn
            If the summary is not there.
        RuleError
            If a list's rule does not parse.
        TooLittleData
            If there is no customer with a purchase.
        """
        spend, worth = first_present(scored, SPEND_FIELDS), first_present(scored, WORTH_FIELDS)
        vitals = vitals_table(scored, spend, worth)
        if not vitals.known.any():
            raise TooLittleData(
                "There is no customer with a purchase to learn segments from.",
                where="scored customers",
                hint="Check the as-of day: it must not be before the first purchase.",
            )
        fields = fields_of(scored)
        return cls(
            as_of=as_of,
            spend_field=spend,
            worth_field=worth,
            cuts=rfm.fit_cuts(vitals),
            tiers=rfm.quantiles(vitals.worth[vitals.known], TIER_SHARES),
            limits=Lifecycle.fit(vitals),
            tag_limits=TagLimits.fit(scored),
            clusters=Clusters.fit(scored, spend, most=clusters, random_state=random_state),
            audiences=make_audiences(audiences, fields),
            fields=fields,
        )

    def assign(self, scored: pd.DataFrame) -> pd.DataFrame:
        """Return who is on which list.

        Returns
        -------
        DataFrame
            customer_id, segment: one row a membership, ordered by segment, then customer.
        """
        vitals = vitals_table(scored, self.spend_field, self.worth_field)
        names = [*self._names(vitals), *self._cluster_names(scored, vitals)]
        names += [*self._audience_names(scored, names)]
        parts = [pd.DataFrame({c.CUSTOMER_ID: vitals.customer_id, "segment": each}) for each in names]
        members = pd.concat(parts, ignore_index=True)
        members = members[members["segment"] != ""]
        return members.sort_values(["segment", c.CUSTOMER_ID], kind="stable", ignore_index=True)

    def segments_of(self, record: Mapping[str, object]) -> tuple[str, ...]:
        """Return the lists one customer is on: the same as :meth:`assign`.

        Parameters
        ----------
        record
            Fields by name, such as ``Profile.value``; a customer without purchases is on no list.
        """
        vitals = vitals_of(record, self.spend_field, self.worth_field)
        if not vitals.known:
            return self._audiences_of(record, ())
        names = [f"rfm_{rfm.rfm_name(vitals, self.cuts)}", f"lifecycle_{self.limits.stage(vitals)}"]
        if self.tiers and not math.isnan(vitals.worth):
            names.insert(1, f"value_{TIERS[bisect_left(self.tiers, vitals.worth)]}")
        if self.clusters:
            names.append(self.clusters.of(record))
        return (*names, *self._audiences_of(record, tuple(names)))

    def private_segments(self) -> frozenset[str]:
        """Return the lists whose rule looks at what an agent must not see: keep their names off the hint."""
        return frozenset(audience.name for audience in self.audiences if audience.private)

    def tags_of(
        self, customer: Profile | Mapping[str, object], as_of: date, history: History | None = None
    ) -> tuple[Tag, ...]:
        """Return the tags of one customer by the limits learned with the segments."""
        return tags_of(customer, as_of, self.tag_limits, history)

    def describe(self) -> list[Described]:
        """Return every segment this model can assign, with its rule in words and numbers."""
        found = [Described(*words) for words in self.clusters.describe()] if self.clusters else []
        own = [Described(a.name, a.description, a.rule.text) for a in self.audiences]
        return [*self._describe_rfm(), *self._describe_tiers(), *self._describe_lifecycle(), *found, *own]

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "format": FORMAT,
            "as_of": self.as_of.isoformat(),
            "spend_field": self.spend_field,
            "worth_field": self.worth_field,
            "rfm": self.cuts.to_json(),
            "tiers": list(self.tiers),
            "lifecycle": self.limits.to_json(),
            "tags": self.tag_limits.to_json(),
            "clusters": self.clusters.to_json() if self.clusters else None,
            "audiences": [audience.to_json() for audience in self.audiences],
            "fields": dict(self.fields),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> SegmentModel:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        UnknownFormat
            If a newer version wrote it.
        """
        if raw.get("format") != FORMAT:
            raise UnknownFormat(
                f"Segments of format {raw.get('format')!r} cannot be read.",
                where="segments",
                hint=f"This version reads format {FORMAT}: publish again.",
            )
        return cls(
            as_of=date.fromisoformat(raw["as_of"]),
            spend_field=raw["spend_field"],
            worth_field=raw["worth_field"],
            cuts=RfmCuts.from_json(raw["rfm"]),
            tiers=tuple(map(float, raw["tiers"])),
            limits=Lifecycle.from_json(raw["lifecycle"]),
            tag_limits=TagLimits.from_json(raw["tags"]),
            clusters=Clusters.from_json(raw["clusters"]) if raw["clusters"] else None,
            audiences=make_audiences(raw["audiences"], raw["fields"]),
            fields=raw["fields"],
        )

    def _names(self, vitals: VitalsTable) -> Iterable[NDArray[np.object_]]:
        yield _prefixed("rfm_", rfm.rfm_names(vitals, self.cuts))
        if self.tiers:
            tier = np.array(TIERS, dtype=object)[
                np.searchsorted(self.tiers, np.nan_to_num(vitals.worth), side="left")
            ]
            yield _prefixed("value_", np.where(vitals.known & ~np.isnan(vitals.worth), tier, ""))
        yield _prefixed("lifecycle_", self.limits.stages(vitals))

    def _cluster_names(self, scored: pd.DataFrame, vitals: VitalsTable) -> Iterable[NDArray[np.object_]]:
        if self.clusters:
            yield np.where(vitals.known, self.clusters.assign(scored), "")

    def _audience_names(
        self, scored: pd.DataFrame, assigned: Sequence[NDArray[np.object_]]
    ) -> Iterable[NDArray[np.object_]]:
        if not self.audiences:
            return
        asked = {name for audience in self.audiences for name in audience.rule.names}
        lists: dict[str, list[tuple[str, ...]]] = {}
        if "segments" in asked:
            lists["segments"] = [tuple(filter(None, row)) for row in zip(*assigned, strict=True)]
        if "tags" in asked:
            records = scored.to_dict("records")
            lists["tags"] = [self._tag_names({str(k): v for k, v in row.items()}) for row in records]
        for audience in self.audiences:
            yield np.where(who_matches(audience, scored, lists), audience.name, "").astype(object)

    def _audiences_of(self, record: Mapping[str, object], assigned: tuple[str, ...]) -> tuple[str, ...]:
        if not self.audiences:
            return ()
        seen = {**record, "segments": assigned, "tags": self._tag_names(record)}
        return tuple(audience.name for audience in self.audiences if audience.rule.matches(seen))

    def _tag_names(self, record: Mapping[str, object]) -> tuple[str, ...]:
        return tuple(tag.name for tag in tags_of(record, self.as_of, self.tag_limits))

    def _describe_rfm(self) -> Iterable[Described]:
        days = ", ".join(f"{cut:g}" for cut in reversed(self.cuts.quiet_days))
        cuts = f"recency cut at {days} days of silence; weight: mean of the fifths of orders and of spend"
        for name, description in rfm.DESCRIPTIONS.items():
            rule = f"{rfm.places(name)} ({cuts})"
            yield Described(f"rfm_{name}", description, rule)

    def _describe_tiers(self) -> Iterable[Described]:
        if not self.tiers:
            return
        bounds = ("", *(f"{cut:.10g}" for cut in self.tiers), "")
        for place in reversed(range(len(TIERS))):
            over = f"{self.worth_field} > {bounds[place]}" if bounds[place] else ""
            under = f"{self.worth_field} <= {bounds[place + 1]}" if bounds[place + 1] else ""
            rule = " and ".join(part for part in (over, under) if part)
            yield Described(
                f"value_{TIERS[place]}", f"By {self.worth_field}: {_TIER_WORDS[TIERS[place]]}", rule
            )

    def _describe_lifecycle(self) -> Iterable[Described]:
        for name, description in lifecycle.DESCRIPTIONS.items():
            yield Described(f"lifecycle_{name}", description, self.limits.rule(name))


def _prefixed(prefix: str, names: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.array([prefix + name if name else "" for name in names], dtype=object)
