"""How a model did and whether it may become the champion: what evaluate writes and register reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from clv.errors import StepError
from models.card import Comparison
from models.verdict import Check, Verdict

FILE: Final = "evaluation.json"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a model did, and whether it may become the champion.

    Parameters
    ----------
    kind
        ``value``, ``propensity`` or ``topics``.
    version
        Content version of the bundle that was judged.
    comparisons
        Tables of figures: the model first, then what it was compared with.
    metrics
        The same figures by name, for the registry.
    headline
        One line for a summary table: its error next to those of the baselines.
    verdict
        May it become the champion, and why.
    """

    kind: str
    version: str
    comparisons: tuple[Comparison, ...]
    metrics: dict[str, float]
    headline: str
    verdict: Verdict

    def write(self, folder: Path) -> None:
        """Keep it in the report's folder."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Evaluation:
        """Read what :meth:`write` kept.

        Raises
        ------
        StepError
            If nothing was evaluated there, or the file is broken.
        """
        path = folder / FILE
        try:
            return _evaluation(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            hint = "Run `clv evaluate` first."
            raise StepError("There is no evaluation.", where=str(path), hint=hint) from error


def _evaluation(raw: Mapping[str, Any]) -> Evaluation:
    verdict = raw["verdict"]
    checks = tuple(Check(**check) for check in verdict["checks"])
    tables = tuple(
        Comparison(
            one["title"], tuple(one["columns"]), {name: tuple(row) for name, row in one["rows"].items()}
        )
        for one in raw["comparisons"]
    )
    return Evaluation(
        kind=raw["kind"],
        version=raw["version"],
        comparisons=tables,
        metrics=raw["metrics"],
        headline=raw["headline"],
        verdict=Verdict(verdict["promoted"], verdict["reason"], checks),
    )
