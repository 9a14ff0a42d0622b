"""Why this offer for this customer? Reasons from facts first, from the model's own arithmetic second.

A fact ("Buys coffee every 18 days, last 21 days ago") is what an agent can stand by, so facts lead. Where the
model says what each feature added to the log-odds, those numbers are summed by family of feature and the
families that spoke for the offer fill what room is left. Only families named here are ever spoken of; a
feature nobody has put into words, or one that touches a sensitive attribute, gives no reason at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from clv import columns as c
from recommend.candidate import Candidate
from recommend.languages import Language, language_of
from recommend.pace import Record, record_of
from recommend.phrases import TEMPLATES, ago, days, plain_name, times
from recommend.profile import Profile
from recommend.sensitive import is_private_good, is_sensitive
from recommend.vitals import number

EPOCH: Final = date(1970, 1, 1)
MOST: Final = 3  # reasons of an offer
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
_THRIFTY: Final = "campaign to the price-sensitive"  # not a source of candidates, but a reason from one
_BY_SOURCE: Final[Mapping[str, str]] = {  # source -> reason, the more telling first
    "campaign": "campaign",
    _THRIFTY: "discount",
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


class Subject(NamedTuple):
    """What reasons speak of: an item, its name as one would say it, whether in private, and the language."""

    item: str
    name: str
    private: bool
    language: Language


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
    most: int = MOST,
) -> tuple[str, ...]:
    """Return the reasons for one offer in words: see :func:`reason_codes`."""
    record = record_of(profile.history, candidate.item, (profile.as_of - EPOCH).days)
    subject = subject_of(candidate.item, item_name, locale)
    return tuple(gather(candidate, profile, subject, record, mentions).values())[:most]


def reason_codes(
    candidate: Candidate,
    profile: Profile,
    *,
    locale: str = "en",
    item_name: str = "",
    mentions: tuple[str, ...] = (),
    most: int = MOST,
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
    >>> from recommend.history import History
    >>> bought = History(order_days=(19500, 19518, 19536), items=("COFFEE",), positions=((0, 1, 2),))
    >>> anna = Profile("anna", date(1970, 1, 1).fromordinal(EPOCH.toordinal() + 19557), history=bought)
    >>> reasons(Candidate("item:COFFEE", "COFFEE", sources=("own_repeat",)), anna)
    ('Buys coffee every 18 days, last 21 days ago',)
    """
    record = record_of(profile.history, candidate.item, (profile.as_of - EPOCH).days)
    subject = subject_of(candidate.item, item_name, locale)
    found = gather(candidate, profile, subject, record, mentions)
    return tuple(map(Reason._make, found.items()))[:most]


def subject_of(item: str, item_name: str, locale: str) -> Subject:
    """Return what reasons for an item speak of: nothing in it depends on a customer.

    >>> subject_of("COFFEE", "", "en-GB")
    Subject(item='COFFEE', name='coffee', private=False, language='en')
    """
    name = plain_name(item_name or item)
    return Subject(item, name, is_private_good(item) or is_private_good(name), language_of(locale))


def gather(
    candidate: Candidate, profile: Profile, subject: Subject, record: Record, mentions: tuple[str, ...]
) -> dict[str, str]:
    """Return all reasons by code, strongest first: :func:`reason_codes` for who has read record and subject.

    ``record`` is what the customer bought of the candidate's item, ``subject`` what that item is called.
    """
    item, name, private, language = subject
    sources = candidate.sources
    found: dict[str, str] = {}
    if item and (item in mentions or "mention" in sources):
        found["mentioned"] = TEMPLATES["mentioned"][language].format(item=name)
    bought = record.times > 0 and not private
    if bought:
        _add_record(found, record, name, language)
    if "win_back" in sources or not LEAVING.isdisjoint(profile.segments):
        _add_silence(found, profile, language)
    if profile.tags and "campaign" in sources and _is_thrifty(profile):
        sources = (*sources, _THRIFTY)
    found.update(_from_sources(sources, language))
    if candidate.contributions:
        _add_model(found, candidate.contributions, language, bought=bought)
    if not found and not (profile.known and profile.history.order_days):
        found["newcomer"] = TEMPLATES["newcomer"][language]
    return found


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


def _add_record(found: dict[str, str], record: Record, name: str, language: Language) -> None:
    """Add how often the item was bought, and when; the name goes in last, for it may hold braces itself."""
    often, since, pace = record
    if pace is not None:
        code, said = "rhythm", TEMPLATES["rhythm"][language].replace("{gap}", days(pace, language))
    elif often == 1:
        code, said = "bought_before", TEMPLATES["bought_once"][language]
    else:
        code = "bought_before"
        said = TEMPLATES[code][language].replace("{times}", times(often, language))
    found[code] = said.replace("{ago}", ago(since, language)).replace("{item}", name)


def _add_silence(found: dict[str, str], profile: Profile, language: Language) -> None:
    frequency, recency = number(profile.value, c.FREQUENCY), number(profile.value, c.RECENCY_DAYS)
    quiet = number(profile.value, c.AGE_DAYS) - recency
    if frequency >= 1 and recency > 0 and quiet > recency / frequency:
        said = {"quiet": days(quiet, language), "gap": days(recency / frequency, language)}
        found["win_back"] = TEMPLATES["win_back"][language].format(**said)


def _is_thrifty(profile: Profile) -> bool:
    return any(tag.name == "price_sensitive" for tag in profile.tags)


@lru_cache(maxsize=4_096)
def _from_sources(sources: tuple[str, ...], language: Language) -> Mapping[str, str]:
    """Return what the sources alone give reason to say: no fact takes the place of one of these."""
    found: dict[str, str] = {}
    for source, code in _BY_SOURCE.items():
        if source in sources:
            _add(found, code, language)
    return found


def _add_model(
    found: dict[str, str], contributions: Mapping[str, float], language: Language, *, bought: bool
) -> None:
    for code in _from_model(contributions):
        if bought or code not in _OF_OWN_RECORD:
            _add(found, code, language)


def _add(found: dict[str, str], code: str, language: Language) -> None:
    """Add a reason, unless another says the same."""
    if code not in found and _SAME.get(code, frozenset()).isdisjoint(found):
        found[code] = TEMPLATES[code][language]


def _from_model(contributions: Mapping[str, float]) -> list[str]:
    """Return the families of features that spoke for the offer, loudest first."""
    total: dict[str, float] = {}
    for feature, log_odds in contributions.items():
        family = family_of(feature)
        if family:
            total[family] = total.get(family, 0.0) + log_odds
    loud = [(amount, family) for family, amount in total.items() if amount > 0.05]
    return [family for _, family in sorted(loud, key=lambda entry: (-entry[0], entry[1]))]


@lru_cache(maxsize=4_096)
def family_of(feature: str) -> str:
    """Return which family of reasons a feature belongs to, empty for one that must stay unspoken.

    >>> family_of("days_since_item"), family_of("household_income_decay"), family_of("x17")
    ('timing', '', '')
    """
    if is_sensitive(feature):
        return ""
    return next((family for family, pattern in FAMILIES if pattern.search(feature)), "")
