"""CDNOW, the log the papers print their numbers for, as the lifetimes package ships it.

23,570 customers who first bought in the first quarter of 1997, until June 1998; the 1/10 sample is the
2,357 customers of Fader and Hardie. Weeks are exact days / 7: the published summary rounded to two
decimals moves the likelihood.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from clv.columns import AGE_DAYS, RECENCY_DAYS
from clv.holdout import Split, split

CALIBRATION_END = date(1997, 9, 30)


def folder() -> Path:
    """Where the lifetimes package keeps its data; found without importing it."""
    spec = find_spec("lifetimes")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "datasets"


@cache
def sample() -> pd.DataFrame:
    """Purchases of the 1/10 sample."""
    names = ["master_id", "customer_id", "ordered_at", "quantity", "amount"]
    return _read("CDNOW_sample.txt", names)


@cache
def full() -> pd.DataFrame:
    """Purchases of all 23,570 customers."""
    return _read("CDNOW_master.txt", ["customer_id", "ordered_at", "quantity", "amount"], skip=1)


def _read(name: str, names: list[str], skip: int = 0) -> pd.DataFrame:
    lines = pd.read_csv(
        folder() / name, sep=r"\s+", header=None, names=names, skiprows=skip, dtype={"ordered_at": str}
    )
    return lines.assign(ordered_at=pd.to_datetime(lines["ordered_at"], format="%Y%m%d"))


@cache
def sample_split() -> Split:
    """The sample cut at 39 weeks, with the 39 weeks that follow."""
    return split(sample(), CALIBRATION_END, 273)


def weeks(summary: pd.DataFrame) -> pd.DataFrame:
    """The summary with recency and age in weeks."""
    return summary.assign(**{name: summary[name] / 7.0 for name in (RECENCY_DAYS, AGE_DAYS)})
