"""Which model scores tonight: the champion, or the newest candidate while there is none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.registry import Registry
from pipelines.register import NAMES, fetch_champion

REGISTERED: Final = "registered.json"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A registered model and where its bundle lies; ``provisional`` says why it is not the champion."""

    name: str
    version: str
    folder: Path
    provisional: str = ""

    def as_fact(self) -> str:
        """Return its version as a publication notes it."""
        return f"{self.version} (not promoted)" if self.provisional else self.version


def choose(registry: Registry, kind: str, training: Path, champions: Path) -> Chosen | None:
    """Return the model to use.

    Parameters
    ----------
    registry
        Holds the alias of the champion.
    kind
        ``value``, ``propensity`` or ``topics``.
    training
        Folder of tonight's candidates, with what became of them in the registry.
    champions
        Where fetched champions are kept.

    Returns
    -------
    Chosen or None
        None if there is neither a champion nor a registered candidate.
    """
    found = fetch_champion(registry, kind, champions)
    if found is not None:
        champion, folder = found
        return Chosen(champion.name, champion.version, folder)
    try:
        registered = json.loads((training / REGISTERED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if kind not in registered:
        return None
    return Chosen(NAMES[kind], registered[kind]["version"], training / kind, registered[kind]["reason"])
