"""What the service can be asked: who is this customer, what to say next, who is in a segment.

Routes are thin; this is what they call. It holds no request and no HTTP.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from clv.errors import SnapshotError
from models.snapshot import Member, SegmentSize
from recommend.context import Context
from recommend.decision import Decision
from recommend.profile import Profile
from serving.clock import Clock
from serving.published import Publication, Shelf
from serving.refusals import NotFound
from serving.settings import Settings


@dataclass(frozen=True, slots=True)
class Seen:
    """A customer as the service sees them in this moment."""

    profile: Profile
    publication: Publication
    live: bool


class Service:
    """Answers questions from the generation in use.

    Parameters
    ----------
    settings
        Every section the service reads.
    shelf
        Holds the generation in use.
    """

    def __init__(self, settings: Settings, shelf: Shelf) -> None:
        self.settings = settings
        self.shelf = shelf
        self.clock = Clock(settings.serving.clock)

    def see(self, customer_id: str) -> Seen:
        """Return the customer's profile; the cold one for a customer nothing is known of."""
        publication = self.shelf.require()
        profile = publication.snapshot.profile(customer_id)
        if profile is None:
            profile = Profile(customer_id, self.clock.today(publication.as_of), known=False)
        return Seen(profile, publication, live=False)

    def decide(self, customer_id: str, context: Context) -> tuple[Decision, Seen]:
        """Decide what to say to a customer, if anything."""
        seen = self.see(customer_id)
        at = self.clock.now(seen.publication.as_of)
        decision = seen.publication.decider.decide(seen.profile, context, at, uuid.uuid4().hex)
        return decision, seen

    def segments(self) -> tuple[Publication, tuple[SegmentSize, ...]]:
        """Return every segment and the generation they belong to."""
        publication = self.shelf.require()
        return publication, publication.snapshot.segments()

    def segment(self, name: str) -> tuple[Publication, SegmentSize]:
        """Return one segment.

        Raises
        ------
        NotFound
            If there is none of that name.
        """
        publication, sizes = self.segments()
        for size in sizes:
            if size.name == name:
                return publication, size
        raise NotFound(f"There is no segment {name!r}.", hint="GET /v1/segments lists them.")

    def members(self, name: str, after: str | None, limit: int) -> list[Member]:
        """Return one page of a segment's customers, ordered by customer."""
        publication, _ = self.segment(name)
        return publication.snapshot.members(name, after, limit)

    def trouble(self) -> tuple[str, ...]:
        """Return what is wrong just now, in words; empty when all is well."""
        return (self.shelf.trouble,) if self.shelf.trouble else ()

    def ready(self) -> bool:
        """Return whether questions can be answered."""
        try:
            self.shelf.require()
        except SnapshotError:
            return False
        return True
