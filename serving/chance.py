"""Names nobody else has: random bytes of the system's, fetched by the page.

Each answer takes two such names, and asking the system for each of them costs as much as reading a profile.
"""

from __future__ import annotations

import os
from typing import Final

_PAGE: Final = 4096  # bytes


class Chance:
    """Hands out random bytes that the system made; each only once. To be asked by one thread."""

    def __init__(self) -> None:
        self._page, self._at = b"", 0
        os.register_at_fork(after_in_child=self._forget)  # two processes would hand out the same

    def hex(self, count: int) -> str:
        """Return so many random bytes as hexadecimal digits, two each.

        Parameters
        ----------
        count
            Bytes, at most a page.
        """
        end = self._at + count
        if end > len(self._page):
            self._page, self._at, end = os.urandom(_PAGE), 0, count
        found = self._page[self._at : end].hex()
        self._at = end
        return found

    def _forget(self) -> None:
        self._page = b""


CHANCE: Final = Chance()
"""The event loop's."""
