"""Are the five packages ours, all five from one place, and nobody else's?

Their names are generic (``models``, ``pipelines`` ...): another distribution may install a package of the
same name over ours without a word from pip, and a folder ``models`` in the working directory may hide it.
"""

from __future__ import annotations

import importlib
from importlib.metadata import packages_distributions
from pathlib import Path

NAMES = ("clv", "recommend", "models", "pipelines", "serving")
OURS = "clv-next-best-offer"


def intruders() -> list[str]:
    """Return one sentence for each package that is not ours or not ours alone.

    Returns
    -------
    Sentences that name the intruder; empty when all is well.
    """
    return [*_misplaced(), *_shared()]


def _misplaced() -> list[str]:
    """Find packages that another folder on the path has taken the place of."""
    root = Path(importlib.import_module("clv").__file__ or "").resolve().parents[1]
    found = []
    for name in NAMES:
        actual = Path(importlib.import_module(name).__file__ or "nowhere").resolve()
        if actual != root / name / "__init__.py":
            found.append(f"`import {name}` finds {actual}, not {root / name / '__init__.py'}")
    return found


def _shared() -> list[str]:
    """Find packages that a second installed distribution claims."""
    owners = packages_distributions()
    return [
        f"package {name} is also installed by {', '.join(others)}"
        for name in NAMES
        if (others := sorted(set(owners.get(name, [])) - {OURS}))
    ]
