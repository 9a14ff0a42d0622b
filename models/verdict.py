"""May this model become the champion? Never a yes or a no without its reasons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clv.errors import ModelError


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a model was held against: what, the two figures, and whether it held."""

    name: str
    passed: bool
    figure: float
    bar: float
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model may become the champion, and why.

    Parameters
    ----------
    promoted
        True if it may.
    reason
        In words; never empty.
    checks
        What was looked at.

    Examples
    --------
    >>> Verdict.deny("ranks worse than past spend")
    Verdict(promoted=False, reason='ranks worse than past spend', checks=())
    """

    promoted: bool
    reason: str
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ModelError("A verdict needs a reason.", hint="Say what was compared with what.")

    @classmethod
    def allow(cls, reason: str, checks: Iterable[Check] = ()) -> Verdict:
        """Let the model become the champion."""
        return cls(promoted=True, reason=reason, checks=tuple(checks))

    @classmethod
    def deny(cls, reason: str, checks: Iterable[Check] = ()) -> Verdict:
        """Let the champion stay."""
        return cls(promoted=False, reason=reason, checks=tuple(checks))

    @classmethod
    def of(cls, checks: Iterable[Check]) -> Verdict:
        """Allow if every check held, and give the words of those that decided it.

        Raises
        ------
        ModelError
            If nothing was checked: that is no ground for a promotion.
        """
        held = tuple(checks)
        if not held:
            raise ModelError("Nothing was checked.", hint="Compare with the baselines first.")
        failed = [check.words for check in held if not check.passed]
        if failed:
            return cls.deny("; ".join(failed), held)
        return cls.allow("; ".join(check.words for check in held), held)
