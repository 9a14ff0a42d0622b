"""Which published generation answers: opened aside, tried out, and put in place by one assignment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Protocol

from clv.errors import ClvError, SnapshotError
from models.generation import pointed_at
from models.snapshot import Snapshot
from recommend.catalogue import Catalogue
from recommend.context import Context
from recommend.decision import Decision
from recommend.lexicon import Lexicon
from recommend.profile import Profile
from recommend.topics import TopicModel
from serving.champions import Champion, Champions
from serving.live.standing import Standing


class Decider(Protocol):
    """Whatever turns a profile and a moment into a decision."""

    def decide(
        self, profile: Profile, context: Context, at: datetime, decision_id: str, *, prepared: bytes = b""
    ) -> Decision:
        """Decide what to say, if anything.

        ``prepared`` are the candidates the publication holds for this customer; nothing where something
        happened since. The answer is the same with them and without, only sooner.
        """
        ...


@dataclass(frozen=True, slots=True)
class Publication:
    """One generation, opened, with the engine built from its models, offers and policies.

    Parameters
    ----------
    snapshot
        Profiles, segments and lists.
    decider
        The engine of this generation.
    catalogue
        Every offer it may make, for their names.
    standing
        Brings a published profile up to this moment.
    lexicon
        Hears what a message is about.
    value_model, propensity_model
        Name and version of the models the numbers come from; empty if the generation has none.
    private_segments
        Segments whose rule looks at what an agent must not see: never named beside a customer.
    topics
        Learnt from labelled messages; where it is sure, its word counts before the dictionaries'.
    topics_model
        Name and version of it; empty if there is none.
    """

    snapshot: Snapshot
    decider: Decider
    catalogue: Catalogue
    standing: Standing
    lexicon: Lexicon
    value_model: str = ""
    propensity_model: str = ""
    private_segments: frozenset[str] = frozenset()
    topics: TopicModel | None = None
    topics_model: str = ""

    @property
    def name(self) -> str:
        """Name of the generation."""
        return self.snapshot.manifest.name

    @property
    def as_of(self) -> date:
        """Last day its numbers saw."""
        return self.snapshot.manifest.as_of

    def shown(self, segments: tuple[str, ...]) -> tuple[str, ...]:
        """Return the segments that may be named beside a customer."""
        return tuple(name for name in segments if name not in self.private_segments)

    @property
    def models(self) -> dict[str, str]:
        """Versions by model, without those that are absent."""
        named = (self.value_model, self.propensity_model, self.topics_model)
        return dict(model.rsplit("/", 1) for model in named if "/" in model)


_TRIPPED: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
Opener = Callable[..., Publication]
"""Opens the current generation under a root; a champion, where there is one, is the second argument."""


def try_out(publication: Publication) -> None:
    """Ask a generation one question before anybody else does.

    Raises
    ------
    SnapshotError
        If it trips over the question, or has neither a hint nor a reason for silence for an unknown customer.
    """
    nobody = Profile("", publication.as_of, known=False)
    try:
        decision = publication.decider.decide(nobody, Context(), datetime.now(UTC), "self-test")
    except _TRIPPED as error:
        what = f"The self-test tripped: {type(error).__name__}."
        raise SnapshotError(what, where=publication.name) from error
    if not decision.hints and not decision.silence:
        raise SnapshotError("The self-test gave neither a hint nor a reason.", where=publication.name)


class Shelf:
    """Holds the generation in use and looks for newer ones; a broken newer one leaves the last good in place.

    Parameters
    ----------
    root
        Folder of the published generations.
    opener
        Opens the current generation under a root and builds its engine.
    champions
        Says whether the registry has another propensity model.
    """

    def __init__(self, root: Path, opener: Opener, champions: Champions) -> None:
        self._root = root
        self._opener = opener
        self._champions = champions
        self._in_use: Champion | None = None
        self._pointer: tuple[str, str] | None = None
        self._loaded_at = 0.0
        self.current: Publication | None = None
        self.trouble = ""  # told to whoever asks, so without a path
        self.trouble_in_full = ""
        self.swaps = 0

    @property
    def age_seconds(self) -> float:
        """Seconds since the generation in use was put in place."""
        return time.monotonic() - self._loaded_at if self.current else 0.0

    @property
    def sequence(self) -> int:
        """Running number of the generation in use; 0 before the first."""
        return self.current.snapshot.manifest.sequence if self.current else 0

    def require(self) -> Publication:
        """Return the generation in use.

        Raises
        ------
        SnapshotError
            If nothing was published yet.
        """
        if self.current is None:
            raise SnapshotError(
                self.trouble or "Nothing was published yet.", hint="Run the publish step, then ask again."
            )
        return self.current

    def refresh(self) -> bool:
        """Open the newest generation if it is not the one in use; return whether it was put in place.

        Never raises for a broken publication: the trouble is noted and the last good one stays.
        """
        champion = self._champions.propensity
        try:
            pointer = pointed_at(self._root)
            if pointer is None:
                raise SnapshotError("Nothing was published yet.", where=str(self._root))
            if pointer == self._pointer and champion == self._in_use:
                return False
            publication = self._opener(self._root, champion) if champion else self._opener(self._root)
            try_out(publication)
        except ClvError as error:
            self._refuse(champion, error)
            return False
        except OSError as error:
            what = f"The newest generation cannot be read: {error.strerror}."
            self._refuse(champion, SnapshotError(what, where=str(error.filename)))
            return False
        self.current = publication
        self._pointer, self._in_use = pointer, champion
        self._loaded_at = time.monotonic()
        self.trouble = ""
        self.swaps += 1
        return True

    def _refuse(self, champion: Champion | None, error: ClvError) -> None:
        """Note what is wrong; a champion that cannot be used is given back for the last good model."""
        if champion is not None and champion != self._in_use:
            self._champions.refuse(champion, self._in_use, error)
        else:
            self.trouble, self.trouble_in_full = error.what, str(error)
