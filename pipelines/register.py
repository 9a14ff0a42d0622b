"""Hand trained and judged models to the registry, and fetch champions from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import models
from clv.errors import StepError
from models.files import read_bundle
from models.registry import Registered, Registry
from pipelines.evaluation import Evaluation
from pipelines.progress import Progress, silent

NAMES: Final = {"value": "clv-value", "propensity": "clv-propensity", "topics": "clv-topics"}
_EXAMPLES: Final[dict[str, list[dict[str, object]]]] = {
    "value": [{"frequency": 2, "recency_days": 213, "age_days": 272, "monetary_value": 30.0}],
    "propensity": [{"purchases": [{"item": "milk", "day": "2026-01-05"}], "as_of": "2026-01-31", "limit": 3}],
    "topics": [{"text": "Where is my parcel?"}],
}


@dataclass(frozen=True, slots=True)
class Registration:
    """What became of a model in the registry.

    Parameters
    ----------
    name, version
        Its address there.
    new
        False if equal files from equal data had been registered before.
    promoted
        Whether it is the champion now.
    reason
        Why, or why not.
    headline
        Its error next to those of the baselines.
    champion
        Version that is the champion now; empty if there is none.
    """

    name: str
    version: str
    new: bool
    promoted: bool
    reason: str
    headline: str
    champion: str


def register(registry: Registry, folder: Path, report: Path, *, progress: Progress = silent) -> Registration:
    """Register a judged bundle, and make it the champion if its verdict allows.

    The same bundle again makes no second version; its verdict is recorded anew.

    Parameters
    ----------
    registry
        Where to.
    folder
        The sealed bundle.
    report
        What ``evaluate`` wrote about it.
    progress
        Told what is being done.

    Raises
    ------
    StepError
        If the evaluation is missing, or is about another bundle.
    """
    bundle, evaluation = read_bundle(folder), Evaluation.read(report)
    if evaluation.version != bundle.version:
        hint = "Run `clv evaluate` again."
        raise StepError("The evaluation is about another bundle.", where=str(report), hint=hint)
    name = NAMES[bundle.kind]
    progress(f"register: {name}", 0, 1)
    known = registry.find(name, bundle)
    made = known or registry.log(
        name,
        folder,
        code=Path(models.__file__).parent / f"served_{bundle.kind}.py",
        report=report,
        example=_EXAMPLES[bundle.kind],
    )
    promoted = registry.promote(name, made.version, evaluation.verdict)
    champion = registry.champion(name)
    progress(f"register: {name}", 1, 1)
    return Registration(
        name=name,
        version=made.version,
        new=known is None,
        promoted=promoted,
        reason=evaluation.verdict.reason,
        headline=evaluation.headline,
        champion="" if champion is None else champion.version,
    )


def fetch_champion(registry: Registry, kind: str, folder: Path) -> tuple[Registered, Path] | None:
    """Fetch the present champion's bundle, checked against the registry's hash; None if there is no champion.

    Parameters
    ----------
    registry
        Where from.
    kind
        ``value``, ``propensity`` or ``topics``.
    folder
        Where fetched bundles are kept, a folder per version; one that is there already is checked and reused.

    Returns
    -------
    tuple
        The registered version and the folder of its bundle.
    """
    champion = registry.champion(NAMES[kind])
    if champion is None:
        return None
    place = folder / champion.name / champion.version
    if not place.exists():
        registry.download(champion.name, champion.version, place)
    read_bundle(place)
    return champion, place
