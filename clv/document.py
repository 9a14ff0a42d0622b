"""The JSON a fitted model is written as, and the one check that it is what a class can read."""

from __future__ import annotations

import json
from typing import Any

from clv.errors import UnknownFormat

__all__ = ["opened"]


def opened(text: str, *, kind: str, latest: int) -> dict[str, Any]:
    """Return the content of a written model after checking its kind and format.

    Parameters
    ----------
    text
        What a model's ``to_json`` wrote.
    kind
        The kind of model that is to read it.
    latest
        The latest format that kind can read.

    Raises
    ------
    UnknownFormat
        When the text is of another kind or of a later format, or says neither.

    Examples
    --------
    >>> opened('{"kind": "nbd", "format": 1}', kind="nbd", latest=1)
    {'kind': 'nbd', 'format': 1}
    """
    content: dict[str, Any] = json.loads(text)
    if content.get("kind") != kind or int(content.get("format", latest + 1)) > latest:
        raise UnknownFormat(
            f"This is not a {kind} model of format {latest} or earlier.",
            where=f"{content.get('kind')}, format {content.get('format')}",
            hint="Read it with the class, and the version, that wrote it.",
        )
    return content
