"""Why this offer for this customer? Reasons from facts first, from the model's own arithmetic second.

A fact ("Buys coffee every 18 days, last 21 days ago") is what an agent can stand by, so facts lead. Where the
model says what each feature added to the log-odds, those numbers are summed by family of feature and the
families that spoke for the offer fill what room is left. Only families named here are ever spoken of; a
feature nobody has put into words, or one that touches a sensitive attribute, gives no reason at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from clv import columns as c
from recommend.candidate import Candidate
from recommend.history import History
from recommend.languages import Language, language_of
from recommend.pace import pace_days
from recommend.phrases import TEMPLATES, ago, days, plain_name, times
from recommend.profile import Profile
from recommend.sensitive import is_private_good, is_sensitive
from recommend.vitals import number

EPOCH: Final = date(1970, 1, 1)
LEAVING: Final = frozenset({"lifecycle_at_risk", "lifecycle_lost", "lifecycle_cooling"})

# Which family a feature's name belongs to, first match wins; what matches none is never spoken of.
FAMILIES: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("mentioned", re.compile(r"mention")),
    ("campaign", re.compile(r"campaign|coupon")),
    ("discount", re.compile(r"discount|price_cut")),
    ("bundle", re.compile(r"bundle")),
    ("co_purchase", re.compile(r"co_purchase|together")),
    ("neighbours", re.compile(r"neighbour|taste")),
    ("segment", re.compile(r"segment")),
    ("upsell", re.compile(r"upsell")),
    ("kind", re.compile(r"kind")),
    ("popular", re.compile(r"popular|^item_(rank|order_share|reach|trend|rebuy|repeats)")),
    ("timing", re.compile(r"gap|since_item|due|overdue|replenish|expected_")),
    (
        "habit",
        re.compile(r"^own_|times_bought|share_of_baskets|share_since|decay|faded|in_last_|repeat_rate"),
    ),
)
_OF_OWN_RECORD: Final = frozenset({"timing", "habit"})  # only true of an item the customer has bought
_BY_SOURCE: Final[Mapping[str, str]] = {  # source -> reason, the more telling first
    "campaign": "campaign",
    "bundle": "bundle",
    "upsell": "upsell",
    "co_purchase": "co_purchase",
    "neighbours": "neighbours",
    "typical_neighbours": "neighbours",
    "segment": "segment",
    "popular": "popular",
}
_SAME: Final[Mapping[str, frozenset[str]]] = {  # a fact that says the same, and says it better
    "timing": frozenset({"rhythm", "win_back"}),
    "habit": frozenset({"rhythm", "bought_before"}),
    "kind": frozenset({"rhythm", "bought_before"}),
    "popular": frozenset({"segment", "neighbours"}),
    "co_purchase": frozenset({"bundle"}),
}


class Reason(NamedTuple):
    """A reason: its code, which never changes, and its words in the reader's language."""

    code: str
    text: str


def reasons(
    candidate: Candidate,
    profile: Profile,
    *,
    locale: str = "en",
    item_name: str = "",
    mentions: tuple[str, ...] = (),
    most: int = 3,
) -> tuple[str, ...]:
    """Return the reasons for one offer in words: see :func:`reason_codes`."""
    found = reason_codes(candidate, profile, locale=locale, item_name=item_name, mentions=mentions, most=most)
    return tuple(reason.text for reason in found)


def reason_codes(
    candidate: Candidate,
    profile: Profile,
    *,
    locale: str = "en",
    item_name: str = "",
    mentions: tuple[str, ...] = (),
    most: int = 3,
) -> tuple[Reason, ...]:
    """Return the reasons for one offer, strongest first.

    Parameters
    ----------
    candidate
        What was put forward, by whom, and (if asked for) what each feature added to the log-odds.
    profile
        The customer; only the history, the lifecycle stage and the pace of buying are read.
    locale
        Language tag of the reader.
    item_name
        How the item is called; the item's own key if empty.
    mentions
        Items named in this conversation.
    most
        At most this many.

    Examples
    --------
    >>> bought = History(order_days=(19500, 19518, 19536), items=("COFFEE",), positions=((0, 1, 2),))
    >>> anna = Profile("anna", date(1970, 1, 1).fromordinal(EPOCH.toordinal() + 19557), history=bought)
    >>> reasons(Candidate("item:COFFEE", "COFFEE", sources=("own_repeat",)), anna)
    ('Buys coffee every 18 days, last 21 days ago',)
    """
    language = language_of(locale)
    item = plain_name(item_name or candidate.item)
    found: dict[str, str] = {}
    if candidate.item and (candidate.item in mentions or "mention" in candidate.sources):
        found["mentioned"] = TEMPLATES["mentioned"][language].format(item=item)
    found.update(_from_history(candidate.item, item, profile.history, profile.as_of, language))
    found.update(_from_silence(candidate, profile, language))
    bought = candidate.item in profile.history.items and not _private(candidate.item, item)
    for code in (*_from_sources(candidate.sources, profile), *_from_model(candidate.contributions)):
        said = code in found or not _SAME.get(code, frozenset()).isdisjoint(found)
        if not said and (bought or code not in _OF_OWN_RECORD):
            found[code] = TEMPLATES[code][language]
    if not found and not (profile.known and profile.history.order_days):
        found["newcomer"] = TEMPLATES["newcomer"][language]
    return tuple(Reason(code, text) for code, text in list(found.items())[:most])


def sentence(found: tuple[str, ...], locale: str = "en") -> str:
    """Join reasons into the one sentence an agent reads.

    >>> sentence(("Buys coffee every 18 days, last 21 days ago", "Often buys at a discount"))
    'Buys coffee every 18 days, last 21 days ago; often buys at a discount.'
    """
    if not found:
        return ""
    if language_of(locale) == "en":
        rest = [text[:1].lower() + text[1:] for text in found[1:]]
        return "; ".join([found[0], *rest]) + "."
    return "；".join(found) + "。"


def _from_history(
    item: str, name: str, history: History, as_of: date, language: Language
) -> Iterator[tuple[str, str]]:
    if item not in history.items or _private(item, name):
        return
    at = history.positions[history.items.index(item)]
    today = (as_of - EPOCH).days
    when = ago(today - history.order_days[at[-1]], language)
    pace = pace_days(history, item, today)
    if pace is not None:
        gap = days(pace, language)
        yield "rhythm", TEMPLATES["rhythm"][language].format(item=name, gap=gap, ago=when)
    else:
        often = times(len(at), language)
        if len(at) == 1:
            yield "bought_before", TEMPLATES["bought_once"][language].format(item=name, ago=when)
            return
        yield "bought_before", TEMPLATES["bought_before"][language].format(item=name, times=often, ago=when)


def _from_silence(candidate: Candidate, profile: Profile, language: Language) -> Iterator[tuple[str, str]]:
    frequency, recency = number(profile.value, c.FREQUENCY), number(profile.value, c.RECENCY_DAYS)
    quiet = number(profile.value, c.AGE_DAYS) - recency
    leaving = not LEAVING.isdisjoint(profile.segments) or "win_back" in candidate.sources
    if leaving and frequency >= 1 and recency > 0 and quiet > recency / frequency:
        said = {"quiet": days(quiet, language), "gap": days(recency / frequency, language)}
        yield "win_back", TEMPLATES["win_back"][language].format(**said)


def _from_sources(sources: tuple[str, ...], profile: Profile) -> Iterator[str]:
    for source, code in _BY_SOURCE.items():
        if source in sources:
            yield code
            if code == "campaign" and any(tag.name == "price_sensitive" for tag in profile.tags):
                yield "discount"


def _from_model(contributions: Mapping[str, float]) -> list[str]:
    """Return the families of features that spoke for the offer, loudest first."""
    total: dict[str, float] = {}
    for feature, log_odds in contributions.items():
        family = family_of(feature)
        if family:
            total[family] = total.get(family, 0.0) + log_odds
    loud = [(amount, family) for family, amount in total.items() if amount > 0.05]
    return [family for _, family in sorted(loud, key=lambda entry: (-entry[0], entry[1]))]


def family_of(feature: str) -> str:
    """Return which family of reasons a feature belongs to, empty for one that must stay unspoken.

    >>> family_of("days_since_item"), family_of("household_income_decay"), family_of("x17")
    ('timing', '', '')
    """
    if is_sensitive(feature):
        return ""
    return next((family for family, pattern in FAMILIES if pattern.search(feature)), "")


def _private(item: str, name: str) -> bool:
    return is_private_good(item) or is_private_good(name)
