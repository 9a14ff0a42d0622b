"""The champion of the registry, fetched aside and checked, for a service that does not wait for the night.

A publication brings its own models. Where the registry is named in the settings, its ``champion`` of the
propensity model takes the place of the published one as soon as the alias moves. The value model always comes
with the publication: the published numbers are its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clv.errors import BundleError, RegistryError

PROPENSITY_NAME: Final = "clv-propensity"


@dataclass(frozen=True, slots=True)
class Champion:
    """A model fetched from the registry, every hash checked."""

    version: str
    folder: Path


class Champions:
    """Asks the registry which version is champion, and fetches it once.

    Parameters
    ----------
    uri
        The registry's store; empty if it is not asked.
    artefacts
        Folder of the registry's files.
    folder
        Where fetched models are kept.
    name
        The registered model whose champion is asked for.
    """

    def __init__(self, uri: str, artefacts: Path, folder: Path, name: str = PROPENSITY_NAME) -> None:
        self._uri, self._artefacts, self._folder, self._name = uri, artefacts, folder, name
        self.propensity: Champion | None = None
        self.trouble = ""
        self._refused = ""

    def poll(self) -> bool:
        """Ask the registry; return whether there is another champion than before.

        Never raises for a registry that is down, or for a model that is not what was registered: the trouble
        is noted, and the last good champion stays.
        """
        if not self._uri:
            return False
        try:
            found = self._champion()
        except (RegistryError, BundleError) as error:
            self.trouble = str(error)
            return False
        except OSError as error:
            self.trouble = f"The registry cannot be read: {error.strerror}."
            return False
        if found is None or found.version == self._refused:
            return False
        self.trouble = ""
        if found == self.propensity:
            return False
        self.propensity = found
        return True

    def refuse(self, champion: Champion, last_good: Champion | None, why: Exception) -> None:
        """Go back to the model before: this one was fetched whole and cannot be used all the same."""
        self._refused = champion.version
        self.propensity = last_good
        self.trouble = f"The champion {self._name}/{champion.version} cannot be used: {why}"

    def _champion(self) -> Champion | None:
        from models.registry import Registry  # noqa: PLC0415  (it brings MLflow, which few services need)

        registry = Registry(self._uri, self._artefacts)
        named = registry.champion(self._name)
        if named is None:
            return None
        folder = self._folder / f"{self._name}-{named.version}"
        if not folder.exists():
            registry.download(self._name, named.version, folder)
        return Champion(named.version, folder)
