"""What does an agent say for this offer, and why: the words and the reasons of one hint together."""

from __future__ import annotations

from collections.abc import Mapping

from recommend.candidate import Candidate
from recommend.catalogue import Offer
from recommend.context import Context
from recommend.decision import Kind
from recommend.explain import reasons
from recommend.profile import Profile
from recommend.scripts import words


class Speech:
    """Finds words and reasons; call it where a decision asks for them.

    Parameters
    ----------
    reasons_locale
        Language tag the agent reads reasons in; the customer's words follow the context. Empty: the same
        language.
    names
        How items are called, by item, where the catalogue's key is no name.

    Examples
    --------
    >>> from datetime import date
    >>> anna = Profile("anna", date(2024, 6, 30))
    >>> speech = Speech(reasons_locale="en")
    >>> tea, liked = Offer("o", "茶", "cross_sell"), Candidate("o", sources=("popular",))
    >>> speech(tea, liked, anna, Context(locale="zh-CN"), "cross_sell")
    ('供您参考：我们还有茶。需要的话我可以介绍一下，不需要也没关系。', ('Bought by many customers',))
    """

    def __init__(self, reasons_locale: str = "", names: Mapping[str, str] | None = None) -> None:
        self.reasons_locale = reasons_locale
        self.names = dict(names or {})

    def __call__(
        self, offer: Offer, candidate: Candidate, profile: Profile, context: Context, kind: Kind
    ) -> tuple[str, tuple[str, ...]]:
        """Return the words for the customer and the reasons for the agent."""
        treatment = offer.treatment(context.channel)
        said = words(
            self._called(offer, candidate.item) if offer.generated else offer.name,
            kind,
            context.locale,
            scripts=treatment.scripts if treatment else None,
            gap_days=_gap_days(candidate.item, profile),
        )
        why = reasons(
            candidate,
            profile,
            locale=self.reasons_locale or context.locale,
            item_name=self.names.get(candidate.item, ""),
            mentions=context.mentions,
        )
        return said, why

    def _called(self, offer: Offer, item: str) -> str:
        """Return an item's name for the middle of a sentence: a list's first capital is no word's."""
        name = self.names.get(item, offer.name)
        listed = item.isupper() and name == name.capitalize() and item.startswith(name.upper())
        return name.lower() if listed else name


def _gap_days(item: str, profile: Profile) -> float | None:
    history = profile.history
    if item not in history.items:
        return None
    at = history.positions[history.items.index(item)]
    if len(at) < 3:
        return None
    return (history.order_days[at[-1]] - history.order_days[at[0]]) / (len(at) - 1)
