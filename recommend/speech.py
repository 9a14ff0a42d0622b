"""What does an agent say for this offer, and why: the words and the reasons of one hint together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Final

from recommend.candidate import Candidate
from recommend.catalogue import ITEM_PREFIX, Catalogue, Offer
from recommend.context import Context
from recommend.decision import Kind
from recommend.explain import EPOCH, MOST, Subject, gather, subject_of
from recommend.pace import record_of
from recommend.profile import Profile
from recommend.scripts import words
from recommend.worth import WISHES

REMEMBERED: Final = 16_384  # names of offers, in all languages asked for


class Speech:
    """Finds words and reasons; call it where a decision asks for them.

    What the catalogue's offers are called is worked out once and remembered; nothing is kept of a customer.

    Parameters
    ----------
    reasons_locale
        Language tag the agent reads reasons in; the customer's words follow the context. Empty: the same
        language.
    names
        How items are called, by item, where the catalogue's key is no name.
    catalogue
        Says how the items of an offer are called in the agent's language.

    Examples
    --------
    >>> from datetime import date
    >>> anna = Profile("anna", date(2024, 6, 30))
    >>> speech = Speech(reasons_locale="en")
    >>> tea, liked = Offer("o", "茶", "cross_sell"), Candidate("o", sources=("popular",))
    >>> speech(tea, liked, anna, Context(locale="zh-CN"), "cross_sell")
    ('供您参考：我们还有茶。需要的话我可以介绍一下，不需要也没关系。', ('Bought by many customers',))
    """

    def __init__(
        self,
        reasons_locale: str = "",
        names: Mapping[str, str] | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        self.reasons_locale = reasons_locale
        self.names = dict(names or {})
        self._offers = catalogue.by_id if catalogue else {}
        self._known = lru_cache(REMEMBERED)(partial(_known, self.names, self._offers))

    def __call__(
        self, offer: Offer, candidate: Candidate, profile: Profile, context: Context, kind: Kind
    ) -> tuple[str, tuple[str, ...]]:
        """Return the words for the customer and the reasons for the agent."""
        item, locale, mentions = candidate.item, context.locale, context.mentions
        record = record_of(profile.history, item, (profile.as_of - EPOCH).days)
        called, subject = self._named(offer, item, locale, self.reasons_locale or locale)
        treatment = offer.treatment(context.channel) if offer.treatments else None
        said = words(
            called,
            kind,
            locale,
            scripts=treatment.scripts if treatment else None,
            asked=item in mentions and context.intent in WISHES,
            gap_days=record.pace,
        )
        why = gather(candidate, profile, subject, record, mentions)
        return said, tuple(why.values())[:MOST]

    def _named(self, offer: Offer, item: str, locale: str, reader: str) -> tuple[str, Subject]:
        """Return what to call an offer and its item; remembered if the offer is the catalogue's own."""
        if self._offers.get(offer.offer_id) is offer:
            return self._known(offer.offer_id, item, locale, reader)
        return _named(self.names, self._offers, offer, item, locale, reader)


def _known(
    names: Mapping[str, str], offers: Mapping[str, Offer], offer_id: str, item: str, locale: str, reader: str
) -> tuple[str, Subject]:
    return _named(names, offers, offers[offer_id], item, locale, reader)


def _named(
    names: Mapping[str, str], offers: Mapping[str, Offer], offer: Offer, item: str, locale: str, reader: str
) -> tuple[str, Subject]:
    """Return what an offer is called in the customer's language, and what its item is in the reader's."""
    own = offers.get(f"{ITEM_PREFIX}{item}")
    name = names.get(item) or (_called(names, own, item, reader) if own else "")
    return _called(names, offer, item, locale), subject_of(item, name, reader)


def _called(names: Mapping[str, str], offer: Offer, item: str, locale: str) -> str:
    """Return a name for the middle of a sentence: a list's first capital is no word's."""
    called = offer.called(locale)
    if not offer.generated or called != offer.name:
        return called
    name = names.get(item, called)
    listed = item.isupper() and name == name.capitalize() and item.startswith(name.upper())
    return name.lower() if listed else name
