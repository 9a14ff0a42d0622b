"""Many writers, one commit: what arrives while a commit is under way shares the next one.

A commit with synchronous FULL costs the same for one row as for a hundred. All writing is done by one thread,
so the event loop never waits for the disk, and nothing is answered before it is committed. The thread is
handed a whole group and answers once for it: between the two there is no lock of ours.

Whoever writes alone never waits for company. While there is company, a group goes off when it is large enough
or a moment after the one before, since a commit of one row costs the processor as much as ten rows do. The
moment grows with what the last commit took: who shares the store with other processes commits less often.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from queue import SimpleQueue
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection

from clv.errors import ClvError
from serving.refusals import TooMany, Unavailable
from serving.store.database import Database, Row
from serving.store.patience import Patience, Waiting

Handler = Callable[[Connection, Sequence[Any]], Sequence[Any]]
AtOnce = Callable[[Sequence[Any]], tuple[str, Row]]
Work: TypeAlias = tuple[Sequence[Waiting], asyncio.AbstractEventLoop]
_MOST_IN_ONE: Final = 256
_ENOUGH: Final = 8  # rows, from which on the cost of a commit is small beside theirs
_MOMENT: Final = (0.002, 0.005)  # seconds, at least and at most
_COMMITS_APART: Final = 3  # from one group to the next, in the time the last one took
_MOST_AT_ONCE: Final = 128  # rows of one statement: older SQLite takes 999 values


class Commits:
    """Queues what is to be written and commits it in groups.

    Parameters
    ----------
    database
        Where to write.
    handlers
        By kind of work: gets an open transaction and all payloads of that kind, returns one result each.
    most_waiting
        Payloads that may wait, counted by their weight; more are refused at once.
    at_once
        Of kinds that are only inserted: makes one statement of many payloads, which SQLite takes as a
        transaction of its own.
    patience_seconds
        How long who writes waits for the commit; a store that hangs must not hang them.
    """

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        most_waiting: int,
        at_once: Mapping[str, AtOnce] | None = None,
        patience_seconds: float = 10.0,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._at_once = at_once or {}
        self._most_waiting = most_waiting
        self._patience_seconds = patience_seconds
        self._waiting: list[Waiting] = []
        self._under_way: Sequence[Waiting] = ()
        self._soon: asyncio.TimerHandle | None = None
        self._handed_over = 0.0
        self._company = False
        self._moment = _MOMENT[0]
        self._quiet: list[asyncio.Future[None]] = []
        self._held: list[Connection] = []
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._patience = Patience(self._everybody)
        self._closed = False
        self.weight = 0
        self.trouble = ""
        self.commits = 0

    def require_room(self, weight: int) -> None:
        """Refuse now what :meth:`write` would refuse: before work is put into what nobody takes.

        Raises
        ------
        TooMany
            If too much is waiting already. Alone, the largest batch is taken.
        """
        if self.weight and self.weight + weight > self._most_waiting:
            raise TooMany(
                "The store is busy.", hint="Send it again after Retry-After seconds.", retry_after=1
            )

    async def write(self, kind: str, payload: Any, weight: int = 1) -> Any:  # noqa: ANN401
        """Write a payload; return what its handler said, after the commit.

        Raises
        ------
        TooMany
            If too much is waiting already.
        Unavailable
            If the database does not take it: nothing of it is kept then. Or if it does not answer in time:
            then it may be kept, and the same sent again counts once.
        """
        loop = asyncio.get_running_loop()
        entry = self._queue(loop, kind, payload, weight, self._patience_seconds, self._give_up)
        self._plan(loop, weight)
        return await entry.written

    def _give_up(self, entry: Waiting) -> None:
        """Let who waited long enough go without an answer."""
        self.trouble = "The store does not answer in time."
        if not entry.written.done():
            entry.written.set_exception(
                Unavailable(self.trouble, hint="Send the same again: it counts once.")
            )

    def submit(
        self,
        kind: str,
        payload: Any,  # noqa: ANN401
        patience_seconds: float,
        give_up: Callable[[Waiting], None],
    ) -> Waiting:
        """Queue a payload and go on; where nobody else writes, it is on its way when this returns.

        Parameters
        ----------
        kind, payload
            What to write.
        patience_seconds, give_up
            After how long to let who waits go, and how.

        Raises
        ------
        TooMany
            If too much is waiting already.
        """
        loop = asyncio.get_running_loop()
        entry = self._queue(loop, kind, payload, 1, patience_seconds, give_up)
        if self._under_way or self._company or len(self._waiting) > 1:
            self._plan(loop, 1)
        else:
            self._hand_over(loop)
        return entry

    def _queue(
        self,
        loop: asyncio.AbstractEventLoop,
        kind: str,
        payload: Any,  # noqa: ANN401
        weight: int,
        patience_seconds: float,
        give_up: Callable[[Waiting], None],
    ) -> Waiting:
        if self._closed:
            raise Unavailable("The service is ending.", hint="Send it again to the next one.")
        self.require_room(weight)
        until = loop.time() + patience_seconds
        entry = Waiting(kind, payload, weight, loop.create_future(), until, give_up)
        self._waiting.append(entry)
        self.weight += weight
        self._patience.watch(until, loop)
        return entry

    def _everybody(self) -> Iterable[Waiting]:
        return (*self._under_way, *self._waiting)

    async def settle(self) -> None:
        """Wait until everything queued is written."""
        if self._under_way or self._waiting:
            quiet: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._quiet.append(quiet)
            await quiet

    async def close(self) -> None:
        """Write what is queued, then stop."""
        await self.settle()
        self._closed = True
        self._patience.stop()
        if self._thread is not None:
            self._work.put(None)
            self._thread.join()
            self._thread = None

    # -- on the event loop ------------------------------------------------------------------------------
    def _plan(self, loop: asyncio.AbstractEventLoop, added: int) -> None:
        """See to it that what is waiting goes off, after something of that weight was added."""
        first, now_enough = len(self._waiting) == 1, self.weight - added < _ENOUGH <= self.weight
        if not self._under_way and (first or now_enough):
            self._set_off(loop)

    def _set_off(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let what is waiting go off after this round, or when the moment for company is over."""
        if self._soon is not None:
            self._soon.cancel()
        at_once = not self._company or self.weight >= _ENOUGH
        wait = 0.0 if at_once else max(0.0, self._handed_over + self._moment - loop.time())
        self._soon = loop.call_later(wait, self._hand_over, loop)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the thread what is waiting; one group at a time."""
        group, self._waiting = self._waiting[:_MOST_IN_ONE], self._waiting[_MOST_IN_ONE:]
        self._under_way, self._soon = group, None
        self._company = len(group) > 1
        self._handed_over = loop.time()
        if self._thread is None:  # a daemon: who ends without closing has acknowledged nothing of what waits
            self._thread = threading.Thread(target=self._commit_all, name="commits", daemon=True)
            self._thread.start()
        self._work.put((group, loop))

    def _answer(
        self, group: Sequence[Waiting], loop: asyncio.AbstractEventLoop, found: Sequence[Any] | BaseException
    ) -> None:
        """Tell everybody of a group how it went, and go on with the next one."""
        self.trouble = found.what if isinstance(found, ClvError) else ""
        if isinstance(found, BaseException):
            for entry in group:
                if not entry.written.done():
                    entry.written.set_exception(_copy(found))
        else:
            for entry, result in zip(group, found, strict=True):
                if not entry.written.done():
                    entry.written.set_result(result)
        self.weight -= sum([entry.weight for entry in group])
        self._under_way = ()
        shortest, longest = _MOMENT
        self._moment = min(max(shortest, _COMMITS_APART * (loop.time() - self._handed_over)), longest)
        if self._waiting:
            self._set_off(loop)
        while self._quiet and not self._waiting:
            self._quiet.pop().set_result(None)

    # -- on the thread ----------------------------------------------------------------------------------
    def _commit_all(self) -> None:
        """Write group after group until there is nothing more to come."""
        while work := self._work.get():
            group, loop = work
            try:
                found: Sequence[Any] | BaseException = self._commit(group)
            except Exception as error:  # noqa: BLE001  (whatever it is, it is raised where they wait)
                found = error
            with contextlib.suppress(RuntimeError):  # the loop was closed, and nobody waits any more
                loop.call_soon_threadsafe(self._answer, group, loop, found)
        while self._held:
            self._held.pop().close()

    def _commit(self, group: Sequence[Waiting]) -> Sequence[Any]:
        """Write a group in one transaction."""
        kinds = {entry.kind for entry in group}
        alone = self._at_once.get(next(iter(kinds))) if len(kinds) == 1 else None
        if alone and self._database.is_sqlite and len(group) <= _MOST_AT_ONCE:
            statement, values = alone([entry.payload for entry in group])
            self._database.insert_on(self._held, statement, values)
            results: list[Any] = [None] * len(group)
        else:
            results = self._by_kind(group)
        self.commits += 1
        return results

    def _by_kind(self, group: Sequence[Waiting]) -> list[Any]:
        """Write a group kind by kind, in the order of the handlers."""
        results: list[Any] = [None] * len(group)
        with self._database.writing_on(self._held) as connection:
            for kind, handler in self._handlers.items():
                places = [place for place, entry in enumerate(group) if entry.kind == kind]
                if places:
                    answers = handler(connection, [group[place].payload for place in places])
                    for place, answer in zip(places, answers, strict=True):
                        results[place] = answer
        return results


def _copy(error: BaseException) -> BaseException:
    """Return an error of its own for each who waits: one that is raised twice would grow its traceback."""
    if isinstance(error, ClvError):
        return type(error)(error.what, where=error.where, hint=error.hint)
    return error
