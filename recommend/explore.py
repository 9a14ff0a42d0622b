"""Trying what is not known to be best, with the exact probability of everything that is said.

An explorer turns the offers that passed every policy into a *lottery* over slates. The lottery draws a slate,
and says how probable each of its places was given those before it; the product is the probability of the
slate. Both come from one definition: what is logged is what happens, and other policies can be judged by it.

The draw follows from the explorer's seed and the decision's id: asked again, it says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtri

from clv.errors import SettingError
from recommend.records import from_plain
from recommend.slate import Explorer, Option, Seat, Seats, Selection, best

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.intp]
Places: TypeAlias = tuple[int, ...]

_CERTAIN: Final = 1e-9  # propensities are kept this far from 0 and 1


class Lottery(Protocol):
    """A distribution over slates."""

    def draw(self, random: np.random.Generator) -> Places:
        """Return one slate, by index into the options."""
        ...

    def beginnings(self, slate: Places) -> list[float]:
        """Return the probability that a slate begins with the first one, first two ... of these."""
        ...


def select(lottery: Lottery, name: str, seed: int, key: str) -> Selection:
    """Draw a slate for a decision, with the probability of each place given those before it."""
    number = int.from_bytes(blake2b(key.encode(), digest_size=8).digest())
    slate = lottery.draw(np.random.default_rng([seed, number]))
    return Selection(slate, conditional(lottery.beginnings(slate)), name)


def conditional(beginnings: Sequence[float]) -> tuple[float, ...]:
    """Return each beginning's probability given the one before it."""
    return tuple(now / then for now, then in zip(beginnings, (1.0, *beginnings), strict=False))


# -- explorers --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EpsilonGreedy:
    """The best slate, but with probability ``epsilon`` one drawn evenly from what is eligible.

    Parameters
    ----------
    epsilon
        0 to 1.
    seed
        Of the draw.
    """

    epsilon: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        if not 0 <= self.epsilon <= 1:
            raise SettingError(f"Epsilon is {self.epsilon}.", where="explorer.epsilon", hint="0 to 1.")

    def lottery(self, options: Sequence[Option], seats: Seats) -> Lottery:
        """Return the distribution over slates."""
        options = list(options)
        return Mixture(
            (
                (1 - self.epsilon, Certain(options, seats)),
                (self.epsilon, Urn(options, seats, np.ones(len(options)))),
            )
        )

    def select(self, options: Sequence[Option], seats: Seats, key: str) -> Selection:
        """Return the slate of a decision."""
        return select(self.lottery(options, seats), f"epsilon-greedy {self.epsilon:g}", self.seed, key)


@dataclass(frozen=True, slots=True)
class PlackettLuce:
    """Places filled one after the other, each in proportion to priority ^ (1 / temperature) of who is left.

    Parameters
    ----------
    temperature
        Above 0: towards 0 the best slate, at 1 in proportion to priority, above it flatter.
    seed
        Of the draw.
    """

    temperature: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a temperature of nothing."""
        if not self.temperature > 0:
            raise SettingError(
                f"The temperature is {self.temperature}.", where="explorer.temperature", hint="Above 0."
            )

    def lottery(self, options: Sequence[Option], seats: Seats) -> Lottery:
        """Return the distribution over slates."""
        options = list(options)
        priority = np.array([option.priority for option in options], dtype=np.float64)
        top = priority.max(initial=0.0)
        weights = np.ones_like(priority) if top <= 0 else (priority / top) ** (1 / self.temperature)
        return Urn(options, seats, weights)

    def select(self, options: Sequence[Option], seats: Seats, key: str) -> Selection:
        """Return the slate of a decision."""
        return select(self.lottery(options, seats), f"plackett-luce {self.temperature:g}", self.seed, key)


@dataclass(frozen=True, slots=True)
class Thompson:
    """The slate that would be best if each propensity were a draw from what is believed of it.

    The belief about a propensity p that rests on n presentations is normal in its log-odds, with variance
    1 / (n p (1 - p)), cut into ``atoms`` equally probable values. That makes the distribution over slates
    finite, and its probabilities exact.

    Parameters
    ----------
    evidence
        Presentations a propensity counts for where its own are fewer or unknown.
    atoms
        Values per belief.
    most
        Offers drawn from, the best by priority; the others are never chosen.
    seed
        Of the draw.
    """

    evidence: float = 200.0
    atoms: int = 24
    most: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a belief that cannot be drawn from."""
        if not self.evidence > 0 or self.atoms < 2 or self.most < 1:
            raise SettingError(
                "Evidence must be above 0, atoms at least 2, most at least 1.", where="explorer"
            )

    def lottery(self, options: Sequence[Option], seats: Seats) -> Lottery:
        """Return the distribution over slates."""
        drawn = options[: self.most]
        return Contest(drawn, seats, self.beliefs(drawn))

    def beliefs(self, options: Sequence[Option]) -> Floats:
        """Return the equally probable priorities of each option, shape (options, atoms), ascending."""
        p = np.array([option.propensity for option in options]).clip(_CERTAIN, 1 - _CERTAIN)
        n = np.array([max(option.evidence, self.evidence) for option in options])
        scale = np.array([option.scale for option in options])
        spread = 1 / np.sqrt(n * p * (1 - p))
        z = ndtri((np.arange(self.atoms) + 0.5) / self.atoms)
        beliefs: Floats = scale[:, None] * expit(logit(p)[:, None] + spread[:, None] * z)
        return beliefs

    def select(self, options: Sequence[Option], seats: Seats, key: str) -> Selection:
        """Return the slate of a decision."""
        return select(self.lottery(options, seats), f"thompson {self.evidence:g}", self.seed, key)


def explorer_from(raw: Mapping[str, Any]) -> Explorer | None:
    """Return an explorer from plain values: its ``kind`` and its own settings.

    Examples
    --------
    >>> explorer_from({"kind": "epsilon_greedy", "epsilon": 0.1})
    EpsilonGreedy(epsilon=0.1, seed=0)
    >>> explorer_from({}) is None
    True
    """
    kinds: Mapping[str, type[EpsilonGreedy] | type[PlackettLuce] | type[Thompson]] = {
        "epsilon_greedy": EpsilonGreedy,
        "plackett_luce": PlackettLuce,
        "thompson": Thompson,
    }
    kind = raw.get("kind", "none")
    if kind == "none":
        return None
    if kind not in kinds:
        raise SettingError(
            f"Unknown explorer {kind!r}.", where="explorer.kind", hint=f"none, {', '.join(kinds)}."
        )
    return from_plain(kinds[kind], {name: v for name, v in raw.items() if name != "kind"}, "explorer")


# -- lotteries --------------------------------------------------------------------------------------------


class Certain:
    """The best slate, always."""

    def __init__(self, options: Sequence[Option], seats: Seats) -> None:
        self.slate = best(options, seats.copy())

    def draw(self, random: np.random.Generator) -> Places:
        """Return the best slate."""
        del random
        return self.slate

    def beginnings(self, slate: Places) -> list[float]:
        """Return 1 as long as a slate agrees with the best one."""
        return [float(slate[:n] == self.slate[:n]) for n in range(1, len(slate) + 1)]


class Mixture:
    """One lottery or another, each with its share."""

    def __init__(self, parts: Sequence[tuple[float, Lottery]]) -> None:
        self.parts = parts

    def draw(self, random: np.random.Generator) -> Places:
        """Draw a lottery, and a slate from it."""
        left = random.random()
        for share, part in self.parts:
            left -= share
            if left < 0:
                return part.draw(random)
        return self.parts[-1][1].draw(random)

    def beginnings(self, slate: Places) -> list[float]:
        """Return the shares' sum."""
        each = [[share * p for p in part.beginnings(slate)] for share, part in self.parts]
        return [sum(column) for column in zip(*each, strict=True)]


class Urn:
    """Places filled one after the other, each in proportion to the weights of who may still sit down."""

    def __init__(self, options: Sequence[Option], seats: Seats, weights: Floats) -> None:
        self.seats, self.weights = seats, weights.tolist()
        self.sitters = [Seat(option.kind, option.item) for option in options]
        self._known: dict[Places, dict[int, float]] = {}

    def _shares(self, seats: Seats, seated: Places) -> dict[int, float]:
        """Return the probability of each option for the next place; none if nobody may sit down."""
        if not seats.free:
            return {}
        if seated not in self._known:
            full, items = seats.full_kinds(), seats.items
            may = [
                index
                for index, (kind, item) in enumerate(self.sitters)
                if kind not in full and item not in items and index not in seated
            ]
            weights = [self.weights[index] for index in may]
            total = sum(weights)
            shares = [weight / total if total > 0 else 1 / len(may) for weight in weights]
            self._known[seated] = dict(zip(may, shares, strict=True))
        return self._known[seated]

    def draw(self, random: np.random.Generator) -> Places:
        """Draw place after place until no place is free or nobody may sit down."""
        seats = self.seats.copy()
        seated: Places = ()
        while shares := self._shares(seats, seated):
            left = random.random()
            for index, share in shares.items():  # noqa: B007  (the last one takes what rounding leaves)
                left -= share
                if left < 0:
                    break
            seats.take(self.sitters[index])
            seated = (*seated, index)
        return seated

    def beginnings(self, slate: Places) -> list[float]:
        """Return the running product of the shares."""
        seats, probability, found = self.seats.copy(), 1.0, []
        for place, index in enumerate(slate):
            probability *= self._shares(seats, slate[:place]).get(index, 0.0)
            seats.take(self.sitters[index])
            found.append(probability)
        return found


class Contest:
    """Every option draws one of its values; who draws highest sits first, and the better of equals."""

    def __init__(self, options: Sequence[Option], seats: Seats, beliefs: Floats) -> None:
        self.options, self.seats, self.beliefs = options, seats, beliefs

    def draw(self, random: np.random.Generator) -> Places:
        """Draw every option's value and seat them in that order."""
        n, atoms = self.beliefs.shape
        values = self.beliefs[np.arange(n), random.integers(atoms, size=n)]
        order = np.argsort(-values, kind="stable").tolist()
        chosen = best([self.options[i] for i in order], self.seats.copy())
        return tuple(order[place] for place in chosen)

    def beginnings(self, slate: Places) -> list[float]:
        """Return exact probabilities by summing over all values of those seated.

        With every value of every option in one ascending row, option j lies below a place in that row with
        the probability F_j(place), the share of its values before it. A slate s1, s2 ... comes about if
        s1 > s2 > ... and every other option lies below the last one chosen while it still might sit down.
        """
        if not slate:
            return []
        n, atoms = self.beliefs.shape
        owner = self._owners()
        below = np.cumsum(owner == np.arange(n)[:, None], axis=1) / atoms
        out_after = self._out_after(slate)
        return [
            self._probability(slate[:length], owner, below, out_after) for length in range(1, len(slate) + 1)
        ]

    def _owners(self) -> Ints:
        """Return whose value stands at each place of the ascending row, the better of equals later."""
        n, atoms = self.beliefs.shape
        owner = np.repeat(np.arange(n), atoms)
        row: Ints = owner[np.lexsort((-owner, self.beliefs.ravel()))]
        return row

    def _out_after(self, slate: Places) -> Ints:
        """Return after how many seats each option could no longer sit down; 0 if it never could."""
        seats = self.seats.copy()
        found = np.full(len(self.options), len(slate) + 1)
        for place, index in enumerate((None, *slate)):
            if index is not None:
                seats.take(self.options[index])
            for i, option in enumerate(self.options):
                if found[i] > place and not seats.admits(option):
                    found[i] = place
        return found

    def _probability(self, slate: Places, owner: Ints, below: Floats, out_after: Ints) -> float:
        atoms = self.beliefs.shape[1]
        behind = np.minimum(out_after, len(slate))
        behind[list(slate)] = 0  # those seated are not beaten, they line up
        lower, total = np.ones(len(owner)), 1.0  # of the later seats falling into line below each place
        for place in range(len(slate), 0, -1):
            beaten = below[behind == place].prod(axis=0)
            mass = (owner == slate[place - 1]) * beaten * lower / atoms
            lower = np.cumsum(mass)
            total = float(mass.sum())
        return total
