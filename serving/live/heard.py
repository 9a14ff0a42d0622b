"""A complaint heard in one conversation, noted for every other: an interaction like those a helpdesk sends.

It is told apart by its id, ``heard:`` and a digest of the conversation's name, turn and day; of the text
nothing is kept but topic and wish. It ends when an interaction is resolved, when the customer wishes to buy
in the conversation it was heard in, or :data:`recommend.issues.QUIET_DAYS` days after it was last heard.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from recommend.context import Context
from recommend.issues import HEARD
from serving.live.messages import Message, read_message


def heard_message(
    conversation_id: str, turn: int, customer_id: str, context: Context, at: datetime, *, over: bool
) -> Message:
    """Return what other conversations must know of this turn.

    Parameters
    ----------
    conversation_id, turn
        Where it was heard: the same turn told twice on a day is one event.
    customer_id
        Who said it.
    context
        What the customer wants now.
    at
        When, UTC; a conversation that was forgotten and begins anew counts its turns anew, on a later day.
    over
        Whether a complaint ends here, or begins.
    """
    told: dict[str, Any] = {
        "channel": context.channel.strip() or "chat",
        "direction": "inbound",
        "resolved": over,
    }
    if not over:
        told |= {"intent": "complaint", "topic": context.topic, "sentiment": "negative"}
    place = f"{conversation_id}\n{turn}\n{at.date()}"
    name = hashlib.blake2b(place.encode(), digest_size=12).hexdigest()
    event = {"event": "Interaction Recorded", "messageId": f"{HEARD}{name}", "userId": customer_id}
    return read_message({**event, "timestamp": at.isoformat(), "properties": told}, at)
