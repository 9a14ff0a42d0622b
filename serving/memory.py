"""What the service keeps: its store, the one writer, and the quick read every question makes."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, select

from models.forgotten import Pseudonyms
from recommend.decision import Decision
from serving.live.book import Book
from serving.live.messages import Message, micros
from serving.published import Publication
from serving.refusals import Refusal, Unavailable
from serving.settings import Settings
from serving.store import conversations, decisions, events, generations, lookups, people, retention, trail
from serving.store.commits import Commits, Handler
from serving.store.database import Database, Row
from serving.store.patience import Waiting
from serving.store.tables import decisions as decision_table
from serving.store.tables import profiles, suppressions

_SHORT_PATIENCE: Final = 0.05  # seconds an answer waits for its log while the store is known to be in trouble
_MANY_COMMITS: Final = 50
_BREATH: Final = 0.02  # seconds between two parts of what is forgotten
_WHOM: Final = [column.name for column in decision_table.columns].index("customer_id")
_MOST_LATER: Final = 10_000
_QUICK: Final = """
    SELECT (SELECT book FROM profiles WHERE customer_id = ?1),
           EXISTS (SELECT 1 FROM suppressions WHERE digest = ?2)"""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the store says of a customer."""

    book: Book
    erased: bool = False
    trouble: str = ""


class Memory:
    """The store as the service uses it.

    Parameters
    ----------
    settings
        Every section the service reads.
    secret
        Of this installation.
    """

    def __init__(self, settings: Settings, secret: bytes) -> None:
        self.database = Database(settings.store_url, settings.store.wait_seconds)
        self.pseudonyms = Pseudonyms(secret)
        self.trail = trail.Trail(secret)
        self.log_wait_seconds = settings.store.log_wait_seconds
        self.keep_days = settings.store.keep_days
        self._tidied = 0
        self._later: deque[Row] = deque(maxlen=_MOST_LATER)
        self.trouble = ""
        log = events.EventLog(self.pseudonyms)
        handlers: Mapping[str, Handler] = {
            "erasures": self._erase,  # first: who holds back erasures must not wait for those of others
            "events": log.append,
            "decisions": decisions.log_decisions,
            "turns": conversations.keep,
            "deeds": self.trail.append,
            "generations": _note,
            "lookups": lookups.note_lookups,
            "forgetting": retention.forget_old,
            "forgetting lookups": retention.forget_lookups,
        }
        at_once = {"decisions": decisions.log_at_once}
        self.commits = Commits(
            self.database,
            handlers,
            settings.store.most_waiting,
            at_once,
            settings.store.write_wait_seconds,
        )

    def open(self) -> None:
        """Bring the layout up to date; a store that is down is noted and tried again later.

        Raises
        ------
        SettingError
            If another secret sealed the store.
        """
        try:
            self.database.upgrade()
            self.trail.claim(self.database, time.time_ns() // 1000)
        except Unavailable as error:
            self.trouble = error.what
        else:
            self.trouble = ""

    async def close(self) -> None:
        """Write what is queued and let go of the store."""
        await self.commits.close()
        self.database.close()

    # -- reading ----------------------------------------------------------------------------------------
    async def of_customer(self, customer_id: str) -> Remembered:
        """Return a customer's book; an empty one, with the trouble, when the store cannot be read."""
        name = self.pseudonyms.of(customer_id)
        try:
            if self.database.is_sqlite:
                row = self.database.quick().execute(_QUICK, (customer_id, name)).fetchone()
            else:
                row = await asyncio.to_thread(self._look_up, customer_id, name)
        except (sqlite3.Error, Unavailable):
            return Remembered(Book(), trouble="The store cannot be read: answers show what was published.")
        book = Book.from_bytes(bytes(row[0])) if row[0] is not None else Book()
        return Remembered(book, bool(row[1]))

    def _look_up(self, customer_id: str, name: bytes) -> tuple[Any, bool]:
        book = select(profiles.c.book).where(profiles.c.customer_id == customer_id).scalar_subquery()
        gone = select(suppressions.c.at).where(suppressions.c.digest == name).exists()
        found = self.database.few_rows(select(book, gone))[0]
        return found[0], bool(found[1])

    # -- writing ----------------------------------------------------------------------------------------
    async def take(self, messages: Sequence[Message]) -> list[events.Taken]:
        """Append events; return how each was taken, after the commit."""
        received = micros(datetime.now(UTC))
        taken: list[events.Taken] = await self.commits.write("events", (messages, received), len(messages))
        return taken

    def log(self, decision: Decision) -> Waiting | None:
        """Hand a decision to the log; None if it cannot take it now, and will later.

        Nothing is answered before :meth:`logged` says how it went; what is done meanwhile costs no time.
        """
        row = decisions.as_row(decision, time.time_ns() // 1000)
        try:
            return self.commits.submit("decisions", row, self._patience, self._go_on_without)
        except Refusal:
            self._later.append(row)
            return None

    async def logged(self, entry: Waiting | None) -> bool:
        """Return whether a decision is in the log; False if the store did not take it in time.

        When the store is in trouble hints go on: the answer then says it was not logged.

        Parameters
        ----------
        entry
            What :meth:`log` returned.
        """
        in_time = False
        if entry is not None:
            try:
                in_time = await entry.written is None
            except Refusal:
                self._later.append(entry.payload)
        return in_time

    async def keep_turn(self, turn: conversations.Conversation, decision: Decision, *, erased: bool) -> bool:
        """Keep a turn of a conversation and log the decision that answers it: both or neither.

        Of a person who asked to be forgotten only the decision is logged, without a name.

        Parameters
        ----------
        turn
            The conversation after it.
        decision
            What was decided.
        erased
            Whether they had asked to be forgotten when it was decided; whether they did since is looked up.

        Returns
        -------
        bool
            False if another turn came first.

        Raises
        ------
        Refusal
            If the store does not take it: nothing is kept then, or it may be if it does not answer in time.
        """
        logged_at = time.time_ns() // 1000
        if erased or (await self.of_customer(turn.customer_id)).erased:
            nameless = decisions.as_row(replace(decision, customer_id=""), logged_at)
            await self.commits.write("decisions", nameless)
            return True
        return bool(await self.commits.write("turns", (turn, decisions.as_row(decision, logged_at))))

    async def note_lookup(self, lookup: lookups.Lookup) -> list[lookups.Lookup] | None:
        """Note that somebody asked about a customer; return all they asked within the hour, or None.

        None is for a store that does not take it soon: questions go on without it.
        """
        try:
            entry = self.commits.submit("lookups", lookup, self._patience, _let_go)
            if await entry.written is not None:
                return None
            return await asyncio.to_thread(
                lookups.looked_up, self.database, lookup.who, lookup.at - lookups.HOUR
            )
        except Refusal:
            return None

    @property
    def _patience(self) -> float:
        """Seconds an answer waits for the store."""
        return _SHORT_PATIENCE if self.commits.trouble else self.log_wait_seconds

    def _go_on_without(self, entry: Waiting) -> None:
        """Let an answer go that waited long enough; its log is still written, or kept for later."""
        waiting = entry.written
        entry.written = waiting.get_loop().create_future()
        entry.written.add_done_callback(partial(self._keep_for_later, entry.payload))
        if not waiting.done():
            waiting.set_result(False)

    async def tidy(self) -> None:
        """Move what was committed since the last time out of SQLite's write-ahead log, if there is much."""
        if self.commits.commits - self._tidied < _MANY_COMMITS:
            return
        self._tidied = self.commits.commits
        with contextlib.suppress(Unavailable):  # the next write says what is wrong, or the next round does it
            await asyncio.to_thread(self.database.tidy)

    async def forget_old(self, now: datetime) -> int:
        """Forget what is older than it is to be kept; return how many rows went.

        A little at a time, with room for whoever writes in between; it takes nobody's place in the queue.

        Parameters
        ----------
        now
            The wall clock.

        Raises
        ------
        Refusal
            If the store does not take it now: what went until then is gone, the rest is for the next time.
        """
        gone = await self._forget_all("forgetting lookups", micros(now) - lookups.HOUR)
        if self.keep_days is not None:
            gone += await self._forget_all("forgetting", retention.cutoff(now, self.keep_days))
        return gone

    async def _forget_all(self, kind: str, before: int) -> int:
        gone = 0
        while found := int(await self.commits.write(kind, before, weight=0)):
            gone += found
            await asyncio.sleep(_BREATH)
        return gone

    async def recover(self) -> None:
        """Bring back a store that was down, and write the decisions it did not take."""
        if self.trouble:
            await asyncio.to_thread(self.open)
        while self._later:
            row = self._later[0]
            if (await self.of_customer(str(row[_WHOM]))).erased:  # since it was decided
                row = (*row[:_WHOM], "", *row[_WHOM + 1 :])
            try:
                await self.commits.write("decisions", row)
            except Refusal:
                return
            self._later.popleft()

    def _keep_for_later(self, row: Row, written: asyncio.Future[Any]) -> None:
        """Keep a decision the store refused; the oldest give way when there are too many."""
        if not written.cancelled() and written.exception() is not None:
            self._later.append(row)

    async def note_publication(self, publication: Publication) -> None:
        """Keep the offers, policies and segments of a generation that came into use."""
        snapshot = publication.snapshot
        documents = {
            "offers": publication.catalogue.as_json(),
            "policies": snapshot.document("policies"),
            "segments": [asdict(size) for size in snapshot.segments()],
        }
        await self.commits.write(
            "generations",
            {
                "name": publication.name,
                "as_of": publication.as_of.isoformat(),
                "at": time.time_ns() // 1000,
                "facts": snapshot.manifest.facts,
                "documents": documents,
            },
        )

    async def note(self, actor: str, action: str, subject: str, detail: str = "") -> None:
        """Put a deed on the audit trail."""
        deed = trail.Deed(time.time_ns() // 1000, actor, action, subject, detail)
        await self.commits.write("deeds", deed)

    def _erase(self, connection: Connection, whom: Sequence[tuple[str, int]]) -> list[dict[str, int]]:
        return [people.erase(connection, who, self.pseudonyms.of(who), at) for who, at in whom]


def _let_go(entry: Waiting) -> None:
    """Let go who waited long enough; what they wrote may still come."""
    if not entry.written.done():
        entry.written.set_result(False)


def _note(connection: Connection, found: Sequence[dict[str, Any]]) -> list[None]:
    for one in found:
        generations.note_generation(connection, **one)
    return [None] * len(found)
