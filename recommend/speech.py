"""What does an agent say for this offer, and why: the words and the reasons of one hint together."""

from __future__ import annotations

from collections.abc import Mapping

from recommend.candidate import Candidate
from recommend.catalogue import ITEM_PREFIX, Catalogue, Offer
from recommend.context import Context
from recommend.decision import Kind
from recommend.explain import EPOCH, reasons
from recommend.pace import pace_days
from recommend.profile import Profile
from recommend.scripts import words
from recommend.worth import WISHES


class Speech:
    """Finds words and reasons; call it where a decision asks for them.

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

    def __call__(
        self, offer: Offer, candidate: Candidate, profile: Profile, context: Context, kind: Kind
    ) -> tuple[str, tuple[str, ...]]:
        """Return the words for the customer and the reasons for the agent."""
        treatment = offer.treatment(context.channel)
        said = words(
            self._called(offer, candidate.item, context.locale),
            kind,
            context.locale,
            scripts=treatment.scripts if treatment else None,
            asked=context.intent in WISHES and candidate.item in context.mentions,
            gap_days=pace_days(profile.history, candidate.item, (profile.as_of - EPOCH).days),
        )
        spoken = self.reasons_locale or context.locale
        why = reasons(
            candidate,
            profile,
            locale=spoken,
            item_name=self._item_name(candidate.item, spoken),
            mentions=context.mentions,
        )
        return said, why

    def _item_name(self, item: str, locale: str) -> str:
        """Return what an item is called; empty where nobody said."""
        offer = self._offers.get(f"{ITEM_PREFIX}{item}")
        return self.names.get(item) or (self._called(offer, item, locale) if offer else "")

    def _called(self, offer: Offer, item: str, locale: str) -> str:
        """Return a name for the middle of a sentence: a list's first capital is no word's."""
        called = offer.called(locale)
        if not offer.generated or called != offer.name:
            return called
        name = self.names.get(item, called)
        listed = item.isupper() and name == name.capitalize() and item.startswith(name.upper())
        return name.lower() if listed else name
