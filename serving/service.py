"""What the service can be asked: who is this customer, what to say next, who is in a segment.

Routes are thin; this is what they call. It holds no request and no HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, TypeAlias
from weakref import WeakValueDictionary

from clv.errors import SnapshotError
from models.snapshot import Member, SegmentSize
from recommend.context import Context
from recommend.decision import Decision, Stage
from recommend.listen import listen
from recommend.profile import Profile
from serving.champions import Champions
from serving.chance import CHANCE
from serving.clock import Clock
from serving.live.messages import Message
from serving.memory import Memory
from serving.metrics import Metrics
from serving.published import Publication, Shelf
from serving.refusals import NotFound
from serving.settings import Settings
from serving.store.conversations import Conversation
from serving.store.events import Taken
from serving.store.people import suppressed

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """A customer as the service sees them in this moment.

    Parameters
    ----------
    profile
        With what happened since the publication.
    publication
        The generation it stands on.
    at
        The moment, in business time.
    live
        Whether events since are counted in.
    prepared
        The candidates the publication holds for this customer; empty where something happened since.
    erased
        Whether they asked to be forgotten.
    """

    profile: Profile
    publication: Publication
    at: datetime
    live: bool
    prepared: bytes = b""
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision with what it was made from, how many it dropped by stage, and whether it is in the log."""

    decision: Decision
    seen: Seen
    dropped: Counter[Stage]
    logged: bool


Tell: TypeAlias = Callable[[Answer], bytes]
"""Puts an answer in the words it is sent in."""


class Service:
    """Answers questions from the generation in use and from what happened since.

    Parameters
    ----------
    settings
        Every section the service reads.
    shelf
        Holds the generation in use.
    memory
        The store.
    metrics
        Counts what is done, and times it.
    champions
        What the registry last said.
    """

    def __init__(
        self, settings: Settings, shelf: Shelf, memory: Memory, metrics: Metrics, champions: Champions
    ) -> None:
        self.settings = settings
        self.shelf = shelf
        self.memory = memory
        self.metrics = metrics
        self.champions = champions
        self.clock = Clock(settings.serving.clock)
        self.reading_trouble = ""
        self.closing = False
        self._talks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.noted: Publication | None = None
        self.looked_through: tuple[str, frozenset[bytes]] = ("", frozenset())
        self.owns_process = False

    # -- one customer -----------------------------------------------------------------------------------
    async def see(self, customer_id: str) -> Seen:
        """Return the customer's profile; the cold one for a customer nothing is known of."""
        started = time.perf_counter()
        publication = self.shelf.require()
        at = self.clock.now(publication.as_of)
        remembered = await self.memory.of_customer(customer_id)
        self.reading_trouble = remembered.trouble
        today = at.date() - _DAY
        found = None if remembered.erased else publication.snapshot.customer(customer_id)
        published = found.profile if found else None
        held = partial(publication.snapshot.receipts, customer_id)
        news = publication.standing.news(published, remembered.book, held)
        live = bool(remembered.book) and news.moved
        prepared = found.prepared if found and not live else b""
        if live or (published is not None and today != published.as_of):
            profile = publication.standing.now(customer_id, published, news, today)
        else:
            profile = published or Profile(customer_id, today, known=False)
        self.metrics.stages["profile"].observe(time.perf_counter() - started)
        return Seen(profile, publication, at, live=live, prepared=prepared, erased=remembered.erased)

    async def decide(self, customer_id: str, context: Context, tell: Tell, text: str = "") -> bytes:
        """Decide what to say to a customer, if anything, and log it before it is answered.

        The answer is told while the disk works, and again where the log did not take it. Of a person who
        asked to be forgotten it is logged without a name.

        Parameters
        ----------
        customer_id
            Whom.
        context
            The moment.
        tell
            Puts the answer in words.
        text
            What the customer said, to be heard and not kept.
        """
        seen = await self.see(customer_id)
        if text:
            context = hear(seen.publication, context, text)
        decision = self._decide(seen, context)
        decided = time.perf_counter()
        entry = self.memory.log(replace(decision, customer_id="") if seen.erased else decision)
        answer = Answer(decision, seen, decision.dropped(), logged=True)
        said = tell(answer)
        self.metrics.count_decision(decision, answer.dropped)
        if not await self.memory.logged(entry):
            self.metrics.decisions["not_logged"] += 1
            said = tell(replace(answer, logged=False))
        self.metrics.stages["log"].observe(time.perf_counter() - decided)
        return said

    async def decide_turn(self, turn: Conversation, context: Context, tell: Tell) -> bytes | None:
        """Decide within a conversation; the turn and the decision that answers it are kept, both or neither.

        Parameters
        ----------
        turn
            The conversation after this turn; its answer is filled in.
        context, tell
            As for :meth:`decide`.

        Returns
        -------
        bytes | None
            The answer; None if another message of the conversation was heard meanwhile. Nothing is kept then.

        Raises
        ------
        Refusal
            If the store does not take it.
        """
        seen = await self.see(turn.customer_id)
        decision = self._decide(seen, context)
        decided = time.perf_counter()
        answer = Answer(decision, seen, decision.dropped(), logged=True)
        said = tell(answer)
        if not await self.memory.keep_turn(replace(turn, answer=said), decision, erased=seen.erased):
            return None
        self.metrics.stages["log"].observe(time.perf_counter() - decided)
        self.metrics.count_decision(decision, answer.dropped)
        return said

    def _decide(self, seen: Seen, context: Context) -> Decision:
        """Decide, and time it."""
        started = time.perf_counter()
        decider = seen.publication.decider
        decision = decider.decide(seen.profile, context, seen.at, _new_id(), prepared=seen.prepared)
        self.metrics.stages["decide"].observe(time.perf_counter() - started)
        return decision

    async def take(self, messages: list[Message]) -> list[Taken]:
        """Append events; return how each was taken, after the commit."""
        taken = await self.memory.take(messages)
        for verdict in taken:
            self.metrics.events[verdict] += 1
        return taken

    def one_at_a_time(self, conversation_id: str) -> asyncio.Lock:
        """Return what lets the messages of a conversation in one after the other, in this process."""
        return self._talks.setdefault(conversation_id, asyncio.Lock())

    # -- lists ------------------------------------------------------------------------------------------
    def segments(self) -> tuple[Publication, tuple[SegmentSize, ...]]:
        """Return every segment and the generation they belong to."""
        publication = self.shelf.require()
        return publication, publication.snapshot.segments()

    def segment(self, name: str) -> tuple[Publication, SegmentSize]:
        """Return one segment, without whom was erased since it was published.

        Raises
        ------
        NotFound
            If there is none of that name.
        """
        publication, sizes = self.segments()
        size = next((size for size in sizes if size.name == name), None)
        if size is None:
            raise NotFound(f"There is no segment {name!r}.", hint="GET /v1/segments lists them.")
        if self._left_in(publication):
            members = list(self.members(publication, name))
            worth = sum(float(m.value.get("predicted_clv") or 0.0) for m in members)
            size = replace(size, customers=len(members), predicted_clv=worth)
        return publication, size

    def members(self, publication: Publication, name: str, after: str | None = None) -> Iterator[Member]:
        """Yield the customers of a segment in the order of their ids, without whom was erased since."""
        gone = self._left_in(publication)
        page = 1000
        while found := publication.snapshot.members(name, after, page):
            yield from (m for m in found if not gone or self.memory.pseudonyms.of(m.customer_id) not in gone)
            after = found[-1].customer_id

    def _left_in(self, publication: Publication) -> frozenset[bytes]:
        """Return the names of erased people whom the generation may still hold: mostly of nobody."""
        names = suppressed(self.memory.database)
        name, without = self.looked_through
        return names - without if name == publication.name else names

    # -- itself -----------------------------------------------------------------------------------------
    def trouble(self) -> tuple[str, ...]:
        """Return what is wrong just now, in words; empty when all is well."""
        store = (self.memory.trouble, self.memory.commits.trouble, self.reading_trouble)
        found = (self.shelf.trouble, self.champions.trouble, *store)
        stale = self._stale()
        return tuple(dict.fromkeys(reason for reason in (*found, stale) if reason))

    def ready(self) -> bool:
        """Return whether questions can be answered."""
        try:
            self.shelf.require()
        except SnapshotError:
            return False
        return True

    def _stale(self) -> str:
        """Return a word of warning when the numbers are older than they may be."""
        limit, publication = self.settings.serving.stale_days, self.shelf.current
        if publication is None or self.settings.serving.clock != "system":
            return ""
        age = (datetime.now(UTC).date() - publication.as_of).days
        return f"The published numbers are {age} days old." if age > limit else ""


def _new_id() -> str:
    """Return an id nobody else has; later ones sort later, so that the log grows at its end only."""
    return f"{time.time_ns() // 1_000_000:012x}{CHANCE.hex(10)}"


def hear(publication: Publication, context: Context, text: str) -> Context:
    """Return the context with what a message told; what the caller says already holds."""
    heard = listen(text, publication.lexicon, publication.topics)
    return replace(
        context,
        intent=context.intent or heard.intent,
        topic=context.topic or heard.topic,
        sentiment=heard.sentiment if context.sentiment == "neutral" else context.sentiment,
        mentions=tuple(dict.fromkeys((*heard.mentions, *context.mentions)))[:50],
    )
