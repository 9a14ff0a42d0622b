"""Many writers, one commit: what arrives while a commit is under way shares the next one.

A commit with synchronous FULL costs the same for one row as for a hundred. All writing is done by one thread,
so the event loop never waits for the disk, and nothing is answered before it is committed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from sqlalchemy import Connection

from clv.errors import ClvError
from serving.refusals import TooMany
from serving.store.database import Database

Handler = Callable[[Connection, Sequence[Any]], Sequence[Any]]
_MOST_IN_ONE: Final = 256


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
    """

    def __init__(self, database: Database, handlers: Mapping[str, Handler], most_waiting: int) -> None:
        self._database = database
        self._handlers = handlers
        self._most_waiting = most_waiting
        self._waiting: list[tuple[str, Any, int, asyncio.Future[Any]]] = []
        self._draining: asyncio.Task[None] | None = None
        self._held: list[Connection] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commits")
        self.weight = 0
        self.trouble = ""
        self.commits = 0
        self.seconds = 0.0

    async def write(self, kind: str, payload: Any, weight: int = 1) -> Any:  # noqa: ANN401
        """Write a payload; return what its handler said, after the commit.

        Raises
        ------
        TooMany
            If too much is waiting already.
        Unavailable
            If the database does not take it; nothing of it is kept then.
        """
        if self.weight + weight > self._most_waiting:
            raise TooMany(
                "The store is busy.", hint="Send it again after Retry-After seconds.", retry_after=1
            )
        result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((kind, payload, weight, result))
        self.weight += weight
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await result

    async def settle(self) -> None:
        """Wait until everything queued is written."""
        if self._draining is not None:
            await asyncio.gather(self._draining, return_exceptions=True)

    async def close(self) -> None:
        """Write what is queued, then stop."""
        await self.settle()
        self._thread.submit(self._let_go).result()
        self._thread.shutdown()

    def _let_go(self) -> None:
        while self._held:
            self._held.pop().close()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting[:_MOST_IN_ONE], self._waiting[_MOST_IN_ONE:]
            try:
                results = await loop.run_in_executor(self._thread, self._commit, group)
            except ClvError as error:
                self.trouble = error.what
                for *_, future in group:
                    if not future.done():
                        future.set_exception(type(error)(error.what, where=error.where, hint=error.hint))
            else:
                self.trouble = ""
                for (*_, future), result in zip(group, results, strict=True):
                    if not future.done():
                        future.set_result(result)
            self.weight -= sum(weight for _, _, weight, _ in group)

    def _commit(self, group: Sequence[tuple[str, Any, int, asyncio.Future[Any]]]) -> list[Any]:
        """Write a group in one transaction, kind by kind."""
        started = time.perf_counter()
        results: list[Any] = [None] * len(group)
        with self._database.writing_on(self._held) as connection:
            for kind, handler in self._handlers.items():
                places = [place for place, entry in enumerate(group) if entry[0] == kind]
                if places:
                    answers = handler(connection, [group[place][1] for place in places])
                    for place, answer in zip(places, answers, strict=True):
                        results[place] = answer
        self.commits += 1
        self.seconds += time.perf_counter() - started
        return results
