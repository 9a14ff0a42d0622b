"""The moment in which a question is asked: channel, agent, and what the customer is talking about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Sentiment = Literal["negative", "neutral", "positive"]
Direction = Literal["inbound", "outbound"]


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about this conversation, beyond the customer's history.

    Parameters
    ----------
    channel
        Where the words would be said: ``chat``, ``phone``, ``email``, ``store`` ...
    locale
        Language tag of the words wanted, such as ``en``, ``zh-Hans`` or ``zh-Hant``.
    agent_id
        Who asks; empty for a batch run.
    intent
        What the customer wants (``complaint``, ``cancel``, ``buy``, ``ask``, ``deliver``, ``pay``), or empty.
    topic
        What it is about, empty if unknown.
    sentiment
        Mood of the customer's own words.
    mentions
        Items (products or categories of the catalogue) the customer named, most recent first.
    attributes
        Anything else a rule may refer to as ``context.NAME``.
    direction
        ``inbound`` if the customer came to us, ``outbound`` if we approach them: consent and limits differ.
    """

    channel: str = "chat"
    locale: str = "en"
    agent_id: str = ""
    intent: str = ""
    topic: str = ""
    sentiment: Sentiment = "neutral"
    mentions: tuple[str, ...] = ()
    attributes: dict[str, str | float | bool] = field(default_factory=dict)
    direction: Direction = "inbound"
