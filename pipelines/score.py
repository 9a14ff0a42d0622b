"""What is every customer worth as of a day, and which lists and tags are they on?"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from clv.columns import CUSTOMER_ID, PREDICTED_CLV
from clv.errors import StepError
from clv.valuation import ValueModel
from pipelines.progress import Progress, silent
from recommend.affinity import Reach
from recommend.segments import SegmentModel

CUSTOMERS: Final = "customers.parquet"
SEGMENTS: Final = "segments.json"
MEMBERS: Final = "segments.parquet"


@dataclass(frozen=True, slots=True)
class Scored:
    """What a scoring made: how many customers, what they are worth together, where it lies."""

    customers: int
    predicted_clv: float
    segments: int
    folder: Path


def score(
    features: pd.DataFrame,
    value_model: ValueModel,
    as_of: date,
    folder: Path,
    *,
    horizon_days: int = 365,
    interactions: pd.DataFrame | None = None,
    zone: str = "UTC",
    audiences: Sequence[Mapping[str, Any]] = (),
    progress: Progress = silent,
) -> Scored:
    """Score every customer and write the result.

    Parameters
    ----------
    features
        One row a customer, as of ``as_of``: the summary and everything else segments and tags may use.
    value_model
        The model to score with.
    as_of
        The day the features were made for.
    folder
        Written anew: ``customers.parquet`` (features and value fields), ``segments.parquet`` (customer_id,
        segment), ``segments.json`` (the cut points).
    horizon_days
        How far ahead ``predicted_clv`` looks.
    interactions
        Up to ``as_of``, for the best channel and time to reach a customer; see ``recommend.affinity``.
    zone
        Time zone the best time is told in, such as ``Asia/Shanghai``.
    audiences
        The marketer's own lists; see ``recommend.audiences``.
    progress
        Told how far it is.

    Raises
    ------
    StepError
        If there is no customer to score.
    """
    if features.empty:
        raise StepError(
            "There is no customer to score.", where=as_of.isoformat(), hint="Check --as-of and the ledger."
        )
    progress("score: value", 0, 3)
    scored = value_model.predict(features, horizon_days, as_of=as_of)
    if interactions is not None and not interactions.empty:
        reach = Reach.fit(interactions, zone).table(interactions)
        scored = scored.merge(reach, on=CUSTOMER_ID, how="left", validate="one_to_one")
    progress("score: segments", 1, 3)
    segments = SegmentModel.fit(scored, as_of, audiences=audiences)
    members = segments.assign(scored)
    progress("score: write", 2, 3)
    _write(folder, scored, members, segments)
    progress("score: write", 3, 3)
    return Scored(len(scored), float(scored[PREDICTED_CLV].sum()), members["segment"].nunique(), folder)


def _write(folder: Path, scored: pd.DataFrame, members: pd.DataFrame, segments: SegmentModel) -> None:
    """Write aside, then put in place, so that a half-written scoring is never read."""
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    scored.to_parquet(draft / CUSTOMERS, index=False)
    members.to_parquet(draft / MEMBERS, index=False)
    (draft / SEGMENTS).write_text(json.dumps(segments.to_json(), indent=1), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
