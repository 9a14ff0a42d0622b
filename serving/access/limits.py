"""How much one caller may ask: so many requests a minute, so many different customers an hour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from serving.refusals import TooMany

_MOST_CALLERS: Final = 50_000
BAD_TRIES_PER_MINUTE: Final = 10


class Bucket:
    """Lets a caller through at a steady rate with bursts up to a minute's worth.

    Parameters
    ----------
    per_minute
        Requests a caller may make in a minute.
    now
        A clock in seconds that never goes back.

    Examples
    --------
    >>> bucket = Bucket(2, now=lambda: 0.0)
    >>> bucket.take("ann"), bucket.take("ann"), bucket.take("ann"), bucket.take("bob")
    (0, 0, 30, 0)
    """

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._now = now
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, caller: str) -> int:
        """Count a request; return 0, or the seconds to wait when there was one too many."""
        now = self._now()
        left, at = self._left.get(caller, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - at) * self._per_minute / 60)
        if left < 1:
            return max(1, round((1 - left) * 60 / self._per_minute))
        self._set(caller, left - 1, now)
        return 0

    def _set(self, caller: str, left: float, now: float) -> None:
        if len(self._left) >= _MOST_CALLERS:
            self._left.clear()  # everybody starts afresh: better than to grow without end
        self._left[caller] = (left, now)


class Curiosity:
    """Counts the different customers somebody asked about within an hour."""

    def __init__(self, per_hour: int, now: Callable[[], float]) -> None:
        self._per_hour = per_hour
        self._now = now
        self._asked: dict[str, tuple[float, set[str]]] = {}

    def ask(self, caller: str, customer_id: str) -> None:
        """Count a question.

        Raises
        ------
        TooMany
            If it is about one customer too many.
        """
        started, customers = self._asked.get(caller, (self._now(), set()))
        if self._now() - started > 3600:
            started, customers = self._now(), set()
        if customer_id not in customers and len(customers) >= self._per_hour:
            wait = max(1, round(3600 - (self._now() - started)))
            raise TooMany(
                f"More than {self._per_hour} different customers in an hour.",
                hint="Ask an administrator if your work needs more.",
                retry_after=wait,
            )
        customers.add(customer_id)
        self._asked[caller] = (started, customers)
