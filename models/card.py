"""What should a person know before trusting this model? One page, from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from models.bundle import Bundle
from models.verdict import Verdict

CARD: Final = "model_card.md"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the model and what it was compared with did on days nobody had seen.

    Parameters
    ----------
    title
        What was measured on which days.
    columns
        Names of the figures.
    rows
        Figures by competitor, the model first.
    """

    title: str
    columns: tuple[str, ...]
    rows: Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a model is for, what it is not for, and where it is weak."""

    title: str
    answers: str
    not_for: str
    limits: tuple[str, ...]


def write_card(
    bundle: Bundle, purpose: Purpose, comparisons: Sequence[Comparison], verdict: Verdict | None = None
) -> str:
    """Return the model card as Markdown.

    Examples
    --------
    >>> from datetime import date
    >>> bundle = Bundle("value", "00ff", (1, 0), date(2026, 1, 31), "abc")
    >>> purpose = Purpose("Lifetime value", "What will they spend?", "Credit decisions.", ("No seasons.",))
    >>> table = Comparison("To 2026-01-31", ("bias",), {"model": (0.014,), "past rate": (1.66,)})
    >>> print(write_card(bundle, purpose, [table]).split("## How")[1])
     it was judged
    <BLANKLINE>
    To 2026-01-31
    <BLANKLINE>
    | | bias |
    |---|---|
    | model | 0.014 |
    | past rate | 1.660 |
    <BLANKLINE>
    ## Where it is weak
    <BLANKLINE>
    - No seasons.
    <BLANKLINE>
    """
    parts = [
        f"# {purpose.title}",
        f"**What it answers.** {purpose.answers}",
        f"**What it is not for.** {purpose.not_for}",
        "## What it was made from",
        _facts(bundle),
        "## How it was judged",
        *[_table(one) for one in comparisons],
    ]
    if verdict is not None:
        word = "Promoted" if verdict.promoted else "Not promoted"
        parts += [f"**{word}**, because: {verdict.reason}."]
    parts += ["## Where it is weak", "\n".join(f"- {limit}" for limit in purpose.limits)]
    return "\n\n".join(parts) + "\n"


def _facts(bundle: Bundle) -> str:
    facts = {
        "Last day seen": bundle.as_of.isoformat(),
        "Data fingerprint": f"`{bundle.fingerprint[:16]}`",
        "Content version": f"`{bundle.version}`",
        **bundle.facts,
    }
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def _table(comparison: Comparison) -> str:
    head = " | ".join(comparison.columns)
    lines = [comparison.title, "", f"| | {head} |", "|---" * (len(comparison.columns) + 1) + "|"]
    for name, figures in comparison.rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
    return "\n".join(lines)
