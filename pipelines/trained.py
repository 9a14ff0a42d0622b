"""What came of a training: a model in a sealed folder, or the reason why there is none."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Final

from models.bundle import Bundle
from models.files import write_bundle

VALUE: Final = "value"
PROPENSITY: Final = "propensity"
TOPICS: Final = "topics"
KINDS: Final = (VALUE, PROPENSITY, TOPICS)


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that was fitted and sealed.

    Parameters
    ----------
    folder
        Where its bundle lies.
    bundle
        Its manifest.
    customers, rows
        How many customers and rows it learnt from.
    """

    folder: Path
    bundle: Bundle
    customers: int
    rows: int


@dataclass(frozen=True, slots=True)
class Absent:
    """A model that could not be made from these data, why, and what would change that."""

    kind: str
    because: str
    hint: str = ""


def absent(kind: str, folder: Path, because: str, hint: str = "") -> Absent:
    """Return why there is no model, after removing the one of an earlier night."""
    shutil.rmtree(folder, ignore_errors=True)
    return Absent(kind, because.rstrip("."), hint)


def seal(
    folder: Path,
    save: Callable[[Path], object],
    *,
    kind: str,
    as_of: date,
    fingerprint: str,
    facts: Mapping[str, str],
) -> Bundle:
    """Let a model save itself aside, seal that, and put it in place once it is whole.

    Parameters
    ----------
    folder
        Where the bundle goes; what is there is replaced.
    save
        Writes the model's files into a folder.
    kind
        One of :data:`KINDS`.
    as_of
        The last visible day.
    fingerprint
        Of the training data.
    facts
        Anything else worth knowing.
    """
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    save(draft)
    made_by = {"made by": f"clv-next-best-offer {version('clv-next-best-offer')}"}
    bundle = write_bundle(draft, kind=kind, as_of=as_of, fingerprint=fingerprint, facts={**facts, **made_by})
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
    return bundle


def seal_again(folder: Path, bundle: Bundle, metrics: Mapping[str, float]) -> Bundle:
    """Seal a bundle that is in place already, now with its figures; its content version stays."""
    return write_bundle(
        folder,
        kind=bundle.kind,
        as_of=bundle.as_of,
        fingerprint=bundle.fingerprint,
        metrics=metrics,
        facts=bundle.facts,
    )
