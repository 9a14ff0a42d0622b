"""The champion of the registry, fetched aside and checked, for a service that does not wait for the night.

A publication brings its own models. Where the registry is named in the settings, its ``champion`` of the
propensity model takes the place of the published one as soon as the alias moves. The value model always comes
with the publication: the published numbers are its own.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clv.errors import BundleError, ClvError, RegistryError

log = logging.getLogger("clv.serving")

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
        self.heard_at = time.monotonic()
        self._refused = ""

    def poll(self) -> bool:
        """Ask the registry; return whether there is another champion than before.

        Never raises for a registry that is down, or for a model that is not what was registered: the trouble
        is noted, and the last good champion stays.
        """
        heard, found = self._ask() if self._uri else (False, None)
        if not heard or (found is not None and found.version == self._refused):
            return False
        self.trouble = ""
        if found is None or found == self.propensity:
            return False
        self.propensity = found
        return True

    def _ask(self) -> tuple[bool, Champion | None]:
        """Return whether the registry answered as it should, and the champion if it names one."""
        try:
            found = self._champion()
        except BundleError as error:
            self._note(f"The champion is not what was registered: {error.what}", error)
        except RegistryError as error:
            self._note("The registry does not answer as it should.", error)
        except OSError as error:
            self._note(f"The registry cannot be read: {error.strerror}.", error)
        else:
            self.heard_at = time.monotonic()
            return True, found
        return False, None

    @property
    def silent_seconds(self) -> float:
        """Seconds since the registry last answered as it should; 0 if it is not asked."""
        return time.monotonic() - self.heard_at if self._uri else 0.0

    def _note(self, trouble: str, error: Exception) -> None:
        """Note what is wrong: in short for whoever asks, in full, once, in the log."""
        if trouble != self.trouble:
            log.warning("champion not fetched", extra={"facts": {"why": str(error)}})
        self.trouble = trouble

    def refuse(self, champion: Champion, last_good: Champion | None, why: ClvError) -> None:
        """Go back to the model before: this one was fetched whole and cannot be used all the same."""
        self._refused = champion.version
        self.propensity = last_good
        self.trouble = f"The champion {self._name}/{champion.version} cannot be used: {why.what}"

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
