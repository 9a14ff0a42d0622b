"""How many different customers somebody may ask about within an hour, whichever worker they ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Final, TypeAlias

from serving.refusals import TooMany
from serving.store.lookups import HOUR, Lookup

_MOST_CALLERS: Final = 50_000
Note: TypeAlias = Callable[[Lookup], Awaitable[Sequence[Lookup] | None]]
"""Notes a question where all workers see it.

Returns all that its caller asked within the hour, in the order in which they were noted, this one included;
None where it cannot be noted now.
"""


class Curiosity:
    """Counts the different customers somebody asked about within an hour.

    Whom they may ask about is remembered for the hour; only a customer who is new to this worker is noted in
    the store. A store in trouble keeps nobody from asking: this worker then counts alone.

    Parameters
    ----------
    per_hour
        Different customers within an hour.
    now
        The wall clock, UTC microseconds.
    name
        Returns the name under which a customer is noted, from which nobody can tell who it is.
    note
        Notes a question.
    """

    def __init__(
        self, per_hour: int, now: Callable[[], int], name: Callable[[str], bytes], note: Note
    ) -> None:
        self._per_hour = per_hour
        self._now, self._name, self._note = now, name, note
        self._asked: dict[str, dict[bytes, int]] = {}

    def knows(self, caller: str, customer_id: str) -> bool:
        """Return whether somebody asked about a customer here within the hour, and may go on."""
        at = self._asked.get(caller, {}).get(self._name(customer_id))
        return at is not None and at > self._now() - HOUR

    async def ask(self, caller: str, customer_id: str) -> None:
        """Count a question.

        Raises
        ------
        TooMany
            If it is about one customer too many.
        """
        if self.knows(caller, customer_id):
            return
        now, name = self._now(), self._name(customer_id)
        self._let_in(self._within_the_hour(caller, now), now)
        noted = await self._note(Lookup(caller, name, now))
        asked = self._within_the_hour(caller, now)
        if noted is None:
            self._let_in(asked, now)
            asked[name] = now
            return
        first: dict[bytes, int] = {}
        for one in noted:
            first.setdefault(one.name, one.at)
        asked.update(islice(first.items(), self._per_hour))
        if name not in asked:
            self._refuse(asked, now)

    def _let_in(self, asked: dict[bytes, int], now: int) -> None:
        if len(asked) >= self._per_hour:
            self._refuse(asked, now)

    def _refuse(self, asked: dict[bytes, int], now: int) -> None:
        raise TooMany(
            f"More than {self._per_hour} different customers in an hour.",
            hint="Ask an administrator if your work needs more.",
            retry_after=max(1, round((min(asked.values()) + HOUR - now) / 1e6)),
        )

    def _within_the_hour(self, caller: str, now: int) -> dict[bytes, int]:
        """Return whom somebody asked about, without those for whom the hour is over."""
        if caller not in self._asked and len(self._asked) >= _MOST_CALLERS:
            self._asked.clear()  # the store still knows
        asked = {name: at for name, at in self._asked.get(caller, {}).items() if at > now - HOUR}
        self._asked[caller] = asked
        return asked
