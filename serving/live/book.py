"""The facts that events left on one customer, in an order of their own.

A book depends on which events came, not on when they came: late, early or in another order gives the same
book, so that everything read from it equals a recount from the start.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

KINDS: Final = ("order", "return", "interaction", "consent", "outcome")


@dataclass(slots=True)
class Book:
    """Entries by kind, each kind ascending.

    An entry is what :mod:`serving.live.messages` made of the event, followed by when it was received (UTC
    microseconds) and the event's id, which make it unique.
    """

    entries: dict[str, list[list[Any]]] = field(default_factory=dict)

    def add(self, kind: str, entry: list[Any], received_at: int, message_id: str) -> None:
        """Write an entry where it belongs."""
        insort(self.entries.setdefault(kind, []), [*entry, received_at, message_id], key=_place)

    def of(self, kind: str) -> list[list[Any]]:
        """Return the entries of a kind."""
        return self.entries.get(kind, [])

    def __bool__(self) -> bool:
        return bool(self.entries)

    def to_bytes(self) -> bytes:
        """Return the book as the store keeps it."""
        return orjson.dumps({kind: self.entries[kind] for kind in KINDS if kind in self.entries})

    @classmethod
    def from_bytes(cls, raw: bytes) -> Book:
        """Read what :meth:`to_bytes` wrote."""
        return cls(orjson.loads(raw))

    @classmethod
    def of_entries(cls, found: Iterable[tuple[str, list[Any], int, str]]) -> Book:
        """Write a book from the start."""
        book = cls()
        for kind, entry, received_at, message_id in found:
            book.add(kind, entry, received_at, message_id)
        return book


def _place(entry: list[Any]) -> tuple[Any, Any]:
    """Order by time, then by the event's id."""
    return entry[0], entry[-1]
