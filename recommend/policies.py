"""Which offers a customer may get at all: rules per group and offer, consent, service first, contacts, slate.

The stages, in this order: availability, eligibility (may it be offered), applicability (is it relevant now),
suitability (is it right for this customer), consent, service first, contact, arbitration. Policies are a
table of settings; :class:`Policies` without any is a polite default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from clv.errors import SettingError
from recommend.contact import LIMITS, SUPPRESSIONS, ContactLimit, Suppression
from recommend.context import Context
from recommend.control import ControlGroup
from recommend.profile import Profile
from recommend.records import as_plain, from_plain
from recommend.rules import FieldType

RuleStage = Literal["eligibility", "applicability", "suitability"]


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """A rule that must hold for all offers it is about.

    Parameters
    ----------
    stage
        Which of the three questions it answers.
    rule
        In the language of :mod:`recommend.rules`, over the fields of :mod:`recommend.facts`.
    reason
        What to tell the reader when it does not hold; the rule itself if empty.
    issue, group, kind, offer_id
        Which offers; empty for all.
    """

    stage: RuleStage
    rule: str
    reason: str = ""
    issue: str = ""
    group: str = ""
    kind: str = ""
    offer_id: str = ""


@dataclass(frozen=True, slots=True)
class ConsentPolicy:
    """What is said when the customer's consent says nothing about a channel and purpose.

    Parameters
    ----------
    missing_inbound
        The customer came to us: a hint may be given unless consent was withdrawn.
    missing_outbound
        We approach the customer: nothing is sent unless consent was given.
    """

    missing_inbound: bool = True
    missing_outbound: bool = False

    def refusal(self, profile: Profile, context: Context, purpose: str) -> str:
        """Return why this customer must not be spoken to for a purpose, or an empty text.

        A withdrawal for the channel, the purpose or the channel's purpose is enough to stop; a service
        message is stopped by nothing else.

        Examples
        --------
        >>> from datetime import date
        >>> ann = Profile("ann", date(2026, 1, 1), consent={"chat.marketing": False})
        >>> ConsentPolicy().refusal(ann, Context(channel="chat"), "marketing")
        'consent for chat.marketing was withdrawn'
        """
        channel, consent = context.channel, profile.consent
        if consent:
            names = (f"{channel}.{purpose}", channel, f"*.{purpose}")
            given = [consent.get(name) for name in names]
            if False in given:
                return f"consent for {names[given.index(False)]} was withdrawn"
            if True in given:
                return ""
        if purpose == "service":
            return ""
        missing = self.missing_inbound if context.direction == "inbound" else self.missing_outbound
        return "" if missing else f"no consent is recorded for {channel}.{purpose}"


@dataclass(frozen=True, slots=True)
class ServiceFirst:
    """When not to sell: during an open complaint, a complaint, a cancellation, or in a bad mood.

    Parameters
    ----------
    open_issue
        An unresolved complaint stops selling.
    intents
        Intents that stop selling.
    sentiments
        Moods that stop selling.
    kinds
        Kinds that may be said all the same.
    rescue
        Further kinds allowed for one intent, such as retention for ``cancel``, unless a complaint is open.
    """

    open_issue: bool = True
    intents: tuple[str, ...] = ("complaint", "cancel")
    sentiments: tuple[str, ...] = ("negative",)
    kinds: tuple[str, ...] = ("service",)
    rescue: dict[str, str] = field(default_factory=lambda: {"cancel": "retention"})

    def reason(self, profile: Profile, context: Context) -> str:
        """Return why this is not the moment to sell, or an empty text."""
        if self.open_issue and profile.open_issue:
            named = profile.open_issue not in self.intents
            return "an open complaint" + (f" about {profile.open_issue}" if named else "")
        if context.intent and context.intent in self.intents:
            return f"the customer's intent is {context.intent!r}"
        if context.sentiment in self.sentiments:
            return f"the customer's mood is {context.sentiment}"
        return ""

    def allows(self, kind: str, profile: Profile, context: Context) -> bool:
        """Return whether a kind may be said although it is not the moment to sell."""
        if kind in self.kinds:
            return True
        return not (self.open_issue and profile.open_issue) and self.rescue.get(context.intent) == kind


@dataclass(frozen=True, slots=True)
class Slate:
    """How many hints at most, in all and of one kind."""

    hints: int = 3
    per_kind: int = 2

    def __post_init__(self) -> None:
        """Refuse a slate that holds nothing."""
        if self.hints < 1 or self.per_kind < 1:
            raise SettingError("A slate holds at least one hint.", where="slate")


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything that may stop an offer, and how many may be said.

    Parameters
    ----------
    rules
        Engagement rules beyond those of the offers themselves.
    consent, service_first, limits, suppressions, control, slate
        See their classes.
    fields
        Types of further fields a rule may name: ``customer.ATTRIBUTE`` and ``context.ATTRIBUTE``.

    Examples
    --------
    >>> policies = Policies.from_toml('''
    ... [[rules]]
    ... stage = "eligibility"
    ... rule = "customer.birth_year <= 2007"
    ... group = "wine"
    ... [fields]
    ... "customer.birth_year" = "number"
    ... ''')
    >>> policies.rules[0].group, policies.slate.hints
    ('wine', 3)
    """

    rules: tuple[PolicyRule, ...] = ()
    consent: ConsentPolicy = ConsentPolicy()
    service_first: ServiceFirst = field(default_factory=ServiceFirst)
    limits: tuple[ContactLimit, ...] = LIMITS
    suppressions: tuple[Suppression, ...] = SUPPRESSIONS
    control: ControlGroup = field(default_factory=ControlGroup)
    slate: Slate = Slate()
    fields: dict[str, FieldType] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return as_plain(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Policies:
        """Read plain values; what is left out takes its default.

        Raises
        ------
        SettingError
            Naming the setting that is unknown or wrong.
        """
        return from_plain(cls, raw, "policies")

    @classmethod
    def from_toml(cls, text: str) -> Policies:
        """Read a TOML text.

        Raises
        ------
        SettingError
            If it is no TOML, or a setting is unknown or wrong.
        """
        try:
            return cls.from_json(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise SettingError(f"The policies are no TOML: {error}.", where="policies") from error
