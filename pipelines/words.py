"""What a word in a cell means: yes or no, a channel, a kind, an outcome, in the ways people write them."""

from __future__ import annotations

from typing import Final

from pipelines.tables import Column


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOTHING: Final = (
    "NULL",
    "null",
    "NaN",
    "nan",
    "NaT",
    "None",
    "none",
    "N/A",
    "n/a",
    "NA",
    "#N/A",
    "\\N",
    "<NA>",
)
YES: Final = _words("1 1.0 true t yes y ja j oui o si sí x 是 有 return returned refund refunded retoure")
NO: Final = _words("0 0.0 false f no n nein non 否 无 無 sale")
_CHANNELS: Final = {
    "phone": ("telephone", "tel", "call", "voice", "telefon", "电话", "電話"),
    "chat": ("livechat", "live chat", "webchat", "web chat", "web_chat", "im", "在线客服", "線上客服"),
    "email": ("e-mail", "e mail", "邮件", "郵件"),
    "mail": ("letter", "post", "direct mail", "direct_mail", "postal"),
    "sms": ("text", "text message", "短信", "簡訊"),
    "store": ("shop", "in-store", "instore", "branch", "门店", "門市"),
    "web": ("website", "online", "online shop", "webshop", "网站", "網站"),
}
_CHOICES: Final = {
    "inbound": ("in", "incoming", "i"),
    "outbound": ("out", "outgoing", "o"),
    "negative": ("neg", "-1", "bad"),
    "neutral": ("neu", "0", "mixed"),
    "positive": ("pos", "1", "good"),
    "presented": ("shown", "impression"),
    "accepted": ("accept", "yes", "converted"),
    "rejected": ("reject", "declined", "no", "refused"),
    "snoozed": ("snooze", "later"),
    "ignored": ("ignore", "no answer", "none"),
    "purchased": ("purchase", "bought", "redeemed"),
}


def meaning(column: Column, word: str) -> str | None:
    """Return what a word says in a column of words, None if it says nothing known.

    Parameters
    ----------
    column
        A ``flag``, a ``choice``, or the text column ``channel``.
    word
        The cell, without spaces around it.

    Examples
    --------
    >>> meaning(Column("is_return", "flag"), "Ja")
    'true'
    >>> meaning(Column("channel"), "E-Mail")
    'email'
    >>> meaning(Column("direction", "choice", choices=("inbound", "outbound")), "sideways") is None
    True
    """
    low = word.casefold()
    if column.kind == "flag":
        return "true" if low in YES else "false" if low in NO else None
    if column.kind == "choice":
        snake = low.replace(" ", "_").replace("-", "_")
        if snake in column.choices:
            return snake
        return next((choice for choice in column.choices if low in _CHOICES.get(choice, ())), None)
    return next((channel for channel, words in _CHANNELS.items() if low in words), low)
