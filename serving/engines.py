"""A published generation's models, offers and policies, made into the engine that decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from lightgbm.basic import LightGBMError

from clv.errors import SnapshotError
from clv.valuation import ValueModel
from models.files import read_bundle
from models.publication import PREPARED
from models.snapshot import Snapshot
from recommend.candidates import Proposer
from recommend.catalogue import Catalogue
from recommend.engine import Engine
from recommend.explore import explorer_from
from recommend.lexicon import Lexicon
from recommend.policies import Policies
from recommend.prepared import Prepared
from recommend.segments import SegmentModel
from recommend.speech import Speech
from recommend.topics import TopicModel
from recommend.worth import Arbitration
from serving.champions import PROPENSITY_NAME, Champion
from serving.live.standing import Standing
from serving.published import Publication

VALUE_NAME: Final = "clv-value"
TOPICS_NAME: Final = "clv-topics"
_UNREAD: Final = (AttributeError, LookupError, TypeError, ValueError, LightGBMError)


def open_publication(root: Path, champion: Champion | None = None) -> Publication:
    """Open the current generation under a root and build its engine.

    Parameters
    ----------
    root
        Folder of the published generations.
    champion
        Takes the place of the published propensity model.

    What the generation does not hold is left out: without a propensity model there are no hints but mandatory
    ones, without policies the polite defaults hold.

    Raises
    ------
    SnapshotError
        If nothing was published, or a file of it is not what the manifest says, or not to be read.
    """
    snapshot = Snapshot.current(root)
    try:
        return _opened(snapshot, champion)
    except _UNREAD as error:  # every hash is right: whoever wrote it meant something else
        what = f"The generation holds something this version cannot read: {type(error).__name__}."
        hint = "Publish again with this version."
        raise SnapshotError(what, where=f"{snapshot.manifest.name}: {error}", hint=hint) from error


def _opened(snapshot: Snapshot, champion: Champion | None) -> Publication:
    proposer, propensity = _proposer(snapshot, champion)
    value_model, value = _value_model(snapshot)
    segments = _document(snapshot, "segment_model")
    segment_model = SegmentModel.from_json(segments) if segments else None
    standing = Standing(
        value_model,
        segment_model,
        snapshot.manifest.as_of,
        int(snapshot.manifest.facts.get("horizon_days", 365)),
    )
    catalogue = _catalogue(snapshot, proposer)
    exploration = _document(snapshot, "exploration")
    engine = Engine(
        catalogue,
        Policies.from_json(_document(snapshot, "policies")),
        Arbitration.from_json(_document(snapshot, "arbitration")),
        proposer,
        explorer=explorer_from(exploration) if exploration else None,
        words=Speech(catalogue=catalogue),
        prepared=_prepared(snapshot, champion, proposer, catalogue),
        model_version=propensity,
        snapshot=snapshot.manifest.name,
    )
    return Publication(
        snapshot,
        engine,
        catalogue,
        standing,
        _lexicon(catalogue),
        value,
        propensity,
        segment_model.private_segments() if segment_model else frozenset(),
        *_topics(snapshot),
    )


def _document(snapshot: Snapshot, name: str) -> dict[str, Any]:
    """Return a document of the generation; an empty one where it has none."""
    raw = snapshot.document(name)
    return raw if isinstance(raw, dict) else {}


def _catalogue(snapshot: Snapshot, proposer: Proposer | None) -> Catalogue:
    """Return the published offers, and one for every item the model knows."""
    raw = _document(snapshot, "offers")
    offers = Catalogue.from_json(raw) if raw else Catalogue()
    return proposer.complete(offers) if proposer else offers


def _lexicon(catalogue: Catalogue) -> Lexicon:
    """Return what hears the names of items: their keys, and what the catalogue calls them."""
    names: dict[str, list[str]] = {}
    for offer in catalogue.offers:
        if offer.generated or len(offer.items) == 1:
            names.setdefault(offer.items[0], []).extend(
                [offer.name, *offer.names.values()] if offer.generated else []
            )
    return Lexicon.build(names)


def _topics(snapshot: Snapshot) -> tuple[TopicModel | None, str]:
    folder = snapshot.folder("topics")
    if folder is None:
        return None, ""
    return TopicModel.load(folder), f"{TOPICS_NAME}/{_version(snapshot, folder, TOPICS_NAME)}"


def _proposer(snapshot: Snapshot, champion: Champion | None) -> tuple[Proposer | None, str]:
    if champion is not None:
        read_bundle(champion.folder)
        return Proposer.load(champion.folder), f"{PROPENSITY_NAME}/{champion.version}"
    folder = snapshot.folder("propensity")
    if folder is None:
        return None, ""
    return Proposer.load(folder), f"{PROPENSITY_NAME}/{_version(snapshot, folder, PROPENSITY_NAME)}"


def _prepared(
    snapshot: Snapshot, champion: Champion | None, proposer: Proposer | None, catalogue: Catalogue
) -> Prepared | None:
    """Return what reads the candidates of the night; None where another model or catalogue is in use."""
    raw = _document(snapshot, PREPARED)
    published = snapshot.manifest.facts.get(PROPENSITY_NAME)
    another = champion is not None and champion.version != published
    return None if proposer is None or another or not raw else Prepared.from_json(raw, proposer, catalogue)


def _value_model(snapshot: Snapshot) -> tuple[ValueModel | None, str]:
    folder = snapshot.folder("value")
    if folder is None:
        return None, ""
    return ValueModel.load(folder), f"{VALUE_NAME}/{_version(snapshot, folder, VALUE_NAME)}"


def _version(snapshot: Snapshot, folder: Path, name: str) -> str:
    """Return the registry's version where the publisher noted it, else the bundle's own."""
    return snapshot.manifest.facts.get(name) or read_bundle(folder).version
