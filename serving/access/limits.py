"""How much one caller may ask: so many requests a minute, whichever worker takes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from mmap import mmap
from struct import Struct
from typing import Final, TypeAlias

Room: TypeAlias = bytearray | mmap

BAD_TRIES_PER_MINUTE: Final = 10
_SLOT: Final = Struct("<8sdd")  # whose, requests left, and when that was
_LOOKED_AT: Final = 8  # slots a caller may have
_FREE: Final = bytes(8)
ROOM: Final = 4096 * _SLOT.size
"""Bytes in which so many callers are counted."""


class Bucket:
    """Lets a caller through at a steady rate with bursts up to a minute's worth.

    What is left to each stands in a piece of memory that several workers may share, without a lock: two that
    count one caller in the same microsecond may count one request instead of two. Where there are more
    callers than room, who was away longest starts afresh.

    Parameters
    ----------
    per_minute
        Requests a caller may make in a minute.
    now
        A clock in seconds that never goes back, the same for all who share the memory.
    room
        Zeros at first; as many bytes as :data:`ROOM`, or a multiple of a slot. Of its own if None.

    Examples
    --------
    >>> bucket = Bucket(2, now=lambda: 0.0)
    >>> bucket.take("ann"), bucket.take("ann"), bucket.take("ann"), bucket.take("bob")
    (0, 0, 30, 0)
    """

    def __init__(self, per_minute: int, now: Callable[[], float], room: Room | None = None) -> None:
        self._per_minute = per_minute
        self._now = now
        self._room = bytearray(ROOM) if room is None else room
        self._slots = len(self._room) // _SLOT.size

    def take(self, caller: str) -> int:
        """Count a request; return 0, or the seconds to wait when there was one too many."""
        now, mark = self._now(), _mark(caller)
        place, whose, left, at = self._find(mark)
        if whose != mark or at > now:  # not of before the machine was last started
            left, at = float(self._per_minute), now
        left = min(self._per_minute, left + (now - at) * self._per_minute / 60)
        if left < 1:
            return max(1, round((1 - left) * 60 / self._per_minute))
        _SLOT.pack_into(self._room, place, mark, left - 1, now)
        return 0

    def _find(self, mark: bytes) -> tuple[int, bytes, float, float]:
        """Return a caller's slot, else a free one, else the one that was not used for longest."""
        first = int.from_bytes(mark, "little")
        found: list[tuple[int, bytes, float, float]] = []
        for step in range(_LOOKED_AT):
            place = (first + step) % self._slots * _SLOT.size
            slot = (place, *_SLOT.unpack_from(self._room, place))
            if slot[1] in {mark, _FREE}:
                return slot
            found.append(slot)
        return min(found, key=lambda slot: slot[3])


@lru_cache(maxsize=4096)
def _mark(caller: str) -> bytes:
    """Return a short name for a caller."""
    return blake2b(caller.encode(), digest_size=8).digest()
