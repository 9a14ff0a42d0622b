"""Which part of an address is a key: a slash inside one (``%2F``) must not divide the address."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

SLASHED: Final = "slashed"
"""Set in a request's state when its path was kept by :func:`undivided`, so that keys need :func:`key_of`."""

_KEPT: Final = re.compile(r"%(25|2F)", re.IGNORECASE)


def undivided(raw_path: bytes) -> str | None:
    """Return the decoded path with slashes of keys still written ``%2F``; None where there are none.

    Examples
    --------
    >>> undivided(b"/a/A%2F7"), undivided(b"/a/A%20%2F%257"), undivided(b"/a/A7")
    ('/a/A%2F7', '/a/A %2F%257', None)
    """
    raw = raw_path.decode("latin-1")
    if "%2f" not in raw.lower():
        return None
    return unquote(_KEPT.sub(r"%25\1", raw))


def key_of(part: str) -> str:
    """Return the key that a part of such a path stands for.

    >>> key_of("A%2F7"), key_of("A %2F%257")
    ('A/7', 'A /%7')
    """
    return _KEPT.sub(lambda kept: "/" if kept.group(1) != "25" else "%", part)
