"""Who waits for a commit, and for how long: one timer for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

_NEVER: Final = float("inf")
_STEP: Final = 0.01  # seconds at least between two looks, so that many who wait are not counted all the time


@dataclass(slots=True, eq=False)
class Waiting:
    """Something to be written, and who waits for it.

    Parameters
    ----------
    kind, payload, weight
        What is to be written.
    written
        Gets what the writing gave, after the commit.
    until
        When they have waited long enough, by the loop's clock.
    give_up
        Lets them go then.
    """

    kind: str
    payload: Any
    weight: int
    written: asyncio.Future[Any]
    until: float
    give_up: Callable[[Waiting], None]


class Patience:
    """Lets go whoever waited long enough.

    A timer for each who waits would be set and taken back a thousand times a second. One is set to the first
    whose time is over, and looks at everybody.

    Parameters
    ----------
    waiting
        Returns everybody who waits just now.
    """

    def __init__(self, waiting: Callable[[], Iterable[Waiting]]) -> None:
        self._waiting = waiting
        self._timer: asyncio.TimerHandle | None = None
        self._at = _NEVER
        self._loop: asyncio.AbstractEventLoop | None = None

    def watch(self, until: float, loop: asyncio.AbstractEventLoop) -> None:
        """See to it that somebody looks at a time, if not before; the timer of a loop that ended is none."""
        if until < self._at or loop is not self._loop:
            self.stop()
            self._at, self._loop = until, loop
            self._timer = loop.call_at(until, self._look, loop)

    def stop(self) -> None:
        """Look no more until somebody else waits."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._at = None, _NEVER

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer, self._at = None, _NEVER
        now, first = loop.time(), _NEVER
        for entry in self._waiting():
            if entry.until <= now:
                entry.until = _NEVER
                entry.give_up(entry)
            else:
                first = min(first, entry.until)
        if first < _NEVER:
            self.watch(max(first, now + _STEP), loop)
