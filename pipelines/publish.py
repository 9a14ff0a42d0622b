"""From scores to what the service reads: one generation of profiles, lists, offers, policies and models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from clv.errors import SettingError, StepError
from models.generation import Generation
from models.publication import PREPARED, SnapshotWriter
from models.snapshot import Published
from pipelines.ledger import Ledger
from pipelines.profiles import profiles
from pipelines.progress import Progress, silent
from pipelines.receipts import receipts
from pipelines.score import CUSTOMERS, SEGMENTS
from recommend.candidates import Proposer
from recommend.catalogue import Catalogue
from recommend.policies import Policies
from recommend.prepared import Prepared
from recommend.profile import Profile
from recommend.rulebook import Rulebook
from recommend.segments import SegmentModel
from recommend.worth import Arbitration


def publish(
    ledger: Ledger,
    scores: Path,
    catalogue: Catalogue,
    as_of: date,
    root: Path,
    *,
    bundles: Mapping[str, Path],
    facts: Mapping[str, str],
    policies: Policies | None = None,
    arbitration: Arbitration | None = None,
    exploration: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Generation:
    """Publish one generation; readers see all of the old one until they see all of the new one.

    Parameters
    ----------
    ledger
        Where histories, contacts and attributes come from.
    scores
        Folder that :func:`pipelines.score.score` wrote.
    catalogue
        Every offer that may be proposed.
    as_of
        The day the scores were made for.
    root
        Folder of the published generations.
    bundles
        Folders of models by the name they get in the generation, ``value``, ``propensity``, ``topics``.
    facts
        Noted in the manifest: versions of models, what is absent and why.
    policies
        Engagement and contact policies; the polite defaults if None.
    arbitration
        How offers are weighed against each other; the usual weights if None.
    exploration
        As :func:`recommend.explore.explorer_from` reads it; None or empty says the best, always.
    progress
        Told how many customers are written.

    Raises
    ------
    StepError
        If there are no scores.
    RuleError
        If a rule of the policies or of an offer does not parse: nothing is published then.
    """
    policies = policies or Policies()
    Rulebook(catalogue, policies)  # rules are read now, while a mistake in one can still stop the publication
    scored, segments = _read(scores)
    with SnapshotWriter(root, as_of, facts) as writer:
        for name, folder in bundles.items():
            writer.folder(name, folder)
        writer.document("offers", catalogue.as_json())
        writer.document("policies", policies.as_json())
        writer.document("arbitration", (arbitration or Arbitration()).as_json())
        writer.document("exploration", dict(exploration or {}))
        writer.document("segment_model", segments.to_json())
        writer.segments(segments.describe())
        found = _counted(profiles(ledger, scored, segments, as_of), len(scored), progress)
        writer.customers(prepare(writer, found, bundles.get("propensity"), catalogue, as_of))
        writer.receipts(receipts(ledger, as_of))
        return writer.commit()


def prepare(
    writer: SnapshotWriter,
    found: Iterable[Profile],
    propensity: Path | None,
    catalogue: Catalogue,
    as_of: date,
) -> Iterator[Profile | Published]:
    """Yield profiles with the candidates of the day after, so that the service need not look for them.

    Parameters
    ----------
    writer
        Is told how prepared candidates are read.
    found
        The profiles.
    propensity
        Folder of the model that puts candidates forward; None if there is none: nothing is prepared then.
    catalogue
        Every offer that may be proposed; those of items come with the model.
    as_of
        The last day the profiles saw.
    """
    if propensity is None:
        yield from found
        return
    proposer = Proposer.load(propensity)
    prepared = Prepared(proposer, proposer.complete(catalogue), as_of)
    writer.document(PREPARED, prepared.as_json())
    for profile, candidates in prepared.pack_all(found):
        yield Published(profile, candidates)


def read_policies(file: Path) -> Policies:
    """Read engagement and contact policies from a TOML file.

    Raises
    ------
    SettingError
        If the file cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as broken:
        raise SettingError(f"The policies cannot be read: {broken}.", where=str(file)) from broken
    return Policies.from_toml(text)


def _read(scores: Path) -> tuple[pd.DataFrame, SegmentModel]:
    try:
        scored = pd.read_parquet(scores / CUSTOMERS)
        raw = json.loads((scores / SEGMENTS).read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise StepError("There are no scores.", where=str(scores), hint="Run `clv score` first.") from missing
    return scored, SegmentModel.from_json(raw)


def _counted(found: Iterator[Profile], total: int, progress: Progress) -> Iterator[Profile]:
    for done, profile in enumerate(found):
        if done % 500 == 0:
            progress("publish: customers", done, total)
        yield profile
    progress("publish: customers", total, total)
