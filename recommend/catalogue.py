"""What may be said at all: offers, their treatments per channel, and the catalogue that holds them.

Issue > group > offer > treatment: an *issue* is a business aim (grow, keep, serve), a *group* a line of
offers within it, an *offer* one thing that may be proposed, a *treatment* its form in one channel.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from math import isfinite
from typing import Any, Final, get_args

from clv.errors import DataError
from recommend.decision import Kind
from recommend.languages import language_of
from recommend.records import from_plain
from recommend.sensitive import rule_of_care

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
ITEM_PREFIX: Final = "item:"
ANY_CHANNEL: Final = ""


@dataclass(frozen=True, slots=True)
class Treatment:
    """An offer's form in one channel: the words to say, by language tag."""

    channel: str
    scripts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``count`` contacts of one customer about an offer, within ``days`` (for ever, if None).

    ``outcome`` narrows it to contacts that ended so (``accepted``, ``presented`` ...); empty counts all.
    """

    count: int
    outcome: str = ""
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that may be proposed.

    Parameters
    ----------
    offer_id
        Unique in the catalogue.
    name
        What the agent calls it.
    kind
        One of :data:`KINDS`.
    issue, group
        Where it stands in the business; empty if nowhere.
    items
        Products or categories it is about.
    category
        Category path it belongs to.
    margin
        Earned if accepted, before ``cost``, in the ledger's currency; None if unknown.
    price
        What the customer pays; None if unknown.
    cost
        Spent if accepted: a discount, a gift, handling.
    lifetime_change
        Change in the customer's lifetime value if accepted, in currency, beyond the margin.
    lifetime_share
        The same as a share of the customer's predicted lifetime value, 0 to 1; for retention.
    lever
        Weight in percent the business gives this offer: 50 means half as much again.
    valid_from, valid_to
        First and last day it may be made; None for no limit.
    available
        False while it must not be made.
    stock
        Pieces left; None for no limit.
    taken, cap_total
        Times accepted so far by all customers, and the most it may be; None for no limit.
    caps
        Limits per customer.
    eligibility, applicability, suitability
        Rules in the language of :mod:`recommend.rules`; all must hold, in this order of stages.
    treatments
        Its forms per channel; none means any channel, in the words of its name.
    purpose
        What the customer's consent must cover.
    repeatable
        True if it may be offered to those who own or already buy its items.
    mandatory
        True for a service message that goes first and needs no priority.
    starting_propensity, starting_evidence
        Acceptance expected before any data, 0 to 1, and how many presentations that belief is worth.
    generated
        True for the offer made from an item, whose kind depends on the customer.
    names
        What it is called in other languages, by language tag.
    """

    offer_id: str
    name: str
    kind: Kind
    issue: str = ""
    group: str = ""
    items: tuple[str, ...] = ()
    category: str = ""
    margin: float | None = None
    price: float | None = None
    cost: float = 0.0
    lifetime_change: float = 0.0
    lifetime_share: float = 0.0
    lever: float = 0.0
    valid_from: date | None = None
    valid_to: date | None = None
    available: bool = True
    stock: int | None = None
    taken: int = 0
    cap_total: int | None = None
    caps: tuple[Cap, ...] = ()
    eligibility: tuple[str, ...] = ()
    applicability: tuple[str, ...] = ()
    suitability: tuple[str, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    purpose: str = "marketing"
    repeatable: bool = False
    mandatory: bool = False
    starting_propensity: float = 0.05
    starting_evidence: float = 0.0
    generated: bool = False
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an offer that cannot be meant."""
        if not self.offer_id or not self.name:
            self._refuse("An offer needs an offer_id and a name.", "Fill in both.")
        if self.kind not in KINDS:
            self._refuse(f"{self.kind!r} is no kind of offer.", f"One of {', '.join(KINDS)}.")
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            self._refuse("Its last day is before its first.", "Swap valid_from and valid_to.")
        if not 0 <= self.starting_propensity <= 1 or not 0 <= self.lifetime_share <= 1:
            self._refuse("A probability or share is outside 0 to 1.", "Write 0.05 for five percent.")
        amounts = (self.margin or 0.0, self.price or 0.0, self.cost, self.lifetime_change, self.lever)
        if not all(map(isfinite, amounts)):
            self._refuse("An amount of it is not finite.", "Leave a margin that is unknown empty.")
        if self.starting_evidence < 0 or self.cost < 0 or any(cap.count < 1 for cap in self.caps):
            self._refuse("Evidence, cost and caps cannot be negative.", "A cap is at least 1.")

    def _refuse(self, what: str, hint: str) -> None:
        raise DataError(what, where=f"offer {self.offer_id or self.name!r}", hint=hint)

    def treatment(self, channel: str) -> Treatment | None:
        """Return its form in a channel, or None if it has none there."""
        for treatment in self.treatments:
            if treatment.channel in {channel, ANY_CHANNEL}:
                return treatment
        return None if self.treatments else Treatment(channel)

    def called(self, locale: str) -> str:
        """Return its name in a language; in the other script of Chinese before none, its name if in neither.

        Examples
        --------
        >>> Offer("o", "Tea", "cross_sell", names={"zh-Hans": "茶叶"}).called("zh-HK")
        '茶叶'
        """
        if locale in self.names or not self.names:
            return self.names.get(locale, self.name)
        language = language_of(locale)
        spoken = {language_of(tag): name for tag, name in self.names.items() if _speaks(tag)}
        chinese = next((name for tongue, name in spoken.items() if tongue != "en"), self.name)
        return spoken.get(language) or (self.name if language == "en" else chinese)

    def words(self, channel: str, locale: str) -> str:
        """Return the script written for this channel and language, or an empty text."""
        treatment = self.treatment(channel)
        if treatment is None:
            return ""
        return treatment.scripts.get(locale) or treatment.scripts.get(locale.partition("-")[0], "")


class Catalogue:
    """All offers, found by id and by item.

    Parameters
    ----------
    offers
        Each ``offer_id`` once.
    note
        Why there are none, in words for the reader of a silence, such as "the offers table is missing".

    Examples
    --------
    >>> catalogue = Catalogue([Offer("gold", "Gold plan", "upsell", margin=12.0)]).with_items(["COFFEE"])
    >>> list(catalogue.by_id), catalogue.by_item["COFFEE"]
    (['gold', 'item:COFFEE'], ('item:COFFEE',))
    """

    def __init__(self, offers: Iterable[Offer] = (), *, note: str = "the offers table is missing") -> None:
        self.offers = tuple(offers)
        self.note = note
        self.by_id: dict[str, Offer] = {}
        by_item: dict[str, list[str]] = {}
        for offer in self.offers:
            if offer.offer_id in self.by_id:
                raise DataError(
                    f"The offer {offer.offer_id!r} is there twice.",
                    where="the catalogue",
                    hint="Keep one, or give the other its own offer_id.",
                )
            self.by_id[offer.offer_id] = offer
            for item in offer.items:
                by_item.setdefault(item, []).append(offer.offer_id)
        self.by_item = {item: tuple(ids) for item, ids in by_item.items()}
        self.places = {offer_id: place for place, offer_id in enumerate(self.by_id)}
        self.mandatory = tuple(offer for offer in self.offers if offer.mandatory)

    def __len__(self) -> int:
        return len(self.offers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Catalogue) and (self.offers, self.note) == (other.offers, other.note)

    __hash__ = None  # type: ignore[assignment]

    def with_items(
        self,
        items: Iterable[str],
        *,
        names: Mapping[str, str] | None = None,
        translations: Mapping[str, Mapping[str, str]] | None = None,
        margins: Mapping[str, float] | None = None,
        unavailable: Collection[str] = (),
    ) -> Catalogue:
        """Return a catalogue with one offer more per item: a replenishment to who buys it, else a cross-sell.

        Goods that tell of health, or can do harm, are offered with the care of
        :func:`recommend.sensitive.rule_of_care`.

        Parameters
        ----------
        items
            Products or categories.
        names
            What to call them; the item itself where absent.
        translations
            What they are called in other languages: item -> language tag -> name.
        margins
            Earned if bought, in the ledger's currency; unknown where absent.
        unavailable
            Items that must not be offered.
        """
        names, margins, translations = names or {}, margins or {}, translations or {}
        generated = [
            Offer(
                f"{ITEM_PREFIX}{item}",
                names.get(item) or item,
                "cross_sell",
                group="items",
                items=(item,),
                margin=margins.get(item),
                available=item not in unavailable,
                generated=True,
                names=dict(translations.get(item, {})),
                suitability=tuple(rule for rule in (rule_of_care(item, names.get(item, "")),) if rule),
            )
            for item in dict.fromkeys(items)
        ]
        return Catalogue([*self.offers, *generated], note=self.note)

    def as_json(self) -> dict[str, Any]:
        """Return plain values; what equals the default is left out."""
        return {"note": self.note, "offers": [_sparse(offer) for offer in self.offers]}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Catalogue:
        """Read what :meth:`as_json` wrote.

        Raises
        ------
        DataError
            If an offer has an unknown field, or a value it cannot have.
        """
        return cls([offer_from(entry) for entry in raw["offers"]], note=raw.get("note", ""))


def _speaks(tag: str) -> bool:
    """Tell whether a tag is of a language we have words in, and not one we merely answer in English for."""
    return language_of(tag) != "en" or tag.lower().startswith("en")


_DAYS = ("valid_from", "valid_to")
_TUPLES = ("items", "eligibility", "applicability", "suitability")
_DEFAULTS: Final = {f.name: f.default for f in dataclasses.fields(Offer)}
_NUMBERS: Final[Mapping[str, type[int] | type[float]]] = {
    **dict.fromkeys(("margin", "price", "cost", "lifetime_change", "lifetime_share", "lever"), float),
    **dict.fromkeys(("starting_propensity", "starting_evidence"), float),
    **dict.fromkeys(("stock", "taken", "cap_total"), int),
}


def offer_from(entry: Mapping[str, Any]) -> Offer:
    """Return an offer from plain values: JSON, or one row of the offers table.

    Values that are None are taken as absent. A table may say ``value`` for margin, ``product_ids`` for items,
    ``channels`` for treatments without scripts, and ``scripts`` for the words of all its channels, by locale.

    Examples
    --------
    >>> offer_from({"offer_id": "c1", "product_ids": ["TEA"], "valid_to": "2026-03-31"}).items
    ('TEA',)
    """
    values = {name: value for name, value in entry.items() if not _absent(value)}
    values.setdefault("offer_id", "")
    values.setdefault("name", values["offer_id"])
    values.setdefault("kind", "cross_sell")
    if "value" in values:
        values.setdefault("margin", values.pop("value"))
    if "product_ids" in values:
        values.setdefault("items", values.pop("product_ids"))
    if "levers" in values:
        values.setdefault("lever", values.pop("levers"))
    _treatments_of(values)
    for name in _DAYS:
        if name in values:
            values[name] = _day(values[name], str(values.get("offer_id")))
    for name in _TUPLES:
        if name in values:
            given = values[name]
            values[name] = (given,) if isinstance(given, str) else tuple(str(value) for value in given)
    values["caps"] = tuple(from_plain(Cap, cap, "offer.caps") for cap in values.get("caps", ()))
    for name, number in _NUMBERS.items():
        if name in values:
            values[name] = _number(values[name], number, f"offer {values['offer_id']!r}, {name}")
    unknown = sorted(set(values) - set(_DEFAULTS))
    if unknown:
        raise DataError(
            f"An offer has no field {unknown[0]!r}.",
            where=f"offer {values.get('offer_id')!r}",
            hint=f"Known fields: {', '.join(_DEFAULTS)}.",
        )
    return Offer(**values)


def _absent(value: object) -> bool:
    """Tell None, not-a-number and not-a-time, which tables use for an empty cell."""
    return value is None or (isinstance(value, (float, datetime)) and value != value)  # noqa: PLR0124


def _day(value: object, offer_id: str) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = str(value)
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise DataError(
            f"{text!r} is no day.", where=f"offer {offer_id!r}", hint="Write YYYY-MM-DD."
        ) from None


def _number(value: Any, kind: type[int] | type[float], where: str) -> float:  # noqa: ANN401
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise DataError(f"{value!r} is no number.", where=where, hint="Write 12.50.") from None


def _treatments_of(values: dict[str, Any]) -> None:
    """Read treatments as records, or make them from ``channels`` and ``scripts``."""
    scripts = dict(values.pop("scripts", None) or {})
    channels = values.pop("channels", None) or ([ANY_CHANNEL] if scripts else [])
    given = values.get("treatments")
    values["treatments"] = (
        tuple(from_plain(Treatment, treatment, "offer.treatments") for treatment in given)
        if given
        else tuple(Treatment(str(channel), scripts) for channel in channels)
    )


def _sparse(offer: Offer) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, default in _DEFAULTS.items():
        value = getattr(offer, name)
        if value in (default, {}):
            continue
        if name in _DAYS:
            value = value.isoformat()
        elif name in {"caps", "treatments"}:
            value = [dataclasses.asdict(part) for part in value]
        elif isinstance(value, tuple):
            value = list(value)
        kept[name] = value
    return kept
